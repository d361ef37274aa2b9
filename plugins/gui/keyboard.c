/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/keyboard.c - tables of what keys mean. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plugins/gui/keyboard.h"

#define ALLOWED "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-,():"

/* X's modifier bits (doc/protocol/gui.md, 7). */
enum { SHIFT = 1, LOCK = 2, CONTROL = 4, ALT = 8, NUM = 16, SUPER = 64, ALTGR = 128 };

int gui_keyboard_begin(struct gui_keyboard *k, unsigned groups)
{
    *k = (struct gui_keyboard){ .groups = groups < 1 ? 1 : groups > GUI_KEY_GROUPS ? GUI_KEY_GROUPS : groups };
    k->index = calloc((size_t)k->groups * GUI_KEY_CODES * GUI_KEY_COMBOS, sizeof(k->index[0]));
    k->room = 256;
    k->meanings = calloc(k->room, sizeof(k->meanings[0]));
    k->n = 1;
    if (k->index && k->meanings)
        return 0;
    gui_keyboard_free(k);
    return -ENOMEM;
}

void gui_keyboard_free(struct gui_keyboard *k)
{
    free(k->index);
    free(k->meanings);
    *k = (struct gui_keyboard){ 0 };
}

static int grow(struct gui_keyboard *k)
{
    struct gui_meaning *m;

    if (k->n < k->room)
        return 0;
    if (k->room == GUI_MEANINGS_MAX)
        return -ENOSPC;
    m = realloc(k->meanings, 2 * k->room * sizeof(*m));
    if (!m)
        return -ENOMEM;
    k->meanings = m;
    k->room *= 2;
    return 0;
}

static uint16_t *place(const struct gui_keyboard *k, unsigned group, unsigned code, unsigned combo)
{
    return &k->index[((size_t)group * GUI_KEY_CODES + code) * GUI_KEY_COMBOS + combo];
}

/* Most combinations of a key mean what another of the same key means: those are the last in the table. */
int gui_keyboard_set(struct gui_keyboard *k, unsigned group, unsigned code, unsigned combo, uint32_t keysym, uint32_t unicode)
{
    size_t i, back = k->n > GUI_KEY_COMBOS ? k->n - GUI_KEY_COMBOS : 1;
    int e;

    if (group >= k->groups || code >= GUI_KEY_CODES || combo >= GUI_KEY_COMBOS || keysym == 0)
        return 0;
    for (i = back; i < k->n; i++)
        if (k->meanings[i].keysym == keysym && k->meanings[i].unicode == unicode)
            break;
    if (i == k->n) {
        e = grow(k);
        if (e < 0)
            return e;
        k->meanings[k->n++] = (struct gui_meaning){ keysym, unicode };
    }
    *place(k, group, code, combo) = (uint16_t)i;
    return 0;
}

static void to_utf8(uint32_t c, char text[16])
{
    char *t = text;

    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff) {
        *t = 0;
        return;
    }
    if (c < 0x80) {
        *t++ = (char)c;
    } else if (c < 0x800) {
        *t++ = (char)(0xc0 | c >> 6);
        *t++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *t++ = (char)(0xe0 | c >> 12);
        *t++ = (char)(0x80 | (c >> 6 & 0x3f));
        *t++ = (char)(0x80 | (c & 0x3f));
    } else {
        *t++ = (char)(0xf0 | c >> 18);
        *t++ = (char)(0x80 | (c >> 12 & 0x3f));
        *t++ = (char)(0x80 | (c >> 6 & 0x3f));
        *t++ = (char)(0x80 | (c & 0x3f));
    }
    *t = 0;
}

void gui_keyboard_look(const struct gui_keyboard *k, unsigned code, unsigned state, uint32_t *keysym, char text[16])
{
    unsigned combo = (state & SHIFT ? GUI_COMBO_SHIFT : 0) | (state & LOCK ? GUI_COMBO_LOCK : 0) |
                     (state & NUM ? GUI_COMBO_NUM : 0) | (state & ALTGR ? GUI_COMBO_ALTGR : 0);
    const struct gui_meaning *m;

    *keysym = 0;
    text[0] = 0;
    if (!k->groups || code >= GUI_KEY_CODES)
        return;
    m = &k->meanings[*place(k, (state >> 13 & 3) % k->groups, code, combo)];
    *keysym = m->keysym;
    if (!(state & (CONTROL | ALT | SUPER)))
        to_utf8(m->unicode, text);
}

/* from dom0: names of files, as far as libxkbcommon is concerned: no other characters than such names have. */
int gui_layout_parse(const char *text, struct gui_layout *l)
{
    char *const parts[] = { l->layout, l->variant, l->options };

    memset(l, 0, sizeof(*l));
    for (size_t i = 0; i < 3; i++) {
        size_t n = strspn(text, ALLOWED);

        if (n > GUI_LAYOUT_MAX || (text[n] && text[n] != '+'))
            return -EINVAL;
        memcpy(parts[i], text, n);
        text += n;
        if (!*text)
            return l->layout[0] ? 0 : -EINVAL;
        text++;
    }
    return -EINVAL;
}
