/* www - serves a folder of files over HTTP/1.1: to the network if there is one, and to other VMs by qrexec.
 *
 * The ways in are opened as they come: "net/1" and "qrexec/1" are wanted, neither is needed. Ready with the first. */
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

static void tell_state(struct www *w)
{
    bool open = w->listener || w->tcp;

    if (open && (!*w->trouble || !w->been_ready)) {
        w->been_ready = true;
        unik_ready(w->ctx);
    }
    if (*w->trouble)
        unik_degraded(w->ctx, w->trouble);
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

/* ---- the network ---- */

static void on_connection(struct unik_stream *s, void *arg) { www_serve(arg, s, WWW_NET); }

static void try_listen(struct www *w)
{
    double now = ev_now(w->ctx->loop);
    unsigned port = (unsigned)w->config->port;
    int e;

    unik_backoff_begin(&w->backoff, now);
    e = w->net->listen(w->net, w->config->address, &port, WWW_BACKLOG, on_connection, w, &w->listener);
    if (e == 0) {
        unik_info(w->ctx, "serving %s on port %u", w->config->root, port);
        w->trouble[0] = 0;
    } else {
        double delay = unik_backoff_delay(&w->backoff, now);

        snprintf(w->trouble, sizeof(w->trouble), "port %u%s%s: %s", port, w->config->address ? " of " : "",
                 w->config->address ? w->config->address : "", strerror(-e));
        unik_warn(w->ctx, "%s; next try in %.3g s", w->trouble, delay);
        w->listener = NULL;
        ev_timer_set(&w->retry, delay, 0);
        ev_timer_start(w->ctx->loop, &w->retry);
    }
    tell_state(w);
}

static void on_retry(struct ev_loop *loop, ev_timer *t, int revents)
{
    (void)loop, (void)revents;
    try_listen(t->data);
}

static void leave_net(struct www *w)
{
    ev_timer_stop(w->ctx->loop, &w->retry);
    if (w->listener)
        w->net->unlisten(w->net, w->listener);
    w->listener = NULL;
    w->trouble[0] = 0;
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

static void arrived(struct unik_ctx *ctx, const char *interface, void *iface)
{
    struct www *w = ctx->data;
    char name[40];

    if (w->draining)
        return;
    if (strcmp(interface, "net/1") == 0 && w->config->port) {
        w->net = iface;
        try_listen(w);
    } else if (strcmp(interface, "qrexec/1") == 0 && w->config->qrexec) {
        w->qrexec = iface;
        snprintf(name, sizeof(name), "qubes.ConnectTCP+%d", w->config->port ? (int)w->config->port : 80);
        serve(w, name, on_call, &w->tcp);
        serve(w, "www.Get", www_get_call, &w->get);
        tell_state(w);
    }
}

static void gone(struct unik_ctx *ctx, const char *interface)
{
    struct www *w = ctx->data;

    if (strcmp(interface, "net/1") == 0 && w->net) {
        leave_net(w);
        w->net = NULL;
        www_serve_stop(w, WWW_NET);
    } else if (strcmp(interface, "qrexec/1") == 0 && w->qrexec) {
        leave_qrexec(w);
        www_serve_stop(w, WWW_QREXEC);
        www_get_stop(w);
        w->qrexec = NULL;
    } else {
        return;
    }
    if (!w->draining)
        tell_state(w);
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
    if (!config->port && !config->qrexec) {
        unik_error(ctx, "port = 0 and qrexec = no: nobody could reach it");
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
    w->backoff = (struct unik_backoff){ .first = 0.5, .most = 30, .good = 30 };
    w->root = open(config->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->root < 0) {
        int e = -errno;

        unik_error(ctx, "root = %s: %s", config->root, strerror(-e));
        free(w);
        return e;
    }
    ev_timer_init(&w->retry, on_retry, 0, 0);
    w->retry.data = w;
    ctx->data = w;
    tell_state(w);
    return 0;
}

static void drain(struct unik_ctx *ctx)
{
    struct www *w = ctx->data;

    w->draining = true;
    leave_net(w);
    leave_qrexec(w);
    if (w->n_conns)
        www_serve_drain(w);
    else
        www_gone(w);
}

static void release(struct www *w)
{
    w->draining = w->drained = true;
    leave_net(w);
    leave_qrexec(w);
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
        unik_text_add(out, "network: port %lld %s\n", (long long)w->config->port, w->listener ? "open" : "closed");
    if (w->config->qrexec)
        unik_text_add(out, "qrexec: %s\n", w->tcp ? "open" : "closed");
    unik_text_add(out, "most connections allowed: %lld\n", (long long)w->config->max_connections);
    unik_text_add(out, "files in memory: %zu\n", w->cache.files);
}

static const char *const wants[] = { "net/1", "qrexec/1", NULL };

UNIK_PLUGIN(www) = {
    UNIK_PLUGIN_HEAD, .name = "www", .version = "1",
    .summary = "serves a folder of files by HTTP, on the network and by qrexec", .targets = UNIK_ON_ANY,
    .flags = UNIK_APP, .wants = wants, .options = options, .config_size = sizeof(struct www_config),
    .counters = counters, .check = check, .start = start, .drain = drain, .stop = stop, .arrived = arrived,
    .gone = gone, .status = status
};
