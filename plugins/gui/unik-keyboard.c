/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/unik-keyboard.c - unik-keyboard DIR LAYOUT[+VARIANT[+OPTIONS]]...: their tables as files in DIR, from this machine's
 * libxkbcommon and xkb-data. unik-image calls it (--keyboard). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "plugins/gui/layout-file.h"

static uint8_t bytes[GUI_LAYOUT_FILE_MAX];

static int put(const char *dir, const char *name)
{
    struct gui_keyboard k = { 0 };
    struct gui_layout l;
    char path[4096];
    size_t n = 0;
    FILE *f;
    int e;

    e = gui_layout_parse(name, &l) < 0 || strchr(l.layout, ',') ? -EINVAL : gui_xkb_layout(&k, &l);
    if (e == 0)
        n = gui_layout_write(&k, bytes, sizeof(bytes));
    gui_keyboard_free(&k);
    if (e < 0 || n == 0)
        return e < 0 ? e : -EFBIG;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
        return -ENAMETOOLONG;
    f = fopen(path, "wb");
    if (!f)
        return -errno;
    n -= fwrite(bytes, 1, n, f);
    return fclose(f) != 0 || n ? -EIO : 0;
}

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc < 3) {
        fprintf(stderr, "usage: unik-keyboard DIR LAYOUT[+VARIANT[+OPTIONS]]...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        int e = put(argv[1], argv[i]);

        if (e < 0) {
            fprintf(stderr, "unik-keyboard: %s: %s\n", argv[i], e == -EINVAL ? "no such layout" : strerror(-e));
            failed = 1;
        }
    }
    return failed;
}
