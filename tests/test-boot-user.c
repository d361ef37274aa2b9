/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/test-boot-user.c - boot/user.c, paging.c and memory.c on a machine whose page tables nobody looks at: what is mapped
 * where, that contents stay with their page, and that no page is lost. */
#define find find_pages                         /* names that two of the files have */
#define base memory_base
#define left memory_left
#include "boot/memory.c"
#undef find
#undef base
#undef left
#include "boot/paging.c"
#include "boot/user.c"
#include <check.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/common/run.h"

#define PAGES 2048u
#define RW (USER_READ | USER_WRITE)

static uint8_t memory[PAGES * PAGE] __attribute__((aligned(4096)));

static uint64_t fake_frame(const void *p) { return ADDRESS(p) / PAGE; }
static void *fake_page(uint64_t number) { return (void *)(number * PAGE); }
static void fake_begin(void *table) { (void)table; }
static void fake_hook(uint64_t *entry, uint64_t value) { *entry = value; }
static void fake_leaf(uint64_t address, uint64_t *entry, uint64_t value) { (void)address; *entry = value; }
static void fake_flush(void) { }
static void fake_fs(uint64_t at) { (void)at; }

static const struct machine fake = {
    .frame = fake_frame, .page = fake_page, .table_begin = fake_begin, .table_hook = fake_hook, .leaf = fake_leaf,
    .leaf_flush = fake_flush, .set_fs = fake_fs,
};
const struct machine *machine = &fake;
struct machine_start machine_start;

void panic(const char *how, ...)
{
    fputs(how, stderr);
    abort();
}

static jmp_buf ended;
static uint64_t lacking;                        /* the address that could not be had */

void program_starved(uint64_t address)
{
    lacking = address;
    longjmp(ended, 1);
}

static void setup(void)
{
    memory_add(memory, PAGES);
    nr_areas = 0;
    user_map_below(USER_MAP_TOP);
    brk_start = brk_end = 0;
    aside = NULL;
    machine_start.user_root = page_alloc();
}

/* The page behind an address; NULL without. */
static uint64_t *behind(uint64_t address)
{
    const uint64_t *leaf = paging_leaf(address, false);

    return leaf && (*leaf & PTE_PRESENT) ? fake_page((*leaf & PTE_FRAME) / PAGE) : NULL;
}

/* Touches n pages and writes a number into each. */
static void fill(uint64_t at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!behind(at + i * PAGE))
            ck_assert_int_eq(user_fault(at + i * PAGE, USER_WRITE), 0);
        *behind(at + i * PAGE) = 1000 + i;
    }
}

static bool filled(uint64_t at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!behind(at + i * PAGE) || *behind(at + i * PAGE) != 1000 + i)
            return false;
    return true;
}

START_TEST(rights)
{
    uint64_t at = (uint64_t)user_map(USER_HINT, 0, 4 * PAGE, USER_READ, NULL);

    ck_assert_int_eq(user_map(USER_HINT, 0, PAGE, RW | USER_EXEC, NULL), -EACCES);
    ck_assert_int_eq(user_protect(at, PAGE, RW | USER_EXEC), -EACCES);
    ck_assert_int_eq(user_fault(at, USER_WRITE), -EFAULT);
    ck_assert_int_eq(user_fault(at, USER_EXEC), -EFAULT);
    ck_assert_int_eq(user_fault(at, USER_READ), 0);
    ck_assert_int_eq(user_fault(at + 4 * PAGE, USER_READ), -EFAULT);
    ck_assert_ptr_null(user_buffer(at, 4 * PAGE + 1, false));
    ck_assert_ptr_null(user_buffer(at, 1, true));
    ck_assert_ptr_nonnull(user_buffer(at, 4 * PAGE, false));
    ck_assert_ptr_null(user_buffer(UINT64_MAX - 10, 20, false));
    ck_assert_ptr_null(user_buffer(USER_STACK_TOP - 1, 2, false));
    ck_assert_ptr_null(user_buffer(0, 1, false));
    ck_assert_int_eq(user_set_fs(USER_STACK_TOP), -EPERM);
}
END_TEST

START_TEST(places)
{
    uint64_t at = (uint64_t)user_map(USER_HINT, 0, 4 * PAGE, RW, NULL);

    ck_assert_int_eq(user_map(USER_FIXED_NEW, at + PAGE, PAGE, RW, NULL), -EEXIST);
    ck_assert_int_eq(user_map(USER_FIXED, at + 1, PAGE, RW, NULL), -EINVAL);
    ck_assert_int_eq(user_map(USER_FIXED, USER_STACK_TOP, PAGE, RW, NULL), -ENOMEM);
    ck_assert_int_eq(user_map(USER_HINT, 0, UINT64_MAX, RW, NULL), -EINVAL);
    ck_assert_int_eq(user_map(USER_HINT, 0, (PAGES + 1) * PAGE, RW, NULL), -ENOMEM);
    ck_assert_int_ge(user_map(USER_HINT, 0, (PAGES + 1) * PAGE, RW | USER_LAZY, NULL), 0);
    fill(at, 4);
    ck_assert_int_eq(user_map(USER_FIXED, at + PAGE, PAGE, RW, NULL), (int64_t)at + (int64_t)PAGE);
    ck_assert_ptr_null(behind(at + PAGE));
    ck_assert(filled(at, 1) && behind(at + 2 * PAGE));
    ck_assert_int_eq(user_unmap(at + PAGE, PAGE), 0);
    ck_assert_int_eq(user_protect(at, 3 * PAGE, USER_READ), -ENOMEM);
}
END_TEST

START_TEST(below_a_place_of_chance)
{
    uint64_t top = USER_MAP_TOP - 12345 * PAGE, at;

    user_map_below(top);
    at = (uint64_t)user_map(USER_HINT, 0, 4 * PAGE, RW, NULL);
    ck_assert_uint_eq(at, top - 4 * PAGE);
    user_brk_start(0x500000);
    ck_assert_uint_eq(user_brk(top + 1), 0x500000);
}
END_TEST

START_TEST(contents_stay)
{
    uint64_t at = (uint64_t)user_map(USER_HINT, 0, 200 * PAGE, RW, NULL);
    int64_t to;

    fill(at, 200);
    ck_assert_int_eq(user_protect(at + 10 * PAGE, 50 * PAGE, 0), 0);
    ck_assert_ptr_null(behind(at + 20 * PAGE));
    ck_assert_int_eq(user_fault(at + 20 * PAGE, USER_READ), -EFAULT);
    ck_assert_int_eq(user_protect(at + 10 * PAGE, 50 * PAGE, RW), 0);
    ck_assert(filled(at, 200));
    ck_assert_int_ge(user_map(USER_FIXED_NEW, at + 200 * PAGE, PAGE, USER_READ, NULL), 0);     /* in the way */
    to = user_remap(at, 200 * PAGE, 300 * PAGE, true);
    ck_assert_int_gt(to, 0);
    ck_assert_uint_ne((uint64_t)to, at);
    ck_assert(filled((uint64_t)to, 200));
    ck_assert_ptr_null(behind(at));
    ck_assert_int_eq(user_forget((uint64_t)to, 100 * PAGE), 0);
    ck_assert_ptr_null(behind((uint64_t)to + 99 * PAGE));
    ck_assert_int_eq(user_fault((uint64_t)to, USER_READ), 0);
    ck_assert_uint_eq(*behind((uint64_t)to), 0);
}
END_TEST

START_TEST(nothing_is_lost)
{
    size_t left = 0;

    user_brk_start(0x500000);
    for (int round = 0; round < 20; round++) {
        uint64_t at = (uint64_t)user_map(USER_HINT, 0, 300 * PAGE, RW, NULL);

        fill(at, 300);
        ck_assert_int_eq(user_protect(at, 100 * PAGE, 0), 0);
        ck_assert_int_eq(user_unmap(at + 50 * PAGE, 100 * PAGE), 0);
        ck_assert_uint_eq(user_brk(0x500000 + 64 * PAGE), 0x500000 + 64 * PAGE);
        fill(0x500000, 64);
        ck_assert_uint_eq(user_brk(0x500000), 0x500000);
        ck_assert_int_eq(user_unmap(at, 300 * PAGE), 0);
        if (round == 0)
            left = pages_left();                /* tables stay */
    }
    ck_assert_uint_eq(pages_left(), left);
    ck_assert_uint_eq(nr_areas, 0);
}
END_TEST

START_TEST(files)
{
    static uint8_t file[3 * PAGE] __attribute__((aligned(4096)));
    struct user_backing b = {.file = {file, 2 * PAGE + 10}};
    uint64_t at;

    memset(file, 7, sizeof(file));
    at = (uint64_t)user_map(USER_HINT, 0, 4 * PAGE, USER_READ, &b);
    for (unsigned i = 0; i < 4; i++)
        if (!behind(at + i * PAGE))
            ck_assert_int_eq(user_fault(at + i * PAGE, USER_READ), 0);
    ck_assert_ptr_eq(behind(at), (uint64_t *)(void *)file);             /* in place */
    ck_assert_ptr_ne(behind(at + 2 * PAGE), (uint64_t *)(void *)(file + 2 * PAGE));
    ck_assert(((uint8_t *)behind(at + 2 * PAGE))[9] == 7 && ((uint8_t *)behind(at + 2 * PAGE))[10] == 0);
    ck_assert_uint_eq(*behind(at + 3 * PAGE), 0);
    ck_assert_int_eq(user_protect(at, PAGE, RW), 0);                    /* now it must be a copy */
    ck_assert_int_eq(user_fault(at, USER_WRITE), 0);
    ck_assert(behind(at) != (uint64_t *)(void *)file && *(uint8_t *)behind(at) == 7);
    ck_assert_int_eq(user_unmap(at, 4 * PAGE), 0);
}
END_TEST

/* What mprotect(PROT_NONE) hides goes along, and stays hidden. */
START_TEST(hidden_pages_move)
{
    const uint64_t at = 0x10000000;
    int64_t to;

    ck_assert_int_ge(user_map(USER_FIXED, at, 600 * PAGE, RW, NULL), 0);
    ck_assert_int_ge(user_map(USER_FIXED, at + 600 * PAGE, PAGE, USER_READ, NULL), 0);  /* in the way */
    fill(at, 600);
    ck_assert_int_eq(user_protect(at, 600 * PAGE, 0), 0);
    to = user_remap(at, 600 * PAGE, 700 * PAGE, true);
    ck_assert_int_gt(to, 0);
    ck_assert_ptr_null(behind((uint64_t)to));
    ck_assert_int_eq(user_fault((uint64_t)to, USER_READ), -EFAULT);
    ck_assert_int_eq(user_fault(at, USER_READ), -EFAULT);
    ck_assert_int_eq(user_protect((uint64_t)to, 700 * PAGE, USER_READ), 0);
    ck_assert(filled((uint64_t)to, 600));
    ck_assert_int_eq(user_fault((uint64_t)to, USER_WRITE), -EFAULT);
    ck_assert_int_ge(user_map(USER_FIXED, at, 600 * PAGE, RW, NULL), 0);        /* nothing of it is left */
    ck_assert_int_eq(user_protect(at, 600 * PAGE, USER_READ), 0);
    ck_assert_ptr_null(behind(at));
}
END_TEST

static void take_all_memory(void)
{
    while (page_alloc())
        ;
}

/* No memory for the tables that hiding or moving would need: refused, and all is as it was. */
START_TEST(refused_without_memory)
{
    const uint64_t at = 0x10000000;

    ck_assert_int_ge(user_map(USER_FIXED, at, 600 * PAGE, RW, NULL), 0);
    ck_assert_int_ge(user_map(USER_FIXED, at + 600 * PAGE, PAGE, USER_READ, NULL), 0);
    fill(at, 600);
    while (pages_left() > 3)                    /* enough for one table of two */
        page_alloc();
    ck_assert_int_eq(user_protect(at, 600 * PAGE, 0), -ENOMEM);
    ck_assert(filled(at, 600));
    ck_assert_ptr_nonnull(user_buffer(at, 600 * PAGE, true));
    take_all_memory();
    ck_assert_int_eq(user_remap(at, 600 * PAGE, 601 * PAGE, true), -ENOMEM);
    ck_assert(filled(at, 600));
    ck_assert_ptr_nonnull(user_buffer(at, 600 * PAGE, true));
    ck_assert_uint_eq(nr_areas, 2);
    ck_assert_int_eq(user_unmap(at, 600 * PAGE), 0);
    ck_assert_uint_ge(pages_left(), 600);
}
END_TEST

/* A change of several areas, the last of which refuses it. */
START_TEST(refused_in_the_middle)
{
    static const struct user_device device;
    const struct user_backing of_device = {.device = &device};
    const uint64_t at = 0x10000000;

    ck_assert_int_ge(user_map(USER_FIXED, at, 4 * PAGE, USER_READ, NULL), 0);
    ck_assert_int_ge(user_map(USER_FIXED, at + 4 * PAGE, 4 * PAGE, RW, &of_device), 0);
    ck_assert_int_eq(user_protect(at + PAGE, 7 * PAGE, RW), -EACCES);
    ck_assert_int_eq(user_fault(at + PAGE, USER_WRITE), -EFAULT);
    ck_assert_int_eq(user_protect(at + PAGE, 5 * PAGE, 0), -EACCES);
    ck_assert_int_eq(user_unmap(at + PAGE, 5 * PAGE), -EINVAL);
    ck_assert_int_eq(user_fault(at + PAGE, USER_READ), 0);
    ck_assert_uint_eq(nr_areas, 2);
    ck_assert_int_ge(user_map(USER_FIXED, at + 16 * PAGE, (PAGES / 2 + 8) * PAGE, USER_READ, NULL), 0);
    ck_assert_int_ge(user_map(USER_FIXED, at + (PAGES / 2 + 24) * PAGE, (PAGES / 2 + 8) * PAGE, USER_EXEC, NULL), 0);
    ck_assert_int_eq(user_protect(at + 16 * PAGE, (PAGES + 16) * PAGE, RW), -ENOMEM);    /* each alone could be had */
    ck_assert_int_eq(user_fault(at + 16 * PAGE, USER_WRITE), -EFAULT);
    ck_assert_uint_eq(nr_areas, 4);
}
END_TEST

START_TEST(refused_with_too_many_areas)
{
    const uint64_t at = 0x10000000;

    for (uint64_t i = 0; i < AREAS; i++)
        ck_assert_int_ge(user_map(USER_FIXED, at + i * 4 * PAGE, 3 * PAGE, RW, NULL), 0);
    ck_assert_uint_eq(nr_areas, AREAS);
    fill(at + 4 * PAGE, 3);
    ck_assert_int_eq(user_unmap(at + 5 * PAGE, PAGE), -ENOMEM);
    ck_assert_int_eq(user_protect(at + 5 * PAGE, PAGE, 0), -ENOMEM);
    ck_assert_int_eq(user_map(USER_FIXED, at + 5 * PAGE, PAGE, USER_READ, NULL), -ENOMEM);
    ck_assert_int_eq(user_remap(at + 4 * PAGE, PAGE, 2 * PAGE, true), -ENOMEM);
    ck_assert(filled(at + 4 * PAGE, 3));
    ck_assert_uint_eq(nr_areas, AREAS);
    ck_assert_int_ge(user_map(USER_FIXED, at + 4 * PAGE, 3 * PAGE, USER_READ, NULL), 0);        /* in place of one */
    ck_assert_int_eq(user_unmap(at + 4 * PAGE, 3 * PAGE), 0);
    ck_assert_int_ge(user_map(USER_HINT, 0, PAGE, RW, NULL), 0);
}
END_TEST

/* What is there already costs nothing when it may be written again; more than there is, is refused wherever it would go. */
START_TEST(what_memory_is_counted)
{
    const uint64_t at = 0x10000000;
    uint64_t n = PAGES * 3 / 4;

    ck_assert_int_ge(user_map(USER_FIXED, at, n * PAGE, RW, NULL), 0);
    fill(at, n);
    ck_assert_int_eq(user_protect(at, n * PAGE, 0), 0);
    ck_assert_int_eq(user_protect(at, n * PAGE, RW), 0);
    ck_assert(filled(at, n));
    ck_assert_int_eq(user_remap(at, n * PAGE, 2 * n * PAGE, true), -ENOMEM);
    ck_assert_int_ge(user_map(USER_FIXED, at, n * PAGE, RW, NULL), 0);
    ck_assert_ptr_null(behind(at));
}
END_TEST

/* The kernel cannot make a page present for the program: that is the program's end, not the kernel's. A report reads what is there. */
START_TEST(memory_ends_in_a_call)
{
    uint64_t at = (uint64_t)user_map(USER_HINT, 0, 2 * PAGES * PAGE, RW | USER_LAZY, NULL), word = 0;

    fill(at, 1);
    take_all_memory();
    if (setjmp(ended) == 0) {
        user_buffer(at, 2 * PAGES * PAGE, true);
        ck_abort_msg("a page out of nothing");
    }
    ck_assert_uint_eq(lacking, at + PAGE);
    ck_assert_int_eq(user_peek(&word, at + PAGE - 4, sizeof(word)), -EFAULT);
    ck_assert_int_eq(user_peek(&word, UINT64_MAX - 3, sizeof(word)), -EFAULT);
}
END_TEST

/* RAM in two pieces: what lies between is never given out. */
START_TEST(a_hole_in_memory)
{
    uint8_t *hole = memory + 300 * PAGE, *end = hole + 100 * PAGE, *page;
    size_t n = 0, all;

    memory_add(memory, PAGES);
    memory_hole(hole, 100);
    all = pages_left();
    ck_assert_uint_eq(all, PAGES - 1 - 100);    /* one for the bits */
    ck_assert_uint_eq(pages_total(), all);
    ck_assert_ptr_null(pages_alloc(PAGES - 400 + 1));
    while ((page = page_alloc())) {
        ck_assert(page < hole || page >= end);
        n++;
    }
    ck_assert_uint_eq(n, all);
    ck_assert_uint_eq(pages_left(), 0);
    page_free(end);
    ck_assert_ptr_eq(page_alloc(), end);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("boot-user");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, rights);
    tcase_add_test(t, places);
    tcase_add_test(t, below_a_place_of_chance);
    tcase_add_test(t, contents_stay);
    tcase_add_test(t, nothing_is_lost);
    tcase_add_test(t, a_hole_in_memory);
    tcase_add_test(t, files);
    tcase_add_test(t, hidden_pages_move);
    tcase_add_test(t, refused_without_memory);
    tcase_add_test(t, refused_in_the_middle);
    tcase_add_test(t, refused_with_too_many_areas);
    tcase_add_test(t, what_memory_is_counted);
    tcase_add_test(t, memory_ends_in_a_call);
    return run_case("boot-user", t);
}
