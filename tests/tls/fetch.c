/* SPDX-License-Identifier: BSD-2-Clause */
/* fetch ADDRESS PORT NAME AUTHORITIES: sends its input by TLS over net-sockets, prints what comes back; ends with 0 after an
 * orderly end, with 1 and why on stderr otherwise. The client's half of tls/1 against other people's servers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unik/net.h>
#include <unik/tls.h>

#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_net_sockets, unik_plugin_tls;

static int result = -1;

static void on_event(struct unik_stream *s, unsigned events, void *arg)
{
    char buf[65536];
    ssize_t n;

    (void)arg;
    if (events & UNIK_STREAM_OPEN) {
        n = read(0, buf, sizeof(buf));
        if (n > 0 && unik_stream_write(s, buf, (size_t)n) != n)
            result = 1;
    }
    while ((n = unik_stream_read(s, buf, sizeof(buf))) > 0)
        fwrite(buf, 1, (size_t)n, stdout);
    if (n != -EAGAIN) {
        result = n < 0;
        if (n < 0)
            fprintf(stderr, "%s\n", strerror((int)-n));
        unik_stream_close(s);
        ev_break(ev_default_loop(0), EVBREAK_ALL);
    }
}

int main(int argc, char **argv)
{
    char authorities[4096];
    const char *const options[] = { authorities, NULL };
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_UNIX, stderr);
    struct unik_stream *raw, *s;
    struct unik_ctx *net, *tls;
    struct unik_net *n;
    struct unik_tls *t;

    if (argc != 5)
        return 2;
    snprintf(authorities, sizeof(authorities), "authorities=%s", argv[4]);
    net = host_add(h, &unik_plugin_net_sockets, NULL);
    tls = host_add(h, &unik_plugin_tls, options);
    if (!net || !tls || host_start(net) < 0 || host_start(tls) < 0)
        return 2;
    n = host_interface(h, "net/1");
    t = host_interface(h, "tls/1");
    if (n->connect(n, NULL, argv[1], (unsigned)atoi(argv[2]), NULL, NULL, &raw) < 0 ||
        t->connect(t, argv[3], raw, on_event, NULL, &s) < 0)
        return 2;
    ev_run(ev_default_loop(0), 0);
    host_stop_wait(tls, 300);
    host_stop_wait(net, 300);
    host_free(h);
    return result;
}
