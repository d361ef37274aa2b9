/* SPDX-License-Identifier: BSD-2-Clause */
/* The random generator: its primitives against the vectors of their documents, and that its output does not repeat. */
#include "boot/chacha20.h"
#include "tests/boot/machine.h"
#include "tests/common/bytes.h"
#include "tests/common/run.h"

static void ck_hash(const void *bytes, size_t n, size_t piece, const char *hex)
{
    uint8_t want[BLAKE2S_HASH], got[BLAKE2S_HASH];
    struct blake2s b;

    ck_assert_uint_eq(bytes_of(hex, want, sizeof(want)), sizeof(want));
    blake2s_init(&b);
    for (size_t at = 0; at < n; at += piece)
        blake2s_add(&b, (const uint8_t *)bytes + at, MIN(piece, n - at));
    blake2s_end(&b, got);
    ck_assert_mem_eq(got, want, sizeof(want));
}

/* RFC 7693, appendix B; the others from the reference implementation, as Python's hashlib.blake2s prints them. */
START_TEST(blake2s)
{
    uint8_t counting[255];

    for (size_t i = 0; i < sizeof(counting); i++)
        counting[i] = (uint8_t)i;
    ck_hash("abc", 3, 3, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
    ck_hash("", 0, 1, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
    for (size_t piece = 1; piece <= 130; piece += 43)
        ck_hash(counting, 255, piece, "f03f5789d3336b80d002d59fdf918bdb775b00956ed5528e86aa994acb38fe2d");
    ck_hash(counting, 64, 64, "56f34e8b96557e90c1f24b52d0c89d51086acf1b00f634cf1dde9233b8eaaa3e");
    ck_hash(counting, 128, 50, "1fa877de67259d19863a2a34bcc6962a2b25fcbf5cbecd7ede8f1fa36688a796");
}
END_TEST

/* RFC 8439, 2.3.2 */
START_TEST(chacha20)
{
    static const char want_hex[] = "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
                                   "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e";
    uint8_t key[32], want[64], got[64];
    uint32_t words[8];

    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    memcpy(words, key, sizeof(words));
    bytes_of(want_hex, want, sizeof(want));
    chacha20_block(got, words, 1, (const uint32_t[3]){ 0x09000000, 0x4a000000, 0 });
    ck_assert_mem_eq(got, want, sizeof(want));
}
END_TEST

START_TEST(generator)
{
    static uint8_t a[4096], b[4096];
    size_t counts[256] = { 0 };

    random_init();
    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    ck_assert_mem_ne(a, b, sizeof(a));
    for (size_t i = 0; i + 32 <= sizeof(a); i += 32)
        for (size_t k = i + 32; k + 32 <= sizeof(a); k += 32)
            ck_assert_mem_ne(a + i, a + k, 32);
    for (size_t i = 0; i < sizeof(a); i++)
        counts[a[i]]++;
    for (size_t i = 0; i < 256; i++)            /* 16 expected; 64 is 12 standard deviations away */
        ck_assert_uint_le(counts[i], 64);
    for (size_t n = 0; n < 200; n++) {          /* every length is filled, and no byte more */
        memset(a, 0, 256);
        random_bytes(a, n);
        for (size_t i = n; i < 256; i++)
            ck_assert_uint_eq(a[i], 0);
    }
    random_mix("seed", 4);
    random_bytes(a, 32);
    ck_assert_mem_ne(a, b, 32);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("random");

    tcase_add_test(t, blake2s);
    tcase_add_test(t, chacha20);
    tcase_add_test(t, generator);
    return run_case("boot: random", t);
}
