/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/tmp.c - /tmp: files and folders that the program makes, in memory, for as long as the domain lives.
 *
 * At most LIMIT bytes, in whole pages ("kernel.tmp=" on the command line), and TMP_NAMES names; a page comes when it is written
 * to. What has lost its name stays until the last descriptor of it is closed. What an image brings along in /tmp is read-only, as
 * everything else of it.
 */
#include "boot/linux.h"

#define LIMIT (1ul << 20)       /* unless the command line has another */
#define TMP_NAMES 1024u         /* files and folders at a time, open ones without a name included */

static uint64_t limit;          /* pages */
static uint64_t taken;
static uint32_t names, numbers;

#define FIRST_NUMBER 0x40000000u        /* of inodes: above those of the tree */

/* ---- the option ---- */

/* A number, with K, M or G behind it or nothing, up to the end of the word: bytes; UINT64_MAX: it is none. */
static uint64_t size_of(const char *v)
{
    uint64_t n = 0;
    unsigned shift;

    if (*v < '0' || *v > '9')
        return UINT64_MAX;
    for (; *v >= '0' && *v <= '9'; v++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, (uint64_t)(*v - '0'), &n))
            return UINT64_MAX;
    shift = *v == 'K' ? 10 : *v == 'M' ? 20 : *v == 'G' ? 30 : 0;
    if (shift)
        v++;
    return (*v && *v != ' ') || n >> (63 - shift) ? UINT64_MAX : n << shift;
}

void tmp_init(void)
{
    const char *v = kernel_option("kernel.tmp=");
    uint64_t bytes = v ? size_of(v) : LIMIT;
    struct node *n;

    if (bytes == UINT64_MAX)
        panic("bad command line: kernel.tmp is a number of bytes, or of K, M or G; 0: no /tmp");
    limit = bytes / PAGE;
    if (limit == 0)
        return;
    n = tree_folder("tmp");
    if (!n) {
        say("/tmp cannot be written: the image has something else there");
        return;
    }
    n->mode = S_IFDIR | 01777;
    n->writable = true;
}

void tmp_counts(struct linux_statfs *s)
{
    s->type = 0x01021994;       /* tmpfs */
    s->blocks = (int64_t)limit;
    s->bfree = s->bavail = (int64_t)(limit - taken);
    s->files = TMP_NAMES;
    s->ffree = TMP_NAMES - names;
}

/* ---- content ---- */

/* Entries for that many pages. */
static bool make_room(struct node *n, size_t pages)
{
    size_t room = MAX(2 * n->room, 4u);
    uint8_t **more;

    if (pages <= n->room)
        return true;
    room = MAX(MIN(room, limit), pages);
    more = pool_get(room * sizeof(*more));
    if (!more)
        return false;
    if (n->room)
        memcpy(more, n->pages, n->room * sizeof(*more));
    pool_put(n->pages, n->room * sizeof(*more));
    n->pages = more;
    n->room = room;
    return true;
}

/* The page that byte `at` of the file is in, made if it is not there; NULL: no more of them. */
static uint8_t *page_at(struct node *n, uint64_t at)
{
    uint8_t **page;

    if (!make_room(n, at / PAGE + 1))
        return NULL;
    page = &n->pages[at / PAGE];
    if (!*page && taken < limit && (*page = page_alloc()))
        taken++;
    return *page;
}

static void drop_pages(struct node *n, size_t first)
{
    for (size_t i = first; i < n->room; i++)
        if (n->pages[i]) {
            page_free(n->pages[i]);
            n->pages[i] = NULL;
            taken--;
        }
}

static void changed(struct node *n) { n->mtime = (uint32_t)(time_wall() / 1000000000); }

int64_t tmp_resize(struct node *n, uint64_t size)
{
    uint64_t last = size / PAGE;

    if (size > limit * PAGE)
        return -EFBIG;
    if (size < n->bytes.size) {
        drop_pages(n, PAGE_UP(size) / PAGE);
        if (size % PAGE && last < n->room && n->pages[last])    /* zeros, should it grow again */
            memset(n->pages[last] + size % PAGE, 0, PAGE - size % PAGE);
    }
    n->bytes.size = size;
    changed(n);
    return 0;
}

int64_t tmp_reserve(struct node *n, uint64_t at, uint64_t size)
{
    if (at > limit * PAGE || size > limit * PAGE - at)
        return -EFBIG;
    for (uint64_t p = PAGE_DOWN(at); p < at + size; p += PAGE)
        if (!page_at(n, p))
            return -ENOSPC;
    n->bytes.size = MAX(n->bytes.size, at + size);
    changed(n);
    return 0;
}

/* ---- names ---- */

static struct node *new_file(uint32_t mode)
{
    struct node *n = names < TMP_NAMES ? pool_get(sizeof(*n)) : NULL;

    if (!n)
        return NULL;
    names++;
    n->ino = FIRST_NUMBER + numbers++;
    n->mode = mode;
    n->nlink = (mode & S_IFMT) == S_IFDIR ? 2 : 1;
    n->links = n->parent = n;
    n->writable = true;
    changed(n);
    return n;
}

static void free_file(struct node *n)
{
    drop_pages(n, 0);
    pool_put(n->pages, n->room * sizeof(*n->pages));
    pool_put(n, sizeof(*n));
    names--;
}

/* A name of ours, as a walk's does not last. */
static const char *keep_name(const struct missing *m)
{
    char *name = pool_get(m->len);

    if (name)
        memcpy(name, m->name, m->len);
    return name;
}

int64_t tmp_make(const struct missing *m, uint32_t mode, struct node **out)
{
    struct node *n;
    const char *name;

    if (!m->folder->writable)
        return -EROFS;
    if (m->folder->gone)
        return -ENOENT;
    name = keep_name(m);
    n = name ? new_file(mode) : NULL;
    if (!n) {
        pool_put((void *)(uintptr_t)name, m->len);
        return -ENOSPC;
    }
    tree_put(n, m->folder, name, m->len);
    changed(m->folder);
    *out = n;
    return 0;
}

int64_t tmp_make_nameless(uint32_t mode, struct node **out)
{
    *out = new_file(mode);
    if (!*out)
        return -ENOSPC;
    (*out)->gone = true;
    (*out)->nlink = 0;
    return 0;
}

/* The name goes; where it was is told. */
static void lose_name(struct node *n)
{
    changed(n->parent);
    tree_take(n);
    pool_put((void *)(uintptr_t)n->name, n->name_len);
    n->name = NULL;
}

void tmp_remove(struct node *n)
{
    lose_name(n);
    n->gone = true;
    n->nlink = 0;
    if (!n->users)
        free_file(n);
}

void node_get(struct node *n) { n->users++; }

void node_put(struct node *n)
{
    if (--n->users == 0 && n->gone)
        free_file(n);
}

int64_t tmp_move(struct node *n, const struct missing *to, struct node *other)
{
    struct node *folder = to->folder;
    size_t len = to->len;
    const char *name;

    if (folder->gone)
        return -ENOENT;
    name = keep_name(to);
    if (!name)
        return -ENOSPC;
    lose_name(n);
    if (other)
        tmp_remove(other);      /* with it the name goes that `to` may point at */
    tree_put(n, folder, name, len);
    changed(folder);
    return 0;
}

/* ---- operations of an open file ---- */

static int64_t op_read_at(struct file *f, uint64_t to, size_t n, uint64_t at)
{
    static const uint8_t zeros[PAGE];
    const struct node *node = f->node;
    size_t done = 0;

    if (at >= node->bytes.size)
        return 0;
    n = MIN(n, node->bytes.size - at);
    while (done < n) {
        size_t k = MIN(n - done, PAGE - (at + done) % PAGE), i = (at + done) / PAGE;
        const uint8_t *page = i < node->room ? node->pages[i] : NULL;

        if (user_out(to + done, page ? page + (at + done) % PAGE : zeros, k) < 0)
            return done ? (int64_t)done : -EFAULT;
        done += k;
    }
    return (int64_t)done;
}

static int64_t op_write_at(struct file *f, uint64_t from, size_t n, uint64_t at)
{
    struct node *node = f->node;
    size_t done = 0;
    int64_t e = 0;

    if (f->flags & O_APPEND)
        at = node->bytes.size;
    if (n == 0)
        return 0;
    if (at >= limit * PAGE)
        return -ENOSPC;
    n = MIN(n, limit * PAGE - at);
    while (done < n && e == 0) {
        size_t k = MIN(n - done, PAGE - (at + done) % PAGE);
        uint8_t *page = page_at(node, at + done);

        if (!page)
            e = -ENOSPC;
        else if (user_in(page + (at + done) % PAGE, from + done, k) < 0)
            e = -EFAULT;
        else
            done += k;
    }
    if (!done)
        return e;
    node->bytes.size = MAX(node->bytes.size, at + done);
    changed(node);
    return (int64_t)done;
}

static int64_t op_read(struct file *f, uint64_t to, size_t n)
{
    int64_t r = op_read_at(f, to, n, f->at);

    f->at += r > 0 ? (uint64_t)r : 0;
    return r;
}

static int64_t op_write(struct file *f, uint64_t from, size_t n)
{
    uint64_t at = f->flags & O_APPEND ? f->node->bytes.size : f->at;
    int64_t r = op_write_at(f, from, n, at);

    if (r > 0)
        f->at = at + (uint64_t)r;
    return r;
}

/* A copy, made now: what is written to the file later is not seen in it, which MAP_PRIVATE allows. */
static int64_t op_map(struct file *f, enum user_where where, uint64_t address, uint64_t length, unsigned prot, unsigned flags,
                      uint64_t offset)
{
    int64_t at, e;

    if ((flags & MAP_TYPE) != MAP_PRIVATE)
        return -ENODEV;
    if ((prot & PROT_WRITE) && (prot & PROT_EXEC))
        return -EACCES;
    at = user_map(where, address, length, PROT_READ | PROT_WRITE, NULL);
    if (at < 0)
        return at;
    e = op_read_at(f, (uint64_t)at, length, offset);
    if (e >= 0)
        e = user_protect((uint64_t)at, length, prot);
    if (e < 0)
        user_unmap((uint64_t)at, length);
    return e < 0 ? e : at;
}

const struct file_ops tmp_ops = {
    .read = op_read, .write = op_write, .read_at = op_read_at, .write_at = op_write_at, .seek = file_seek, .map = op_map,
    .close = file_close_node,
};
