/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/syntax.h - the parts of HTTP that are only text: pure functions, no I/O, no allocation.
 * All input is *from the network* and may be anything; nothing is NUL-terminated, all lengths are given. */
#ifndef WWW_SYNTAX_H
#define WWW_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define WWW_PATH_MAX 1024               /* bytes of a decoded path with NUL; longer: 414 */
#define WWW_RANGES_MAX 16               /* ranges in one request; more: the whole file is sent (RFC 9110, 14.2) */
#define WWW_DATE_SIZE 30                /* "Sun, 06 Nov 1994 08:49:37 GMT" and NUL */

struct www_slice {
    const char *at;                     /* NULL: there is none */
    size_t n;
};

/* ---- path.c ---- */

struct www_path {
    char at[WWW_PATH_MAX];              /* relative, no empty segment, no slash at either end; "" is the root */
    size_t len;
    bool folder;                        /* the target ended with a slash (the root always does) */
    struct www_slice query;             /* with its question mark */
};

/* "/a/b%20c?x" into a path below the root. 0; -EINVAL: not a path (no slash in front, a bad escape, a control
 * character, "." or ".." as a segment); -ENOENT: a well-formed path to what is never served (an escaped slash; a name
 * that begins with a dot, unless dots); -ENAMETOOLONG. */
int www_path_decode(const char *target, size_t n, bool dots, struct www_path *path);

/* The path as a URL, with a slash at its end, for Location. Bytes without NUL, or 0 if it does not fit. */
size_t www_path_encode(const struct www_path *path, char *url, size_t size);

/* "http://host/a" gives "/a"; anything else is given as it is. */
struct www_slice www_target_path(const char *target, size_t n);

/* ---- range.c (RFC 9110, 14.1.2) ---- */

enum www_range { WWW_RANGE_ALL, WWW_RANGE_PART, WWW_RANGE_NONE };

/* What a Range field asks of `size` bytes. PART: bytes from .. end - 1. ALL: send everything (not a field we know, or
 * several ranges that do not join). NONE: nothing of it exists: 416. */
enum www_range www_range(const char *field, size_t n, uint64_t size, uint64_t *from, uint64_t *end);

/* ---- etag.c (RFC 9110, 8.8.3) ---- */

/* Is our strong tag, quotes included, in the list, or is the list "*"? weak: W/"x" counts as "x". */
bool www_etag_in(const char *list, size_t n, const char *etag, bool weak);

/* ---- date.c (RFC 9110, 5.6.7) ---- */

void www_date_format(time_t t, char text[WWW_DATE_SIZE]);
/* All three forms that the RFC names. 0 or -EINVAL. now: what a year of two digits is near to. */
int www_date_parse(const char *text, size_t n, time_t now, time_t *out);

/* ---- types.c ---- */

const char *www_type(const char *path);

#endif
