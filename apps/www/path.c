/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/path.c - from a request target to a path below the root. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "syntax.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The segment that begins at `from` is complete: may it stay? An empty one goes. */
static int end_segment(struct www_path *path, size_t from, bool dots)
{
    const char *s = path->at + from;
    size_t n = path->len - from;

    if ((n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
        return -EINVAL;
    return n && s[0] == '.' && !dots ? -ENOENT : 0;
}

int www_path_decode(const char *target, size_t n, bool dots, struct www_path *path)
{
    const char *query = memchr(target, '?', n);
    size_t end = query ? (size_t)(query - target) : n, from = 0;
    int e, found = 0;

    path->len = 0;
    path->query = (struct www_slice){ query, n - end };
    if (end == 0 || target[0] != '/')
        return -EINVAL;
    for (size_t i = 1; i < end; i++) {
        unsigned char c = (unsigned char)target[i];

        if (c == '/') {
            e = end_segment(path, from, dots);
            if (e == -EINVAL)
                return e;
            found = found ? found : e;
            if (path->len > from)
                path->at[path->len++] = '/';
            from = path->len;
        } else {
            if (c == '#')
                return -EINVAL;
            if (c == '%') {
                if (end - i < 3 || hex(target[i + 1]) < 0 || hex(target[i + 2]) < 0)
                    return -EINVAL;
                c = (unsigned char)(hex(target[i + 1]) << 4 | hex(target[i + 2]));
                i += 2;
                if (c == '/')
                    found = -ENOENT;
            }
            if (c < ' ' || c == 127)
                return -EINVAL;
            path->at[path->len++] = (char)c;
        }
        if (path->len >= sizeof(path->at))
            return -ENAMETOOLONG;
    }
    e = end_segment(path, from, dots);
    if (e == -EINVAL)
        return e;
    path->folder = path->len == from;
    if (path->folder && path->len)
        path->len--;                    /* the slash after the last segment */
    path->at[path->len] = 0;
    return found ? found : e;
}

size_t www_path_encode(const struct www_path *path, char *url, size_t size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;

    /* Never two slashes in front: that would name another host. */
    for (size_t i = 0; i <= path->len + 1; i++) {
        unsigned char c = i == 0 || i > path->len ? '/' : (unsigned char)path->at[i - 1];

        if (i > path->len && path->len == 0)
            break;
        if (n + 4 > size)
            return 0;
        if (memchr(plain, c, sizeof(plain) - 1)) {
            url[n++] = (char)c;
        } else {
            url[n++] = '%';
            url[n++] = digits[c >> 4];
            url[n++] = digits[c & 15];
        }
    }
    url[n] = 0;
    return n;
}

struct www_slice www_target_path(const char *target, size_t n)
{
    static const char *const schemes[] = { "http://", "https://" };

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(schemes[i]);

        if (n > len && strncasecmp(target, schemes[i], len) == 0) {
            const char *p = target + len, *end = target + n;

            while (p < end && *p != '/' && *p != '?')
                p++;
            if (p == target + len)      /* no host: not a URL */
                break;
            if (p == end)
                return (struct www_slice){ "/", 1 };
            return (struct www_slice){ p, (size_t)(end - p) };
        }
    }
    return (struct www_slice){ target, n };
}
