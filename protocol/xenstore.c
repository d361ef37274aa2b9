/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/xenstore.c - xenstored's wire format. xenstored is in dom0 and trusted; node values may be anybody's. */
#include <errno.h>
#include <string.h>

#include "protocol/chars.h"
#include "protocol/cursor.h"
#include "protocol/xenstore.h"

/* Errors travel by name. These are all that xenstored knows. */
static const struct {
    int error;
    const char *name;
} errors[] = {
    { -EINVAL, "EINVAL" }, { -EACCES, "EACCES" }, { -EEXIST, "EEXIST" }, { -EISDIR, "EISDIR" }, { -ENOENT, "ENOENT" },
    { -ENOMEM, "ENOMEM" }, { -ENOSPC, "ENOSPC" }, { -EIO, "EIO" }, { -ENOTEMPTY, "ENOTEMPTY" }, { -ENOSYS, "ENOSYS" },
    { -EROFS, "EROFS" }, { -EBUSY, "EBUSY" }, { -EAGAIN, "EAGAIN" }, { -EISCONN, "EISCONN" }, { -E2BIG, "E2BIG" },
    { -EPERM, "EPERM" },
};

#define ERRORS (sizeof(errors) / sizeof(errors[0]))

static const char *const type_names[] = {
    [XENSTORE_DIRECTORY] = "DIRECTORY", [XENSTORE_READ] = "READ", [XENSTORE_GET_PERMS] = "GET_PERMS",
    [XENSTORE_WATCH] = "WATCH", [XENSTORE_UNWATCH] = "UNWATCH", [XENSTORE_TRANSACTION_START] = "TRANSACTION_START",
    [XENSTORE_TRANSACTION_END] = "TRANSACTION_END", [XENSTORE_WRITE] = "WRITE", [XENSTORE_MKDIR] = "MKDIR",
    [XENSTORE_RM] = "RM", [XENSTORE_SET_PERMS] = "SET_PERMS", [XENSTORE_WATCH_EVENT] = "WATCH_EVENT",
    [XENSTORE_ERROR] = "ERROR", [XENSTORE_RESET_WATCHES] = "RESET_WATCHES",
};

const char *xenstore_type_name(uint32_t type)
{
    return type < sizeof(type_names) / sizeof(type_names[0]) && type_names[type] ? type_names[type] : "unknown";
}

int xenstore_decode_header(const void *bytes, struct xenstore_header *h)
{
    struct reader r;

    reader_init(&r, bytes, XENSTORE_HEADER);
    h->type = reader_u32(&r);
    h->id = reader_u32(&r);
    h->tx = reader_u32(&r);
    h->len = reader_u32(&r);
    return reader_ok(&r) && h->len <= XENSTORE_PAYLOAD_MAX ? 0 : -EINVAL;
}

static size_t path_max(const char *path) { return path[0] == '/' ? XENSTORE_ABS_PATH_MAX : XENSTORE_REL_PATH_MAX; }

bool xenstore_path_ok(const char *path, bool watch)
{
    size_t n = path ? strlen(path) : 0;

    if (n == 0 || n > path_max(path) || (path[0] == '@' && !watch))
        return false;
    if (strstr(path, "//") || (n > 1 && path[n - 1] == '/'))
        return false;
    return chars_only(path, CHARS_ALNUM "-/_@");
}

static bool watches(uint32_t type)
{
    return type == XENSTORE_WATCH || type == XENSTORE_UNWATCH || type == XENSTORE_WATCH_EVENT;
}

/* These have no path, but a body of one NUL all the same. */
static bool empty_body(uint32_t type) { return type == XENSTORE_TRANSACTION_START || type == XENSTORE_RESET_WATCHES; }

static int check_path(uint32_t type, const char *path)
{
    if (!path || (path[0] == 0 && empty_body(type)))
        return 0;
    if (strlen(path) > path_max(path))
        return -E2BIG;
    return xenstore_path_ok(path, watches(type)) ? 0 : -EINVAL;
}

int xenstore_encode(void *bytes, size_t size, const struct xenstore_header *h, const char *path, const char *second,
                    const void *value, size_t len)
{
    size_t path_len = path ? strlen(path) + 1 : 0, second_len = second ? strlen(second) + 1 : 0, n;
    int e = check_path(h->type, path);
    struct writer w;

    if (e < 0)
        return e;
    if (len && !value)
        return -EINVAL;
    if (len > XENSTORE_PAYLOAD_MAX || path_len + second_len + len > XENSTORE_PAYLOAD_MAX)
        return -E2BIG;
    writer_init(&w, bytes, size);
    writer_u32(&w, h->type);
    writer_u32(&w, h->id);
    writer_u32(&w, h->tx);
    writer_u32(&w, (uint32_t)(path_len + second_len + len));
    writer_bytes(&w, path, path_len);
    writer_bytes(&w, second, second_len);
    writer_bytes(&w, value, len);
    n = writer_done(&w);
    return n ? (int)n : -ENOSPC;
}

int xenstore_error(const void *body, size_t n)
{
    for (size_t i = 0; i < ERRORS; i++)
        if (n == strlen(errors[i].name) + 1 && memcmp(body, errors[i].name, n) == 0)
            return errors[i].error;
    return -EPROTO;
}

const char *xenstore_error_name(int error)
{
    for (size_t i = 0; i < ERRORS; i++)
        if (errors[i].error == error)
            return errors[i].name;
    return NULL;
}

int xenstore_decode_event(const void *body, size_t n, const char **path, const char **token)
{
    const char *end;
    struct reader r;

    reader_init(&r, body, n);
    *path = reader_string(&r, n);
    if (!reader_ok(&r))
        return -EINVAL;
    reader_init(&r, body, n);
    reader_skip(&r, strlen(*path) + 1);
    end = (const char *)r.at + r.left;
    *token = reader_string(&r, r.left);
    return reader_ok(&r) && *token + strlen(*token) + 1 == end ? 0 : -EINVAL;
}

int xenstore_decode_tx(const void *body, size_t n, uint32_t *tx)
{
    const char *s = body;
    uint64_t v = 0;
    size_t i;

    for (i = 0; i < n && s[i] >= '0' && s[i] <= '9' && v <= UINT32_MAX; i++)
        v = v * 10 + (uint64_t)(s[i] - '0');
    if (i == 0 || i + 1 != n || s[i] != 0 || v == 0 || v > UINT32_MAX)
        return -EINVAL;
    *tx = (uint32_t)v;
    return 0;
}
