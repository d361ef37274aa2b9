/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the first key comes from, with a processor that is played: whichever source fails, the generator refuses to be
 * predictable, with one line. */
#define BOOT_X86_H              /* this is the processor, in place of boot/x86.h */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#define CPUID_RDRAND (1u << 30)
#define CPUID_RDSEED (1u << 18)

enum generator { ABSENT, GOOD, EMPTY, STUCK };
static enum generator seed_instruction, rand_instruction;
static uint64_t clock_now, clock_step, luck;
static bool clock_shakes;

static uint64_t next(void) { return luck = luck * 6364136223846793005u + 1442695040888963407u; }

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    (void)sub;
    memset(out, 0, 4 * sizeof(out[0]));
    if (leaf == 0)
        out[0] = 7;
    else if (leaf == 7 && seed_instruction)
        out[1] = CPUID_RDSEED;
    else if (leaf == 1 && rand_instruction)
        out[2] = CPUID_RDRAND;
}

static uint64_t rdtsc(void) { return clock_now += clock_step + (clock_shakes ? next() >> 60 : 0); }

static bool generate(enum generator g, uint64_t *v)
{
    *v = g == STUCK ? UINT64_MAX : next();
    return g != EMPTY;
}

static bool rdseed(uint64_t *v) { return generate(seed_instruction, v); }
static bool rdrand(uint64_t *v) { return generate(rand_instruction, v); }

#include "boot/random.c"
#include "tests/boot/machine.h"
#include "tests/common/run.h"

static void setup(void)
{
    seed_instruction = rand_instruction = ABSENT;
    clock_now = 1000;
    clock_step = 50;
    clock_shakes = false;
    luck = 1;
    fake_option = NULL;
    fake_seed = 0;
    seeds_taken = 0;
}

/* It starts, and gives the same as from the same machine: nothing else goes in; asked dom0 so often. */
static void ck_starts(unsigned asked)
{
    uint8_t a[32], b[32];
    uint64_t was = luck, then = clock_now;

    seeds_taken = 0;
    random_init();
    random_bytes(a, sizeof(a));
    ck_assert_uint_eq(seeds_taken, asked);
    luck = was;
    clock_now = then;
    random_init();
    random_bytes(b, sizeof(b));
    ck_assert_mem_eq(a, b, sizeof(a));
    fake_wall++;
    luck = was;
    clock_now = then;
    random_init();
    random_bytes(b, sizeof(b));
    ck_assert_mem_ne(a, b, sizeof(a));
}

/* The domain would end, with this line. */
static void ck_ends(const char *line) { ck_assert_str_eq(ends_with(random_init), line); }

static const char none[] = "no randomness: none from the processor (RDRAND), 0 of 256 bits from the jitter of its clock, and no "
                           "seed of 64 bytes in xenstore's data/random-seed";

START_TEST(processor)
{
    seed_instruction = GOOD;
    ck_starts(0);
    rand_instruction = GOOD;
    ck_starts(0);
    seed_instruction = ABSENT;
    ck_starts(0);
    seed_instruction = EMPTY;                   /* used up by other domains: the other instruction does */
    ck_starts(0);
    seed_instruction = STUCK;
    ck_starts(0);
}
END_TEST

START_TEST(jitter)
{
    clock_shakes = true;
    ck_starts(0);
    rand_instruction = STUCK;                   /* as some processors after a sleep: all ones */
    ck_starts(0);
    rand_instruction = EMPTY;
    ck_starts(0);
}
END_TEST

START_TEST(dom0)
{
    ck_ends(none);
    clock_step = 0;                             /* a clock that stands still */
    ck_ends(none);
    seed_instruction = STUCK;
    rand_instruction = EMPTY;
    ck_ends(none);
    fake_seed = SEED_MIN - 1;
    ck_ends(none);
    fake_seed = SEED_MIN;
    ck_starts(1);
    fake_seed = SEED_MAX;
    ck_starts(1);
}
END_TEST

START_TEST(those_that_count)
{
    static const char *const bad[] = { "", "processor,", ",seed", "Seed", "processor;jitter", "seeds", "none" };

    seed_instruction = GOOD;
    clock_shakes = true;
    fake_seed = SEED_MIN;
    fake_option = "jitter -- processor";
    ck_starts(0);
    fake_option = "processor,seed";
    ck_starts(0);
    fake_option = "seed";
    ck_starts(1);
    fake_seed = 0;
    ck_ends(none);
    fake_option = "processor";
    clock_shakes = false;
    ck_starts(0);
    fake_option = "jitter";
    ck_ends(none);
    fake_seed = SEED_MIN;                       /* there, and not asked for */
    ck_ends(none);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        fake_option = bad[i];
        ck_ends("bad command line: kernel.random is a list of processor, jitter, seed");
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("seeding");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, processor);
    tcase_add_test(t, jitter);
    tcase_add_test(t, dom0);
    tcase_add_test(t, those_that_count);
    return run_case("boot: seeding", t);
}
