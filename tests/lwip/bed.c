/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lwip/bed.c - the card of the tests, and net-lwip on it. */
#include <stdlib.h>
#include <string.h>

#include "bed.h"

extern const struct unik_plugin unik_plugin_net_lwip;

struct bed bed;
struct end accepted[64];
unsigned n_accepted;

/* A frame that is with the stack: each part in memory of its own, so that the sanitizer sees what reads beyond it. */
struct given {
    struct unik_nic_frame frame;
    void *memory[UNIK_NIC_PARTS];
};

static int op_attach(struct unik_nic *n, const struct unik_nic_user *user, void *arg)
{
    (void)n;
    bed.user = user;
    bed.user_arg = arg;
    return 0;
}

static void op_detach(struct unik_nic *n)
{
    (void)n;
    bed.user = NULL;
}

static const struct unik_nic_info *op_info(struct unik_nic *n)
{
    (void)n;
    return &bed.info;
}

static int op_send(struct unik_nic *n, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count_of)
{
    struct sent *f;

    (void)n;
    ck_assert_uint_ge(count_of, 1);
    ck_assert_uint_le(count_of, UNIK_NIC_PARTS);
    if (!bed.info.link)
        return -ENETDOWN;
    if (bed.room == 0)
        return -EAGAIN;
    bed.room--;
    f = calloc(1, sizeof(*f));
    ck_assert_ptr_nonnull(f);
    if (o)
        f->offloads = *o;
    ck_assert_uint_eq(f->offloads.flags & ~bed.info.offloads, 0);
    for (unsigned i = 0; i < count_of; i++)
        f->size += parts[i].iov_len;
    ck_assert_uint_le(f->size, UNIK_NIC_FRAME_MAX);
    f->bytes = malloc(f->size);
    for (size_t i = 0, at = 0; i < count_of; at += parts[i++].iov_len)
        memcpy(f->bytes + at, parts[i].iov_base, parts[i].iov_len);
    ck_assert_uint_ge(f->size, 14);
    ck_assert_mem_eq(f->bytes + 6, bed.info.mac, 6);
    parse_frame(f);
    if (f->type == 0x0800 || f->type == 0x86dd)
        ck_assert((size_t)(f->l4 - f->bytes) <= parts[0].iov_len);     /* the first part holds the headers */
    *bed.last = f;
    bed.last = &f->next;
    bed.n_sent++;
    return 0;
}

static void op_flush(struct unik_nic *n)
{
    (void)n;
    bed.n_flushes++;
}

static void op_release(struct unik_nic *n, struct unik_nic_frame *frame)
{
    struct given *g = (struct given *)(void *)frame;

    (void)n;
    for (unsigned i = 0; i < frame->n; i++)
        free(g->memory[i]);
    free(g);
    bed.n_held--;
}

void inject_with(const void *frame, size_t size, const struct unik_nic_offloads *o, unsigned parts, bool shared)
{
    struct given *g = calloc(1, sizeof(*g));
    const uint8_t *from = frame;

    ck_assert_ptr_nonnull(g);
    ck_assert_ptr_nonnull(bed.user);
    if (o)
        g->frame.offloads = *o;
    g->frame.n = parts;
    g->frame.shared = shared;
    for (unsigned i = 0; i < parts; i++) {
        size_t k = i + 1 == parts ? size : i == 0 && size > UNIK_NIC_PRIVATE ? UNIK_NIC_PRIVATE : size / (parts - i);

        g->memory[i] = malloc(k ? k : 1);
        memcpy(g->memory[i], from, k);
        g->frame.parts[i] = (struct iovec){ g->memory[i], k };
        from += k;
        size -= k;
    }
    bed.given = g->memory[0];
    bed.given_size = g->frame.parts[0].iov_len;
    bed.n_held++;
    bed.user->input(bed.user_arg, &g->frame);
    bed.user->input_end(bed.user_arg);
}

void inject(const void *frame, size_t size) { inject_with(frame, size, NULL, 1, false); }

static void free_sent(struct sent *f)
{
    if (f) {
        free(f->bytes);
        free(f);
    }
}

struct sent *next_frame(void)
{
    static struct sent *before;
    struct sent *f = bed.first;

    free_sent(before);
    before = f;
    if (!f)
        return NULL;
    bed.first = f->next;
    if (!bed.first)
        bed.last = &bed.first;
    return f;
}

void no_frame(void)
{
    struct sent *f = next_frame();

    if (f)
        ck_abort_msg("a frame that should not be: type %04x, protocol %u, flags %02x, %zu bytes", f->type, f->proto, f->flags, f->size);
}

void drop_frames(void)
{
    while (next_frame())
        ;
}

struct sent *wait_frame(void)
{
    double until = ev_time() + LONG;

    while (!bed.first && ev_time() < until)
        host_run(bed.h, 0.02);
    ck_assert_ptr_nonnull(bed.first);
    return next_frame();
}

static void on_log(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    size_t n = strlen(bed.log);

    (void)ctx, (void)arg, (void)level;
    if (n + strlen(line) + 2 > sizeof(bed.log))
        n = 0;
    snprintf(bed.log + n, sizeof(bed.log) - n, "%s\n", line);
}

void bed_begin_raw(unsigned target, unsigned offloads, const char *const *options)
{
    memset(&bed, 0, sizeof(bed));
    bed.last = &bed.first;
    bed.room = 1u << 30;
    bed.nic = (struct unik_nic){ .size = sizeof(bed.nic), .attach = op_attach, .detach = op_detach, .info = op_info, .send = op_send,
                                 .flush = op_flush, .release = op_release };
    bed.info = (struct unik_nic_info){ .link = true, .mtu = 1500, .offloads = offloads };
    memcpy(bed.info.mac, mac_us, 6);
    memset(accepted, 0, sizeof(accepted));
    n_accepted = 0;
    bed.h = host_new(ev_default_loop(0), target, NULL);
    host_on_log(bed.h, on_log, NULL);
    bed.ctx = host_add(bed.h, &unik_plugin_net_lwip, options);
    ck_assert_ptr_nonnull(bed.ctx);
    host_publish(bed.h, "nic/1", &bed.nic);
    ck_assert_int_eq(host_start(bed.ctx), 0);
    bed.net = host_interface(bed.h, "net/1");
    ck_assert_ptr_nonnull(bed.net);
    turn();
}

void bed_begin(unsigned offloads, const char *const *options)
{
    const char *all[20] = { "ipv4=static", "address=" US4, "gateway=" PEER4, "address6=" US6, "gateway6=" PEER6, "dns=" PEER4,
                            "neighbour=fe:ff:ff:ff:ff:ff" };

    for (size_t i = 7; options && *options && i < 19;)
        all[i++] = *options++;
    bed_begin_raw(UNIK_ON_QUBES, offloads, all);
    ck_assert_int_eq(host_state(bed.ctx), HOST_READY);
    drop_frames();                      /* our addresses, announced */
}

void bed_end(void)
{
    for (unsigned i = 0; i < n_accepted && i < 64; i++)
        if (accepted[i].s)
            unik_stream_close(accepted[i].s);
    host_stop_wait(bed.ctx, 0.01);      /* connections that linger are abandoned */
    ck_assert_uint_eq(bed.n_held, 0);   /* the stack keeps nothing of the card's */
    ck_assert_int_eq(host_state(bed.ctx), HOST_STOPPED);
    ck_assert_uint_eq(count("connections"), 0);
    ck_assert_uint_eq(count("half_open"), 0);
    host_free(bed.h);
    drop_frames();
}

void turn(void) { ev_run(ev_default_loop(0), EVRUN_NOWAIT); }
uint64_t count(const char *name) { return host_counter(bed.ctx, name); }

void end_event(struct unik_stream *s, unsigned events, void *arg)
{
    struct end *e = arg;
    const void *bytes;
    size_t n;

    ck_assert_ptr_eq(s, e->s);
    e->opens += (events & UNIK_STREAM_OPEN) != 0;
    e->inputs += (events & UNIK_STREAM_INPUT) != 0;
    e->rooms += (events & UNIK_STREAM_ROOM) != 0;
    while ((e->echo || e->read) && (n = unik_stream_peek(s, &bytes)) > 0) {
        if (e->echo) {
            ssize_t k = unik_stream_write(s, bytes, n);

            if (k <= 0)
                break;
            n = (size_t)k;
        } else {
            ck_assert(is_pattern(bytes, e->got, n));
        }
        e->got += n;
        unik_stream_consume(s, n);
    }
    if (e->close_at_end && unik_stream_peek(s, &bytes) == 0 && unik_stream_ended(s)) {
        unik_stream_close(s);
        e->s = NULL;
    }
}

static void on_accept(struct unik_stream *s, void *arg)
{
    struct end *e = &accepted[n_accepted++ % 64];

    (void)arg;
    memset(e, 0, sizeof(*e));
    e->s = s;
    unik_stream_on(s, end_event, e);
}

struct unik_net_listener *listen_at(unsigned port)
{
    struct unik_net_listener *l = NULL;

    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", &port, 16, on_accept, NULL, &l), 0);
    return l;
}
