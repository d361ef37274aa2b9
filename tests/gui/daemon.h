/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/daemon.h - a model of qubes-guid, as strict as it is: every message that it would exit at, ask its user about, or
 * silently ignore is a complaint. It knows what each window looks like on the screen. */
#ifndef TESTS_GUI_DAEMON_H
#define TESTS_GUI_DAEMON_H

#include <stdio.h>
#include "protocol/gui.h"
#include "tests/gui/fake.h"

#define DAEMON_WINDOWS 512
#define DAEMON_WHITE 0xffffffu          /* what is shown where nothing was painted */

struct daemon_window {
    uint32_t id;                        /* 0: none */
    struct gui_rect at;
    bool menu, mapped, docked;
    bool queued;                        /* a CONFIGURE of ours is not acknowledged */
    unsigned argued;                    /* times that we had to repeat one */
    uint32_t parent;
    struct fake_block *image;
    uint32_t image_width, image_height;
    uint32_t *picture;                  /* at.width x at.height */
    char title[GUI_TITLE], class_name[GUI_CLASS];
    struct { uint32_t flags, min_width, min_height, max_width, max_height; } hints;
    uint32_t cursor, flags;
    unsigned dumps, images;             /* messages */
    uint64_t pixels;                    /* painted */
};

struct daemon {
    struct fake *f;
    unsigned minor;                     /* of its own */
    uint32_t version;                   /* agreed on; 0 before */
    bool said_hello;
    uint32_t offered;
    struct daemon_window windows[DAEMON_WINDOWS];
    unsigned n;
    char complaint[200];                /* the first one; "" */
    struct gui_header header;
    uint8_t body[GUI_BODY_MAX];
    bool have_header, have_body;
    struct gui_message message;
    uint32_t *refs;                     /* of the dump that arrives */
    uint32_t rest, rest_have;           /* bytes of the open end */
    uint8_t *text;                      /* copied: what arrived last */
    uint32_t text_size;
    unsigned copies, messages, creates, destroys, unmaps;
    bool lazy_acks;                     /* hold acknowledgements back: daemon_acks() sends them */
    uint32_t acks[DAEMON_WINDOWS];
    unsigned n_acks;
    bool unstrict;                      /* the agent may have been told nonsense: odd messages are let pass */
};

void daemon_init(struct daemon *d, struct fake *f, unsigned minor);
/* Forget all, as when it is started anew; also at the end. */
void daemon_reset(struct daemon *d);
/* Connect to what is offered, if it is; the handshake begins. */
bool daemon_connect(struct daemon *d);
/* Take at most so many bytes of what has come: how many. */
size_t daemon_run(struct daemon *d, size_t most);
void daemon_acks(struct daemon *d);

struct daemon_window *daemon_window(struct daemon *d, uint32_t id);
struct daemon_window *daemon_nth(struct daemon *d, unsigned n);     /* of the living, in no order */

/* What a user does. */
void daemon_place(struct daemon *d, struct daemon_window *w, const struct gui_rect *r);
void daemon_send(struct daemon *d, const struct gui_message *m);
void daemon_key(struct daemon *d, uint32_t id, unsigned code, unsigned state, bool down);
void daemon_focus(struct daemon *d, uint32_t id, bool in);
void daemon_paste(struct daemon *d, uint32_t id, const void *bytes, uint32_t n);
void daemon_bare(struct daemon *d, uint32_t type, uint32_t id);

#endif
