/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/xenstored-tree.c - a flat list of paths: small, and as fast as tests need. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/common/xenstored-tree.h"

static void *copy_of(const void *p, size_t n)
{
    char *c = malloc(n + 1);

    if (!c)
        abort();
    if (n)
        memcpy(c, p, n);
    c[n] = 0;
    return c;
}

bool tree_within(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strcmp(folder, "/") == 0 ? path[0] == '/'
                                    : strncmp(path, folder, n) == 0 && (path[n] == 0 || path[n] == '/');
}

struct tree_node *tree_find(const struct tree *t, const char *path)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->nodes[i].path, path) == 0)
            return &t->nodes[i];
    return NULL;
}

static struct tree_node *add(struct tree *t, const char *path, const void *perms, size_t perms_len)
{
    struct tree_node *n;

    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 32;
        t->nodes = realloc(t->nodes, t->room * sizeof(*t->nodes));
        if (!t->nodes)
            abort();
    }
    n = &t->nodes[t->n++];
    n->path = copy_of(path, strlen(path));
    n->value = copy_of("", 0);
    n->len = 0;
    n->perms = copy_of(perms, perms_len);
    n->perms_len = perms_len;
    return n;
}

struct tree_node *tree_make(struct tree *t, const char *path)
{
    struct tree_node *n = tree_find(t, path), above;
    char folder[4096];
    char *slash;

    if (n)
        return n;
    snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (!slash || strcmp(path, "/") == 0)
        return add(t, path, "n0", 3);
    slash[slash == folder] = 0;
    above = *tree_make(t, folder);
    return add(t, path, above.perms, above.perms_len);
}

void tree_set(struct tree_node *n, const void *value, size_t len)
{
    free(n->value);
    n->value = copy_of(value, len);
    n->len = len;
}

void tree_set_perms(struct tree_node *n, const void *rows, size_t len)
{
    free(n->perms);
    n->perms = copy_of(rows, len);
    n->perms_len = len;
}

static void free_node(struct tree_node *n)
{
    free(n->path);
    free(n->value);
    free(n->perms);
}

void tree_remove(struct tree *t, const char *path)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->n; i++)
        if (tree_within(t->nodes[i].path, path))
            free_node(&t->nodes[i]);
        else
            t->nodes[kept++] = t->nodes[i];
    t->n = kept;
}

size_t tree_list(const struct tree *t, const char *path, char *names, size_t size)
{
    size_t used = 0, skip = strcmp(path, "/") == 0 ? 1 : strlen(path) + 1;

    for (size_t i = 0; i < t->n; i++) {
        const char *p = t->nodes[i].path;

        if (tree_within(p, path) && strlen(p) > skip && !strchr(p + skip, '/')) {
            size_t k = strlen(p + skip) + 1;

            if (used + k <= size)
                memcpy(names + used, p + skip, k);
            used += k;
        }
    }
    return used;
}

void tree_copy(struct tree *to, const struct tree *from)
{
    *to = (struct tree){ 0 };
    for (size_t i = 0; i < from->n; i++) {
        const struct tree_node *n = &from->nodes[i];

        tree_set(add(to, n->path, n->perms, n->perms_len), n->value, n->len);
    }
}

void tree_free(struct tree *t)
{
    for (size_t i = 0; i < t->n; i++)
        free_node(&t->nodes[i]);
    free(t->nodes);
    *t = (struct tree){ 0 };
}
