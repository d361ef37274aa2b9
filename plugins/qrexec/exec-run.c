/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-run.c - a process as the handler of a call.
 *
 * The call is over when the process has exited and its stdout and stderr are closed: a background child that holds one
 * of them keeps it open. If the caller goes first, the process loses its descriptors and is waited for, not killed.
 *
 * stdin and stdout are sockets as the stock agent's are. Its switch to one socket for both (SIGUSR1 to
 * QREXEC_AGENT_PID) needs an agent process of its own for every call, which we are not: that variable is not set.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"

struct process {
    struct qrexec_run run;              /* first */
    struct qrexec_plan *plan;
    struct unik_qrexec_call *call;      /* NULL once it is closed */
    struct qrexec_pump pump;
    bool pumps;
    pid_t pid;
    int started;                        /* what qrexec_spawn() gave; -1: the program runs, or never will */
    bool just_exec, exited;
    int code;
    ev_child exit_watch;
    ev_io started_watch;
};

/* ---- argv ---- */

static char *unconst(const char *s) { return (char *)(uintptr_t)s; }    /* execve() changes nothing */

/* For another account its login shell, for its profile. As ourselves we have an environment already, and do without: that is
 * what the stock agent does too, and several times faster. */
static const char *shell_of(const struct qrexec_plan *plan) { return plan->become ? plan->account.shell : "/bin/sh"; }

static pid_t spawn(struct process *p, const int fds[3])
{
    const struct qrexec_plan *plan = p->plan;
    const char *shell = shell_of(plan), *base = strrchr(shell, '/');
    struct qrexec_environment *e = qrexec_environment_new(plan);
    char name[QREXEC_PATH_SIZE + 1];
    char *command[] = { name, unconst("-c"), unconst(plan->command), NULL };
    bool argument = plan->argument && plan->argument[0];
    char *program[] = { unconst(plan->path), argument ? unconst(plan->argument) : NULL, NULL };
    bool is_command = plan->kind == QREXEC_IS_COMMAND;
    struct qrexec_spawn s = { .path = is_command ? shell : plan->path, .argv = is_command ? command : program,
                              .become = plan->become ? &plan->account : NULL, .folder = plan->account.home,
                              .in = fds[0], .out = fds[1], .err = fds[2],
                              .files = unik_files(p->run.x->ctx) };
    pid_t pid;

    if (!e)
        return -ENOMEM;
    snprintf(name, sizeof(name), "%s%s", plan->become ? "-" : "", base ? base + 1 : shell);     /* "-": a login shell */
    s.envp = e->at;
    pid = qrexec_spawn(&s, &p->started);
    qrexec_environment_free(e);
    return pid;
}

/* ---- life ---- */

static void process_free(struct process *p)
{
    struct ev_loop *loop = p->run.x->ctx->loop;

    ev_child_stop(loop, &p->exit_watch);
    ev_io_stop(loop, &p->started_watch);
    if (p->started >= 0)
        close(p->started);
    qrexec_run_remove(&p->run);
    qrexec_plan_free(p->plan);
    free(p);
}

static void close_call(struct process *p, int code)
{
    struct unik_qrexec_call *call = p->call;

    if (!call)
        return;
    if (p->pumps)
        qrexec_pump_stop(&p->pump);
    p->call = NULL;
    qrexec_run_served(&p->run);
    call->exit_code = code;
    unik_stream_close(call->io);
}

static void settle(struct process *p)
{
    if (p->call && p->just_exec && p->started < 0)
        close_call(p, p->code);
    if (!p->exited || p->started >= 0)
        return;
    if (p->pumps && (p->pump.out >= 0 || p->pump.err >= 0))
        return;
    close_call(p, p->code);
    process_free(p);
}

static void settle_pump(struct qrexec_pump *pump)
{
    settle((struct process *)(void *)((char *)pump - offsetof(struct process, pump)));
}

/* Does the program run? Until that is known, the end of a JUST_EXEC is not told. */
static void look_started(struct process *p)
{
    static const char *const steps[] = { [QREXEC_SPAWN_FILES] = "prepare its files for",
                                         [QREXEC_SPAWN_ACCOUNT] = "change the account for",
                                         [QREXEC_SPAWN_PROGRAM] = "run" };
    struct qrexec_spawn_problem problem;
    const char *what = p->plan->kind == QREXEC_IS_COMMAND ? shell_of(p->plan) : p->plan->path;
    int e = qrexec_spawn_result(p->started, &problem);

    if (e == -EAGAIN)
        return;
    ev_io_stop(p->run.x->ctx->loop, &p->started_watch);
    close(p->started);
    p->started = -1;
    if (e == 1) {
        unik_debug(p->run.x->ctx, "%s: process %d runs %s as %s", p->plan->label, (int)p->pid, what,
                   p->plan->account.name);
        return;
    }
    unik_warn(p->run.x->ctx, "%s: cannot %s %s as %s: %s", p->plan->label, steps[problem.step], what,
              p->plan->account.name, strerror(problem.error));
    if (p->just_exec)
        p->code = problem.step == QREXEC_SPAWN_PROGRAM && problem.error == ENOENT ? QREXEC_EXIT_NO_SERVICE :
            QREXEC_EXIT_PROBLEM;
}

static void on_started(struct ev_loop *loop, ev_io *w, int revents)
{
    struct process *p = w->data;

    (void)loop, (void)revents;
    look_started(p);
    settle(p);
}

static void on_exit_watch(struct ev_loop *loop, ev_child *w, int revents)
{
    struct process *p = w->data;

    (void)revents;
    ev_child_stop(loop, w);
    p->exited = true;
    if (p->started >= 0)
        look_started(p);                /* it has exited: the answer is there */
    if (!p->just_exec) {
        p->code = WIFSIGNALED(w->rstatus) ? 128 + WTERMSIG(w->rstatus) : WEXITSTATUS(w->rstatus);
        if (p->pumps) {
            qrexec_pump_end_in(&p->pump);
            qrexec_pump_input(&p->pump);    /* what waits is dropped */
        }
    }
    settle(p);
}

static void drop(struct qrexec_run *run)
{
    struct process *p = (struct process *)(void *)run;

    close_call(p, QREXEC_EXIT_PROBLEM);
    process_free(p);
}

static const struct qrexec_run_ops ops = { .drop = drop };

/* ---- descriptors ---- */

static void close_all(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static bool nonblocking(int fd) { return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0; }

/* ours[3] non-blocking, theirs[3] not. 0 or a negative errno with nothing left open. */
static int make_pipes(int ours[3], int theirs[3])
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
    int e;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out) < 0 || pipe2(err, O_CLOEXEC) < 0 ||
        !nonblocking(in[0]) || !nonblocking(out[0]) || !nonblocking(err[0])) {
        e = -errno;
        close_all(in, 2);
        close_all(out, 2);
        close_all(err, 2);
        return e;
    }
    shutdown(in[0], SHUT_RD);           /* one way each: writing to stdin fails, reading stdout ends */
    shutdown(out[0], SHUT_WR);
    ours[0] = in[0], ours[1] = out[0], ours[2] = err[0];
    theirs[0] = in[1], theirs[1] = out[1], theirs[2] = err[1];
    return 0;
}

static int make_null(int theirs[3])
{
    theirs[0] = theirs[1] = theirs[2] = -1;
    for (int i = 0; i < 3; i++)
        if ((theirs[i] = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0) {
            int e = -errno;

            close_all(theirs, 3);
            return e;
        }
    return 0;
}

static int start(struct process *p)
{
    int ours[3] = { -1, -1, -1 }, theirs[3];
    int e = p->just_exec ? make_null(theirs) : make_pipes(ours, theirs);
    struct ev_loop *loop = p->run.x->ctx->loop;

    if (e < 0)
        return e;
    p->pid = spawn(p, theirs);
    close_all(theirs, 3);
    if (p->pid < 0) {
        close_all(ours, 3);
        return (int)p->pid;
    }
    ev_child_set(&p->exit_watch, p->pid, 0);
    ev_child_start(loop, &p->exit_watch);
    ev_io_set(&p->started_watch, p->started, EV_READ);
    ev_io_start(loop, &p->started_watch);
    if (!p->just_exec) {
        p->pump = (struct qrexec_pump){ .x = p->run.x, .call = p->call, .label = p->plan->label, .in = ours[0],
                                        .out = ours[1], .err = ours[2], .settle = settle_pump };
        p->pumps = true;
        qrexec_pump_start(&p->pump);
    }
    look_started(p);
    return 0;
}

void qrexec_run_process(struct qrexec_plan *plan, struct unik_qrexec_call *call, bool just_exec)
{
    struct process *p = calloc(1, sizeof(*p));
    int e = p ? qrexec_run_add(plan->x, &p->run, &ops) : -ENOMEM;

    if (e < 0) {
        unik_warn(plan->x->ctx, "%s: cannot start for %s: %s", plan->label, call->peer, strerror(-e));
        free(p);
        qrexec_plan_free(plan);
        call->exit_code = QREXEC_EXIT_PROBLEM;
        unik_stream_close(call->io);
        return;
    }
    p->plan = plan;
    p->call = call;
    p->just_exec = just_exec;
    p->started = -1;
    ev_child_init(&p->exit_watch, on_exit_watch, 0, 0);
    ev_io_init(&p->started_watch, on_started, -1, EV_READ);
    p->exit_watch.data = p->started_watch.data = p;
    e = start(p);
    if (e < 0) {
        unik_warn(plan->x->ctx, "%s: cannot start for %s: %s", plan->label, call->peer, strerror(-e));
        close_call(p, QREXEC_EXIT_PROBLEM);
        process_free(p);
        return;
    }
    settle(p);
}
