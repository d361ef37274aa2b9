/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstored - the scripted xenstored of tests/common as a process, for scripts. Prints the path of its socket, then answers
 * each line of stdin with one on stdout:
 *
 *   get PATH            the value in quotes, or "none"
 *   set PATH [VALUE]    as dom0 would
 *   down, up            connections and socket go away, come back; the tree stays
 *   left                what clients hold
 *
 * Relative paths are the domain's. Ends with its stdin.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/common/xenstored.h"

#define DOMID 1

static struct xenstored *s;
static char line[4096];
static size_t have;

static void answer(char *text)
{
    char *rest = text, *verb = strsep(&rest, " "), *path = rest ? strsep(&rest, " ") : NULL;
    struct xenstored_counts n = xenstored_counts(s);
    const char *value;

    if (strcmp(verb, "get") == 0 && path) {
        value = xenstored_get(s, path);
        if (value)
            printf("\"%s\"\n", value);
        else
            printf("none\n");
    } else if (strcmp(verb, "set") == 0 && path) {
        xenstored_set(s, path, rest ? rest : "");
        printf("ok\n");
    } else if (strcmp(verb, "down") == 0) {
        xenstored_down(s);
        printf("ok\n");
    } else if (strcmp(verb, "up") == 0) {
        xenstored_up(s);
        printf("ok\n");
    } else if (strcmp(verb, "left") == 0) {
        printf("connections %u, watches %u, transactions %u\n", n.connections, n.watches, n.transactions);
    } else {
        printf("what?\n");
    }
    fflush(stdout);
}

static void on_input(struct ev_loop *loop, ev_io *w, int revents)
{
    ssize_t n = read(0, line + have, sizeof(line) - 1 - have);
    char *end;

    (void)w, (void)revents;
    if (n <= 0) {
        ev_break(loop, EVBREAK_ALL);
        return;
    }
    have += (size_t)n;
    while ((end = memchr(line, '\n', have)) != NULL) {
        *end = 0;
        answer(line);
        have -= (size_t)(end + 1 - line);
        memmove(line, end + 1, have);
    }
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)w, (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

int main(void)
{
    struct ev_loop *loop = ev_default_loop(0);
    ev_signal term;
    ev_io in;

    s = xenstored_new(loop, DOMID);
    if (!s)
        return 1;
    ev_signal_init(&term, on_signal, SIGTERM);
    ev_signal_start(loop, &term);
    ev_io_init(&in, on_input, 0, EV_READ);
    ev_io_start(loop, &in);
    printf("%s\n", xenstored_socket(s));
    fflush(stdout);
    ev_run(loop, 0);
    ev_io_stop(loop, &in);
    ev_signal_stop(loop, &term);
    xenstored_free(s);
    ev_loop_destroy(loop);
    return 0;
}
