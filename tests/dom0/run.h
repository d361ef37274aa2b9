/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/run.h - a unik-dom0 in a folder of its own, commands asked of it, and guests played by peers.
 *
 * All wait by running the loop, so that a peer's side goes on meanwhile; none waits longer than RUN_SECONDS. */
#ifndef TESTS_DOM0_RUN_H
#define TESTS_DOM0_RUN_H

#include <check.h>
#include "protocol/qrexec.h"
#include "tests/common/peer.h"

#define RUN_SECONDS 300.0       /* an end for what never comes: a machine that stands still fails nothing */
#define RUN_ARGS_MAX 24
#define RUN_OUT_MAX 65536

/* A program that was started; its stdout and stderr go to files. */
struct program {
    struct host *h;
    char out_file[256], err_file[256];
    const char *output;         /* stdout goes here instead; NULL */
    pid_t pid;
    ev_child child;
    bool ended;
    int code;                   /* exit status, or 128 + signal */
};

struct run {
    struct host *h;
    char *dir, vchan[128];
    struct program dom0;
    char out[RUN_OUT_MAX];      /* stdout of the last command, or what run_log() read */
};

/* unik-dom0 start --state DIR ARGS...; options: words separated by one space. Waits until it is ready. */
struct run *run_start(const char *options);
/* SIGTERM; its exit code. Everything is removed. */
int run_stop(struct run *r);

/* Start a command with stdin from a file (NULL: /dev/null). words: as above, but one word may be given apart as the
 * last. */
struct program *run_begin(struct run *r, const char *input, const char *words, const char *last);
/* The same, with stdout to a file that is there. */
struct program *run_begin_into(struct run *r, const char *output, const char *input, const char *words, const char *last);
/* Its exit code, after it ended; its stdout is in r->out then. */
int run_end(struct run *r, struct program *p);
/* Both. */
int run_command(struct run *r, const char *words, const char *last);
/* The command that runs has printed this, or does soon. */
bool run_said(struct run *r, const struct program *p, const char *text);
/* The log of dom0 has this, or has it soon. */
bool run_logged(struct run *r, const char *text);
/* How often the log has this now. */
int run_count(struct run *r, const char *text);
/* A file in the folder with these bytes; its name (good until the next call). */
const char *run_file(struct run *r, const char *name, const char *text);

/* A guest with this domid on the control channel, HELLO exchanged. */
struct peer *run_guest(struct run *r, int domid, uint32_t version);
/* The guest's end of the data channel that dom0 serves on this port, HELLO exchanged with version 3. */
struct peer *run_data(struct run *r, unsigned port);
void send_message(struct peer *p, uint32_t type, const void *body, size_t n);
void send_terminated(struct peer *p, uint32_t domain, uint32_t port);
void send_exit(struct peer *p, int code);
/* The next message has this type and these bytes. */
void expect_message(struct peer *p, uint32_t type, const void *body, size_t n);
/* The next is EXEC_CMDLINE for (0, port) and this line. */
void expect_exec(struct peer *p, uint32_t port, const char *line);

TCase *case_calls(void);
TCase *case_control(void);
TCase *case_guest(void);
TCase *case_qubesdb(void);
TCase *case_faults(void);
TCase *case_gui(void);
TCase *case_gui_user(void);
TCase *case_gui_show(void);

#endif
