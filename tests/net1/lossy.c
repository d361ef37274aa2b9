/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/net1/lossy.c - net-lwip over a bad line: frames between it and the kernel (a TAP in a network namespace of this process) are
 * lost, doubled, change places and come late, each way, as a generator says that begins with a fixed number. Streams stay whole both
 * ways, the kernel being once the one who connects and once the one who is connected to; with several MTUs, which both use to the
 * last byte. Skipped where there can be no TAP. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unik/nic.h>
#include <unistd.h>

#include "tests/common/own-net.h"
#include "tests/net1/bed.h"

#define BYTES (256 << 10)                  /* each way, of each connection */
#define CONNECTIONS 2
#define FRAME 9014
#define ON_THE_WAY 512                  /* frames at a time; those that find no place are lost, too */
#define LATE 0.004                      /* seconds: every frame takes this ... */
#define LATER 0.003                     /* ... and up to this more, so that some overtake others */
#define LOST 20                         /* of a thousand */
#define TWICE 10

extern const struct unik_plugin unik_plugin_net_lwip;

struct bed bed = { .us = "10.137.0.5", .far = "10.137.255.254", .dns_port = 53 };
static struct unik_ctx *ctx;

/* ---- the line ---- */

struct given {
    struct unik_nic_frame frame;        /* first */
    uint8_t bytes[FRAME];
};

static struct late {
    double at;                          /* when it arrives; 0: an unused place */
    bool out;
    uint64_t number;                    /* of those that left */
    size_t n;
    uint8_t bytes[FRAME];
} late[ON_THE_WAY];
static uint32_t seed;
static unsigned n_lost, n_twice, n_overtook;
static uint64_t n_left, latest[2];      /* frames that left; the latest of these that has arrived, each way */
static int tap = -1;
static ev_io tap_watch;
static ev_timer arrival;
static const struct unik_nic_user *user;
static void *user_arg;
static struct unik_nic_info info = { .link = true, .mac = { 0, 0x16, 0x3e, 0x5e, 0x6c, 0 } };
static size_t longest[2];               /* frame, each way */

static uint32_t chance(uint32_t of)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % of;
}

static void wait_for_next(void)
{
    double first = 0;

    for (int i = 0; i < ON_THE_WAY; i++)
        if (late[i].at && (!first || late[i].at < first))
            first = late[i].at;
    ev_timer_stop(ev_default_loop(0), &arrival);
    if (!first)
        return;
    first -= ev_now(ev_default_loop(0));
    ev_timer_set(&arrival, first > 0 ? first : 0, 0);
    ev_timer_start(ev_default_loop(0), &arrival);
}

static void leave(bool out, const struct iovec *parts, unsigned count, double delay)
{
    for (int i = 0; i < ON_THE_WAY; i++) {
        struct late *l = &late[i];

        if (l->at)
            continue;
        l->at = ev_now(ev_default_loop(0)) + delay;
        l->out = out;
        l->number = ++n_left;
        l->n = 0;
        for (unsigned k = 0; k < count; k++) {
            ck_assert_uint_le(l->n + parts[k].iov_len, FRAME);
            memcpy(l->bytes + l->n, parts[k].iov_base, parts[k].iov_len);
            l->n += parts[k].iov_len;
        }
        wait_for_next();
        return;
    }
    n_lost++;
}

static void travel(bool out, const struct iovec *parts, unsigned count)
{
    size_t n = 0;

    for (unsigned i = 0; i < count; i++)
        n += parts[i].iov_len;
    if (n > longest[out])
        longest[out] = n;
    if (chance(1000) < LOST) {
        n_lost++;
        return;
    }
    leave(out, parts, count, LATE + LATER * chance(1000) / 1000);
    if (chance(1000) < TWICE) {
        n_twice++;
        leave(out, parts, count, LATE + LATER * chance(1000) / 1000);
    }
}

static void arrive(struct late *l)
{
    struct given *g;

    l->at = 0;
    if (l->number < latest[l->out])
        n_overtook++;
    else
        latest[l->out] = l->number;
    if (l->out) {
        ck_assert(write(tap, l->bytes, l->n) == (ssize_t)l->n || errno == EAGAIN || errno == EIO);
        return;
    }
    if (!user)
        return;
    g = calloc(1, sizeof(*g));
    ck_assert_ptr_nonnull(g);
    memcpy(g->bytes, l->bytes, l->n);
    g->frame.n = 1;
    g->frame.parts[0] = (struct iovec){ g->bytes, l->n };
    user->input(user_arg, &g->frame);
    user->input_end(user_arg);
}

static void on_arrival(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)w, (void)revents;
    for (;;) {                          /* in the order of their times */
        struct late *first = NULL;

        for (int i = 0; i < ON_THE_WAY; i++)
            if (late[i].at && late[i].at <= ev_now(loop) && (!first || late[i].at < first->at))
                first = &late[i];
        if (!first)
            break;
        arrive(first);
    }
    wait_for_next();
}

static void on_tap(struct ev_loop *loop, ev_io *w, int revents)
{
    static uint8_t bytes[FRAME];
    ssize_t n;

    (void)loop, (void)w, (void)revents;
    while ((n = read(tap, bytes, sizeof(bytes))) > 0)
        travel(false, &(struct iovec){ bytes, (size_t)n }, 1);
}

/* ---- the card ---- */

static int op_attach(struct unik_nic *n, const struct unik_nic_user *u, void *arg)
{
    (void)n;
    user = u;
    user_arg = arg;
    return 0;
}

static void op_detach(struct unik_nic *n) { (void)n; user = NULL; }
static const struct unik_nic_info *op_info(struct unik_nic *n) { (void)n; return &info; }
static void op_flush(struct unik_nic *n) { (void)n; }
static void op_release(struct unik_nic *n, struct unik_nic_frame *f) { (void)n; free(f); }

static int op_send(struct unik_nic *n, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count)
{
    (void)n, (void)o;
    travel(true, parts, count);
    return 0;
}

static struct unik_nic nic = { .size = sizeof(nic), .attach = op_attach, .detach = op_detach, .info = op_info, .send = op_send,
                               .flush = op_flush, .release = op_release };

void bed_begin(void)
{
    static const char *const options[] = { "ipv4=static", "address=10.137.0.5", "gateway=10.137.255.254", NULL };
    struct ev_loop *loop = ev_default_loop(0);
    struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    char command[200];

    seed = 2463534242u;
    tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    snprintf(r.ifr_name, sizeof(r.ifr_name), "net1");
    ck_assert_int_eq(ioctl(tap, TUNSETIFF, &r), 0);
    snprintf(command, sizeof(command), "ip addr add 10.137.255.254/32 dev net1 && ip link set net1 mtu %u up && "
             "ip route replace 10.137.0.5 dev net1", info.mtu);
    ck_assert_int_eq(system(command), 0);
    ev_io_init(&tap_watch, on_tap, tap, EV_READ);
    ev_io_start(loop, &tap_watch);
    ev_timer_init(&arrival, on_arrival, 0, 0);
    bed.h = host_new(loop, UNIK_ON_UNIX, NULL);
    host_publish(bed.h, "nic/1", &nic);
    ctx = host_add(bed.h, &unik_plugin_net_lwip, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert(host_wait(ctx, HOST_READY, BED_LONG));
    bed.net = host_interface(bed.h, "net/1");
}

void bed_end(void)
{
    struct ev_loop *loop = ev_default_loop(0);

    host_stop_wait(ctx, 60);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    ck_assert_uint_eq(host_counter(ctx, "connections"), 0);
    host_free(bed.h);
    ev_timer_stop(loop, &arrival);
    ev_io_stop(loop, &tap_watch);
    close(tap);
    memset(late, 0, sizeof(late));
}

/* ---- streams ---- */

static uint8_t expected[BYTES];

static struct flow {
    struct end *e;                      /* ours */
    struct end own;
    int fd;                             /* the kernel's */
    size_t sent, got;                   /* by ours */
    size_t far_sent, far_got;
    bool shut, far_shut, far_ended;
} flows[CONNECTIONS];

/* What can be moved now. Both sides say the same BYTES, then end. */
static void move(struct flow *f)
{
    static uint8_t buf[65536];
    const void *bytes;
    ssize_t k;
    size_t n;

    while (f->sent < BYTES && (k = unik_stream_write(f->e->s, expected + f->sent, BYTES - f->sent)) > 0)
        f->sent += (size_t)k;
    if (f->sent == BYTES && !f->shut) {
        ck_assert_int_eq(unik_stream_shut(f->e->s), 0);
        f->shut = true;
    }
    while ((n = unik_stream_peek(f->e->s, &bytes)) > 0) {
        ck_assert_uint_le(f->got + n, BYTES);
        ck_assert_mem_eq(bytes, expected + f->got, n);
        f->got += n;
        unik_stream_consume(f->e->s, n);
    }
    ck_assert_int_ge(unik_stream_ended(f->e->s), 0);    /* not broken */
    while (f->far_sent < BYTES && (k = send(f->fd, expected + f->far_sent, BYTES - f->far_sent, MSG_NOSIGNAL)) > 0)
        f->far_sent += (size_t)k;
    if (f->far_sent == BYTES && !f->far_shut)
        f->far_shut = shutdown(f->fd, SHUT_WR) == 0;
    while ((k = recv(f->fd, buf, sizeof(buf), 0)) > 0) {
        ck_assert_uint_le(f->far_got + (size_t)k, BYTES);
        ck_assert_mem_eq(buf, expected + f->far_got, (size_t)k);
        f->far_got += (size_t)k;
    }
    f->far_ended |= k == 0;
    ck_assert(k == 0 || errno == EAGAIN);
}

static const unsigned mtus[] = { 1500, 1500, 1280, 9000 };

START_TEST(streams)
{
    struct unik_net_listener *l;
    unsigned port, far_port = 0;
    int listener, open = CONNECTIONS;

    info.mtu = mtus[_i];
    longest[0] = longest[1] = 0;
    pattern(expected, 0, BYTES);
    bed_begin();
    l = bed_listen(&port, NULL);
    listener = far_listen(SOCK_STREAM, &far_port);
    memset(flows, 0, sizeof(flows));
    for (int i = 0; i < CONNECTIONS; i++) {
        struct flow *f = &flows[i];

        if (_i & 1) {
            f->fd = far_connect(port);
            f->e = bed_accept();
        } else {
            f->e = &f->own;
            ck_assert_int_eq(bed.net->connect(bed.net, NULL, bed.far, far_port, end_event, f->e, &f->e->s), 0);
            f->fd = far_accept(listener);
            while (!f->e->opens) {
                ck_assert_int_eq(unik_stream_ended(f->e->s), 0);
                end_wait(f->e);
            }
        }
    }
    for (int round = 0; round < 60000 && open; round++) {
        open = 0;
        for (int i = 0; i < CONNECTIONS; i++) {
            struct flow *f = &flows[i];

            move(f);
            open += !f->far_ended || f->got < BYTES || !unik_stream_ended(f->e->s);
        }
        host_run(bed.h, 0.002);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        struct flow *f = &flows[i];

        ck_assert_uint_eq(f->got, BYTES);
        ck_assert_uint_eq(f->far_got, BYTES);
        ck_assert_int_eq(unik_stream_ended(f->e->s), 1);
        unik_stream_close(f->e->s);
        close(f->fd);
    }
    ck_assert_uint_eq(longest[0], info.mtu + 14);
    ck_assert_uint_eq(longest[1], info.mtu + 14);
    if (info.mtu <= 1500)               /* the line was as bad as it should be; of larger frames there are few */
        ck_assert(n_lost > 0 && n_twice > 0 && n_overtook > 0);
    close(listener);
    bed.net->unlisten(bed.net, l);
    bed_end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net1-lossy");
    TCase *t = tcase_create("lossy");

    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, streams, 0, 4);
    suite_add_tcase(s, t);
    return own_net_run(s);
}
