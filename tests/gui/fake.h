/* tests/gui/fake.h - what the plugin gui needs, in memory: "vchan/1" with a client that is written out step by step,
 * "pages/1" whose peer is told when it may no longer look, and "qubesdb/1" with a few keys. No libcheck, as the fuzz target uses
 * it too: what must not happen aborts. */
#ifndef TESTS_GUI_FAKE_H
#define TESTS_GUI_FAKE_H

#include <unik/pages.h>
#include <unik/qubesdb.h>
#include <unik/ring.h>
#include <unik/vchan.h>

#define FAKE_INPUT (1u << 20)           /* the daemon's script may run ahead of the guest by so much */
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
    struct unik_vchan vchan;            /* first */
    struct unik_pages pages;
    struct unik_qubesdb db;
    struct ev_loop *loop;

    struct fake_stream *now;            /* the open channel, or NULL */
    int peer;                           /* for whom it is */
    int open, listen_error;
    unsigned listens;
    size_t ring;                        /* bytes the guest may be ahead of the daemon */
    size_t window;                      /* the most bytes one peek() gives; 0: all */

    struct fake_block *blocks[FAKE_BLOCKS];
    uint32_t next_ref;
    size_t shared, most;                /* pages that are live; the most that may be */
    unsigned shares;

    struct { const char *key; char value[3100]; bool there; unik_qubesdb_cb *cb; void *arg; bool tell; } keys[FAKE_KEYS];
    ev_idle db_idle;
};

void fake_init(struct fake *f, struct ev_loop *loop);
void fake_free(struct fake *f);         /* aborts if pages or channels are left */

/* The daemon's end of the channel. */
bool fake_offered(const struct fake *f);
void fake_connect(struct fake *f);
bool fake_connected(const struct fake *f);
void fake_hang_up(struct fake *f);
void fake_send(struct fake *f, const void *bytes, size_t n);
size_t fake_waiting(const struct fake *f);              /* bytes from the guest that the daemon has not taken */
size_t fake_take(struct fake *f, void *bytes, size_t n);
size_t fake_unread(const struct fake *f);

/* The block that has these references, for this peer, or NULL: what mapping them would give. Unmap it. */
struct fake_block *fake_map(struct fake *f, int peer, const uint32_t *refs, size_t n);
void fake_unmap(struct fake *f, struct fake_block *b);

/* value NULL: the key goes. Watchers hear it from the loop. */
void fake_set(struct fake *f, const char *key, const char *value);

#endif
