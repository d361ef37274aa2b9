/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/input.c - what the user does: keys, mouse, focus, clipboard, closing; and what a daemon must not send. */
#include "tests/gui/fixture.h"

static struct window a, b;

static void up(void)
{
    gui_up();
    window_create(&a, 64, 32);
    window_create(&b, 32, 32);
    settle();
}

START_TEST(keys_have_meanings)
{
    daemon_focus(&guid, 1, true);
    daemon_key(&guid, 1, 38, 0, true);
    settle();
    ck_assert_uint_eq(a.focuses, 1);
    ck_assert_uint_eq(a.keys, 1);
    ck_assert_uint_eq(a.last.keysym, 'a');
    ck_assert_uint_eq(a.last.code, 38);
    ck_assert_int_eq(a.last.x, 3);
    ck_assert_int_eq(a.last.y, 4);
    ck_assert(a.last.on);
    ck_assert_str_eq(a.text, "a");
    daemon_key(&guid, 1, 38, 1, false);
    settle();
    ck_assert(!a.last.on);
    ck_assert_uint_eq(a.last.keysym, 'A');
    ck_assert_uint_eq(a.last.modifiers, UNIK_GUI_SHIFT);
    ck_assert_str_eq(a.text, "");
    daemon_key(&guid, 1, 36, 0, true);
    settle();
    ck_assert_uint_eq(a.last.keysym, 0xff0d);
    ck_assert_str_eq(a.text, "");
    daemon_key(&guid, 1, 54, UNIK_GUI_CONTROL, true);
    settle();
    ck_assert_uint_eq(a.last.keysym, 'c');
    ck_assert_str_eq(a.text, "");
    ck_assert_uint_eq(b.keys, 0);
}
END_TEST

/* What was let go of while the focus was elsewhere: told at the next KEYMAP_NOTIFY, to the window that was told of the press;
 * keys that are said to be down are not pressed. */
START_TEST(lost_releases)
{
    struct gui_message m = { .type = GUI_KEYMAP_NOTIFY };

    daemon_key(&guid, 1, 38, 0, true);
    daemon_key(&guid, 1, 39, 0, true);
    settle();
    ck_assert_uint_eq(a.keys, 2);
    m.u.keymap.down[39 / 8] = 1u << 39 % 8;
    m.u.keymap.down[60 / 8] |= 1u << 60 % 8;
    daemon_send(&guid, &m);
    settle();
    ck_assert_uint_eq(a.keys, 3);
    ck_assert_uint_eq(a.last.code, 38);
    ck_assert(!a.last.on);
    daemon_focus(&guid, 2, true);
    settle();
    ck_assert_uint_eq(a.keys, 4);
    ck_assert_uint_eq(b.keys, 0);
    daemon_key(&guid, 1, 40, 0, true);
    settle();
    window_destroy(&a);
    daemon_focus(&guid, 2, true);
    settle();
    ck_assert_uint_eq(b.keys, 0);
}
END_TEST

START_TEST(mouse)
{
    daemon_send(&guid, &(struct gui_message){ .type = GUI_CROSSING, .window = 1, .u.crossing = { GUI_ENTER, 1, 2, 0, 0, 0, 0 } });
    settle();
    ck_assert_uint_eq(a.crossings, 1);
    ck_assert(a.last.on);
    daemon_send(&guid, &(struct gui_message){ .type = GUI_CROSSING, .window = 1, .u.crossing = { GUI_LEAVE, 1, 2, 0, 1, 0, 0 } });
    settle();
    ck_assert_uint_eq(a.crossings, 1);          /* a grab */
    daemon_send(&guid, &(struct gui_message){ .type = GUI_MOTION, .window = 1, .u.motion = { -5, 60, 256, 0 } });
    settle();
    ck_assert_uint_eq(a.motions, 1);
    ck_assert_int_eq(a.last.x, -5);
    ck_assert_uint_eq(a.last.modifiers, UNIK_GUI_BUTTON1);
    daemon_send(&guid, &(struct gui_message){ .type = GUI_BUTTON, .window = 1, .u.input = { GUI_BUTTON_DOWN, 7, 8, 0, 5 } });
    settle();
    ck_assert_uint_eq(a.buttons, 1);
    ck_assert_uint_eq(a.last.code, 5);
    ck_assert(a.last.on);
}
END_TEST

START_TEST(closing)
{
    daemon_bare(&guid, GUI_CLOSE, 1);
    settle();
    ck_assert_uint_eq(a.closes, 1);
    ck_assert_uint_eq(guid.n, 2);
    a.destroy_on_close = true;
    daemon_bare(&guid, GUI_CLOSE, 1);
    daemon_bare(&guid, GUI_CLOSE, 1);           /* both are on their way */
    daemon_key(&guid, 1, 38, 0, true);
    settle();
    ck_assert_uint_eq(guid.n, 1);
    ck_assert_uint_eq(host_counter(ctx, "strays"), 2);
    ck_assert_uint_eq(log_lines, 0);
}
END_TEST

static void answer_copy(struct window *w, const struct unik_gui_event *e)
{
    (void)w;
    if (e->type == UNIK_GUI_COPY)
        ck_assert_int_eq(gui->set_clipboard(gui, "now", 3), 0);
}

static void check_copy(const char *text, uint32_t n)
{
    unsigned copies = guid.copies;

    daemon_bare(&guid, GUI_CLIPBOARD_REQ, 1);
    settle();
    ck_assert_uint_eq(guid.copies, copies + 1);
    ck_assert_uint_eq(guid.text_size, n);
    ck_assert(memcmp(guid.text, text, n) == 0);
}

START_TEST(copying_out)
{
    static char big[UNIK_GUI_CLIPBOARD_MAX + 1];

    check_copy("", 0);
    ck_assert_int_eq(gui->set_clipboard(gui, "clip!", 5), 0);
    check_copy("clip!", 5);
    check_copy("clip!", 5);
    ck_assert_uint_eq(a.copies, 3);
    a.on = answer_copy;
    check_copy("now", 3);
    a.on = NULL;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i % 61 ? 'a' + (int)(i * 7 % 26) : '\n');
    ck_assert_int_eq(gui->set_clipboard(gui, big, UNIK_GUI_CLIPBOARD_MAX + 1), -EMSGSIZE);
    check_copy("now", 3);
    ck_assert_int_eq(gui->set_clipboard(gui, big, UNIK_GUI_CLIPBOARD_MAX), 0);
    check_copy(big, UNIK_GUI_CLIPBOARD_MAX);
    window_destroy(&a);
    check_copy(big, UNIK_GUI_CLIPBOARD_MAX);    /* of a window that is going: always answered */
    ck_assert_int_eq(gui->set_clipboard(gui, NULL, 0), 0);
    check_copy("", 0);
}
END_TEST

/* Text is cleaned both ways: nobody gets escape sequences or hidden turns of direction by it. So are titles. */
START_TEST(text_is_cleaned)
{
    static const char bad[] = "a\r\nb\x1b[2J\xe2\x80\xae\xff\tc", good[] = "a\nb?[2J??\tc";

    ck_assert_int_eq(gui->set_clipboard(gui, bad, sizeof(bad) - 1), 0);
    check_copy(good, sizeof(good) - 1);
    daemon_paste(&guid, 1, bad, sizeof(bad) - 1);
    settle();
    ck_assert_uint_eq(a.pastes, 1);
    ck_assert_uint_eq(a.pasted, sizeof(good) - 1);
    ck_assert(memcmp(a.paste, good, sizeof(good) - 1) == 0);
    ck_assert_int_eq(gui->title(gui, a.w, "x\n\xe2\x80\xae\xc2\x9by"), 0);
    settle();
    ck_assert_str_eq(shown(1)->title, "x???y");
}
END_TEST

/* While a long text is under way nothing comes between, and another text is not mixed into it. */
START_TEST(a_new_text_while_one_goes_out)
{
    static char big[100000];

    memset(big, 'x', sizeof(big));
    ck_assert_int_eq(gui->set_clipboard(gui, big, sizeof(big)), 0);
    daemon_bare(&guid, GUI_CLIPBOARD_REQ, 1);
    for (int i = 0; i < 10; i++) {
        turn();
        daemon_run(&guid, 1000);
    }
    ck_assert_int_eq(gui->set_clipboard(gui, "other", 5), 0);
    gui->damage(gui, a.w, 0, 0, 64, 32);
    window_destroy(&b);
    settle();
    ck_assert_uint_eq(guid.text_size, sizeof(big));
    ck_assert(memcmp(guid.text, big, sizeof(big)) == 0);
    ck_assert_uint_eq(guid.n, 1);
    check_copy("other", 5);
}
END_TEST

START_TEST(many_requests_are_not_kept)
{
    daemon_run(&guid, SIZE_MAX);
    for (int i = 0; i < 100; i++)
        daemon_bare(&guid, GUI_CLIPBOARD_REQ, 1);
    settle();
    ck_assert_uint_ge(guid.copies, 16);
    ck_assert_uint_gt(host_counter(ctx, "bad_messages"), 0);
    check_copy("", 0);
}
END_TEST

START_TEST(pasting_in)
{
    static uint8_t big[GUI_CLIPBOARD_IN_MAX];

    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (uint8_t)(i % 61 ? 'a' + (i * 31 >> 3) % 26 : '\n');
    daemon_paste(&guid, 1, "hi", 2);
    daemon_key(&guid, 1, 38, 0, true);
    settle();
    ck_assert_uint_eq(a.pastes, 1);
    ck_assert_uint_eq(a.pasted, 2);
    ck_assert(memcmp(a.paste, "hi", 2) == 0);
    ck_assert_uint_eq(a.keys, 1);
    fake.v.window = 777;                          /* arrives bit by bit */
    daemon_paste(&guid, 1, big, sizeof(big));
    daemon_paste(&guid, 2, "", 0);
    settle();
    ck_assert_uint_eq(a.pastes, 2);
    ck_assert_uint_eq(a.pasted, sizeof(big));
    ck_assert(memcmp(a.paste, big, sizeof(big)) == 0);
    ck_assert_uint_eq(b.pastes, 1);
    daemon_paste(&guid, 99, big, 5000);
    settle();
    ck_assert_uint_eq(host_counter(ctx, "strays"), 1);
    free(a.paste);
    free(b.paste);
}
END_TEST

static void raw(uint32_t type, uint32_t window, const uint32_t *words, size_t n, uint32_t len)
{
    uint32_t head[3] = { type, window, len };
    uint8_t bytes[200];

    for (size_t i = 0; i < 12; i++)
        bytes[i] = (uint8_t)(head[i / 4] >> 8 * (i % 4));
    for (size_t i = 0; i < 4 * n; i++)
        bytes[12 + i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    fake_send(&fake.v, bytes, 12 + 4 * n);
}

/* Each is refused with a line, and the next message is understood. */
START_TEST(nonsense_is_left_out)
{
    static const struct { uint32_t type, window; uint32_t words[8]; size_t n; } rows[] = {
        { GUI_CONFIGURE, 1, { 0, 0, 0, 5, 0 }, 5 },
        { GUI_CONFIGURE, 1, { 0, 0, 5, 0, 0 }, 5 },
        { GUI_CONFIGURE, 1, { 0, 0, 0x80000000, 5, 0 }, 5 },
        { GUI_CONFIGURE, 1, { 0, 0, 5, 0xffffffff, 0 }, 5 },
        { GUI_CONFIGURE, 1, { 0, 0, 16385, 6145, 0 }, 5 },
        { GUI_CONFIGURE, 1, { 0, 0, 5, 5 }, 4 },
        { GUI_KEYPRESS, 1, { 7, 0, 0, 0, 38 }, 5 },
        { GUI_KEYPRESS, 1, { 2, 0, 0, 0, 256 }, 5 },
        { GUI_KEYPRESS, 1, { 2, 0, 0, 0, 38, 0 }, 6 },
        { GUI_BUTTON, 1, { 4, 0, 0, 0, 0 }, 5 },
        { GUI_FOCUS, 1, { 3, 0, 0 }, 3 },
        { GUI_CROSSING, 1, { 0, 0, 0, 0, 0, 0, 0 }, 7 },
        { GUI_WINDOW_FLAGS, 1, { 1, 1 }, 2 },
        { GUI_WINDOW_DUMP_ACK, 1, { 0 }, 0 },           /* nothing to acknowledge */
        { GUI_DESTROY, 1, { 0 }, 0 },                   /* nobody destroyed it */
        { GUI_CREATE, 1, { 0, 0, 5, 5, 0, 0 }, 6 },
        { 150, 1, { 1, 2, 3 }, 3 },
        { 0, 0, { 0 }, 0 },
        { 138, 1, { 0, 1, 2, 3, 4, 5, 6, 7 }, 8 },
        { 0xffffffff, 0xffffffff, { 1, 2 }, 2 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned lines = log_lines, keys = a.keys;

        raw(rows[i].type, rows[i].window, rows[i].words, rows[i].n, (uint32_t)(4 * rows[i].n));
        daemon_key(&guid, 1, 38, 0, true);
        settle();
        ck_assert_uint_eq(log_lines, lines + 1);
        ck_assert_uint_eq(a.keys, keys + 1);
        ck_assert_uint_eq(host_counter(ctx, "bad_messages"), i + 1);
    }
    ck_assert_uint_eq(a.resizes, 1);
    ck_assert_int_eq(host_state(ctx), HOST_READY);
}
END_TEST

/* A text over the limit is skipped, all of it; a length that cannot be one ends the connection, and the next one works. */
START_TEST(lengths_without_measure)
{
    static uint8_t junk[300000];

    raw(GUI_CLIPBOARD_DATA, 1, NULL, 0, sizeof(junk));
    fake_send(&fake.v, junk, sizeof(junk));
    daemon_key(&guid, 1, 38, 0, true);
    settle();
    ck_assert_uint_eq(a.keys, 1);
    ck_assert_uint_eq(a.pastes, 0);
    raw(150, 1, NULL, 0, 200000);
    fake_send(&fake.v, junk, 200000);
    daemon_key(&guid, 1, 38, 0, true);
    settle();
    ck_assert_uint_eq(a.keys, 2);
    raw(150, 1, NULL, 0, 0x7fffffff);
    for (int i = 0; i < 50; i++)
        turn();
    ck_assert(!gui->connected(gui));
    daemon_reset(&guid);
    gui_connect();
    check_picture(shown(1), &a);
    check_picture(shown(2), &b);
}
END_TEST

/* A daemon that sends much is served in turns: others come to their right in between. */
START_TEST(a_flood_of_motion)
{
    for (int i = 0; i < 20000; i++)
        daemon_send(&guid, &(struct gui_message){ .type = GUI_MOTION, .window = 1, .u.motion = { i, 0, 0, 0 } });
    turn();
    ck_assert_uint_lt(a.motions, 20000);
    settle();
    ck_assert_uint_eq(a.motions, 20000);
    ck_assert_int_eq(a.last.x, 19999);
}
END_TEST

/* The layout comes from QubesDB, and may change. */
START_TEST(layouts)
{
    daemon_key(&guid, 1, 29, 0, true);
    settle();
    ck_assert_str_eq(a.text, "y");
    fake_set(&fake, "/keyboard-layout", "de+nodeadkeys");
    settle();
    daemon_key(&guid, 1, 29, 0, true);
    settle();
    if (log_lines == 0) {                       /* with libxkbcommon */
        ck_assert_str_eq(a.text, "z");
        daemon_key(&guid, 1, 47, 0, true);
        settle();
        ck_assert_str_eq(a.text, "\xc3\xb6");
        daemon_key(&guid, 1, 24, UNIK_GUI_ALTGR, true);
        settle();
        ck_assert_str_eq(a.text, "@");
        fake_set(&fake, "/keyboard-layout", "ru");
        settle();
        daemon_key(&guid, 1, 24, 0, true);
        settle();
        ck_assert_str_eq(a.text, "\xd0\xb9");
        ck_assert_uint_eq(a.last.keysym, 0x6ca);
        fake_set(&fake, "/keyboard-layout", "us,de");
        settle();
        daemon_key(&guid, 1, 29, 0x2000, true);         /* the second group */
        settle();
        ck_assert_str_eq(a.text, "z");
        ck_assert_uint_eq(log_lines, 0);
        fake_set(&fake, "/keyboard-layout", NULL);
        fake_set(&fake, "/qubes-keyboard", "xkb_keymap { xkb_keycodes { include \"evdev+aliases(qwerty)\" }; "
                 "xkb_types { include \"complete\" }; xkb_compat { include \"complete\" }; "
                 "xkb_symbols { include \"pc+de+inet(evdev)\" }; };");
        settle();
        daemon_key(&guid, 1, 29, 0, true);
        settle();
        ck_assert_str_eq(a.text, "z");
    }
    log_lines = 0;
    fake_set(&fake, "/keyboard-layout", "../../etc/passwd");
    settle();
    ck_assert_uint_eq(log_lines, 1);
    daemon_key(&guid, 1, 29, 0, true);
    settle();
    ck_assert_str_eq(a.text, "y");
    fake_set(&fake, "/keyboard-layout", "nowhere");
    settle();
    ck_assert_uint_eq(log_lines, 2);
}
END_TEST

TCase *gui_cases_input(void)
{
    TCase *t = tcase_create("input");

    tcase_add_checked_fixture(t, up, gui_down);
    tcase_add_test(t, keys_have_meanings);
    tcase_add_test(t, lost_releases);
    tcase_add_test(t, mouse);
    tcase_add_test(t, closing);
    tcase_add_test(t, copying_out);
    tcase_add_test(t, text_is_cleaned);
    tcase_add_test(t, a_new_text_while_one_goes_out);
    tcase_add_test(t, many_requests_are_not_kept);
    tcase_add_test(t, pasting_in);
    tcase_add_test(t, nonsense_is_left_out);
    tcase_add_test(t, lengths_without_measure);
    tcase_add_test(t, a_flood_of_motion);
    tcase_add_test(t, layouts);
    return t;
}
