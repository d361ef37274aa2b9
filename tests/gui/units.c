/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/units.c - damage and keyboard tables by themselves. */
#include "plugins/gui/keyboard.h"
#include "tests/gui/fixture.h"

#include "plugins/gui/damage.h"

#define SIDE 40

static bool covered(const struct gui_damage *d, int x, int y)
{
    for (unsigned i = 0; i < d->n; i++)
        if (x >= d->rects[i].x0 && x < d->rects[i].x1 && y >= d->rects[i].y0 && y < d->rects[i].y1)
            return true;
    return false;
}

/* Whatever is added is covered, nothing lies outside, and there are never more than the table holds. */
START_TEST(damage_covers)
{
    uint32_t seed = 7;

    for (int round = 0; round < 2000; round++) {
        struct gui_damage d = { .n = 0 };
        bool want[SIDE][SIDE] = { { 0 } };

        for (uint32_t n = random_below(&seed, 30); n; n--) {
            int x = (int)random_below(&seed, SIDE + 20) - 10, y = (int)random_below(&seed, SIDE + 20) - 10;
            int w = (int)random_below(&seed, 12) - 1, h = (int)random_below(&seed, 12) - 1;
            bool any = false;

            for (int j = y; j < y + h; j++)
                for (int i = x; i < x + w; i++)
                    if (i >= 0 && j >= 0 && i < SIDE && j < SIDE)
                        any = want[j][i] = true;
            ck_assert_int_eq(gui_damage_add(&d, x, y, w, h, SIDE, SIDE), any);
        }
        ck_assert_uint_le(d.n, GUI_RECTS);
        for (unsigned i = 0; i < d.n; i++)
            ck_assert(d.rects[i].x0 >= 0 && d.rects[i].y0 >= 0 && d.rects[i].x0 < d.rects[i].x1 &&
                      d.rects[i].y0 < d.rects[i].y1 && d.rects[i].x1 <= SIDE && d.rects[i].y1 <= SIDE);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                ck_assert(!want[y][x] || covered(&d, x, y));
    }
}
END_TEST

START_TEST(damage_far_apart_stays_apart)
{
    struct gui_damage d = { .n = 0 };

    gui_damage_add(&d, 0, 0, 10, 10, 1000, 1000);
    gui_damage_add(&d, 990, 990, 10, 10, 1000, 1000);
    ck_assert_uint_eq(d.n, 2);
    gui_damage_add(&d, 10, 0, 10, 10, 1000, 1000);      /* side by side with the first */
    ck_assert_uint_eq(d.n, 2);
    ck_assert_int_eq(d.rects[0].x1, 20);
    gui_damage_all(&d, 1000, 1000);
    ck_assert_uint_eq(d.n, 1);
}
END_TEST

static void check_key(const struct gui_keyboard *k, unsigned code, unsigned state, uint32_t keysym, const char *text)
{
    uint32_t got;
    char typed[16];

    gui_keyboard_look(k, code, state, &got, typed);
    ck_assert_uint_eq(got, keysym);
    ck_assert_str_eq(typed, text);
}

START_TEST(the_us_table)
{
    struct gui_keyboard k;

    ck_assert_int_eq(gui_us_layout(&k), 0);
    check_key(&k, 24, 0, 'q', "q");
    check_key(&k, 24, UNIK_GUI_SHIFT, 'Q', "Q");
    check_key(&k, 24, UNIK_GUI_CAPS, 'Q', "Q");
    check_key(&k, 24, UNIK_GUI_CAPS | UNIK_GUI_SHIFT, 'q', "q");
    check_key(&k, 10, UNIK_GUI_CAPS, '1', "1");
    check_key(&k, 10, UNIK_GUI_SHIFT, '!', "!");
    check_key(&k, 48, UNIK_GUI_SHIFT, '"', "\"");
    check_key(&k, 24, UNIK_GUI_CONTROL, 'q', "");
    check_key(&k, 24, UNIK_GUI_ALT, 'q', "");
    check_key(&k, 36, 0, 0xff0d, "");
    check_key(&k, 23, UNIK_GUI_SHIFT, 0xfe20, "");
    check_key(&k, 79, 0, 0xff95, "");
    check_key(&k, 79, UNIK_GUI_NUM, 0xffb7, "7");
    check_key(&k, 79, UNIK_GUI_NUM | UNIK_GUI_SHIFT, 0xff95, "");
    check_key(&k, 86, 0, 0xffab, "+");
    check_key(&k, 0, 0, 0, "");
    check_key(&k, 255, 0, 0, "");
    check_key(&k, 256, 0, 0, "");
    check_key(&k, UINT32_MAX, UINT32_MAX, 0, "");
    gui_keyboard_free(&k);
    check_key(&k, 24, 0, 0, "");
}
END_TEST

/* Our table of the US layout is the library's, key by key, for the keys that it has. */
START_TEST(the_us_table_is_the_librarys)
{
    struct gui_layout l;
    struct gui_keyboard ours, theirs;
    unsigned known = 0;

    ck_assert_int_eq(gui_layout_parse("us", &l), 0);
    if (gui_xkb_layout(&theirs, &l) == -ENOSYS)
        return;
    ck_assert_int_eq(gui_us_layout(&ours), 0);
    for (unsigned code = 0; code < 256; code++)
        for (unsigned combo = 0; combo < 8; combo++) {
            unsigned state = (combo & 1 ? UNIK_GUI_SHIFT : 0) | (combo & 2 ? UNIK_GUI_CAPS : 0) | (combo & 4 ? UNIK_GUI_NUM : 0);
            uint32_t a, b;
            char s[16], t[16];

            gui_keyboard_look(&ours, code, state, &a, s);
            gui_keyboard_look(&theirs, code, state, &b, t);
            if (!a)
                continue;
            known++;
            if (code >= 60 && combo & 1)
                continue;               /* Shift with keypad, Alt, Print and Pause: the library has other names */
            ck_assert_msg(a == b && strcmp(s, t) == 0, "key %u with %x: %x \"%s\", not %x \"%s\"", code, state, a, s, b, t);
        }
    ck_assert_uint_gt(known, 800);
    ck_assert_uint_lt(theirs.n, 800);
    gui_keyboard_free(&ours);
    gui_keyboard_free(&theirs);
}
END_TEST

START_TEST(layout_names)
{
    static const char *const bad[] = { "", "+", "+x", "a b", "../x", "us+a+b+c", "us;", "us\n", "us+\"" };
    struct gui_layout l;
    char text[300];

    ck_assert_int_eq(gui_layout_parse("de", &l), 0);
    ck_assert_str_eq(l.layout, "de");
    ck_assert_str_eq(l.variant, "");
    ck_assert_int_eq(gui_layout_parse("us,de+,neo+grp:alt_shift_toggle", &l), 0);
    ck_assert_str_eq(l.layout, "us,de");
    ck_assert_str_eq(l.variant, ",neo");
    ck_assert_str_eq(l.options, "grp:alt_shift_toggle");
    ck_assert_int_eq(gui_layout_parse("us++ctrl:nocaps", &l), 0);
    ck_assert_str_eq(l.options, "ctrl:nocaps");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(gui_layout_parse(bad[i], &l), -EINVAL);
    memset(text, 'x', sizeof(text));
    text[128] = 0;
    ck_assert_int_eq(gui_layout_parse(text, &l), -EINVAL);
    text[127] = 0;
    ck_assert_int_eq(gui_layout_parse(text, &l), 0);
}
END_TEST

START_TEST(tables_have_limits)
{
    struct gui_keyboard k;
    int e = 0;

    ck_assert_int_eq(gui_keyboard_begin(&k, 9), 0);
    ck_assert_uint_eq(k.groups, GUI_KEY_GROUPS);
    ck_assert_int_eq(gui_keyboard_set(&k, 4, 5, 0, 1, 1), 0);           /* outside: nothing */
    ck_assert_int_eq(gui_keyboard_set(&k, 0, 256, 0, 1, 1), 0);
    ck_assert_int_eq(gui_keyboard_set(&k, 0, 5, 16, 1, 1), 0);
    ck_assert_uint_eq(k.n, 1);
    for (uint32_t i = 0; i < 5000 && e == 0; i++)
        e = gui_keyboard_set(&k, 0, i % 256, i / 256 % 16, i + 1, 0x1f600);
    ck_assert_int_eq(e, -ENOSPC);
    ck_assert_uint_eq(k.n, GUI_MEANINGS_MAX);
    check_key(&k, 3, 0, 4, "\xf0\x9f\x98\x80");
    check_key(&k, 3, 0xffffe000, 0, "");                                 /* another group */
    gui_keyboard_free(&k);
}
END_TEST

TCase *gui_cases_units(void)
{
    TCase *t = tcase_create("units");

    tcase_add_test(t, damage_covers);
    tcase_add_test(t, damage_far_apart_stays_apart);
    tcase_add_test(t, the_us_table);
    tcase_add_test(t, the_us_table_is_the_librarys);
    tcase_add_test(t, layout_names);
    tcase_add_test(t, tables_have_limits);
    return t;
}
