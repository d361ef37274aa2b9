/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/fake-call.c - see fake-call.h */
#include <check.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/common/fake-call.h"
#include "tests/common/fds.h"

/* ---- the world ---- */

static const struct unik_plugin plugin = { UNIK_PLUGIN_HEAD, .name = "qrexec", .version = "1", .targets = UNIK_ON_ANY };

static void on_log(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    struct world *w = arg;
    size_t used = strlen(w->log);

    (void)ctx, (void)level;
    snprintf(w->log + used, sizeof(w->log) - used, "%s\n", line);
}

const char *world_path(struct world *w, const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *p = paths[next++ % 8];

    snprintf(p, 512, "%s/%s", w->folder, name);
    return p;
}

void world_file(struct world *w, const char *name, mode_t mode, const char *content)
{
    FILE *f = fopen(world_path(w, name), "w");

    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(world_path(w, name), mode), 0);
}

void world_link(struct world *w, const char *name, const char *target)
{
    ck_assert_int_eq(symlink(target, world_path(w, name)), 0);
}

void world_open(struct world *w, bool commands, bool services)
{
    static const char *const folders[] = { "rpc", "rpc2", "config", "config2" };
    char rpc[256], config[256];

    memset(w, 0, sizeof(*w));
    ck_assert_ptr_nonnull(getpwuid(geteuid()));
    snprintf(w->user, sizeof(w->user), "%s", getpwuid(geteuid())->pw_name);
    strcpy(w->folder, "/tmp/test-qrexec-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(w->folder));
    ck_assert_int_eq(chmod(w->folder, 0755), 0);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(mkdir(world_path(w, folders[i]), 0755), 0);
    w->h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    w->ctx = host_add(w->h, &plugin, NULL);
    ck_assert_ptr_nonnull(w->ctx);
    host_on_log(w->h, on_log, w);
    host_run(w->h, 0.01);               /* what the loop itself opens is open now */
    w->fds = open_fds();
    snprintf(rpc, sizeof(rpc), "%s/rpc:%s/none:%s/rpc2", w->folder, w->folder, w->folder);
    snprintf(config, sizeof(config), "%s/config:%s/config2", w->folder, w->folder);
    w->x = qrexec_exec_new(w->ctx, &(struct qrexec_exec_config){ .service_path = rpc, .config_path = config,
                                                                .commands = commands, .services = services });
    ck_assert_ptr_nonnull(w->x);
}

void world_close(struct world *w)
{
    char command[128];

    if (w->x) {
        ck_assert_uint_eq(qrexec_exec_running(w->x), 0);
        qrexec_exec_free(w->x);
    }
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_int_eq(open_fds(), w->fds);
    host_free(w->h);
    snprintf(command, sizeof(command), "rm -rf %s", w->folder);
    ck_assert_int_eq(system(command), 0);
}

static void on_time(struct ev_loop *loop, ev_timer *t, int revents)
{
    (void)revents;
    *(bool *)t->data = true;
    ev_break(loop, EVBREAK_ALL);
}

bool world_until(struct world *w, bool (*what)(void *), void *arg, double seconds)
{
    bool late = false;
    ev_timer t;

    ev_now_update(w->ctx->loop);
    ev_timer_init(&t, on_time, seconds, 0);
    t.data = &late;
    ev_timer_start(w->ctx->loop, &t);
    while (!late && !what(arg))
        ev_run(w->ctx->loop, EVRUN_ONCE);
    ev_timer_stop(w->ctx->loop, &t);
    return what(arg);
}

/* ---- the call's stream ---- */

static uint8_t pattern(size_t i) { return (uint8_t)(i * 131 + (i >> 9)); }

static struct fake_call *of(struct unik_stream *s) { return (struct fake_call *)(void *)s; }

static void tell(struct fake_call *f, unsigned events)
{
    f->events |= events;
    ev_timer_start(f->w->ctx->loop, &f->tick);
}

static size_t do_peek(struct unik_stream *s, const void **bytes) { return unik_ring_peek(&of(s)->in, bytes); }

static void do_consume(struct unik_stream *s, size_t n)
{
    const void *p;

    ck_assert_uint_le(n, unik_ring_peek(&of(s)->in, &p));
    unik_ring_consume(&of(s)->in, n);
    of(s)->consumed += n;
    tell(of(s), 0);
}

static int do_ended(struct unik_stream *s) { return of(s)->ended; }

static size_t do_room(struct unik_stream *s)
{
    size_t n = of(s)->shut ? 0 : unik_ring_room(&of(s)->out);

    of(s)->room_wanted = true;
    return n;
}

static ssize_t do_write(struct unik_stream *s, const void *bytes, size_t n)
{
    size_t k;

    if (of(s)->ended < 0 || of(s)->shut)
        return -EPIPE;
    k = unik_ring_put(&of(s)->out, bytes, n);
    of(s)->room_wanted = of(s)->room_wanted || k < n;
    tell(of(s), 0);
    return (ssize_t)k;
}

static int do_shut(struct unik_stream *s)
{
    ck_assert(!of(s)->shut);
    of(s)->shut = true;
    return 0;
}

/* Output that waits is taken; compared or kept. */
static void take(struct unik_ring *r, char *text, size_t *got, struct fake_call *f)
{
    const uint8_t *bytes;
    const void *p;
    size_t n;

    while ((n = unik_ring_peek(r, &p)) > 0) {
        bytes = p;
        for (size_t i = 0; i < n; i++, (*got)++) {
            if (f->pattern && r == &f->out)
                f->differs = f->differs || bytes[i] != pattern(*got);
            else if (*got < FAKE_TEXT - 1)
                text[*got] = (char)bytes[i];
        }
        unik_ring_consume(r, n);
    }
}

static void do_close(struct unik_stream *s)
{
    struct fake_call *f = of(s);

    ck_assert(!f->closed);
    take(&f->out, f->text, &f->got, f);
    take(&f->err, f->err_text, &f->got_err, f);
    f->closed = true;
    f->code = f->call.exit_code;
    ev_timer_stop(f->w->ctx->loop, &f->tick);
}

static void do_abort(struct unik_stream *s)
{
    of(s)->aborted = true;
    do_close(s);
}

static const struct unik_stream_ops ops = {
    .size = sizeof(ops), .peek = do_peek, .consume = do_consume, .ended = do_ended, .room = do_room,
    .write = do_write, .shut = do_shut, .close = do_close, .abort = do_abort
};

ssize_t qrexec_call_write_err(struct unik_qrexec_call *call, const void *bytes, size_t n)
{
    struct fake_call *f = of(call->io);

    ck_assert(!f->err_shut);
    f->room_wanted = true;
    if (f->ended < 0)
        return -EPIPE;
    if (unik_ring_room(&f->err) < n)
        return 0;
    tell(f, 0);
    return (ssize_t)unik_ring_put(&f->err, bytes, n);
}

void qrexec_call_shut_err(struct unik_qrexec_call *call)
{
    struct fake_call *f = of(call->io);

    ck_assert(!f->err_shut && !f->closed);
    f->err_shut = true;
    f->err_shut_first = !f->shut && f->got == 0 && unik_ring_used(&f->out) == 0;
}

static void refill(struct fake_call *f)
{
    void *to;
    size_t n;

    while (f->feed_left && (n = unik_ring_reserve(&f->in, &to)) > 0) {
        uint8_t *bytes = to;

        if (n > f->feed_left)
            n = f->feed_left;
        for (size_t i = 0; i < n; i++)
            bytes[i] = f->feed ? (uint8_t)*f->feed++ : pattern(f->consumed + unik_ring_used(&f->in) + i);
        unik_ring_commit(&f->in, n);
        f->feed_left -= n;
        f->events |= UNIK_STREAM_INPUT;
    }
    if (!f->feed_left && f->end_after_feed && f->ended == 0) {
        f->ended = 1;
        f->events |= UNIK_STREAM_INPUT;
    }
}

static void on_tick(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct fake_call *f = t->data;
    size_t before = f->got + f->got_err;
    unsigned events;

    (void)revents;
    ev_timer_stop(loop, t);
    refill(f);
    if (!f->stalled) {
        take(&f->out, f->text, &f->got, f);
        take(&f->err, f->err_text, &f->got_err, f);
    }
    if (f->room_wanted && f->got + f->got_err > before) {
        f->room_wanted = false;
        f->events |= UNIK_STREAM_ROOM;
    }
    events = f->events;
    f->events = 0;
    if (events && f->stream.cb)
        f->stream.cb(&f->stream, events, f->stream.arg);
}

/* ---- for tests ---- */

struct fake_call *fake_new(struct world *w, size_t queue)
{
    struct fake_call *f = calloc(1, sizeof(*f));

    ck_assert_ptr_nonnull(f);
    f->w = w;
    f->stream.ops = &ops;
    f->stream.peer = "domX";
    f->call = (struct unik_qrexec_call){ .io = &f->stream, .service = "t", .argument = "", .peer = "domX", .user = "" };
    ck_assert_int_eq(unik_ring_init(&f->in, queue), 0);
    ck_assert_int_eq(unik_ring_init(&f->out, queue), 0);
    ck_assert_int_eq(unik_ring_init(&f->err, queue < 4096 ? 4096 : queue), 0);
    ev_timer_init(&f->tick, on_tick, 0, 0);
    f->tick.data = f;
    f->code = -1;
    return f;
}

void fake_free(struct fake_call *f)
{
    ev_timer_stop(f->w->ctx->loop, &f->tick);
    unik_ring_free(&f->in);
    unik_ring_free(&f->out);
    unik_ring_free(&f->err);
    free(f);
}

void fake_feed(struct fake_call *f, const char *text)
{
    f->feed = text;
    f->feed_left = strlen(text);
    tell(f, 0);
}

void fake_feed_pattern(struct fake_call *f, size_t n)
{
    f->feed = NULL;
    f->feed_left = n;
    tell(f, 0);
}

void fake_end(struct fake_call *f)
{
    f->end_after_feed = true;
    tell(f, 0);
}

void fake_break(struct fake_call *f, int error)
{
    f->ended = error;
    f->feed_left = 0;
    unik_ring_consume(&f->in, unik_ring_used(&f->in));
    tell(f, UNIK_STREAM_INPUT);
}

void fake_stall(struct fake_call *f, bool stalled)
{
    f->stalled = stalled;
    tell(f, 0);
}

bool fake_closed(void *f) { return ((struct fake_call *)f)->closed; }

int fake_start(struct fake_call *f, const char *command, bool just_exec)
{
    struct qrexec_command c;
    struct qrexec_plan *plan;
    char line[2048];
    int code;

    snprintf(line, sizeof(line), "%s%s", *command == ':' ? f->w->user : "", command);
    ck_assert_int_eq(qrexec_parse_command(line, strlen(line), &c), 0);
    code = qrexec_exec_plan(f->w->x, &c, &plan);
    if (code == 0)
        qrexec_exec_run(plan, &f->call, just_exec);
    else
        ck_assert_ptr_null(plan);
    return code;
}

int fake_run(struct fake_call *f, const char *command)
{
    int code = fake_start(f, command, false);

    if (code)
        return code;
    fake_end(f);
    ck_assert(world_until(f->w, fake_closed, f, 300));
    return f->code;
}
