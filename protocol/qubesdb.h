/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/qubesdb.h - QubesDB between a VM and dom0's daemon, and over the daemon's local sockets.
 * Pure functions: no I/O, no allocation, no state.
 *
 * A message is a header of 72 bytes - type, path[64], 3 bytes padding, u32 length - and `length` bytes of value.
 */
#ifndef PROTOCOL_QUBESDB_H
#define PROTOCOL_QUBESDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUBESDB_PORT 111
#define QUBESDB_HEADER 72
#define QUBESDB_PATH 64             /* field size: 63 characters and a NUL */
#define QUBESDB_VALUE_MAX 3071      /* the daemon's check is "3072 or more is invalid" */
#define QUBESDB_MESSAGE_MAX (QUBESDB_HEADER + QUBESDB_VALUE_MAX)

enum qubesdb_type {
    QUBESDB_READ = 0, QUBESDB_WRITE = 1, QUBESDB_MULTIREAD = 2, QUBESDB_LIST = 3, QUBESDB_RM = 4, QUBESDB_WATCH = 5,
    QUBESDB_UNWATCH = 6, QUBESDB_OK = 7, QUBESDB_ERROR_NOENT = 8, QUBESDB_ERROR = 9, QUBESDB_GOT_READ = 10,
    QUBESDB_GOT_MULTIREAD = 11, QUBESDB_GOT_LIST = 12, QUBESDB_GOT_WATCH = 13
};

struct qubesdb_header {
    uint8_t type;                   /* not checked by decode */
    char path[QUBESDB_PATH];        /* always NUL-terminated */
    uint32_t len;                   /* bytes of value that follow */
};

/* Decode 72 bytes. 0; -EINVAL: no NUL in the path, or a length over QUBESDB_VALUE_MAX (both end the connection). The path's
 * characters are not checked: see qubesdb_path_ok(). What follows the path's NUL is garbage and ignored. */
int qubesdb_decode(const void *bytes, struct qubesdb_header *h);

/* Encode header and value in one piece into `bytes` (room for QUBESDB_HEADER + len). Bytes written, or -EINVAL for what a
 * daemon would not survive: bad path for the type, value with a NUL, value over the limit, value where none may be. */
int qubesdb_encode(void *bytes, size_t size, enum qubesdb_type type, const char *path, const void *value, size_t len);

/* Only characters that every daemon takes (A-Z a-z 0-9 _ - / . : @, no leading -), at most 63; "" is fine. */
bool qubesdb_path_ok(const char *path);
/* Also fit to be stored: begins with /, does not end with /. */
bool qubesdb_key_ok(const char *path);
/* May this type come to a VM over vchan from dom0? (WRITE, RM, OK, ERROR, ERROR_NOENT, GOT_MULTIREAD) */
bool qubesdb_from_dom0(uint8_t type);
/* May this type come to dom0 over vchan from a VM? (WRITE, MULTIREAD, RM, OK, ERROR) */
bool qubesdb_from_vm(uint8_t type);

const char *qubesdb_type_name(uint8_t type);

#endif
