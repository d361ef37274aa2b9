/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/elf.h - a 64-bit x86 ELF file in memory, with every offset checked before it is followed. */
#ifndef TOOLS_UNIK_IMAGE_ELF_H
#define TOOLS_UNIK_IMAGE_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS_MAX 32

struct elf {
    const uint8_t *at;
    size_t size;
    Elf64_Ehdr head;
    Elf64_Phdr segments[ELF_SEGMENTS_MAX];      /* each with its bytes inside of the file */
    unsigned n;
};

struct elf_symbol {
    uint64_t address, size;
    const char *name;
    bool global, function;
};

/* NULL, or what is wrong. The bytes stay the caller's, and must stay. */
const char *elf_read(struct elf *e, const void *bytes, size_t n);
/* Where the last loaded byte of the file is, plus one: what follows is for debuggers. */
size_t elf_loaded_end(const struct elf *e);
/* Calls for each symbol that is code; nothing if there are none, or if their table is broken. */
void elf_each_code_symbol(const struct elf *e, void (*cb)(const struct elf_symbol *s, void *arg), void *arg);
/* Calls for each note in PT_NOTE segments. */
void elf_each_note(const struct elf *e, void (*cb)(const char *owner, uint32_t type, const uint8_t *value, size_t n, void *arg),
                   void *arg);

#endif
