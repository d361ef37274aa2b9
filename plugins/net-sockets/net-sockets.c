/* SPDX-License-Identifier: BSD-2-Clause */
/* net-sockets - "net/1" by the sockets of the system that this process runs on. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unik/text.h>
#include <unistd.h>

#include "sockets.h"

static const char *const sources[] = { "host", NULL };

#define AT(field) offsetof(struct sockets_config, field)
static const struct unik_option options[] = {
    { .key = "ipv4", .type = UNIK_ENUM, .offset = AT(ipv4), .fallback = "host", .choices = sources,
      .help = "where the addresses come from: the system has them already" },
    { .key = "address", .type = UNIK_STRING, .offset = AT(address),
      .help = "where to listen when the app says everywhere (127.0.0.1, for instance); empty: IPv4 and IPv6" },
    { .key = "dns", .type = UNIK_STRING, .offset = AT(dns),
      .help = "name servers, ADDRESS[:PORT][,...]; empty: those of the system" },
    { .key = "max-connections", .type = UNIK_INT, .offset = AT(max_connections), .fallback = "1000", .min = 1,
      .max = 1000000, .help = "connections at a time; more wait until one ends" },
    { .key = "input-buffer", .type = UNIK_SIZE, .offset = AT(input), .fallback = "16K", .min = 1024, .max = 1 << 20,
      .help = "bytes kept for a connection whose reader is slow" },
    { .key = "output-buffer", .type = UNIK_SIZE, .offset = AT(output), .fallback = "32K", .min = 1024, .max = 1 << 20,
      .help = "bytes kept for a connection whose peer is slow, beyond what the system keeps" },
    { .key = "linger", .type = UNIK_SECONDS, .offset = AT(linger), .fallback = "10s", .min = 0, .max = 600,
      .help = "how long a closed connection may take to send its last bytes" },
    { .key = "connect-timeout", .type = UNIK_SECONDS, .offset = AT(connect_timeout), .fallback = "30s", .min = 0,
      .max = 600, .help = "how long to wait for a peer to accept" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [SOCKETS_ACCEPTED] = { "accepted", UNIK_COUNT, "connections that others made to us" },
    [SOCKETS_CONNECTED] = { "connected", UNIK_COUNT, "connections that we made to others" },
    [SOCKETS_CONNECT_FAILED] = { "connect_failed", UNIK_COUNT, "tries to connect that failed" },
    [SOCKETS_CONNECTIONS] = { "connections", UNIK_GAUGE, "connections now, those that send their last bytes too" },
    [SOCKETS_CONNECTIONS_HIGH] = { "connections_high", UNIK_HIGH, "most connections at a time" },
    [SOCKETS_BYTES_IN] = { "bytes_in", UNIK_COUNT, "bytes received" },
    [SOCKETS_BYTES_OUT] = { "bytes_out", UNIK_COUNT, "bytes sent" },
    [SOCKETS_PAUSES] = { "pauses", UNIK_COUNT, "times that nothing was accepted for lack of room" },
    [SOCKETS_REFUSED] = { "refused", UNIK_COUNT, "connections dropped for lack of file descriptors" },
    [SOCKETS_ABORTED] = { "aborted", UNIK_COUNT, "connections cut off with bytes unsent" },
    [SOCKETS_DATAGRAMS_IN] = { "datagrams_in", UNIK_COUNT, "UDP datagrams received" },
    [SOCKETS_DATAGRAMS_OUT] = { "datagrams_out", UNIK_COUNT, "UDP datagrams sent" },
    [SOCKETS_NAMES_FOUND] = { "names_found", UNIK_COUNT, "names whose address was found" },
    [SOCKETS_NAMES_FAILED] = { "names_failed", UNIK_COUNT, "names whose address was not found" },
    { 0 }
};

static int op_address(struct unik_net *net, unsigned i, char text[UNIK_NET_ADDRESS_MAX])
{
    (void)net;
    return sockets_own_address(i, text);
}

static bool op_up(struct unik_net *net)
{
    char text[UNIK_NET_ADDRESS_MAX];

    (void)net;
    return sockets_own_address(0, text) == 0;
}

static int usable(struct unik_ctx *ctx)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), e = errno;

    (void)ctx;
    if (fd < 0)
        return -e;
    close(fd);
    return 0;
}

static int check(struct unik_ctx *ctx)
{
    const struct sockets_config *config = ctx->config;
    struct sockaddr_storage a;
    socklen_t len;

    if (config->address && *config->address && sockets_parse(config->address, 0, &a, &len) < 0) {
        unik_error(ctx, "address = %s: not a numeric IPv4 or IPv6 address", config->address);
        return -EINVAL;
    }
    return 0;
}

static void release(struct sockets *n)
{
    struct unik_ctx *ctx = n->ctx;

    sockets_udp_free(n);
    sockets_resolve_free(n);
    sockets_watch_free(n);
    sockets_pool_free(&n->in);
    sockets_pool_free(&n->out);
    if (n->reserve >= 0)
        close(n->reserve);
    ctx->data = NULL;
    free(n);
}

static int start(struct unik_ctx *ctx)
{
    struct sockets *n = calloc(1, sizeof(*n));
    int e;

    if (!n)
        return -ENOMEM;
    n->ctx = ctx;
    n->config = ctx->config;
    n->in.size = n->config->input;
    n->out.size = n->config->output;
    n->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    n->net = (struct unik_net){ .size = sizeof(n->net), .listen = sockets_listen, .unlisten = sockets_unlisten,
                                .connect = sockets_connect, .address = op_address, .up = op_up,
                                .watch = sockets_watch, .unwatch = sockets_unwatch, .udp = sockets_udp,
                                .send = sockets_send, .unudp = sockets_unudp, .resolve = sockets_resolve,
                                .unresolve = sockets_unresolve, .udp_to = sockets_udp_to,
                                .send_from = sockets_send_from };
    sockets_pause_init(n);
    sockets_watch_init(n);
    ctx->data = n;
    e = unik_provide(ctx, "net/1", &n->net);
    if (e < 0) {
        unik_error(ctx, "net/1 cannot be provided: %s", e == -EEXIST ? "another plugin does" : "refused");
        release(n);
        return e;
    }
    unik_ready(ctx);
    return 0;
}

static void drain(struct unik_ctx *ctx)
{
    struct sockets *n = ctx->data;

    n->draining = true;
    sockets_listen_stop(n);
    unik_drained(ctx);
}

void sockets_gone(struct sockets *n)
{
    struct unik_ctx *ctx = n->ctx;

    if (!n->stopping || n->n_streams)
        return;
    release(n);
    unik_stopped(ctx);
}

/* Connections that were closed still send their last bytes; each has a deadline. */
static void stop(struct unik_ctx *ctx)
{
    struct sockets *n = ctx->data;
    size_t owned;

    n->draining = true;
    sockets_listen_stop(n);
    sockets_listen_free(n);
    owned = sockets_stream_abort_all(n, false);
    if (owned)
        unik_warn(ctx, "stopped with %zu connections that nobody had closed", owned);
    n->stopping = true;
    sockets_gone(n);
}

static void abandon(struct unik_ctx *ctx)
{
    struct sockets *n = ctx->data;

    if (!n)
        return;
    n->stopping = false;
    sockets_listen_stop(n);
    sockets_listen_free(n);
    sockets_stream_abort_all(n, true);
    release(n);
}

/* A plugin has stopped and left something here: its callbacks must not be called any more. */
static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    struct sockets *n = ctx->data;
    size_t listeners, streams, udps, queries, watches;

    if (!n)
        return;
    listeners = sockets_listen_left(n, user);
    streams = sockets_stream_left(n, user);
    udps = sockets_udp_left(n, user);
    queries = sockets_resolve_left(n, user);
    watches = sockets_watch_left(n, user);
    if (listeners + streams + udps + queries + watches)
        unik_warn(ctx, "%s stopped and left behind: listeners %zu, connections %zu, UDP sockets %zu, "
                  "questions for names %zu, watches %zu", user->plugin->name, listeners,
                  streams, udps, queries, watches);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    const struct sockets *n = ctx->data;
    char address[UNIK_NET_ADDRESS_MAX];

    for (unsigned i = 0; sockets_own_address(i, address) == 0; i++)
        unik_text_add(out, "address: %s\n", address);
    for (const struct unik_net_listener *l = n->listeners; l; l = sockets_listener_next(l))
        unik_text_add(out, "listening: %s\n", sockets_listener_text(l));
    unik_text_add(out, "most connections allowed: %lld\n", (long long)n->config->max_connections);
}

static const char *const provides[] = { "net/1", NULL };

UNIK_PLUGIN(net_sockets) = {
    UNIK_PLUGIN_HEAD, .name = "net-sockets", .version = "1",
    .summary = "network through the sockets of the host system", .targets = UNIK_ON_ANY, .provides = provides,
    .options = options, .config_size = sizeof(struct sockets_config), .counters = counters, .usable = usable,
    .check = check, .start = start, .drain = drain, .stop = stop, .abandon = abandon, .left = left, .status = status
};
