/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/data.h - one data channel with dom0 at one end: framing, HELLO, checks, and pumping between the
 * channel and local descriptors. call.c and service.c own one and decide when it is complete.
 */
#ifndef UNIK_DOM0_DATA_H
#define UNIK_DOM0_DATA_H

#include "tools/unik-dom0/dom0.h"
#include "tools/unik-dom0/fdio.h"
#include "tools/unik-dom0/outbox.h"
#include "tools/unik-dom0/pair.h"

struct data {
    struct vm *vm;
    struct pair *pair;
    bool service;                   /* dom0 is the service (the guest called); else dom0 is the caller */
    bool just_exec;                 /* JUST_EXEC: only EXIT_CODE will come */
    void (*turn)(struct data *d);   /* something moved: is it complete? May free the owner; always done last */
    void (*abandon)(struct data *d);    /* dom0 ends: free the owner, now */
    struct data *next, **link;      /* in vm->datas */

    struct unik_stream *stream;     /* NULL: not offered yet, or closed */
    bool connected;
    uint32_t version;               /* 0: no HELLO from the guest yet */
    int error;                      /* 0; -ETIMEDOUT not connected in time; -EPIPE the guest closed; -EPROTO it broke
                                     * the protocol, or a fault ended the channel (then spoiled is set);
                                     * -ECONNRESET the agent went away before it connected */
    bool spoiled;                   /* a fault struck: what the guest does now is not held against it */

    uint8_t head[QREXEC_HEADER];
    size_t head_got;
    struct qrexec_header header;    /* of the message whose body comes in */
    size_t body_left;
    uint8_t small[4];               /* body of HELLO and EXIT_CODE */
    bool stdin_eof, stdout_eof, stderr_eof;     /* came in */
    bool exit_seen;
    int exit_code;

    struct fdio in;                 /* caller: stdin of the call; service: the command's stdout */
    bool in_done;                   /* its EOF was sent, or nothing is to be sent */
    struct fdio out, err;           /* caller: stdout, stderr of the call; service: out is the command's stdin */
    int local_error;                /* caller: one of its descriptors could not be read or written: a negative errno ... */
    const char *local;              /* ... and which: the call cannot be whole any more */

    struct outbox box;
    uint64_t carried;               /* payload bytes both ways */
    double allowance;               /* bytes that slow-reader lets through now */
    ev_timer limit, slow, late;     /* limit: to connect, then to say HELLO */
};

/* vm, pair, service, just_exec, turn and abandon are set. The pair is the channel's from now on. 0 or -ENOMEM; then
 * data_serve() or data_join(). */
int data_init(struct data *d);
/* Takes the descriptors over; -1: none. */
void data_fds(struct data *d, int in, int out, int err);
/* Be the vchan server (dom0 calls), HELLO first; or the client (the guest called). 0 or a negative errno. */
int data_serve(struct data *d);
int data_join(struct data *d);
/* Queue a message without body (the end of a stream), or EXIT_CODE. */
void data_send_eof(struct data *d, uint32_t type);
void data_send_exit(struct data *d, int code);
/* Do what can be done now, then turn(). */
void data_turn(struct data *d);
/* data-in.c: take what has come in. */
void data_receive(struct data *d);
/* The guest's agent went away: calls it has not connected to yet end. */
void data_agent_gone(struct vm *vm);
/* Close all and release the pair: how the call ended. */
void data_end(struct data *d, enum pair_end how);

#endif
