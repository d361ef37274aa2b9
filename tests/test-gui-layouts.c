/* SPDX-License-Identifier: BSD-2-Clause */
/* Keyboard tables in files: what libxkbcommon says of a layout is what the plugin reads from the file that unik-keyboard wrote,
 * for every key, in every level that its modifiers reach. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xkbcommon/xkbcommon.h>
#include "plugins/gui/layout-file.h"
#include "tests/common/run.h"

#define MODIFIERS (1u | 2u | 16u | 128u)        /* Shift, Lock, NumLock, AltGr: X's bits */

static const char *const layouts[] = {
    "us", "de", "de+nodeadkeys", "fr", "gb", "us+intl", "us+dvorak", "ch+fr", "es", "it", "pl", "cz+qwerty", "ru", "gr", "il",
    "jp", "kr", "br", "se", "tr", "ara", "fr+oss", "us++ctrl:nocaps", "de++caps:escape,compose:ralt"
};
enum { LAYOUTS = sizeof(layouts) / sizeof(layouts[0]) };

static char dir[] = "/tmp/unik-layouts-XXXXXX";

static void setup(void)
{
    strcpy(dir, "/tmp/unik-layouts-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* The program of the build tree. */
static int generate(const char *name)
{
    char command[400];

    snprintf(command, sizeof(command), "plugins/gui/unik-keyboard %s '%s' 2>%s/err", dir, name, dir);
    return system(command);
}

static int get(struct gui_keyboard *k, const char *name, bool *without)
{
    struct gui_layout l;

    ck_assert_int_eq(gui_layout_parse(name, &l), 0);
    return gui_layout_files(k, dir, &l, without);
}

static struct xkb_keymap *compiled(struct xkb_context *c, const char *name)
{
    struct gui_layout l;
    struct xkb_keymap *map;

    ck_assert_int_eq(gui_layout_parse(name, &l), 0);
    map = xkb_keymap_new_from_names(c, &(struct xkb_rule_names){ "evdev", "pc105", l.layout, l.variant, l.options },
                                    XKB_KEYMAP_COMPILE_NO_FLAGS);
    ck_assert_ptr_nonnull(map);
    return map;
}

/* One level of one key, by each set of our modifiers that leads there: how many there were. A set may be said to lead to a second
 * level too, by a modifier that no key of the layout sets: the state knows which of the two it is. */
static unsigned check_level(const struct gui_keyboard *k, struct xkb_state *state, unsigned code, unsigned level)
{
    struct xkb_keymap *map = xkb_state_get_keymap(state);
    const xkb_keysym_t *syms;
    xkb_mod_mask_t masks[64];
    size_t n = xkb_keymap_key_get_mods_for_level(map, code, 0, level, masks, 64);
    unsigned seen = 0;

    if (xkb_keymap_key_get_syms_by_level(map, code, 0, level, &syms) != 1)
        return 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t keysym;
        char text[16], want[16];

        xkb_state_update_mask(state, masks[i], 0, 0, 0, 0, 0);
        if (masks[i] & ~MODIFIERS || xkb_state_key_get_level(state, code, 0) != level)
            continue;
        gui_keyboard_look(k, code, masks[i], &keysym, text);
        if (keysym != syms[0] && masks[i] & 2 && keysym == xkb_keysym_to_upper(syms[0])) {
            seen++;                     /* Lock that the key's type does not use makes capitals */
            continue;
        }
        ck_assert_msg(keysym == syms[0], "key %u, level %u, modifiers 0x%x: 0x%x, not 0x%x", code, level, masks[i], keysym, syms[0]);
        if (xkb_keysym_to_utf8(syms[0], want, sizeof(want)) <= 0 || (uint8_t)want[0] < 0x20 || want[0] == 0x7f)
            want[0] = 0;
        ck_assert_str_eq(text, want);
        seen++;
    }
    return seen;
}

START_TEST(every_key_in_every_level)
{
    const char *name = layouts[_i];
    struct xkb_context *c = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    struct xkb_keymap *map = compiled(c, name);
    struct xkb_state *state = xkb_state_new(map);
    struct gui_keyboard k = { 0 };
    unsigned seen = 0;
    bool without;

    ck_assert_int_eq(generate(name), 0);
    ck_assert_int_eq(get(&k, name, &without), 0);
    ck_assert(!without);
    ck_assert_uint_eq(k.groups, 1);
    for (unsigned code = GUI_KEY_FIRST; code < GUI_KEY_CODES; code++) {
        unsigned levels = xkb_keymap_num_layouts_for_key(map, code) ? xkb_keymap_num_levels_for_key(map, code, 0) : 0;

        for (unsigned level = 0; level < levels; level++)
            seen += check_level(&k, state, code, level);
    }
    ck_assert_uint_gt(seen, 300);
    gui_keyboard_free(&k);
    xkb_state_unref(state);
    xkb_keymap_unref(map);
    xkb_context_unref(c);
}
END_TEST

/* And every key with every set of modifiers, as a state says it. */
START_TEST(every_combination)
{
    const char *name = layouts[_i];
    struct xkb_context *c = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    struct xkb_keymap *map = compiled(c, name);
    struct xkb_state *state = xkb_state_new(map);
    struct gui_keyboard k = { 0 };
    bool without;

    ck_assert_int_eq(generate(name), 0);
    ck_assert_int_eq(get(&k, name, &without), 0);
    for (unsigned mods = 0; mods < 256; mods++) {
        if (mods & ~MODIFIERS)
            continue;
        xkb_state_update_mask(state, mods, 0, 0, 0, 0, 0);
        for (unsigned code = GUI_KEY_FIRST; code < GUI_KEY_CODES; code++) {
            uint32_t keysym, c32 = xkb_state_key_get_utf32(state, code);
            char text[16], want[16] = "";

            gui_keyboard_look(&k, code, mods, &keysym, text);
            ck_assert_uint_eq(keysym, xkb_state_key_get_one_sym(state, code));
            if (c32 >= 0x20 && c32 != 0x7f)
                xkb_state_key_get_utf8(state, code, want, sizeof(want));
            ck_assert_str_eq(text, want);
        }
    }
    gui_keyboard_free(&k);
    xkb_state_unref(state);
    xkb_keymap_unref(map);
    xkb_context_unref(c);
}
END_TEST

static void check_key(const struct gui_keyboard *k, unsigned code, unsigned state, const char *want)
{
    uint32_t keysym;
    char text[16];

    gui_keyboard_look(k, code, state, &keysym, text);
    ck_assert_str_eq(text, want);
}

START_TEST(lists_and_options)
{
    struct gui_keyboard k = { 0 };
    bool without;

    ck_assert_int_eq(generate("us' 'de' 'de+nodeadkeys' 'us++ctrl:nocaps"), 0);
    ck_assert_int_eq(get(&k, "us,de", &without), 0);
    ck_assert_uint_eq(k.groups, 2);
    check_key(&k, 29, 0, "y");
    check_key(&k, 29, 0x2000, "z");                     /* the second group */
    gui_keyboard_free(&k);
    ck_assert_int_eq(get(&k, "us,de+,nodeadkeys+grp:alt_shift_toggle", &without), 0);
    ck_assert(without);
    check_key(&k, 49, 0x2000, "^");
    gui_keyboard_free(&k);
    ck_assert_int_eq(get(&k, "us++ctrl:nocaps", &without), 0);
    ck_assert(!without);
    gui_keyboard_free(&k);
    ck_assert_int_eq(get(&k, "us,fr", &without), -ENOENT);
    ck_assert_int_eq(get(&k, "fr", &without), -ENOENT);
    ck_assert_int_eq(get(&k, "us,us,us,us,us", &without), 0);
    ck_assert_uint_eq(k.groups, GUI_KEY_GROUPS);
    gui_keyboard_free(&k);
}
END_TEST

START_TEST(the_program_refuses)
{
    ck_assert_int_ne(generate("nowhere"), 0);
    ck_assert_int_ne(generate("us,de"), 0);             /* a file is one layout */
    ck_assert_int_ne(generate("../us"), 0);
    ck_assert_int_ne(generate(""), 0);
    ck_assert_int_ne(generate("us+nosuchvariant"), 0);
}
END_TEST

/* Files cut short, longer, and with other bytes: refused, or read as some other table; nothing else happens. */
START_TEST(spoilt_files)
{
    static uint8_t good[GUI_LAYOUT_FILE_MAX], bad[GUI_LAYOUT_FILE_MAX];
    struct gui_keyboard k;
    char path[100];
    size_t n;
    FILE *f;

    ck_assert_int_eq(generate("fr"), 0);
    snprintf(path, sizeof(path), "%s/fr", dir);
    f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    n = fread(good, 1, sizeof(good), f);
    fclose(f);
    for (size_t cut = 0; cut <= n + 1; cut++) {
        ck_assert_int_eq(gui_keyboard_begin(&k, 1), 0);
        ck_assert_int_eq(gui_layout_read(&k, 0, good, cut), cut == n ? 0 : -EBADMSG);
        gui_keyboard_free(&k);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(bad, good, n);
        bad[i] ^= 0xff;
        ck_assert_int_eq(gui_keyboard_begin(&k, 1), 0);
        if (i < 8)
            ck_assert_int_eq(gui_layout_read(&k, 0, bad, n), -EBADMSG);
        else
            gui_layout_read(&k, 0, bad, n);
        gui_keyboard_free(&k);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("layouts");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, every_key_in_every_level, 0, LAYOUTS);
    tcase_add_loop_test(t, every_combination, 0, LAYOUTS);
    tcase_add_test(t, lists_and_options);
    tcase_add_test(t, the_program_refuses);
    tcase_add_test(t, spoilt_files);
    return run_case("layouts", t);
}
