/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/core.h - the state of the agent and of a call. Sections in brackets
 * are those of doc/protocol/qrexec.md. */
#ifndef PLUGINS_QREXEC_CORE_H
#define PLUGINS_QREXEC_CORE_H

#include <errno.h>
#include <unik/backoff.h>
#include <unik/qubesdb.h>
#include <unik/ring.h>
#include <unik/text.h>
#include <unik/vchan.h>
#include "plugins/qrexec/agent.h"
#include "plugins/qrexec/exec.h"

#define QREXEC_CALLS_MAX (3u * QREXEC_DATA_PORTS)    /* call objects: max-calls each way, and refusals on every port [9] */
#define QREXEC_ASKS_MAX 256                         /* dom0 refuses a VM's request beyond 256 pending ones [9] */
#define QREXEC_RELEASES_MAX (4u * QREXEC_DATA_PORTS) /* pairs that wait for dom0 to be there */
#define QREXEC_SERVICES_MAX 256
#define QREXEC_EARLY 16384                          /* bytes a caller may write before its call is connected */
#define QREXEC_ERR_MAX 4096                         /* one write to stderr; fits each version's payload [2] */
#define QREXEC_DOMID_MAX 0x7fef                     /* domain numbers above are reserved by Xen */
#define QREXEC_RECONNECTS 16                        /* times a data channel that ended before its first byte is tried again */
#define QREXEC_RECONNECT 10.0                       /* seconds from the first such end; dom0's client waits as long [9] */
#define QREXEC_LINGER 0.5                           /* seconds for a caller that was still sending to see the exit code */

enum qrexec_mode { QREXEC_OFF, QREXEC_STUB, QREXEC_SERVE };

struct qrexec_config {
    int mode;                           /* enum qrexec_mode */
    bool services, exec, set_clock, announce;
    const char *service_path, *config_path, *agent_socket;
    int64_t max_calls;                  /* each way */
    double connect_timeout, retry_max;
    uint64_t control_ring, data_ring, request_max;
};

enum {
    QREXEC_CALLS_IN, QREXEC_CALLS_OUT, QREXEC_CALLS_NOW, QREXEC_CALLS_HIGH, QREXEC_REFUSED, QREXEC_UNREACHED,
    QREXEC_BYTES_IN, QREXEC_BYTES_OUT, QREXEC_CONNECTS, QREXEC_PROTOCOL_ERRORS, QREXEC_UNRELEASED, QREXEC_LOST_RELEASES
};

/* Stages of a call, in the order in which it reaches them; some it never does. */
enum qrexec_stage {
    QREXEC_AT_ASKED,                    /* in: the request came; out: it was sent */
    QREXEC_AT_ACCEPTED,                 /* out: dom0 said where to serve */
    QREXEC_AT_CONNECTED,                /* the data channel is there, HELLO exchanged */
    QREXEC_AT_STARTED,                  /* in: the service is found, and runs */
    QREXEC_AT_BYTE,                     /* the service's first byte */
    QREXEC_AT_END,
    QREXEC_STAGES
};

#define QREXEC_LAST 16                  /* calls whose stages are remembered: the last ones ... */
#define QREXEC_SLOWEST 8                /* ... and those slowest to answer */
#define QREXEC_BUCKETS 12               /* of a histogram */

struct qrexec_record {
    char what[80];                      /* service and peer, perhaps cut; empty: none */
    bool incoming;
    uint32_t domain, port;
    int code;
    double took[QREXEC_STAGES];         /* seconds since the stage before; negative: not reached */
};

struct qrexec_histogram { uint64_t n[QREXEC_BUCKETS]; double sum; };

struct qrexec_stages {
    uint64_t n;                         /* calls that have ended */
    struct qrexec_record last[QREXEC_LAST], slowest[QREXEC_SLOWEST];
    struct qrexec_histogram histograms[2][QREXEC_STAGES];       /* in, out */
};

/* Part of a message that has arrived so far, and where its payload goes. */
enum qrexec_sink { QREXEC_TO_NOBODY, QREXEC_TO_IO, QREXEC_TO_ERR, QREXEC_TO_CODE, QREXEC_TO_HELLO };

struct qrexec_parser {
    uint8_t head[QREXEC_HEADER], small[4];
    uint32_t have, left;                /* header bytes collected; payload bytes to come */
    uint32_t small_have;
    enum qrexec_sink to;
};

enum qrexec_call_state {
    QREXEC_ASKED,                       /* out: dom0 has not answered yet */
    QREXEC_CONNECTING,                  /* the data channel or its HELLO is awaited */
    QREXEC_HELD,                        /* in: waits for the session */
    QREXEC_RUNNING,                     /* the handler (caller) has the streams */
    QREXEC_FINISHING                    /* in: the handler closed; ends of stream and exit code wait for room */
};

/* Somebody waits until all plugins have been ready once. */
struct qrexec_waiter {
    struct qrexec_waiter *next, **link; /* link NULL: not waiting */
    void (*cb)(void *arg);
    void *arg;
};

struct qrexec_call {
    struct unik_qrexec_call pub;        /* first */
    struct unik_stream io, err;
    struct qrexec_agent *a;
    struct qrexec_call *next, **link;
    struct unik_ctx *user;              /* whose handler or caller it is; NULL: the agent's own */

    enum qrexec_call_state state;
    bool incoming, just_exec;
    bool open;                          /* the handler has io, and has not closed it */
    bool started;                       /* a handler or caller had it: drain waits for it */
    bool counted;                       /* against max-calls */
    bool malformed;                     /* its command line does not parse */
    bool aborted;                       /* by its handler or caller: nothing ends in order */
    bool detached;                      /* JUST_EXEC: the handler runs, its streams lead nowhere */

    struct unik_stream *channel;
    uint32_t domain, port;
    unsigned daemon;                    /* which of dom0's daemons gave out the pair (control.daemon) */
    unsigned doubt;                     /* turns to go until it may begin, and 1; 1: they are over (orphan.c) */
    bool met;                           /* the channel was connected: somebody was there */
    unsigned reconnects;                /* so far */
    bool paired;                        /* dom0 is owed CONNECTION_TERMINATED for (domain, port) */
    uint32_t version;
    size_t max;                         /* payload of one message */
    size_t ring;                        /* in: room of the channel when nothing waits in it */
    ev_timer timer;                     /* until HELLO; then for lingering */
    ev_prepare soon;                    /* never started, only fed: a turn from the loop */
    ev_timer later;                     /* a turn after everybody else had one */
    unsigned events;                    /* to be told */

    struct qrexec_parser in;
    bool io_eof, err_eof, have_code;    /* seen from the other side */
    bool err_wanted, io_end_told, err_end_told, gone_told;
    int ended;                          /* decided on this side: 1, or a negative errno */

    bool want_eof, eof_sent, want_err_eof, err_eof_sent, code_sent, backed_up, lingering;
    const char *err_text;               /* goes to stderr before the end */
    struct unik_ring early;             /* out: written before the call was connected */

    uint64_t bytes_in, bytes_out;
    ev_tstamp since;
    double at[QREXEC_STAGES];           /* when each stage was reached (CLOCK_MONOTONIC); 0: not yet */
    uint32_t ask;                       /* out: id of the pending request, or 0 */
    struct qrexec_plan *plan;           /* held */
    struct qrexec_waiter waiter;
    char *text;                         /* command line, and the strings of pub */
    size_t text_len;
};

struct qrexec_ask {
    uint32_t id;                        /* 0: free */
    qrexec_answer_cb *cb;
    void *arg;
};

struct qrexec_pair { uint32_t domain, port; };

struct qrexec_control {
    struct unik_stream *stream;         /* NULL: not offered now */
    bool up;                            /* dom0 said HELLO */
    unsigned daemon;                    /* how many of dom0's daemons have come: each begins with all ports free */
    int last_error;                     /* of listen, logged once */
    uint32_t version;
    struct unik_backoff backoff;
    ev_timer timer;                     /* the next offer */
    uint8_t head[QREXEC_HEADER];
    struct qrexec_header h;
    size_t have, skip;                  /* bytes of header and body so far; of a body that nobody wants */
    uint8_t *body;                      /* QREXEC_CMD_MAX */
};

struct qrexec_announce {
    struct unik_qubesdb_watch *watch;
    struct unik_qrexec_call *call;
    struct qrexec_waiter waiter;
    bool synced, settled, done;
};

struct qrexec_job;
struct qrexec_socket;

struct qrexec_agent {
    struct unik_qrexec iface;           /* first */
    struct unik_ctx *ctx;
    const struct qrexec_config *config;
    struct unik_vchan *vchan;
    struct unik_qubesdb *db;            /* NULL: not there */
    struct qrexec_control control;
    struct qrexec_ask asks[QREXEC_ASKS_MAX];
    uint32_t generation;
    uint8_t *request;                   /* request_max bytes: a request under construction */
    struct qrexec_pair releases[QREXEC_RELEASES_MAX];
    size_t n_releases;
    struct unik_qrexec_service *services[QREXEC_SERVICES_MAX];
    struct qrexec_call *calls, *spare;
    size_t n_calls, n_spare, n_in, n_out, n_started;
    struct qrexec_job *jobs;            /* running built-ins */
    struct qrexec_waiter *waiters;
    ev_timer session_timer;
    bool session, draining, drained;
    struct qrexec_announce announce;
    struct qrexec_stages stages;
    struct qrexec_runner *exec;         /* serve only */
    struct qrexec_socket *socket;
};

/* control.c */
void qrexec_control_start(struct qrexec_agent *a);
void qrexec_control_stop(struct qrexec_agent *a);
/* One whole message, if there is room for it: 0, -EAGAIN, -ENOTCONN. */
int qrexec_control_send(struct qrexec_agent *a, const void *bytes, size_t n);

/* ask.c */
void qrexec_ask_answer(struct qrexec_agent *a, const char *ident, int error, uint32_t domain, uint32_t port);
void qrexec_ask_lost(struct qrexec_agent *a);
void qrexec_release_flush(struct qrexec_agent *a);
/* dom0 gives this pair out anew: whatever was owed for it is void. */
void qrexec_release_void(struct qrexec_agent *a, uint32_t domain, uint32_t port);
/* Is it one dom0 can have given out? Of ports any but that of the control channel: which ones is the daemon's own choice. */
bool qrexec_pair_ok(uint32_t domain, uint32_t port);
bool qrexec_is_self(struct qrexec_agent *a, uint32_t domain);

/* incoming.c */
void qrexec_call_incoming(struct qrexec_agent *a, const struct qrexec_exec *e, bool just_exec);
/* The pair is given out again: a call on it that nobody has connected to is not to find the new one's caller. */
void qrexec_incoming_make_way(struct qrexec_agent *a, uint32_t domain, uint32_t port);
void qrexec_incoming_begin(struct qrexec_call *c);
void qrexec_incoming_resume(struct qrexec_call *c);

/* call.c */
struct qrexec_call *qrexec_call_new(struct qrexec_agent *a, bool incoming, size_t text_size);
void qrexec_call_end(struct qrexec_call *c);
void qrexec_call_soon(struct qrexec_call *c, unsigned events);
void qrexec_call_later(struct qrexec_call *c);
/* No data channel came about: the call ends, or its caller is told `ended`. */
void qrexec_call_unreached(struct qrexec_call *c, const char *why, int ended);
void qrexec_call_close_channel(struct qrexec_call *c);
/* The handler closed io. */
void qrexec_call_closed(struct qrexec_call *c);
void qrexec_call_stop_all(struct qrexec_agent *a);

/* orphan.c. Another daemon of dom0 has come: calls with dom0 that are not connected yet end. */
void qrexec_call_orphans(struct qrexec_agent *a);
/* Is it too early to say whose the channel is that has come about? */
bool qrexec_call_doubtful(struct qrexec_call *c, bool opened);
/* The plugin `user` is gone: its calls end. */
void qrexec_call_left(struct qrexec_agent *a, struct unik_ctx *user);
void qrexec_call_check_drained(struct qrexec_agent *a);
unik_stream_cb qrexec_call_on_channel;

/* outgoing.c */
int qrexec_outgoing(struct unik_qrexec *q, struct unik_ctx *ctx, const char *target, const char *service,
                    unik_stream_cb *cb, void *arg, struct unik_qrexec_call **out);
void qrexec_outgoing_fail(struct qrexec_call *c, int ended, int code);
/* dom0 accepts a call that nobody wants any more. */
void qrexec_outgoing_decline(struct qrexec_agent *a, uint32_t domain, uint32_t port);
/* The pair is given out again: a call on it to which nobody came is not offered any longer. */
void qrexec_outgoing_make_way(struct qrexec_agent *a, uint32_t domain, uint32_t port);

/* data.c */
bool qrexec_data_gone(const struct qrexec_call *c);             /* the peer's end is closed, or there is no channel */
bool qrexec_data_exhausted(const struct qrexec_call *c);        /* and nothing more can come of it */
int qrexec_data_say_hello(struct qrexec_call *c);
int qrexec_data_read_hello(struct qrexec_call *c);              /* 1: done, 0: not yet, -EPROTO (logged) */
void qrexec_data_advance(struct qrexec_call *c);                /* up to payload that somebody is to read */
size_t qrexec_data_peek(struct qrexec_call *c, enum qrexec_sink to, const void **bytes);
void qrexec_data_consume(struct qrexec_call *c, size_t n);
size_t qrexec_data_room(struct qrexec_call *c);
size_t qrexec_data_put(struct qrexec_call *c, uint32_t type, const void *bytes, size_t n);
void qrexec_data_flush_early(struct qrexec_call *c);
bool qrexec_data_finish(struct qrexec_call *c);                 /* ends of stream and exit code are sent */

/* stream.c */
void qrexec_stream_init(struct qrexec_call *c);
int qrexec_stream_ended(struct qrexec_call *c);
int qrexec_stream_err_ended(struct qrexec_call *c);
ssize_t qrexec_stream_write_err(struct unik_qrexec_call *call, const void *bytes, size_t n);
struct unik_stream *qrexec_stream_err(struct unik_qrexec_call *call);

/* service.c */
struct unik_qrexec_service {
    struct unik_ctx *ctx;
    unik_qrexec_handler *handler;
    void *arg;
    char name[];
};
int qrexec_service_add(struct unik_qrexec *q, struct unik_ctx *ctx, const char *name, unik_qrexec_handler *handler,
                       void *arg, struct unik_qrexec_service **out);
void qrexec_service_remove(struct unik_qrexec *q, struct unik_qrexec_service *s);
void qrexec_service_left(struct qrexec_agent *a, struct unik_ctx *user);
void qrexec_service_free(struct qrexec_agent *a);
/* "name+argument" first, then "name". Of what is registered here, then of the built-in ones. */
unik_qrexec_handler *qrexec_service_find(struct qrexec_agent *a, const struct qrexec_command *command, void **arg,
                                         struct unik_ctx **user);

/* builtin.c */
unik_qrexec_handler *qrexec_builtin_find(const char *name, size_t len);    /* arg: the agent */
bool qrexec_builtin_reserved(const char *name);                 /* no plugin may take this name */
bool qrexec_builtin_harmless(const char *name, size_t len);     /* mode = stub: exit code 0 */
void qrexec_builtin_stop(struct qrexec_agent *a);

/* stages.c. A stage counts the first time; end: of a call that was asked for */
void qrexec_stage(struct qrexec_call *c, enum qrexec_stage stage);
void qrexec_stages_end(struct qrexec_call *c);
void qrexec_stages_status(const struct qrexec_agent *a, struct unik_text *out);
void qrexec_stages_metrics(const struct qrexec_agent *a, struct unik_text *out);

/* session.c */
void qrexec_session_wait(struct qrexec_agent *a, struct qrexec_waiter *w, void (*cb)(void *arg), void *arg);
void qrexec_session_unwait(struct qrexec_agent *a, struct qrexec_waiter *w);

/* announce.c */
void qrexec_announce_arrived(struct qrexec_agent *a);          /* a->db is set */
void qrexec_announce_gone(struct qrexec_agent *a);
void qrexec_announce_turn(struct qrexec_agent *a);
void qrexec_announce_stop(struct qrexec_agent *a);

#endif
