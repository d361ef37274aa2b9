/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/probe/probe.h - what the files of this app share. */
#ifndef PROBE_H
#define PROBE_H

#include <sys/queue.h>

#include <unik/net.h>
#include <unik/qrexec.h>

#define JOBS_MAX 512            /* calls at once */
#define CONNECTIONS_MAX 1024    /* over the network, at once */
#define PROBE_CHUNK 32768       /* bytes of the pattern */

enum probe_kind { PROBE_ECHO, PROBE_DISCARD, PROBE_CHARGEN, PROBE_KINDS };
enum { CALLS, RUNNING, REFUSED, CONNECTIONS, CONNECTIONS_HIGH, DATAGRAMS };

struct probe_config { int64_t port[PROBE_KINDS]; };

struct probe {
    struct unik_qrexec *qrexec;
    struct unik_qubesdb *qubesdb;
    struct unik_net *net;
    LIST_HEAD(, job) jobs;
    size_t n, n_connections;
    const char *pattern;
    LIST_HEAD(, connection) connections;
    struct unik_net_listener *listener[PROBE_KINDS];
    struct unik_net_udp *udp;
};

/* A call. */
struct job {
    LIST_ENTRY(job) link;
    struct unik_ctx *ctx;
    struct unik_qrexec_call *call;
    struct unik_qrexec_call *onward;    /* probe.Call: the call made from here */
    struct unik_stream *far;            /* probe.Connect */
    struct unik_net_query *query;       /* probe.Resolve */
    uint64_t count;                     /* bytes seen, or still to write */
    bool in_done, out_done;             /* onward, far: our input ended there; its output ended here */
};

/* probe.c */
struct job *probe_begin(struct unik_qrexec_call *call, void *arg);      /* NULL: refused */
void probe_end(struct job *j, int code);
void probe_abort(struct job *j, int code);      /* one side broke: so do the others; 0: 125 */
/* Moves what fits. 1: the input has ended and all of it was moved; 0: more may come; negative: broken. */
int probe_pass(struct unik_stream *from, struct unik_stream *to);
/* The call's input to there, and its end. False: the caller broke, and the job is gone. */
bool probe_input(struct job *j, struct unik_stream *to);

/* net.c */
void probe_net_arrived(struct unik_ctx *ctx, struct unik_net *net);
void probe_net_gone(struct unik_ctx *ctx);
void probe_resolve(struct unik_qrexec_call *call, void *arg);
void probe_connect(struct unik_qrexec_call *call, void *arg);

#endif
