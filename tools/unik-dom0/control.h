/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/control.h - the qrexec daemon of one VM: dom0's end of the control channel. */
#ifndef UNIK_DOM0_CONTROL_H
#define UNIK_DOM0_CONTROL_H

#include "tools/unik-dom0/dom0.h"

int control_init(struct vm *vm);
void control_free(struct vm *vm);
/* The version in use, 0 while not connected. */
uint32_t control_version(struct vm *vm);

/* EXEC_CMDLINE, JUST_EXEC, SERVICE_CONNECT. text: what follows domain and port, as it is. -ENOTCONN, -ENOBUFS. */
int control_send_exec(struct vm *vm, uint32_t type, uint32_t domain, uint32_t port, const void *text, size_t n);
int control_send_refused(struct vm *vm, const uint8_t ident[QREXEC_IDENT]);

/* The daemon goes away and is back after so many seconds, with an empty table of ports. */
void control_restart(struct vm *vm, double seconds);
void control_status(struct vm *vm, struct unik_text *out);

/* trigger.c: from the guest. body is n bytes of a type and length that fit the version. */
void trigger_receive(struct vm *vm, uint32_t type, const uint8_t *body, size_t n);

/* service.c: dom0 answers a call of the guest on this pair. command: for the shell; NULL: the executable `file` (NULL:
 * there is none, exit 127). 0 or a negative errno: nothing was started, the pair is still the caller's. */
int service_start(struct pair *pair, const char *service, const char *target, const char *command, const char *file);

#endif
