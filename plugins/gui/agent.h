/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/agent.h - the parts of the plugin: windows for apps, shown by the GUI daemon in dom0 or a GUI domain.
 *
 *   plugin.c      what the host sees: options, counters, start, stop, status
 *   api.c         what apps call
 *   connection.c  the channel: which domain, offer, handshake, lost, begin again
 *   input.c       whole messages from the daemon; events for apps
 *   configure.c   size and place: the daemon's wishes, the app's, and new buffers that follow
 *   output.c      what the windows owe the daemon, in the order in which it must hear it
 *   window.c      a window's life: ids, end, what is forgotten when the daemon is gone
 *   buffer.c      pixels: shared pages, and how long they stay
 *   damage.c      which parts have changed: a few rectangles
 *   clipboard.c   text out and in
 *   keyboard.c    keycodes to keysyms and text; xkb.c, us.c, layout-file.c: where the tables come from
 *
 * There is no queue of messages. Each window knows what the daemon has been told and what it should know; output.c sends the
 * difference while there is room. So nothing about a window can be sent after its end, and memory is bounded.
 *
 * The GUI domain is trusted with input, places and sizes; what it sends is checked all the same, and refused one by one.
 */
#ifndef PLUGINS_GUI_AGENT_H
#define PLUGINS_GUI_AGENT_H

#include <stdbool.h>
#include <sys/queue.h>
#include <unik/backoff.h>
#include <unik/gui.h>
#include <unik/pages.h>
#include <unik/qubesdb.h>
#include <unik/vchan.h>
#include "plugins/gui/damage.h"
#include "plugins/gui/keyboard.h"
#include "protocol/gui.h"

#define GUI_WINDOWS_MAX 256         /* those whose end the daemon has not acknowledged count too */
#define GUI_RING_IN 4096            /* bytes at least: the largest message but for pasted text has 44 */
#define GUI_RING_OUT 8192           /* the largest but for references and clipboard has 140 */
#define GUI_BURST 256               /* messages taken in one go before other users of the loop get a turn */
#define GUI_SKIP_MAX (1u << 20)     /* bytes of a message of unknown type that are skipped; more ends the connection */
#define GUI_KEEP 5.0                /* seconds that pages stay after the last sign of use, where the daemon gives none */
#define GUI_GRAVES_MAX 256          /* buffers that wait for that */
#define GUI_ANSWERS_MAX 16          /* clipboard answers owed */
#define GUI_GOOD 10                 /* seconds: a connection that lasted so long was a good one (unik/backoff.h) */

enum gui_mode { GUI_MODE_OFF, GUI_MODE_STUB, GUI_MODE_SERVE };

struct gui_config {
    int mode, version;              /* enum gui_mode; the minor version announced */
    int64_t domain;
    double retry_max, damage_interval, flush;
    const char *layout, *layout_dir;
};

/* Rows of the counter table in plugin.c. */
enum gui_counter {
    GUI_CONNECTS, GUI_WINDOWS, GUI_WINDOWS_HIGH, GUI_IMAGES, GUI_DUMPS, GUI_RESIZES, GUI_INPUTS, GUI_COPIES, GUI_PASTES,
    GUI_STRAYS, GUI_BAD, GUI_NO_PAGES
};

struct gui_agent;

/* Pixels. In one place at a time: a window's `now`, its list of old ones, or the agent's graves. */
struct gui_buffer {
    TAILQ_ENTRY(gui_buffer) link;
    struct unik_shared *shared;
    uint32_t width, height;
    int peer;                       /* the domain that may map it */
    bool told;                      /* a daemon has heard of it, and may look at any time */
    bool fresh;                     /* the app has not been told of it */
    double since;                   /* in the graves: when it got there */
};

TAILQ_HEAD(gui_buffers, gui_buffer);

/* Bits of what a window owes the daemon, besides what follows from `told`. */
enum { GUI_OWES_ECHO = 1, GUI_OWES_ASK = 2, GUI_OWES_CLASS = 4, GUI_OWES_HINTS = 8, GUI_OWES_TITLE = 16, GUI_OWES_CURSOR = 32 };

struct unik_gui_window {
    TAILQ_ENTRY(unik_gui_window) link;      /* in the order of creation: parents first */
    struct gui_agent *a;
    uint32_t id;                            /* never 0, which is the whole screen */
    unik_gui_cb *cb;                        /* NULL: destroyed by its app, or nobody listens */
    void *arg;
    struct unik_ctx *owner;
    struct unik_gui_window *parent;         /* lives; or NULL */
    bool menu, docked, shown;               /* shown: the app wants it seen */
    bool dying;                             /* destroyed: stays until the daemon knows */
    struct gui_rect at;                     /* its place and size, as last agreed */
    struct { int min_width, min_height, max_width, max_height; bool placed; } hints;
    char title[GUI_TITLE], class_name[GUI_CLASS];
    unsigned state, set, unset;             /* enum unik_gui_state: as the daemon says; wishes not yet sent */
    uint32_t cursor;
    struct gui_buffer *now;                 /* where the app draws */
    struct gui_buffers old;                 /* of which the daemon may still have the last one on the screen */
    struct gui_damage damage;
    bool fit;                               /* RESIZE is due, from the loop */
    unsigned owes;
    uint32_t ask_width, ask_height;         /* the app's wish */
    struct gui_rect echo;                   /* the daemon's last CONFIGURE */
    bool echo_late;                         /* it waits for the slow timer */
    struct {                                /* on this connection */
        bool created, mapped, docked, destroyed;
        struct gui_buffer *image;           /* what the daemon paints from; NULL after UNMAP */
        bool unacked;                       /* the last dump; there is none after it before that */
    } told;
};

TAILQ_HEAD(gui_windows, unik_gui_window);

/* What was copied. Shared by the agent and a message under way. */
struct gui_text {
    unsigned users;
    uint32_t size;
    uint8_t bytes[];
};

enum gui_phase {
    GUI_OFF,
    GUI_AWAY,                       /* no channel: the next try waits for the retry timer, or for the domain's number */
    GUI_OFFERED,                    /* the daemon is not there yet; no time limit */
    GUI_VERSION,                    /* its choice of the version is awaited */
    GUI_SCREEN,                     /* its screen's size */
    GUI_LIVE
};

struct gui_agent {
    struct unik_gui api;            /* first: the interface is the plugin's struct */
    struct unik_ctx *ctx;
    const struct gui_config *config;
    struct unik_vchan *vchan;
    struct unik_pages *pages;
    struct unik_qubesdb *db;
    struct unik_qubesdb_watch *domain_watch, *layout_watch, *legacy_watch;
    int domain;                     /* the GUI domain's number; -1: not known yet */

    struct unik_stream *stream;     /* NULL in OFF and AWAY */
    enum gui_phase phase;
    struct unik_backoff backoff;
    ev_timer retry;
    int said;                       /* the error of the last try that was logged */
    uint32_t version;               /* in LIVE */
    struct gui_xconf screen;
    bool stopping;
    ev_timer deadline;              /* of that */

    uint8_t in[GUI_MESSAGE_MAX];    /* the message that arrives */
    size_t have;
    struct gui_header header;       /* of it, once its 12 bytes are there */
    ev_idle more;                   /* GUI_BURST messages were taken, and there are others */
    uint32_t skip;                  /* bytes of a refused message still to come */
    uint8_t *paste;                 /* text that arrives, or NULL */
    uint32_t paste_size, paste_have, paste_window;

    struct gui_windows windows;     /* dying ones too */
    unsigned n;
    uint32_t last_id;
    struct unik_gui_window *focus;
    uint32_t key_window[GUI_KEY_CODES];      /* which window was told that the key is down; 0: it is up */
    struct gui_keyboard keyboard;
    struct gui_text *clipboard;     /* NULL: empty */
    uint32_t answer_window;
    unsigned answers;               /* owed to the daemon */

    struct {                        /* the open end of a message under way: nothing else may be sent */
        struct gui_buffer *buffer;  /* its references, or */
        struct gui_text *text;
        size_t at;                  /* next reference or byte */
    } rest;
    struct gui_buffers graves;
    unsigned n_graves;
    ev_timer bury;                  /* the oldest of them may go */
    ev_timer frame;                 /* active: damage was sent a moment ago, more waits until then */
    ev_timer slow;                  /* late echoes */
    ev_idle due;                    /* RESIZE events are to be told, from the loop */
    ev_prepare flush;               /* never started: fed as an event, it runs after all others of the turn */
};

static inline void gui_count(struct gui_agent *a, enum gui_counter c) { a->ctx->counters[c]++; }

/* ---- connection.c ---- */
void gui_connection_init(struct gui_agent *a);
void gui_connection_begin(struct gui_agent *a);
/* The connection is of no use any more: close it, and offer another later. */
void gui_connection_lost(struct gui_agent *a, const char *why);
void gui_connection_close(struct gui_agent *a);
void gui_domain_is(struct gui_agent *a, int domid);

/* ---- input.c ---- */
/* Take what has arrived. The connection may be gone afterwards. */
void gui_input(struct gui_agent *a);
/* Only from the loop. The app may do anything in it; the window struct stays. */
void gui_tell(struct unik_gui_window *w, const struct unik_gui_event *e);

/* ---- configure.c ---- */
void gui_configured(struct unik_gui_window *w, const struct gui_rect *r);
/* RESIZE is to be told, with a buffer of the present size. */
void gui_fit(struct unik_gui_window *w);
void gui_on_due(struct ev_loop *loop, ev_idle *i, int revents);
void gui_on_slow(struct ev_loop *loop, ev_timer *t, int revents);

/* ---- output.c ---- */
/* There may be something to send: at the end of this turn of the loop. */
void gui_flush(struct gui_agent *a);
void gui_on_flush(struct ev_loop *loop, ev_prepare *p, int revents);
void gui_on_frame(struct ev_loop *loop, ev_timer *t, int revents);

/* ---- window.c ---- */
struct unik_gui_window *gui_window_new(struct gui_agent *a, int *error);
struct unik_gui_window *gui_window_find(struct gui_agent *a, uint32_t id);      /* living; NULL */
void gui_window_end(struct unik_gui_window *w);         /* its app's part is over */
void gui_window_gone(struct unik_gui_window *w);        /* the daemon's too: the pointer is dead. Never inside a callback */
void gui_windows_forget(struct gui_agent *a);           /* the daemon is gone */

/* ---- buffer.c ---- */
/* 0 or a negative errno, logged. */
int gui_buffer_new(struct gui_agent *a, uint32_t width, uint32_t height, struct gui_buffer **out);
/* The window has another buffer now; the daemon may still look at this one. */
void gui_buffer_retire(struct unik_gui_window *w);
/* The daemon has taken the last dump: older buffers are nobody's. */
void gui_buffers_acked(struct unik_gui_window *w);
/* No sign will come: give them back after a while. */
void gui_buffers_bury(struct gui_agent *a, struct gui_buffers *list);
void gui_buffers_free(struct gui_agent *a, struct gui_buffers *list);
void gui_buffer_free(struct gui_agent *a, struct gui_buffer *b);
void gui_on_bury(struct ev_loop *loop, ev_timer *t, int revents);

/* ---- clipboard.c ---- */
int gui_clipboard_set(struct gui_agent *a, const void *bytes, size_t size);
void gui_text_drop(struct gui_text *t);
void gui_clipboard_asked(struct gui_agent *a, uint32_t window);
/* A CLIPBOARD_DATA begins; its bytes arrive; all are there. */
void gui_paste_begin(struct gui_agent *a, uint32_t window, uint32_t size);
void gui_paste_end(struct gui_agent *a);

/* ---- plugin.c ---- */
/* Stopping: the daemon may have all it needs by now. Ends the plugin then: a is dead. */
void gui_stop_on(struct gui_agent *a);

/* ---- api.c ---- */
extern const struct unik_gui gui_api;

#endif
