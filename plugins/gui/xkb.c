/* plugins/gui/xkb.c - a layout from libxkbcommon and the data of xkb-data, or from the text of a whole keymap.
 *
 * The modifiers that a key's meaning depends on are Shift, Lock, NumLock (Mod2) and the third level (Mod5), as X has them by
 * default: every combination is asked for once.
 */
#include <errno.h>
#include <malloc.h>
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
        for (unsigned code = GUI_KEY_FIRST; code < 256 && e == 0; code++)
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
    malloc_trim(0);                     /* the compiler takes some hundred KiB, and the program would keep them */
    return e;
}

int gui_xkb_layout(struct gui_keyboard *k, const struct gui_layout *l)
{
    struct xkb_rule_names names = { .rules = "evdev", .model = "pc105", .layout = l->layout, .variant = l->variant,
                                    .options = l->options };

    return from(k, &names, NULL);
}

int gui_xkb_keymap(struct gui_keyboard *k, const char *text) { return from(k, NULL, text); }
