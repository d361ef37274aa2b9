/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/pools.h - bounded memory for packets and connections: taken from the system in slabs when it is needed for the
 * first time, kept in lists of equal pieces after that. Under a steady load nothing is asked of the system. */
#ifndef POOLS_H
#define POOLS_H

#include <stddef.h>

struct pool {
    void *free;                         /* list through the first word of each piece */
    size_t size;                        /* bytes of a piece */
    size_t used, high, limit;           /* pieces */
};

void *pool_take(struct pool *p);        /* NULL: at the limit, or no memory */
void pool_give(struct pool *p, void *piece);

/* lwIP's own pools and heap: at most that many bytes in its heap, and that many TCP connections, TIME-WAIT included. */
void pools_limit(size_t heap, size_t connections);
size_t pools_bytes(void);               /* asked of the system so far, by all pools */
size_t pools_in_use(void);              /* bytes of all pieces that were taken and not given back */
size_t pools_lwip_used(int type);        /* of one of lwIP's pools, MEMP_... */

#endif
