/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/xkb.c - a layout from libxkbcommon and the data of xkb-data, or from the text of a whole keymap.
 *
 * The compiler takes some hundred KiB of heap and stack that a program would keep for good: it works in a child process, which
 * sends the table back.
 *
 * The modifiers that a key's meaning depends on are Shift, Lock, NumLock (Mod2) and the third level (Mod5), as X has them by
 * default: every combination is asked for once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xkbcommon/xkbcommon.h>
#include "plugins/gui/keyboard.h"

static xkb_mod_mask_t mask_of(unsigned combo)
{
    return (combo & GUI_COMBO_SHIFT ? 1u : 0) | (combo & GUI_COMBO_LOCK ? 2u : 0) | (combo & GUI_COMBO_NUM ? 16u : 0) |
           (combo & GUI_COMBO_ALTGR ? 128u : 0);
}

/* Key by key: what its combinations have in common is kept once. */
static int ask(struct gui_keyboard *k, struct xkb_state *state, unsigned group, unsigned code)
{
    int e = 0;

    for (unsigned combo = 0; combo < GUI_KEY_COMBOS && e == 0; combo++) {
        xkb_state_update_mask(state, mask_of(combo), 0, 0, 0, 0, group);
        e = gui_keyboard_set(k, group, code, combo, xkb_state_key_get_one_sym(state, code),
                             xkb_state_key_get_utf32(state, code));
    }
    return e;
}

static int fill(struct gui_keyboard *k, struct xkb_keymap *map)
{
    struct xkb_state *state = xkb_state_new(map);
    int e = state ? gui_keyboard_begin(k, xkb_keymap_num_layouts(map)) : -ENOMEM;

    if (e < 0) {
        xkb_state_unref(state);
        return e;
    }
    for (unsigned group = 0; group < k->groups && e == 0; group++)
        for (unsigned code = GUI_KEY_FIRST; code < GUI_KEY_CODES && e == 0; code++)
            e = ask(k, state, group, code);
    xkb_state_unref(state);
    if (e < 0)
        gui_keyboard_free(k);
    return e;
}

/* The compiler's own words would go to stderr: who asked says what did not work. */
static struct xkb_context *compiler(void)
{
    struct xkb_context *c = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);

    if (c)
        xkb_context_set_log_level(c, XKB_LOG_LEVEL_CRITICAL);
    return c;
}

static int from(struct gui_keyboard *k, const struct xkb_rule_names *names, const char *text)
{
    struct xkb_context *c = compiler();
    struct xkb_keymap *map = NULL;
    int e = -ENOMEM;

    if (c) {
        map = names ? xkb_keymap_new_from_names(c, names, XKB_KEYMAP_COMPILE_NO_FLAGS) :
                      xkb_keymap_new_from_string(c, text, XKB_KEYMAP_FORMAT_TEXT_V1, XKB_KEYMAP_COMPILE_NO_FLAGS);
        e = map ? fill(k, map) : -EINVAL;
    }
    xkb_keymap_unref(map);
    xkb_context_unref(c);
    return e;
}

/* ---- the child and its table ---- */

#define CHILD_SECONDS 10                /* it takes some hundredths of one; we wait for it */

struct table {
    int error;
    unsigned groups;
    size_t n;                           /* meanings; after them in the pipe: the index */
};

static bool put(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;
    ssize_t k;

    for (; n > 0; p += k, n -= (size_t)k)
        if ((k = write(fd, p, n)) <= 0)
            return false;
    return true;
}

static bool get(int fd, void *bytes, size_t n)
{
    char *p = bytes;
    ssize_t k;

    for (; n > 0; p += k > 0 ? k : 0, n -= k > 0 ? (size_t)k : 0)
        if ((k = read(fd, p, n)) == 0 || (k < 0 && errno != EINTR))
            return false;
    return true;
}

static size_t index_size(unsigned groups) { return groups * (size_t)GUI_KEY_CODES * GUI_KEY_COMBOS * sizeof(uint16_t); }

_Noreturn static void be_child(int fd, const struct xkb_rule_names *names, const char *text)
{
    struct gui_keyboard k = { 0 };
    struct table t = { 0 };

    alarm(CHILD_SECONDS);
    t.error = from(&k, names, text);
    t.groups = k.groups;
    t.n = k.n;
    if (put(fd, &t, sizeof(t)) && t.error == 0 && put(fd, k.meanings, t.n * sizeof(k.meanings[0])))
        put(fd, k.index, index_size(t.groups));
    _exit(0);
}

static int receive(struct gui_keyboard *k, int fd)
{
    struct table t;
    struct gui_meaning *m;
    int e;

    if (!get(fd, &t, sizeof(t)))
        return -EIO;
    if (t.error < 0)
        return t.error;
    if (t.n < 1 || t.n > GUI_MEANINGS_MAX || t.groups > GUI_KEY_GROUPS)
        return -EIO;
    e = gui_keyboard_begin(k, t.groups);
    if (e < 0)
        return e;
    m = realloc(k->meanings, t.n * sizeof(*m));
    if (m) {
        k->meanings = m;
        k->n = k->room = t.n;
    }
    if (m && get(fd, m, t.n * sizeof(*m)) && get(fd, k->index, index_size(k->groups)))
        return 0;
    gui_keyboard_free(k);
    return m ? -EIO : -ENOMEM;
}

static int from_child(struct gui_keyboard *k, const struct xkb_rule_names *names, const char *text)
{
    int fd[2], e;
    pid_t child;

    if (pipe2(fd, O_CLOEXEC) < 0)
        return -errno;
    child = fork();
    if (child == 0)
        be_child(fd[1], names, text);
    e = child < 0 ? -errno : 0;
    close(fd[1]);
    if (child > 0) {
        e = receive(k, fd[0]);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(fd[0]);
    return e;
}

int gui_xkb_layout(struct gui_keyboard *k, const struct gui_layout *l)
{
    struct xkb_rule_names names = { .rules = "evdev", .model = "pc105", .layout = l->layout, .variant = l->variant,
                                    .options = l->options };

    return from_child(k, &names, NULL);
}

int gui_xkb_keymap(struct gui_keyboard *k, const char *text) { return from_child(k, NULL, text); }
