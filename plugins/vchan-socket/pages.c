/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/pages.c - "pages/1" without grants: a file for each block, which the peer maps.
 *
 * The file's name tells what a grant reference tells: DIR/OWN-DOMID.FIRST-REF, page i of it is reference FIRST-REF + i.
 * Giving a block back removes the name; the kernel keeps the pages as long as the peer has them mapped. References count up,
 * so that a late look for one finds nothing rather than something else.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "plugins/vchan-socket/channel.h"
#include "plugins/vchan-socket/pages.h"

struct block {
    struct unik_shared shared;          /* first: a block is its shared part */
    LIST_ENTRY(block) link;
    uint32_t refs[];
};

static struct vchan_socket *plugin_of(struct unik_pages *p)
{
    return (struct vchan_socket *)(void *)((char *)p - offsetof(struct vchan_socket, pages.api));
}

static void path_of(const struct vchan_socket *vs, uint32_t first, char path[GRANT_PATH_MAX])
{
    snprintf(path, GRANT_PATH_MAX, "%s/%d.%u", vs->pages.dir, vs->domid, first);
}

/* Files of a process of this domid that ended without giving them back. The peer that still maps them keeps them. */
static void remove_old(const struct vchan_socket *vs)
{
    char prefix[16], path[GRANT_PATH_MAX + 256];
    DIR *d = opendir(vs->pages.dir);
    struct dirent *e;

    snprintf(prefix, sizeof(prefix), "%d.", vs->domid);
    while (d && (e = readdir(d)) != NULL) {
        const char *ref = e->d_name + strlen(prefix);

        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0 && *ref && strspn(ref, "0123456789") == strlen(ref)) {
            snprintf(path, sizeof(path), "%s/%s", vs->pages.dir, e->d_name);
            unlink(path);
        }
    }
    if (d)
        closedir(d);
}

/* The folder is made with the first block, so that who shares nothing leaves no trace, and again if somebody removed it. */
static int prepare(struct vchan_socket *vs)
{
    if (mkdir(vs->pages.dir, 0700) < 0 && errno != EEXIST) {
        int e = -errno;

        unik_error(vs->ctx, "grant-dir %s: %s", vs->pages.dir, strerror(-e));
        return e;
    }
    if (!vs->pages.used)
        remove_old(vs);
    vs->pages.used = true;
    return 0;
}

/* References from `first` on that no living block has. Blocks are few, and a new round begins after 4 thousand million. */
static uint32_t free_refs(struct vchan_socket *vs, size_t pages)
{
    uint32_t first = vs->pages.next;
    struct block *b;
    bool moved;

    do {
        moved = false;
        if (first < REF_FIRST || first > UINT32_MAX - pages)
            first = REF_FIRST;
        LIST_FOREACH(b, &vs->pages.blocks, link)
            if (first < b->refs[0] + b->shared.pages && b->refs[0] < first + pages) {
                first = b->refs[0] + (uint32_t)b->shared.pages;
                moved = true;
            }
    } while (moved);
    vs->pages.next = first + (uint32_t)pages;
    return first;
}

/* The pages are really there: a full disk is found now, not as a signal at the first touch. */
static int map_file(struct vchan_socket *vs, struct block *b)
{
    size_t size = b->shared.pages * UNIK_PAGE;
    char path[GRANT_PATH_MAX];
    int fd, e;

    path_of(vs, b->refs[0], path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    e = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)size);
    if (e == 0) {
        b->shared.bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        e = b->shared.bytes == MAP_FAILED ? errno : 0;
    }
    if (e) {
        unik_warn(vs->ctx, "%s: %zu bytes: %s", path, size, strerror(e));
        if (fd >= 0)
            unlink(path);
    }
    if (fd >= 0)
        close(fd);
    return -e;
}

static int share(struct vchan_socket *vs, size_t pages, struct unik_shared **out)
{
    struct block *b;
    uint32_t first;
    int e = prepare(vs);

    if (e < 0)
        return e;
    b = malloc(sizeof(*b) + pages * sizeof(b->refs[0]));
    if (!b)
        return -ENOMEM;
    first = free_refs(vs, pages);
    for (size_t i = 0; i < pages; i++)
        b->refs[i] = first + (uint32_t)i;
    b->shared = (struct unik_shared){ .pages = pages, .refs = b->refs };
    e = map_file(vs, b);
    if (e < 0) {
        free(b);
        return e;
    }
    LIST_INSERT_HEAD(&vs->pages.blocks, b, link);
    vs->ctx->counters[SHARED] += pages;
    if (vs->ctx->counters[SHARED] > vs->ctx->counters[SHARED_HIGH])
        vs->ctx->counters[SHARED_HIGH] = vs->ctx->counters[SHARED];
    *out = &b->shared;
    return 0;
}

static int api_share(struct unik_pages *p, int peer, size_t pages, bool writable, struct unik_shared **out)
{
    struct vchan_socket *vs = plugin_of(p);

    (void)writable;                     /* a file of this user's: whoever can read it can write it */
    *out = NULL;
    if (peer < 0 || peer > DOMID_LAST || peer == vs->domid || vs->stopping || pages < 1 || pages > UNIK_PAGES_MAX)
        return -EINVAL;
    if (vs->ctx->counters[SHARED] + pages > SHARED_MAX)
        return -ENOSPC;
    return share(vs, pages, out);
}

static void api_unshare(struct unik_pages *p, struct unik_shared *s)
{
    struct vchan_socket *vs = plugin_of(p);
    struct block *b = (struct block *)(void *)s;
    char path[GRANT_PATH_MAX];

    path_of(vs, b->refs[0], path);
    unlink(path);
    munmap(s->bytes, s->pages * UNIK_PAGE);
    vs->ctx->counters[SHARED] -= s->pages;
    LIST_REMOVE(b, link);
    free(b);
}

/* grant-dir, else the environment, else beside the sockets. */
int vchan_socket_pages_dir(const struct config *config, const char *sockets, char dir[GRANT_DIR_MAX + 1])
{
    const char *env = getenv("UNIK_GRANT_DIR");
    int n;

    if (config->grant_dir || (env && *env))
        n = snprintf(dir, GRANT_DIR_MAX + 1, "%s", config->grant_dir ? config->grant_dir : env);
    else
        n = snprintf(dir, GRANT_DIR_MAX + 1, "%s/grants", sockets);
    return n <= GRANT_DIR_MAX ? 0 : -ENAMETOOLONG;
}

int vchan_socket_pages_start(struct vchan_socket *vs)
{
    vs->pages.api = (struct unik_pages){ .size = sizeof(vs->pages.api), .share = api_share, .unshare = api_unshare };
    vs->pages.next = REF_FIRST;
    LIST_INIT(&vs->pages.blocks);
    vs->ctx->counters[SHARED] = 0;
    vchan_socket_pages_dir(vs->config, vs->dir, vs->pages.dir);
    return unik_provide(vs->ctx, "pages/1", &vs->pages.api);
}

/* Those who used the interface have stopped. */
void vchan_socket_pages_stop(struct vchan_socket *vs)
{
    struct block *b;

    while ((b = LIST_FIRST(&vs->pages.blocks)) != NULL) {
        unik_warn(vs->ctx, "%zu pages: left shared by their user", b->shared.pages);
        api_unshare(&vs->pages.api, &b->shared);
    }
    if (vs->pages.used)
        rmdir(vs->pages.dir);           /* if it is empty */
}
