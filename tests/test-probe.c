/* SPDX-License-Identifier: BSD-2-Clause */
/* The relays of probe, between streams in memory: a side that ends in order ends the other in order, one that breaks breaks it. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unik/net.h>
#include <unik/qrexec.h>

#include "tests/common/run.h"
#include "tests/www/mem-stream.h"
#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_probe;

static struct host *h;
static struct unik_ctx *ctx;
static struct unik_stream *near, *far;                  /* the caller's end, and the other one's */
static struct unik_qrexec_call call, onward;
static struct { const char *name; unik_qrexec_handler *handler; void *arg; } served[16];
static unsigned n_served;

static int fake_serve(struct unik_qrexec *q, struct unik_ctx *who, const char *name, unik_qrexec_handler *handler, void *arg,
                      struct unik_qrexec_service **out)
{
    (void)q, (void)who, (void)out;
    ck_assert_uint_lt(n_served, 16);
    served[n_served].name = name;
    served[n_served].handler = handler;
    served[n_served++].arg = arg;
    return 0;
}

static struct unik_stream *pair(struct unik_stream **other)
{
    static const struct mem_options usual;
    struct unik_stream *end[2];

    mem_pair(ev_default_loop(0), &usual, end);
    *other = end[1];
    return end[0];
}

static int fake_call(struct unik_qrexec *q, struct unik_ctx *who, const char *target, const char *service, unik_stream_cb *cb,
                     void *arg, struct unik_qrexec_call **out)
{
    (void)q, (void)who;
    ck_assert_str_eq(target, "work");
    ck_assert_str_eq(service, "test.Svc");
    onward = (struct unik_qrexec_call){ .io = pair(&far), .exit_code = UNIK_QREXEC_LOST };
    unik_stream_on(onward.io, cb, arg);
    *out = &onward;
    return 0;
}

static int fake_connect(struct unik_net *n, struct unik_ctx *owner, const char *address, unsigned port, unik_stream_cb *cb,
                        void *arg, struct unik_stream **out)
{
    (void)n, (void)owner;
    ck_assert_str_eq(address, "10.0.0.1");
    ck_assert_uint_eq(port, 80);
    *out = pair(&far);
    unik_stream_on(*out, cb, arg);
    return 0;
}

static struct unik_qrexec qrexec = { .size = sizeof(qrexec), .serve = fake_serve, .call = fake_call };
static struct unik_net net = { .size = sizeof(net), .connect = fake_connect };

static void begin(const char *service, const char *argument)
{
    n_served = 0;
    h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    ctx = host_add(h, &unik_plugin_probe, NULL);
    ck_assert(ctx && host_start(ctx) == 0);
    host_publish(h, "qrexec/1", &qrexec);
    host_publish(h, "net/1", &net);
    call = (struct unik_qrexec_call){ .io = pair(&near), .service = service, .argument = argument, .peer = "work", .user = "" };
    for (unsigned i = 0; i < n_served; i++)
        if (strcmp(served[i].name, service) == 0)
            served[i].handler(&call, served[i].arg);
    ck_assert_ptr_nonnull(far);
}

static void end(void)
{
    if (near)
        unik_stream_close(near);
    if (far)
        unik_stream_close(far);
    near = far = NULL;
    host_stop_wait(ctx, 5);
    for (int i = 0; i < 1000 && mem_open; i++)
        host_run(h, 0.001);
    ck_assert_uint_eq(mem_open, 0);
    host_free(h);
}

/* Until it has ended: what ended() says then. */
static int ending(struct unik_stream *s)
{
    for (int i = 0; i < 5000 && unik_stream_ended(s) == 0; i++)
        host_run(h, 0.001);
    return unik_stream_ended(s);
}

static void passes(struct unik_stream *from, struct unik_stream *to, const char *text)
{
    char buf[32] = "";
    size_t n = strlen(text), got = 0;

    ck_assert_int_eq(unik_stream_write(from, text, n), (ssize_t)n);
    for (int i = 0; i < 5000 && got < n; i++) {
        ssize_t k = unik_stream_read(to, buf + got, sizeof(buf) - got);

        got += k > 0 ? (size_t)k : 0;
        host_run(h, 0.001);
    }
    ck_assert_str_eq(buf, text);
}

static const struct { const char *service, *argument; } relays[] = {
    { "probe.Connect", "10.0.0.1+80" }, { "probe.Call", "work+test.Svc" }
};

START_TEST(in_order)
{
    begin(relays[_i].service, relays[_i].argument);
    passes(near, far, "ask");
    passes(far, near, "answer");
    unik_stream_shut(near);
    ck_assert_int_eq(ending(far), 1);
    passes(far, near, "more");
    onward.exit_code = 3;
    unik_stream_shut(far);
    ck_assert_int_eq(ending(near), 1);
    ck_assert_int_eq(call.exit_code, _i ? 3 : 0);
    end();
}
END_TEST

START_TEST(far_side_breaks)
{
    begin(relays[_i].service, relays[_i].argument);
    passes(far, near, "half");
    unik_stream_abort(far);
    far = NULL;
    ck_assert_int_eq(ending(near), -ECONNRESET);
    ck_assert_int_eq(call.exit_code, _i ? UNIK_QREXEC_LOST : 0);        /* 0: abort() makes 125 of it */
    end();
}
END_TEST

START_TEST(caller_breaks)
{
    begin(relays[_i].service, relays[_i].argument);
    passes(near, far, "half");
    unik_stream_abort(near);
    near = NULL;
    ck_assert_int_eq(ending(far), -ECONNRESET);
    end();
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("relays");

    tcase_add_loop_test(t, in_order, 0, 2);
    tcase_add_loop_test(t, far_side_breaks, 0, 2);
    tcase_add_loop_test(t, caller_breaks, 0, 2);
    return run_case("probe", t);
}
