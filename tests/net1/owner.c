/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/net1/owner.c - what a plugin leaves behind when it stops: taken back without a callback, and named; what is others' stays. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/common/leaver.h"
#include "tests/net1/bed.h"

static char said[1024];
static bool stopped;                    /* the user: from then on nothing of it may be called */

static void on_line(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    (void)ctx, (void)arg;
    if (level == UNIK_WARNING)
        snprintf(said, sizeof(said), "%s", line);
}

static void on_stream(struct unik_stream *s, unsigned events, void *arg)
{
    (void)s, (void)events, (void)arg;
    ck_assert(!stopped);
}

static void on_accept(struct unik_stream *s, void *arg)
{
    ck_assert(!stopped);
    unik_stream_on(s, on_stream, NULL);
    *(bool *)arg = true;
}

static void on_datagram(struct unik_net_udp *u, const void *bytes, size_t n, const char *address, unsigned port, void *arg)
{
    (void)u, (void)bytes, (void)n, (void)address, (void)port, (void)arg;
    ck_abort_msg("a datagram for a plugin that has stopped");
}

static void on_name(int error, const char *address, void *arg)
{
    (void)error, (void)address, (void)arg;
    ck_abort_msg("an answer for a plugin that has stopped");
}

static void on_change(void *arg) { (void)arg; }

START_TEST(taken_back)
{
    unsigned port = 0, udp_port = 0, others_port, far_port = 0, again;
    struct unik_net_listener *l, *others;
    struct unik_stream *c;
    struct unik_net_udp *u;
    struct unik_net_query *q;
    struct unik_net_watch *w;
    struct unik_ctx *user;
    bool came = false;
    int fd, far, fd2;
    char byte;

    bed_begin();
    host_on_log(bed.h, on_line, NULL);
    stopped = false;
    user = host_add(bed.h, &leaver, NULL);
    ck_assert_int_eq(host_start(user), 0);
    others = bed_listen(&others_port, NULL);
    ck_assert_int_eq(bed.net->listen(bed.net, user, "", &port, 8, on_accept, &came, &l), 0);
    ck_assert_int_eq(bed.net->udp(bed.net, user, "", &udp_port, on_datagram, NULL, &u), 0);
    ck_assert_int_eq(bed.net->watch(bed.net, user, on_change, NULL, &w), 0);
    fd = far_connect(port);
    ck_assert(host_run_until(bed.h, &came, BED_LONG));
    far = far_listen(SOCK_STREAM, &far_port);
    ck_assert_int_eq(bed.net->connect(bed.net, user, bed.far, far_port, on_stream, NULL, &c), 0);
    fd2 = far_accept(far);
    ck_assert_int_eq(bed.net->resolve(bed.net, user, "silent.test", 4, on_name, NULL, &q), 0);
    host_stop_wait(user, 20);
    stopped = true;
    ck_assert_str_eq(said, "leaver stopped and left behind: listeners 1, connections 2, UDP sockets 1, "
                           "questions for names 1, watches 1");
    ck_assert_int_lt(far_read(fd, &byte, 1), 0);        /* cut off, both */
    ck_assert_int_lt(far_read(fd2, &byte, 1), 0);
    close(fd);
    close(fd2);
    close(far);
    again = port;                       /* free again */
    ck_assert_int_eq(bed.net->listen(bed.net, NULL, "", &again, 8, on_accept, NULL, &l), 0);
    bed.net->unlisten(bed.net, l);
    fd = far_connect(others_port);      /* what is another's still works */
    unik_stream_close(bed_accept()->s);
    close(fd);
    bed.net->unlisten(bed.net, others);
    bed_end();
}
END_TEST

TCase *net1_owner(void)
{
    TCase *t = tcase_create("owner");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, taken_back);
    return t;
}
