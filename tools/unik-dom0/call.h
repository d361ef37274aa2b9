/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/call.h - a call that dom0 makes, for one client of the control socket. */
#ifndef UNIK_DOM0_CALL_H
#define UNIK_DOM0_CALL_H

#include "tools/unik-dom0/dom0.h"

struct call;

struct call_params {
    bool just_exec;
    const char *line;               /* "user:command", sent with its NUL; DEFAULT: was replaced */
    int fds[3];                     /* stdin, stdout, stderr: taken over in any case */
    double timeout;                 /* 0: none */
    void (*done)(void *arg, int code, const char *message);     /* once; message may be NULL */
    void *arg;
};

/* 0: done() will be called, from the loop. Else the exit code for a call that could not be made; message: why. */
int call_start(struct vm *vm, const struct call_params *p, struct call **out, const char **message);
/* Give up: done() is not called. */
void call_abort(struct call *c);

#endif
