/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/object-check.c - is this a whole shared object for this machine? The linker believes what stands in one: a file that was
 * cut short, or is being written, would kill the program with a signal. */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "supervisor/object.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#elif defined(__riscv)
#define MACHINE EM_RISCV
#else
#define MACHINE EM_386
#endif

static bool inside(uint64_t from, uint64_t n, size_t size) { return from <= size && n <= size - from; }

/* Of the file's segments: all of them are there, one of them is to be loaded, one tells the linker what to do. */
static int check_segments(const unsigned char *bytes, size_t size, const ElfW(Ehdr) *h, struct unik_text *why)
{
    bool load = false, dynamic = false;

    for (unsigned i = 0; i < h->e_phnum; i++) {
        ElfW(Phdr) p;

        memcpy(&p, bytes + h->e_phoff + i * sizeof(p), sizeof(p));
        if ((p.p_type == PT_LOAD || p.p_type == PT_DYNAMIC) && !inside(p.p_offset, p.p_filesz, size)) {
            unik_text_add(why, "cut short: %zu bytes, and a segment ends at %llu", size,
                          (unsigned long long)(p.p_offset + p.p_filesz));
            return -EINVAL;
        }
        load = load || (p.p_type == PT_LOAD && p.p_filesz <= p.p_memsz);
        dynamic = dynamic || (p.p_type == PT_DYNAMIC && p.p_filesz >= sizeof(ElfW(Dyn)));
    }
    if (!load || !dynamic) {
        unik_text_add(why, "not a shared object: nothing to load or to link");
        return -EINVAL;
    }
    return 0;
}

int object_check(const void *bytes, size_t size, struct unik_text *why)
{
    static const unsigned char magic[] = { 0x7f, 'E', 'L', 'F', sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32 };
    ElfW(Ehdr) h;

    if (size < sizeof(h) || memcmp(bytes, magic, sizeof(magic)) != 0) {
        unik_text_add(why, "not a shared object (%zu bytes)", size);
        return -EINVAL;
    }
    memcpy(&h, bytes, sizeof(h));
    if (h.e_type != ET_DYN || h.e_machine != MACHINE || h.e_phentsize != sizeof(ElfW(Phdr))) {
        unik_text_add(why, "not a shared object for this machine");
        return -EINVAL;
    }
    /* The table of sections is the last thing in a file; nothing here needs it, but without it the file is not whole. */
    if (!inside(h.e_phoff, (uint64_t)h.e_phnum * sizeof(ElfW(Phdr)), size) ||
        !inside(h.e_shoff, (uint64_t)h.e_shnum * h.e_shentsize, size)) {
        unik_text_add(why, "cut short: %zu bytes, and its tables lie behind that", size);
        return -EINVAL;
    }
    return check_segments(bytes, size, &h, why);
}
