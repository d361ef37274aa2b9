/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/'s reader of archives, and the tree it fills: whatever the archive, the tree is one, and every name leads to its node. */
#include "boot/tree.c"
#include "tests/boot/machine.h"
#include "tests/fuzz/must.h"

static const struct bytes *whole;
static size_t seen;

static void check_node(struct node *n, unsigned depth)
{
    const struct walk w = { .from = n->parent, .follow = false };
    static char name[512];
    struct node *found, *last = NULL;

    seen++;
    must(seen <= nodes && depth < LINUX_PATH_MAX);
    if (n != root) {
        must(n->name_len > 0 && n->name_len <= 255 && inside(n->name, n->name_len, whole->at, whole->size));
        memcpy(name, n->name, n->name_len);
        name[n->name_len] = 0;
        must(strlen(name) == n->name_len && !strchr(name, '/'));
        must(tree_walk(&w, name, &found, NULL) == 0 && found == n);
    }
    if (n->bytes.size)
        must(inside(n->bytes.at, n->bytes.size, whole->at, whole->size));
    must(n->links->links && (is_dir(n) || !n->first_child));
    for (struct node *c = n->first_child; c; last = c, c = c->next) {
        must(c->parent == n);
        check_node(c, depth + 1);
    }
    must(last == n->last_child);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const paths[] = { "a", "/", "a/b/../c", "link", "./x/" };
    const struct bytes archive = { bytes, n };
    const struct walk w = { .follow = true };
    struct node *found;
    int e;

    whole = &archive;
    memset(buckets, 0, sizeof(buckets));
    nodes = 0;
    seen = 0;
    must(tree_init() == 0);
    e = tree_add_archive(&archive);
    must(e == 0 || e == -EINVAL || e == -ENAMETOOLONG || e == -ENOSPC);
    check_node(root, 0);
    must(seen == nodes);
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++)
        (void)!tree_walk(&w, paths[i], &found, NULL);
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct node *at = buckets[i], *next; at; at = next) {
            next = at->same_hash;
            pool_put(at, sizeof(*at));
        }
    pool_put(root, sizeof(*root));
    return 0;
}
