/* SPDX-License-Identifier: BSD-2-Clause */
/* vchan-peer - libxenvchan alone, as plainly as it can be used: the peer that the vchan plugin is measured against.
 *   vchan-peer echo DOMID PORT RING            serve DOMID, echo what comes, for ever; as /init of a guest too. Blocks in
 *                                              the library, as a program can that has nothing else to do
 *   vchan-peer poll DOMID PORT RING            the same with poll() before each wait, as in a program of several descriptors
 *   vchan-peer measure DOMID PORT BYTES        connect to DOMID, print microseconds of a byte's round trip, and MB/s of BYTES
 *                                              echoed, or of as many as go out in 10 s
 *   vchan-peer garbage DOMID PORT KIND         connect, then write nonsense where the protocol keeps its indexes
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libxenvchan.h>

#include "supervisor/init.h"

#define ROUND_TRIPS 200
#define CHUNK 2048
#define SECONDS 10              /* for each of the two: on a busy machine an emulated one is slow beyond all measure */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void poll_and_wait(struct libxenvchan *v)
{
    struct pollfd p = { .fd = libxenvchan_fd_for_select(v), .events = POLLIN };

    poll(&p, 1, -1);
    libxenvchan_wait(v);
}

static int echo(int domid, const char *port, size_t ring, bool with_poll)
{
    static char bytes[65536];
    char path[100];
    struct libxenvchan *v;
    int n;

    snprintf(path, sizeof(path), "data/vchan/%d/%s", domid, port);
    for (;;) {
        v = libxenvchan_server_init(NULL, domid, path, ring, ring);
        if (!v) {
            perror("libxenvchan_server_init");
            return 1;
        }
        v->blocking = 1;
        printf("vchan-peer: listening\n");
        fflush(stdout);
        while (libxenvchan_is_open(v) == 2)
            libxenvchan_wait(v);
        for (;;) {
            while (with_poll && libxenvchan_data_ready(v) == 0 && libxenvchan_is_open(v))
                poll_and_wait(v);
            n = libxenvchan_read(v, bytes, sizeof(bytes));
            if (n <= 0 || (libxenvchan_send(v, bytes, (size_t)n) != n && libxenvchan_write(v, bytes, (size_t)n) != n))
                break;
        }
        libxenvchan_close(v);
    }
}

static struct libxenvchan *reach(int domid, const char *port)
{
    char path[100];
    struct libxenvchan *v = NULL;

    snprintf(path, sizeof(path), "/local/domain/%d/data/vchan/0/%s", domid, port);
    for (int i = 0; !v && i < 600; i++) {
        v = libxenvchan_client_init(NULL, domid, path);
        if (!v)
            usleep(50000);
    }
    if (!v)
        fprintf(stderr, "vchan-peer: no server at %s: %s\n", path, strerror(errno));
    return v;
}

/* Writes and reads what can be, without blocking on either, until total bytes came back; after the time until, what was sent by then.
 * How many came back; -1: broken, -2: not the same bytes. */
static long volley(struct libxenvchan *v, size_t total, size_t chunk, double until)
{
    static unsigned char out[CHUNK * 2], in[65536];
    size_t sent = 0, got = 0;
    int n;

    v->blocking = 0;
    while (got < total) {
        bool moved = false;

        if (total > sent && now() > until)
            total = sent;
        if (sent < total) {
            size_t k = total - sent < chunk ? total - sent : chunk;

            for (size_t i = 0; i < k; i++)
                out[i] = (unsigned char)((sent + i) * 7 % 251);
            n = libxenvchan_write(v, out, k);
            if (n < 0)
                return -1;
            sent += (size_t)n;
            moved = n > 0;
        }
        n = libxenvchan_read(v, in, sizeof(in));
        if (n < 0)
            return -1;
        for (int i = 0; i < n; i++)
            if (in[i] != (unsigned char)((got + (size_t)i) * 7 % 251))
                return -2;
        got += (size_t)n;
        if (!moved && n == 0 && libxenvchan_wait(v) < 0)
            return -1;
    }
    return (long)got;
}

static int measure(int domid, const char *port, size_t bytes)
{
    struct libxenvchan *v = reach(domid, port);
    double t, trip, bulk;
    long n = 1;
    int trips = 0;

    if (!v)
        return 1;
    t = now();
    while (n > 0 && trips < ROUND_TRIPS && now() < t + SECONDS) {
        n = volley(v, 1, 1, t + 1e9);
        trips++;
    }
    trip = (now() - t) / trips;
    t = now();
    if (n > 0)
        n = volley(v, bytes, CHUNK, t + SECONDS);
    bulk = now() - t;
    libxenvchan_close(v);
    if (n <= 0) {
        fprintf(stderr, "vchan-peer: %s\n", n == -2 ? "other bytes came back" : "broken");
        return 1;
    }
    printf("%.1f %.3f\n", trip * 1e6, (double)n / bulk / 1e6);
    return 0;
}

static int garbage(int domid, const char *port, const char *kind)
{
    struct libxenvchan *v = reach(domid, port);

    if (!v)
        return 1;
    /* we are the client: we own left.prod, right.cons and cli_live; notify is both sides' */
    if (strcmp(kind, "prod") == 0)
        v->ring->left.prod = v->ring->left.cons + 0x40000000;
    else if (strcmp(kind, "cons") == 0)
        v->ring->right.cons = v->ring->right.prod + 5;
    else if (strcmp(kind, "orders") == 0)
        v->ring->left_order = v->ring->right_order = 0xffff;
    else if (strcmp(kind, "all") == 0)
        memset((void *)v->ring, 0xa5, 1024);
    else
        return 2;
    xenevtchn_notify(v->event, v->event_port);
    usleep(300000);
    return 0;       /* without closing in order */
}

int main(int argc, char **argv)
{
    init_begin();
    if (argc == 5 && strcmp(argv[1], "echo") == 0)
        return echo(atoi(argv[2]), argv[3], strtoul(argv[4], NULL, 10), false);
    if (argc == 5 && strcmp(argv[1], "poll") == 0)
        return echo(atoi(argv[2]), argv[3], strtoul(argv[4], NULL, 10), true);
    if (argc == 5 && strcmp(argv[1], "measure") == 0)
        return measure(atoi(argv[2]), argv[3], strtoul(argv[4], NULL, 10));
    if (argc == 5 && strcmp(argv[1], "garbage") == 0)
        return garbage(atoi(argv[2]), argv[3], argv[4]);
    fprintf(stderr, "usage: vchan-peer echo|poll DOMID PORT RING | measure DOMID PORT BYTES | garbage DOMID PORT prod|cons|orders|all\n");
    return 2;
}
