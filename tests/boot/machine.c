/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/boot/machine.h"

#include <stdio.h>
#include <stdlib.h>

uint8_t arena[ARENA] __attribute__((aligned(4096)));
uint64_t fake_now = 1000000000, fake_used, fake_wall = 1700000000ull * 1000000000;
size_t pages_out, pages_most = 100000;
char last_said[512];
struct boot boot;

size_t format_list(char *out, size_t size, const char *how, va_list list)
{
    int n = vsnprintf(out, size, how, list);

    return n < 0 ? 0 : MIN((size_t)n, size - 1);
}

void say(const char *how, ...)
{
    va_list list;

    va_start(list, how);
    format_list(last_said, sizeof(last_said), how, list);
    va_end(list);
}

void panic(const char *how, ...)
{
    va_list list;

    va_start(list, how);
    format_list(last_said, sizeof(last_said), how, list);
    va_end(list);
    fprintf(stderr, "panic: %s\n", last_said);
    abort();
}

/* ---- the command line, and dom0's seed ---- */

const char *fake_option, *fake_tmp;

const char *kernel_option(const char *key)
{
    return strcmp(key, "kernel.random=") == 0 ? fake_option : strcmp(key, "kernel.tmp=") == 0 ? fake_tmp : NULL;
}

size_t fake_seed;
unsigned seeds_taken;

size_t seed_take(uint8_t to[SEED_MAX])
{
    seeds_taken++;
    memset(to, 's', fake_seed);
    return fake_seed;
}

/* ---- pages ---- */

/* Reachable for ever, as a kernel's memory is: a file tree is never taken down. */
static void *all[100000];
static size_t all_n;

void *pages_alloc(size_t n)
{
    void *p = pages_out + n > pages_most || all_n == ARRAY_LENGTH(all) ? NULL : aligned_alloc(PAGE, n * PAGE);

    if (p) {
        all[all_n++] = p;
        memset(p, 0, n * PAGE);
        pages_out += n;
    }
    return p;
}

static struct spare_page { struct spare_page *next; } *spares;

void *page_alloc(void)
{
    struct spare_page *p = spares;

    if (!p)
        return pages_alloc(1);
    if (pages_out == pages_most)
        return NULL;
    spares = p->next;
    pages_out++;
    return memset(p, 0, PAGE);
}

void page_free(void *page)
{
    struct spare_page *p = page;

    p->next = spares;
    spares = p;
    pages_out--;
}

size_t pages_left(void) { return pages_most - pages_out; }
size_t pages_total(void) { return pages_most; }

/* ---- the program's memory ---- */

void *user_buffer(uint64_t address, size_t n, bool write)
{
    uint64_t start = user_at(0);

    (void)write;
    return address < start || n > ARENA || address - start > ARENA - n ? NULL : arena + (address - start);
}

int user_in(void *to, uint64_t from, size_t n)
{
    const void *p = n ? user_buffer(from, n, false) : arena;

    if (!p)
        return -EFAULT;
    memcpy(to, p, n);
    return 0;
}

int user_out(uint64_t to, const void *from, size_t n)
{
    void *p = n ? user_buffer(to, n, true) : arena;

    if (!p)
        return -EFAULT;
    memcpy(p, from, n);
    return 0;
}

int64_t user_string(char *to, uint64_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (user_in(to + i, from + i, 1) < 0)
            return -EFAULT;
        if (!to[i])
            return (int64_t)i;
    }
    return -ENAMETOOLONG;
}

struct fake_map fake_maps[16];
size_t fake_maps_n;
uint64_t fake_brk;

int64_t user_map(enum user_where where, uint64_t address, uint64_t length, unsigned prot, const struct user_backing *backing)
{
    if (where == USER_FIXED_NEW && fake_maps_n < ARRAY_LENGTH(fake_maps))
        fake_maps[fake_maps_n++] = (struct fake_map){ address, length, prot, backing ? backing->file.size : 0 };
    return (int64_t)address;
}

int user_unmap(uint64_t address, uint64_t length) { (void)address, (void)length; return 0; }
int user_protect(uint64_t address, uint64_t length, unsigned prot) { (void)address, (void)length, (void)prot; return 0; }
void user_brk_start(uint64_t address) { fake_brk = address; }

uint64_t user_put(size_t offset, const char *text)
{
    memcpy(arena + offset, text, strlen(text) + 1);
    return user_at(offset);
}

/* ---- time ---- */

uint64_t time_monotonic(void) { return fake_now; }
uint64_t time_wall(void) { return fake_wall; }
uint64_t time_used(void) { return fake_used; }
static uint64_t changes;
uint64_t time_wall_changes(void) { return changes; }

void time_set_wall(uint64_t ns)
{
    fake_wall = ns;
    changes++;
}

/* Nothing happens while the program waits: the clock jumps to the deadline. To wait for ever is a test's mistake. */
bool wait_until(uint64_t deadline)
{
    if (deadline == NEVER)
        panic("waits for ever");
    if (fake_now >= deadline)
        return false;
    fake_wall += deadline - fake_now;
    fake_now = deadline;
    return true;
}

void events_run(void) { }

/* ---- console ---- */

void console_write(const void *bytes, size_t n) { (void)bytes, (void)n; }
size_t console_read(void *bytes, size_t n) { (void)bytes, (void)n; return 0; }
bool console_readable(void) { return false; }
size_t console_unread(void) { return 0; }

/* ---- archives ---- */

static size_t put_entry(uint8_t *to, size_t at, const char *name, const uint32_t field[12], const void *content)
{
    char head[111];
    size_t n = strlen(name) + 1, used = 6;

    memcpy(head, "070701", 6);
    for (int i = 0; i < 11; i++)
        used += (size_t)snprintf(head + used, sizeof(head) - used, "%08x", field[i]);
    used += (size_t)snprintf(head + used, sizeof(head) - used, "%08x%08x", (unsigned)n, 0u);
    memcpy(to + at, head, used);
    memcpy(to + at + used, name, n);
    at += used + n;
    while (at % 4)
        to[at++] = 0;
    if (field[6])
        memcpy(to + at, content, field[6]);
    at += field[6];
    while (at % 4)
        to[at++] = 0;
    return at;
}

size_t cpio_put(uint8_t *to, size_t at, const char *name, uint32_t mode, const void *content, size_t n)
{
    return put_entry(to, at, name, (const uint32_t[12]){ (uint32_t)at, mode, 0, 0, 1, 1000, (uint32_t)n }, content);
}

size_t cpio_put_link(uint8_t *to, size_t at, const char *name, uint32_t ino, uint32_t nlink, const void *content, size_t n)
{
    return put_entry(to, at, name, (const uint32_t[12]){ ino, S_IFREG | 0644, 0, 0, nlink, 1000, (uint32_t)n }, content);
}
