/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/command.h - the commands of unik-dom0. Each gives the program's exit code. */
#ifndef UNIK_DOM0_COMMAND_H
#define UNIK_DOM0_COMMAND_H

#include <unik/context.h>

#define EXIT_USAGE 2

/* "unik-dom0: ..." and a pointer to --help, on stderr: EXIT_USAGE. */
int usage(const char *fmt, ...) UNIK_PRINTF(1, 2);
/* A number in min..max, or false. */
bool parse_number(const char *text, double min, double max, double *value);

int command_start(int argc, char **argv);
int command_call(int argc, char **argv);
int command_exec(int argc, char **argv);
int command_qubesdb(int argc, char **argv);
int command_status(int argc, char **argv);
int command_wait(int argc, char **argv);
int command_stop(int argc, char **argv);
int command_restart(int argc, char **argv);
int command_fault(int argc, char **argv);
int command_gui(int argc, char **argv);
int command_net(int argc, char **argv);

#endif
