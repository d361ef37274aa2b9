/* SPDX-License-Identifier: BSD-2-Clause */
/* tap - "nic/1" over a TUN/TAP device of Linux: the network card of a VM on a developer's machine. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unik/text.h>
#include <unistd.h>

#include "tap.h"

#define AT(field) offsetof(struct tap_config, field)
static const struct unik_option options[] = {
    { .key = "device", .type = UNIK_STRING, .offset = AT(device), .help = "a TAP device of this machine; made if it is not there and we may" },
    { .key = "socket", .type = UNIK_STRING, .offset = AT(socket),
      .help = "without device: who connects here is handed the descriptor; empty: tap.$VCHAN_DOMAIN in $VCHAN_SOCKET_DIR" },
    { .key = "mac", .type = UNIK_STRING, .offset = AT(mac), .fallback = "00:16:3e:5e:6c:00", .help = "our address on it; the default is the one of every Qubes VM" },
    { .key = "mtu", .type = UNIK_INT, .offset = AT(mtu), .fallback = "1500", .min = 1280, .max = 65520, .help = "bytes of a packet" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [TAP_IN] = { "frames_in", UNIK_COUNT, "frames read" },
    [TAP_OUT] = { "frames_out", UNIK_COUNT, "frames written" },
    [TAP_BYTES_IN] = { "bytes_in", UNIK_COUNT, "bytes read" },
    [TAP_BYTES_OUT] = { "bytes_out", UNIK_COUNT, "bytes written" },
    [TAP_FULL] = { "full", UNIK_COUNT, "times that the device took no frame" },
    [TAP_LOST] = { "lost", UNIK_COUNT, "frames that the device refused" },
    [TAP_BAD] = { "bad", UNIK_COUNT, "reads that gave no frame" },
    [TAP_HELD_HIGH] = { "held_high", UNIK_HIGH, "most frames in use by the stack at a time" },
    [TAP_LINKS] = { "links", UNIK_COUNT, "times that the link came up" },
    { 0 }
};

static bool parse_mac(const char *text, uint8_t mac[6])
{
    unsigned b[6];
    char more;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &more) != 6 || strlen(text) != 17)
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)b[i];
    return !(mac[0] & 1);
}

int tap_check(struct unik_ctx *ctx)
{
    const struct tap_config *c = ctx->config;
    uint8_t mac[6];

    if (parse_mac(c->mac, mac))
        return 0;
    unik_error(ctx, "mac = %s: not a MAC address of one card, as 00:16:3e:5e:6c:00", c->mac);
    return -EINVAL;
}

/* Somebody offers a descriptor, or a device can be opened. */
static int usable(struct unik_ctx *ctx)
{
    const char *dir = getenv("VCHAN_SOCKET_DIR"), *domain = getenv("VCHAN_DOMAIN");
    char path[200];

    (void)ctx;
    if (dir && domain && snprintf(path, sizeof(path), "%s/tap.%s", dir, domain) < (int)sizeof(path) && access(path, F_OK) == 0)
        return 0;
    return dir || domain ? -ENOENT : access("/dev/net/tun", R_OK | W_OK) == 0 ? 0 : -errno;
}

static void on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)revents;
    tap_open(w->data);
}

static int start(struct unik_ctx *ctx)
{
    struct tap *t = calloc(1, sizeof(*t));
    int e;

    if (!t)
        return -ENOMEM;
    t->ctx = ctx;
    t->config = ctx->config;
    t->io.fd = t->door.fd = -1;
    t->backoff = (struct unik_backoff){ .first = 0.1, .most = 5, .good = 10 };
    parse_mac(t->config->mac, t->info.mac);
    t->info.mtu = (unsigned)t->config->mtu;
    ev_timer_init(&t->again, on_again, 0, 0);
    t->again.data = t;
    e = tap_frames_init(t);
    if (e < 0) {
        free(t);
        return e;
    }
    ctx->data = t;
    tap_link(t, -1);
    e = unik_provide(ctx, "nic/1", &t->nic);
    if (e < 0) {
        unik_error(ctx, "nic/1 cannot be provided: %s", e == -EEXIST ? "another plugin does" : strerror(-e));
        tap_frames_free(t);
        ctx->data = NULL;
        free(t);
        return e;
    }
    tap_open(t);
    unik_ready(ctx);
    return 0;
}

static void stop(struct unik_ctx *ctx)
{
    struct tap *t = ctx->data;

    t->user = NULL;                     /* whoever wanted us was told before */
    tap_shut(t);
    tap_frames_free(t);
    ctx->data = NULL;
    free(t);
    unik_stopped(ctx);
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    struct tap *t = ctx->data;

    unik_text_add(out, "link: %s\n", t->info.link ? "up" : "down");
    unik_text_add(out, "device: %s\n", tap_where(t));
}

static const char *const provides[] = { "nic/1", NULL };

UNIK_PLUGIN(tap) = {
    UNIK_PLUGIN_HEAD, .name = "tap", .version = "1", .summary = "a network card over a TAP device of Linux", .targets = UNIK_ON_ANY,
    .provides = provides, .options = options, .config_size = sizeof(struct tap_config), .counters = counters, .usable = usable,
    .check = tap_check, .start = start, .stop = stop, .status = status
};
