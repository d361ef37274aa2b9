/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/plugin.c - "nic/1" over a virtual network interface of Xen: the interface's entry points, the plugin's life.
 *
 * The plugin is ready at once, with the link down: a VM without a network runs, and gets one later. In a Linux guest the kernel's own
 * front end must not be loaded. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <unik/text.h>
#include "plugins/netfront/front.h"

static const struct unik_option options[] = {
    { .key = "device", .type = UNIK_INT, .offset = offsetof(struct netfront_config, device), .fallback = "-1", .min = -1,
      .max = VIF_NUMBER_MAX, .help = "Number of the interface in device/vif; -1: the first." },
    { .key = "buffers", .type = UNIK_INT, .offset = offsetof(struct netfront_config, buffers), .fallback = "256", .min = 64,
      .max = NETIF_RING_SIZE, .help = "Pages of 4 KiB shared with the other domain, each way." },
    { .key = "checksums", .type = UNIK_BOOL, .offset = offsetof(struct netfront_config, checksums), .fallback = "yes",
      .help = "Leave checksums of TCP and UDP to the other domain, and take packets from it that have none." },
    { .key = "segments", .type = UNIK_BOOL, .offset = offsetof(struct netfront_config, segments), .fallback = "yes",
      .help = "Exchange TCP segments of up to 64 KiB, which the other domain cuts; only with checksums." },
    { .key = "retry", .type = UNIK_SECONDS, .offset = offsetof(struct netfront_config, retry), .fallback = "1s", .min = 0, .max = 3600,
      .help = "How long to wait before the interface is tried again after a failure, at first." },
    { .key = "retry-max", .type = UNIK_SECONDS, .offset = offsetof(struct netfront_config, retry_max), .fallback = "5s", .min = 0,
      .max = 3600, .help = "The same, at most; it doubles while tries fail." },
    { 0 }
};

static const struct unik_counter counters[] = {
    [RX_FRAMES] = { "rx_frames", UNIK_COUNT, "frames that came in" },
    [RX_BYTES] = { "rx_bytes", UNIK_COUNT, "their bytes" },
    [RX_ERRORS] = { "rx_errors", UNIK_COUNT, "frames that came in and made no sense, or that the other side could not deliver" },
    [RX_UNWANTED] = { "rx_unwanted", UNIK_COUNT, "frames that came in while nobody used the card" },
    [RX_HELD] = { "rx_held", UNIK_GAUGE, "frames that the user has not given back" },
    [RX_HELD_HIGH] = { "rx_held_high", UNIK_HIGH, "the same, the most at a time" },
    [TX_FRAMES] = { "tx_frames", UNIK_COUNT, "frames sent" },
    [TX_BYTES] = { "tx_bytes", UNIK_COUNT, "their bytes" },
    [TX_FULL] = { "tx_full", UNIK_COUNT, "times a frame found no room" },
    [TX_DROPPED] = { "tx_dropped", UNIK_COUNT, "slots sent that the other side says it dropped" },
    [TX_ERRORS] = { "tx_errors", UNIK_COUNT, "slots sent that the other side says it could not use" },
    [EVENTS] = { "events", UNIK_COUNT, "events from the other side" },
    [NOTIFIES] = { "notifies", UNIK_COUNT, "events to it" },
    [REMINDERS] = { "reminders", UNIK_COUNT, "events to it because it took nothing for a second" },
    [CONNECTS] = { "connects", UNIK_COUNT, "times the link came up" },
    [DISCONNECTS] = { "disconnects", UNIK_COUNT, "times it went down" },
    [BAD_PEER] = { "bad_peer", UNIK_COUNT, "connections ended because the other side broke the rules" },
    [NETFRONT_COUNTERS] = { 0 }
};

void netfront_degraded(struct netfront *nf, const char *fmt, ...)
{
    char why[sizeof(nf->why)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    if (nf->stopping || strcmp(why, nf->why) == 0)
        return;
    if (nf->why[0])
        unik_info(nf->ctx, "%s", why);          /* the host logs the first reason only */
    snprintf(nf->why, sizeof(nf->why), "%s", why);
    unik_degraded(nf->ctx, nf->why);
}

static int usable(struct unik_ctx *ctx)
{
    static const char *const needed[] = { "/dev/xen/evtchn", "/dev/xen/gntalloc" };

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (access(needed[i], R_OK | W_OK) < 0) {
            int e = -errno;

            unik_debug(ctx, "%s: %s", needed[i], strerror(-e));
            return e;
        }
    return 0;
}

static void release(struct netfront *nf)
{
    struct unik_ctx *ctx = nf->ctx;

    nf_search_end(nf);
    nf_vif_end(nf);
    nf->xs->forget(nf->xs, nf);
    nf_links_free(nf);
    nf_card_end(nf);
    nf_machine_shut(&nf->machine);
    ctx->data = NULL;
    free(nf);
}

static int check(struct unik_ctx *ctx)
{
    const struct netfront_config *c = ctx->config;

    if (c->retry <= c->retry_max)
        return 0;
    unik_error(ctx, "retry = %g s is more than retry-max = %g s", c->retry, c->retry_max);
    return -EINVAL;
}

static int start(struct unik_ctx *ctx)
{
    struct netfront *nf = calloc(1, sizeof(*nf));
    const char *what;
    int e;

    if (!nf)
        return -ENOMEM;
    nf->api = (struct unik_nic){ .size = sizeof(nf->api), .attach = nf_card_attach, .detach = nf_card_detach, .info = nf_card_info,
                                 .send = nf_card_send, .flush = nf_card_flush, .release = nf_card_release };
    nf->ctx = ctx;
    nf->xs = unik_get(ctx, "xenstore/1");
    nf->info.mtu = MTU_DEFAULT;
    e = nf_machine_open(&nf->machine, &what);
    if (e < 0) {
        unik_error(ctx, "%s: %s", what, strerror(-e));
        free(nf);
        return e;
    }
    ctx->data = nf;
    ctx->counters[RX_HELD] = 0;
    nf_card_init(nf);
    nf_vif_init(nf);
    e = unik_provide(ctx, "nic/1", &nf->api);
    if (e == 0)
        e = nf_search_begin(nf);
    if (e < 0) {
        release(nf);
        return e;
    }
    unik_ready(ctx);
    return 0;
}

/* The user has stopped before. The back end is told, so that whoever is next finds the interface as it should be. */
static void stop(struct unik_ctx *ctx)
{
    struct netfront *nf = ctx->data;

    nf->stopping = true;
    nf->user = NULL;
    nf_search_end(nf);
    nf_vif_stop(nf);
}

void netfront_stopped(struct netfront *nf)
{
    struct unik_ctx *ctx = nf->ctx;

    release(nf);
    unik_stopped(ctx);
}

static void abandon(struct unik_ctx *ctx)
{
    if (ctx->data)
        release(ctx->data);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    const struct netfront *nf = ctx->data;
    const uint8_t *m;

    if (!nf)
        return;
    m = nf->info.mac;
    if (nf->vif.step == STEP_NONE)
        unik_text_add(out, "interface: none\n");
    else
        unik_text_add(out, "interface: device/vif/%u, back end %s\n", nf->vif.number, nf->vif.backend);
    if (!nf->info.link) {
        unik_text_add(out, "link: down\n");
        return;
    }
    unik_text_add(out, "link: up, mtu %u\nmac: %02x:%02x:%02x:%02x:%02x:%02x\n", nf->info.mtu, m[0], m[1], m[2], m[3], m[4], m[5]);
    unik_text_add(out, "offloads:%s%s%s\n", nf->info.offloads & UNIK_NIC_SUM ? " checksums" : "",
                  nf->info.offloads & UNIK_NIC_TSO4 ? " tso4" : "", nf->info.offloads & UNIK_NIC_TSO6 ? " tso6" : "");
}

static const char *const needs[] = { "xenstore/1", NULL }, *const provides[] = { "nic/1", NULL };

UNIK_PLUGIN(netfront) = {
    UNIK_PLUGIN_HEAD, .name = "netfront", .version = "1", .summary = "The VM's network card under Xen, as another domain serves it",
    .targets = UNIK_ON_QUBES, .needs = needs, .provides = provides, .options = options, .config_size = sizeof(struct netfront_config),
    .counters = counters, .usable = usable, .check = check, .start = start, .stop = stop, .abandon = abandon, .status = status
};
