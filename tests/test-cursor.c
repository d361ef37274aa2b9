/* SPDX-License-Identifier: BSD-2-Clause */
/* Readers and writers: little-endian, never past the end, bad once is bad for good. */
#include <stdlib.h>

#include "protocol/cursor.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

START_TEST(reads_little_endian)
{
    static const uint8_t bytes[] = { 0x01, 0x34, 0x12, 0x78, 0x56, 0x34, 0xf2, 'a', 'b' };
    struct reader r;

    reader_init(&r, bytes, sizeof(bytes));
    ck_assert_uint_eq(reader_u8(&r), 1);
    ck_assert_uint_eq(reader_u16(&r), 0x1234);
    ck_assert_uint_eq(reader_u32(&r), 0xf2345678);
    ck_assert(reader_ok(&r));
    ck_assert(!reader_done(&r));
    ck_assert_ptr_eq(reader_bytes(&r, 1), bytes + 7);
    reader_skip(&r, 1);
    ck_assert(reader_done(&r));
}
END_TEST

START_TEST(bad_for_good)
{
    static const uint8_t bytes[] = { 1, 2, 3, 0 };
    struct reader r;

    reader_init(&r, bytes, 3);
    ck_assert_uint_eq(reader_u32(&r), 0);
    ck_assert(!reader_ok(&r));
    ck_assert_uint_eq(reader_u8(&r), 0);
    ck_assert_uint_eq(reader_u16(&r), 0);
    ck_assert_ptr_null(reader_bytes(&r, 0));
    ck_assert_ptr_null(reader_string(&r, 1));
    ck_assert(!reader_done(&r));

    reader_init(&r, bytes, 1);
    ck_assert_uint_eq(reader_u16(&r), 0);
    ck_assert(!reader_ok(&r));
    reader_init(&r, bytes, 4);
    ck_assert_ptr_null(reader_bytes(&r, SIZE_MAX));
    ck_assert(!reader_ok(&r));
    reader_init(&r, bytes, 4);
    reader_skip(&r, 5);
    ck_assert(!reader_ok(&r));
    reader_init(&r, NULL, 0);
    ck_assert_ptr_nonnull(reader_bytes(&r, 0));
    ck_assert(reader_done(&r));
    reader_init(&r, NULL, 1);
    ck_assert_uint_eq(reader_u8(&r), 0);
    ck_assert(!reader_ok(&r));
}
END_TEST

START_TEST(strings_end_in_their_field)
{
    static const char bytes[] = "ab\0cd";
    struct reader r;

    reader_init(&r, bytes, 6);
    ck_assert_str_eq(reader_string(&r, 3), "ab");
    ck_assert_ptr_null(reader_string(&r, 2));       /* "cd": its NUL is outside */
    ck_assert(!reader_ok(&r));
    reader_init(&r, bytes, 6);
    ck_assert_str_eq(reader_string(&r, 5), "ab");
    ck_assert_str_eq(reader_string(&r, 1), "");
    ck_assert(reader_done(&r));
    reader_init(&r, bytes, 6);
    ck_assert_ptr_null(reader_string(&r, 0));
    reader_init(&r, bytes, 6);
    ck_assert_ptr_null(reader_string(&r, 7));
}
END_TEST

START_TEST(writes_little_endian)
{
    static const uint8_t want[] = { 0x01, 0x34, 0x12, 0x78, 0x56, 0x34, 0xf2, 'a', 'b', 0, 0, 'h', 'i', 0, 0 };
    uint8_t got[sizeof(want)];
    struct writer w;

    writer_init(&w, got, sizeof(got));
    writer_u8(&w, 1);
    writer_u16(&w, 0x1234);
    writer_u32(&w, 0xf2345678);
    writer_bytes(&w, "ab", 2);
    writer_zeros(&w, 2);
    writer_string(&w, "hi", 4);
    ck_assert_uint_eq(writer_done(&w), sizeof(want));
    ck_assert_mem_eq(got, want, sizeof(want));
    writer_u8(&w, 1);
    ck_assert_uint_eq(writer_done(&w), 0);
}
END_TEST

START_TEST(writes_never_past_the_end)
{
    uint8_t b[8];
    struct writer w;

    for (size_t size = 0; size < 6; size++) {
        memset(b, 0xee, sizeof(b));
        writer_init(&w, b, size);
        writer_u16(&w, 0xabcd);
        writer_u32(&w, 0x01020304);
        ck_assert_uint_eq(writer_done(&w), 0);
        writer_u8(&w, 1);           /* would fit where the u32 did not: too late */
        writer_bytes(&w, "x", 1);
        writer_zeros(&w, 1);
        ck_assert_uint_eq(writer_done(&w), 0);
        for (size_t i = size; i < sizeof(b); i++)
            ck_assert_uint_eq(b[i], 0xee);
    }
    memset(b, 0xee, sizeof(b));
    writer_init(&w, b, 6);
    writer_u16(&w, 0xabcd);
    writer_u32(&w, 0x01020304);
    ck_assert_uint_eq(writer_done(&w), 6);
    ck_assert_uint_eq(b[6], 0xee);
    writer_init(&w, b, sizeof(b));
    writer_string(&w, "abcd", 4);
    ck_assert_uint_eq(writer_done(&w), 0);
    writer_init(&w, b, sizeof(b));
    writer_string(&w, "abc", 4);
    ck_assert_uint_eq(writer_done(&w), 4);
    writer_bytes(&w, NULL, 0);
    writer_bytes(&w, "", SIZE_MAX);
    ck_assert_uint_eq(writer_done(&w), 0);
    writer_init(&w, NULL, 9);
    writer_u8(&w, 1);
    ck_assert_uint_eq(writer_done(&w), 0);
}
END_TEST

/* Random sequences of fields, in buffers that are sometimes too small. */
START_TEST(round_trip)
{
    uint32_t seed = 99;

    for (int i = 0; i < 5000; i++) {
        size_t size = random_below(&seed, 64), need = 0, fields = random_below(&seed, 12);
        uint8_t *b = malloc(size ? size : 1);
        uint32_t start = seed;
        struct writer w;
        struct reader r;

        writer_init(&w, b, size);
        for (size_t f = 0; f < fields; f++) {
            uint32_t kind = random_below(&seed, 4), v = random_next(&seed);

            if (kind == 0)
                writer_u8(&w, (uint8_t)v), need += 1;
            else if (kind == 1)
                writer_u16(&w, (uint16_t)v), need += 2;
            else if (kind == 2)
                writer_u32(&w, v), need += 4;
            else
                writer_string(&w, "word", 5 + v % 5), need += 5 + v % 5;
        }
        ck_assert_uint_eq(writer_done(&w), need <= size ? need : 0);
        seed = start;
        reader_init(&r, b, writer_done(&w));
        for (size_t f = 0; need <= size && f < fields; f++) {
            uint32_t kind = random_below(&seed, 4), v = random_next(&seed);

            if (kind == 0)
                ck_assert_uint_eq(reader_u8(&r), (uint8_t)v);
            else if (kind == 1)
                ck_assert_uint_eq(reader_u16(&r), (uint16_t)v);
            else if (kind == 2)
                ck_assert_uint_eq(reader_u32(&r), v);
            else
                ck_assert_str_eq(reader_string(&r, 5 + v % 5), "word");
        }
        ck_assert(reader_done(&r));
        free(b);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("cursor");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, reads_little_endian);
    tcase_add_test(t, bad_for_good);
    tcase_add_test(t, strings_end_in_their_field);
    tcase_add_test(t, writes_little_endian);
    tcase_add_test(t, writes_never_past_the_end);
    tcase_add_test(t, round_trip);
    return run_case("cursor", t);
}
