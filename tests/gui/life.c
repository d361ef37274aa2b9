/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/life.c - daemons that come, go and differ; the GUI domain; modes; the end. */
#include <unistd.h>
#include "tests/gui/fixture.h"

static struct window a, b, c;

static const char *const quick[] = { "damage-interval=0", "retry-max=0", NULL };

static void three_windows(void)
{
    struct unik_gui_setup s = { .size = sizeof(s), .width = 16, .height = 16, .docked = true };

    window_create(&a, 640, 480);
    window_create(&b, 30, 20);
    memset(&c, 0, sizeof(c));
    window_setup(&c, &s);
    a.paint = 1;
    b.paint = 2;
}

static void restart(unsigned minor)
{
    fake_hang_up(&fake.v);
    for (int i = 0; i < 10; i++)
        turn();
    daemon_reset(&guid);
    guid.minor = minor;
    gui_connect();
}

/* All windows come again with what the app drew, and the app hears of nothing but the focus. */
START_TEST(the_daemon_restarts)
{
    gui_up_with(quick, 8);
    gui_connect();
    three_windows();
    settle();
    daemon_focus(&guid, 1, true);
    daemon_key(&guid, 1, 38, 0, true);
    ck_assert_int_eq(gui->title(gui, a.w, "changed"), 0);
    ck_assert_int_eq(gui->cursor(gui, a.w, 0x144), 0);
    settle();
    for (int i = 0; i < 5; i++) {
        unsigned focuses = a.focuses, resizes = a.resizes, keys = a.keys;

        a.paint++;
        window_draw(&a);
        gui->damage(gui, a.w, 0, 0, 640, 480);
        for (int k = 0; k < i; k++) {
            turn();
            daemon_run(&guid, 200);
        }
        restart(8);
        ck_assert_uint_eq(guid.n, 3);
        check_picture(shown(1), &a);
        check_picture(shown(2), &b);
        check_picture(shown(3), &c);
        ck_assert_str_eq(shown(1)->title, "changed");
        ck_assert_uint_eq(shown(1)->cursor, 0x144);
        ck_assert(shown(3)->docked);
        ck_assert_uint_eq(a.resizes, resizes);
        ck_assert_uint_eq(a.keys, keys);
        ck_assert_uint_eq(a.focuses, focuses + (i == 0));
    }
    ck_assert_uint_eq(host_counter(ctx, "connects"), 6);
    ck_assert_uint_eq(fake.shares, 3);
    gui_down();
}
END_TEST

/* However often the daemon is restarted: each time the channel is there at once. With a wait that grew this would take minutes. */
START_TEST(the_daemon_restarts_often)
{
    static const char *const options[] = { "damage-interval=0", "retry-max=60", NULL };

    gui_up_with(options, 8);
    gui_connect();
    three_windows();
    settle();
    for (int i = 0; i < 40; i++) {
        restart(8);
        ck_assert_uint_eq(guid.n, 3);
    }
    ck_assert_uint_eq(host_counter(ctx, "connects"), 41);
    gui_down();
}
END_TEST

/* Without a daemon windows wait, change, go; then it comes. */
START_TEST(the_daemon_comes_late)
{
    gui_up_with(quick, 8);
    ck_assert(!gui->connected(gui));
    three_windows();
    for (int i = 0; i < 20; i++)
        turn();
    ck_assert_uint_eq(a.resizes, 1);
    ck_assert_int_eq(gui->resize(gui, a.w, 100, 50), 0);
    window_destroy(&b);
    for (int i = 0; i < 20; i++)
        turn();
    ck_assert_uint_eq(a.resizes, 2);
    gui_connect();
    check_picture(shown(1), &a);
    check_picture(shown(3), &c);
    ck_assert_uint_eq(guid.n, 2);
    gui_down();
}
END_TEST

/* Each version the daemon may have, and each we may offer; the picture is right in all. */
START_TEST(versions)
{
    for (unsigned ours = 0; ours <= 8; ours++)
        for (unsigned theirs = ours < 4 ? ours : 4; theirs <= 9; theirs++) {
            char version[20];
            const char *const options[] = { "damage-interval=0", "retry-max=0", version, NULL };
            unsigned minor = ours < theirs ? ours : theirs;
            struct gui_rect r = { 5, 5, 50, 40 };

            snprintf(version, sizeof(version), "version=1.%u", ours);
            gui_up_with(options, theirs);
            gui_connect();
            ck_assert_uint_eq(guid.version, GUI_VERSION_OF(minor));
            three_windows();
            settle();
            daemon_place(&guid, shown(1), &r);
            settle();
            check_picture(shown(1), &a);
            check_picture(shown(2), &b);
            ck_assert_int_eq(shown(1)->class_name[0] != 0, minor >= 1);
            gui->set_clipboard(gui, "text", 4);
            daemon_bare(&guid, GUI_CLIPBOARD_REQ, 1);
            daemon_focus(&guid, 2, true);
            daemon_paste(&guid, minor < 2 ? 4 : 2, "abcd", 4);
            window_destroy(&a);
            settle();
            ck_assert_uint_eq(guid.copies, 1);
            ck_assert_uint_eq(guid.text_size, 4);
            ck_assert_uint_eq(b.pastes, 1);
            ck_assert_uint_eq(guid.n, 2);
            free(b.paste);
            gui_down();
        }
}
END_TEST

/* Over 65000 bytes end a daemon before 1.8: an empty answer then. */
START_TEST(a_long_text_for_an_old_daemon)
{
    static char big[65001];

    gui_up_with(quick, 7);
    gui_connect();
    window_create(&a, 5, 5);
    gui->set_clipboard(gui, big, 65000);
    daemon_bare(&guid, GUI_CLIPBOARD_REQ, 1);
    settle();
    ck_assert_uint_eq(guid.text_size, 65000);
    gui->set_clipboard(gui, big, 65001);
    daemon_bare(&guid, GUI_CLIPBOARD_REQ, 1);
    settle();
    ck_assert_uint_eq(guid.text_size, 0);
    ck_assert_uint_eq(guid.copies, 2);
    gui_down();
}
END_TEST

/* Pages below 1.7: nobody says when they are free, so they stay for a while. */
START_TEST(old_daemons_keep_pages)
{
    struct gui_rect r = { 5, 5, 50, 40 };

    gui_up_with(quick, 6);
    gui_connect();
    window_create(&a, 64, 64);
    settle();
    for (int i = 0; i < 5; i++) {
        r.width++;
        daemon_place(&guid, shown(1), &r);
        settle();
    }
    ck_assert_uint_gt(fake.shared, gui_pages(r.width, r.height));
    for (int i = 0; i < 20000 && fake.shared > gui_pages(r.width, r.height); i++) {
        turn();
        usleep(1000);
    }
    ck_assert_uint_eq(fake.shared, gui_pages(r.width, r.height));
    check_picture(shown(1), &a);
    gui_down();
}
END_TEST

/* A daemon that is slow to acknowledge: one dump at a time, and what it may map is there all the time. */
START_TEST(late_acknowledgements)
{
    gui_up_with(quick, 8);
    gui_connect();
    guid.lazy_acks = true;
    window_create(&a, 64, 64);
    settle();
    for (uint32_t i = 0; i < 20; i++) {
        struct gui_rect r = { 0, 0, 65 + i, 60 };

        daemon_place(&guid, shown(1), &r);
        settle();
        ck_assert_uint_le(shown(1)->dumps, 1);
    }
    ck_assert_uint_le(fake.shared, gui_pages(64, 64) + 2 * gui_pages(84, 60));
    daemon_acks(&guid);
    settle();
    ck_assert_uint_eq(shown(1)->dumps, 2);
    check_picture(shown(1), &a);
    daemon_acks(&guid);
    settle();
    ck_assert_uint_eq(fake.shared, gui_pages(84, 60));
    guid.lazy_acks = false;
    gui_down();
}
END_TEST

START_TEST(bad_handshakes)
{
    static const uint32_t answers[] = { 0x20000, 0x10009, 0x10003, 0x10000, 0, 0xffffffff };
    struct gui_xconf none = { 0, 0, 0, 0 };
    uint8_t bytes[GUI_XCONF_BYTES];

    gui_up_with(quick, 8);
    window_create(&a, 5, 5);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        unsigned lines = log_lines;

        for (int k = 0; k < 20000 && !fake_waits(&fake.v); k++) {
            turn();
            usleep(100);
        }
        fake_connect(&fake.v);
        gui_encode_version(bytes, answers[i]);
        fake_send(&fake.v, bytes, 4);
        for (int k = 0; k < 20000 && fake_connected(&fake.v); k++)
            turn();
        ck_assert_uint_eq(log_lines, lines + 1);
        ck_assert(!gui->connected(gui));
    }
    for (int k = 0; k < 20000 && !fake_waits(&fake.v); k++) {
        turn();
        usleep(100);
    }
    fake_connect(&fake.v);
    gui_encode_version(bytes, GUI_VERSION_OF(8));
    fake_send(&fake.v, bytes, 4);
    gui_encode_xconf(bytes, &none);
    fake_send(&fake.v, bytes, 10);
    turn();
    fake_send(&fake.v, bytes + 10, 6);
    for (int k = 0; k < 20; k++)
        turn();
    ck_assert(gui->connected(gui));             /* a screen of unknown size is a screen */
    restart(8);
    check_picture(shown(1), &a);
    gui_down();
}
END_TEST

/* Another domain has the screen now: its own channel, its own grants, the same picture. */
START_TEST(the_gui_domain_changes)
{
    int width, height;

    gui_up_with(quick, 8);
    gui_connect();
    ck_assert_int_eq(fake.v.peer, 0);
    three_windows();
    settle();
    fake_set(&fake, "/qubes-gui-domain-xid", "12");
    for (int i = 0; i < 20; i++)
        turn();
    ck_assert(!gui->connected(gui));
    ck_assert(fake_waits(&fake.v));
    ck_assert_int_eq(fake.v.peer, 12);
    ck_assert_uint_eq(a.resizes, 2);
    daemon_reset(&guid);
    gui_connect();
    check_picture(shown(1), &a);
    check_picture(shown(2), &b);
    check_picture(shown(3), &c);
    gui->screen(gui, &width, &height);
    ck_assert_int_eq(width, 1008);
    ck_assert_int_eq(height, 700);
    fake_set(&fake, "/qubes-gui-domain-xid", "13");
    settle();
    fake_set(&fake, "/qubes-gui-domain-xid", "x");
    settle();
    ck_assert_int_eq(fake.v.peer, 0);
    daemon_reset(&guid);
    gui_connect();
    check_picture(shown(1), &a);
    gui_down();
}
END_TEST

START_TEST(modes)
{
    static const char *const off[] = { "mode=off", NULL }, *const stub[] = { "mode=stub", NULL };
    struct unik_gui_setup s = { .size = sizeof(s), .width = 16, .height = 16 };
    struct unik_gui_window *w;

    gui_up_with(off, 8);
    for (int i = 0; i < 20; i++)
        turn();
    ck_assert_uint_eq(fake.v.made, 0);
    ck_assert_int_eq(host_state(ctx), HOST_READY);
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), -EOPNOTSUPP);
    gui_down();
    gui_up_with(stub, 8);
    gui_connect();
    ck_assert_int_eq(gui->create(gui, &s, NULL, NULL, &w), -EOPNOTSUPP);
    daemon_bare(&guid, GUI_CLIPBOARD_REQ, 1);
    daemon_key(&guid, 1, 38, 0, true);
    settle();
    ck_assert_uint_eq(guid.copies, 1);
    ck_assert_uint_eq(guid.messages, 1);
    gui_down();
}
END_TEST

START_TEST(no_channel_now)
{
    gui_up_with(quick, 8);
    gui_connect();
    window_create(&a, 5, 5);
    settle();
    fake.v.refuse = -EMFILE;
    fake_hang_up(&fake.v);
    for (int i = 0; i < 200; i++) {
        turn();
        usleep(1000);
    }
    ck_assert_int_eq(host_state(ctx), HOST_DEGRADED);
    ck_assert_uint_le(log_lines, 3);            /* not a line for each try */
    fake.v.refuse = 0;
    daemon_reset(&guid);
    gui_connect();
    check_picture(shown(1), &a);
    gui_down();
}
END_TEST

/* Windows of an app that is gone: ended, and its functions are not called any more. */
START_TEST(an_app_leaves_windows)
{
    struct unik_ctx app = { 0 };
    struct unik_gui_setup s = { .size = sizeof(s), .width = 16, .height = 16, .owner = &app };

    gui_up_with(quick, 8);
    gui_connect();
    memset(&a, 0, sizeof(a));
    window_setup(&a, &s);
    window_create(&b, 5, 5);
    settle();
    ck_assert_uint_eq(guid.n, 2);
    ctx->plugin->left(ctx, &app);
    a.dead = true;
    daemon_key(&guid, 1, 38, 0, true);
    settle();
    ck_assert_uint_eq(guid.n, 1);
    check_picture(shown(2), &b);
    gui_down();
}
END_TEST

/* Stopping while the daemon has not read all: what it comes to map is there until it has, or the deadline is over. */
START_TEST(stops_in_order)
{
    static const char *const options[] = { "damage-interval=0", "flush=30s", NULL };
    static const char *const hasty[] = { "damage-interval=0", "flush=0", NULL };

    for (int turns = 0; turns < 6; turns++) {
        gui_up_with(options, 8);
        gui_connect();
        window_create(&a, 1000, 1000);
        for (int i = 0; i < turns; i++) {
            turn();
            daemon_run(&guid, 500);
        }
        window_destroy(&a);
        host_stop(ctx);
        ck_assert_int_eq(host_state(ctx), HOST_STOPPING);
        gui_down();
    }
    gui_up_with(hasty, 8);
    gui_connect();
    window_create(&a, 1000, 1000);
    settle();
    host_stop(ctx);
    for (int i = 0; i < 2000 && host_state(ctx) != HOST_STOPPED; i++) {
        turn();
        usleep(1000);
    }
    ck_assert_int_eq(host_state(ctx), HOST_STOPPED);
    daemon_reset(&guid);
    fake_free(&fake);
    host_free(host);
}
END_TEST

/* With windows shown and nothing to do there is no timer and no poll: the loop turns no more than the wait itself needs. */
START_TEST(idle_windows_sleep)
{
    static const char *const options[] = { "damage-interval=5ms", NULL };
    unsigned turns;

    gui_up_with(options, 8);
    gui_connect();
    three_windows();
    settle();
    host_run(host, 0.1);
    turns = ev_iteration(EV_DEFAULT);
    host_run(host, 1.0);
    ck_assert_uint_le(ev_iteration(EV_DEFAULT) - turns, 10);
    gui_down();
}
END_TEST

TCase *gui_cases_life(void)
{
    TCase *t = tcase_create("life");

    tcase_add_test(t, the_daemon_restarts);
    tcase_add_test(t, the_daemon_restarts_often);
    tcase_add_test(t, the_daemon_comes_late);
    tcase_add_test(t, versions);
    tcase_add_test(t, a_long_text_for_an_old_daemon);
    tcase_add_test(t, old_daemons_keep_pages);
    tcase_add_test(t, late_acknowledgements);
    tcase_add_test(t, bad_handshakes);
    tcase_add_test(t, the_gui_domain_changes);
    tcase_add_test(t, modes);
    tcase_add_test(t, no_channel_now);
    tcase_add_test(t, an_app_leaves_windows);
    tcase_add_test(t, stops_in_order);
    tcase_add_test(t, idle_windows_sleep);
    return t;
}
