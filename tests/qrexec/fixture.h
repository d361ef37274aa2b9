/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/fixture.h - the agent over a real socket vchan, a scripted dom0 and scripted VMs around it, and services whose
 * behaviour a test chooses. The VM under test is domain 1. */
#ifndef TESTS_QREXEC_FIXTURE_H
#define TESTS_QREXEC_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unik/qrexec.h>

#include "protocol/qrexec.h"
#include "tests/common/peer.h"

#define SOON 0.05               /* seconds in which something that must not happen would have happened */
#define SECONDS 300.0
#define DATA_MAX 65536

/* A call as a test sees it, service and caller side alike. */
struct seen {
    struct unik_qrexec_call *call;
    struct unik_stream *err;
    bool reading;               /* on_input takes what comes; else it stays in the channel */
    bool keeps;                 /* ... into bytes; else it is only counted */
    bool echoes;
    bool ends;                  /* closes by itself at the end of input */
    bool called, opened, ended, closed;
    int end;                    /* unik_stream_ended() */
    unsigned events;
    size_t n, n_err, sent, to_send;
    uint32_t sum;               /* of the bytes received, in order */
    char bytes[4096], err_bytes[4096], service[300], argument[300], peer[100], user[100];
};

struct fixture {
    struct host *h;
    char *dir;
    struct unik_ctx *vchan, *qrexec, *app;
    struct unik_ctx *late;      /* fixture_late() */
    struct unik_qrexec *q;
    struct peer *dom0;          /* control, from dom0's side */
    int fds;
    char log[400];              /* the last warning or error */
    unsigned warnings;
};

extern const struct unik_plugin unik_plugin_qrexec, unik_plugin_vchan_socket;

/* options: of the qrexec plugin, NULL ends. fixture_up() also connects dom0. */
struct fixture *fixture_new(const char *const *options);
struct fixture *fixture_up(const char *const *options);
/* Stops everything, and asserts that nothing is left: descriptors, calls, ports. */
void fixture_end(struct fixture *f);

/* A plugin that is not ready until the test calls unik_ready(): the session is not there before. */
void fixture_late(struct fixture *f);

/* dom0: connect to port 512, take HELLO and answer it. */
void dom0_connect(struct fixture *f, uint32_t version);
void dom0_send(struct fixture *f, uint32_t type, const void *body, size_t n);
void dom0_exec(struct fixture *f, uint32_t type, uint32_t domain, uint32_t port, const char *text);
void dom0_connects(struct fixture *f, uint32_t domain, uint32_t port, const char *ident);
/* Next control message is this TERMINATED. */
void dom0_expect_release(struct fixture *f, uint32_t domain, uint32_t port);
void dom0_expect_nothing(struct fixture *f);
/* Take a request: its ident. */
void dom0_expect_trigger(struct fixture *f, uint32_t version, const char *target, const char *service, char ident[QREXEC_IDENT]);

/* A call from dom0 or a VM: serve the data channel, ask, exchange HELLO. */
struct peer *call_in(struct fixture *f, uint32_t domain, uint32_t port, uint32_t version, const char *text);
/* A call of ours that was accepted: be the service on its data channel. */
struct peer *serve_out(struct fixture *f, uint32_t domain, uint32_t port, uint32_t version, const char *ident);
void hello(struct peer *p, uint32_t version);

void say(struct peer *p, uint32_t type, const void *bytes, size_t n);
uint32_t hear(struct peer *p, void *bytes, size_t *n);      /* bytes: DATA_MAX; gives the type */
void expect(struct peer *p, uint32_t type, const void *bytes, size_t n);
void expect_eof(struct peer *p, uint32_t type);
void expect_code(struct peer *p, int code);
/* STDOUT EOF, STDERR EOF, EXIT_CODE, closed; then peer_close(). */
void expect_end(struct peer *p, int code);

/* A service whose calls are put into s; s->reading and so on say how it behaves. */
void serve(struct fixture *f, const char *name, struct seen *s);
void on_call(struct unik_qrexec_call *call, void *arg);
void on_seen(struct unik_stream *io, unsigned events, void *arg);
int call_out(struct fixture *f, const char *target, const char *service, struct seen *s);
/* A call of test.Svc in "work", of which dom0 has heard; and the same, with that VM connected. */
void ask_out(struct fixture *f, struct seen *s, char ident[QREXEC_IDENT]);
struct peer *served_out(struct fixture *f, struct seen *s, uint32_t domain, uint32_t port);
void seen_close(struct seen *s, int code);
void seen_send(struct seen *s, size_t n);       /* that many bytes of the pattern, then the end */
bool until(struct fixture *f, const bool *flag);

/* The pattern of bulk data: byte i is a function of i. */
uint8_t pattern(size_t i);
uint32_t pattern_sum(size_t n);

TCase *incoming_tests(void);
TCase *outgoing_tests(void);
TCase *control_tests(void);
TCase *crossed_tests(void);
TCase *peer_tests(void);
TCase *builtin_tests(void);
TCase *life_tests(void);
TCase *bulk_tests(void);
TCase *program_tests(void);

#endif
