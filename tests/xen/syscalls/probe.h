/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/xen/syscalls/ - what a program sees of its kernel: one line for each probe, the same on Linux and on boot/.
 *
 * Nothing that is printed may depend on the machine, the time or the place: results, not addresses. Files come from
 * make-files; the program is told where they are.
 */
#ifndef TESTS_XEN_SYSCALLS_PROBE_H
#define TESTS_XEN_SYSCALLS_PROBE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* "what: result", or "what: -ENAME" if it is -1. */
void probe(const char *what, long result);
/* "what: yes" or "what: no" */
void probe_is(const char *what, bool so);
/* "what: text" */
void probe_text(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* errno before the call is 0. */
#define P(what, call) (errno = 0, probe(what, (long)(call)))

extern char *bad_near, *bad_kernel, *last_page;     /* page 0; not the program's; a page before one that is not mapped */
#define EDGE(n) (last_page + 4096 - (n))            /* n bytes before memory ends */

void probe_files(void);
void probe_folders(void);
void probe_tmp(void);
void probe_descriptors(void);
void probe_pipes(void);
void probe_waiting(void);
void probe_timers(void);
void probe_memory(void);
void probe_program(void);
void probe_xen(bool self_map);

#endif
