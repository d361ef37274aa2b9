/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/pages.h - what the plugin keeps for "pages/1". */
#ifndef VCHAN_SOCKET_PAGES_H
#define VCHAN_SOCKET_PAGES_H

#include <sys/queue.h>
#include <unik/pages.h>

#define GRANT_DIR_MAX 255
#define GRANT_PATH_MAX (GRANT_DIR_MAX + sizeof("/32751.4294967295"))
#define REF_FIRST 8u                    /* Xen keeps the first 8 for itself */
#define SHARED_MAX (1u << 20)           /* pages at a time: 4 GiB */

struct shared_pages {
    struct unik_pages api;
    char dir[GRANT_DIR_MAX + 1];
    LIST_HEAD(, block) blocks;
    uint32_t next;                      /* reference of the next block */
    bool used;                          /* there was a block */
};

#endif
