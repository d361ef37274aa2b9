/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/fake-call.h - calls as the runner of services sees them, without an agent: bounded queues in memory,
 * events from the loop only. And a folder with services in it. */
#ifndef TESTS_COMMON_FAKE_CALL_H
#define TESTS_COMMON_FAKE_CALL_H

#include <unik/ring.h>
#include "plugins/qrexec/exec.h"
#include "tools/host/host.h"

/* ---- a folder, a host, a runner ---- */

struct world {
    char folder[64];                    /* services in rpc, rpc2; configs in config, config2 */
    char user[256];                     /* our own account */
    struct host *h;
    struct unik_ctx *ctx;
    struct qrexec_runner *x;
    char log[65536];                    /* all lines */
    int fds;                            /* open before anything ran */
};

void world_open(struct world *w, bool commands, bool services);
/* Everything has ended: no descriptor, no child is left. */
void world_close(struct world *w);
/* folder + "/" + name; static buffers, a few at a time. */
const char *world_path(struct world *w, const char *name);
void world_file(struct world *w, const char *name, mode_t mode, const char *content);
void world_link(struct world *w, const char *name, const char *target);
/* Run the loop until what() or seconds passed: what(). */
bool world_until(struct world *w, bool (*what)(void *), void *arg, double seconds);

/* ---- a call ---- */

#define FAKE_TEXT 262144

struct fake_call {
    struct unik_stream stream;          /* first */
    struct unik_qrexec_call call;
    struct world *w;
    struct unik_ring in, out, err;
    ev_timer tick;                      /* the one source of events */
    unsigned events;
    int ended;                          /* of input: 0, 1, or a negative errno */
    bool room_wanted;

    const char *feed;                   /* bytes that go to the input as it empties; NULL: the pattern */
    size_t feed_left;
    bool end_after_feed;
    bool stalled;                       /* nobody takes the output */

    size_t consumed, got, got_err;      /* bytes */
    bool pattern;                       /* output is compared with the pattern, not kept */
    bool differs;
    char text[FAKE_TEXT], err_text[FAKE_TEXT];  /* what came out, while it fits */
    bool shut, err_shut, closed, aborted;       /* aborted: closed too */
    bool err_shut_first;                /* before any output and before shut */
    int code;                           /* exit_code at close */
};

/* queue: bytes of room each way. */
struct fake_call *fake_new(struct world *w, size_t queue);
void fake_free(struct fake_call *f);
void fake_feed(struct fake_call *f, const char *text);          /* kept by reference */
void fake_feed_pattern(struct fake_call *f, size_t n);
void fake_end(struct fake_call *f);             /* the caller's end of input, after what is fed */
void fake_break(struct fake_call *f, int error);    /* the caller is gone */
void fake_stall(struct fake_call *f, bool stalled);
bool fake_closed(void *f);

/* Plan and run a command line "USER:..."; without a user, ":...", for our own account. The exit code of the plan; 0:
 * the call runs. */
int fake_start(struct fake_call *f, const char *command, bool just_exec);
/* The same until it has closed, with no input: its exit code. */
int fake_run(struct fake_call *f, const char *command);

#endif
