/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-socket.c - a Unix or TCP socket as the handler of a call.
 *
 * The service behind it reads first the service descriptor, then the call's input; what it writes is the call's output.
 * It has no stderr and no exit code: 0 once it was reached. Host and port may come from another VM, if the
 * administrator says so by leaving them out of the link.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"

#define TCP "/dev/tcp"
#define RETRY_SECONDS 0.1               /* a Unix socket whose backlog is full */

/* ---- addresses ---- */

static int parse_port(const char *s, struct unik_text *why)
{
    unsigned port = 0;
    const char *p = s;

    for (; *p >= '0' && *p <= '9' && port <= 65535; p++)
        port = port * 10 + (unsigned)(*p - '0');
    if (*p || port == 0 || port > 65535 || *s == '0') {
        unik_text_add(why, "\"%s\" is not a port", s);
        return -EINVAL;
    }
    return (int)port;
}

/* Numeric only: names would need a resolver, and let a caller choose what is asked of it. */
static int parse_host(char *host, int port, struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)out;
    char *scope = strchr(host, '%');

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)port);
        *len = sizeof(*four);
        return 0;
    }
    if (scope) {
        *scope = 0;
        six->sin6_scope_id = if_nametoindex(scope + 1);
        if (six->sin6_scope_id == 0)
            return -EINVAL;
    }
    if (inet_pton(AF_INET6, host, &six->sin6_addr) != 1)
        return -EINVAL;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)port);
    *len = sizeof(*six);
    return 0;
}

/* "HOST+PORT" of an argument; in HOST a + stands for the : of IPv6. */
static int split_argument(char *host, char **port, struct unik_text *why)
{
    *port = strrchr(host, '+');
    if (!*port) {
        unik_text_add(why, "argument \"%s\" has no port", host);
        return -EINVAL;
    }
    *(*port)++ = 0;
    for (char *p = host; *p; p++)
        if (*p == '+')
            *p = ':';
    return 0;
}

int qrexec_tcp_address(const char *link, const char *argument, struct sockaddr_storage *out, socklen_t *len,
                       struct unik_text *why)
{
    char from_link[QREXEC_PATH_SIZE], from_argument[QREXEC_NAME_MAX + 1];
    char *host = NULL, *port = NULL;
    int n;

    argument = argument ? argument : "";
    if ((size_t)snprintf(from_link, sizeof(from_link), "%s", link + sizeof(TCP) - 1) >= sizeof(from_link) ||
        (size_t)snprintf(from_argument, sizeof(from_argument), "%s", argument) >= sizeof(from_argument)) {
        unik_text_add(why, "address too long");
        return -EINVAL;
    }
    if (from_link[0] == '/') {
        host = from_link + 1;
        port = strchr(host, '/');
        if (port)
            *port++ = 0;
    }
    if (port && *argument) {
        unik_text_add(why, "takes no argument, but was given \"%s\"", argument);
        return -EINVAL;
    }
    if (!port && host)
        port = from_argument;
    else if (!port && split_argument(host = from_argument, &port, why) < 0)
        return -EINVAL;
    n = parse_port(port, why);
    if (n < 0)
        return n;
    if (parse_host(host, n, out, len) < 0) {
        unik_text_add(why, "\"%s\" is not a numeric address", host);
        return -EINVAL;
    }
    return 0;
}

/* ---- life ---- */

struct service {
    struct qrexec_run run;              /* first */
    struct qrexec_plan *plan;
    struct unik_qrexec_call *call;
    struct qrexec_pump pump;
    bool just_exec;
    int fd;                             /* until the pump has it */
    ev_io connected;
    ev_timer retry, deadline;
};

static void finish(struct service *s, int code)
{
    struct ev_loop *loop = s->run.x->ctx->loop;
    struct unik_qrexec_call *call = s->call;
    bool broken = s->pump.broken;

    ev_io_stop(loop, &s->connected);
    ev_timer_stop(loop, &s->retry);
    ev_timer_stop(loop, &s->deadline);
    qrexec_pump_stop(&s->pump);
    if (s->fd >= 0)
        close(s->fd);
    qrexec_run_remove(&s->run);
    qrexec_plan_free(s->plan);
    free(s);
    call->exit_code = code;
    if (broken)
        unik_stream_abort(call->io);
    else
        unik_stream_close(call->io);
}

static void fail(struct service *s, const char *why)
{
    unik_warn(s->run.x->ctx, "%s: cannot reach %s for %s: %s", s->plan->label, s->plan->path, s->call->peer, why);
    finish(s, QREXEC_EXIT_PROBLEM);
}

static void settle(struct qrexec_pump *pump)
{
    struct service *s = (struct service *)(void *)((char *)pump - offsetof(struct service, pump));
    const struct qrexec_service_config *c = &s->plan->config;

    if (pump->held_up && !pump->lost)
        return;
    if (pump->lost || (pump->in < 0 && (pump->out < 0 || c->exit_on_client_eof)) ||
        (pump->out < 0 && (c->exit_on_service_eof || pump->broken)))
        finish(s, 0);
    else if (s->just_exec && pump->head_left == 0)
        finish(s, 0);
}

static void begin(struct service *s)
{
    struct ev_loop *loop = s->run.x->ctx->loop;

    ev_io_stop(loop, &s->connected);
    ev_timer_stop(loop, &s->deadline);
    s->pump.held_up = false;
    s->pump.in = s->fd;
    s->pump.out = s->just_exec ? -1 : s->fd;
    s->fd = -1;
    if (!s->just_exec)
        qrexec_call_shut_err(s->call);  /* first of all, as the stock agent does */
    qrexec_pump_start(&s->pump);
}

/* The length and form of sun_path are too small for some service files: those are reached through /proc. */
static int unix_address(const char *path, struct sockaddr_un *sun, int *through)
{
    *through = -1;
    memset(sun, 0, sizeof(*sun));
    sun->sun_family = AF_UNIX;
    if (strlen(path) < sizeof(sun->sun_path)) {
        memcpy(sun->sun_path, path, strlen(path) + 1);
        return 0;
    }
    *through = open(path, O_PATH | O_CLOEXEC);
    if (*through < 0)
        return -errno;
    snprintf(sun->sun_path, sizeof(sun->sun_path), "/proc/self/fd/%d", *through);
    return 0;
}

static int do_connect(struct service *s)
{
    const struct sockaddr *to = (const struct sockaddr *)&s->plan->address;
    socklen_t len = s->plan->address_len;
    struct sockaddr_un sun;
    int through = -1, e = 0;

    if (s->plan->kind == QREXEC_IS_UNIX) {
        e = unix_address(s->plan->path, &sun, &through);
        to = (const struct sockaddr *)&sun;
        len = sizeof(sun);
    }
    if (e == 0 && connect(s->fd, to, len) < 0)
        e = -errno;
    if (through >= 0)
        close(through);
    return e;
}

static void try(struct service *s)
{
    int e = do_connect(s);

    if (e == 0)
        begin(s);
    else if (e == -EINPROGRESS)
        ev_io_start(s->run.x->ctx->loop, &s->connected);
    else if (e == -EAGAIN)
        ev_timer_again(s->run.x->ctx->loop, &s->retry);
    else
        fail(s, strerror(-e));
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)revents;
    ev_timer_stop(loop, w);
    try(w->data);
}

static void on_deadline(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)revents;
    fail(w->data, "no answer");
}

static void on_connected(struct ev_loop *loop, ev_io *w, int revents)
{
    struct service *s = w->data;
    int error = 0;
    socklen_t len = sizeof(error);

    (void)loop, (void)revents;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error)
        fail(s, strerror(error));
    else
        begin(s);
}

/* While connecting the call is only looked at for its end. */
static void on_call_early(struct unik_stream *io, unsigned events, void *arg)
{
    struct service *s = arg;

    (void)io;
    if (events & UNIK_STREAM_INPUT)
        qrexec_pump_input(&s->pump);
    settle(&s->pump);
}

static void drop(struct qrexec_run *run) { finish((struct service *)(void *)run, QREXEC_EXIT_PROBLEM); }

static const struct qrexec_run_ops ops = { .drop = drop };

static void prepare(struct service *s)
{
    const struct qrexec_plan *plan = s->plan;

    s->pump = (struct qrexec_pump){ .x = plan->x, .call = s->call, .label = plan->label, .in = -1, .out = -1, .err = -1,
                                    .held_up = true, .tcp = plan->kind == QREXEC_IS_TCP, .settle = settle };
    if (!plan->config.skip_descriptor) {
        s->pump.head = plan->descriptor;
        s->pump.head_left = plan->descriptor_len;
    }
    ev_io_init(&s->connected, on_connected, s->fd, EV_WRITE);
    ev_timer_init(&s->retry, on_retry, RETRY_SECONDS, RETRY_SECONDS);
    ev_timer_init(&s->deadline, on_deadline, QREXEC_CONNECT_SECONDS, 0);
    s->connected.data = s->retry.data = s->deadline.data = s;
}

void qrexec_run_socket(struct qrexec_plan *plan, struct unik_qrexec_call *call, bool just_exec)
{
    struct service *s = calloc(1, sizeof(*s));
    int e = s ? qrexec_run_add(plan->x, &s->run, &ops) : -ENOMEM;

    if (e < 0) {
        unik_warn(plan->x->ctx, "%s: cannot start for %s: %s", plan->label, call->peer, strerror(-e));
        free(s);
        qrexec_plan_free(plan);
        call->exit_code = QREXEC_EXIT_PROBLEM;
        unik_stream_close(call->io);
        return;
    }
    s->plan = plan;
    s->call = call;
    s->just_exec = just_exec;
    s->fd = socket(plan->kind == QREXEC_IS_UNIX ? AF_UNIX : plan->address.ss_family,
                   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    prepare(s);
    if (s->fd < 0) {
        fail(s, strerror(errno));
        return;
    }
    unik_stream_on(call->io, on_call_early, s);
    ev_timer_start(plan->x->ctx->loop, &s->deadline);
    try(s);
}
