/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/xenstore.h - xenstored's wire format (xen/io/xs_wire.h, in our words). Pure functions: no I/O, no state.
 *
 * A message is a header of 16 bytes - u32 type, request id, transaction id, length - and `length` bytes.
 */
#ifndef PROTOCOL_XENSTORE_H
#define PROTOCOL_XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XENSTORE_HEADER 16
#define XENSTORE_PAYLOAD_MAX 4096
#define XENSTORE_ABS_PATH_MAX 3072
#define XENSTORE_REL_PATH_MAX 2048

enum xenstore_type {
    XENSTORE_DIRECTORY = 1, XENSTORE_READ = 2, XENSTORE_GET_PERMS = 3, XENSTORE_WATCH = 4, XENSTORE_UNWATCH = 5,
    XENSTORE_TRANSACTION_START = 6, XENSTORE_TRANSACTION_END = 7, XENSTORE_WRITE = 11, XENSTORE_MKDIR = 12,
    XENSTORE_RM = 13, XENSTORE_SET_PERMS = 14, XENSTORE_WATCH_EVENT = 15, XENSTORE_ERROR = 16,
    XENSTORE_RESET_WATCHES = 21
};

struct xenstore_header { uint32_t type, id, tx, len; };

/* 0; -EINVAL for a length over XENSTORE_PAYLOAD_MAX. */
int xenstore_decode_header(const void *bytes, struct xenstore_header *h);

/* Header (h->len is computed here) and up to three parts in one piece; a part that is NULL is left out. The path and
 * the second part get a final NUL; a value part does not. The path is checked for the type; "" is one only for
 * TRANSACTION_START and RESET_WATCHES, whose body is a single NUL. second: a watch's token. TRANSACTION_END takes "T"
 * or "F" as its path. Bytes written, -E2BIG (does not fit the protocol's limits), -EINVAL (path not valid), -ENOSPC
 * (does not fit `size`). */
int xenstore_encode(void *bytes, size_t size, const struct xenstore_header *h, const char *path, const char *second,
                    const void *value, size_t len);

/* A path xenstored takes: A-Za-z0-9-/_@, no //, no trailing / (but "/"), within the limits; '@' paths for watches only. */
bool xenstore_path_ok(const char *path, bool watch);

/* The error name in an ERROR body ("ENOENT\0") as a negative errno; -EPROTO if unknown. */
int xenstore_error(const void *body, size_t n);
const char *xenstore_error_name(int error);     /* the reverse (-ENOENT: "ENOENT"), for scripted servers; NULL: no name */

/* A WATCH_EVENT body: path NUL token NUL. 0 or -EINVAL. */
int xenstore_decode_event(const void *body, size_t n, const char **path, const char **token);

/* A TRANSACTION_START reply: decimal, NUL-terminated, not 0. 0 or -EINVAL. */
int xenstore_decode_tx(const void *body, size_t n, uint32_t *tx);

const char *xenstore_type_name(uint32_t type);

#endif
