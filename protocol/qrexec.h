/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/qrexec.h - qrexec 2, 3 and 4: messages between a VM, dom0's daemon and other VMs.
 * Pure functions: no I/O, no allocation, no state.
 *
 * Every message on every channel is a header - u32 type, u32 length - and `length` bytes.
 * Decoders take the body. They give 0, or -EINVAL for a body that is not one. Encoders write header and body and give the
 * bytes written, or -EINVAL for what the receiver would not survive.
 */
#ifndef PROTOCOL_QREXEC_H
#define PROTOCOL_QREXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QREXEC_PORT 512                 /* control: VM is the vchan server, dom0's daemon the client */
#define QREXEC_DATA_PORT 513            /* data channels: today's daemons give out 513..768 */
#define QREXEC_DATA_PORTS 256
#define QREXEC_HEADER 8
#define QREXEC_VERSION_MIN 2
#define QREXEC_VERSION 4                /* what we announce: dom0 echoes it, so never more than is implemented */

#define QREXEC_CMD_MAX 65535            /* body of EXEC_CMDLINE, JUST_EXEC: dom0's own limit */
#define QREXEC_SERVICE_MAX 65000        /* bytes of "name+argument" */
#define QREXEC_NAME_MAX 255             /* bytes of name alone */
#define QREXEC_IDENT 32                 /* field: 31 bytes and a NUL */
#define QREXEC_TARGET 64                /* field in versions 3, 4; 32 in version 2 */
#define QREXEC_CONTROL_MAX (QREXEC_HEADER + 160 + QREXEC_SERVICE_MAX)  /* largest control message */

enum qrexec_type {
    QREXEC_STDIN = 0x190, QREXEC_STDOUT = 0x191, QREXEC_STDERR = 0x192, QREXEC_EXIT_CODE = 0x193,
    QREXEC_EXEC_CMDLINE = 0x200, QREXEC_JUST_EXEC = 0x201, QREXEC_SERVICE_CONNECT = 0x202, QREXEC_SERVICE_REFUSED = 0x203,
    QREXEC_TRIGGER2 = 0x210, QREXEC_TERMINATED = 0x211, QREXEC_TRIGGER3 = 0x212, QREXEC_TRIGGER4 = 0x213,
    QREXEC_HELLO = 0x300
};

struct qrexec_header { uint32_t type, len; };

/* EXEC_CMDLINE, JUST_EXEC, SERVICE_CONNECT (text = ident), TERMINATED (no text). */
struct qrexec_exec {
    uint32_t domain, port;
    const char *text;                   /* in the body, not NUL-terminated there: use len */
    size_t len;                         /* up to the first NUL: what follows is padding */
};

/* TRIGGER2, 3, 4 as one. Strings point into the body and are NUL-terminated there. */
struct qrexec_trigger {
    const char *source;                 /* version 4 only, else "" */
    const char *target, *ident, *service;
};

/* The most bytes a data message carries: 4096 up to version 2, 65536 from 3 on. */
size_t qrexec_data_max(uint32_t version);
/* min(ours, theirs), or 0 if that is below QREXEC_VERSION_MIN. */
uint32_t qrexec_version(uint32_t ours, uint32_t theirs);
const char *qrexec_type_name(uint32_t type);

void qrexec_decode_header(const void *bytes, struct qrexec_header *h);
void qrexec_encode_header(void *bytes, uint32_t type, uint32_t len);

int qrexec_decode_hello(const void *body, size_t n, uint32_t *version);                 /* exactly 4 bytes */
int qrexec_decode_exec(const void *body, size_t n, struct qrexec_exec *e);              /* over 8, at most QREXEC_CMD_MAX */
int qrexec_decode_terminated(const void *body, size_t n, struct qrexec_exec *e);        /* exactly 8 */
int qrexec_decode_refused(const void *body, size_t n, char ident[QREXEC_IDENT]);        /* exactly 32 */
/* version: the control channel's; the type must fit it, as dom0's daemon demands. */
int qrexec_decode_trigger(uint32_t type, uint32_t version, const void *body, size_t n, struct qrexec_trigger *t);
int qrexec_decode_exit_code(const void *body, size_t n, int *code);                     /* shorter than 4: 255 */

int qrexec_encode_hello(void *bytes, size_t size, uint32_t version);
int qrexec_encode_exec(void *bytes, size_t size, uint32_t type, uint32_t domain, uint32_t port, const char *text, size_t len);
int qrexec_encode_terminated(void *bytes, size_t size, uint32_t domain, uint32_t port);
int qrexec_encode_refused(void *bytes, size_t size, const char *ident);
/* Picks the type by version. Refuses names, targets and idents that the daemon refuses or dies of. */
int qrexec_encode_trigger(void *bytes, size_t size, uint32_t version, const struct qrexec_trigger *t);
int qrexec_encode_exit_code(void *bytes, size_t size, int code);                        /* code 0..255 */

/* ---- the command line "USER:[nogui:]REST" of EXEC_CMDLINE (doc/protocol/qrexec.md, 5) ---- */

struct qrexec_command {
    const char *user; size_t user_len;
    bool nogui;
    bool rpc;                           /* REST was a service call; else `command` is a shell command */
    const char *command; size_t command_len;        /* REST */
    /* rpc only; all point into the text, none NUL-terminated */
    const char *descriptor; size_t descriptor_len;  /* everything after "QUBESRPC " */
    const char *service; size_t service_len;        /* "name+argument" as given */
    const char *name; size_t name_len;
    const char *argument; size_t argument_len;      /* after the +; NULL if there was no + */
    const char *source; size_t source_len;          /* who calls */
    const char *target_type; size_t target_type_len;    /* "name", "keyword": only when the target is dom0; else NULL */
    const char *target; size_t target_len;
};

/* -EINVAL for what must end with exit code 125. */
int qrexec_parse_command(const char *text, size_t len, struct qrexec_command *c);

bool qrexec_service_ok(const char *service);    /* "name[+argument]" that dom0 takes unchanged */
bool qrexec_target_ok(const char *target, size_t field);    /* field: QREXEC_TARGET, 32 for version 2 */
bool qrexec_ident_ok(const char *ident);

#endif
