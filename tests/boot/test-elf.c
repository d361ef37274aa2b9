/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader: what may lie anywhere gets a place by chance, what may not lies where it says; a wrong file is refused in words, before
 * anything of it is loaded. */
#include "tests/boot/machine.h"
#include "tests/common/run.h"

enum { EXEC = 2, DYN = 3 };

static struct elf {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
    struct { uint32_t type, flags; uint64_t offset, vaddr, paddr, filesz, memsz, align; } segment[4];
    uint8_t content[3 * PAGE];
} file;

static const struct bytes whole = { (const uint8_t *)&file, sizeof(file) };

/* Head and code, and data with some zeros behind, as a linker makes it. */
static void make(unsigned type, uint64_t vaddr)
{
    file = (struct elf){
        .ident = "\177ELF\2\1\1", .type = (uint16_t)type, .machine = 62, .entry = vaddr + 0x800, .phoff = offsetof(struct elf, segment),
        .phentsize = sizeof(file.segment[0]), .phnum = 3,
        .segment = { { 1, 5, 0, vaddr, vaddr, 0x1100, 0x1100, PAGE }, { 1, 6, 0x1100, vaddr + 0x2100, 0, 0x800, 0x5000, PAGE },
                     { 0x6474e551, 6, 0, 0, 0, 0, 0, 16 } },
    };
    fake_maps_n = 0;
}

static void setup(void)
{
    boot.places_by_chance = false;
    boot.program_base = 77;
}

START_TEST(where_it_says)
{
    struct program p;

    make(EXEC, 0x400000);
    boot.places_by_chance = true;
    ck_assert_ptr_null(elf_load(&whole, &p));
    ck_assert_uint_eq(boot.program_base, 0);
    ck_assert(p.entry == 0x400800 && p.phdr == 0x400000 + offsetof(struct elf, segment) && p.phnum == 3 && p.phent == 56);
    ck_assert_uint_eq(fake_maps_n, 2);
    ck_assert(fake_maps[0].address == 0x400000 && fake_maps[0].length == 0x1100 && fake_maps[0].prot == (USER_READ | USER_EXEC));
    ck_assert(fake_maps[1].address == 0x402000 && fake_maps[1].length == 0x5100 && fake_maps[1].prot == (USER_READ | USER_WRITE));
    ck_assert_uint_eq(fake_maps[1].file, 0x900);
    ck_assert_uint_ge(fake_brk, 0x407100);
}
END_TEST

/* Each start another place, for all of it the same distance; off: always the same. */
START_TEST(anywhere)
{
    enum { N = 200 };
    uint64_t first = 0, bits = 0, brk_bits = 0, last_brk = 0;
    struct program p;

    make(DYN, 0);
    ck_assert_ptr_null(elf_load(&whole, &p));
    first = boot.program_base;
    ck_assert_uint_eq(p.entry, first + 0x800);
    make(DYN, 0);
    ck_assert_ptr_null(elf_load(&whole, &p));
    ck_assert_uint_eq(boot.program_base, first);
    boot.places_by_chance = true;
    for (int i = 0; i < N; i++) {
        make(DYN, 0);
        ck_assert_ptr_null(elf_load(&whole, &p));
        ck_assert_uint_eq(boot.program_base % PAGE, 0);
        ck_assert_uint_ge(boot.program_base, first);
        ck_assert_uint_lt(fake_brk, 0x6000000000);          /* below the places of mmap() */
        ck_assert_uint_eq(p.entry, boot.program_base + 0x800);
        ck_assert_uint_eq(p.phdr, boot.program_base + offsetof(struct elf, segment));
        ck_assert_uint_eq(fake_maps[1].address, fake_maps[0].address + 0x2000);
        ck_assert_uint_ge(fake_brk, boot.program_base + 0x7100);
        bits |= boot.program_base ^ first;
        brk_bits |= (fake_brk - boot.program_base) ^ last_brk;
        last_brk = fake_brk - boot.program_base;
    }
    ck_assert_int_ge(__builtin_popcountl(bits), 25);
    ck_assert_int_ge(__builtin_popcountl(brk_bits), 18);
}
END_TEST

START_TEST(aligned)
{
    struct program p;

    boot.places_by_chance = true;
    for (int i = 0; i < 50; i++) {
        make(DYN, 0);
        file.segment[0].align = file.segment[1].align = 2ul << 20;
        ck_assert_ptr_null(elf_load(&whole, &p));
        ck_assert_uint_eq(boot.program_base % (2ul << 20), 0);
    }
    make(DYN, 0x10000000);                      /* it may begin anywhere in its own numbers */
    ck_assert_ptr_null(elf_load(&whole, &p));
    ck_assert_uint_eq(p.entry, boot.program_base + 0x10000800);
}
END_TEST

static void no_entry(void) { file.entry = 0; }
static void entry_in_data(void) { file.entry += 0x2100; }
static void entry_behind(void) { file.entry = file.segment[0].vaddr + 0x1100; }
static void wrapping(void) { file.segment[1].vaddr = UINT64_MAX - 0xeff; }
static void too_high(void) { file.segment[1].vaddr = USER_STACK_TOP - 0x5000 + 0x100; }
static void too_long(void) { file.segment[1].memsz = USER_STACK_TOP; }
static void far_apart(void) { file.segment[1].vaddr += 5ul << 30; }
static void odd_align(void) { file.segment[0].align = 3 * PAGE; }
static void huge_align(void) { file.segment[0].align = 1ul << 40; }
static void cut_short(void) { file.segment[1].filesz = 0x5000; }
static void more_file(void) { file.segment[1].filesz = 0x5001; }
static void offset_wraps(void) { file.segment[1].offset = UINT64_MAX - 0xeff; }
static void writable_code(void) { file.segment[0].flags = 7; }
static void dynamic(void) { file.segment[2].type = 3; }
static void nothing(void) { file.segment[0].type = file.segment[1].type = 0; }
static void hidden_heads(void) { file.phoff = sizeof(file) - 3 * 56; }
static void many_heads(void) { file.phnum = 65; }
static void other_heads(void) { file.phentsize = 55; }
static void other_place(void) { file.segment[0].vaddr += 8; }
static void a_library(void) { file.type = 1; }

START_TEST(wrong)
{
    static const struct { void (*spoil)(void); bool anywhere_only; } rows[] = {
        { no_entry, true }, { entry_in_data, false }, { entry_behind, false }, { wrapping, false }, { too_high, false }, { too_long, false },
        { far_apart, true }, { odd_align, false }, { huge_align, false }, { cut_short, false }, { more_file, false },
        { offset_wraps, false }, { writable_code, false }, { dynamic, false }, { nothing, false }, { hidden_heads, true },
        { many_heads, false }, { other_heads, false }, { other_place, false }, { a_library, false },
    };
    struct program p;

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        for (unsigned type = rows[i].anywhere_only ? DYN : EXEC; type <= DYN; type++) {
            make(type, type == DYN ? 0 : 0x400000);
            rows[i].spoil();
            if (rows[i].spoil == no_entry)
                file.entry = 0x2200;
            if (rows[i].spoil == hidden_heads)
                memcpy((uint8_t *)&file + file.phoff, file.segment, sizeof(file.segment[0]) * 3);
            ck_assert_msg(elf_load(&whole, &p) != NULL, "row %zu, type %u", i, type);
            ck_assert_msg(fake_maps_n == 0, "row %zu: part of it was loaded", i);
            ck_assert_uint_eq(boot.program_base, 77);
        }
    for (size_t n = 0; n < offsetof(struct elf, content); n += 7) {
        const struct bytes part = { (const uint8_t *)&file, n };

        make(DYN, 0);
        ck_assert_ptr_nonnull(elf_load(&part, &p));
        ck_assert_uint_eq(fake_maps_n, 0);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("elf");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, where_it_says);
    tcase_add_test(t, anywhere);
    tcase_add_test(t, aligned);
    tcase_add_test(t, wrong);
    return run_case("boot: elf", t);
}
