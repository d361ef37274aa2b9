/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/tree.c - the names: one tree of folders, files, links and devices, filled at the start from archives and read-only
 * from then on, but for what tmp.c adds and takes away. Contents stay where the archives lie; a node costs some 150 bytes. */
#include "boot/linux.h"

#define BUCKETS 1024u
#define LINKED_MAX 4096u        /* files with hard links in one archive */

static struct node *root, *buckets[BUCKETS], *linked;
static uint32_t nodes, n_linked, archives;
static uint64_t places;         /* given out to entries of folders */

static bool is_dir(const struct node *n) { return (n->mode & S_IFMT) == S_IFDIR; }
static bool is_link(const struct node *n) { return (n->mode & S_IFMT) == S_IFLNK; }

struct node *tree_root(void) { return root; }

static struct node **bucket(const struct node *parent, const char *name, size_t len)
{
    uint32_t h = 2166136261u ^ parent->ino;     /* FNV-1a */

    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)name[i]) * 16777619u;
    return &buckets[(h ^ h >> 15) % BUCKETS];
}

static struct node *child(const struct node *parent, const char *name, size_t len)
{
    struct node *n = *bucket(parent, name, len);

    while (n && !(n->parent == parent && n->name_len == len && memcmp(n->name, name, len) == 0))
        n = n->same_hash;
    return n;
}

void tree_put(struct node *n, struct node *parent, const char *name, size_t len)
{
    struct node **b = bucket(parent, name, len);

    n->name = name;
    n->name_len = (uint32_t)len;
    n->parent = parent;
    n->place = TREE_FIRST_PLACE + places++;
    n->next = NULL;
    n->same_hash = *b;
    *b = n;
    if (parent->last_child)
        parent->last_child->next = n;
    else
        parent->first_child = n;
    parent->last_child = n;
    if (is_dir(n))
        parent->nlink++;
}

void tree_take(struct node *n)
{
    struct node **b = bucket(n->parent, n->name, n->name_len), *before = NULL;

    while (*b != n)
        b = &(*b)->same_hash;
    *b = n->same_hash;
    for (struct node *c = n->parent->first_child; c != n; c = c->next)
        before = c;
    *(before ? &before->next : &n->parent->first_child) = n->next;
    if (n->parent->last_child == n)
        n->parent->last_child = before;
    if (is_dir(n))
        n->parent->nlink--;
    n->parent = n;
}

/* name stays the caller's and must not go. */
static struct node *new_node(struct node *parent, const char *name, size_t len, uint32_t mode)
{
    struct node *n = nodes < TREE_NODES_MAX ? pool_get(sizeof(*n)) : NULL;

    if (!n)
        return NULL;
    n->ino = ++nodes;
    n->mode = mode;
    n->nlink = (mode & S_IFMT) == S_IFDIR ? 2 : 1;
    n->links = n;
    n->parent = n;
    if (parent)
        tree_put(n, parent, name, len);
    return n;
}

int tree_init(void)
{
    root = new_node(NULL, "", 0, S_IFDIR | 0755);
    return root ? 0 : -ENOMEM;
}

/* The node of a path from the root, made if it is not there, and its folders too. No links are followed. */
static int make(const char *path, size_t len, uint32_t mode, struct node **out)
{
    struct node *at = root, *n;
    size_t part;

    for (; len; path += part, len -= part) {
        if (*path == '/') {
            part = 1;
            continue;
        }
        for (part = 0; part < len && path[part] != '/'; part++)
            ;
        if (part == 1 && path[0] == '.')
            continue;
        if (part > 255 || (part == 2 && path[0] == '.' && path[1] == '.') || !is_dir(at))
            return -EINVAL;
        n = child(at, path, part);
        if (!n)
            n = new_node(at, path, part, part == len ? mode : S_IFDIR | 0755);
        if (!n)
            return nodes < TREE_NODES_MAX ? -ENOMEM : -ENOSPC;
        at = n;
    }
    *out = at;
    return 0;
}

/* Hard links: each entry has the file's number, and the last one its content. */
static int join_links(struct node *n, const struct cpio_entry *e)
{
    const uint32_t key[3] = { e->dev_major, e->dev_minor, e->ino };
    struct node *other = linked;

    while (other && memcmp(other->key, key, sizeof(key)) != 0)
        other = other->next_linked;
    if (!other && n->archive != archives) {
        if (n_linked++ == LINKED_MAX)
            return -ENOSPC;
        n->archive = archives;
        n->next_linked = linked;
        linked = n;
    }
    if (!other)
        memcpy(n->key, key, sizeof(key));
    if (!other || other == n)
        return 0;
    if (!e->size)
        n->bytes = other->bytes;
    n->ino = other->ino;
    n->nlink = other->nlink;
    n->links = other->links;
    other->links = n;
    n->nlink++;
    for (struct node *l = n->links; l != n; l = l->links) {
        l->bytes = n->bytes;
        l->nlink = n->nlink;
    }
    return 0;
}

/* A file that comes once more is a new one under the old name. */
static void leave_links(struct node *n)
{
    struct node *l = n;

    for (; l->links != n; l = l->links)
        l->links->nlink--;
    l->links = n->links;
    n->links = n;
    n->nlink = 1;
    memset(n->key, 0xff, sizeof(n->key));
}

static int add_entry(const struct cpio_entry *e)
{
    uint32_t kind = e->mode & S_IFMT;
    struct node *n;
    int error;

    if (kind != S_IFREG && kind != S_IFDIR && kind != S_IFLNK)
        return 0;                       /* devices are the kernel's own affair */
    error = make(e->name, e->name_len, e->mode & 07777777, &n);
    if (error < 0)
        return error;
    if (is_dir(n) != (kind == S_IFDIR))
        return -EINVAL;                 /* a file where a folder is, or a folder where a file is */
    if (kind == S_IFREG && n->links != n)
        leave_links(n);
    n->mode = e->mode & 07777777;
    n->uid = e->uid;
    n->gid = e->gid;
    n->mtime = e->mtime;
    n->bytes = (struct bytes){ e->bytes, kind == S_IFDIR ? 0 : e->size };
    return kind == S_IFREG && e->nlink > 1 ? join_links(n, e) : 0;
}

int tree_add_archive(const struct bytes *archive)
{
    struct cpio_entry e;
    size_t at = 0;
    int r = 0;

    linked = NULL;
    n_linked = 0;
    archives++;
    while (at < archive->size && r >= 0) {
        r = cpio_next(archive, &at, &e);
        if (r > 0)
            r = add_entry(&e);
    }
    return r < 0 ? r : 0;
}

int tree_add(const char *path, uint32_t mode, struct bytes content)
{
    struct node *n;
    int e = make(path, strlen(path), mode, &n);

    if (e < 0)
        return e;
    n->mode = mode;
    n->bytes = content;
    return 0;
}

struct node *tree_folder(const char *path)
{
    struct node *n;

    return make(path, strlen(path), S_IFDIR | 0755, &n) == 0 && is_dir(n) ? n : NULL;
}

int tree_add_device(const struct device *d)
{
    struct node *n;
    int e = make(d->path, strlen(d->path), S_IFCHR | 0666, &n);

    if (e < 0)
        return e;
    if (is_dir(n))
        return -EINVAL;
    n->mode = S_IFCHR | 0666;
    n->rdev = (d->major << 8) | d->minor;
    n->device = d;
    return 0;
}

/* ---- paths ---- */

#define LINKS_FOLLOWED 40u      /* as Linux: path_resolution(7) */

/* Two, as a link's target is put before what is left of the path. One thread: nobody else is in here. */
static char texts[2][LINUX_PATH_MAX];

static size_t part_length(const char *s)
{
    size_t n = 0;

    while (s[n] && s[n] != '/')
        n++;
    return n;
}

static const char *skip_slashes(const char *s)
{
    while (*s == '/')
        s++;
    return s;
}

/* target + "/" + rest into the text that rest is not in. */
static const char *put_before(const struct bytes *target, const char *rest)
{
    char *to = rest >= texts[0] && rest < texts[0] + sizeof(texts[0]) ? texts[1] : texts[0];
    size_t n = strlen(rest);

    if (target->size + 1 + n + 1 > sizeof(texts[0]))
        return NULL;
    memcpy(to, target->at, target->size);
    to[target->size] = 0;
    if (n) {
        to[target->size] = '/';
        memcpy(to + target->size + 1, rest, n + 1);
    }
    return strlen(to) == target->size + (n ? n + 1 : 0) ? to : NULL;    /* no NUL in the target */
}

int tree_walk(const struct walk *w, const char *path, struct node **out, struct missing *missing)
{
    struct node *top = w->top ? w->top : root, *at = w->from ? w->from : root, *n;
    unsigned followed = 0;
    size_t len = strlen(path);

    if (missing)
        missing->folder = NULL;
    if (len == 0)
        return -ENOENT;
    if (len >= sizeof(texts[0]))
        return -ENAMETOOLONG;
    memcpy(texts[0], path, len + 1);
    path = texts[0];
    if (*path == '/' && w->resolve & RESOLVE_BENEATH)
        return -EXDEV;
    if (*path == '/')
        at = top;
    for (;;) {
        const char *rest;
        bool last, slash;

        path = skip_slashes(path);
        if (!*path)
            break;
        if (!is_dir(at))
            return -ENOTDIR;
        len = part_length(path);
        rest = skip_slashes(path + len);
        last = !*rest;
        slash = path[len] == '/';
        if (len > 255)
            return -ENAMETOOLONG;
        if (len == 2 && path[0] == '.' && path[1] == '.') {
            if (at == top && w->resolve & RESOLVE_BENEATH)
                return -EXDEV;
            n = at == top ? top : at->parent;
        } else {
            n = len == 1 && path[0] == '.' ? at : child(at, path, len);
        }
        if (!n) {
            if (missing && last)
                *missing = (struct missing){ at, path, len, slash };
            return -ENOENT;
        }
        if (is_link(n) && (!last || slash || w->follow)) {
            if (w->resolve & RESOLVE_NO_SYMLINKS || ++followed > LINKS_FOLLOWED)
                return -ELOOP;
            if (n->bytes.size && n->bytes.at[0] == '/') {
                if (w->resolve & RESOLVE_BENEATH)
                    return -EXDEV;
                at = top;
            }
            path = n->bytes.size ? put_before(&n->bytes, path + len) : NULL;
            if (!path)
                return n->bytes.size ? -ENAMETOOLONG : -ENOENT;
            continue;
        }
        if ((!last || slash) && !is_dir(n))
            return -ENOTDIR;
        at = n;
        path = rest;
    }
    *out = at;
    return 0;
}

int tree_path(const struct node *n, char *out, size_t size)
{
    size_t len = 1, at;

    if (n == root) {
        if (size < 2)
            return -ERANGE;
        memcpy(out, "/", 2);
        return 2;
    }
    for (const struct node *p = n; p != root; p = p->parent)
        len += p->name_len + 1;
    if (len > size)
        return -ERANGE;
    at = len - 1;
    out[at] = 0;
    for (const struct node *p = n; p != root; p = p->parent) {
        at -= p->name_len;
        memcpy(out + at, p->name, p->name_len);
        out[--at] = '/';
    }
    return (int)len;
}
