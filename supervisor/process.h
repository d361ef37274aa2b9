/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/process.h - what a process inherits from whoever started it, and this one does not rely on. */
#ifndef SUPERVISOR_PROCESS_H
#define SUPERVISOR_PROCESS_H

#define PROCESS_FILES_LEAST 128     /* descriptors: with fewer, a few calls at once fail */

/* The first thing of all: descriptors 0 to 2 are open, SIGPIPE kills nobody, no signal is blocked or ignored that a plugin may want,
 * files are made with mode 644, as many descriptors as we may have. Signals that the program handles later wait until process_ready() instead of killing it. */
void process_begin(void);
void process_ready(void);

/* How many descriptors there can be. */
unsigned long process_files(void);
/* And before process_begin(). */
unsigned long process_files_before(void);

#endif
