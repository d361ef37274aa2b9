/* SPDX-License-Identifier: BSD-2-Clause */
/* tap over a real TAP, in a network namespace of this process: frames both ways as they are, those that need work by a card, a link
 * that goes and comes, what it refuses. The descriptor by name, and from somebody who hands it over. Without a namespace: only what can
 * go wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <unik/nic.h>

#include "tests/common/own-net.h"
#include "tests/common/run.h"
#include "tools/host/host.h"

#define LONG 20.0
#define OURS 0x88b5                     /* an Ethernet type for experiments: nobody else sends it */

extern const struct unik_plugin unik_plugin_tap;

static const char *no_tap;              /* why there can be none */
static struct host *h;
static struct unik_ctx *ctx;
static struct unik_nic *nic;
static char lines[4000];
static struct {
    unsigned frames, ends, changes;
    uint8_t bytes[70000];               /* the last one */
    size_t n;
    struct unik_nic_offloads offloads;
    bool keep;                          /* do not give them back */
    struct unik_nic_frame *kept[UNIK_NIC_HOLD];
    unsigned n_kept;
} got;

static void on_log(struct unik_ctx *c, enum unik_level level, const char *line, void *arg)
{
    size_t n = strlen(lines);

    (void)c, (void)level, (void)arg;
    snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static bool is_ours(const struct unik_nic_frame *f)
{
    const uint8_t *b = f->parts[0].iov_base;

    return f->parts[0].iov_len >= 14 && (b[12] << 8 | b[13]) == OURS;
}

/* The kernel has things of its own to say on a new link: they are not counted. */
static void on_input(void *arg, struct unik_nic_frame *f)
{
    (void)arg;
    ck_assert_uint_eq(f->n, 1);
    if (is_ours(f)) {
        got.n = f->parts[0].iov_len;
        memcpy(got.bytes, f->parts[0].iov_base, got.n);
        got.offloads = f->offloads;
        got.frames++;
        if (got.keep) {
            got.kept[got.n_kept++] = f;
            return;
        }
    }
    nic->release(nic, f);
}

static void on_end(void *arg) { (void)arg; got.ends++; }
static void on_room(void *arg) { (void)arg; }
static void on_changed(void *arg) { (void)arg; got.changes++; }
static const struct unik_nic_user user = { .size = sizeof(user), .input = on_input, .input_end = on_end, .room = on_room, .changed = on_changed };

static int try(const char *const *options)
{
    memset(&got, 0, sizeof(got));
    lines[0] = 0;
    h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    host_on_log(h, on_log, NULL);
    ctx = host_add(h, &unik_plugin_tap, options);
    ck_assert_ptr_nonnull(ctx);
    return host_start(ctx);
}

static void begin(const char *const *options)
{
    ck_assert_int_eq(try(options), 0);
    ck_assert_int_eq(host_state(ctx), HOST_READY);      /* with or without a link: a user waits for that */
    nic = host_interface(h, "nic/1");
    ck_assert_ptr_nonnull(nic);
}

static void end(void)
{
    host_stop_wait(ctx, LONG);
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    host_free(h);
}

#define UNTIL(what) do { \
    bool is_so = (what); \
    for (int tries = 0; tries < 4000 && !is_so; is_so = (what), tries++) \
        host_run(h, 0.005); \
    ck_assert_msg(is_so, "never: %s", #what); \
} while (0)

/* ---- the kernel's end ---- */

static void up(const char *name)
{
    struct ifreq r = { 0 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    ck_assert_int_eq(ioctl(fd, SIOCGIFFLAGS, &r), 0);
    r.ifr_flags |= IFF_UP;
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &r), 0);
    close(fd);
}

static int far(const char *name)
{
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(OURS), .sll_ifindex = (int)if_nametoindex(name) };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(OURS));

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static size_t frame(uint8_t *to, size_t n, unsigned seed)
{
    memset(to, 0, n);
    memcpy(to, "\x00\x16\x3e\x5e\x6c\x00\xfe\xff\xff\xff\xff\xff", 12);
    to[12] = OURS >> 8, to[13] = OURS & 255;
    for (size_t i = 14; i < n; i++)
        to[i] = (uint8_t)(i * 7 + seed);
    return n;
}

static int new_tap(const char *name)
{
    struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open("/dev/net/tun", O_RDWR);

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &r) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static const char *const by_name[] = { "device=tap0", "mac=02:00:00:00:00:07", "mtu=4000", NULL };

START_TEST(frames)
{
    static uint8_t out[9000], back[9000];
    const struct unik_nic_info *i;
    struct iovec parts[3];
    int fd;

    begin(by_name);
    i = nic->info(nic);
    ck_assert(i->link && i->mtu == 4000);
    ck_assert_mem_eq(i->mac, "\2\0\0\0\0\7", 6);
    ck_assert_uint_eq(i->offloads, UNIK_NIC_SUM | UNIK_NIC_TSO4 | UNIK_NIC_TSO6);
    ck_assert_int_eq(nic->attach(nic, &user, NULL), 0);
    ck_assert_int_eq(nic->attach(nic, &user, NULL), -EBUSY);
    /* the device is not up: what is sent is lost, as on a wire */
    frame(out, 100, 1);
    parts[0] = (struct iovec){ out, 100 };
    ck_assert_int_eq(nic->send(nic, NULL, parts, 1), 0);
    ck_assert_uint_eq(host_counter(ctx, "lost"), 1);
    up("tap0");
    fd = far("tap0");
    /* out: in one piece, and in three */
    for (unsigned k = 0; k < 2; k++) {
        ssize_t n = -1;

        frame(out, 1400, k);
        parts[0] = (struct iovec){ out, k ? 20 : 1400 };
        parts[1] = (struct iovec){ out + 20, 0 };
        parts[2] = (struct iovec){ out + 20, 1380 };
        ck_assert_int_eq(nic->send(nic, NULL, parts, k ? 3 : 1), 0);
        nic->flush(nic);
        UNTIL((n = recv(fd, back, sizeof(back), 0)) > 0);
        ck_assert_int_eq(n, 1400);
        ck_assert_mem_eq(back, out, 1400);
    }
    /* in: several at once, and the end of the turn is told */
    for (unsigned k = 0; k < 5; k++)
        ck_assert_int_eq(send(fd, out, frame(out, 60 + k, k), 0), (int)(60 + k));
    UNTIL(got.frames == 5);
    ck_assert_uint_eq(got.n, 64);
    ck_assert_mem_eq(got.bytes, out, 64);
    UNTIL(got.ends >= 1);
    ck_assert_uint_eq(got.offloads.flags & (UNIK_NIC_TSO4 | UNIK_NIC_TSO6), 0);
    ck_assert_uint_ge(host_counter(ctx, "frames_in"), 5);
    ck_assert_uint_eq(host_counter(ctx, "frames_out"), 2);
    close(fd);
    nic->detach(nic);
    end();
}
END_TEST

/* What cannot be sent is refused, and nothing of it leaves. */
START_TEST(refused)
{
    static uint8_t out[70000];
    struct iovec parts[UNIK_NIC_PARTS + 1];

    begin(by_name);
    ck_assert_int_eq(nic->attach(nic, &user, NULL), 0);
    up("tap0");
    for (unsigned i = 0; i <= UNIK_NIC_PARTS; i++)
        parts[i] = (struct iovec){ out, 10 };
    ck_assert_int_eq(nic->send(nic, NULL, parts, 0), -EINVAL);
    ck_assert_int_eq(nic->send(nic, NULL, parts, UNIK_NIC_PARTS + 1), -EINVAL);
    parts[0].iov_len = UNIK_NIC_FRAME_MAX + 1;
    ck_assert_int_eq(nic->send(nic, NULL, parts, 1), -EMSGSIZE);
    ck_assert_uint_eq(host_counter(ctx, "frames_out"), 0);
    nic->detach(nic);
    end();
}
END_TEST

/* A user that keeps frames: UNIK_NIC_HOLD of them, the others wait in the kernel and come when these are given back. */
START_TEST(held)
{
    static uint8_t out[100];
    int fd;

    begin(by_name);
    ck_assert_int_eq(nic->attach(nic, &user, NULL), 0);
    up("tap0");
    fd = far("tap0");
    got.keep = true;
    for (unsigned k = 0; k < UNIK_NIC_HOLD + 20; k++)
        ck_assert_int_eq(send(fd, out, frame(out, 60, k), 0), 60);
    UNTIL(got.frames == UNIK_NIC_HOLD);
    host_run(h, 0.05);
    ck_assert_uint_eq(got.frames, UNIK_NIC_HOLD);
    for (unsigned k = 0; k < UNIK_NIC_HOLD; k++)        /* each is what it was */
        ck_assert_uint_eq(((uint8_t *)got.kept[k]->parts[0].iov_base)[14], (uint8_t)(14 * 7 + k));
    got.keep = false;
    for (unsigned k = 0; k < 30; k++)
        nic->release(nic, got.kept[k]);
    UNTIL(got.frames == UNIK_NIC_HOLD + 20);
    close(fd);
    nic->detach(nic);                   /* the rest is the driver's again */
    ck_assert_int_eq(nic->attach(nic, &user, NULL), 0);
    nic->detach(nic);
    end();
}
END_TEST

/* ---- a descriptor from somebody else ---- */

static int door(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    unlink(path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    return fd;
}

static int visitor(int fd)
{
    int k = -1;

    UNTIL((k = accept(fd, NULL, NULL)) >= 0);
    return k;
}

static void hand_over(int to, int fd)
{
    union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(int))]; } control = { 0 };
    struct iovec v = { (char[]){ 0 }, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = fd < 0 ? NULL : &control, .msg_controllen = fd < 0 ? 0 : sizeof(control) };

    if (fd >= 0) {
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    ck_assert_int_eq(sendmsg(to, &m, 0), 1);
}

static char path[64], option[80];
static const char *const by_socket[] = { option, NULL };

static void where(void)
{
    snprintf(path, sizeof(path), "/tmp/unik-tap-%d", (int)getpid());
    snprintf(option, sizeof(option), "socket=%s", path);
    unlink(path);
}

START_TEST(handed_over)
{
    int l, guest, tap = new_tap("tap1");

    ck_assert_int_ge(tap, 0);
    where();
    begin(by_socket);
    ck_assert(!nic->info(nic)->link);
    ck_assert_ptr_nonnull(strstr(lines, "; waiting"));
    ck_assert_int_eq(nic->attach(nic, &user, NULL), 0);
    l = door(path);
    guest = visitor(l);
    hand_over(guest, -1);               /* a byte alone is no link */
    host_run(h, 0.05);
    ck_assert(!nic->info(nic)->link);
    hand_over(guest, tap);
    UNTIL(nic->info(nic)->link);
    ck_assert_uint_eq(got.changes, 1);
    hand_over(guest, tap);              /* another one instead: the link goes and comes */
    UNTIL(got.changes == 3 && nic->info(nic)->link);
    close(guest);                       /* the cable is pulled */
    UNTIL(!nic->info(nic)->link);
    ck_assert_int_eq(nic->send(nic, NULL, &(struct iovec){ lines, 60 }, 1), -ENETDOWN);
    ck_assert_ptr_nonnull(strstr(lines, ": gone"));
    guest = visitor(l);                 /* it knocks again by itself */
    hand_over(guest, tap);
    UNTIL(nic->info(nic)->link);
    ck_assert_uint_eq(host_counter(ctx, "links"), 3);
    nic->detach(nic);
    end();
    close(guest);
    close(l);
    close(tap);
    unlink(path);
}
END_TEST

/* Something that is no TAP, or one that is made otherwise than it must be. */
START_TEST(no_card)
{
    struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
    int l, guest, null = open("/dev/null", O_RDWR), tun = -1;

    where();
    l = door(path);
    begin(by_socket);
    guest = visitor(l);
    hand_over(guest, null);
    UNTIL(strstr(lines, strerror(ENOTTY)) || strstr(lines, strerror(EINVAL)));
    close(guest);
    if (!no_tap) {
        guest = visitor(l);             /* it tries again */
        tun = open("/dev/net/tun", O_RDWR);
        snprintf(r.ifr_name, sizeof(r.ifr_name), "tun0");
        ck_assert_int_eq(ioctl(tun, TUNSETIFF, &r), 0);
        hand_over(guest, tun);
        UNTIL(strstr(lines, "not a TAP device"));
        close(guest);
        close(tun);
    }
    ck_assert(!nic->info(nic)->link);
    ck_assert_uint_eq(host_counter(ctx, "links"), 0);
    end();
    close(null);
    close(l);
    unlink(path);
}
END_TEST

START_TEST(errors)
{
    ck_assert_int_eq(try((const char *const[]){ "mac=01:00:00:00:00:00", NULL }), -EINVAL);     /* a group's */
    ck_assert_ptr_nonnull(strstr(lines, "mac = 01:00:00:00:00:00"));
    host_free(h);
    ck_assert_int_eq(try((const char *const[]){ "mac=00:16:3e:5e:6c", NULL }), -EINVAL);
    host_free(h);
    /* nobody is there: it waits, and stops when told */
    where();
    begin(by_socket);
    ck_assert_ptr_nonnull(strstr(lines, path));
    ck_assert(!nic->info(nic)->link);
    ck_assert_int_eq(nic->send(nic, NULL, &(struct iovec){ lines, 60 }, 1), -ENETDOWN);
    end();
    unsetenv("VCHAN_SOCKET_DIR");
    begin(NULL);
    ck_assert_ptr_nonnull(strstr(lines, "no device and no socket"));
    end();
    /* a name that no device can have */
    begin((const char *const[]){ "device=no/device", NULL });
    ck_assert(!nic->info(nic)->link);
    ck_assert_ptr_nonnull(strstr(lines, "no/device"));
    end();
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("tap");

    no_tap = own_net();
    if (no_tap) {
        printf("left out: %s: %s\n", no_tap, strerror(errno));
    } else {
        tcase_add_test(t, frames);
        tcase_add_test(t, refused);
        tcase_add_test(t, held);
        tcase_add_test(t, handed_over);
    }
    tcase_add_test(t, no_card);
    tcase_add_test(t, errors);
    return run_case("tap", t);
}
