/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/gui-user.c - the GUI daemon: what the user and the window manager do, the clipboard, faults. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dom0/gui-guest.h"

START_TEST(pointer_and_keys)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    struct gui_message m;

    guest_window(r, p, 1, 64, 32, 5);
    ck_assert_int_eq(run_command(r, "gui click 1 -1 9 3", NULL), 0);
    guest_get(p, GUI_KEYMAP_NOTIFY, 0);
    m = guest_get(p, GUI_CROSSING, 1);
    ck_assert_uint_eq(m.u.crossing.type, GUI_ENTER);
    m = guest_get(p, GUI_MOTION, 1);
    ck_assert_int_eq(m.u.motion.x, -1);
    ck_assert_int_eq(m.u.motion.y, 9);
    m = guest_get(p, GUI_BUTTON, 1);
    ck_assert_uint_eq(m.u.input.type, GUI_BUTTON_DOWN);
    ck_assert_uint_eq(m.u.input.code, 3);
    ck_assert_uint_eq(m.u.input.state, 0);
    m = guest_get(p, GUI_BUTTON, 1);
    ck_assert_uint_eq(m.u.input.type, GUI_BUTTON_UP);
    ck_assert_uint_eq(m.u.input.state, 1024);           /* as before the event */
    ck_assert_int_eq(run_command(r, "gui key 1 ctrl+shift+Tab", NULL), 0);
    static const struct { uint32_t type, code, state; } keys[] = {
        { 2, 37, 0 }, { 2, 50, 4 }, { 2, 23, 5 }, { 3, 23, 5 }, { 3, 50, 5 }, { 3, 37, 4 },
    };
    for (size_t i = 0; i < 6; i++) {
        m = guest_get(p, GUI_KEYPRESS, 1);
        ck_assert_uint_eq(m.u.input.type, keys[i].type);
        ck_assert_uint_eq(m.u.input.code, keys[i].code);
        ck_assert_uint_eq(m.u.input.state, keys[i].state);
    }
    ck_assert_int_eq(run_command(r, "gui type 1", "a\t!\n"), 0);
    static const struct { uint32_t type, code, state; } text[] = {
        { 2, 38, 0 }, { 3, 38, 0 }, { 2, 23, 0 }, { 3, 23, 0 }, { 2, 50, 0 }, { 2, 10, 1 }, { 3, 10, 1 }, { 3, 50, 1 },
        { 2, 36, 0 }, { 3, 36, 0 },
    };
    for (size_t i = 0; i < 10; i++) {
        m = guest_get(p, GUI_KEYPRESS, 1);
        ck_assert_uint_eq(m.u.input.type, text[i].type);
        ck_assert_uint_eq(m.u.input.code, text[i].code);
        ck_assert_uint_eq(m.u.input.state, text[i].state);
    }
    ck_assert_int_eq(run_command(r, "gui type 1", "caf\xc3\xa9"), 2);       /* no such key: nothing is typed */
    ck_assert_int_eq(run_command(r, "gui key 1 Hyper", NULL), 2);
    guest_quiet(p, r, 1);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

static void expect_flags(struct peer *p, uint32_t window, uint32_t set, uint32_t unset)
{
    struct gui_message m = guest_get(p, GUI_WINDOW_FLAGS, window);

    ck_assert_uint_eq(m.u.flags.set, set);
    ck_assert_uint_eq(m.u.flags.unset, unset);
}

static void expect_out(struct peer *p, uint32_t window)
{
    ck_assert_uint_eq(guest_get(p, GUI_FOCUS, window).u.focus.type, GUI_FOCUS_OUT);
}

START_TEST(focus_goes_from_window_to_window)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    struct gui_message m;

    guest_window(r, p, 1, 64, 32, 5);
    guest_create(p, 2, 0, 0, 8, 8);
    guest_send(p, GUI_MAP, 2, WORDS(1, 0));
    guest_echo(p, 2);
    expect_out(p, 1);
    guest_get_focus(p, 2);
    ck_assert_int_eq(run_command(r, "gui list", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "of 0x1, focus"));
    ck_assert_int_eq(run_command(r, "gui point 1 3 4", NULL), 0);
    guest_get(p, GUI_KEYMAP_NOTIFY, 0);
    m = guest_get(p, GUI_CROSSING, 1);
    ck_assert_uint_eq(m.u.crossing.type, GUI_ENTER);
    ck_assert_uint_eq(m.u.crossing.focus, 0);
    guest_get(p, GUI_MOTION, 1);
    ck_assert_int_eq(run_command(r, "gui click focus 1 1", NULL), 0);
    m = guest_get(p, GUI_CROSSING, 1);
    ck_assert_uint_eq(m.u.crossing.type, GUI_LEAVE);
    guest_get(p, GUI_KEYMAP_NOTIFY, 0);
    guest_get(p, GUI_CROSSING, 2);
    guest_get(p, GUI_MOTION, 2);
    guest_get(p, GUI_BUTTON, 2);
    guest_get(p, GUI_BUTTON, 2);
    guest_send(p, GUI_DESTROY, 2, NULL, 0);             /* no event for it any more, the other one gets the focus */
    guest_get_focus(p, 1);
    guest_get(p, GUI_DESTROY, 2);
    /* a menu takes no focus, and is kept on the screen */
    guest_create(p, 3, -5, 1079, 40, 50);
    guest_send(p, GUI_MAP, 3, WORDS(1, 1));
    m.u.rect = guest_echo(p, 3);
    ck_assert_int_eq(m.u.rect.x, 0);
    ck_assert_int_eq(m.u.rect.y, 1080 - 50);
    ck_assert_int_eq(run_command(r, "gui click 3 1 1", NULL), 0);
    guest_get(p, GUI_KEYMAP_NOTIFY, 0);
    guest_get(p, GUI_CROSSING, 3);
    guest_get(p, GUI_MOTION, 3);
    guest_get(p, GUI_BUTTON, 3);
    guest_get(p, GUI_BUTTON, 3);
    guest_quiet(p, r, 3);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(flags)
{
    struct run *r = run_start("--screen 800x600");
    struct peer *p = guest_new(r, 8, 8);
    struct gui_rect at, was;

    guest_create(p, 1, 0, 0, 64, 32);
    guest_send(p, GUI_WINDOW_FLAGS, 1, WORDS(GUI_ATTENTION, 0));
    guest_send(p, GUI_MAP, 1, WORDS(0, 0));
    was = guest_echo(p, 1);
    guest_get_focus(p, 1);
    guest_send(p, GUI_WINDOW_FLAGS, 1, WORDS(GUI_FULLSCREEN, 0));
    at = guest_echo(p, 1);
    ck_assert(at.x == 0 && at.y == 0 && at.width == 800 && at.height == 600);
    expect_flags(p, 1, GUI_FULLSCREEN, 0);
    guest_send(p, GUI_WINDOW_FLAGS, 1, WORDS(0, GUI_FULLSCREEN));
    at = guest_echo(p, 1);
    ck_assert(at.x == was.x && at.y == was.y && at.width == 64 && at.height == 32);
    expect_flags(p, 1, 0, GUI_FULLSCREEN);
    guest_send(p, GUI_WINDOW_FLAGS, 1, WORDS(GUI_MINIMISED, 0));
    expect_out(p, 1);
    expect_flags(p, 1, GUI_MINIMISED, 0);
    guest_send(p, GUI_WINDOW_FLAGS, 1, WORDS(GUI_ATTENTION, 0));
    expect_flags(p, 1, GUI_ATTENTION, 0);
    ck_assert_int_eq(run_command(r, "gui restore 1", NULL), 0);
    expect_flags(p, 1, 0, GUI_MINIMISED);
    guest_get_focus(p, 1);
    expect_flags(p, 1, 0, GUI_ATTENTION);
    ck_assert_int_eq(run_command(r, "gui minimise 1", NULL), 0);
    expect_out(p, 1);
    expect_flags(p, 1, GUI_MINIMISED, 0);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(docked_icon)
{
    struct run *r = run_start("--screen 800x600");
    struct peer *p = guest_new(r, 8, 8);
    struct gui_rect at;

    guest_create(p, 7, 0, 0, 64, 64);
    guest_send(p, GUI_DOCK, 7, NULL, 0);
    at = guest_get(p, GUI_CONFIGURE, 7).u.rect;
    ck_assert(at.x == 776 && at.y == 0 && at.width == 24 && at.height == 24);
    ck_assert_uint_ne(guest_get(p, GUI_MAP, 7).u.map.parent, 0);        /* garbage, on purpose */
    guest_send(p, GUI_CONFIGURE, 7, WORDS(0, 0, 64, 64, 0));            /* not negotiable */
    at = guest_echo(p, 7);
    ck_assert(at.x == 776 && at.width == 24);
    guest_send(p, GUI_UNMAP, 7, NULL, 0);                               /* ignored */
    guest_send(p, GUI_MAP, 7, WORDS(0, 0));
    guest_pages(r, 3, 1);
    guest_dump(p, 7, 24, 24, 3, 1);
    guest_get(p, GUI_WINDOW_DUMP_ACK, 7);
    guest_send(p, GUI_SHMIMAGE, 7, WORDS(0, 0, 24, 24));                /* works without MAP */
    ck_assert_int_eq(run_command(r, "gui --seconds 15 wait 7", NULL), 0);
    ck_assert_uint_eq(seen_pixel(r, "7", 5, 5), 0);
    ck_assert_int_eq(run_count(r, "note: gui"), 2);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(names)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    uint8_t name[128] = "a \33[31mtitle\n", class_name[128] = "Some";

    memset(name + 20, 'x', sizeof(name) - 20);
    guest_window(r, p, 1, 64, 32, 5);
    guest_send(p, GUI_WMCLASS, 1, class_name, sizeof(class_name));      /* mapped: dropped */
    guest_send(p, GUI_WMNAME, 1, name, sizeof(name));
    memset(name, 0xc3, sizeof(name));                                   /* no NUL at all */
    guest_create(p, 2, 0, 0, 1, 1);
    guest_send(p, GUI_WMNAME, 2, name, sizeof(name));
    guest_send(p, GUI_WMCLASS, 2, class_name, sizeof(class_name));
    guest_quiet(p, r, 1);
    ck_assert_int_eq(run_command(r, "gui list", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "class \"\", title \"a _[31mtitle_\"\n"));
    ck_assert_ptr_nonnull(strstr(r->out, "class \"Some\", title \"______"));
    ck_assert_int_eq(run_command(r, "gui close", "a _[31mtitle_"), 0);
    guest_get(p, GUI_CLOSE, 1);
    ck_assert_int_eq(run_command(r, "gui close Some", NULL), 0);
    guest_get(p, GUI_CLOSE, 2);
    ck_assert_int_eq(run_command(r, "gui close Nobody", NULL), 1);
    ck_assert_int_eq(run_command(r, "gui click 2 1 1", NULL), 1);       /* not shown */
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* ---- the clipboard ---- */

static struct program *begin_copy(struct run *r, struct peer *p)
{
    struct program *copy = run_begin(r, NULL, "gui copy 1", NULL);

    guest_get(p, GUI_CLIPBOARD_REQ, 1);
    return copy;
}

START_TEST(copy_and_its_limits)
{
    static char text[256002];
    struct run *r = run_start("--deadline 10");
    struct peer *p = guest_new(r, 8, 8);
    struct program *copy;

    memset(text, 'x', sizeof(text));
    guest_window(r, p, 1, 64, 32, 5);
    copy = begin_copy(r, p);
    ck_assert_int_eq(run_command(r, "gui copy 1", NULL), 1);            /* one at a time */
    guest_send(p, GUI_CLIPBOARD_DATA, 99, NULL, 0);                     /* nothing; any window */
    ck_assert_int_eq(run_end(r, copy), 0);
    ck_assert_str_eq(r->out, "");
    copy = begin_copy(r, p);
    guest_send(p, GUI_CLIPBOARD_DATA, 1, text, 64000);
    ck_assert_int_eq(run_end(r, copy), 0);
    ck_assert_uint_eq(strlen(r->out), 64000);
    copy = begin_copy(r, p);
    guest_send(p, GUI_CLIPBOARD_DATA, 1, text, 64001);                  /* dom0's limit for a VM */
    ck_assert_int_eq(run_end(r, copy), 1);
    copy = begin_copy(r, p);
    guest_send(p, GUI_CLIPBOARD_DATA, 1, text, 256001);                 /* "too big" */
    ck_assert_int_eq(run_end(r, copy), 1);
    guest_send(p, GUI_CLIPBOARD_DATA, 1, text, 5);                      /* unasked: dropped */
    ck_assert(run_logged(r, "nobody asked for it"));
    ck_assert_int_eq(run_count(r, "VIOLATION"), 0);
    copy = begin_copy(r, p);
    ck_assert_int_eq(run_end(r, copy), 1);
    ck_assert(run_logged(r, "no CLIPBOARD_DATA within 10 s"));
    copy = begin_copy(r, p);
    peer_hang_up(p);
    ck_assert_int_eq(run_end(r, copy), 1);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(paste)
{
    static char text[256002], got[256000];
    struct run *r = run_start("--clipboard 256000");
    struct peer *p = guest_new(r, _i ? 4 : 8, 8);
    const char *file;

    guest_create(p, 1, 0, 0, 8, 8);
    for (bool known = false; !known; known = strstr(r->out, "0x1 hidden"))     /* before 1.7 there is no ack to wait for */
        ck_assert_int_eq(run_command(r, "gui list", NULL), 0);
    for (size_t i = 0; i < 256000; i++)
        text[i] = (char)('a' + i % 23);
    file = run_file(r, "text", text);
    ck_assert_int_eq(run_end(r, run_begin(r, file, "gui paste 1", NULL)), 0);
    ck_assert_uint_eq(guest_get(p, GUI_CLIPBOARD_DATA, 1).u.clipboard.size, 256000);
    ck_assert(peer_recv(p, got, sizeof(got), RUN_SECONDS));
    ck_assert_mem_eq(got, text, sizeof(got));
    text[256000] = 'x';
    ck_assert_int_eq(run_end(r, run_begin(r, run_file(r, "text", text), "gui paste 1", NULL)), 1);
    ck_assert_int_eq(run_command(r, "gui paste 1", NULL), 0);
    ck_assert_uint_eq(guest_get(p, GUI_CLIPBOARD_DATA, 1).u.clipboard.size, 0);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* ---- going away ---- */

START_TEST(restarts_and_faults)
{
    struct run *r = run_start("--fault drop-gui-after=5");
    struct peer *p;

    ck_assert_int_eq(run_command(r, "gui list", NULL), 1);              /* nobody there */
    p = guest_new(r, 8, 8);
    ck_assert_int_eq(run_command(r, "wait --seconds 15 gui", NULL), 0);
    guest_window(r, p, 1, 64, 32, 5);                                   /* five messages */
    ck_assert(peer_closed(p, RUN_SECONDS));
    ck_assert(peer_accept(p, RUN_SECONDS));
    peer_close(p);
    p = guest_new(r, 8, 8);
    ck_assert_int_eq(run_command(r, "gui list", NULL), 0);
    ck_assert_str_eq(r->out, "");
    guest_window(r, p, 1, 64, 32, 5);
    ck_assert_int_eq(run_command(r, "restart --seconds 0.1 gui", NULL), 0);
    ck_assert(peer_closed(p, RUN_SECONDS));
    peer_close(p);
    p = guest_new(r, 8, 8);
    ck_assert_int_eq(run_command(r, "fault half-gui", NULL), 0);
    guest_window(r, p, 1, 64, 32, 5);
    ck_assert_int_eq(run_command(r, "fault none", NULL), 0);
    ck_assert_int_eq(run_command(r, "fault slow-gui=200", NULL), 0);
    guest_quiet(p, r, 1);
    ck_assert_int_eq(run_command(r, "status --strict", NULL), 0);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* 10,000,000 bytes wait for it: the real daemon ends. */
START_TEST(a_guest_that_does_not_read)
{
    static char text[200001];
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    const char *file;
    int n = 0;

    memset(text, 'x', 200000);
    file = run_file(r, "text", text);
    guest_create(p, 1, 0, 0, 8, 8);
    guest_quiet(p, r, 1);
    while (n < 60 && run_end(r, run_begin(r, file, "gui paste 1", NULL)) == 0 && !run_count(r, "VIOLATION"))
        n++;
    ck_assert_int_ge(n, 48);
    ck_assert_int_lt(n, 60);
    ck_assert(run_logged(r, "the guest does not read"));
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

/* Window 1 is there but for one thing, and somebody waits: whichever it is, it wakes him. */
static void title_comes(struct run *r, struct peer *p)
{
    char title[GUI_TITLE] = "new";

    (void)r;
    guest_send(p, GUI_WMNAME, 1, title, sizeof(title));
}

static void echo_comes(struct run *r, struct peer *p)
{
    (void)r;
    guest_echo(p, 1);
}

static void focus_comes(struct run *r, struct peer *p)
{
    (void)p;
    ck_assert_int_eq(run_command(r, "gui restore 1", NULL), 0);
}

static void namesake_goes(struct run *r, struct peer *p)
{
    (void)r;
    guest_send(p, GUI_DESTROY, 2, NULL, 0);
}

static void without_title(struct run *r, struct peer *p) { (void)r, (void)p; }

static void without_echo(struct run *r, struct peer *p)
{
    (void)p;
    ck_assert_int_eq(run_command(r, "gui resize 1 32 32", NULL), 0);
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0, 0, 32, 32));
}

static void without_focus(struct run *r, struct peer *p)
{
    (void)p;
    ck_assert_int_eq(run_command(r, "gui minimise 1", NULL), 0);
}

static void with_namesake(struct run *r, struct peer *p)
{
    char title[GUI_TITLE] = "same";

    (void)r;
    guest_send(p, GUI_WMNAME, 1, title, sizeof(title));
    guest_create(p, 2, 0, 0, 8, 8);
    guest_send(p, GUI_WMNAME, 2, title, sizeof(title));
}

START_TEST(a_waiter_is_woken_by_whatever_comes_last)
{
    static const struct {
        const char *window;
        void (*before)(struct run *r, struct peer *p), (*comes)(struct run *r, struct peer *p);
    } ways[] = {
        { "new", without_title, title_comes }, { "1", without_echo, echo_comes }, { "focus", without_focus, focus_comes },
        { "same", with_namesake, namesake_goes },
    };
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    struct program *waiter;
    char text[64];

    guest_window(r, p, 1, 64, 32, 5);
    guest_painted(r, "1");
    ways[_i].before(r, p);
    snprintf(text, sizeof(text), "gui wait %s", ways[_i].window);
    waiter = run_begin(r, NULL, text, NULL);
    snprintf(text, sizeof(text), "somebody waits for window:%s\n", ways[_i].window);
    ck_assert(run_logged(r, text));
    ways[_i].comes(r, p);
    ck_assert_int_eq(run_end(r, waiter), 0);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

TCase *case_gui_user(void)
{
    TCase *t = tcase_create("gui-user");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, pointer_and_keys);
    tcase_add_test(t, focus_goes_from_window_to_window);
    tcase_add_test(t, flags);
    tcase_add_test(t, docked_icon);
    tcase_add_test(t, names);
    tcase_add_test(t, copy_and_its_limits);
    tcase_add_loop_test(t, paste, 0, 2);
    tcase_add_test(t, restarts_and_faults);
    tcase_add_test(t, a_guest_that_does_not_read);
    tcase_add_loop_test(t, a_waiter_is_woken_by_whatever_comes_last, 0, 4);
    return t;
}
