/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/windows.c - windows: shown, resized, hidden, docked, destroyed, with all of the daemon's rules kept. */
#include "tests/gui/fixture.h"

static struct window a, b;

START_TEST(a_window_is_shown)
{
    struct unik_gui_setup s = { .size = sizeof(s), .width = 64, .height = 32, .x = 10, .y = 20, .title = "hello",
                                .class_name = "Cls", .min_width = 10, .min_height = 5 };

    memset(&a, 0, sizeof(a));
    window_setup(&a, &s);
    ck_assert_uint_eq(a.resizes, 0);            /* events come from the loop */
    settle();
    ck_assert_uint_eq(a.resizes, 1);
    ck_assert_int_eq(a.buffer.width, 64);
    ck_assert_int_eq(a.buffer.height, 32);
    check_picture(shown(1), &a);
    ck_assert_str_eq(shown(1)->title, "hello");
    ck_assert_str_eq(shown(1)->class_name, "Cls");
    ck_assert_int_eq(shown(1)->at.x, 10);
    ck_assert_int_eq(shown(1)->at.y, 20);
    ck_assert_uint_eq(shown(1)->hints.flags, GUI_HINT_USER_POSITION | GUI_HINT_POSITION | GUI_HINT_MIN);
    ck_assert_uint_eq(shown(1)->hints.min_width, 10);
    ck_assert_uint_eq(shown(1)->dumps, 1);
    ck_assert_uint_eq(shown(1)->images, 1);
    ck_assert_uint_eq(fake.shares, 1);
    ck_assert_uint_eq(fake.shared, 2);
}
END_TEST

START_TEST(the_title_is_the_vm_by_default)
{
    fake_set(&fake, "/name", "work-vm");
    window_create(&a, 5, 5);
    settle();
    ck_assert_str_eq(shown(1)->title, "work-vm");
    ck_assert_str_eq(shown(1)->class_name, "unik");
    ck_assert_uint_eq(shown(1)->hints.flags, 0);
    ck_assert_int_eq(gui->title(gui, a.w, "other"), 0);
    settle();
    ck_assert_str_eq(shown(1)->title, "other");
}
END_TEST

START_TEST(damage_is_joined)
{
    uint32_t *pixels;
    unsigned images;

    window_create(&a, 100, 100);
    settle();
    pixels = a.buffer.pixels;
    images = shown(1)->images;
    for (int i = 0; i < 1000; i++) {
        pixels[50 * 100 + i % 100] = (uint32_t)i;
        gui->damage(gui, a.w, i % 100, 50, 1, 1);
    }
    ck_assert_uint_eq(shown(1)->images, images);        /* nothing before the turn is over */
    settle();
    ck_assert_uint_eq(shown(1)->images, images + 1);
    check_picture(shown(1), &a);
    gui->damage(gui, a.w, -10, -10, 5, 5);
    gui->damage(gui, a.w, 100, 0, 5, 5);
    gui->damage(gui, a.w, 5, 5, 0, 5);
    gui->damage(gui, a.w, 5, 5, 5, -1);
    gui->damage(gui, a.w, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX);
    settle();
    ck_assert_uint_eq(shown(1)->images, images + 1);
    gui->damage(gui, a.w, -5, -5, INT32_MAX, INT32_MAX);
    settle();
    ck_assert_uint_eq(shown(1)->images, images + 2);
}
END_TEST

/* The user resizes: echoed, a new buffer, a new dump, and the old pages go when the daemon has taken it. */
START_TEST(the_user_resizes)
{
    struct gui_rect r = { 100, 120, 80, 40 };

    window_create(&a, 64, 32);
    settle();
    a.paint = 5;
    daemon_place(&guid, shown(1), &r);
    settle();
    ck_assert_uint_eq(a.resizes, 2);
    ck_assert_int_eq(a.buffer.width, 80);
    check_picture(shown(1), &a);
    ck_assert(!shown(1)->queued);
    ck_assert_uint_eq(fake.shared, 4);
    r.x = 7;
    daemon_place(&guid, shown(1), &r);          /* only moved: no new buffer */
    settle();
    ck_assert(!shown(1)->queued);
    ck_assert_uint_eq(a.resizes, 2);
    for (unsigned i = 0; i < 200; i++) {
        r.width = 1 + i * 7 % 300;
        r.height = 1 + i * 11 % 200;
        daemon_place(&guid, shown(1), &r);
        if (i % 3)
            settle();
    }
    settle();
    check_picture(shown(1), &a);
    ck_assert_uint_eq(fake.shared, gui_pages(r.width, r.height));
    ck_assert_uint_eq(shown(1)->argued, 0);
}
END_TEST

START_TEST(the_app_resizes)
{
    window_create(&a, 64, 32);
    ck_assert_int_eq(gui->resize(gui, a.w, 65, 33), 0);         /* before anybody knows of it */
    settle();
    ck_assert_uint_eq(a.resizes, 1);
    ck_assert_int_eq(a.buffer.width, 65);
    check_picture(shown(1), &a);
    ck_assert_int_eq(gui->resize(gui, a.w, 200, 100), 0);
    settle();
    ck_assert_uint_eq(a.resizes, 2);
    ck_assert_int_eq(a.buffer.width, 200);
    check_picture(shown(1), &a);
    ck_assert_int_eq(gui->resize(gui, a.w, 0, 100), -EINVAL);
    ck_assert_int_eq(gui->resize(gui, a.w, 100, 6145), -EINVAL);
}
END_TEST

/* Both at once: what the user said last holds. */
START_TEST(both_resize)
{
    struct gui_rect r = { 1, 2, 80, 40 };

    window_create(&a, 64, 32);
    settle();
    ck_assert_int_eq(gui->resize(gui, a.w, 200, 100), 0);
    turn();
    turn();                                     /* the wish is on its way */
    daemon_place(&guid, shown(1), &r);
    r.width = 81;
    daemon_place(&guid, shown(1), &r);
    settle();
    check_picture(shown(1), &a);
    ck_assert(!shown(1)->queued);
    ck_assert_int_eq(a.buffer.width, 81);
}
END_TEST

/* Where our echo cannot match, as the daemon clamps it: asked again now and then, not for ever at once. */
START_TEST(an_echo_that_cannot_match)
{
    struct gui_rect r = { 20000, 2, 64, 32 };

    window_create(&a, 64, 32);
    settle();
    daemon_send(&guid, &(struct gui_message){ .type = GUI_CONFIGURE, .window = 1, .u.configure = { r, 0 } });
    settle();
    ck_assert_uint_eq(shown(1)->at.x, 0);       /* no echo yet */
    r.x = 5;
    shown(1)->queued = true;
    shown(1)->at = r;
    daemon_send(&guid, &(struct gui_message){ .type = GUI_CONFIGURE, .window = 1, .u.configure = { r, 0 } });
    settle();
    ck_assert(!shown(1)->queued);
}
END_TEST

START_TEST(hidden_and_shown)
{
    struct unik_gui_setup s = { .size = sizeof(s), .width = 10, .height = 10, .hidden = true };

    memset(&a, 0, sizeof(a));
    window_setup(&a, &s);
    settle();
    ck_assert_uint_eq(a.resizes, 1);
    ck_assert(!shown(1)->mapped);
    ck_assert_uint_eq(shown(1)->dumps, 0);
    gui->damage(gui, a.w, 0, 0, 10, 10);
    settle();
    ck_assert_uint_eq(shown(1)->images, 0);
    for (int i = 0; i < 5; i++) {
        a.paint++;
        window_draw(&a);
        gui->show(gui, a.w, true);
        settle();
        check_picture(shown(1), &a);
        gui->show(gui, a.w, false);
        settle();
        ck_assert(!shown(1)->mapped);
    }
    gui->show(gui, a.w, true);
    gui->show(gui, a.w, false);
    gui->show(gui, a.w, true);
    settle();
    check_picture(shown(1), &a);
    ck_assert_uint_eq(fake.shared, 1);
}
END_TEST

START_TEST(docked)
{
    struct unik_gui_setup s = { .size = sizeof(s), .width = 16, .height = 16, .docked = true };
    struct gui_rect r = { 900, 10, 24, 24 };

    memset(&a, 0, sizeof(a));
    window_setup(&a, &s);
    settle();
    ck_assert(shown(1)->docked);
    ck_assert(!shown(1)->mapped);
    daemon_place(&guid, shown(1), &r);
    daemon_send(&guid, &(struct gui_message){ .type = GUI_MAP, .window = 1, .u.map = { 0xdeadbeef, 0 } });
    settle();
    check_picture(shown(1), &a);
    ck_assert_int_eq(a.buffer.width, 24);
    ck_assert_int_eq(gui->resize(gui, a.w, 30, 30), -EINVAL);
    gui->show(gui, a.w, false);
    settle();
    ck_assert(shown(1)->docked);
    a.paint++;
    window_draw(&a);
    gui->damage(gui, a.w, 0, 0, 24, 24);
    settle();
    check_picture(shown(1), &a);
}
END_TEST

START_TEST(menus_and_dialogs)
{
    struct unik_gui_setup s = { .size = sizeof(s), .width = 16, .height = 16, .x = 5, .y = 6, .menu = true };
    struct gui_rect r = { 100, 200, 64, 32 };

    window_create(&a, 64, 32);
    settle();
    daemon_place(&guid, shown(1), &r);
    settle();
    s.parent = a.w;
    memset(&b, 0, sizeof(b));
    window_setup(&b, &s);
    settle();
    ck_assert(shown(2)->menu);
    ck_assert_int_eq(shown(2)->at.x, 105);
    ck_assert_int_eq(shown(2)->at.y, 206);
    ck_assert_uint_eq(shown(2)->parent, 1);
    window_destroy(&a);
    settle();
    gui->show(gui, b.w, false);
    settle();
    gui->show(gui, b.w, true);
    settle();
    ck_assert_uint_eq(shown(2)->parent, 0);
    check_picture(shown(2), &b);
}
END_TEST

START_TEST(cursor_and_state)
{
    window_create(&a, 64, 32);
    ck_assert_int_eq(gui->cursor(gui, a.w, 0x144), 0);
    ck_assert_int_eq(gui->cursor(gui, a.w, 0x19a), -EINVAL);
    ck_assert_int_eq(gui->cursor(gui, a.w, 1), -EINVAL);
    ck_assert_int_eq(gui->state(gui, a.w, UNIK_GUI_FULLSCREEN, UNIK_GUI_FULLSCREEN), -EINVAL);
    ck_assert_int_eq(gui->state(gui, a.w, 8, 0), -EINVAL);
    ck_assert_int_eq(gui->state(gui, a.w, UNIK_GUI_FULLSCREEN | UNIK_GUI_MINIMISED, UNIK_GUI_ATTENTION), 0);
    settle();
    ck_assert_uint_eq(shown(1)->cursor, 0x144);
    ck_assert_uint_eq(shown(1)->flags, GUI_FULLSCREEN | GUI_MINIMISED);
    daemon_send(&guid, &(struct gui_message){ .type = GUI_WINDOW_FLAGS, .window = 1, .u.flags = { GUI_MINIMISED, 0 } });
    settle();
    ck_assert_uint_eq(a.states, 1);
    ck_assert_uint_eq(a.last.state, UNIK_GUI_MINIMISED);
    a.paint++;
    window_draw(&a);
    gui->damage(gui, a.w, 0, 0, 64, 32);
    settle();
    daemon_send(&guid, &(struct gui_message){ .type = GUI_WINDOW_FLAGS, .window = 1, .u.flags = { 0, GUI_MINIMISED } });
    settle();
    ck_assert_uint_eq(a.states, 2);
    check_picture(shown(1), &a);                /* what changed meanwhile */
}
END_TEST

START_TEST(destroyed_at_every_point)
{
    for (int turns = 0; turns < 12; turns++) {
        window_create(&a, 64, 32);
        window_create(&b, 640, 320);
        for (int i = 0; i < turns; i++) {
            turn();
            daemon_run(&guid, 100);
        }
        window_destroy(&a);
        if (turns & 1) {
            turn();
            daemon_run(&guid, 100);
        }
        window_destroy(&b);
        settle();
        NO_COMPLAINT();
        ck_assert_uint_eq(guid.n, 0);
        ck_assert_uint_eq(fake.shared, 0);
        ck_assert_uint_eq(host_counter(ctx, "windows"), 0);
    }
}
END_TEST

START_TEST(refusals)
{
    static const struct { int w, h, min, max; bool docked, menu; } rows[] = {
        { 0, 1, 0, 0, 0, 0 }, { 1, 0, 0, 0, 0, 0 }, { -1, 5, 0, 0, 0, 0 }, { 16385, 1, 0, 0, 0, 0 }, { 1, 6145, 0, 0, 0, 0 },
        { INT32_MAX, INT32_MAX, 0, 0, 0, 0 }, { 5, 5, -1, 0, 0, 0 }, { 5, 5, 0, -1, 0, 0 }, { 5, 5, 10, 9, 0, 0 },
        { 5, 5, 20000, 0, 0, 0 }, { 5, 5, 0, 0, true, true },
    };
    char text[200];
    struct unik_gui_window *w;
    struct unik_gui_setup s = { .size = sizeof(s), .width = 5, .height = 5 };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct unik_gui_setup t = { .size = sizeof(t), .width = rows[i].w, .height = rows[i].h, .min_width = rows[i].min,
                                    .max_width = rows[i].max, .docked = rows[i].docked, .menu = rows[i].menu };

        ck_assert_int_eq(gui->create(gui, &t, NULL, NULL, &w), -EINVAL);
        ck_assert_ptr_null(w);
    }
    memset(text, 'x', sizeof(text));
    text[128] = 0;
    s.title = text;
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), -EINVAL);
    text[127] = 0;
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), 0);
    gui->destroy(gui, w);
    s.class_name = text;
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), -EINVAL);
    s.size = 4;
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), -EINVAL);
    fake.most = 10;
    s = (struct unik_gui_setup){ .size = sizeof(s), .width = 1000, .height = 1000 };
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), -ENOSPC);
    settle();
    ck_assert_uint_eq(guid.n, 0);
    ck_assert_uint_eq(host_counter(ctx, "windows"), 0);
}
END_TEST

START_TEST(too_many)
{
    static struct window many[256];
    struct unik_gui_setup s = { .size = sizeof(s), .width = 1, .height = 1 };
    struct unik_gui_window *w;

    for (int i = 0; i < 256; i++)
        window_create(&many[i], 1 + i, 1);
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), -EMFILE);
    settle();
    ck_assert_uint_eq(guid.n, 256);
    for (int i = 0; i < 256; i++)
        check_picture(shown((uint32_t)i + 1), &many[i]);
    for (int i = 0; i < 256; i++)
        window_destroy(&many[i]);
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), -EMFILE);     /* the daemon knows them still */
    settle();
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), 0);
    settle();
    ck_assert_uint_eq(guid.n, 1);
}
END_TEST

/* No memory for the new size: the old picture stays, the daemon has its echo, and the next size works. */
START_TEST(no_pages_to_grow)
{
    struct gui_rect r = { 0, 0, 500, 500 };

    window_create(&a, 64, 32);
    settle();
    fake.most = 10;
    daemon_place(&guid, shown(1), &r);
    settle();
    ck_assert_uint_eq(a.resizes, 1);
    ck_assert(!shown(1)->queued);
    ck_assert_uint_eq(host_counter(ctx, "no_pages"), 1);
    gui->damage(gui, a.w, 0, 0, 64, 32);
    settle();
    ck_assert_uint_eq(shown(1)->picture[5], shade(5, 0, 0));
    r.width = r.height = 40;
    daemon_place(&guid, shown(1), &r);
    settle();
    ck_assert_uint_eq(a.resizes, 2);
    check_picture(shown(1), &a);
}
END_TEST

TCase *gui_cases_windows(void)
{
    TCase *t = tcase_create("windows");

    tcase_add_checked_fixture(t, gui_up, gui_down);
    tcase_add_test(t, a_window_is_shown);
    tcase_add_test(t, the_title_is_the_vm_by_default);
    tcase_add_test(t, damage_is_joined);
    tcase_add_test(t, the_user_resizes);
    tcase_add_test(t, the_app_resizes);
    tcase_add_test(t, both_resize);
    tcase_add_test(t, an_echo_that_cannot_match);
    tcase_add_test(t, hidden_and_shown);
    tcase_add_test(t, docked);
    tcase_add_test(t, menus_and_dialogs);
    tcase_add_test(t, cursor_and_state);
    tcase_add_test(t, destroyed_at_every_point);
    tcase_add_test(t, refusals);
    tcase_add_test(t, too_many);
    tcase_add_test(t, no_pages_to_grow);
    return t;
}
