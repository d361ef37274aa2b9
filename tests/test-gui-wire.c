/* SPDX-License-Identifier: BSD-2-Clause */
/* GUI messages: the bytes of a real daemon's session, both ways; every type's length; what the encoder must refuse because
 * the daemon would exit or stop to ask its user; what is refused from the daemon. */
#include <errno.h>
#include <stdlib.h>

#include "protocol/gui.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

#define V18 GUI_VERSION_OF(8)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint8_t want[600], got[600];

/* Recorded: a screen of 1001 x 700; window 1, 64 x 32 at 10, 20, with references 8 and 9; then resized. */
static const struct {
    enum gui_side from;
    struct gui_message m;
    const char *bytes, *rest;       /* rest: the open end, which the encoder leaves to its caller */
} golden[] = {
    { GUI_AGENT, { GUI_CREATE, 1, .u.create = { { 10, 20, 64, 32 }, 0, 0 } },
      "82 00 00 00 01 00 00 00 18 00 00 00 0a 00 00 00 14 00 00 00 40 00 00 00 20 00 00 00 *8", "" },
    { GUI_AGENT, { GUI_MAP, 1, .u.map = { 0, 0 } }, "84 00 00 00 01 00 00 00 08 00 00 00 *8", "" },
    { GUI_AGENT, { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 64, 32, 32, 2 } },
      "93 00 00 00 01 00 00 00 18 00 00 00 00 00 00 00 40 00 00 00 20 00 00 00 20 00 00 00", "08 00 00 00 09 00 00 00" },
    { GUI_AGENT, { GUI_SHMIMAGE, 1, .u.rect = { 0, 0, 64, 32 } },
      "88 00 00 00 01 00 00 00 10 00 00 00 *8 40 00 00 00 20 00 00 00", "" },
    { GUI_DAEMON, { GUI_WINDOW_DUMP_ACK, 1, .u = { .rect = { 0, 0, 0, 0 } } }, "95 00 00 00 01 00 00 00 00 00 00 00", "" },
    { GUI_DAEMON, { GUI_CONFIGURE, 1, .u.configure = { { 100, 120, 80, 40 }, 0 } },
      "86 00 00 00 01 00 00 00 14 00 00 00 64 00 00 00 78 00 00 00 50 00 00 00 28 00 00 00 00 00 00 00", "" },
    { GUI_AGENT, { GUI_CONFIGURE, 1, .u.configure = { { 100, 120, 80, 40 }, 0 } },
      "86 00 00 00 01 00 00 00 14 00 00 00 64 00 00 00 78 00 00 00 50 00 00 00 28 00 00 00 00 00 00 00", "" },
    { GUI_DAEMON, { GUI_KEYMAP_NOTIFY, 0, .u.keymap = { { 0 } } }, "8e 00 00 00 00 00 00 00 20 00 00 00 *32", "" },
    { GUI_DAEMON, { GUI_FOCUS, 1, .u.focus = { GUI_FOCUS_IN, 0, 3 } },
      "80 00 00 00 01 00 00 00 0c 00 00 00 09 00 00 00 00 00 00 00 03 00 00 00", "" },
    { GUI_DAEMON, { GUI_KEYPRESS, 1, .u.input = { GUI_KEY_DOWN, 3, 4, 0, 38 } },
      "7c 00 00 00 01 00 00 00 14 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00 00 00 00 00 26 00 00 00", "" },
    { GUI_DAEMON, { GUI_CLIPBOARD_REQ, 1, .u = { .rect = { 0, 0, 0, 0 } } }, "8b 00 00 00 01 00 00 00 00 00 00 00", "" },
    { GUI_AGENT, { GUI_CLIPBOARD_DATA, 1, .u.clipboard = { 5 } }, "8c 00 00 00 01 00 00 00 05 00 00 00", "'clip!'" },
    { GUI_DAEMON, { GUI_CLOSE, 1, .u = { .rect = { 0, 0, 0, 0 } } }, "89 00 00 00 01 00 00 00 00 00 00 00", "" },
    { GUI_AGENT, { GUI_DESTROY, 1, .u = { .rect = { 0, 0, 0, 0 } } }, "83 00 00 00 01 00 00 00 00 00 00 00", "" },
    { GUI_DAEMON, { GUI_DESTROY, 1, .u = { .rect = { 0, 0, 0, 0 } } }, "83 00 00 00 01 00 00 00 00 00 00 00", "" },
    /* From the tables of the protocol's document. */
    { GUI_AGENT, { GUI_CREATE, 7, .u.create = { { -5, -6, 1, 2 }, 3, 1 } },
      "82 00 00 00 07 00 00 00 18 00 00 00 fb ff ff ff fa ff ff ff 01 00 00 00 02 00 00 00 03 00 00 00 01 00 00 00", "" },
    { GUI_AGENT, { GUI_MAP, 2, .u.map = { 1, 1 } }, "84 00 00 00 02 00 00 00 08 00 00 00 01 00 00 00 01 00 00 00", "" },
    { GUI_AGENT, { GUI_UNMAP, 2, .u = { .rect = { 0, 0, 0, 0 } } }, "85 00 00 00 02 00 00 00 00 00 00 00", "" },
    { GUI_AGENT, { GUI_DOCK, 2, .u = { .rect = { 0, 0, 0, 0 } } }, "8f 00 00 00 02 00 00 00 00 00 00 00", "" },
    { GUI_AGENT, { GUI_WMNAME, 1, .u.name = { "a window" } }, "8d 00 00 00 01 00 00 00 80 00 00 00 'a window' *120", "" },
    { GUI_AGENT, { GUI_WMCLASS, 1, .u.wmclass = { "Cls", "nam" } },
      "92 00 00 00 01 00 00 00 80 00 00 00 'Cls' *61 'nam' *61", "" },
    { GUI_AGENT, { GUI_WINDOW_HINTS, 1, .u.hints = { GUI_HINT_MIN | GUI_HINT_MAX, 10, 20, 30, 40, 0, 0, 0, 0 } },
      "90 00 00 00 01 00 00 00 24 00 00 00 30 00 00 00 0a 00 00 00 14 00 00 00 1e 00 00 00 28 00 00 00 *16", "" },
    { GUI_AGENT, { GUI_WINDOW_FLAGS, 1, .u.flags = { GUI_FULLSCREEN, GUI_ATTENTION } },
      "91 00 00 00 01 00 00 00 08 00 00 00 01 00 00 00 02 00 00 00", "" },
    { GUI_DAEMON, { GUI_WINDOW_FLAGS, 1, .u.flags = { 0, GUI_MINIMISED } },
      "91 00 00 00 01 00 00 00 08 00 00 00 00 00 00 00 04 00 00 00", "" },
    { GUI_AGENT, { GUI_CURSOR, 1, .u.cursor = { 0x144 } }, "94 00 00 00 01 00 00 00 04 00 00 00 44 01 00 00", "" },
    { GUI_DAEMON, { GUI_BUTTON, 1, .u.input = { GUI_BUTTON_UP, -3, 4, 0x100, 1 } },
      "7d 00 00 00 01 00 00 00 14 00 00 00 05 00 00 00 fd ff ff ff 04 00 00 00 00 01 00 00 01 00 00 00", "" },
    { GUI_DAEMON, { GUI_MOTION, 1, .u.motion = { 5, 6, 1, 1 } },
      "7e 00 00 00 01 00 00 00 10 00 00 00 05 00 00 00 06 00 00 00 01 00 00 00 01 00 00 00", "" },
    { GUI_DAEMON, { GUI_CROSSING, 1, .u.crossing = { GUI_ENTER, 1, 2, 3, 0, 4, 1 } },
      "7f 00 00 00 01 00 00 00 1c 00 00 00 07 00 00 00 01 00 00 00 02 00 00 00 03 00 00 00 00 00 00 00 04 00 00 00 "
      "01 00 00 00", "" },
    { GUI_DAEMON, { GUI_CLIPBOARD_DATA, 1, .u.clipboard = { 2 } }, "8c 00 00 00 01 00 00 00 02 00 00 00", "'hi'" },
};

START_TEST(golden_messages)
{
    for (size_t i = 0; i < COUNT(golden); i++) {
        size_t n = bytes_of(golden[i].bytes, want, sizeof(want)), rest = bytes_of(golden[i].rest, got, sizeof(got));
        enum gui_side from = golden[i].from;
        struct gui_header h;
        struct gui_message m;

        memset(got, 0xee, sizeof(got));
        ck_assert_int_eq(gui_encode(got, sizeof(got), from, V18, &golden[i].m), (int)n);
        ck_assert_mem_eq(got, want, n);
        ck_assert_uint_eq(got[n], 0xee);
        ck_assert_int_eq(gui_encode(got, n, from, V18, &golden[i].m), (int)n);
        ck_assert_int_eq(gui_encode(got, n - 1, from, V18, &golden[i].m), -EINVAL);
        gui_decode_header(want, &h);
        ck_assert_uint_eq(h.len, n - GUI_HEADER + rest);
        ck_assert_int_eq(gui_body(from, &h), (int)n - GUI_HEADER);
        ck_assert_int_eq(gui_decode(from, &h, want + GUI_HEADER, &m), 0);
        ck_assert_mem_eq(&m, &golden[i].m, sizeof(m));
    }
}
END_TEST

START_TEST(the_start)
{
    static const struct gui_xconf screen = { 1008, 700, 24, 2757 };
    struct gui_xconf x;

    bytes_of("08 00 01 00", want, sizeof(want));
    gui_encode_version(got, V18);
    ck_assert_mem_eq(got, want, 4);
    ck_assert_uint_eq(gui_decode_version(want), V18);
    bytes_of("f0 03 00 00 bc 02 00 00 18 00 00 00 c5 0a 00 00", want, sizeof(want));
    gui_encode_xconf(got, &screen);
    ck_assert_mem_eq(got, want, 16);
    ck_assert_int_eq(gui_decode_xconf(want, &x), 0);
    ck_assert_mem_eq(&x, &screen, sizeof(x));
    want[0] = want[1] = 0;
    ck_assert_int_eq(gui_decode_xconf(want, &x), -ERANGE);
    want[3] = 0x80;
    ck_assert_int_eq(gui_decode_xconf(want, &x), -ERANGE);

    ck_assert_uint_eq(gui_version(GUI_VERSION_OF(8), GUI_VERSION_OF(9)), GUI_VERSION_OF(8));
    ck_assert_uint_eq(gui_version(GUI_VERSION_OF(8), GUI_VERSION_OF(0)), GUI_VERSION_OF(0));
    ck_assert_uint_eq(gui_version(GUI_VERSION_OF(8), 0x20000), 0);
    ck_assert_uint_eq(gui_version(GUI_VERSION_OF(8), 8), 0);
}
END_TEST

/* The body's length of each type, as the header of Qubes has them; 1: any number of bytes more, 4: of words. */
START_TEST(lengths)
{
    static const struct { uint32_t type; int agent, daemon; unsigned open; } rows[] = {
        { 124, -1, 20, 0 }, { 125, -1, 20, 0 }, { 126, -1, 16, 0 }, { 127, -1, 28, 0 }, { 128, -1, 12, 0 }, { 129, -1, -1, 0 },
        { 130, 24, -1, 0 }, { 131, 0, 0, 0 }, { 132, 8, 8, 0 }, { 133, 0, -1, 0 }, { 134, 20, 20, 0 }, { 135, 28, -1, 4 },
        { 136, 16, -1, 0 }, { 137, -1, 0, 0 }, { 138, -1, -1, 0 }, { 139, -1, 0, 0 }, { 140, 0, 0, 1 }, { 141, 128, -1, 0 },
        { 142, -1, 32, 0 }, { 143, 0, -1, 0 }, { 144, 36, -1, 0 }, { 145, 8, 8, 0 }, { 146, 128, -1, 0 }, { 147, 16, -1, 4 },
        { 148, 4, -1, 0 }, { 149, -1, 0, 0 }, { 150, -1, -1, 0 }, { 0, -1, -1, 0 }, { 123, -1, -1, 0 }, { UINT32_MAX, -1, -1, 0 },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        for (int side = GUI_AGENT; side <= GUI_DAEMON; side++) {
            int n = side == GUI_AGENT ? rows[i].agent : rows[i].daemon;

            ck_assert_int_eq(gui_sends((enum gui_side)side, rows[i].type), n >= 0);
            for (uint32_t len = 0; len < 600; len++) {
                struct gui_header h = { rows[i].type, 1, len };
                bool good = n >= 0 && (len == (uint32_t)n || (rows[i].open && len > (uint32_t)n &&
                                                              (len - (uint32_t)n) % rows[i].open == 0));

                ck_assert_int_eq(gui_body((enum gui_side)side, &h), good ? n : -EINVAL);
            }
        }
    ck_assert_int_eq(gui_body(GUI_AGENT, &(struct gui_header){ 147, 1, 16 + 4 * 98304 }), 16);
    ck_assert_int_eq(gui_body(GUI_AGENT, &(struct gui_header){ 147, 1, 16 + 4 * 98305 }), -EINVAL);
    ck_assert_int_eq(gui_body(GUI_AGENT, &(struct gui_header){ 147, 1, UINT32_MAX - 3 }), -EINVAL);
}
END_TEST

#define BIG 0x80000000u

static const struct { struct gui_message m; enum gui_verdict verdict; } judged[] = {
    { { GUI_CREATE, 1, .u.create = { { 0, 0, 1, 1 }, 0, 0 } }, GUI_GOOD },
    { { GUI_CREATE, 1, .u.create = { { -16384, 6144, 16384, 6144 }, 0, 1 } }, GUI_GOOD },
    { { GUI_CREATE, 1, .u.create = { { 0, 0, 0, 1 }, 0, 0 } }, GUI_KILLS },
    { { GUI_CREATE, 1, .u.create = { { 0, 0, 1, 0 }, 0, 0 } }, GUI_KILLS },
    { { GUI_CREATE, 1, .u.create = { { 0, 0, BIG, 1 }, 0, 0 } }, GUI_FREEZES },
    { { GUI_CREATE, 1, .u.create = { { 0, 0, 1, BIG }, 0, 0 } }, GUI_FREEZES },
    { { GUI_CREATE, 1, .u.create = { { 0, 0, 16385, 1 }, 0, 0 } }, GUI_ODD },
    { { GUI_CREATE, 1, .u.create = { { 16385, 0, 1, 1 }, 0, 0 } }, GUI_ODD },
    { { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, 1, 1 }, 0 } }, GUI_GOOD },
    { { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, 0, 1 }, 0 } }, GUI_FREEZES },
    { { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, 1, 0 }, 0 } }, GUI_FREEZES },
    { { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, BIG, 1 }, 0 } }, GUI_ODD },
    { { GUI_CONFIGURE, 1, .u.configure = { { 0, -6145, 1, 1 }, 0 } }, GUI_ODD },
    { { GUI_SHMIMAGE, 1, .u.rect = { 0, 0, 1, 1 } }, GUI_GOOD },
    { { GUI_SHMIMAGE, 1, .u.rect = { -1, 0, 1, 1 } }, GUI_ODD },
    { { GUI_SHMIMAGE, 1, .u.rect = { 0, 0, 0, 1 } }, GUI_ODD },
    { { GUI_SHMIMAGE, 1, .u.rect = { 0, 0, BIG, 1 } }, GUI_ODD },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 32, 32, 32, 1 } }, GUI_GOOD },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 32, 32, 99, 2 } }, GUI_GOOD },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 33, 32, 32, 1 } }, GUI_KILLS },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 1, 32, 32, 32, 1 } }, GUI_KILLS },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 0, 0, 32, 0 } }, GUI_KILLS },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 0, 1, 32, 1 } }, GUI_KILLS },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 16384, 6144, 32, 98304 } }, GUI_GOOD },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 16384, 6144, 32, 98305 } }, GUI_KILLS },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 16385, 1, 32, 98304 } }, GUI_KILLS },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 1, 6145, 32, 98304 } }, GUI_KILLS },
    { { GUI_WINDOW_DUMP, 1, .u.dump = { 0, 65536, 65536, 32, 1 } }, GUI_KILLS },
    { { GUI_MFNDUMP, 1, .u = { .rect = { 0, 0, 0, 0 } } }, GUI_KILLS },
    { { GUI_KEYPRESS, 1, .u.input = { GUI_KEY_DOWN, 3, 4, 0, 38 } }, GUI_KILLS },
    { { 150, 1, .u = { .rect = { 0, 0, 0, 0 } } }, GUI_KILLS },
    { { GUI_CLIPBOARD_DATA, 1, .u.clipboard = { 256001 } }, GUI_GOOD },
    { { GUI_CLIPBOARD_DATA, 1, .u.clipboard = { 256002 } }, GUI_KILLS },
    { { GUI_CLIPBOARD_DATA, 1, .u.clipboard = { UINT32_MAX } }, GUI_KILLS },
    { { GUI_WINDOW_FLAGS, 1, .u.flags = { 3, 4 } }, GUI_GOOD },
    { { GUI_WINDOW_FLAGS, 1, .u.flags = { 3, 2 } }, GUI_FREEZES },
    { { GUI_CURSOR, 1, .u.cursor = { 0 } }, GUI_GOOD },
    { { GUI_CURSOR, 1, .u.cursor = { 1 } }, GUI_FREEZES },
    { { GUI_CURSOR, 1, .u.cursor = { 0xff } }, GUI_FREEZES },
    { { GUI_CURSOR, 1, .u.cursor = { 0x100 } }, GUI_GOOD },
    { { GUI_CURSOR, 1, .u.cursor = { 0x199 } }, GUI_GOOD },
    { { GUI_CURSOR, 1, .u.cursor = { 0x19a } }, GUI_FREEZES },
    { { GUI_WINDOW_HINTS, 1, .u.hints = { GUI_HINT_MAX, 0, 0, 16384, 6144, 0, 0, 0, 0 } }, GUI_GOOD },
    { { GUI_WINDOW_HINTS, 1, .u.hints = { GUI_HINT_MAX, 0, 0, 0, 1, 0, 0, 0, 0 } }, GUI_ODD },
    { { GUI_WINDOW_HINTS, 1, .u.hints = { GUI_HINT_MAX, 0, 0, 1, 6145, 0, 0, 0, 0 } }, GUI_ODD },
    { { GUI_WINDOW_HINTS, 1, .u.hints = { 2, 0, 0, 0, 0, 0, 0, 0, 0 } }, GUI_ODD },
};

START_TEST(verdicts)
{
    for (size_t i = 0; i < COUNT(judged); i++) {
        int n = gui_encode(got, sizeof(got), GUI_AGENT, V18, &judged[i].m);

        ck_assert_int_eq(gui_judge(V18, &judged[i].m), judged[i].verdict);
        if (judged[i].verdict <= GUI_ODD)
            ck_assert_int_gt(n, 0);
        else
            ck_assert_int_eq(n, -EINVAL);
    }
}
END_TEST

START_TEST(texts_need_their_end)
{
    struct gui_message m = { GUI_WMNAME, 1, .u.name = { "" } };
    struct gui_header h = { GUI_WMNAME, 1, GUI_TITLE };

    memset(m.u.name.title, 'x', GUI_TITLE);
    ck_assert_int_eq(gui_encode(got, sizeof(got), GUI_AGENT, V18, &m), -EINVAL);
    m.u.name.title[5] = 0;
    ck_assert_int_eq(gui_encode(got, sizeof(got), GUI_AGENT, V18, &m), GUI_HEADER + GUI_TITLE);
    for (int i = 5; i < GUI_TITLE; i++)
        ck_assert_uint_eq(got[GUI_HEADER + i], 0);      /* what was behind the NUL stays here */
    m.type = GUI_WMCLASS;
    memset(&m.u, 0, sizeof(m.u));
    memset(m.u.wmclass.class_name, 'x', GUI_CLASS);
    ck_assert_int_eq(gui_encode(got, sizeof(got), GUI_AGENT, V18, &m), -EINVAL);
    m.u.wmclass.class_name[63] = 0;
    ck_assert_int_eq(gui_encode(got, sizeof(got), GUI_AGENT, V18, &m), GUI_HEADER + 128);
    memset(want, 'y', GUI_TITLE);
    ck_assert_int_eq(gui_decode(GUI_AGENT, &h, want, &m), 0);
    ck_assert_uint_eq(strlen(m.u.name.title), 127);
    h.type = GUI_WMCLASS;
    ck_assert_int_eq(gui_decode(GUI_AGENT, &h, want, &m), 0);
    ck_assert_uint_eq(strlen(m.u.wmclass.class_name), 63);
    ck_assert_uint_eq(strlen(m.u.wmclass.name), 63);
}
END_TEST

START_TEST(bad_values_from_the_daemon)
{
    static const struct gui_message bad[] = {
        { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, 0, 1 }, 0 } },
        { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, 1, 0 }, 0 } },
        { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, BIG, 1 }, 0 } },
        { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, 16385, 1 }, 0 } },
        { GUI_CONFIGURE, 1, .u.configure = { { 0, 0, 1, 6145 }, 0 } },
        { GUI_KEYPRESS, 1, .u.input = { 4, 3, 4, 0, 38 } },
        { GUI_KEYPRESS, 1, .u.input = { GUI_KEY_UP, 3, 4, 0, 256 } },
        { GUI_BUTTON, 1, .u.input = { 2, 3, 4, 0, 1 } },
        { GUI_BUTTON, 1, .u.input = { GUI_BUTTON_DOWN, 3, 4, 0, 0 } },
        { GUI_CROSSING, 1, .u.crossing = { 9, 1, 2, 3, 0, 4, 1 } },
        { GUI_FOCUS, 1, .u.focus = { 7, 0, 3 } },
        { GUI_WINDOW_FLAGS, 1, .u.flags = { 5, 4 } },
        { GUI_CLIPBOARD_DATA, 1, .u.clipboard = { 256001 } },
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct gui_header h;
        struct gui_message m;
        uint32_t words[9];

        ck_assert_int_eq(gui_encode(got, sizeof(got), GUI_DAEMON, V18, &bad[i]), -EINVAL);
        memcpy(words, &bad[i].u, sizeof(words));
        for (size_t k = 0; k < sizeof(words); k++)
            want[k] = (uint8_t)(words[k / 4] >> 8 * (k % 4));
        h = (struct gui_header){ bad[i].type, 1, 0 };
        while (h.len < 64 && gui_body(GUI_DAEMON, &h) < 0)
            h.len++;
        if (bad[i].type == GUI_CLIPBOARD_DATA)
            h.len = bad[i].u.clipboard.size;
        ck_assert_int_eq(gui_decode(GUI_DAEMON, &h, want, &m), -ERANGE);
        ck_assert_uint_eq(m.type, bad[i].type);
    }
}
END_TEST

START_TEST(clipboard_by_version)
{
    struct gui_message m = { GUI_CLIPBOARD_DATA, 9, .u.clipboard = { 65000 } };
    struct gui_header h;

    for (unsigned minor = 0; minor <= 8; minor++) {
        uint32_t max = minor < 8 ? 65000 : 256001, version = GUI_VERSION_OF(minor);

        ck_assert_uint_eq(gui_clipboard_max(version), max);
        m.u.clipboard.size = max;
        ck_assert_int_eq(gui_encode(got, sizeof(got), GUI_AGENT, version, &m), GUI_HEADER);
        gui_decode_header(got, &h);
        ck_assert_uint_eq(h.len, max);
        ck_assert_uint_eq(h.window, minor < 2 ? max : 9);
        m.u.clipboard.size++;
        ck_assert_int_eq(gui_encode(got, sizeof(got), GUI_AGENT, version, &m), -EINVAL);
        m.u.clipboard.size = 256000;
        ck_assert_int_eq(gui_encode(got, sizeof(got), GUI_DAEMON, version, &m), GUI_HEADER);
    }
}
END_TEST

START_TEST(references_and_pages)
{
    static const uint32_t refs[] = { 8, 9, 0x12345678 }, none[] = { 8, 0 };

    ck_assert_int_eq(gui_encode_refs(got, refs, 3), 0);
    ck_assert_uint_eq(bytes_of("08 00 00 00 09 00 00 00 78 56 34 12", want, sizeof(want)), 12);
    ck_assert_mem_eq(got, want, 12);
    ck_assert_uint_eq(gui_decode_ref(got + 8), 0x12345678);
    ck_assert_int_eq(gui_encode_refs(got, none, 2), -EINVAL);

    ck_assert_uint_eq(gui_pages(1, 1), 1);
    ck_assert_uint_eq(gui_pages(32, 32), 1);
    ck_assert_uint_eq(gui_pages(33, 32), 2);
    ck_assert_uint_eq(gui_pages(1920, 1080), 2025);
    ck_assert_uint_eq(gui_pages(16384, 6144), 98304);
    ck_assert_uint_eq(gui_pages(0, 1), 0);
    ck_assert_uint_eq(gui_pages(1, 6145), 0);
    ck_assert_uint_eq(gui_pages(BIG, 2), 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("wire");

    tcase_add_test(t, golden_messages);
    tcase_add_test(t, the_start);
    tcase_add_test(t, lengths);
    tcase_add_test(t, verdicts);
    tcase_add_test(t, texts_need_their_end);
    tcase_add_test(t, bad_values_from_the_daemon);
    tcase_add_test(t, clipboard_by_version);
    tcase_add_test(t, references_and_pages);
    return run_case("gui wire", t);
}
