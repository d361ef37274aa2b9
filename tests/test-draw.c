/* SPDX-License-Identifier: BSD-2-Clause */
/* libunik-draw: clipping, characters, lines. Every buffer lies between canaries. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unik/draw.h>
#include "tests/common/run.h"

#define WIDTH 40
#define HEIGHT 30
#define PITCH 48
#define CANARY 0xdeadbeefu

static uint32_t memory[PITCH * (HEIGHT + 20)];
static const struct unik_gui_buffer buffer = { .pixels = memory + PITCH * 10 + 4, .width = WIDTH, .height = HEIGHT, .pitch = PITCH };
static struct unik_font *font;

static bool is_inside(size_t i)
{
    size_t from = PITCH * 10 + 4;

    return i >= from && (i - from) / PITCH < HEIGHT && (i - from) % PITCH < WIDTH;
}

static void clear(void)
{
    for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
        memory[i] = is_inside(i) ? 0 : CANARY;
}

static size_t drawn(void)
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++) {
        if (!is_inside(i))
            ck_assert_uint_eq(memory[i], CANARY);
        else
            n += memory[i] != 0;
    }
    return n;
}

static void begin(void)
{
    clear();
    ck_assert_int_eq(unik_font_open(16, &font), 0);
}

static void end(void)
{
    unik_font_close(font);
    font = NULL;
}

START_TEST(rectangles_are_clipped)
{
    static const struct { int x, y, w, h; size_t n; } rows[] = {
        { 0, 0, 40, 30, 1200 }, { 5, 5, 2, 3, 6 }, { -2, -2, 4, 4, 4 }, { 38, 28, 10, 10, 4 }, { 40, 0, 5, 5, 0 },
        { 0, 30, 5, 5, 0 }, { 3, 3, 0, 5, 0 }, { 3, 3, -5, 5, 0 }, { -2147483647 - 1, 0, 2147483647, 5, 0 },
        { -10, -10, 2147483647, 2147483647, 1200 }, { 2147483647, 2147483647, 2147483647, 2147483647, 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        clear();
        unik_draw_fill(&buffer, rows[i].x, rows[i].y, rows[i].w, rows[i].h, 0x123456);
        ck_assert_uint_eq(drawn(), rows[i].n);
    }
    clear();
    unik_draw_frame(&buffer, 1, 1, 10, 8, 2, 1);
    ck_assert_uint_eq(drawn(), 10 * 8 - 6 * 4);
}
END_TEST

START_TEST(text_has_its_shape_and_its_colour)
{
    uint32_t strongest = 0;

    ck_assert_int_eq(unik_draw_text(&buffer, font, 2, 2, 0x00ff8000, "I", 1), unik_font_width(font, "I", 1));
    ck_assert_uint_gt(drawn(), 10);
    ck_assert_uint_lt(drawn(), 100);
    for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
        if (is_inside(i) && memory[i] > strongest)
            strongest = memory[i];
    ck_assert_uint_eq(strongest, 0x00ff8000);
    clear();
    unik_draw_text(&buffer, font, 2, 2, 0xffffff, "   ", 3);
    ck_assert_uint_eq(drawn(), 0);
}
END_TEST

/* Lines that lie under each other do not cut each other. */
START_TEST(text_stays_in_its_line)
{
    static const char all[] = "_gjpqy|[]{}()@Q\xc3\x84\xc3\x9c";

    for (int height = 8; height <= 16; height++) {
        struct unik_font *f;

        clear();
        ck_assert_int_eq(unik_font_open(height, &f), 0);
        for (size_t i = 0; i + 1 < sizeof(all); i += (unsigned char)all[i] >= 0xc0 ? 2 : 1)
            unik_draw_text(&buffer, f, 5, 7, 0xffffff, all + i, (unsigned char)all[i] >= 0xc0 ? 2 : 1);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                if (buffer.pixels[y * PITCH + x])
                    ck_assert_msg(y >= 7 && y < 7 + height, "height %d: row %d", height, y - 7);
        unik_font_close(f);
    }
}
END_TEST

START_TEST(text_is_clipped_on_every_side)
{
    for (int y = -20; y < 40; y += 3)
        for (int x = -60; x < 60; x += 7)
            unik_draw_text(&buffer, font, x, y, 0xffffff, "Wg\xc3\xa4|", 5);
    ck_assert_uint_gt(drawn(), 0);
    unik_draw_text(&buffer, font, 2147483647, 0, 1, "W", 1);
    drawn();
}
END_TEST

START_TEST(more_characters_than_are_kept)
{
    char text[4];

    for (int round = 0; round < 2; round++)
        for (uint32_t code = 0x20; code < 0x900; code++) {
            size_t n = 0;

            if (code < 0x80) {
                text[n++] = (char)code;
            } else if (code < 0x800) {
                text[n++] = (char)(0xc0 | code >> 6);
                text[n++] = (char)(0x80 | (code & 63));
            } else {
                text[n++] = (char)(0xe0 | code >> 12);
                text[n++] = (char)(0x80 | (code >> 6 & 63));
                text[n++] = (char)(0x80 | (code & 63));
            }
            unik_draw_text(&buffer, font, 0, 0, 0xffffff, text, n);
        }
    drawn();
}
END_TEST

START_TEST(what_is_not_a_character_is_a_box)
{
    static const char *const rows[] = { "\xff", "\x80", "\xc3", "\xe2\x82", "\x01", "\x1b", "\xed\xa0\x80", "\xf4\x90\x80\x80" };
    uint32_t code;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        clear();
        unik_draw_text(&buffer, font, 2, 2, 0xffffff, rows[i], strlen(rows[i]));
        ck_assert_uint_gt(drawn(), 0);
    }
    ck_assert_uint_eq(unik_utf8_next("\xc3\xa4x", 3, &code), 2);
    ck_assert_uint_eq(code, 0xe4);
    ck_assert_uint_eq(unik_utf8_next("\xe2\x82\xac", 3, &code), 3);
    ck_assert_uint_eq(code, 0x20ac);
    ck_assert_uint_eq(unik_utf8_next("\xf0\x9f\x98\x80", 4, &code), 4);
    ck_assert_uint_eq(code, 0x1f600);
    ck_assert_uint_eq(unik_utf8_next("\xc0\x80", 2, &code), 1);
    ck_assert_uint_eq(code, 0xfffd);
    ck_assert_uint_eq(unik_utf8_last("a\xc3\xa4", 3), 2);
    ck_assert_uint_eq(unik_utf8_last("\xe2\x82\xac", 3), 3);
    ck_assert_uint_eq(unik_utf8_last("a", 1), 1);
    ck_assert_uint_eq(unik_utf8_last("a\x80", 2), 1);
}
END_TEST

START_TEST(lines_end_where_they_should)
{
    int em = unik_font_width(font, "M", 1);
    size_t next;

    ck_assert_uint_eq(unik_font_fit(font, "one two three", 13, 9 * em, &next), 7);
    ck_assert_uint_eq(next, 8);
    ck_assert_uint_eq(unik_font_fit(font, "one two", 7, 7 * em, &next), 7);
    ck_assert_uint_eq(next, 7);
    ck_assert_uint_eq(unik_font_fit(font, "one\ntwo", 7, 100 * em, &next), 3);
    ck_assert_uint_eq(next, 4);
    ck_assert_uint_eq(unik_font_fit(font, "abcdefgh", 8, 3 * em, &next), 3);
    ck_assert_uint_eq(next, 3);
    ck_assert_uint_eq(unik_font_fit(font, "abc", 3, 0, &next), 1);
    ck_assert_uint_eq(next, 1);
    ck_assert_uint_eq(unik_font_fit(font, "", 0, 10, &next), 0);
    ck_assert_uint_eq(next, 0);
    ck_assert_uint_eq(unik_font_fit(font, " x", 2, 0, &next), 0);
    ck_assert_uint_eq(next, 1);
}
END_TEST

START_TEST(sizes)
{
    struct unik_font *f;

    ck_assert_int_eq(unik_font_open(7, &f), -EINVAL);
    ck_assert_int_eq(unik_font_open(257, &f), -EINVAL);
    ck_assert_int_eq(unik_font_open(256, &f), 0);
    ck_assert_int_eq(f->height, 256);
    ck_assert_int_gt(f->ascent, 128);
    unik_draw_text(&buffer, f, -60, -100, 0xffffff, "W", 1);
    drawn();
    unik_font_close(f);
    unik_font_close(NULL);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("draw");

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, rectangles_are_clipped);
    tcase_add_test(t, text_has_its_shape_and_its_colour);
    tcase_add_test(t, text_stays_in_its_line);
    tcase_add_test(t, text_is_clipped_on_every_side);
    tcase_add_test(t, more_characters_than_are_kept);
    tcase_add_test(t, what_is_not_a_character_is_a_box);
    tcase_add_test(t, lines_end_where_they_should);
    tcase_add_test(t, sizes);
    return run_case("draw", t);
}
