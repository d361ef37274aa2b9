/* SPDX-License-Identifier: BSD-2-Clause */
/* Request targets: what is decoded stays below the root, and encoded and decoded again is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "apps/www/syntax.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* No segment is empty, "." or "..", and none begins with a dot. */
static void check(const struct www_path *p)
{
    const char *s = p->at;

    if (strlen(s) != p->len)
        abort();
    while (*s) {
        size_t k = strcspn(s, "/");

        if (k == 0 || s[0] == '.')
            abort();
        s += k;
        if (*s && !*++s)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct www_slice target = www_target_path((const char *)bytes, n);
    struct www_path path, again;
    char url[3 * WWW_PATH_MAX + 8];
    size_t len;

    if (www_path_decode(target.at, target.n, false, &path) < 0)
        return 0;
    check(&path);
    www_type(path.at);
    len = www_path_encode(&path, url, sizeof(url));
    if (len == 0 || url[0] != '/' || url[1] == '/' || strpbrk(url, "\r\n \\\""))
        abort();
    if (path.len < WWW_PATH_MAX - 1 &&
        (www_path_decode(url, len, false, &again) < 0 || strcmp(again.at, path.at) != 0 || !again.folder))
        abort();
    return 0;
}
