/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/qubesdb.c - QubesDB messages. Bytes to decode come from dom0, or from a VM where we play dom0. */
#include <errno.h>
#include <string.h>

#include "protocol/chars.h"
#include "protocol/cursor.h"
#include "protocol/qubesdb.h"

#define PADDING 3

/* What a type may carry. */
enum path_rule { ANY, KEY, KEY_OR_DIR, KEY_OR_END };

static const struct {
    const char *name;
    enum path_rule path;
    bool value, from_dom0, from_vm;     /* the latter two: over vchan */
} types[] = {
    [QUBESDB_READ] = { "READ", ANY, false, false, false },
    [QUBESDB_WRITE] = { "WRITE", KEY, true, true, true },
    [QUBESDB_MULTIREAD] = { "MULTIREAD", ANY, false, false, true },
    [QUBESDB_LIST] = { "LIST", ANY, false, false, false },
    [QUBESDB_RM] = { "RM", KEY_OR_DIR, false, true, true },
    [QUBESDB_WATCH] = { "WATCH", ANY, false, false, false },
    [QUBESDB_UNWATCH] = { "UNWATCH", ANY, false, false, false },
    [QUBESDB_OK] = { "OK", ANY, false, true, true },
    [QUBESDB_ERROR_NOENT] = { "ERROR_NOENT", ANY, false, true, false },
    [QUBESDB_ERROR] = { "ERROR", ANY, false, true, true },
    [QUBESDB_GOT_READ] = { "GOT_READ", KEY, true, false, false },
    [QUBESDB_GOT_MULTIREAD] = { "GOT_MULTIREAD", KEY_OR_END, true, true, false },
    [QUBESDB_GOT_LIST] = { "GOT_LIST", KEY_OR_END, false, false, false },
    [QUBESDB_GOT_WATCH] = { "GOT_WATCH", ANY, false, false, false },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

bool qubesdb_from_dom0(uint8_t type) { return type < TYPES && types[type].from_dom0; }
bool qubesdb_from_vm(uint8_t type) { return type < TYPES && types[type].from_vm; }
const char *qubesdb_type_name(uint8_t type) { return type < TYPES ? types[type].name : "unknown"; }

bool qubesdb_path_ok(const char *path)
{
    return path && path[0] != '-' && strlen(path) < QUBESDB_PATH && chars_only(path, CHARS_ALNUM "_-/.:@");
}

bool qubesdb_key_ok(const char *path)
{
    return qubesdb_path_ok(path) && path[0] == '/' && path[strlen(path) - 1] != '/';
}

int qubesdb_decode(const void *bytes, struct qubesdb_header *h)
{
    struct reader r;
    const char *path;

    reader_init(&r, bytes, QUBESDB_HEADER);
    h->type = reader_u8(&r);
    path = reader_string(&r, QUBESDB_PATH);
    reader_skip(&r, PADDING);
    h->len = reader_u32(&r);
    if (!reader_ok(&r) || h->len > QUBESDB_VALUE_MAX)
        return -EINVAL;
    memcpy(h->path, path, strlen(path) + 1);
    return 0;
}

static bool path_fits(enum path_rule rule, const char *path, size_t value_len)
{
    switch (rule) {
    case KEY: return qubesdb_key_ok(path);
    case KEY_OR_DIR: return qubesdb_path_ok(path) && path[0] == '/';
    case KEY_OR_END: return qubesdb_key_ok(path) || (path && path[0] == 0 && value_len == 0);
    default: return qubesdb_path_ok(path);
    }
}

int qubesdb_encode(void *bytes, size_t size, enum qubesdb_type type, const char *path, const void *value, size_t len)
{
    struct writer w;
    size_t n;

    if ((size_t)type >= TYPES || !path_fits(types[type].path, path, len))
        return -EINVAL;
    if (len > (types[type].value ? QUBESDB_VALUE_MAX : 0) || (len && (!value || memchr(value, 0, len))))
        return -EINVAL;
    writer_init(&w, bytes, size);
    writer_u8(&w, (uint8_t)type);
    writer_string(&w, path, QUBESDB_PATH);
    writer_zeros(&w, PADDING);
    writer_u32(&w, (uint32_t)len);
    writer_bytes(&w, value, len);
    n = writer_done(&w);
    return n ? (int)n : -EINVAL;
}
