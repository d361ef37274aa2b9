/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/elf.c - loads a static ELF file for x86-64 into the program's address space: System V ABI, chapters 4 and 5.
 *
 * The file is the image's own, but a wrong one must give one clear line: every offset is checked, before anything is loaded.
 * Segments are mapped, not copied (user.c reads them from the image as they are touched), so start-up costs nothing per page.
 */
#include "boot/linux.h"

struct elf_head {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

enum { ELF_EXEC = 2, ELF_DYN = 3, MACHINE_X86_64 = 62 };
enum { SEGMENT_LOAD = 1, SEGMENT_INTERP = 3 };
enum { FLAG_X = 1, FLAG_W = 2, FLAG_R = 4 };

#define SEGMENTS_MAX 64u
#define ALIGN_MAX (1ul << 30)
/* A program that may lie anywhere: at one of so many places from there on, well below those of mmap(). */
#define PIE_BASE 0x1000000000ul
#define PIE_PLACES (1ul << 25)
#define PIE_MAX (4ul << 30)             /* bytes */
#define BRK_PLACES (1ul << 18)          /* pages between the program and what brk() gives */

static const char *check_head(const struct bytes *elf, struct elf_head *h)
{
    if (elf->size < sizeof(*h))
        return "it is cut short";
    memcpy(h, elf->at, sizeof(*h));
    if (memcmp(h->ident, "\177ELF\2\1\1", 7) != 0 || h->machine != MACHINE_X86_64)
        return "it is no ELF file for x86-64";
    if (h->type != ELF_EXEC && h->type != ELF_DYN)
        return "it is no program";
    if (h->phentsize != sizeof(struct elf_segment) || h->phnum == 0 || h->phnum > SEGMENTS_MAX)
        return "its program headers are not as they should be";
    if (h->phoff > elf->size || elf->size - h->phoff < h->phnum * sizeof(struct elf_segment))
        return "it is cut short";
    return NULL;
}

static struct elf_segment segment(const struct bytes *elf, const struct elf_head *h, unsigned i)
{
    struct elf_segment s;

    memcpy(&s, elf->at + h->phoff + i * sizeof(s), sizeof(s));
    return s;
}

static const char *check_segment(const struct bytes *elf, const struct elf_segment *s)
{
    uint64_t align = s->align ? s->align : 1;

    if (s->filesz > s->memsz || s->offset > elf->size || elf->size - s->offset < s->filesz)
        return "a segment is cut short";
    if (s->vaddr % PAGE != s->offset % PAGE || s->memsz > USER_STACK_TOP || s->vaddr > USER_STACK_TOP - s->memsz)
        return "a segment lies where it cannot";
    if (align > ALIGN_MAX || (align & (align - 1)))
        return "a segment wants an odd place";
    if ((s->flags & (FLAG_W | FLAG_X)) == (FLAG_W | FLAG_X))
        return "a segment is writable and executable";
    return NULL;
}

/* Does [at, at + n) of memory come from the file with this segment? */
static bool holds(const struct elf_segment *s, uint64_t at, uint64_t n)
{
    return at >= s->vaddr && at - s->vaddr <= s->filesz && n <= s->filesz - (at - s->vaddr);
}

/* What all of its segments are together, none of them loaded yet. */
struct extent {
    uint64_t start, end, align;
    uint64_t phdr;                      /* where the program headers are in memory; 0: they are not */
    bool code;                          /* its first instruction lies in a segment of code */
};

static const char *look(const struct bytes *elf, const struct elf_head *h, struct extent *x)
{
    *x = (struct extent){ .start = UINT64_MAX, .align = PAGE };
    for (unsigned i = 0; i < h->phnum; i++) {
        struct elf_segment s = segment(elf, h, i);
        const char *wrong;

        if (s.type == SEGMENT_INTERP)
            return "it is linked dynamically: link it with -static or -static-pie";
        if (s.type != SEGMENT_LOAD || s.memsz == 0)
            continue;
        wrong = check_segment(elf, &s);
        if (wrong)
            return wrong;
        x->start = MIN(x->start, PAGE_DOWN(s.vaddr));
        x->end = MAX(x->end, s.vaddr + s.memsz);
        x->align = MAX(x->align, s.align);
        x->code = x->code || ((s.flags & FLAG_X) && holds(&s, h->entry, 1));
        if (h->phoff >= s.offset && holds(&s, s.vaddr + (h->phoff - s.offset), h->phnum * sizeof(s)))
            x->phdr = s.vaddr + (h->phoff - s.offset);
    }
    if (!x->end)
        return "nothing of it is to be loaded";
    if (!x->code)
        return "its first instruction is not in its code";
    if (h->type == ELF_DYN && !x->phdr)
        return "its program headers are not in its memory: it could not place itself";
    return h->type == ELF_DYN && x->end - x->start > PIE_MAX ? "it is too large" : NULL;
}

static unsigned prot_of(uint32_t flags)
{
    return (flags & FLAG_R ? USER_READ : 0u) | (flags & FLAG_W ? USER_WRITE : 0u) | (flags & FLAG_X ? USER_EXEC : 0u);
}

/* The pages it touches; what of the file lies in them before the segment comes with it, as on Linux. */
static const char *load_segment(const struct bytes *elf, const struct elf_segment *s, uint64_t base)
{
    uint64_t before = s->vaddr % PAGE;
    struct user_backing backing = { .file = { elf->at + s->offset - before, s->filesz ? s->filesz + before : 0 } };
    int64_t e = user_map(USER_FIXED_NEW, base + s->vaddr - before, s->memsz + before, prot_of(s->flags), &backing);

    return e == -EEXIST ? "two segments share a page" : e == -ENOMEM ? "there is too little memory for it" :
           e < 0 ? "a segment lies where it cannot" : NULL;
}

/* What is added to its addresses. One that may lie anywhere moves its own pointers when it starts. */
static uint64_t place(const struct elf_head *h, const struct extent *x)
{
    uint64_t at = PIE_BASE + random_place(PIE_PLACES);

    return h->type == ELF_DYN ? ((at + x->align - 1) & ~(x->align - 1)) - (x->start & ~(x->align - 1)) : 0;
}

const char *elf_load(const struct bytes *elf, struct program *p)
{
    struct elf_head h;
    struct extent x;
    const char *wrong = check_head(elf, &h);
    uint64_t base;

    if (!wrong)
        wrong = look(elf, &h, &x);
    if (wrong)
        return wrong;
    base = place(&h, &x);
    for (unsigned i = 0; i < h.phnum; i++) {
        struct elf_segment s = segment(elf, &h, i);

        if (s.type == SEGMENT_LOAD && s.memsz && (wrong = load_segment(elf, &s, base)))
            return wrong;
    }
    *p = (struct program){
        .entry = base + h.entry, .phdr = x.phdr ? base + x.phdr : 0, .phnum = h.phnum, .phent = h.phentsize,
    };
    boot.program_base = base;
    user_brk_start(base + x.end + random_place(BRK_PLACES));
    return NULL;
}
