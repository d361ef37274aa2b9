/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/keys.c - the QubesDB keys that a VM finds at its start. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "protocol/qubesdb.h"
#include "tools/unik-dom0/store.h"

#define LINE_MAX_BYTES 8192

static char escape(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    default: return c;
    }
}

/* In place: how many bytes remain. */
static size_t unescape(char *text)
{
    char *to = text;

    for (const char *p = text; *p; p++) {
        if (*p == '\\' && (p[1] == 'n' || p[1] == 't' || p[1] == '\\'))
            *to++ = escape(*++p);
        else
            *to++ = *p;
    }
    *to = 0;
    return (size_t)(to - text);
}

/* NULL, or what is wrong with the line. */
static const char *load_line(struct store *s, char *line)
{
    size_t n = strcspn(line, "\r\n");
    char *value;

    if (!line[n])
        return "the line is too long";
    line[n] = 0;
    line += strspn(line, " \t");
    if (!*line || *line == '#')
        return NULL;
    value = line + strcspn(line, " \t");
    if (*value)
        *value++ = 0;
    n = unescape(value);
    if (!qubesdb_key_ok(line))
        return "not a path (/..., at most 63 of A-Z a-z 0-9 _ - / . : @, no / at the end)";
    if (n > QUBESDB_VALUE_MAX)
        return "the value is over 3071 bytes";
    return store_set(s, line, value, n) < 0 ? "too many keys" : NULL;
}

int keys_load(struct store *s, const char *file, struct unik_text *why)
{
    FILE *f = fopen(file, "re");
    char line[LINE_MAX_BYTES];
    int number = 0, error = 0;
    const char *wrong;

    if (!f) {
        error = -errno;
        unik_text_add(why, "%s: %s\n", file, strerror(-error));
        return error;
    }
    while (fgets(line, sizeof(line) - 1, f)) {
        if (feof(f) && !strchr(line, '\n'))
            memcpy(line + strlen(line), "\n", 2);   /* the last line may lack it; there is room for one more */
        number++;
        wrong = load_line(s, line);
        if (wrong) {
            unik_text_add(why, "%s:%d: %s\n", file, number, wrong);
            error = -EINVAL;
        }
    }
    fclose(f);
    return error;
}

/* base64 of 64 random bytes, as dom0 gives them. */
static int random_seed(char out[89])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[66] = { 0 };
    size_t o = 0;

    if (getrandom(bytes, 64, 0) != 64)
        return -EIO;
    for (size_t i = 0; i < 66; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

        for (int shift = 18; shift >= 0; shift -= 6)
            out[o++] = digits[three >> shift & 63];
    }
    out[86] = out[87] = '=';
    out[88] = 0;
    return 0;
}

int keys_default(struct store *s, const char *name, const char *user, int domid)
{
    char seed[89], ip[32];
    const char *const keys[][2] = {
        { "/name", name }, { "/type", "AppVM" }, { "/default-user", user },
        { "/qubes-vm-type", "AppVM" }, { "/qubes-vm-updateable", "False" }, { "/qubes-vm-persistence", "rw-only" },
        { "/qubes-debug-mode", "0" }, { "/qubes-base-template", "debian-12" }, { "/qubes-timezone", "Europe/Prague" },
        { "/qubes-random-seed", seed }, { "/qubes-block-devices", "" }, { "/qubes-usb-devices", "" },
        { "/qubes-mac", "00:16:3e:5e:6c:00" }, { "/qubes-ip", ip }, { "/qubes-netmask", "255.255.255.255" },
        { "/qubes-gateway", "10.137.255.254" }, { "/qubes-primary-dns", "10.139.1.1" },
        { "/qubes-secondary-dns", "10.139.1.2" }, { "/qubes-service/meminfo-writer", "0" },
        { "/qubes-gui-enabled", "True" }, { "/qubes-gui-domain-xid", "0" }, { "/keyboard-layout", "us++" },
        { "/qubes-iptables-error", "" },
    };
    int e = random_seed(seed);

    snprintf(ip, sizeof(ip), "10.137.%d.%d", (domid - 1) / 254, 1 + (domid - 1) % 254);
    for (size_t i = 0; e == 0 && i < sizeof(keys) / sizeof(keys[0]); i++)
        e = store_set(s, keys[i][0], keys[i][1], strlen(keys[i][1]));
    return e;
}
