/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/vchan-socket/plugin.c - "vchan/1" over unix sockets, as QubesOS' socket library lays them out: the transport
 * for a machine without Xen. Options, the interface's entry points, the plugin's life. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <unik/text.h>
#include "plugins/vchan-socket/channel.h"

#define STATUS_LINES 64         /* channels shown one by one in a status report */

static const struct unik_option options[] = {
    { .key = "domid", .type = UNIK_INT, .offset = offsetof(struct config, domid), .fallback = "-1", .min = -1,
      .max = DOMID_LAST, .help = "this domain's number; -1: what VCHAN_DOMAIN says, or 0" },
    { .key = "dir", .type = UNIK_STRING, .offset = offsetof(struct config, dir),
      .help = "folder of the sockets; default: what VCHAN_SOCKET_DIR says, or /var/run/vchan" },
    { .key = "grant-dir", .type = UNIK_STRING, .offset = offsetof(struct config, grant_dir),
      .help = "folder of the files that stand in for granted pages; default: what UNIK_GRANT_DIR says, or DIR/grants" },
    { .key = "ring-min", .type = UNIK_SIZE, .offset = offsetof(struct config, ring_min), .fallback = "64", .min = 64,
      .max = UNIK_VCHAN_RING_MAX, .help = "bytes of a served channel's buffers, each way, if less is asked for" },
    { .key = "client-ring", .type = UNIK_SIZE, .offset = offsetof(struct config, client_ring), .fallback = "64K",
      .min = 64, .max = UNIK_VCHAN_RING_MAX, .help = "bytes of a client's buffers, each way" },
    { .key = "flush", .type = UNIK_SECONDS, .offset = offsetof(struct config, flush), .fallback = "5s", .min = 0,
      .max = 3600, .help = "how long a closed channel goes on sending what was written to it" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [OPEN] = { "open", UNIK_GAUGE, "connected channels" },
    [OPEN_HIGH] = { "open_high", UNIK_HIGH, "connected channels, the most at a time" },
    [CONNECTS] = { "connects", UNIK_COUNT, "channels that were connected" },
    [DISCONNECTS] = { "disconnects", UNIK_COUNT, "connected channels that ended, by whichever side" },
    [BYTES_IN] = { "bytes_in", UNIK_COUNT, "bytes received" },
    [BYTES_OUT] = { "bytes_out", UNIK_COUNT, "bytes sent" },
    [REFUSED] = { "refused", UNIK_COUNT, "channels asked for and not made: bad name, no memory, too many" },
    [CLOSING] = { "closing", UNIK_GAUGE, "closed channels that still send" },
    [CUT] = { "cut", UNIK_COUNT, "channels closed with output that the peer did not take in time" },
    [SHARED] = { "shared_pages", UNIK_GAUGE, "pages shared with other domains" },
    [SHARED_HIGH] = { "shared_pages_high", UNIK_HIGH, "pages shared, the most at a time" },
    { 0 }
};

static struct vchan_socket *plugin_of(struct unik_vchan *v) { return (struct vchan_socket *)(void *)v; }

static int api_domid(struct unik_vchan *v) { return plugin_of(v)->domid; }

static bool is_served(struct vchan_socket *vs, int peer, unsigned port)
{
    struct channel *ch;

    LIST_FOREACH(ch, &vs->channels, link)
        if (ch->server && ch->state == UNIK_VCHAN_WAITING && !ch->closing && ch->peer == peer && ch->port == port)
            return true;
    return false;
}

/* Both roles: make the channel and put it on its way. */
static int begin(struct vchan_socket *vs, bool server, int peer, unsigned port, size_t rx, size_t tx,
                 unik_stream_cb *cb, void *arg, struct unik_stream **out)
{
    struct channel *ch;
    int e = 0;

    *out = NULL;
    ch = vchan_socket_new(vs, peer, port, server, rx, tx, cb, arg, &e);
    if (!ch)
        return e;
    e = vchan_socket_path(ch);
    if (e == 0 && server)
        e = vchan_socket_serve(ch);
    else if (e == 0)
        vchan_socket_seek(ch);
    if (e < 0)
        vchan_socket_free(ch);
    else
        *out = &ch->stream;
    return e;
}

static int refuse(struct vchan_socket *vs, int peer, unsigned port, int error)
{
    vs->ctx->counters[REFUSED]++;
    unik_debug(vs->ctx, "dom%d port %u: refused: %s", peer, port, strerror(-error));
    return error;
}

static bool is_peer(const struct vchan_socket *vs, int peer)
{
    return peer >= 0 && peer <= DOMID_LAST && peer != vs->domid && !vs->stopping;
}

static int owned(struct unik_stream *s, struct unik_ctx *owner)
{
    unik_stream_give(s, owner);
    return 0;
}

static int api_listen(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, size_t read_min,
                      size_t write_min, unik_stream_cb *cb, void *arg, struct unik_stream **out)
{
    struct vchan_socket *vs = plugin_of(v);
    size_t least = (size_t)vs->config->ring_min;
    int e = -EINVAL;

    if (is_peer(vs, peer) && read_min >= 1 && read_min <= UNIK_VCHAN_RING_MAX && write_min >= 1 &&
        write_min <= UNIK_VCHAN_RING_MAX)
        e = is_served(vs, peer, port) ? -EADDRINUSE :
            begin(vs, true, peer, port, read_min > least ? read_min : least, write_min > least ? write_min : least, cb,
                  arg, out);
    return e < 0 ? refuse(vs, peer, port, e) : owned(*out, owner);
}

static int api_connect(struct unik_vchan *v, struct unik_ctx *owner, int peer, unsigned port, unik_stream_cb *cb,
                       void *arg, struct unik_stream **out)
{
    struct vchan_socket *vs = plugin_of(v);
    size_t ring = (size_t)vs->config->client_ring;
    int e = is_peer(vs, peer) ? begin(vs, false, peer, port, ring, ring, cb, arg, out) : -EINVAL;

    return e < 0 ? refuse(vs, peer, port, e) : owned(*out, owner);
}

static int find_domid(struct unik_ctx *ctx, const struct config *config)
{
    const char *text = getenv("VCHAN_DOMAIN");
    char *end;
    long n;

    if (config->domid >= 0 || !text)
        return config->domid >= 0 ? (int)config->domid : 0;
    errno = 0;
    n = strtol(text, &end, 10);
    if (end == text || *end || errno || n < 0 || n > DOMID_LAST) {
        unik_error(ctx, "VCHAN_DOMAIN=%s: not a domain's number, which is 0 to %d", text, DOMID_LAST);
        return -EINVAL;
    }
    return (int)n;
}

static const char *find_dir(const struct config *config)
{
    const char *env = getenv("VCHAN_SOCKET_DIR");

    return config->dir ? config->dir : env && *env ? env : "/var/run/vchan";
}

static int check(struct unik_ctx *ctx)
{
    static const char shortest[] = "/vchan.0.1.1.sock";
    const char *dir = find_dir(ctx->config);
    char grants[GRANT_DIR_MAX + 1];

    if (vchan_socket_pages_dir(ctx->config, dir, grants) < 0) {
        unik_error(ctx, "grant-dir: the folder's name is longer than %d bytes", GRANT_DIR_MAX);
        return -EINVAL;
    }
    if (strlen(dir) + sizeof(shortest) - 1 > SOCKET_PATH_MAX) {
        unik_error(ctx, "dir %s: %zu bytes: with the socket's name it exceeds a socket path's %zu", dir, strlen(dir),
                   SOCKET_PATH_MAX);
        return -EINVAL;
    }
    return find_domid(ctx, ctx->config) < 0 ? -EINVAL : 0;
}

static int usable(struct unik_ctx *ctx)
{
    (void)ctx;
    return 0;
}

static int start(struct unik_ctx *ctx)
{
    struct vchan_socket *vs = calloc(1, sizeof(*vs));
    int e;

    if (!vs)
        return -ENOMEM;
    vs->api = (struct unik_vchan){ .size = sizeof(vs->api), .domid = api_domid, .listen = api_listen,
                                   .connect = api_connect, .state = vchan_socket_state, .reason = vchan_socket_reason };
    vs->ctx = ctx;
    vs->config = ctx->config;
    vs->hangup_fd = -1;
    vs->domid = find_domid(ctx, vs->config);
    snprintf(vs->dir, sizeof(vs->dir), "%s", find_dir(vs->config));
    LIST_INIT(&vs->channels);
    TAILQ_INIT(&vs->dirty);
    ev_prepare_init(&vs->flush, vchan_socket_on_flush);
    ev_set_priority(&vs->flush, EV_MINPRI);
    vs->flush.data = vs;
    ctx->counters[OPEN] = ctx->counters[CLOSING] = 0;
    ctx->data = vs;
    e = unik_provide(ctx, "vchan/1", &vs->api);
    if (e == 0)
        e = vchan_socket_pages_start(vs);
    if (e < 0) {
        ctx->data = NULL;
        free(vs);
        return e;
    }
    vchan_socket_begin_watch(vs);
    if (access(vs->dir, W_OK | X_OK) < 0)
        unik_warn(ctx, "dir %s: %s: nothing can be offered there", vs->dir, strerror(errno));
    if (vs->config->domid < 0 && !getenv("VCHAN_DOMAIN"))
        unik_warn(ctx, "no number given (VCHAN_DOMAIN, or option domid): this is domain 0, as dom0 is");
    unik_info(ctx, "domain %d, sockets in %s", vs->domid, vs->dir);
    unik_ready(ctx);
    return 0;
}

void vchan_socket_stopped(struct vchan_socket *vs)
{
    struct unik_ctx *ctx = vs->ctx;

    vchan_socket_end_watch(vs);
    vchan_socket_pages_stop(vs);
    ev_clear_pending(ctx->loop, &vs->flush);
    ctx->data = NULL;
    free(vs);
    unik_stopped(ctx);
}

/* Those who used the interface have stopped; what they closed may still be on its way out. */
static void stop(struct unik_ctx *ctx)
{
    struct vchan_socket *vs = ctx->data;
    struct channel *ch, *next;

    vs->stopping = true;
    for (ch = LIST_FIRST(&vs->channels); ch; ch = next) {
        next = LIST_NEXT(ch, link);
        if (!ch->closing) {
            unik_warn(ctx, "%s port %u: left open by its user", ch->peer_name, ch->port);
            vchan_socket_close(&ch->stream);
        }
    }
    if (vs->n == 0)
        vchan_socket_stopped(vs);
}

static void abandon(struct unik_ctx *ctx)
{
    struct vchan_socket *vs = ctx->data;
    struct channel *ch;

    while ((ch = LIST_FIRST(&vs->channels)) != NULL) {
        ctx->counters[CUT]++;
        vchan_socket_free(ch);
    }
    vchan_socket_end_watch(vs);
    vchan_socket_pages_stop(vs);
    ev_clear_pending(ctx->loop, &vs->flush);
    ctx->data = NULL;
    free(vs);
}

/* A plugin has stopped and left channels here: their callbacks must not be called any more. */
static void left(struct unik_ctx *ctx, struct unik_ctx *user)
{
    struct vchan_socket *vs = ctx->data;
    struct channel *ch, *next;

    for (ch = vs ? LIST_FIRST(&vs->channels) : NULL; ch; ch = next) {
        next = LIST_NEXT(ch, link);
        if (ch->owner != user || ch->closing)
            continue;
        unik_warn(ctx, "%s stopped and left behind: %s %s port %u", user->plugin->name,
                  ch->server ? "channel to" : "channel from", ch->peer_name, ch->port);
        unik_stream_abort(&ch->stream);
    }
}

static void status(struct unik_ctx *ctx, struct unik_text *out)
{
    static const char *const states[] = { "waiting", "connected", "disconnected" };
    struct vchan_socket *vs = ctx->data;
    struct channel *ch;
    unsigned lines = 0;

    if (!vs)
        return;
    unik_text_add(out, "domid: %d\ndir: %s\ngrant-dir: %s\n", vs->domid, vs->dir, vs->pages.dir);
    LIST_FOREACH(ch, &vs->channels, link) {
        if (lines++ == STATUS_LINES) {
            unik_text_add(out, "channel: %u in all\n", vs->n);
            break;
        }
        unik_text_add(out, "channel: %s %s port %u %s, in %zu/%zu, out %zu/%zu\n", ch->server ? "to" : "from",
                      ch->peer_name, ch->port, ch->closing ? "closing" : states[ch->state], unik_ring_used(&ch->rx),
                      ch->rx.size, unik_ring_used(&ch->tx), ch->tx.size);
    }
}

static const char *const provides[] = { "vchan/1", "pages/1", NULL };

UNIK_PLUGIN(vchan_socket) = {
    UNIK_PLUGIN_HEAD, .name = "vchan-socket", .version = "1", .summary = "vchan over unix sockets, without Xen",
    .targets = UNIK_ON_ANY, .provides = provides, .options = options,
    .config_size = sizeof(struct config), .counters = counters, .usable = usable, .check = check, .start = start,
    .stop = stop, .abandon = abandon, .left = left, .status = status
};
