/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-pages.c - the memory behind a WINDOW_DUMP: granted pages, mapped; over sockets, files in their place.
 *
 * Over sockets a block of pages is the file GRANT-DIR/DOMID.FIRST-REFERENCE, and page i of it is reference FIRST + i. The
 * file stays open as long as the real daemon would keep the pages mapped, and sees what the guest writes into its mapping
 * of the same file; but it is read, not mapped: a guest that cuts its file short would end us by SIGBUS.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/unik-dom0/gui-parts.h"
#ifdef UNIK_HAVE_XEN
#include <xengnttab.h>
#endif

struct gui_pages {
    uint32_t width, height;
    int fd;                             /* -1: over Xen */
    const uint32_t *mapped;             /* over Xen */
    size_t n;
};

uint32_t gui_pages_width(const struct gui_pages *p) { return p->width; }
uint32_t gui_pages_height(const struct gui_pages *p) { return p->height; }

/* ---- files ---- */

static int open_file(struct gui *g, struct gui_pages *p, const uint8_t *refs)
{
    uint32_t first = gui_decode_ref(refs);
    char path[4096];
    struct stat st;

    for (size_t i = 1; i < p->n; i++)
        if (gui_decode_ref(refs + 4 * i) != first + i)
            return -EFAULT;
    if (first == 0 || snprintf(path, sizeof(path), "%s/%d.%u", g->vm->dom0->grant_dir, g->vm->domid, first)
                      >= (int)sizeof(path))
        return -EFAULT;
    p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (p->fd < 0 || fstat(p->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)(p->n * GUI_PAGE)) {
        dom0_log(g->vm->dom0, UNIK_WARNING, g->vm->name, "gui: %s: %s", path, p->fd < 0 ? strerror(errno) : "too short");
        return -EFAULT;
    }
    return 0;
}

static bool read_file(const struct gui_pages *p, size_t at, uint32_t *to, size_t bytes)
{
    return pread(p->fd, to, bytes, (off_t)at) == (ssize_t)bytes;
}

/* ---- grants ---- */

#ifdef UNIK_HAVE_XEN
static xengnttab_handle *gnttab;

static int map_grants(struct gui *g, struct gui_pages *p, const uint8_t *refs)
{
    uint32_t *list = malloc(p->n * sizeof(*list));
    void *at = NULL;

    if (!list)
        return -ENOMEM;
    for (size_t i = 0; i < p->n; i++)
        list[i] = gui_decode_ref(refs + 4 * i);
    if (!gnttab)
        gnttab = xengnttab_open(NULL, 0);
    if (gnttab)
        at = xengnttab_map_domain_grant_refs(gnttab, (uint32_t)p->n, (uint32_t)g->vm->domid, list, PROT_READ);
    if (!at)
        dom0_log(g->vm->dom0, UNIK_WARNING, g->vm->name, "gui: %zu grants of domain %d: %s", p->n, g->vm->domid,
                 strerror(errno));
    p->mapped = at;
    free(list);
    return at ? 0 : -EFAULT;
}

static void unmap_grants(struct gui_pages *p) { xengnttab_unmap(gnttab, (void *)(uintptr_t)p->mapped, (uint32_t)p->n); }
#else
static int map_grants(struct gui *g, struct gui_pages *p, const uint8_t *refs)
{
    (void)g, (void)p, (void)refs;
    return -EFAULT;
}

static void unmap_grants(struct gui_pages *p) { (void)p; }
#endif

/* ---- either ---- */

int gui_pages_map(struct gui *g, const uint8_t *refs, size_t n, uint32_t width, uint32_t height, struct gui_pages **out)
{
    struct gui_pages *p = calloc(1, sizeof(*p));
    int e;

    if (!p)
        return -ENOMEM;
    *p = (struct gui_pages){ .width = width, .height = height, .fd = -1, .n = n };
    e = g->vm->dom0->grant_dir ? open_file(g, p, refs) : map_grants(g, p, refs);
    if (e < 0) {
        gui_pages_unmap(p);
        p = NULL;
    }
    *out = p;
    return e;
}

void gui_pages_unmap(struct gui_pages *p)
{
    if (!p)
        return;
    if (p->fd >= 0)
        close(p->fd);
    if (p->mapped)
        unmap_grants(p);
    free(p);
}

bool gui_pages_read(const struct gui_pages *p, uint32_t x, uint32_t y, uint32_t *pixels, uint32_t n)
{
    size_t at = (size_t)y * p->width + x;

    if (p->mapped)
        memcpy(pixels, p->mapped + at, n * sizeof(*pixels));
    else if (!read_file(p, at * sizeof(*pixels), pixels, n * sizeof(*pixels)))
        return false;
    for (uint32_t i = 0; i < n; i++)
        pixels[i] &= 0xffffffu;             /* B, G, R, unused */
    return true;
}
