/* SPDX-License-Identifier: BSD-2-Clause */
/* net-lwip - "net/1" by a TCP/IP stack of our own, lwIP, over a network card ("nic/1": netfront, tap). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unik/text.h>

#include "lwip/init.h"
#include "lwip/stats.h"

#include "stream.h"

static const char *const sources4[] = { "auto", "qubesdb", "dhcp", "static", "host", NULL };
static const char *const sources6[] = { "auto", "qubesdb", "static", "off", NULL };

#define AT(field) offsetof(struct stack_config, field)
static const struct unik_option options[] = {
    { .key = "ipv4", .type = UNIK_ENUM, .offset = AT(ipv4), .fallback = "auto", .choices = sources4,
      .help = "where the IPv4 address comes from; auto: static if there is an address here, else from QubesDB on target qubes, "
              "by DHCP on others; host: use the plugin net-sockets instead of this one" },
    { .key = "ipv6", .type = UNIK_ENUM, .offset = AT(ipv6), .fallback = "auto", .choices = sources6,
      .help = "where the IPv6 address comes from; auto: static if there is an address6 here, else from QubesDB on target qubes" },
    { .key = "address", .type = UNIK_STRING, .offset = AT(address), .help = "static: 10.0.0.2/24; without /24, all others are behind the gateway" },
    { .key = "gateway", .type = UNIK_STRING, .offset = AT(gateway), .help = "static: the router; it need not be in our network" },
    { .key = "address6", .type = UNIK_STRING, .offset = AT(address6), .help = "static: fd00::2" },
    { .key = "gateway6", .type = UNIK_STRING, .offset = AT(gateway6), .help = "static: the router for IPv6" },
    { .key = "dns", .type = UNIK_STRING, .offset = AT(dns), .help = "one or two servers to ask for names, instead of those that came with the address" },
    { .key = "neighbour", .type = UNIK_STRING, .offset = AT(neighbour),
      .help = "the MAC address that all packets are sent to, or ask (ARP and neighbour discovery); empty: "
              "fe:ff:ff:ff:ff:ff with QubesDB, else ask" },
    { .key = "mtu", .type = UNIK_INT, .offset = AT(mtu), .fallback = "0", .min = 0, .max = 9000, .help = "bytes of a packet at most; 0: what the card says" },
    { .key = "max-connections", .type = UNIK_INT, .offset = AT(max_connections), .fallback = "1000", .min = 1, .max = 30000,
      .help = "TCP connections at a time; more wait until one ends" },
    { .key = "buffers", .type = UNIK_SIZE, .offset = AT(buffers), .fallback = "16M", .min = 65536, .max = 1 << 30,
      .help = "memory for bytes that wait in connections, all together; taken when it is needed" },
    { .key = "heap", .type = UNIK_SIZE, .offset = AT(heap), .fallback = "8M", .min = 262144, .max = 1 << 30,
      .help = "memory for packets, all together; taken when it is needed" },
    { .key = "output-buffer", .type = UNIK_SIZE, .offset = AT(output), .fallback = "256K", .min = 4096, .max = 512 << 10,
      .help = "bytes kept for a connection until its peer has them; half of that while more than 1 MiB are kept in all, which a "
              "processor's cache would not hold" },
    { .key = "linger", .type = UNIK_SECONDS, .offset = AT(linger), .fallback = "10s", .min = 0, .max = 600,
      .help = "how long a closed connection may take to send its last bytes" },
    { .key = "connect-timeout", .type = UNIK_SECONDS, .offset = AT(connect_timeout), .fallback = "30s", .min = 0, .max = 600,
      .help = "how long to wait for a peer to accept" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [STACK_ACCEPTED] = { "accepted", UNIK_COUNT, "connections that others made to us" },
    [STACK_CONNECTED] = { "connected", UNIK_COUNT, "connections that we made to others" },
    [STACK_CONNECT_FAILED] = { "connect_failed", UNIK_COUNT, "tries to connect that failed" },
    [STACK_CONNECTIONS] = { "connections", UNIK_GAUGE, "connections now, those that send their last bytes too" },
    [STACK_CONNECTIONS_HIGH] = { "connections_high", UNIK_HIGH, "most connections at a time" },
    [STACK_REFUSED] = { "refused", UNIK_COUNT, "connections not answered because there were max-connections" },
    [STACK_HALF] = { "half_open", UNIK_GAUGE, "connections that were asked for and not yet confirmed" },
    [STACK_HALF_EVICTED] = { "half_open_evicted", UNIK_COUNT, "of these, given up because more came" },
    [STACK_ABORTED] = { "aborted", UNIK_COUNT, "connections cut off by us" },
    [STACK_RETRANSMITTED] = { "fast_retransmits", UNIK_COUNT, "TCP segments sent again because their peer got later ones" },
    [STACK_BYTES_IN] = { "bytes_in", UNIK_COUNT, "bytes received by TCP" },
    [STACK_BYTES_OUT] = { "bytes_out", UNIK_COUNT, "bytes sent by TCP, and acknowledged" },
    [STACK_FRAMES_IN] = { "frames_in", UNIK_COUNT, "frames from the card" },
    [STACK_FRAMES_OUT] = { "frames_out", UNIK_COUNT, "frames to the card" },
    [STACK_MERGED] = { "merged", UNIK_COUNT, "TCP segments that went out as part of a larger frame" },
    [STACK_COPIED] = { "copied", UNIK_COUNT, "frames copied when they came: shared memory, or too many kept" },
    [STACK_BYTES_COPIED] = { "bytes_copied", UNIK_COUNT, "bytes copied when they came: such frames, and what apps did not read at once" },
    [STACK_FRAMES_DROPPED] = { "frames_dropped", UNIK_COUNT, "frames lost for lack of memory or link" },
    [STACK_SEND_FULL] = { "send_full", UNIK_COUNT, "times that the card had no room" },
    [STACK_BAD_SUMS] = { "bad_sums", UNIK_COUNT, "packets with a wrong checksum" },
    [STACK_NO_SENSE] = { "not_ip", UNIK_COUNT, "frames dropped that were too short, or neither IP nor ARP" },
    [STACK_NOT_OURS] = { "not_ours", UNIK_COUNT, "frames dropped that were for others, or that nothing here has a use for" },
    [STACK_BAD_ADDRESS] = { "bad_address", UNIK_COUNT, "frames dropped because of an address that cannot be there" },
    [STACK_BAD_HEADERS] = { "bad_headers", UNIK_COUNT, "frames dropped because of a header or option that must not be there" },
    [STACK_MALFORMED] = { "malformed", UNIK_COUNT, "packets dropped because they made no sense" },
    [STACK_DATAGRAMS_IN] = { "datagrams_in", UNIK_COUNT, "UDP datagrams for apps" },
    [STACK_DATAGRAMS_OUT] = { "datagrams_out", UNIK_COUNT, "UDP datagrams of apps" },
    [STACK_QUERIES] = { "queries", UNIK_COUNT, "names looked up" },
    [STACK_QUERIES_FAILED] = { "queries_failed", UNIK_COUNT, "of these, without an address" },
    [STACK_ANSWERS_REFUSED] = { "answers_refused", UNIK_COUNT, "DNS answers dropped: malformed, or with addresses of other names" },
    [STACK_SMALLER] = { "path_smaller", UNIK_COUNT, "connections over IPv6 whose segments were made smaller for a link on the way" },
    [STACK_BUFFERS_HIGH] = { "buffers_high", UNIK_HIGH, "most pieces of 4 KiB in use for bytes that wait" },
    [STACK_NO_BUFFERS] = { "no_buffers", UNIK_COUNT, "times that all of them were in use" },
    [STACK_MEMORY] = { "memory", UNIK_HIGH, "bytes taken from the system" },
    [STACK_MEMORY_USED] = { "memory_used", UNIK_GAUGE, "of these, bytes in use" },
    [STACK_WAKEUPS] = { "wakeups", UNIK_COUNT, "times that a timer of TCP/IP woke the VM" },
    { 0 }
};

void net_lwip_assert(const char *what, const char *file, int line)
{
    fprintf(stderr, "net-lwip: %s:%d: %s\n", file, line, what);
    abort();
}

struct stack *stack_of(struct unik_net *net) { return (struct stack *)(void *)net; }

static const char *reason(const struct stack *n)
{
    if (!n->nic)
        return "no network card";
    if (!n->link)
        return "the network card has no link";
    if (n->ipv4 == IPV4_QUBESDB || n->ipv6 == IPV6_QUBESDB)
        return n->db ? "waiting for /qubes-ip" : "waiting for QubesDB";
    return "waiting for an address by DHCP";
}

void stack_state(struct stack *n)
{
    if (n->stopping)
        return;
    if (stack_up(&n->net))
        unik_ready(n->ctx);
    else
        unik_degraded(n->ctx, reason(n));
}

static void release(struct stack *n)
{
    struct unik_ctx *ctx = n->ctx;

    card_detach(n);
    config_db(n, NULL);
    resolve_free(n);
    while (n->udps)
        stack_unudp(&n->net, n->udps);
    watch_free(n);
    clock_stop(n);
    card_free(n);
    ctx->data = NULL;
    free(n);
}

static int start(struct unik_ctx *ctx)
{
    static bool initialised;            /* lwIP's globals: once for the process */
    const struct stack_config *c = ctx->config;
    struct stack *n = calloc(1, sizeof(*n));
    int e;

    if (!n)
        return -ENOMEM;
    n->ctx = ctx;
    n->config = c;
    n->dirty_end = &n->dirty;
    n->chunks = (struct pool){ .size = STACK_CHUNK, .limit = c->buffers / STACK_CHUNK };
    n->streams_pool = (struct pool){ .size = sizeof(struct stack_stream), .limit = (size_t)c->max_connections };
    pools_limit(c->heap, (size_t)c->max_connections * 2 + STACK_HALF_OPEN);
    n->net = (struct unik_net){
        .size = sizeof(n->net), .listen = stack_listen, .unlisten = stack_unlisten, .connect = stack_connect,
        .address = stack_address, .up = stack_up, .watch = stack_watch, .unwatch = stack_unwatch, .udp = stack_udp,
        .send = stack_send, .unudp = stack_unudp, .resolve = stack_resolve, .unresolve = stack_unresolve,
        .udp_to = stack_udp_to, .send_from = stack_send_from
    };
    ctx->data = n;
    e = random_init();
    if (e < 0) {
        unik_error(ctx, "the system has no random numbers yet");
        free(n);
        return e;
    }
    if (!initialised)
        lwip_init();
    initialised = true;
    listen_init();
    clock_start(n);
    e = card_init(n);
    if (e == 0)
        e = unik_provide(ctx, "net/1", &n->net);
    if (e < 0) {
        unik_error(ctx, "net/1 cannot be provided: %s", e == -EEXIST ? "another plugin does" : strerror(-e));
        release(n);
        return e;
    }
    config_start(n);
    card_attach(n, unik_get(ctx, "nic/1"));
    n->changed = true;
    stack_state(n);
    return 0;
}

static void arrived(struct unik_ctx *ctx, const char *interface, void *iface)
{
    struct stack *n = ctx->data;

    (void)interface;
    config_db(n, iface);
    n->changed = true;
}

static void gone(struct unik_ctx *ctx, const char *interface)
{
    struct stack *n = ctx->data;

    (void)interface;
    if (!n)
        return;
    config_db(n, NULL);                 /* the addresses stay as they are */
    n->changed = true;
}

static void drain(struct unik_ctx *ctx)
{
    struct stack *n = ctx->data;

    n->draining = true;
    listen_stop(n);
    unik_drained(ctx);
}

void stack_gone(struct stack *n)
{
    struct unik_ctx *ctx = n->ctx;

    if (!n->stopping || n->n_streams)
        return;
    card_flush(n);                      /* the last segments */
    release(n);
    unik_stopped(ctx);
}

/* Connections that were closed still send their last bytes; each has a deadline. */
static void stop(struct unik_ctx *ctx)
{
    struct stack *n = ctx->data;
    size_t owned;

    n->draining = true;
    listen_free(n);
    owned = stream_abort_all(n, false);
    if (owned)
        unik_warn(ctx, "stopped with %zu connections that nobody had closed", owned);
    n->stopping = true;
    stack_gone(n);
}

static void abandon(struct unik_ctx *ctx)
{
    struct stack *n = ctx->data;

    if (!n)
        return;
    n->stopping = false;
    listen_free(n);
    stream_abort_all(n, true);
    release(n);
}

void stack_count(struct stack *n)
{
    uint64_t *c = n->ctx->counters;

    c[STACK_BAD_SUMS] = lwip_stats.ip.chkerr + lwip_stats.tcp.chkerr + lwip_stats.udp.chkerr + lwip_stats.icmp.chkerr + lwip_stats.icmp6.chkerr;
    c[STACK_MALFORMED] = lwip_stats.link.lenerr + lwip_stats.etharp.lenerr + lwip_stats.etharp.proterr + lwip_stats.ip.lenerr + lwip_stats.ip.proterr +
                         lwip_stats.ip6.lenerr + lwip_stats.ip6.proterr + lwip_stats.tcp.lenerr + lwip_stats.udp.lenerr + lwip_stats.icmp.lenerr;
    c[STACK_RETRANSMITTED] = lwip_stats.mib2.tcpretranssegs;
    c[STACK_ANSWERS_REFUSED] = answer_refused;
    c[STACK_MEMORY] = pools_bytes();
    c[STACK_MEMORY_USED] = pools_in_use();
}

/* A plugin has stopped and left something here: its callbacks must not be called any more. */
static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    struct stack *n = ctx->data;
    size_t listeners, streams, udps, queries, watches;

    if (!n)
        return;
    listeners = listen_left(n, user);
    streams = stream_left(n, user);
    udps = udp_left(n, user);
    queries = resolve_left(n, user);
    watches = watch_left(n, user);
    if (listeners + streams + udps + queries + watches)
        unik_warn(ctx, "%s stopped and left behind: listeners %zu, connections %zu, UDP sockets %zu, "
                  "questions for names %zu, watches %zu", user->plugin->name, listeners,
                  streams, udps, queries, watches);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    struct stack *n = ctx->data;
    char text[UNIK_NET_ADDRESS_MAX];

    stack_count(n);
    unik_text_add(out, "link: %s\n", !n->nic ? "no card" : n->link ? "up" : "down");
    for (unsigned i = 0; stack_address(&n->net, i, text) == 0; i++)
        unik_text_add(out, "address: %s\n", text);
    for (unsigned i = 0; i < n->now.n_dns; i++) {
        text_plain(&n->now.dns[i], text);
        unik_text_add(out, "name server: %s\n", text);
    }
    listen_status(n, out);
    unik_text_add(out, "most connections allowed: %lld\n", (long long)n->config->max_connections);
}

static const char *const needs[] = { "nic/1", NULL };
static const char *const wants[] = { "qubesdb/1", NULL };
static const char *const provides[] = { "net/1", NULL };

UNIK_PLUGIN(net_lwip) = {
    UNIK_PLUGIN_HEAD, .name = "net-lwip", .version = "1, lwIP " LWIP_LIBRARY, .summary = "network with a TCP/IP stack of its own, over a network card",
    .targets = UNIK_ON_ANY, .needs = needs, .wants = wants, .provides = provides, .options = options, .config_size = sizeof(struct stack_config),
    .counters = counters, .check = config_check, .start = start, .drain = drain, .stop = stop, .abandon = abandon,
    .arrived = arrived, .gone = gone, .left = left, .status = status
};
