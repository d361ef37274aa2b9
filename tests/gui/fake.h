/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/fake.h - what the plugin gui needs, in memory: "vchan/1" (tests/common/fake-vchan.h), "pages/1" whose peer
 * is told when it may no longer look, and "qubesdb/1" with a few keys. No libcheck, as the fuzz target uses it too: what must
 * not happen aborts. */
#ifndef TESTS_GUI_FAKE_H
#define TESTS_GUI_FAKE_H

#include <unik/pages.h>
#include <unik/qubesdb.h>
#include "tests/common/fake-vchan.h"

#define FAKE_BLOCKS 1024
#define FAKE_KEYS 4

struct fake_block {
    struct unik_shared shared;          /* first */
    uint32_t *refs;
    int peer;
    bool live;                          /* else: given back, and the peer still maps it */
    unsigned maps;
};

struct fake {
    struct fake_vchan v;                /* first */
    struct unik_pages pages;
    struct unik_qubesdb db;

    struct fake_block *blocks[FAKE_BLOCKS];
    uint32_t next_ref;
    size_t shared, most;                /* pages that are live; the most that may be */
    unsigned shares;

    struct { const char *key; char value[3100]; bool there; unik_qubesdb_cb *cb; void *arg; bool tell; } keys[FAKE_KEYS];
    ev_idle db_idle;
};

void fake_init(struct fake *f, struct ev_loop *loop);
void fake_free(struct fake *f);         /* aborts if pages or channels are left */

/* The block that has these references, for this peer, or NULL: what mapping them would give. Unmap it. */
struct fake_block *fake_map(struct fake *f, int peer, const uint32_t *refs, size_t n);
void fake_unmap(struct fake *f, struct fake_block *b);

/* value NULL: the key goes. Watchers hear it from the loop. */
void fake_set(struct fake *f, const char *key, const char *value);

#endif
