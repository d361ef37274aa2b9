/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-parts.h - what the files exec*.c know of each other.
 *
 *   exec.c          the plans: which file or command a request means, and what its config says; the table of runs
 *   exec-find.c     services and their configs in the search folders
 *   exec-config.c   a service config's text
 *   exec-account.c  the account that dom0 names
 *   exec-child.c    start a process
 *   exec-environment.c  what it is given of ours, and of the request
 *   exec-run.c      a process as the handler of a call
 *   exec-socket.c   a Unix or TCP socket as the handler of a call
 *   exec-pump.c     bytes between a call and file descriptors
 */
#ifndef PLUGINS_QREXEC_EXEC_PARTS_H
#define PLUGINS_QREXEC_EXEC_PARTS_H

#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <unik/text.h>
#include "plugins/qrexec/exec.h"

#define QREXEC_EXIT_NO_SERVICE 127      /* doc/protocol/qrexec.md, 7 */
#define QREXEC_EXIT_PROBLEM 125

#define QREXEC_PATH_SIZE PATH_MAX       /* of a service file, with NUL */
#define QREXEC_USER_SIZE 256            /* LOGIN_NAME_MAX, with NUL */
#define QREXEC_GROUPS_MAX 256           /* supplementary groups of one account */
#define QREXEC_CONFIG_SIZE 65536        /* bytes of one service config */
#define QREXEC_RUNS_MAX 1024            /* children and socket services at a time; dom0 has 256 ports a VM */
#define QREXEC_SCRATCH 65536            /* bytes moved by one read: the most one data message carries */
#define QREXEC_PUMP_BYTES 262144        /* moved for one call before the others get their turn */
#define QREXEC_STDERR_BYTES 4096        /* read from a stderr pipe at once; fits in one message of every version */
#define QREXEC_CONNECT_SECONDS 60.0     /* for a socket service to accept */

/* ---- exec-config.c: the config of one service (doc/protocol/qrexec.md, 6) ---- */

struct qrexec_service_config {
    bool wait_for_session, skip_descriptor, exit_on_client_eof, exit_on_service_eof;
    char force_user[QREXEC_USER_SIZE];  /* "": not given */
};

/* Pure. 0, or -EINVAL for a text with which no call may be answered. `said`: what is wrong, or which keys mean nothing
 * to us, with line numbers; empty if there is nothing to say. */
int qrexec_config_parse(const char *text, size_t n, struct qrexec_service_config *c, struct unik_text *said);

/* ---- exec-find.c ---- */

enum qrexec_kind { QREXEC_IS_COMMAND, QREXEC_IS_PROGRAM, QREXEC_IS_UNIX, QREXEC_IS_TCP };

/* The service's file. 0, or the exit code to answer with; logged. *kind PROGRAM, UNIX: path is the file. TCP: path is
 * the link's target, "/dev/tcp...". */
int qrexec_find_service(struct unik_ctx *ctx, const char *folders, const struct qrexec_command *c,
                        enum qrexec_kind *kind, char path[QREXEC_PATH_SIZE]);
/* The service's config; all defaults if there is no file. 0, or the exit code. */
int qrexec_find_config(struct unik_ctx *ctx, const char *folders, const struct qrexec_command *c,
                       struct qrexec_service_config *config);

/* ---- exec-account.c ---- */

struct qrexec_account {
    uid_t uid;
    gid_t gid;
    char name[QREXEC_USER_SIZE], home[QREXEC_PATH_SIZE], shell[QREXEC_PATH_SIZE];
    gid_t groups[QREXEC_GROUPS_MAX];
    size_t n_groups;
};

/* 0, -ENOENT (no such account), -E2BIG (too many groups), -EINVAL (unusable line) or the error of reading the files. */
int qrexec_account_find(const char *name, size_t len, struct qrexec_account *a);

/* ---- exec-child.c ---- */

struct qrexec_spawn {
    const char *path;
    char *const *argv, *const *envp;
    const struct qrexec_account *become;    /* NULL: stay who we are */
    const char *folder;                     /* to start in; "/" if that fails */
    int in, out, err;                       /* the child's 0, 1, 2; stay the caller's */
    unsigned long files;                    /* RLIMIT_NOFILE, the soft limit */
};

/* What went wrong in a child before its program ran. */
struct qrexec_spawn_problem {
    int step;                               /* enum qrexec_spawn_step */
    int error;                              /* errno */
};
enum qrexec_spawn_step { QREXEC_SPAWN_FILES, QREXEC_SPAWN_ACCOUNT, QREXEC_SPAWN_PROGRAM };

/* A child, or a negative errno. *started (non-blocking) tells whether the program runs: see qrexec_spawn_result(). */
pid_t qrexec_spawn(const struct qrexec_spawn *s, int *started);
/* 1: it runs. 0: failed, *p says why. -EAGAIN: not known yet, *started becomes readable. */
int qrexec_spawn_result(int started, struct qrexec_spawn_problem *p);

/* ---- the plan, and the table of what runs ---- */

struct qrexec_plan {
    struct qrexec_runner *x;
    enum qrexec_kind kind;
    bool waits;
    struct qrexec_service_config config;
    struct qrexec_account account;          /* COMMAND, PROGRAM */
    bool become;                            /* account is not who we are */
    char path[QREXEC_PATH_SIZE];            /* PROGRAM, UNIX */
    struct sockaddr_storage address;        /* TCP */
    socklen_t address_len;
    char label[96];                         /* for logs: the service or command, maybe cut */
    /* All below point into text[]; NULL where the request has none. */
    const char *command;
    const char *descriptor;                 /* NUL-terminated, and sent with that NUL */
    size_t descriptor_len;                  /* with the NUL */
    const char *service, *argument, *source, *target_type, *target;
    char text[];
};

/* ---- exec-environment.c ---- */

#define QREXEC_ENV_MAX 1024             /* variables taken from our own environment */
#define QREXEC_ENV_OWN 16               /* and set by us */

struct qrexec_environment {
    char *own[QREXEC_ENV_OWN];
    size_t n_own, n;
    bool bad;
    char *at[QREXEC_ENV_MAX + QREXEC_ENV_OWN + 1];     /* for execve(); points into our own environment */
};

/* NULL without memory: a service must not miss who calls it. */
struct qrexec_environment *qrexec_environment_new(const struct qrexec_plan *plan);
void qrexec_environment_free(struct qrexec_environment *e);

struct qrexec_run;
struct qrexec_run_ops {
    void (*drop)(struct qrexec_run *r);     /* the agent goes: close the call, free */
};
/* First member of whatever handles a call. */
struct qrexec_run {
    const struct qrexec_run_ops *ops;
    struct qrexec_runner *x;
    struct qrexec_run *next, *prev;
    bool serves;                            /* has a call */
};

struct qrexec_runner {
    struct unik_ctx *ctx;
    char *service_path, *config_path;
    bool commands, services;
    struct qrexec_run *runs;
    size_t n_runs, n_serving;
    uint8_t scratch[QREXEC_SCRATCH];
};

/* -EAGAIN: QREXEC_RUNS_MAX reached. */
int qrexec_run_add(struct qrexec_runner *x, struct qrexec_run *r, const struct qrexec_run_ops *ops);
void qrexec_run_served(struct qrexec_run *r);   /* its call is closed; it goes on without */
void qrexec_run_remove(struct qrexec_run *r);

/* exec-run.c, exec-socket.c: see qrexec_exec_run(). */
void qrexec_run_process(struct qrexec_plan *plan, struct unik_qrexec_call *call, bool just_exec);
void qrexec_run_socket(struct qrexec_plan *plan, struct unik_qrexec_call *call, bool just_exec);
/* "/dev/tcp[/HOST[/PORT]]" and what the argument adds. 0 or -EINVAL with the reason in `why`. */
int qrexec_tcp_address(const char *link, const char *argument, struct sockaddr_storage *out, socklen_t *len,
                       struct unik_text *why);

/* ---- exec-pump.c ---- */

struct qrexec_pump {
    struct qrexec_runner *x;
    struct unik_qrexec_call *call;
    const char *label;                      /* for logs */
    int in, out, err;                       /* -1: ended. in (the call's input goes there) may be out */
    bool held_up;                           /* in cannot take anything yet (connecting) */
    bool lost;                              /* caller gone, or stopped: all closed, the call is told nothing */
    bool tcp;                               /* in and out are a TCP connection: a reset of it means something */
    bool broken;                            /* it was reset: its output has no end in order */
    const char *head;                       /* goes to in before the call's input */
    size_t head_left;
    void (*settle)(struct qrexec_pump *p);  /* after every event, last: it may free the pump */
    ev_io in_watch, out_watch, err_watch;
    ev_timer again;                         /* input is left, and it was the others' turn */
    size_t err_used;
    char err_bytes[QREXEC_STDERR_BYTES];    /* read, not yet taken by the call */
    size_t line_used;
    char line[256];                         /* of stderr, for the log */
};

/* All descriptors non-blocking, now the pump's. Takes over the events of call->io. */
void qrexec_pump_start(struct qrexec_pump *p);
void qrexec_pump_end_in(struct qrexec_pump *p);     /* nothing more is written to in; input is dropped from now on */
void qrexec_pump_input(struct qrexec_pump *p);      /* look at the call's input, as if an event had told of it */
/* Stop, close all descriptors. The call stays, and is silent. */
void qrexec_pump_stop(struct qrexec_pump *p);

#endif
