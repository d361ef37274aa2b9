/* SPDX-License-Identifier: BSD-2-Clause */
/* www - serves a folder of files over HTTP/1.1: to the network if there is one, and to other VMs by qrexec.
 *
 * The ways in are opened as they come: "net/1", "tls/1" and "qrexec/1" are wanted, none is needed. Ready with the first. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unik/text.h>
#include <unistd.h>

#include "www.h"

#define AT(field) offsetof(struct www_config, field)
static const struct unik_option options[] = {
    { .key = "root", .type = UNIK_STRING, .offset = AT(root), .help = "the folder to serve; required" },
    { .key = "index", .type = UNIK_STRING, .offset = AT(index), .fallback = "index.html",
      .help = "the file of a folder that is sent for the folder" },
    { .key = "port", .type = UNIK_INT, .offset = AT(port), .fallback = "80", .min = 0, .max = 65535,
      .help = "TCP port on the network; 0: not on the network" },
    { .key = "tls-port", .type = UNIK_INT, .offset = AT(tls_port), .fallback = "0", .min = 0, .max = 65535,
      .help = "TCP port for https, by the tls plugin; 0: none" },
    { .key = "address", .type = UNIK_STRING, .offset = AT(address),
      .help = "our address to listen on; empty: all, IPv4 and IPv6" },
    { .key = "qrexec", .type = UNIK_BOOL, .offset = AT(qrexec), .fallback = "yes",
      .help = "also serve calls of qubes.ConnectTCP+PORT (80 if port is 0) and www.Get" },
    { .key = "dotfiles", .type = UNIK_BOOL, .offset = AT(dotfiles), .fallback = "no",
      .help = "serve files and folders whose name begins with a dot" },
    { .key = "cache", .type = UNIK_SIZE, .offset = AT(cache), .fallback = "2M", .min = 0, .max = INT64_C(1) << 32,
      .help = "memory for small files (up to 32 KiB each)" },
    { .key = "cache-time", .type = UNIK_SECONDS, .offset = AT(cache_time), .fallback = "1s", .min = 0, .max = 86400,
      .help = "how long a file in memory is taken for unchanged" },
    { .key = "max-connections", .type = UNIK_INT, .offset = AT(max_connections), .fallback = "512", .min = 1,
      .max = 1000000, .help = "connections at a time; more are answered 503" },
    { .key = "head-timeout", .type = UNIK_SECONDS, .offset = AT(head_timeout), .fallback = "10s", .min = 0, .max = 3600,
      .help = "how long a request may take to arrive" },
    { .key = "idle-timeout", .type = UNIK_SECONDS, .offset = AT(idle_timeout), .fallback = "30s", .min = 0, .max = 3600,
      .help = "how long a connection may wait for its next request" },
    { .key = "write-timeout", .type = UNIK_SECONDS, .offset = AT(write_timeout), .fallback = "30s", .min = 0,
      .max = 3600, .help = "how long a peer may take nothing of an answer" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [WWW_REQUESTS] = { "requests", UNIK_COUNT, "HTTP requests answered, refusals too" },
    [WWW_2XX] = { "responses_2xx", UNIK_COUNT, "answers with a file or a part of one" },
    [WWW_3XX] = { "responses_3xx", UNIK_COUNT, "answers: not modified, moved" },
    [WWW_4XX] = { "responses_4xx", UNIK_COUNT, "answers: the request is at fault" },
    [WWW_5XX] = { "responses_5xx", UNIK_COUNT, "answers: we are" },
    [WWW_BYTES] = { "bytes", UNIK_COUNT, "bytes of answers" },
    [WWW_CONNECTIONS] = { "connections", UNIK_GAUGE, "connections now" },
    [WWW_CONNECTIONS_HIGH] = { "connections_high", UNIK_HIGH, "most connections at a time" },
    [WWW_REFUSED] = { "refused", UNIK_COUNT, "connections and calls over max-connections" },
    [WWW_TIMEOUTS] = { "timeouts", UNIK_COUNT, "connections and calls ended because the peer took too long" },
    [WWW_TRUNCATED] = { "truncated", UNIK_COUNT, "answers cut off because their file became shorter" },
    [WWW_CACHE_HITS] = { "cache_hits", UNIK_COUNT, "answers without asking the file system" },
    [WWW_CACHE_BYTES] = { "cache_bytes", UNIK_GAUGE, "memory for small files" },
    [WWW_GETS] = { "gets", UNIK_COUNT, "calls of www.Get" },
    { 0 }
};

/* ---- state: ready when one way is open, degraded while a wished one is refused to us ---- */

void www_tell_state(struct www *w)
{
    const char *trouble = *w->plain.trouble ? w->plain.trouble : w->secure.trouble;
    bool open = w->plain.listener || w->secure.listener || w->tcp;

    if (open && (!*trouble || !w->been_ready)) {
        w->been_ready = true;
        unik_ready(w->ctx);
    }
    if (*trouble)
        unik_degraded(w->ctx, trouble);
    else if (!open)
        unik_degraded(w->ctx, "neither network nor qrexec is there yet");
}

void www_gone(struct www *w)
{
    if (!w->draining || w->drained || w->n_conns || w->n_gets)
        return;
    w->drained = true;
    unik_drained(w->ctx);
}

/* ---- qrexec ---- */

static void on_call(struct unik_qrexec_call *call, void *arg) { www_serve(arg, call->io, WWW_QREXEC); }

static void serve(struct www *w, const char *name, unik_qrexec_handler *handler, struct unik_qrexec_service **out)
{
    int e = w->qrexec->serve(w->qrexec, w->ctx, name, handler, w, out);

    if (e == 0) {
        unik_info(w->ctx, "serving %s for calls of %s", w->config->root, name);
        return;
    }
    *out = NULL;
    unik_warn(w->ctx, "%s cannot be served: %s", name, e == -EEXIST ? "another plugin does" : strerror(-e));
}

static void leave_qrexec(struct www *w)
{
    if (w->tcp)
        w->qrexec->unserve(w->qrexec, w->tcp);
    if (w->get)
        w->qrexec->unserve(w->qrexec, w->get);
    w->tcp = w->get = NULL;
}

/* ---- what comes and goes ---- */

static void open_doors(struct www *w)
{
    www_door_open(&w->plain);
    www_door_open(&w->secure);
    www_tell_state(w);
}

static void close_doors(struct www *w)
{
    www_door_close(&w->plain);
    www_door_close(&w->secure);
}

static void arrived(struct unik_ctx *ctx, const char *interface, void *iface)
{
    struct www *w = ctx->data;
    char name[40];

    if (w->draining)
        return;
    if (strcmp(interface, "net/1") == 0 && (w->config->port || w->config->tls_port)) {
        w->net = iface;
        open_doors(w);
    } else if (strcmp(interface, "tls/1") == 0 && w->config->tls_port) {
        w->tls = iface;
        open_doors(w);
    } else if (strcmp(interface, "qrexec/1") == 0 && w->config->qrexec) {
        w->qrexec = iface;
        snprintf(name, sizeof(name), "qubes.ConnectTCP+%d", w->config->port ? (int)w->config->port : 80);
        serve(w, name, on_call, &w->tcp);
        serve(w, "www.Get", www_get_call, &w->get);
        www_tell_state(w);
    }
}

static void gone(struct unik_ctx *ctx, const char *interface)
{
    struct www *w = ctx->data;

    if (strcmp(interface, "net/1") == 0 && w->net) {
        close_doors(w);
        w->net = NULL;
        www_serve_stop(w, WWW_TLS);
        www_serve_stop(w, WWW_NET);
    } else if (strcmp(interface, "tls/1") == 0 && w->tls) {
        www_door_close(&w->secure);
        www_serve_stop(w, WWW_TLS);
        w->tls = NULL;
    } else if (strcmp(interface, "qrexec/1") == 0 && w->qrexec) {
        leave_qrexec(w);
        www_serve_stop(w, WWW_QREXEC);
        www_get_stop(w);
        w->qrexec = NULL;
    } else {
        return;
    }
    if (!w->draining)
        www_tell_state(w);
}

/* ---- life ---- */

static int check(struct unik_ctx *ctx)
{
    const struct www_config *config = ctx->config;
    int e = 0;

    if (!config->root || !*config->root) {
        unik_error(ctx, "root is not set: which folder is to be served?");
        e = -EINVAL;
    }
    if (!*config->index || strchr(config->index, '/') || strlen(config->index) > 255) {
        unik_error(ctx, "index = %s: not the name of a file in a folder", config->index);
        e = -EINVAL;
    }
    if (!config->port && !config->tls_port && !config->qrexec) {
        unik_error(ctx, "port = 0, tls-port = 0 and qrexec = no: nobody could reach it");
        e = -EINVAL;
    }
    if (config->port && config->port == config->tls_port) {
        unik_error(ctx, "tls-port = %lld: that is port", (long long)config->port);
        e = -EINVAL;
    }
    return e;
}

static int start(struct unik_ctx *ctx)
{
    const struct www_config *config = ctx->config;
    struct www *w = calloc(1, sizeof(*w));

    if (!w)
        return -ENOMEM;
    w->ctx = ctx;
    w->config = config;
    w->root = open(config->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->root < 0) {
        int e = -errno;

        unik_error(ctx, "root = %s: %s", config->root, strerror(-e));
        free(w);
        return e;
    }
    www_door_init(&w->plain, w, WWW_NET);
    www_door_init(&w->secure, w, WWW_TLS);
    ctx->data = w;
    www_tell_state(w);
    return 0;
}

static void drain(struct unik_ctx *ctx)
{
    struct www *w = ctx->data;

    w->draining = true;
    close_doors(w);
    leave_qrexec(w);
    if (w->n_conns)
        www_serve_drain(w);
    else
        www_gone(w);
}

static void release(struct www *w)
{
    w->draining = w->drained = true;
    close_doors(w);
    leave_qrexec(w);
    www_serve_stop(w, WWW_TLS);
    www_serve_stop(w, WWW_NET);
    www_serve_stop(w, WWW_QREXEC);
    www_get_stop(w);
    www_cache_clear(w);
    while (w->n_heads)
        free(w->heads[--w->n_heads]);
    close(w->root);
    w->ctx->data = NULL;
    free(w);
}

static void stop(struct unik_ctx *ctx)
{
    release(ctx->data);
    unik_stopped(ctx);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    const struct www *w = ctx->data;

    unik_text_add(out, "root: %s\n", w->config->root);
    if (w->config->port)
        unik_text_add(out, "network: port %lld %s\n", (long long)w->config->port, w->plain.listener ? "open" : "closed");
    if (w->config->tls_port)
        unik_text_add(out, "https: port %lld %s\n", (long long)w->config->tls_port, w->secure.listener ? "open" : "closed");
    if (w->config->qrexec)
        unik_text_add(out, "qrexec: %s\n", w->tcp ? "open" : "closed");
    unik_text_add(out, "most connections allowed: %lld\n", (long long)w->config->max_connections);
    unik_text_add(out, "files in memory: %zu\n", w->cache.files);
}

static const char *const wants[] = { "net/1", "tls/1", "qrexec/1", NULL };

UNIK_PLUGIN(www) = {
    UNIK_PLUGIN_HEAD, .name = "www", .version = "1",
    .summary = "serves a folder of files by HTTP, on the network and by qrexec", .targets = UNIK_ON_ANY,
    .flags = UNIK_APP, .wants = wants, .options = options, .config_size = sizeof(struct www_config),
    .counters = counters, .check = check, .start = start, .drain = drain, .stop = stop, .arrived = arrived,
    .gone = gone, .status = status
};
