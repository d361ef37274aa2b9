/* boot/elf.c - loads a static ELF file for x86-64 into the program's address space: System V ABI, chapters 4 and 5.
 *
 * The file is the image's own, but a wrong one must give one clear line: every offset is checked. Segments are mapped, not
 * copied (user.c reads them from the image as they are touched), so start-up costs nothing per page.
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
#define PIE_BASE 0x10000000ul           /* lowest place of a program that may lie anywhere */
#define PIE_PLACES 0x10000u             /* pages: chosen by chance */

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
    if (s->filesz > s->memsz || s->offset > elf->size || elf->size - s->offset < s->filesz)
        return "a segment is cut short";
    if (s->vaddr % PAGE != s->offset % PAGE || s->memsz > USER_STACK_TOP || s->vaddr > USER_STACK_TOP)
        return "a segment lies where it cannot";
    if ((s->flags & (FLAG_W | FLAG_X)) == (FLAG_W | FLAG_X))
        return "a segment is writable and executable";
    return NULL;
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

const char *elf_load(const struct bytes *elf, struct program *p)
{
    uint64_t base = 0, end = 0;
    struct elf_head h;
    const char *wrong = check_head(elf, &h);
    uint16_t place;

    if (wrong)
        return wrong;
    if (h.type == ELF_DYN) {
        random_bytes(&place, sizeof(place));
        base = PIE_BASE + place % PIE_PLACES * PAGE;
    }
    *p = (struct program){ .entry = base + h.entry, .phnum = h.phnum, .phent = h.phentsize };
    for (unsigned i = 0; i < h.phnum; i++) {
        struct elf_segment s = segment(elf, &h, i);

        if (s.type == SEGMENT_INTERP)
            return "it is linked dynamically: link it with -static";
        if (s.type != SEGMENT_LOAD || s.memsz == 0)
            continue;
        wrong = check_segment(elf, &s);
        if (!wrong)
            wrong = load_segment(elf, &s, base);
        if (wrong)
            return wrong;
        if (h.phoff >= s.offset && h.phoff - s.offset < s.filesz)
            p->phdr = base + s.vaddr + h.phoff - s.offset;
        end = MAX(end, base + s.vaddr + s.memsz);
    }
    if (!end)
        return "nothing of it is to be loaded";
    user_brk_start(end);
    return NULL;
}
