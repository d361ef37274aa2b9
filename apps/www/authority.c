/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/authority.c - a host and its port, as they stand in Host and in targets. */
#include <arpa/inet.h>
#include <string.h>

#include "filter.h"

/* "[::1]", without its brackets; "v1.x" of the future (RFC 3986, 3.2.2). */
static bool is_literal(const char *at, size_t n)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t i = 1;

    if (n > 0 && (at[0] == 'v' || at[0] == 'V')) {
        while (i < n && www_is(at[i], WWW_HEX))
            i++;
        if (i < 2 || i + 1 >= n || at[i] != '.')
            return false;
        for (i++; i < n; i++)
            if (!www_is(at[i], WWW_NAME) && at[i] != ':')
                return false;
        return true;
    }
    if (n == 0 || n >= sizeof(text) || memchr(at, 0, n))
        return false;
    memcpy(text, at, n);
    text[n] = 0;
    return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_name(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (www_is(at[i], WWW_NAME))
            continue;
        if (at[i] != '%' || n - i < 3 || !www_is(at[i + 1], WWW_HEX) || !www_is(at[i + 2], WWW_HEX))
            return false;
        i += 2;
    }
    return true;
}

static bool is_port(const char *at, size_t n)
{
    unsigned port = 0;

    for (size_t i = 0; i < n; i++) {
        if (at[i] < '0' || at[i] > '9' || n > 5)
            return false;
        port = port * 10 + (unsigned)(at[i] - '0');
    }
    return port <= 65535;
}

bool www_is_authority(const char *at, size_t n, enum www_authority needs)
{
    const char *end = n && at[0] == '[' ? memchr(at, ']', n) : memchr(at, ':', n);
    size_t host;

    if (n && at[0] == '[') {
        if (!end || !is_literal(at + 1, (size_t)(end - at) - 1))
            return false;
        host = (size_t)(end - at) + 1;
    } else {
        host = end ? (size_t)(end - at) : n;
        if (!is_name(at, host))
            return false;
    }
    if (host == n)
        return needs == WWW_MAY_BE_EMPTY || (needs == WWW_NEEDS_HOST && host > 0);
    if (at[host] != ':' || !is_port(at + host + 1, n - host - 1))
        return false;
    return host > 0 && (needs != WWW_NEEDS_PORT || n > host + 1);
}
