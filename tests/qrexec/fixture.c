/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qrexec/fixture.c - see fixture.h. */
#include "tests/common/fds.h"
#include "tests/qrexec/fixture.h"

/* ---- the VM ---- */

static int app_start(struct unik_ctx *ctx)
{
    unik_ready(ctx);
    return 0;
}

static void app_stop(struct unik_ctx *ctx) { unik_stopped(ctx); }

static const struct unik_plugin app = {
    UNIK_PLUGIN_HEAD, .name = "app", .version = "1", .summary = "owner of the services", .targets = UNIK_ON_ANY,
    .start = app_start, .stop = app_stop
};

static int late_start(struct unik_ctx *ctx) { return (void)ctx, 0; }

static const struct unik_plugin late = {
    UNIK_PLUGIN_HEAD, .name = "late", .version = "1", .summary = "not ready yet", .targets = UNIK_ON_ANY,
    .start = late_start, .stop = app_stop
};

void fixture_late(struct fixture *f)
{
    f->late = host_add(f->h, &late, NULL);
    ck_assert(f->late && host_start(f->late) == 0);
}

static void on_log(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    struct fixture *f = arg;

    if (getenv("SHOW_LOG"))
        fprintf(stderr, "[%s] %s\n", ctx->plugin->name, line);
    if (level > UNIK_WARNING || ctx != f->qrexec)
        return;
    f->warnings++;
    snprintf(f->log, sizeof(f->log), "%s", line);
}

struct fixture *fixture_new(const char *const *options)
{
    static const char *const none[] = { "services=no", NULL };
    struct fixture *f = calloc(1, sizeof(*f));
    char dir[120];
    const char *const vchan[] = { dir, "domid=1", NULL };

    f->h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    f->fds = open_fds();
    f->dir = test_dir();
    snprintf(dir, sizeof(dir), "dir=%s", f->dir);
    host_on_log(f->h, on_log, f);
    f->vchan = host_add(f->h, &unik_plugin_vchan_socket, vchan);
    f->qrexec = host_add(f->h, &unik_plugin_qrexec, options ? options : none);
    f->app = host_add(f->h, &app, NULL);
    ck_assert(f->vchan && f->qrexec && f->app);
    ck_assert_int_eq(host_start(f->vchan), 0);
    ck_assert_int_eq(host_start(f->qrexec), 0);
    ck_assert_int_eq(host_start(f->app), 0);
    f->q = host_interface(f->h, "qrexec/1");
    ck_assert_ptr_nonnull(f->q);
    return f;
}

struct fixture *fixture_up(const char *const *options)
{
    struct fixture *f = fixture_new(options);

    dom0_connect(f, 4);
    return f;
}

void fixture_end(struct fixture *f)
{
    if (f->late)
        host_stop_wait(f->late, 1);
    if (host_state(f->app) != HOST_STOPPED)
        host_stop_wait(f->app, 1);
    if (host_state(f->qrexec) != HOST_STOPPED)
        host_stop_wait(f->qrexec, 1);
    peer_close(f->dom0);
    host_stop_wait(f->vchan, SECONDS);
    ck_assert_int_eq(host_state(f->vchan), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(f->qrexec, "calls_running"), 0);
    ck_assert_uint_eq(host_counter(f->qrexec, "ports_lost"), 0);
    test_dir_remove(f->dir);
    ck_assert_int_eq(open_fds(), f->fds);
    host_free(f->h);
    free(f);
}

/* ---- dom0 ---- */

void dom0_connect(struct fixture *f, uint32_t version)
{
    peer_close(f->dom0);
    f->dom0 = peer_connect(f->h, f->dir, 1, 0, 512, SECONDS);
    ck_assert_ptr_nonnull(f->dom0);
    hello(f->dom0, version);
    ck_assert(host_wait(f->qrexec, HOST_READY, SECONDS));
}

void dom0_send(struct fixture *f, uint32_t type, const void *body, size_t n) { say(f->dom0, type, body, n); }

void dom0_exec(struct fixture *f, uint32_t type, uint32_t domain, uint32_t port, const char *text)
{
    static uint8_t message[QREXEC_CONTROL_MAX];
    int n = qrexec_encode_exec(message, sizeof(message), type, domain, port, text, strlen(text));

    ck_assert_int_gt(n, 0);
    ck_assert(peer_send(f->dom0, message, (size_t)n));
}

void dom0_connects(struct fixture *f, uint32_t domain, uint32_t port, const char *ident)
{
    uint8_t body[8 + QREXEC_IDENT] = { (uint8_t)domain, (uint8_t)(domain >> 8), 0, 0, (uint8_t)port, (uint8_t)(port >> 8) };

    memcpy(body + 8, ident, strlen(ident));
    dom0_send(f, QREXEC_SERVICE_CONNECT, body, sizeof(body));
}

void dom0_expect_release(struct fixture *f, uint32_t domain, uint32_t port)
{
    struct qrexec_exec e;
    char body[DATA_MAX];
    size_t n;

    ck_assert_uint_eq(hear(f->dom0, body, &n), QREXEC_TERMINATED);
    ck_assert_int_eq(qrexec_decode_terminated(body, n, &e), 0);
    ck_assert_uint_eq(e.domain, domain);
    ck_assert_uint_eq(e.port, port);
}

void dom0_expect_nothing(struct fixture *f)
{
    char byte;

    host_run(f->h, SOON);
    ck_assert_uint_eq(peer_try_recv(f->dom0, &byte, 1), 0);
}

void dom0_expect_trigger(struct fixture *f, uint32_t version, const char *target, const char *service, char ident[QREXEC_IDENT])
{
    struct qrexec_trigger t;
    char body[DATA_MAX];
    size_t n;
    uint32_t type = hear(f->dom0, body, &n);

    ck_assert_int_eq(qrexec_decode_trigger(type, version, body, n, &t), 0);
    ck_assert_str_eq(t.target, target);
    ck_assert_str_eq(t.service, service);
    ck_assert(qrexec_ident_ok(t.ident));
    snprintf(ident, QREXEC_IDENT, "%s", t.ident);
}

/* ---- data channels ---- */

void hello(struct peer *p, uint32_t version)
{
    uint8_t message[QREXEC_HEADER + 4];

    ck_assert_int_eq(qrexec_encode_hello(message, sizeof(message), QREXEC_VERSION), sizeof(message));
    ck_assert(peer_expect(p, message, sizeof(message)));
    message[8] = (uint8_t)version;
    ck_assert(peer_send(p, message, sizeof(message)));
}

struct peer *call_in(struct fixture *f, uint32_t domain, uint32_t port, uint32_t version, const char *text)
{
    struct peer *p = peer_listen(f->h, f->dir, (int)domain, 1, port);

    ck_assert_ptr_nonnull(p);
    dom0_exec(f, QREXEC_EXEC_CMDLINE, domain, port, text);
    ck_assert(peer_accept(p, SECONDS));
    hello(p, version);
    return p;
}

struct peer *serve_out(struct fixture *f, uint32_t domain, uint32_t port, uint32_t version, const char *ident)
{
    struct peer *p;

    dom0_connects(f, domain, port, ident);
    p = peer_connect(f->h, f->dir, 1, (int)domain, port, SECONDS);
    ck_assert_ptr_nonnull(p);
    hello(p, version);
    return p;
}

void say(struct peer *p, uint32_t type, const void *bytes, size_t n)
{
    uint8_t head[QREXEC_HEADER];

    qrexec_encode_header(head, type, (uint32_t)n);
    ck_assert(peer_send(p, head, sizeof(head)));
    ck_assert(n == 0 || peer_send(p, bytes, n));
}

uint32_t hear(struct peer *p, void *bytes, size_t *n)
{
    uint8_t head[QREXEC_HEADER];
    struct qrexec_header h;

    ck_assert(peer_recv(p, head, sizeof(head), SECONDS));
    qrexec_decode_header(head, &h);
    ck_assert_uint_le(h.len, DATA_MAX);
    ck_assert(peer_recv(p, bytes, h.len, SECONDS));
    *n = h.len;
    return h.type;
}

void expect(struct peer *p, uint32_t type, const void *bytes, size_t n)
{
    char got[DATA_MAX];
    size_t k;

    ck_assert_uint_eq(hear(p, got, &k), type);
    ck_assert_uint_eq(k, n);
    if (n)
        ck_assert_mem_eq(got, bytes, n);
}

void expect_eof(struct peer *p, uint32_t type) { expect(p, type, NULL, 0); }

void expect_code(struct peer *p, int code)
{
    const uint8_t bytes[4] = { (uint8_t)code };

    expect(p, QREXEC_EXIT_CODE, bytes, sizeof(bytes));
}

void expect_end(struct peer *p, int code)
{
    expect_eof(p, QREXEC_STDOUT);
    expect_eof(p, QREXEC_STDERR);
    expect_code(p, code);
    ck_assert(peer_closed(p, SECONDS));
    peer_close(p);
}

/* ---- services and callers of the VM ---- */

uint8_t pattern(size_t i) { return (uint8_t)(i ^ i >> 8 ^ i >> 16); }

static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum = sum * 31 + p[i];
    return sum;
}

uint32_t pattern_sum(size_t n)
{
    uint32_t sum = 0;
    uint8_t b;

    for (size_t i = 0; i < n; i++) {
        b = pattern(i);
        sum = add(sum, &b, 1);
    }
    return sum;
}

static void send_more(struct seen *s)
{
    static uint8_t chunk[100000];
    ssize_t k;

    while (s->sent < s->to_send) {
        size_t n = s->to_send - s->sent < sizeof(chunk) ? s->to_send - s->sent : sizeof(chunk);

        for (size_t i = 0; i < n; i++)
            chunk[i] = pattern(s->sent + i);
        k = unik_stream_write(s->call->io, chunk, n);
        if (k <= 0)
            return;
        s->sent += (size_t)k;
    }
    unik_stream_shut(s->call->io);
}

static void take_input(struct seen *s)
{
    const void *p;
    size_t n;

    while ((n = unik_stream_peek(s->call->io, &p)) > 0) {
        if (s->echoes) {
            ssize_t k = unik_stream_write(s->call->io, p, n);

            if (k <= 0)
                return;
            n = (size_t)k;
        }
        s->sum = add(s->sum, p, n);
        if (s->keeps && s->n + n <= sizeof(s->bytes))
            memcpy(s->bytes + s->n, p, n);
        s->n += n;
        unik_stream_consume(s->call->io, n);
    }
    s->end = unik_stream_ended(s->call->io);
    s->ended = s->end != 0;
}

static void on_err(struct unik_stream *err, unsigned events, void *arg)
{
    struct seen *s = arg;
    ssize_t k = unik_stream_read(err, s->err_bytes + s->n_err, sizeof(s->err_bytes) - s->n_err);

    (void)events;
    s->n_err += k > 0 ? (size_t)k : 0;
}

void on_seen(struct unik_stream *io, unsigned events, void *arg)
{
    struct seen *s = arg;

    (void)io;
    s->events |= events;
    s->opened = s->opened || (events & UNIK_STREAM_OPEN);
    if (s->to_send)
        send_more(s);
    if (s->reading)
        take_input(s);
    if (s->ended && s->ends && !s->closed)
        seen_close(s, s->call->exit_code);
}

static void begin(struct seen *s, struct unik_qrexec_call *call)
{
    s->call = call;
    s->called = true;
    s->closed = s->ended = false;
    snprintf(s->service, sizeof(s->service), "%s", call->service);
    snprintf(s->argument, sizeof(s->argument), "%s", call->argument);
    snprintf(s->peer, sizeof(s->peer), "%s", call->peer);
    snprintf(s->user, sizeof(s->user), "%s", call->user);
}

void on_call(struct unik_qrexec_call *call, void *arg)
{
    struct seen *s = arg;

    begin(s, call);
    unik_stream_on(call->io, on_seen, s);
    if (s->to_send)
        send_more(s);
}

void serve(struct fixture *f, const char *name, struct seen *s)
{
    ck_assert_int_eq(f->q->serve(f->q, f->app, name, on_call, s, NULL), 0);
}

int call_out(struct fixture *f, const char *target, const char *service, struct seen *s)
{
    struct unik_qrexec_call *call;
    int e = f->q->call(f->q, f->app, target, service, on_seen, s, &call);

    if (e < 0)
        return e;
    begin(s, call);
    if (s->err) {
        s->err = f->q->err(call);
        unik_stream_on(s->err, on_err, s);
    }
    return 0;
}

void seen_close(struct seen *s, int code)
{
    ck_assert(!s->closed);
    s->closed = true;
    s->call->exit_code = code;
    unik_stream_close(s->call->io);
}

void seen_send(struct seen *s, size_t n)
{
    s->to_send = n;
    if (s->call)
        send_more(s);
}

bool until(struct fixture *f, const bool *flag) { return host_run_until(f->h, flag, SECONDS); }

void ask_out(struct fixture *f, struct seen *s, char ident[QREXEC_IDENT])
{
    ck_assert_int_eq(call_out(f, "work", "test.Svc", s), 0);
    dom0_expect_trigger(f, 4, "work", "test.Svc", ident);
}

struct peer *served_out(struct fixture *f, struct seen *s, uint32_t domain, uint32_t port)
{
    char ident[QREXEC_IDENT];

    ask_out(f, s, ident);
    return serve_out(f, domain, port, 4, ident);
}
