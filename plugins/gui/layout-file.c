/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/layout-file.c - see layout-file.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "plugins/gui/layout-file.h"
#include "protocol/cursor.h"

#define MAGIC "unikkey1"
#define MAGIC_BYTES 8
#define NAME_MAX_BYTES (3 * (GUI_LAYOUT_MAX + 1))

/* ---- one table ---- */

/* What a key means: its meanings, each once, and which of them each combination has. */
struct key {
    struct gui_meaning meanings[GUI_KEY_COMBOS];
    unsigned n, pick[GUI_KEY_COMBOS];
};

static void key_of(struct key *key, const struct gui_keyboard *k, unsigned code)
{
    key->n = 0;
    for (unsigned combo = 0; combo < GUI_KEY_COMBOS; combo++) {
        struct gui_meaning m = k->meanings[k->index[code * GUI_KEY_COMBOS + combo]];
        unsigned i = 0;

        while (i < key->n && !(key->meanings[i].keysym == m.keysym && key->meanings[i].unicode == m.unicode))
            i++;
        if (i == key->n)
            key->meanings[key->n++] = m;
        key->pick[combo] = i;
    }
}

static bool is_nothing(const struct key *key) { return key->n == 1 && key->meanings[0].keysym == 0; }

static void write_key(struct writer *w, unsigned code, const struct key *key)
{
    writer_u8(w, (uint8_t)code);
    writer_u8(w, (uint8_t)key->n);
    for (unsigned i = 0; i < key->n; i++) {
        writer_u32(w, key->meanings[i].keysym);
        writer_u32(w, key->meanings[i].unicode);
    }
    for (unsigned combo = 0; key->n > 1 && combo < GUI_KEY_COMBOS; combo += 2)
        writer_u8(w, (uint8_t)(key->pick[combo] | key->pick[combo + 1] << 4));
}

size_t gui_layout_write(const struct gui_keyboard *k, void *to, size_t room)
{
    unsigned keys = 0;
    struct key key;
    struct writer w;

    for (unsigned code = 0; code < GUI_KEY_CODES; code++) {
        key_of(&key, k, code);
        keys += !is_nothing(&key);
    }
    writer_init(&w, to, room);
    writer_bytes(&w, MAGIC, MAGIC_BYTES);
    writer_u16(&w, (uint16_t)keys);
    for (unsigned code = 0; code < GUI_KEY_CODES; code++) {
        key_of(&key, k, code);
        if (!is_nothing(&key))
            write_key(&w, code, &key);
    }
    return writer_done(&w);
}

static int read_key(struct gui_keyboard *k, unsigned group, struct reader *r)
{
    unsigned code = reader_u8(r), n = reader_u8(r);
    struct gui_meaning m[GUI_KEY_COMBOS];
    const uint8_t *picks = NULL;
    int e = 0;

    if (n < 1 || n > GUI_KEY_COMBOS)
        return -EBADMSG;
    for (unsigned i = 0; i < n; i++) {
        m[i].keysym = reader_u32(r);
        m[i].unicode = reader_u32(r);
    }
    if (n > 1)
        picks = reader_bytes(r, GUI_KEY_COMBOS / 2);
    if (!reader_ok(r))
        return -EBADMSG;
    for (unsigned combo = 0; combo < GUI_KEY_COMBOS && e == 0; combo++) {
        unsigned pick = picks ? picks[combo / 2] >> (combo % 2 * 4) & 15 : 0;

        e = pick < n ? gui_keyboard_set(k, group, code, combo, m[pick].keysym, m[pick].unicode) : -EBADMSG;
    }
    return e;
}

int gui_layout_read(struct gui_keyboard *k, unsigned group, const void *bytes, size_t n)
{
    struct reader r;
    const uint8_t *magic;
    unsigned keys;
    int e = 0;

    reader_init(&r, bytes, n);
    magic = reader_bytes(&r, MAGIC_BYTES);
    keys = reader_u16(&r);
    if (!reader_ok(&r) || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
        return -EBADMSG;
    while (keys-- && e == 0)
        e = read_key(k, group, &r);
    return e < 0 || reader_done(&r) ? e : -EBADMSG;
}

/* ---- files ---- */

static int load(struct gui_keyboard *k, unsigned group, const char *dir, const char *name)
{
    char path[4096];
    uint8_t *bytes;
    ssize_t n;
    int fd, e;

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
        return -ENAMETOOLONG;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    bytes = malloc(GUI_LAYOUT_FILE_MAX);
    n = bytes ? read(fd, bytes, GUI_LAYOUT_FILE_MAX) : -1;      /* a file in one piece, or it is none of ours */
    e = n >= 0 ? gui_layout_read(k, group, bytes, (size_t)n) : bytes ? -errno : -ENOMEM;
    free(bytes);
    close(fd);
    return e;
}

/* The i-th of a list with commas, "" if there is none. */
static void part_of(const char *list, unsigned i, char part[GUI_LAYOUT_MAX + 1])
{
    size_t n;

    for (; i && *list; list++)
        i -= *list == ',';
    n = strcspn(list, ",");
    memcpy(part, list, n);
    part[n] = 0;
}

static int load_group(struct gui_keyboard *k, unsigned group, const char *dir, const struct gui_layout *l, bool *without)
{
    char layout[GUI_LAYOUT_MAX + 1], variant[GUI_LAYOUT_MAX + 1], name[NAME_MAX_BYTES];
    int e = -ENOENT;

    part_of(l->layout, group, layout);
    part_of(l->variant, group, variant);
    if (l->options[0]) {
        snprintf(name, sizeof(name), "%s+%s+%s", layout, variant, l->options);
        e = load(k, group, dir, name);
        *without = *without || e == -ENOENT;
    }
    if (e == -ENOENT) {
        snprintf(name, sizeof(name), "%s%s%s", layout, variant[0] ? "+" : "", variant);
        e = load(k, group, dir, name);
    }
    return e;
}

int gui_layout_files(struct gui_keyboard *k, const char *dir, const struct gui_layout *l, bool *without)
{
    unsigned groups = 1;
    int e;

    *without = false;
    for (const char *c = l->layout; *c; c++)
        groups += *c == ',';
    e = gui_keyboard_begin(k, groups);          /* more than there can be are left out, as X does */
    for (unsigned group = 0; group < k->groups && e == 0; group++)
        e = load_group(k, group, dir, l, without);
    if (e < 0)
        gui_keyboard_free(k);
    return e;
}
