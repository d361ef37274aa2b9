/* SPDX-License-Identifier: BSD-2-Clause */
/* www-run - net-sockets and www in the smallest host, for tests with real clients and for benches.
 *
 *   www-run [-n NET-OPTION]... WWW-OPTION...
 *
 * Options are key=value. Without port= a free one is taken. Prints "port N" when it serves, and ends, after the answers
 * under way, at TERM or at the end of stdin; then prints the counters. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unik/net.h>

#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_net_sockets, unik_plugin_www;

#define OPTIONS_MAX 32
#define PATIENCE 600            /* seconds for what must come */

static bool over;

static void on_term(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)loop, (void)w, (void)revents;
    over = true;
}

static void on_stdin(struct ev_loop *loop, ev_io *w, int revents)
{
    char c;

    (void)revents;
    if (read(w->fd, &c, 1) > 0)
        return;
    ev_io_stop(loop, w);
    over = true;
}

static unsigned free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return 0;
    close(fd);
    return ntohs(a.sin_port);
}

static void print_counters(struct unik_ctx *ctx)
{
    for (const struct unik_counter *c = ctx->plugin->counters; c->name; c++)
        printf("%s.%s %llu\n", ctx->plugin->name, c->name, (unsigned long long)host_counter(ctx, c->name));
}

int main(int argc, char **argv)
{
    const char *net_options[OPTIONS_MAX] = { "address=127.0.0.1" }, *options[OPTIONS_MAX] = { "qrexec=no" };
    struct ev_loop *loop = ev_default_loop(0);
    struct unik_ctx *net, *www;
    struct host *h;
    ev_signal term;
    ev_io in;
    char port[16] = "";
    int n = 1, k = 1;

    for (int i = 1; i < argc && n < OPTIONS_MAX - 2 && k < OPTIONS_MAX - 1; i++)
        if (strcmp(argv[i], "-n") == 0 && i + 1 < argc)
            net_options[k++] = argv[++i];
        else
            options[n++] = argv[i];
    for (int i = 0; i < n; i++)
        if (strncmp(options[i], "port=", 5) == 0)
            snprintf(port, sizeof(port), "%s", options[i]);
    if (!*port) {
        snprintf(port, sizeof(port), "port=%u", free_port());
        options[n++] = port;
    }
    h = host_new(loop, UNIK_ON_UNIX, stderr);
    net = host_add(h, &unik_plugin_net_sockets, net_options);
    www = host_add(h, &unik_plugin_www, options);
    if (!net || !www || host_start(net) < 0 || host_start(www) < 0 || !host_wait(www, HOST_READY, PATIENCE))
        return 1;
    ev_signal_init(&term, on_term, SIGTERM);
    ev_signal_start(loop, &term);
    ev_io_init(&in, on_stdin, 0, EV_READ);
    ev_io_start(loop, &in);
    printf("port %s\n", port + 5);
    fflush(stdout);
    while (!over)
        ev_run(loop, EVRUN_ONCE);
    host_drain(www);
    for (int i = 0; i < PATIENCE * 20 && !host_is_drained(www); i++)
        host_run(h, 0.05);
    host_stop_wait(www, PATIENCE);
    host_drain(net);
    host_stop_wait(net, PATIENCE);
    print_counters(net);
    print_counters(www);
    ev_signal_stop(loop, &term);
    ev_io_stop(loop, &in);
    host_free(h);
    return 0;
}
