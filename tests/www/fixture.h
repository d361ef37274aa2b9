/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/www/fixture.h - the app www in the smallest host, with a network and a qrexec made of memory, and a folder. */
#ifndef TESTS_WWW_FIXTURE_H
#define TESTS_WWW_FIXTURE_H

#include <unik/net.h>
#include <unik/qrexec.h>

#include "tests/www/mem-stream.h"
#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_www;

struct fixture {
    char folder[64];
    char last_log[300];
    struct host *h;
    struct unik_ctx *www;

    struct unik_net net;                /* the fake network */
    unik_net_accept_cb *accept;         /* NULL: nobody listens */
    void *accept_arg;
    unsigned listen_calls, listen_port;
    int listen_error;                   /* what listen() gives */

    struct unik_qrexec qrexec;          /* the fake qrexec */
    unik_qrexec_handler *tcp, *get;     /* NULL: not served */
    void *handler_arg;
    char tcp_name[64];
    int serve_error;
    char err[512];                      /* what calls wrote to stderr */
};

/* Makes the folder with its files. */
void fixture_open(struct fixture *f);
/* Starts www. options: beyond root (NULL ends; may be NULL). */
void fixture_start(struct fixture *f, const char *const *options);
/* Stops it, and checks that nothing is left. */
void fixture_stop(struct fixture *f);
void fixture_close(struct fixture *f);

void fixture_file(struct fixture *f, const char *name, const void *bytes, size_t n);

/* A connection; the client's end. */
struct unik_stream *fixture_connect(struct fixture *f, const struct mem_options *o);
/* Writes the bytes, turning the loop while there is no room. */
void fixture_write(struct fixture *f, struct unik_stream *s, const void *bytes, size_t n);
/* Reads until the end, n bytes, or until nothing came for a while. */
size_t fixture_read(struct fixture *f, struct unik_stream *s, char *buf, size_t n);
/* One connection: request, end of input, everything that comes back (NUL added). */
size_t fixture_ask(struct fixture *f, const struct mem_options *o, const void *request, size_t n, char *answer,
                   size_t size);

/* A call of www.Get or, with tcp, of qubes.ConnectTCP+80. The caller's end; *call is to be freed after the
 * end. */
struct unik_stream *fixture_call(struct fixture *f, bool tcp, const char *argument, const struct mem_options *o,
                                 struct unik_qrexec_call **call);

#endif
