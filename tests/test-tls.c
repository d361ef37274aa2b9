/* SPDX-License-Identifier: BSD-2-Clause */
/* tls/1 between two ends of its own, over streams in memory that come in pieces: handshake, data both ways with back-pressure,
 * every kind of end, certificates that are not to be believed, peers that say nothing or rubbish. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unik/tls.h>

#include "tests/common/ends.h"
#include "tests/common/run.h"
#include "tests/www/mem-stream.h"
#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_tls;

#define LONG 20.0

static char dir[] = "/tmp/unik-tls-XXXXXX";
static struct host *h;
static struct unik_ctx *ctx;
static struct unik_tls *tls;
static char last_line[400];

static struct end server, client;
static struct unik_stream *raw[2];
static const struct mem_options plain;

static void on_log(struct unik_ctx *c, enum unik_level level, const char *line, void *arg)
{
    (void)c, (void)arg;
    if (level <= UNIK_WARNING)
        snprintf(last_line, sizeof(last_line), "%s", line);
}

/* options: rows "key=FILE", the file in dir; or "key=:VALUE" as it is. 0 or the plugin's error. */
static int try(const char *const *options)
{
    static char text[8][256];
    const char *rows[9] = { NULL };

    for (size_t i = 0; options[i]; i++) {
        const char *value = strchr(options[i], '=') + 1;

        if (*value == ':')
            snprintf(text[i], sizeof(text[i]), "%.*s%s", (int)(value - options[i]), options[i], value + 1);
        else
            snprintf(text[i], sizeof(text[i]), "%.*s%s/%s", (int)(value - options[i]), options[i], dir, value);
        rows[i] = text[i];
    }
    last_line[0] = 0;
    h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    host_on_log(h, on_log, NULL);
    ctx = host_add(h, &unik_plugin_tls, rows);
    ck_assert_ptr_nonnull(ctx);
    return host_start(ctx);
}

static const char *const usual[] = { "certificate=server.pem", "key=server.key", "authorities=ca.pem", NULL };

static void begin(const char *const *options)
{
    ck_assert_int_eq(try(options), 0);
    ck_assert_int_eq(host_state(ctx), HOST_READY);
    tls = host_interface(h, "tls/1");
    ck_assert_ptr_nonnull(tls);
}

static void end(void)
{
    host_stop_wait(ctx, LONG);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 0);
    host_free(h);
    for (int i = 0; i < 100 && mem_open; i++)
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    ck_assert_uint_eq(mem_open, 0);
}

static void join(const struct mem_options *o, const char *name)
{
    memset(&server, 0, sizeof(server));
    memset(&client, 0, sizeof(client));
    mem_pair(ev_default_loop(0), o ? o : &plain, raw);
    ck_assert_int_eq(tls->serve(tls, raw[0], end_event, &server, &server.s), 0);
    ck_assert_int_eq(tls->connect(tls, name, raw[1], end_event, &client, &client.s), 0);
    ck_assert_uint_eq(server.opens + client.opens, 0);
}

static void until(const bool *flag)
{
    ck_assert(host_run_until(h, flag, LONG));
}

static void joined(const struct mem_options *o)
{
    join(o, "server.test");
    while (!server.opens || !client.opens) {
        struct end *e = server.opens ? &client : &server;

        e->flag = false;
        until(&e->flag);
        ck_assert_int_eq(unik_stream_ended(e->s), 0);
    }
}

/* Until there is something to read, or the end. */
static void input(struct end *e)
{
    const void *p;

    for (int i = 0; i < 4000 && unik_stream_peek(e->s, &p) == 0 && unik_stream_ended(e->s) == 0; i++)
        host_run(h, 0.005);
    ck_assert(unik_stream_peek(e->s, &p) > 0 || unik_stream_ended(e->s) != 0);
}

static void says(struct end *from, struct end *to, const char *text)
{
    char buf[64] = "";

    ck_assert_int_eq(unik_stream_write(from->s, text, strlen(text)), (ssize_t)strlen(text));
    input(to);
    ck_assert_int_eq(unik_stream_read(to->s, buf, sizeof(buf)), (ssize_t)strlen(text));
    ck_assert_str_eq(buf, text);
}

static void close_both(void)
{
    if (server.s)
        unik_stream_close(server.s);
    if (client.s)
        unik_stream_close(client.s);
}

START_TEST(hello_and_orderly_end)
{
    char c;

    begin(_i ? (const char *const[]){ "certificate=rsa.pem", "key=rsa.key", "authorities=ca.pem", NULL } : usual);
    joined(NULL);
    ck_assert_uint_eq(client.opens, 1);
    ck_assert_str_eq(client.s->peer, raw[1]->peer ? raw[1]->peer : "");
    says(&client, &server, "hello");
    says(&server, &client, "welcome");
    ck_assert_int_eq(unik_stream_read(server.s, &c, 1), -EAGAIN);
    /* One side ends; the other still writes. */
    ck_assert_int_eq(unik_stream_shut(client.s), 0);
    ck_assert_int_eq(unik_stream_write(client.s, "x", 1), -EPIPE);
    ck_assert_uint_eq(unik_stream_room(client.s), 0);
    input(&server);
    ck_assert_int_eq(unik_stream_ended(server.s), 1);
    says(&server, &client, "last words");
    unik_stream_close(server.s);
    server.s = NULL;
    input(&client);
    ck_assert_int_eq(unik_stream_ended(client.s), 1);
    close_both();
    ck_assert_uint_eq(host_counter(ctx, "accepted"), 1);
    ck_assert_uint_eq(host_counter(ctx, "connected"), 1);
    ck_assert_uint_eq(host_counter(ctx, "failed"), 0);
    end();
}
END_TEST

static const struct mem_options pieces[] = { { 0, 0, 0 }, { 0, 1, 0 }, { 600, 500, 7 }, { 100000, 3000, 9 }, { 70, 0, 0 } };

/* Much each way at once through pipes of every width, with readers that take what they like. */
START_TEST(both_ways_in_pieces)
{
    enum { TOTAL = 300000 };
    static uint8_t bytes[40000];
    struct end *ends[2] = { &server, &client };
    size_t written[2] = { 0 }, got[2] = { 0 }, total = pieces[_i].chunk == 1 ? 10000 : TOTAL;
    unsigned seed = 5;

    begin(usual);
    joined(&pieces[_i]);
    for (int turn = 0; turn < 400000 && (got[0] < total || got[1] < total); turn++) {
        for (int i = 0; i < 2; i++) {
            const void *p;
            size_t n = total - written[i] < sizeof(bytes) ? total - written[i] : sizeof(bytes), room = unik_stream_room(ends[i]->s);
            ssize_t k;

            for (size_t at = 0; at < n; at++)
                bytes[at] = (uint8_t)((written[i] + at) * 7 >> 3);
            k = unik_stream_write(ends[i]->s, bytes, n);
            ck_assert_int_ge(k, 0);
            ck_assert_uint_ge((size_t)k, room < n ? room : n);
            written[i] += (size_t)k;
            n = unik_stream_peek(ends[i]->s, &p);
            seed = seed * 1103515245 + 12345;
            n = n ? 1 + seed % n : 0;
            for (size_t at = 0; at < n; at++)
                ck_assert_uint_eq(((const uint8_t *)p)[at], (uint8_t)((got[i] + at) * 7 >> 3));
            unik_stream_consume(ends[i]->s, n);
            got[i] += n;
        }
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    }
    ck_assert_uint_eq(got[0], total);
    ck_assert_uint_eq(got[1], total);
    close_both();
    end();
}
END_TEST

/* A reader that takes nothing: the writer is held up, is told when there is room, and all arrives before the end. */
START_TEST(slow_reader)
{
    static char bytes[65536];
    const void *p;
    size_t written = 0, got = 0, n;
    ssize_t k;

    begin(usual);
    joined(NULL);
    while ((k = unik_stream_write(client.s, bytes, sizeof(bytes))) > 0 || host_run_until(h, &client.flag, 0.05)) {
        client.flag = false;
        written += (size_t)k;
        ck_assert_uint_lt(written, 1 << 20);
    }
    ck_assert_uint_lt(unik_stream_room(client.s), 16384);   /* less than what ROOM would tell of */
    ck_assert_uint_ge(server.inputs, 1);
    client.rooms = 0;
    unik_stream_close(client.s);        /* what was taken is still delivered */
    client.s = NULL;
    while (got < written) {
        input(&server);
        n = unik_stream_peek(server.s, &p);
        ck_assert_uint_gt(n, 0);
        unik_stream_consume(server.s, n);
        got += n;
    }
    input(&server);
    ck_assert_int_eq(unik_stream_ended(server.s), 1);
    close_both();
    end();
}
END_TEST

START_TEST(room_is_told)
{
    static char bytes[65536];
    const void *p;
    size_t n;

    begin(usual);
    joined(NULL);
    while (unik_stream_write(client.s, bytes, sizeof(bytes)) > 0 || host_run_until(h, &client.flag, 0.05))
        client.flag = false;
    client.rooms = 0;
    for (int i = 0; i < 4000 && !client.rooms; i++) {
        if ((n = unik_stream_peek(server.s, &p)) > 0)
            unik_stream_consume(server.s, n);
        host_run(h, 0.005);
    }
    ck_assert_uint_gt(client.rooms, 0);
    ck_assert_uint_gt(unik_stream_room(client.s), 0);
    close_both();
    end();
}
END_TEST

/* The connection below ends without the TLS end: whoever cut it, it is an error, before and after the handshake. */
START_TEST(cut_off)
{
    begin(usual);
    joined(NULL);
    says(&client, &server, "hello");
    mem_break(raw[1], -ETIMEDOUT);
    input(&server);
    ck_assert_int_eq(unik_stream_ended(server.s), -ETIMEDOUT);
    ck_assert_int_eq(unik_stream_write(server.s, "x", 1), -EPIPE);
    close_both();
    memset(&server, 0, sizeof(server));
    mem_pair(ev_default_loop(0), &plain, raw);
    ck_assert_int_eq(tls->serve(tls, raw[0], end_event, &server, &server.s), 0);
    unik_stream_close(raw[1]);
    input(&server);
    ck_assert_int_eq(unik_stream_ended(server.s), -ECONNRESET);
    ck_assert_uint_eq(server.opens, 0);
    unik_stream_close(server.s);
    ck_assert_uint_eq(host_counter(ctx, "failed"), 1);
    end();
}
END_TEST

/* In order below, but not in TLS: an attacker can end a TCP connection. */
START_TEST(truncated)
{
    struct end one = { 0 };
    struct unik_stream *middle[2];
    const void *p;
    size_t n;

    begin(usual);
    mem_pair(ev_default_loop(0), &plain, raw);
    mem_pair(ev_default_loop(0), &plain, middle);
    memset(&server, 0, sizeof(server));
    ck_assert_int_eq(tls->serve(tls, raw[0], end_event, &server, &server.s), 0);
    ck_assert_int_eq(tls->connect(tls, "server.test", middle[1], end_event, &one, &one.s), 0);
    for (int i = 0; i < 4000 && !(server.opens && one.opens); i++) {    /* by hand: raw[1] <-> middle[0] */
        if ((n = unik_stream_peek(raw[1], &p)) > 0)
            unik_stream_consume(raw[1], (size_t)unik_stream_write(middle[0], p, n));
        if ((n = unik_stream_peek(middle[0], &p)) > 0)
            unik_stream_consume(middle[0], (size_t)unik_stream_write(raw[1], p, n));
        host_run(h, 0.002);
    }
    ck_assert(server.opens && one.opens);
    unik_stream_shut(raw[1]);
    input(&server);
    ck_assert_int_eq(unik_stream_ended(server.s), -ECONNRESET);
    unik_stream_write(middle[0], "\x17\x03\x03\x00\x20 this was never sealed by anybody", 37);
    input(&one);
    ck_assert_int_eq(unik_stream_ended(one.s), -EPROTO);
    unik_stream_close(server.s);
    unik_stream_close(one.s);
    unik_stream_close(raw[1]);
    unik_stream_close(middle[0]);
    end();
}
END_TEST

static const struct {
    const char *certificate, *key, *authorities, *name, *line;
} unbelievable[] = {
    { "certificate=server.pem", "key=server.key", "authorities=ca.pem", "other.test", "CN" },
    { "certificate=server.pem", "key=server.key", "authorities=other-ca.pem", "server.test", "trusted" },
    { "certificate=expired.pem", "key=expired.key", "authorities=ca.pem", "server.test", "expired" },
    { "certificate=foreign.pem", "key=foreign.key", "authorities=ca.pem", "server.test", "trusted" },
    { "certificate=server.pem", "key=server.key", "authorities=ca.pem", "a.b.wild.test", "CN" },
    { "certificate=server.pem", "key=server.key", "authorities=ca.pem", "192.0.2.1", "CN" },
    { "certificate=address.pem", "key=address.key", "authorities=ca.pem", "192.0.2.2", "CN" },
    { "certificate=address.pem", "key=address.key", "authorities=ca.pem", "2001:db8::2", "CN" },
    { "certificate=address.pem", "key=address.key", "authorities=ca.pem", "192.0.2.9", "CN" },  /* there as a name only */
    { "certificate=address.pem", "key=address.key", "authorities=ca.pem", "192.0.2.8", "CN" },
    { "certificate=address.pem", "key=address.key", "authorities=other-ca.pem", "192.0.2.1", "trusted" },
};

START_TEST(not_believed)
{
    begin((const char *const[]){ unbelievable[_i].certificate, unbelievable[_i].key, unbelievable[_i].authorities, NULL });
    join(NULL, unbelievable[_i].name);
    input(&client);
    ck_assert_uint_eq(client.opens, 0);
    ck_assert_int_eq(unik_stream_ended(client.s), -EACCES);
    ck_assert_int_eq(unik_stream_write(client.s, "secret", 6), -EPIPE);
    ck_assert_msg(strstr(last_line, unbelievable[_i].line) != NULL, "%s", last_line);
    input(&server);                     /* it is told by an alert */
    ck_assert_int_eq(unik_stream_ended(server.s), -EPROTO);
    close_both();
    ck_assert_uint_eq(host_counter(ctx, "failed"), 2);
    end();
}
END_TEST

START_TEST(wildcard)
{
    begin(usual);
    join(NULL, "a.wild.test");
    until(&client.flag);
    ck_assert_uint_eq(client.opens, 1);
    close_both();
    end();
}
END_TEST

START_TEST(rubbish_from_the_peer)
{
    static const char *const rubbish[] = {
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\xff\xff", "\x80\x2e\x01\x00\x02", "\x15\x03\x03\x00\x02\x02\x28",
        "\x16\x03\x01\x00\x04\x01\x00\x00\x00", "\x17\x03\x03\x00\x05hello",
    };

    begin(usual);
    for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
        char bytes[600] = { 0 };
        size_t n = strlen(rubbish[i]);

        memcpy(bytes, rubbish[i], n);
        mem_pair(ev_default_loop(0), &plain, raw);
        memset(&server, 0, sizeof(server));
        ck_assert_int_eq(tls->serve(tls, raw[0], end_event, &server, &server.s), 0);
        unik_stream_write(raw[1], bytes, sizeof(bytes));
        input(&server);
        ck_assert_int_lt(unik_stream_ended(server.s), 0);
        ck_assert_uint_eq(server.opens, 0);
        unik_stream_close(server.s);
        unik_stream_close(raw[1]);
    }
    end();
}
END_TEST

START_TEST(silent_peer_has_a_deadline)
{
    begin((const char *const[]){ "certificate=server.pem", "key=server.key", "handshake-timeout=:50ms", NULL });
    mem_pair(ev_default_loop(0), &plain, raw);
    memset(&server, 0, sizeof(server));
    ck_assert_int_eq(tls->serve(tls, raw[0], end_event, &server, &server.s), 0);
    until(&server.flag);
    ck_assert_int_eq(unik_stream_ended(server.s), -ETIMEDOUT);
    ck_assert_uint_eq(host_counter(ctx, "timeouts"), 1);
    unik_stream_close(server.s);
    unik_stream_close(raw[1]);
    end();
}
END_TEST

/* Closed with a reader that never reads: gone after linger. */
START_TEST(close_has_a_deadline)
{
    static char bytes[65536];

    begin((const char *const[]){ "certificate=server.pem", "key=server.key", "authorities=ca.pem", "linger=:50ms", NULL });
    joined(NULL);
    while (unik_stream_write(server.s, bytes, sizeof(bytes)) > 0 || host_run_until(h, &server.flag, 0.05))
        server.flag = false;
    unik_stream_close(server.s);
    server.s = NULL;
    for (int i = 0; i < 2000 && host_counter(ctx, "connections") > 1; i++)
        host_run(h, 0.01);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 1);
    close_both();
    end();
}
END_TEST

START_TEST(limits_and_what_is_missing)
{
    struct unik_stream *s = NULL, *one[2];

    begin((const char *const[]){ "certificate=server.pem", "key=server.key", "max-connections=:1", NULL });
    ck_assert(tls->can_serve(tls));
    mem_pair(ev_default_loop(0), &plain, raw);
    ck_assert_int_eq(tls->connect(tls, "server.test", raw[0], NULL, NULL, &s), -ENOENT);     /* nobody to believe */
    ck_assert_int_eq(tls->serve(tls, raw[1], NULL, NULL, &server.s), 0);
    mem_pair(ev_default_loop(0), &plain, one);
    ck_assert_int_eq(tls->serve(tls, one[0], NULL, NULL, &s), -EMFILE);
    ck_assert_uint_eq(host_counter(ctx, "refused"), 1);
    unik_stream_close(one[1]);
    unik_stream_close(server.s);
    end();
    begin((const char *const[]){ "authorities=ca.pem", NULL });
    ck_assert(!tls->can_serve(tls));
    mem_pair(ev_default_loop(0), &plain, raw);
    ck_assert_int_eq(tls->serve(tls, raw[0], NULL, NULL, &s), -ENOENT);
    ck_assert_int_eq(tls->connect(tls, "", raw[1], NULL, NULL, &s), -EINVAL);
    end();
}
END_TEST

/* Never in order, from either side; in the middle, with much under way, behind our own end, and in the handshake. */
START_TEST(aborted)
{
    static char bytes[65536];
    struct end *from = _i & 1 ? &server : &client, *to = _i & 1 ? &client : &server;

    begin(usual);
    joined(&plain);
    says(from, to, "hello");
    if (_i >= 4)
        while (unik_stream_write(from->s, bytes, sizeof(bytes)) > 0)
            ;
    else if (_i >= 2)
        unik_stream_write(from->s, "part", 4);
    unik_stream_abort(from->s);
    from->s = NULL;
    while (unik_stream_ended(to->s) == 0) {
        input(to);
        unik_stream_read(to->s, bytes, sizeof(bytes));
    }
    ck_assert_int_eq(unik_stream_ended(to->s), -ECONNRESET);
    close_both();
    join(NULL, "server.test");
    unik_stream_abort(from->s);
    from->s = NULL;
    input(to);
    ck_assert_int_lt(unik_stream_ended(to->s), 0);
    close_both();
    joined(&plain);
    from->abort_at_once = true;
    unik_stream_write(to->s, "now", 3);
    while (from->s)
        host_run(h, 0.001);
    input(to);
    ck_assert_int_lt(unik_stream_ended(to->s), 0);
    close_both();
    end();
}
END_TEST

/* A name is asked for always, whatever else is missing. */
START_TEST(a_name_is_required)
{
    static char most[257];
    const char *const bad_names[] = { NULL, "", ".", "..", "server.test..", most };
    struct unik_stream *s;

    begin(_i ? (const char *const[]){ "certificate=server.pem", "key=server.key", NULL } : usual);
    memset(most, 'x', 256);
    for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++) {
        mem_pair(ev_default_loop(0), &plain, raw);
        ck_assert_int_eq(tls->connect(tls, bad_names[i], raw[0], NULL, NULL, &s), -EINVAL);
        unik_stream_close(raw[1]);
    }
    if (_i == 0) {
        join(NULL, "server.test.");     /* whole, with its dot */
        until(&client.flag);
        ck_assert_uint_eq(client.opens, 1);
        close_both();
    }
    end();
}
END_TEST

static bool contains(const uint8_t *in, size_t n, const void *what, size_t len)
{
    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(in + i, what, len) == 0)
            return true;
    return false;
}

/* A server named by its address has that in its certificate, in whatever way it is written; the hello does not name it (RFC 6066,
 * 3: "literal IPv4 and IPv6 addresses are not permitted"). */
START_TEST(an_address_is_no_name)
{
    static const char *const names[] = { "192.0.2.1", "2001:db8::1", "2001:0DB8:0::1", "192.0.2.1.", "server.test" };
    static const uint8_t sni[] = { 0, 0, 0, 16, 0, 14, 0, 0, 11, 's', 'e', 'r', 'v', 'e', 'r', '.', 't', 'e', 's', 't' };
    bool address = _i < 4;
    struct unik_stream *s;
    uint8_t hello[2000];
    size_t n = 0;

    begin(address ? (const char *const[]){ "certificate=address.pem", "key=address.key", "authorities=ca.pem", NULL } : usual);
    mem_pair(ev_default_loop(0), &plain, raw);
    ck_assert_int_eq(tls->connect(tls, names[_i], raw[0], NULL, NULL, &s), 0);
    while (n < 5 || n < 5u + (size_t)(hello[3] << 8 | hello[4])) {
        ssize_t k = unik_stream_read(raw[1], hello + n, sizeof(hello) - n);

        n += k > 0 ? (size_t)k : 0;
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    }
    ck_assert_int_eq(contains(hello, n, sni, sizeof(sni)), !address);
    ck_assert(!contains(hello, n, names[_i], 8) || !address);
    unik_stream_close(s);
    unik_stream_close(raw[1]);
    join(NULL, names[_i]);
    until(&client.flag);
    ck_assert_uint_eq(client.opens, 1);
    close_both();
    end();
}
END_TEST

/* The peer learns it from TLS already, whatever carries that (RFC 8446, 6.1): an alert, and only then the reset below. */
START_TEST(abort_sends_an_alert)
{
    struct unik_stream *middle[2];
    struct end one = { 0 };
    size_t n, last = 0;
    const void *p;

    begin(usual);
    mem_pair(ev_default_loop(0), &plain, raw);
    mem_pair(ev_default_loop(0), &plain, middle);
    memset(&server, 0, sizeof(server));
    ck_assert_int_eq(tls->serve(tls, raw[0], end_event, &server, &server.s), 0);
    ck_assert_int_eq(tls->connect(tls, "server.test", middle[1], end_event, &one, &one.s), 0);
    for (int i = 0; i < 4000 && unik_stream_ended(raw[1]) == 0; i++) {  /* by hand: raw[1] <-> middle[0] */
        if ((n = unik_stream_peek(raw[1], &p)) > 0) {
            last = server.s ? 0 : n;
            unik_stream_consume(raw[1], (size_t)unik_stream_write(middle[0], p, n));
        }
        if ((n = unik_stream_peek(middle[0], &p)) > 0)
            unik_stream_consume(middle[0], (size_t)unik_stream_write(raw[1], p, n));
        if (server.s && server.opens && one.opens && n == 0) {
            unik_stream_abort(server.s);
            server.s = NULL;
        }
        if (server.s)
            host_run(h, 0.002);
        else
            ev_run(ev_default_loop(0), EVRUN_ONCE);     /* what one turn brings is looked at before the next */
    }
    ck_assert_int_eq(unik_stream_ended(raw[1]), -ECONNRESET);
    ck_assert_uint_gt(last, 7);         /* a record behind all others, sealed */
    input(&one);
    ck_assert_int_eq(unik_stream_ended(one.s), -ECONNRESET);
    unik_stream_close(one.s);
    unik_stream_close(raw[1]);
    unik_stream_close(middle[0]);
    end();
}
END_TEST

/* ---- records, cut anew on their way ---- */

/* One side's records: those of the handshake that can be read are cut. at: the first piece of each has so many bytes; 0: every byte
 * is a record of its own; -1: all that comes at once is joined. */
struct cutter { uint8_t in[40000]; size_t n; int at; };

static void piece(struct unik_stream *to, const uint8_t *head, const uint8_t *bytes, size_t n)
{
    uint8_t record[5] = { head[0], head[1], head[2], (uint8_t)(n >> 8), (uint8_t)n };

    ck_assert_int_eq(unik_stream_write(to, record, 5), 5);
    ck_assert_int_eq(unik_stream_write(to, bytes, n), (ssize_t)n);
}

static void carry(struct unik_stream *from, struct unik_stream *to, struct cutter *c)
{
    ssize_t k = unik_stream_read(from, c->in + c->n, sizeof(c->in) - c->n);
    size_t size;

    for (c->n += k > 0 ? (size_t)k : 0; c->n >= 5; c->n -= size) {
        size_t n = (size_t)c->in[3] << 8 | c->in[4], first = c->at > 0 && (size_t)c->at < n ? (size_t)c->at : n;

        size = 5 + n;
        if (c->n < size)
            break;
        if (c->in[0] != 22)
            ck_assert_int_eq(unik_stream_write(to, c->in, size), (ssize_t)size);
        else if (c->at == 0)
            for (size_t i = 0; i < n; i++)
                piece(to, c->in, c->in + 5 + i, 1);
        else {
            piece(to, c->in, c->in + 5, first);
            if (first < n)
                piece(to, c->in, c->in + 5 + first, n - first);
        }
        memmove(c->in, c->in + size, c->n - size);
    }
}

static void joined_through(int at)
{
    static struct cutter there, back;
    struct unik_stream *middle[2];
    struct end *ends[2] = { &server, &client };

    memset(&server, 0, sizeof(server));
    memset(&client, 0, sizeof(client));
    there = back = (struct cutter){ .at = at };
    mem_pair(ev_default_loop(0), &plain, raw);
    mem_pair(ev_default_loop(0), &plain, middle);
    ck_assert_int_eq(tls->serve(tls, raw[0], end_event, &server, &server.s), 0);
    ck_assert_int_eq(tls->connect(tls, "server.test", middle[1], end_event, &client, &client.s), 0);
    for (int i = 0; i < 100000 && !(server.opens && client.opens); i++) {
        ck_assert_msg(unik_stream_ended(server.s) == 0 && unik_stream_ended(client.s) == 0, "cut at %d: %d, %d", at,
                      unik_stream_ended(server.s), unik_stream_ended(client.s));
        carry(middle[0], raw[1], &there);
        carry(raw[1], middle[0], &back);
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(ends[i]->opens, 1);
        unik_stream_close(ends[i]->s);
    }
    unik_stream_close(raw[1]);
    unik_stream_close(middle[0]);
}

START_TEST(hello_cut_everywhere)
{
    begin(usual);
    for (int at = 0; at < 260; at++)
        joined_through(at);
    end();
}
END_TEST

/* What a rubbish peer is told: the last bytes that it gets, an alert in the clear. */
static const struct {
    const char *bytes;
    size_t n;
    uint8_t alert;
} told[] = {
    { "GET / HTTP/1.1\r\n\r\n", 18, 10 },                                               /* unexpected_message */
    { "\x16\x04\x01\x00\x04\x01\x00\x00\x00", 9, 70 },                                    /* protocol_version */
    { "\x16\x03\x01\xff\xff", 5, 22 },                                                    /* record_overflow */
    { "\x16\x03\x01\x00\x00", 5, 50 },                                                    /* decode_error: empty */
    { "\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9, 50 },                                    /* no hello in it */
    { "\x16\x03\x01\x00\x02\x01\x00\x17\x03\x03\x00\x01x", 13, 50 },                    /* data inside of a message */
    { "\x17\x03\x03\x00\x05hello", 10, 10 },
    { "\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9, 10 },                                    /* a ServerHello */
    { "\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9, 0 },                                     /* the rest may come yet, or not */
};

START_TEST(rubbish_is_told_why)
{
    uint8_t got[64];
    ssize_t n = 0, k;

    begin(usual);
    mem_pair(ev_default_loop(0), &plain, raw);
    memset(&server, 0, sizeof(server));
    ck_assert_int_eq(tls->serve(tls, raw[0], end_event, &server, &server.s), 0);
    unik_stream_write(raw[1], told[_i].bytes, told[_i].n);
    for (int i = 0; i < 200 && n < 7; i++) {
        host_run(h, told[_i].alert ? 0.02 : 0.0005);
        k = unik_stream_read(raw[1], got + n, sizeof(got) - (size_t)n);
        n += k > 0 ? k : 0;
    }
    ck_assert_int_eq(n, told[_i].alert ? 7 : 0);
    if (n) {
        ck_assert_int_eq(got[0], 21);
        ck_assert_int_eq(got[5], 2);
        ck_assert_int_eq(got[6], told[_i].alert);
        ck_assert_int_eq(unik_stream_ended(server.s), -EPROTO);
    }
    unik_stream_close(server.s);
    unik_stream_close(raw[1]);
    end();
}
END_TEST

START_TEST(close_inside_callbacks)
{
    begin(usual);
    for (int who = 0; who < 4; who++) {
        join(NULL, "server.test");
        server.close_at_once = who & 1;
        client.close_at_once = who & 2;
        if (who == 0)                   /* before anything */
            unik_stream_close(client.s), client.s = NULL;
        if (who != 2)
            until(&server.flag);
        if (who != 0)
            until(&client.flag);
        close_both();
        host_run(h, 0.01);
    }
    end();
}
END_TEST

START_TEST(stops_with_connections)
{
    begin(usual);
    joined(NULL);
    host_stop_wait(ctx, LONG);
    ck_assert_ptr_nonnull(strstr(last_line, "nobody had closed"));
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    host_free(h);
}
END_TEST

static const struct {
    const char *options[4], *line;
} bad[] = {
    { { "certificate=server.pem", NULL }, "certificate without key" },
    { { "key=server.key", NULL }, "key without certificate" },
    { { "certificate=nowhere.pem", "key=server.key", NULL }, "nowhere.pem" },
    { { "certificate=junk.pem", "key=server.key", NULL }, "junk.pem" },
    { { "certificate=server.pem", "key=junk.pem", NULL }, "junk.pem" },
    { { "certificate=server.pem", "key=rsa.key", NULL }, "not the key of" },
    { { "authorities=junk.pem", NULL }, "junk.pem" },
};

START_TEST(bad_files)
{
    ck_assert_int_lt(try(bad[_i].options), 0);
    ck_assert_msg(strstr(last_line, bad[_i].line) != NULL, "%s", last_line);
    host_free(h);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("tls");
    char command[4096];
    int failed;

    if (system("command -v openssl >/dev/null") != 0) {
        printf("skipped: no openssl to make certificates with\n");
        return 77;
    }
    if (!mkdtemp(dir))
        return 99;
    snprintf(command, sizeof(command), "'%s/tests/tls/certificates.sh' %s", getenv("UNIK_SOURCE") ? getenv("UNIK_SOURCE") : ".", dir);
    failed = system(command);
    tcase_add_loop_test(t, hello_and_orderly_end, 0, 2);
    tcase_add_loop_test(t, both_ways_in_pieces, 0, sizeof(pieces) / sizeof(pieces[0]));
    tcase_add_test(t, slow_reader);
    tcase_add_test(t, room_is_told);
    tcase_add_test(t, cut_off);
    tcase_add_test(t, truncated);
    tcase_add_loop_test(t, not_believed, 0, sizeof(unbelievable) / sizeof(unbelievable[0]));
    tcase_add_test(t, wildcard);
    tcase_add_test(t, rubbish_from_the_peer);
    tcase_add_test(t, silent_peer_has_a_deadline);
    tcase_add_test(t, close_has_a_deadline);
    tcase_add_test(t, limits_and_what_is_missing);
    tcase_add_loop_test(t, aborted, 0, 6);
    tcase_add_test(t, abort_sends_an_alert);
    tcase_add_loop_test(t, a_name_is_required, 0, 2);
    tcase_add_loop_test(t, an_address_is_no_name, 0, 5);
    tcase_add_test(t, hello_cut_everywhere);
    tcase_add_loop_test(t, rubbish_is_told_why, 0, sizeof(told) / sizeof(told[0]));
    tcase_add_test(t, close_inside_callbacks);
    tcase_add_test(t, stops_with_connections);
    tcase_add_loop_test(t, bad_files, 0, sizeof(bad) / sizeof(bad[0]));
    failed |= run_case("tls", t);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command) != 0 || failed;
}
