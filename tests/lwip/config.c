/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/config.c - where addresses come from: the config, QubesDB with keys that are late, wrong or change, DHCP; links that go. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unik/qubesdb.h>

#include "bed.h"

extern const struct unik_plugin unik_plugin_net_lwip;

/* ---- a QubesDB of the test's ---- */

static struct { char path[64], value[64]; } keys[16];
static struct { char path[64]; unik_qubesdb_cb *cb; void *arg; bool used; } watches[16];

static const char *db_read(struct unik_qubesdb *q, const char *path, size_t *len)
{
    (void)q;
    for (size_t i = 0; i < 16; i++)
        if (strcmp(keys[i].path, path) == 0) {
            if (len)
                *len = strlen(keys[i].value);
            return keys[i].value;
        }
    return NULL;
}

static int db_watch(struct unik_qubesdb *q, struct unik_ctx *owner, const char *path, unsigned flags,
                    unik_qubesdb_cb *cb, void *arg, struct unik_qubesdb_watch **out)
{
    (void)q, (void)flags;
    ck_assert_ptr_nonnull(owner);
    for (size_t i = 0; i < 16; i++)
        if (!watches[i].used) {
            snprintf(watches[i].path, sizeof(watches[i].path), "%s", path);
            watches[i].cb = cb;
            watches[i].arg = arg;
            watches[i].used = true;
            *out = (struct unik_qubesdb_watch *)(void *)&watches[i];
            return 0;
        }
    return -ENOSPC;
}

static void db_unwatch(struct unik_qubesdb *q, struct unik_qubesdb_watch *w)
{
    (void)q;
    for (size_t i = 0; i < 16; i++)
        if ((void *)w == (void *)&watches[i])
            watches[i].used = false;
}

static struct unik_qubesdb db = { .size = sizeof(db), .read = db_read, .watch = db_watch, .unwatch = db_unwatch };

/* value NULL: removed. The stack looks at the end of its turn. */
static void key(const char *path, const char *value)
{
    size_t at = 16;

    for (size_t i = 16; i-- > 0;)
        if (strcmp(keys[i].path, path) == 0 || (at == 16 && !keys[i].path[0]))
            at = i;
    for (size_t i = 0; i < 16; i++)
        if (strcmp(keys[i].path, path) == 0)
            at = i;
    ck_assert_uint_lt(at, 16);
    snprintf(keys[at].path, sizeof(keys[at].path), "%s", value ? path : "");
    snprintf(keys[at].value, sizeof(keys[at].value), "%s", value ? value : "");
    for (size_t i = 0; i < 16; i++) {
        size_t n = strlen(watches[i].path);

        if (watches[i].used && (watches[i].path[n - 1] == '/' ? strncmp(watches[i].path, path, n) : strcmp(watches[i].path, path)) == 0)
            watches[i].cb(path, value, value ? strlen(value) : 0, watches[i].arg);
    }
    turn();
    turn();
}

static void begin_qubes(const char *const *options)
{
    memset(keys, 0, sizeof(keys));
    memset(watches, 0, sizeof(watches));
    bed_begin_raw(UNIK_ON_QUBES, 0, options);
    host_publish(bed.h, "qubesdb/1", &db);
    turn();
}

static void end_qubes(void)
{
    host_publish(bed.h, "qubesdb/1", NULL);
    for (size_t i = 0; i < 16; i++)
        ck_assert(!watches[i].used);
    bed_end();
}

static const char *own(unsigned i)
{
    static char text[UNIK_NET_ADDRESS_MAX];

    return bed.net->address(bed.net, i, text) == 0 ? text : "none";
}

static unsigned changes;
static void on_change(void *arg) { (*(unsigned *)arg)++; }

START_TEST(qubesdb)
{
    struct unik_net_watch *w;
    unsigned told = 0;
    struct peer c;
    struct sent *f;

    begin_qubes(NULL);
    ck_assert_int_eq(bed.net->watch(bed.net, NULL, on_change, &told, &w), 0);
    ck_assert_int_eq(host_state(bed.ctx), HOST_STARTING);       /* keys may be late */
    ck_assert_str_eq(host_reason(bed.ctx), "waiting for /qubes-ip");
    ck_assert(!bed.net->up(bed.net));
    listen_at(80);                      /* possible before there is an address */
    key("/qubes-gateway", "10.137.255.254");
    key("/qubes-ip", "10.137.0.500");
    ck_assert_ptr_nonnull(strstr(bed.log, "/qubes-ip = \"10.137.0.500\": not an IPv4 address"));
    ck_assert_str_eq(own(0), "none");
    ck_assert_uint_eq(told, 0);
    key("/qubes-ip", "127.0.0.1");
    ck_assert_ptr_nonnull(strstr(bed.log, "/qubes-ip = \"127.0.0.1\": not an IPv4 address"));
    key("/qubes-ip6", "::1");
    ck_assert_str_eq(own(0), "none");
    key("/qubes-ip6", NULL);
    key("/qubes-ip", US4);
    ck_assert_int_eq(host_state(bed.ctx), HOST_READY);
    ck_assert_str_eq(own(0), US4);
    ck_assert_uint_eq(told, 1);
    key("/qubes-ip6", US6);
    ck_assert_str_eq(own(1), US6);
    ck_assert_uint_eq(told, 2);
    drop_frames();
    /* everybody is behind the gateway, and the gateway is at the fixed MAC: nothing is asked */
    peer_open(&c, false, 4000, 80);
    unik_stream_write(accepted[0].s, "x", 1);
    turn();
    ck_assert_ptr_nonnull(f = peer_next(&c));
    ck_assert_mem_eq(f->bytes, mac_peer, 6);
    /* a new address, while it runs: the listener serves it, the old connection is over */
    key("/qubes-ip", "10.0.0.3");
    ck_assert_str_eq(own(0), "10.0.0.3");
    ck_assert_int_lt(unik_stream_ended(accepted[0].s), 0);
    ck_assert_int_eq(host_state(bed.ctx), HOST_READY);
    key("/qubes-ip", US4);
    drop_frames();
    peer_open(&c, false, 4001, 80);
    ck_assert_uint_eq(n_accepted, 2);
    bed.net->unwatch(bed.net, w);
    end_qubes();
}
END_TEST

START_TEST(qubesdb_extras)
{
    struct end e = { 0 };
    struct sent *f;

    begin_qubes((const char *const[]){ "ipv6=off", NULL });
    key("/qubes-ip", US4);
    key("/qubes-ip6", US6);
    ck_assert_str_eq(own(1), "none");
    drop_frames();
    ck_assert_int_eq(bed.net->connect(bed.net, NULL, "192.0.2.1", 80, end_event, &e, &e.s), 0);
    turn();
    ck_assert_ptr_nonnull(f = next_frame());    /* even without a gateway: there is only one way */
    ck_assert_uint_eq(f->flags, SYN);
    unik_stream_close(e.s);
    turn();
    drop_frames();
    key("/net-config/00:16:3e:5e:6c:00/ip", "10.0.0.9");
    ck_assert_str_eq(own(0), "10.0.0.9");
    key("/net-config/00:16:3e:5e:6c:00/ip", NULL);
    ck_assert_str_eq(own(0), US4);
    /* the daemon in dom0 goes: what was known stays */
    host_publish(bed.h, "qubesdb/1", NULL);
    turn();
    ck_assert_str_eq(own(0), US4);
    ck_assert_int_eq(host_state(bed.ctx), HOST_READY);
    host_publish(bed.h, "qubesdb/1", &db);
    turn();
    ck_assert_str_eq(own(0), US4);
    end_qubes();
}
END_TEST

/* Each key that holds an address, with something else in it: one line names key and value, once; the rest is used as it is. */
START_TEST(bad_keys)
{
    static const struct { const char *key, *value, *good; } rows[] = {
        { "/qubes-gateway", "10.137.255", "10.137.255.254" }, { "/qubes-gateway", "fd00::1", "10.137.255.254" },
        { "/qubes-gateway", "0.0.0.0", "10.137.255.254" }, { "/qubes-primary-dns", "dns.example.org", "10.139.1.1" },
        { "/qubes-secondary-dns", "10.139.1.2 ", "10.139.1.2" }, { "/qubes-gateway6", "10.0.0.1", PEER6 },
        { "/qubes-gateway6", "fd00::1::2", PEER6 }, { "/net-config/00:16:3e:5e:6c:00/gateway", "-", "10.137.255.254" },
        { "/qubes-gateway", "127.0.0.1", "10.137.255.254" }, { "/qubes-gateway", "255.255.255.255", "10.137.255.254" },
        { "/qubes-primary-dns", "127.0.0.53", "10.139.1.1" }, { "/qubes-secondary-dns", "0.0.0.7", "10.139.1.2" },
        { "/qubes-gateway6", "::1", PEER6 }, { "/qubes-gateway6", "::ffff:10.0.0.1", PEER6 }, { "/qubes-gateway6", "ff02::1", PEER6 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[160];

        begin_qubes(NULL);
        key("/qubes-ip6", US6);
        key(rows[i].key, rows[i].value);
        key("/qubes-ip", US4);
        snprintf(line, sizeof(line), "%s = \"%s\": not an IPv%c address", rows[i].key, rows[i].value, strchr(rows[i].key, '6') &&
                 !strchr(rows[i].key, '3') ? '6' : '4');
        ck_assert_msg(strstr(bed.log, line) != NULL, "no line %s in: %s", line, bed.log);
        ck_assert_ptr_null(strstr(strstr(bed.log, line) + 1, line));
        ck_assert_int_eq(host_state(bed.ctx), HOST_READY);
        ck_assert_str_eq(own(0), US4);
        bed.log[0] = 0;
        key("/qubes-primary-dns", "10.139.1.7");        /* read again: what was told is not told again */
        ck_assert(strcmp(rows[i].key, "/qubes-primary-dns") == 0 || !strstr(bed.log, line));
        key(rows[i].key, rows[i].good);
        ck_assert_ptr_null(strstr(bed.log, line));
        end_qubes();
    }
}
END_TEST

START_TEST(bad_options)
{
    static const char *const bad[][4] = {
        { "ipv4=host" }, { "ipv4=static" }, { "ipv6=static" }, { "address=10.0.0.256" }, { "address=10.0.0.1/33" }, { "address=10.0.0.1/" },
        { "address=fd00::1" }, { "address=0x0a.1.1.1" }, { "address6=10.0.0.1" }, { "address6=fd00::/129" }, { "gateway=fd00::1" },
        { "gateway6=1.2.3.4" }, { "dns=one" }, { "dns=1.1.1.1 2.2.2.2 3.3.3.3" }, { "neighbour=12:34" }, { "neighbour=01:00:00:00:00:01" },
        { "neighbour=00:11:22:33:44:5g" }, { "address=127.0.0.1" }, { "address=255.255.255.255" }, { "address=240.0.0.1/24" },
        { "address6=::1" }, { "address6=::ffff:10.0.0.1" }, { "address6=ff02::1" }, { "gateway=127.0.0.1" }, { "gateway=0.0.0.0" },
        { "gateway6=::1" }, { "gateway6=ff02::2" }, { "dns=127.0.0.53" }, { "dns=1.1.1.1 ::1" }
    };
    struct host *h;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct unik_ctx *ctx;

        h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
        ctx = host_add(h, &unik_plugin_net_lwip, bad[i]);

        ck_assert_ptr_nonnull(ctx);
        ck_assert_int_eq(ctx->plugin->check(ctx), -EINVAL);
        host_free(h);
    }
    h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    ck_assert_int_eq(unik_plugin_net_lwip.check(host_add(h, &unik_plugin_net_lwip, (const char *const[]){
        "address=10.0.0.1/24", "gateway=10.1.1.1", "address6=fd00::2/64", "dns=1.1.1.1, fd00::1", "neighbour=ask", NULL })), 0);
    host_free(h);
}
END_TEST

/* The link goes and comes: connections outlive it, and somebody is told. */
START_TEST(link_changes)
{
    struct unik_net_watch *w;
    struct peer c;
    struct sent *f;

    changes = 0;
    bed_begin(0, NULL);
    ck_assert_int_eq(bed.net->watch(bed.net, NULL, on_change, &changes, &w), 0);
    listen_at(80);
    peer_open(&c, false, 4000, 80);
    bed.info.link = false;
    bed.user->changed(bed.user_arg);
    ck_assert_int_eq(host_state(bed.ctx), HOST_DEGRADED);
    ck_assert_str_eq(host_reason(bed.ctx), "the network card has no link");
    ck_assert(!bed.net->up(bed.net));
    ck_assert_uint_eq(changes, 1);
    unik_stream_write(accepted[0].s, "while it was away", 17);
    turn();
    no_frame();
    bed.info.link = true;
    bed.info.mtu = 1400;
    bed.user->changed(bed.user_arg);
    ck_assert_int_eq(host_state(bed.ctx), HOST_READY);
    ck_assert_uint_eq(changes, 2);
    ck_assert_ptr_nonnull(f = next_frame());    /* told to the neighbours */
    ck_assert_uint_eq(f->type, 0x0806);
    do
        f = wait_frame();
    while (f->proto != TCP);
    ck_assert_mem_eq(f->payload, "while it was away", 17);
    c.ack += 17;
    drop_frames();
    accepted[0].echo = true;
    peer_send(&c, ACK | PSH, "back", 4);
    do
        f = wait_frame();
    while (f->proto != TCP);
    ck_assert_mem_eq(f->payload, "back", 4);
    bed_end();
}
END_TEST

/* ---- DHCP: RFC 2131 ---- */

static void dhcp_answer(struct sent *q, unsigned type, const char *address)
{
    static struct packet p;
    uint8_t b[300] = { 2, 1, 6, 0 };
    size_t n = 240;

    memcpy(b + 4, q->payload + 4, 4);
    inet_pton(AF_INET, address, b + 16);
    memcpy(b + 28, mac_us, 6);
    put32(b + 236, 0x63825363);
#define OPTION(...) do { const uint8_t o[] = { __VA_ARGS__ }; memcpy(b + n, o, sizeof(o)); n += sizeof(o); } while (0)
    OPTION(53, 1, (uint8_t)type);
    OPTION(54, 4, 10, 0, 0, 1);
    OPTION(51, 4, 0, 0, 0x0e, 0x10);
    OPTION(1, 4, 255, 255, 255, 0);
    OPTION(3, 4, 10, 0, 0, 1);
    OPTION(6, 8, 10, 0, 0, 53, 10, 0, 0, 54);
    OPTION(255);
    make_udp(&p, false, 67, 68, b, sizeof(b));
    memset(p.bytes + 30, 255, 4);
    fix_sum(&p);
    inject(p.bytes, p.size);
}

static struct sent *dhcp_question(unsigned type)
{
    struct sent *f;

    do
        f = wait_frame();
    while (f->proto != UDP || f->to != 67);
    for (const uint8_t *o = f->payload + 240; *o != 255; o += o[1] + 2)
        if (*o == 53)
            ck_assert_uint_eq(o[2], type);
    return f;
}

START_TEST(dhcp)
{
    static const char good[] = "10.0.0.77";

    bed_begin_raw(UNIK_ON_UNIX, 0, NULL);
    ck_assert_str_eq(host_reason(bed.ctx), "waiting for an address by DHCP");
    dhcp_answer(dhcp_question(1), 2, good);     /* DISCOVER, OFFER */
    dhcp_answer(dhcp_question(3), 5, good);     /* REQUEST, ACK */
    turn();
    ck_assert_int_eq(host_state(bed.ctx), HOST_READY);
    ck_assert_str_eq(own(0), "10.0.0.77");
    drop_frames();
    bed_end();
}
END_TEST

/* A server gives what cannot be an address of ours: there is none. */
START_TEST(dhcp_lies)
{
    bed_begin_raw(UNIK_ON_UNIX, 0, NULL);
    dhcp_answer(dhcp_question(1), 2, "127.0.0.1");
    dhcp_answer(dhcp_question(3), 5, "127.0.0.1");
    turn();
    ck_assert_int_ne(host_state(bed.ctx), HOST_READY);
    ck_assert_str_eq(own(0), "none");
    drop_frames();
    bed_end();
}
END_TEST

TCase *config_tests(void)
{
    TCase *t = tcase_create("config");

    tcase_add_test(t, qubesdb);
    tcase_add_test(t, qubesdb_extras);
    tcase_add_test(t, bad_keys);
    tcase_add_test(t, bad_options);
    tcase_add_test(t, link_changes);
    tcase_add_test(t, dhcp);
    tcase_add_test(t, dhcp_lies);
    return t;
}
