/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/pools.c - memory: lwIP's memp.h and heap, and the plugin's own pools. */
#include <string.h>
#include <sys/mman.h>

#include "lwip/opt.h"

#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mem.h"
#include "lwip/memp.h"
#include "lwip/pbuf.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/udp.h"

#include "pools.h"

#define SLAB (64u << 10)                /* bytes asked of the system at a time */

#if defined(__SANITIZE_ADDRESS__)
#define EACH_ALONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EACH_ALONE 1
#endif
#endif

static size_t bytes, in_use;

size_t pools_bytes(void) { return bytes; }
size_t pools_in_use(void) { return in_use; }

static void *counted(struct pool *p, void *piece)
{
    in_use += p->size;
    if (++p->used > p->high)
        p->high = p->used;
    return piece;
}

#ifdef EACH_ALONE
/* The sanitizer sees each piece: what is used after it was given back, or beyond its end, is found. */
#include <stdlib.h>

void *pool_take(struct pool *p)
{
    void *piece = p->used < p->limit ? malloc(p->size) : NULL;

    return piece ? counted(p, piece) : NULL;
}

void pool_give(struct pool *p, void *piece)
{
    p->used--;
    in_use -= p->size;
    free(piece);
}
#else
/* The rest of a slab is shared by all pools. Slabs live as long as the process: lwIP has no end either. */
static char *slab;
static size_t slab_left;

static void *carve(size_t size)
{
    void *piece;

    size = (size + 15) & ~(size_t)15;
    if (size > slab_left) {
        size_t want = size > SLAB / 4 ? (size + 4095) & ~(size_t)4095 : SLAB;
        char *fresh = mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (fresh == MAP_FAILED)
            return NULL;
        bytes += want;
        if (want != SLAB)
            return fresh;
        slab = fresh;
        slab_left = SLAB;
    }
    piece = slab;
    slab += size;
    slab_left -= size;
    return piece;
}

void *pool_take(struct pool *p)
{
    void *piece = p->free;

    if (piece)
        memcpy(&p->free, piece, sizeof(void *));
    else if (p->used >= p->limit || !(piece = carve(p->size)))
        return NULL;
    return counted(p, piece);
}

void pool_give(struct pool *p, void *piece)
{
    memcpy(piece, &p->free, sizeof(void *));
    p->free = piece;
    p->used--;
    in_use -= p->size;
}
#endif

/* ---- lwIP's pools: lwip/memp.h ---- */

static struct pool lwip_pools[MEMP_MAX] = {
#define LWIP_MEMPOOL(name, number, bytes_of_one, description) [MEMP_##name] = { .size = (bytes_of_one), .limit = (number) },
#include "lwip/priv/memp_std.h"
};

size_t pools_lwip_used(int type) { return lwip_pools[type].used; }

void memp_init(void) { }
void *memp_malloc(memp_t type) { return pool_take(&lwip_pools[type]); }

void memp_free(memp_t type, void *piece)
{
    if (piece)
        pool_give(&lwip_pools[type], piece);
}

/* ---- lwIP's heap: headers of what we send, copies of frames. Sizes step by about a quarter. ---- */

struct head {
    size_t class;
    size_t unused;                      /* keeps what follows aligned to 16 */
};

#define CLASS(n) { .size = (n) + sizeof(struct head) }
static struct pool classes[] = {
    CLASS(64), CLASS(96), CLASS(128), CLASS(160), CLASS(192), CLASS(256), CLASS(384), CLASS(512), CLASS(768), CLASS(1024),
    CLASS(1664), CLASS(2304), CLASS(4352), CLASS(8704), CLASS(16896), CLASS(33280), CLASS(66048)
};
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

/* One size may take a half of all, so that whoever makes us hold many of one size leaves something for the others. */
void pools_limit(size_t heap, size_t connections)
{
    for (size_t i = 0; i < CLASSES; i++) {
        classes[i].limit = heap / 2 / classes[i].size;
        if (classes[i].limit < 4)
            classes[i].limit = 4;
    }
    lwip_pools[MEMP_TCP_PCB].limit = connections < MEMP_NUM_TCP_PCB ? connections : MEMP_NUM_TCP_PCB;
}

void *net_lwip_take(size_t size)
{
    for (size_t i = 0; i < CLASSES; i++)
        if (size <= classes[i].size - sizeof(struct head)) {
            struct head *h = pool_take(&classes[i]);

            if (!h)
                return NULL;
            h->class = i;
            return h + 1;
        }
    return NULL;
}

void *net_lwip_take_zeroed(size_t n, size_t size)
{
    void *p = size && n > 66048 / size ? NULL : net_lwip_take(n * size);

    if (p)
        memset(p, 0, n * size);
    return p;
}

void net_lwip_give(void *p)
{
    struct head *h = p;

    if (h)
        pool_give(&classes[(h - 1)->class], h - 1);
}
