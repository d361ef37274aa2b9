/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/call.c - a call that dom0 makes: the part of qrexec-client. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/unik-dom0/call.h"
#include "tools/unik-dom0/control.h"
#include "tools/unik-dom0/data.h"

struct call {
    struct data data;               /* first */
    ev_timer timeout;
    bool late;
    void (*done)(void *arg, int code, const char *message);
    void *arg;
};

static void end(struct call *c, enum pair_end how)
{
    ev_timer_stop(c->data.vm->dom0->loop, &c->timeout);
    data_end(&c->data, how);
    free(c);
}

static void finish(struct call *c, enum pair_end how, int code, const char *message)
{
    void (*done)(void *, int, const char *) = c->done;
    void *arg = c->arg;

    end(c, how);
    done(arg, code, message);
}

/* What was to be read or written here could not be: as a program that runs here would end. */
static void give_up(struct call *c)
{
    char text[128];
    bool pipe = c->data.local_error == -EPIPE;

    snprintf(text, sizeof(text), "%s: %s", c->data.local, strerror(-c->data.local_error));
    finish(c, PAIR_LEFT, pipe ? 128 + SIGPIPE : 1, pipe ? NULL : text);
}

/* The rules of the real client: complete with EXIT_CODE and the end of STDOUT; or when the channel is closed. */
static void turn(struct data *d)
{
    struct call *c = (struct call *)(void *)d;
    bool code = d->exit_seen && d->exit_code >= 0;

    if (c->late)
        finish(c, PAIR_LEFT, 124, "timed out");
    else if (d->local_error)
        give_up(c);
    else if (code && (d->stdout_eof || d->error == -EPIPE))
        finish(c, PAIR_DONE, d->exit_code, NULL);
    else if (d->error == -ETIMEDOUT)
        finish(c, PAIR_LEFT, 125, "the VM did not connect in time");
    else if (d->error == -ECONNRESET)
        finish(c, PAIR_LEFT, 125, "the VM's qrexec agent went away");
    else if (d->error == -EPIPE && !d->connected)
        finish(c, PAIR_LEFT, 125, "the data channel cannot be served");
    else if (d->error == -EPIPE)
        finish(c, d->exit_seen ? PAIR_DONE : PAIR_CUT, 255, "the VM closed the channel before it gave an exit code");
    else if (d->error)
        finish(c, PAIR_LEFT, d->spoiled ? 255 : 1, d->spoiled ? "cut by a fault" : "the VM broke the protocol");
}

static void abandon(struct data *d)
{
    finish((struct call *)(void *)d, PAIR_LEFT, 255, "dom0 ends");
}

static void on_timeout(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct call *c = w->data;

    (void)loop, (void)revents;
    c->late = true;
    data_turn(&c->data);
}

static struct call *call_new(struct vm *vm, struct pair *pair, const struct call_params *p)
{
    struct call *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->done = p->done;
    c->arg = p->arg;
    c->data.vm = vm;
    c->data.pair = pair;
    c->data.just_exec = c->data.in_done = p->just_exec;
    c->data.turn = turn;
    c->data.abandon = abandon;
    ev_timer_init(&c->timeout, on_timeout, p->timeout, 0);
    c->timeout.data = c;
    if (data_init(&c->data) < 0) {
        free(c);
        return NULL;
    }
    data_fds(&c->data, p->fds[0], p->fds[1], p->fds[2]);
    return c;
}

static int refuse(struct pair *pair, const struct call_params *p, int code, const char *why, const char **message)
{
    if (pair)
        pair_drop(pair);
    for (int i = 0; i < 3; i++)
        if (p->fds[i] >= 0)
            close(p->fds[i]);
    *message = why;
    return code;
}

int call_start(struct vm *vm, const struct call_params *p, struct call **out, const char **message)
{
    uint32_t type = p->just_exec ? QREXEC_JUST_EXEC : QREXEC_EXEC_CMDLINE;
    size_t n = strlen(p->line) + 1;
    struct pair *pair;
    struct call *c;

    if (!control_version(vm))
        return refuse(NULL, p, 126, "qrexec is not connected to the VM", message);
    if (n > QREXEC_CMD_MAX - 8)
        return refuse(NULL, p, 125, "the command line is too long", message);
    pair = pair_reserve(vm, 0);
    if (!pair)
        return refuse(NULL, p, 125, "all 256 ports are taken: the VM does not release them", message);
    c = call_new(vm, pair, p);
    if (!c)
        return refuse(pair, p, 125, "no memory", message);
    vm->calls++;
    if (p->timeout > 0)
        ev_timer_start(vm->dom0->loop, &c->timeout);
    if (data_serve(&c->data) < 0 || control_send_exec(vm, type, 0, pair->port, p->line, n) < 0) {
        *message = "the VM cannot be told";
        end(c, PAIR_LEFT);
        pair_drop(pair);
        return 125;
    }
    *out = c;
    return 0;
}

void call_abort(struct call *c) { end(c, PAIR_LEFT); }
