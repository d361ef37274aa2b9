/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/gui.c - the GUI daemon: the bytes of the document, each thing that the real one does not survive, the
 * handshake of CONFIGURE row by row, what the user sees. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/common/bytes.h"
#include "tests/dom0/gui-guest.h"

static void send_bytes(struct peer *p, const char *text)
{
    uint8_t bytes[1024];
    size_t n = bytes_of(text, bytes, sizeof(bytes));

    ck_assert(peer_send(p, bytes, n));
}

static void expect_bytes(struct peer *p, const char *text)
{
    uint8_t bytes[1024];
    size_t n = bytes_of(text, bytes, sizeof(bytes));

    ck_assert(peer_expect(p, bytes, n));
}

/* doc/protocol/gui.md, 14. */
START_TEST(golden_bytes)
{
    struct run *r = run_start("--screen 1001x700");
    struct peer *p = peer_listen(r->h, r->vchan, 1, 0, GUI_PORT);
    struct program *copy;

    ck_assert(peer_accept(p, RUN_SECONDS));
    send_bytes(p, "08 00 01 00");
    expect_bytes(p, "08 00 01 00 f0 03 00 00 bc 02 00 00 18 00 00 00 c5 0a 00 00");
    send_bytes(p, "82 *3 01 *3 18 *3 0a *3 14 *3 40 *3 20 *3 *4 *4");
    send_bytes(p, "90 *3 01 *3 24 *3 01 *3 *32");               /* USPosition: not to be placed */
    send_bytes(p, "84 *3 01 *3 08 *3 *4 *4");
    expect_bytes(p, "8e *3 00 *3 20 *3 *32");
    expect_bytes(p, "80 *3 01 *3 0c *3 09 *3 *4 03 *3");
    guest_pages(r, 8, 2);
    send_bytes(p, "93 *3 01 *3 18 *3 *4 40 *3 20 *3 20 *3 08 *3 09 *3");
    expect_bytes(p, "95 *3 01 *3 *4");
    send_bytes(p, "88 *3 01 *3 10 *3 *4 *4 40 *3 20 *3");
    guest_painted(r, "1");
    ck_assert_int_eq(run_command(r, "gui key 1 a", NULL), 0);
    expect_bytes(p, "7c *3 01 *3 14 *3 02 *3 *4 *4 *4 26 *3");
    expect_bytes(p, "7c *3 01 *3 14 *3 03 *3 *4 *4 *4 26 *3");
    copy = run_begin(r, NULL, "gui copy 1", NULL);
    expect_bytes(p, "8b *3 01 *3 *4");
    send_bytes(p, "8c *3 01 *3 05 *3 'clip!'");
    ck_assert_int_eq(run_end(r, copy), 0);
    ck_assert_str_eq(r->out, "clip!");
    ck_assert_int_eq(run_command(r, "gui close 1", NULL), 0);
    expect_bytes(p, "89 *3 01 *3 *4");
    ck_assert_int_eq(run_command(r, "gui resize 1 80 40", NULL), 0);
    expect_bytes(p, "86 *3 01 *3 14 *3 0a *3 14 *3 50 *3 28 *3 *4");
    send_bytes(p, "86 *3 01 *3 14 *3 0a *3 14 *3 50 *3 28 *3 *4");
    send_bytes(p, "83 *3 01 *3 *4");
    expect_bytes(p, "83 *3 01 *3 *4");
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* Which version comes of which two. */
START_TEST(versions)
{
    static const unsigned minors[][2] = { { 0, 8 }, { 1, 8 }, { 3, 8 }, { 4, 8 }, { 7, 8 }, { 8, 8 }, { 9, 8 }, { 8, 4 }, { 8, 7 } };
    char options[64];
    struct run *r;
    struct peer *p;

    snprintf(options, sizeof(options), "--gui-protocol 1.%u", minors[_i][1]);
    r = run_start(options);
    p = guest_new(r, minors[_i][0], minors[_i][1]);
    ck_assert_int_eq(run_command(r, "status", NULL), 0);
    snprintf(options, sizeof(options), "gui: connected, protocol 1.%u (", minors[_i][0] < minors[_i][1] ? minors[_i][0] :
             minors[_i][1]);
    ck_assert_ptr_nonnull(strstr(r->out, options));
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* What comes with the minors: acks of DESTROY from 5, of WINDOW_DUMP from 7. */
START_TEST(acks_by_version)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, (unsigned)_i, 8);

    guest_create(p, 1, 0, 0, 8, 8);
    guest_create(p, 2, 0, 0, 8, 8);
    guest_pages(r, 1, 1);
    guest_dump(p, 1, 8, 8, 1, 1);
    guest_send(p, GUI_DESTROY, 1, NULL, 0);
    if (_i >= 7)
        guest_get(p, GUI_WINDOW_DUMP_ACK, 1);
    if (_i >= 5)
        guest_get(p, GUI_DESTROY, 1);
    guest_send(p, GUI_WINDOW_HINTS, 2, WORDS(1, 0, 0, 0, 0, 0, 0, 0, 0));
    guest_send(p, GUI_MAP, 2, WORDS(0, 0));
    guest_get_focus(p, 2);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* Each row of doc/protocol/gui.md, 10 that ends the real daemon, and what the log says. Window 1 is there, 64 x 32,
 * with 2 pages. */
static const struct { unsigned minor; const char *bytes, *violation; } fatal[] = {
    { 8, "84 *3 02 *3 08 *3 *8", "there is no such window (MAP" },
    { 8, "88 *3 02 *3 10 *3 *16", "there is no such window (SHMIMAGE" },
    { 8, "83 *3 02 *3 *4", "there is no such window (DESTROY" },
    { 8, "83 *3 01 *3 *4 83 *3 01 *3 *4", "there is no such window (DESTROY" },
    { 8, "82 *3 01 *3 18 *3 *8 01 *3 01 *3 *8", "there is such a window (CREATE" },
    { 8, "7c *3 01 *3 14 *3 *20", "unknown type, or not for this direction (KEYPRESS" },
    { 8, "81 *3 01 *3 08 *3 *8", "unknown type" },
    { 8, "95 *3 01 *3 *4", "not for this direction (WINDOW_DUMP_ACK" },
    { 8, "96 *3 01 *3 *4", "unknown type" },
    { 8, "ff ff ff ff 01 *3 *4", "unknown type" },
    { 8, "84 *3 01 *3 04 *3 *4", "a length that this type cannot have (MAP" },
    { 8, "84 *3 01 *3 0c *3 *12", "a length that this type cannot have (MAP" },
    { 8, "93 *3 01 *3 0f *3 *15", "a length that this type cannot have (WINDOW_DUMP" },
    { 8, "93 *3 01 *3 1a *3 *26", "a length that this type cannot have (WINDOW_DUMP" },
    { 8, "93 *3 01 *3 14 00 06 00", "a length that this type cannot have (WINDOW_DUMP" },
    { 8, "93 *3 01 *3 18 *3 01 *3 40 *3 20 *3 20 *3 08 *3 09 *3", "not references of pages" },
    { 8, "93 *3 01 *3 14 *3 *4 40 *3 20 *3 20 *3 08 *3", "too few of them" },
    { 8, "93 *3 01 *3 10 *3 *4 *4 *4 20 *3", "too few of them, or too large" },
    { 8, "93 *3 01 *3 14 *3 *4 01 40 *2 01 *3 20 *3 08 *3", "too large a picture" },
    { 8, "93 *3 01 *3 18 *3 *4 40 *3 20 *3 20 *3 08 *3 0a *3", "2 references from 8 on: cannot be mapped" },
    { 8, "93 *3 01 *3 18 *3 *4 40 *3 20 *3 20 *3 *8", "2 references from 0 on: cannot be mapped" },
    { 8, "93 *3 01 *3 18 *3 *4 40 *3 20 *3 20 *3 06 *3 07 *3", "2 references from 6 on: cannot be mapped" },
    { 8, "93 *3 01 *3 1c *3 *4 40 *3 20 *3 20 *3 08 *3 09 *3 0a *3", "3 references from 8 on: cannot be mapped" },
    { 8, "87 *3 01 *3 1c *3 *28", "not served here (MFNDUMP" },
    { 8, "82 *3 02 *3 18 *3 *8 *4 01 *3 *8", "a window without a size" },
    { 8, "8c *3 01 *3 02 e8 03 00", "over the limit of the clipboard" },
    { 7, "8c *3 01 *3 e9 fd 00 00", "over the limit of the clipboard" },
};
#define FATALS (int)(sizeof(fatal) / sizeof(fatal[0]))

START_TEST(what_ends_the_daemon)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, fatal[_i].minor, 8);

    guest_create(p, 1, 0, 0, 64, 32);
    guest_pages(r, 8, 2);
    send_bytes(p, fatal[_i].bytes);
    ck_assert(peer_closed(p, RUN_SECONDS));
    ck_assert(run_logged(r, fatal[_i].violation));
    ck_assert_int_eq(run_count(r, "VIOLATION"), 1);
    ck_assert(peer_accept(p, RUN_SECONDS));         /* and it comes back, with no windows */
    send_bytes(p, "08 00 01 00");
    expect_bytes(p, "08 00 01 00 80 07 00 00 38 04 00 00 18 00 00 00 a5 1f 00 00");
    guest_create(p, 1, 0, 0, 64, 32);
    guest_dump(p, 1, 64, 32, 8, 2);
    guest_get(p, GUI_WINDOW_DUMP_ACK, 1);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

/* What its user is asked about: reported, ignored, and it goes on. */
static const char *const frozen[][2] = {
    { "82 *3 02 *3 18 *3 *8 ff ff ff ff 01 *3 *8", "CREATE, window 0x2: a window without a size" },
    { "82 *3 02 *3 18 *3 *8 01 *3 00 00 00 80 *8", "CREATE, window 0x2: a window without a size" },
    { "86 *3 01 *3 14 *3 *8 *4 01 *3 *4", "CONFIGURE, window 0x1: a window without a size" },
    { "94 *3 01 *3 04 *3 9a 01 00 00", "CURSOR, window 0x1: no such cursor" },
    { "91 *3 01 *3 08 *3 03 *3 01 *3", "WINDOW_FLAGS, window 0x1: a flag is both set and unset" },
};

START_TEST(what_its_user_is_asked_about)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);

    guest_create(p, 1, 0, 0, 64, 32);
    send_bytes(p, frozen[_i][0]);
    ck_assert(run_logged(r, frozen[_i][1]));
    guest_quiet(p, r, 1);
    ck_assert_int_eq(run_count(r, "VIOLATION"), 1);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(bad_versions)
{
    struct run *r = run_start("");
    struct peer *p = peer_listen(r->h, r->vchan, 1, 0, GUI_PORT);

    ck_assert(peer_accept(p, RUN_SECONDS));
    send_bytes(p, _i ? "00 00 00 00" : "00 00 02 00");
    ck_assert(peer_closed(p, RUN_SECONDS));
    ck_assert(run_logged(r, "the real daemon shows an error and ends"));
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(half_a_message)
{
    static const char *const halves[] = { "84 *3 01 *3 08 *3 *4", "84 *2", "93 *3 01 *3 18 *3 *4 40 *3 20 *3 20 *3 08 *3" };
    struct run *r = run_start("--deadline 1");
    struct peer *p = guest_new(r, 8, 8);

    guest_create(p, 1, 0, 0, 64, 32);
    send_bytes(p, halves[_i]);
    ck_assert(run_logged(r, "for 1 s: the real daemon stands still"));
    peer_close(p);
    ck_assert(run_logged(r, "closed in the middle of a message"));
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(silent_from_the_start)
{
    struct run *r = run_start("--deadline 1");
    struct peer *p = peer_listen(r->h, r->vchan, 1, 0, GUI_PORT);

    ck_assert(peer_accept(p, RUN_SECONDS));
    ck_assert(run_logged(r, "gui: no version within 1 s"));
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

/* ---- CONFIGURE: doc/protocol/gui.md, 4 ---- */

static void configure(struct peer *p, int x, int y, unsigned width, unsigned height)
{
    guest_send(p, GUI_CONFIGURE, 1, WORDS((uint32_t)x, (uint32_t)y, width, height, 0));
}

static void expect_configure(struct peer *p, int x, int y, unsigned width, unsigned height)
{
    struct gui_rect r = guest_get(p, GUI_CONFIGURE, 1).u.rect;

    ck_assert_int_eq(r.x, x);
    ck_assert_int_eq(r.y, y);
    ck_assert_uint_eq(r.width, width);
    ck_assert_uint_eq(r.height, height);
}

START_TEST(configure_handshake)
{
    struct run *r = run_start("--deadline 60");
    struct peer *p = guest_new(r, 8, 8);
    struct gui_rect at;

    guest_create(p, 1, 5, 6, 64, 32);
    guest_send(p, GUI_MAP, 1, WORDS(0, 0));
    at = guest_echo(p, 1);                              /* placed by the window manager */
    ck_assert_uint_eq(at.width, 64);
    ck_assert_uint_eq(at.height, 32);
    guest_get_focus(p, 1);
    ck_assert_int_eq(run_command(r, "gui resize 1 80 40", NULL), 0);
    expect_configure(p, at.x, at.y, 80, 40);
    ck_assert_int_eq(run_command(r, "gui resize 1 90 50", NULL), 0);        /* not told: one is unanswered */
    ck_assert_int_eq(run_command(r, "gui list", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "90x50"));
    ck_assert_ptr_nonnull(strstr(r->out, "owes an echo"));
    guest_quiet(p, r, 1);
    configure(p, at.x, at.y, 80, 40);                   /* what it was told, but it is 90 x 50 now */
    expect_configure(p, at.x, at.y, 90, 50);
    configure(p, 1, 2, 3, 4);                           /* it argues */
    expect_configure(p, at.x, at.y, 90, 50);
    configure(p, at.x, at.y, 90, 50);                   /* and gives in */
    configure(p, at.x, at.y, 90, 50);                   /* says so again: fine */
    configure(p, 7, 8, 100, 60);                        /* its own wish */
    guest_quiet(p, r, 1);
    ck_assert_int_eq(run_command(r, "gui list", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "100x60 at 7,8"));
    ck_assert_ptr_null(strstr(r->out, "owes an echo"));
    configure(p, 70000, -70000, 20000, 7000);           /* clamped without a word */
    guest_quiet(p, r, 1);
    ck_assert_int_eq(run_command(r, "gui list", NULL), 0);
    ck_assert_ptr_nonnull(strstr(r->out, "16384x6144 at 16384,-6144"));
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(no_echo)
{
    struct run *r = run_start("--deadline 1");
    struct peer *p = guest_new(r, 8, 8);

    guest_create(p, 1, 5, 6, 64, 32);
    guest_send(p, GUI_MAP, 1, WORDS(0, 0));
    ck_assert(run_logged(r, "window 0x1: no CONFIGURE in answer to one within 1 s"));
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(endless_argument)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);

    guest_create(p, 1, 5, 6, 64, 32);
    guest_send(p, GUI_MAP, 1, WORDS(0, 0));
    guest_get(p, GUI_CONFIGURE, 1);
    guest_get_focus(p, 1);
    for (int i = 0; i < 100; i++) {
        configure(p, 5, 6, 64, 32);
        guest_get(p, GUI_CONFIGURE, 1);
    }
    ck_assert(run_logged(r, "answers a CONFIGURE with another geometry again and again"));
    ck_assert_int_eq(run_count(r, "VIOLATION"), 1);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

/* ---- what the user sees ---- */

START_TEST(only_what_is_painted_is_seen)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    const char *file;

    guest_window(r, p, 1, 64, 32, 5);
    guest_painted(r, "1");
    file = guest_pages(r, 5, 2);
    guest_pixel(file, 64, 0, 0, 0xff112233);
    guest_pixel(file, 64, 63, 31, 0x445566);
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(60, 30, 4, 2));
    guest_quiet(p, r, 1);                                       /* also: another dump does not paint */
    ck_assert_uint_eq(seen_pixel(r, "1", 63, 31), 0x445566);
    ck_assert_uint_eq(seen_pixel(r, "1", 0, 0), 0);
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0, 0, 64, 32));
    guest_quiet(p, r, 1);                                       /* that dump was 1 x 1: nothing else is painted */
    ck_assert_uint_eq(seen_pixel(r, "1", 63, 31), 0x445566);
    guest_dump(p, 1, 64, 32, 5, 2);
    guest_get(p, GUI_WINDOW_DUMP_ACK, 1);
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0, 0, 1000, 1000));
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0xffffffff, 0, 64, 32));
    guest_quiet(p, r, 1);
    ck_assert_uint_eq(seen_pixel(r, "1", 0, 0), 0x112233);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(a_resize_shows_the_old_image_in_white)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    const char *file;

    guest_window(r, p, 1, 64, 32, 5);
    guest_painted(r, "1");
    file = guest_pages(r, 5, 2);
    guest_pixel(file, 64, 0, 0, 0x0000ff);
    ck_assert_int_eq(run_command(r, "gui resize 1 100 50", NULL), 0);
    guest_echo(p, 1);
    ck_assert_uint_eq(seen_pixel(r, "1", 0, 0), 0x0000ff);
    ck_assert_uint_eq(seen_pixel(r, "1", 63, 31), 0);
    ck_assert_uint_eq(seen_pixel(r, "1", 64, 31), 0xffffff);
    ck_assert_uint_eq(seen_pixel(r, "1", 0, 49), 0xffffff);
    guest_pages(r, 20, 5);
    guest_dump(p, 1, 100, 50, 20, 5);
    guest_get(p, GUI_WINDOW_DUMP_ACK, 1);
    ck_assert_uint_eq(seen_pixel(r, "1", 0, 49), 0xffffff);     /* a dump does not paint */
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0, 0, 100, 50));
    guest_quiet(p, r, 1);
    ck_assert_uint_eq(seen_pixel(r, "1", 0, 49), 0);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

START_TEST(unmap_loses_the_image)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);

    guest_window(r, p, 1, 64, 32, 5);
    guest_send(p, GUI_UNMAP, 1, NULL, 0);
    guest_send(p, GUI_MAP, 1, WORDS(0, 0));
    guest_get_focus(p, 1);                              /* it is placed already */
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0, 0, 64, 32));
    guest_quiet(p, r, 1);
    ck_assert_uint_eq(seen_pixel(r, "1", 3, 3), 0xffffff);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 0);
}
END_TEST

/* Window 0 is the screen: who has no image shows that part of its. */
START_TEST(the_screen_shows_through)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    const char *file;

    guest_create(p, 0, 0, 0, 100, 100);
    file = guest_pages(r, 30, 10);
    guest_pixel(file, 100, 45, 47, 0xabcdef);
    guest_dump(p, 0, 100, 100, 30, 10);
    guest_get(p, GUI_WINDOW_DUMP_ACK, 0);
    guest_send(p, GUI_MAP, 0, WORDS(0, 0));
    guest_get(p, GUI_CONFIGURE, 0);                     /* placed; needs no echo */
    guest_get_focus(p, 0);
    configure(p, 0, 0, 1, 1);                           /* no window 1 yet */
    ck_assert(peer_closed(p, RUN_SECONDS));
    ck_assert(peer_accept(p, RUN_SECONDS));
    send_bytes(p, "08 00 01 00");
    ck_assert(peer_recv(p, (uint8_t[20]){ 0 }, 20, RUN_SECONDS));
    guest_create(p, 0, 0, 0, 100, 100);
    guest_dump(p, 0, 100, 100, 30, 10);
    guest_get(p, GUI_WINDOW_DUMP_ACK, 0);
    guest_send(p, GUI_UNMAP, 0, NULL, 0);               /* and keeps its image */
    guest_create(p, 1, 40, 40, 64, 70);
    guest_send(p, GUI_WINDOW_HINTS, 1, WORDS(1, 0, 0, 0, 0, 0, 0, 0, 0));
    guest_send(p, GUI_MAP, 1, WORDS(0, 0));
    guest_get_focus(p, 1);
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0, 0, 64, 70));
    guest_painted(r, "1");
    ck_assert_uint_eq(seen_pixel(r, "1", 5, 7), 0xabcdef);
    ck_assert_uint_eq(seen_pixel(r, "1", 59, 59), 0);
    ck_assert_uint_eq(seen_pixel(r, "1", 60, 59), 0xffffff);
    ck_assert_uint_eq(seen_pixel(r, "1", 59, 60), 0xffffff);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

START_TEST(pages_that_vanish)
{
    struct run *r = run_start("");
    struct peer *p = guest_new(r, 8, 8);
    const char *file;

    guest_window(r, p, 1, 64, 32, 5);
    guest_painted(r, "1");
    file = guest_pages(r, 5, 2);
    unlink(file);                                       /* as the guest does when it gives pages back: they are kept */
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0, 0, 64, 32));
    guest_pages(r, 6, 2);
    guest_dump(p, 1, 64, 32, 6, 2);
    guest_get(p, GUI_WINDOW_DUMP_ACK, 1);
    ck_assert_int_eq(run_count(r, "VIOLATION"), 0);
    ck_assert_int_eq(truncate(guest_pages(r, 6, 2), 100), 0);
    guest_send(p, GUI_SHMIMAGE, 1, WORDS(0, 0, 64, 32));
    ck_assert(run_logged(r, "pages that it told of are gone"));
    guest_quiet(p, r, 1);
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

/* Messages of all types with all kinds of values, most of them nonsense: whatever comes of them, dom0 lives. */
static uint32_t seed;

static uint32_t upto(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* Words of nonsense; as many as the type has, nearly always. */
static size_t nonsense(uint32_t type, uint32_t words[64])
{
    static const uint32_t numbers[] = { 0, 1, 2, 3, 8, 64, 0x7fffffff, 0x80000000, 0xffffffff, 16384, 6144, 98304, 4096, 99 };
    bool dump = type == GUI_WINDOW_DUMP, create = type == GUI_CREATE;
    struct gui_header h = { .type = type };

    for (h.len = 0; h.len <= 128 && gui_body(GUI_AGENT, &h) < 0; h.len += 4)
        ;
    for (size_t k = 0; k < 64; k++)
        words[k] = dump && k >= 4 ? 4 + (uint32_t)k : upto(3) ? numbers[upto(14)] : upto(200);
    if (dump && upto(100))
        words[0] = 0, words[1] = 1 + upto(32), words[2] = 1 + upto(32);
    if (create && upto(100))
        words[2] = 1 + upto(300), words[3] = 1 + upto(300);
    return h.len / 4 + (dump ? 1 + upto(2) : 0) + !upto(500);
}

START_TEST(garbage)
{
    struct run *r = run_start("--deadline 60 --log error");
    struct peer *p = guest_new(r, 8, 8);
    bool there[4] = { false };
    uint32_t words[64];

    seed = 1 + (uint32_t)_i;
    guest_pages(r, 8, 2);
    for (int i = 0, deaths = 0; i < 4000 && deaths < 12; i++) {
        uint32_t type = 124 + upto(26), window = upto(4);
        bool fits = gui_sends(GUI_AGENT, type) && type != GUI_MFNDUMP && there[window] == (type != GUI_CREATE);

        if (!fits && upto(500))
            continue;
        if (type == GUI_CREATE || type == GUI_DESTROY)
            there[window] = type == GUI_CREATE;
        if (guest_try(r, &p, type, window, words, nonsense(type, words) * 4))
            continue;
        deaths++;
        memset(there, 0, sizeof(there));
    }
    peer_close(p);
    p = guest_new(r, 8, 8);
    guest_window(r, p, 7, 64, 32, 8);
    guest_painted(r, "7");
    peer_close(p);
    ck_assert_int_eq(run_stop(r), 1);
}
END_TEST

TCase *case_gui(void)
{
    TCase *t = tcase_create("gui");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, golden_bytes);
    tcase_add_loop_test(t, versions, 0, 9);
    tcase_add_loop_test(t, acks_by_version, 0, 9);
    tcase_add_loop_test(t, what_ends_the_daemon, 0, FATALS);
    tcase_add_loop_test(t, what_its_user_is_asked_about, 0, 5);
    tcase_add_loop_test(t, bad_versions, 0, 2);
    tcase_add_loop_test(t, half_a_message, 0, 3);
    tcase_add_test(t, silent_from_the_start);
    tcase_add_loop_test(t, garbage, 0, 3);
    tcase_add_test(t, configure_handshake);
    tcase_add_test(t, no_echo);
    tcase_add_test(t, endless_argument);
    tcase_add_test(t, only_what_is_painted_is_seen);
    tcase_add_test(t, a_resize_shows_the_old_image_in_white);
    tcase_add_test(t, unmap_loses_the_image);
    tcase_add_test(t, the_screen_shows_through);
    tcase_add_test(t, pages_that_vanish);
    return t;
}
