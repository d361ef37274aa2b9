/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/tap/frames.c - the card: frames between a TUN/TAP descriptor and nic/1.
 *
 * Each frame of the descriptor begins with a struct virtio_net_hdr_v1 (Virtio 1.1, 5.1.6): which checksum is not filled in, and how a
 * frame larger than the MTU is to be cut. The kernel takes and gives such frames as its own network code does. It is trusted;
 * the bytes of frames are *from the network*. */
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

#define ROOM (17u * 4096)               /* TAP_HEADER and UNIK_NIC_FRAME_MAX; touched only as far as frames are long */

_Static_assert(sizeof(struct virtio_net_hdr_v1) == TAP_HEADER, "the header's size");
_Static_assert(ROOM >= TAP_HEADER + UNIK_NIC_FRAME_MAX, "a frame fits");

static struct tap *of(struct unik_nic *n) { return (struct tap *)(void *)n; }

int tap_frames_init(struct tap *t)
{
    t->memory = mmap(NULL, (size_t)TAP_FRAMES * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t->memory == MAP_FAILED) {
        t->memory = NULL;
        return -ENOMEM;
    }
    for (unsigned i = TAP_FRAMES; i-- > 0;) {
        t->frames[i].memory = t->memory + (size_t)i * ROOM;
        t->frames[i].next = t->unused;
        t->unused = &t->frames[i];
    }
    return 0;
}

void tap_frames_free(struct tap *t)
{
    if (t->memory)
        munmap(t->memory, (size_t)TAP_FRAMES * ROOM);
    t->memory = NULL;
}

static void watch(struct tap *t)
{
    int events = t->io.fd < 0 ? 0 : (t->user && t->unused ? EV_READ : 0) | (t->want_room ? EV_WRITE : 0);

    if (ev_is_active(&t->io) ? (t->io.events & (EV_READ | EV_WRITE)) == events : !events)
        return;
    ev_io_stop(t->ctx->loop, &t->io);
    ev_io_modify(&t->io, events);
    if (events)
        ev_io_start(t->ctx->loop, &t->io);
}

/* ---- in ---- */

static bool decode(const struct virtio_net_hdr_v1 *h, struct unik_nic_offloads *o)
{
    memset(o, 0, sizeof(*o));
    if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        o->flags |= UNIK_NIC_SUM;
    if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID)
        o->flags |= UNIK_NIC_SUM_GOOD;
    switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        o->flags |= UNIK_NIC_TSO4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        o->flags |= UNIK_NIC_TSO6;
        break;
    default:
        return false;                   /* not asked for */
    }
    o->mss = h->gso_size;
    return true;
}

/* One frame: false if there is none. */
static bool receive(struct tap *t)
{
    struct tap_frame *f = t->unused;
    struct virtio_net_hdr_v1 h;
    ssize_t k = read(t->io.fd, f->memory, ROOM);

    if (k < 0) {
        if (errno != EAGAIN && errno != EINTR)
            t->ctx->counters[TAP_BAD]++;
        return false;
    }
    if ((size_t)k <= TAP_HEADER || (size_t)k > TAP_HEADER + UNIK_NIC_FRAME_MAX) {
        t->ctx->counters[TAP_BAD]++;
        return k > 0;
    }
    memcpy(&h, f->memory, sizeof(h));
    if (!decode(&h, &f->frame.offloads)) {
        t->ctx->counters[TAP_BAD]++;
        return true;
    }
    t->ctx->counters[TAP_IN]++;
    t->ctx->counters[TAP_BYTES_IN] += (size_t)k - TAP_HEADER;
    f->frame.n = 1;
    f->frame.parts[0] = (struct iovec){ f->memory + TAP_HEADER, (size_t)k - TAP_HEADER };
    f->frame.shared = false;
    t->unused = f->next;
    f->out = true;
    if (++t->n_out > t->ctx->counters[TAP_HELD_HIGH])
        t->ctx->counters[TAP_HELD_HIGH] = t->n_out;
    t->user->input(t->arg, &f->frame);
    return true;
}

static void on_io(struct ev_loop *loop, ev_io *w, int revents)
{
    struct tap *t = w->data;
    int n = 0;

    (void)loop;
    if ((revents & EV_WRITE) && t->want_room) {
        t->want_room = false;
        if (t->user)
            t->user->room(t->arg);
    }
    while ((revents & EV_READ) && n < TAP_TURN && t->user && t->unused && t->io.fd >= 0 && receive(t))
        n++;
    if (n && t->user)
        t->user->input_end(t->arg);
    watch(t);
}

static void op_release(struct unik_nic *nic, struct unik_nic_frame *frame)
{
    struct tap_frame *f = (struct tap_frame *)(void *)frame;
    struct tap *t = of(nic);

    f->out = false;
    t->n_out--;
    f->next = t->unused;
    t->unused = f;
    if (!f->next)
        watch(t);                       /* there was none to read into */
}

/* ---- out ---- */

static int op_send(struct unik_nic *nic, const struct unik_nic_offloads *o, const struct iovec *parts, unsigned count)
{
    struct virtio_net_hdr_v1 h = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
    struct iovec v[UNIK_NIC_PARTS + 1];
    struct tap *t = of(nic);
    size_t size = 0;
    ssize_t k;

    if (t->io.fd < 0)
        return -ENETDOWN;
    if (count == 0 || count > UNIK_NIC_PARTS)
        return -EINVAL;
    v[0] = (struct iovec){ &h, sizeof(h) };
    for (unsigned i = 0; i < count; i++) {
        v[i + 1] = parts[i];
        size += parts[i].iov_len;
    }
    if (size > UNIK_NIC_FRAME_MAX)
        return -EMSGSIZE;
    if (o && (o->flags & UNIK_NIC_SUM)) {
        h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h.csum_start = o->sum_start;
        h.csum_offset = o->sum_offset;
    }
    if (o && (o->flags & (UNIK_NIC_TSO4 | UNIK_NIC_TSO6))) {
        h.gso_type = o->flags & UNIK_NIC_TSO4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
        h.gso_size = o->mss;
        h.hdr_len = (uint16_t)(parts[0].iov_len < 65535 ? parts[0].iov_len : 65535);
    }
    k = writev(t->io.fd, v, (int)count + 1);
    if (k < 0 && (errno == EAGAIN || errno == EINTR)) {
        t->ctx->counters[TAP_FULL]++;
        t->want_room = true;
        watch(t);
        return -EAGAIN;
    }
    if (k < 0) {
        t->ctx->counters[TAP_LOST]++;   /* the device is down, or took offence: lost, as on a wire */
        return 0;
    }
    t->ctx->counters[TAP_OUT]++;
    t->ctx->counters[TAP_BYTES_OUT] += size;
    return 0;
}

static void op_flush(struct unik_nic *nic) { (void)nic; }      /* each write has left */

/* ---- the user ---- */

static int op_attach(struct unik_nic *nic, const struct unik_nic_user *user, void *arg)
{
    struct tap *t = of(nic);

    if (t->user)
        return -EBUSY;
    t->user = user;
    t->arg = arg;
    watch(t);
    return 0;
}

static void op_detach(struct unik_nic *nic)
{
    struct tap *t = of(nic);

    t->user = NULL;
    t->want_room = false;
    for (unsigned i = 0; i < TAP_FRAMES; i++)
        if (t->frames[i].out)
            op_release(nic, &t->frames[i].frame);
    watch(t);
}

static const struct unik_nic_info *op_info(struct unik_nic *nic) { return &of(nic)->info; }

void tap_link(struct tap *t, int fd)
{
    ev_io_stop(t->ctx->loop, &t->io);
    if (t->io.fd >= 0)
        close(t->io.fd);
    ev_io_init(&t->io, on_io, fd, 0);
    t->io.data = t;
    t->want_room = false;
    t->info.link = fd >= 0;
    t->nic = (struct unik_nic){ .size = sizeof(t->nic), .attach = op_attach, .detach = op_detach, .info = op_info, .send = op_send,
                                .flush = op_flush, .release = op_release };
    watch(t);
    if (fd >= 0)
        t->ctx->counters[TAP_LINKS]++;
    if (t->user)
        t->user->changed(t->arg);
}
