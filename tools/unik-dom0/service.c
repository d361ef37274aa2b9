/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/service.c - dom0 answers a call of the guest: runs a program and is its end of the data channel. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unik/inherit.h>

#include "tools/unik-dom0/control.h"
#include "tools/unik-dom0/data.h"

struct service {
    struct data data;               /* first */
    char *name, *target, *command, *file;
    ev_child child;
    bool started, running, exit_sent;
    int code;
};

static void free_service(struct service *s)
{
    free(s->name);
    free(s->target);
    free(s->command);
    free(s->file);
    free(s);
}

/* A program that still runs is not killed, as in dom0; its ends are closed. */
static void end(struct service *s, enum pair_end how)
{
    if (s->running)
        ev_child_stop(s->data.vm->dom0->loop, &s->child);       /* libev reaps it all the same */
    data_end(&s->data, how);
    free_service(s);
}

/* What was meant for whoever started us is not for a service, and no other call's variables are. */
static void set_environment(const struct service *s)
{
    const char *plus = strchr(s->name, '+');
    char **to = environ;

    for (char **var = environ; *var; var++)
        if (unik_inherits(*var) && strncmp(*var, "QREXEC", 6) != 0 && strcmp(*var, "PATH=") != 0)
            *to++ = *var;
    *to = NULL;
    setenv("QREXEC_REMOTE_DOMAIN", s->data.vm->name, 1);
    setenv("QREXEC_SERVICE_FULL_NAME", s->name, 1);
    if (plus)
        setenv("QREXEC_SERVICE_ARGUMENT", plus + 1, 1);
    setenv("QREXEC_REQUESTED_TARGET_TYPE", s->target[0] == '@' ? "keyword" : s->target[0] ? "name" : "", 1);
    setenv(s->target[0] == '@' ? "QREXEC_REQUESTED_TARGET_KEYWORD" : "QREXEC_REQUESTED_TARGET",
           s->target[0] == '@' ? s->target + 1 : s->target, 1);
}

/* In the child. */
static void run(const struct service *s, int in, int out)
{
    const char *argument = strchr(s->name, '+');
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);             /* nohup(1) ignores one for us, not for them */
    setrlimit(RLIMIT_NOFILE, &s->data.vm->dom0->files);
    setsid();
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
        _exit(125);
    set_environment(s);
    if (s->command)
        execl("/bin/sh", "sh", "-c", s->command, (char *)NULL);
    else
        execl(s->file, s->file, argument && argument[1] ? argument + 1 : (char *)NULL, (char *)NULL);
    _exit(125);
}

static void on_exit_of_child(struct ev_loop *loop, ev_child *w, int revents)
{
    struct service *s = w->data;

    (void)revents;
    ev_child_stop(loop, w);
    s->running = false;
    s->code = WIFSIGNALED(w->rstatus) ? 128 + WTERMSIG(w->rstatus) : WEXITSTATUS(w->rstatus);
    data_turn(&s->data);
}

static void spawn(struct service *s)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 };
    pid_t pid = -1;

    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0)
        pid = fork();
    if (pid == 0)
        run(s, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    if (pid < 0) {
        close(in[1]);
        close(out[0]);
        s->code = 125;
        return;
    }
    s->running = true;
    ev_child_init(&s->child, on_exit_of_child, pid, 0);
    s->child.data = s;
    ev_child_start(s->data.vm->dom0->loop, &s->child);
    data_fds(&s->data, out[0], in[1], -1);
}

/* The guest has said HELLO. STDERR is never carried from dom0: its end goes out at once. */
static void begin(struct service *s)
{
    struct data *d = &s->data;

    s->started = true;
    data_send_eof(d, QREXEC_STDERR);
    s->code = 127;
    if (s->command || s->file)
        spawn(s);
    if (!s->running) {
        data_send_eof(d, QREXEC_STDOUT);
        d->in_done = true;
    }
}

static void turn(struct data *d)
{
    struct service *s = (struct service *)(void *)d;

    if (d->error) {
        end(s, d->error == -EPIPE ? PAIR_DONE : PAIR_LEFT);
        return;
    }
    if (d->version && !s->started && !d->spoiled) {
        begin(s);
        data_turn(d);
        return;
    }
    if (s->started && !s->running && d->in_done && !s->exit_sent) {
        s->exit_sent = true;
        data_send_exit(d, s->code);
        outbox_flush(&d->box);
    }
    if (s->exit_sent && outbox_empty(&d->box))
        end(s, PAIR_DONE);
}

static void abandon(struct data *d)
{
    struct service *s = (struct service *)(void *)d;

    if (s->running)
        kill(-s->child.pid, SIGTERM);
    end(s, PAIR_LEFT);
}

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

int service_start(struct pair *pair, const char *service, const char *target, const char *command, const char *file)
{
    struct service *s = calloc(1, sizeof(*s));
    int e;

    if (!s)
        return -ENOMEM;
    s->name = copy(service);
    s->target = copy(target);
    s->command = copy(command);
    s->file = copy(file);
    s->data.vm = pair->vm;
    s->data.pair = pair;
    s->data.service = true;
    s->data.turn = turn;
    s->data.abandon = abandon;
    e = s->name && s->target ? data_init(&s->data) : -ENOMEM;
    if (e < 0) {
        free_service(s);
        return e;
    }
    e = data_join(&s->data);
    if (e < 0)
        s->data.error = e;      /* told by the limit of its caller: the channel ends, the pair stays until released */
    if (e < 0)
        end(s, PAIR_LEFT);
    return 0;
}
