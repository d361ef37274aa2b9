/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/elf.c - segments, symbols and notes of an ELF file. */
#include <string.h>

#include "tools/unik-image/elf.h"

static bool inside(const struct elf *e, uint64_t offset, uint64_t n) { return offset <= e->size && n <= e->size - offset; }

const char *elf_read(struct elf *e, const void *bytes, size_t n)
{
    memset(e, 0, sizeof(*e));
    e->at = bytes;
    e->size = n;
    if (n < sizeof(e->head) || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return "not an ELF file";
    memcpy(&e->head, bytes, sizeof(e->head));
    if (e->head.e_ident[EI_CLASS] != ELFCLASS64 || e->head.e_ident[EI_DATA] != ELFDATA2LSB || e->head.e_machine != EM_X86_64)
        return "not for x86-64";
    if (e->head.e_phnum == 0 || e->head.e_phnum > ELF_SEGMENTS_MAX || e->head.e_phentsize != sizeof(Elf64_Phdr))
        return "no program headers, or too many";
    if (!inside(e, e->head.e_phoff, e->head.e_phnum * sizeof(Elf64_Phdr)))
        return "cut off";
    e->n = e->head.e_phnum;
    memcpy(e->segments, e->at + e->head.e_phoff, e->n * sizeof(Elf64_Phdr));
    for (unsigned i = 0; i < e->n; i++)
        if (!inside(e, e->segments[i].p_offset, e->segments[i].p_filesz))
            return "cut off";
    return NULL;
}

size_t elf_loaded_end(const struct elf *e)
{
    size_t end = e->head.e_phoff + e->n * sizeof(Elf64_Phdr);

    for (unsigned i = 0; i < e->n; i++)
        if (e->segments[i].p_type == PT_LOAD && e->segments[i].p_offset + e->segments[i].p_filesz > end)
            end = e->segments[i].p_offset + e->segments[i].p_filesz;
    return end;
}

/* ---- symbols ---- */

static bool section(const struct elf *e, unsigned i, Elf64_Shdr *s)
{
    if (i >= e->head.e_shnum || e->head.e_shentsize != sizeof(*s) || !inside(e, e->head.e_shoff, 0) ||
        !inside(e, e->head.e_shoff + i * sizeof(*s), sizeof(*s)))
        return false;
    memcpy(s, e->at + e->head.e_shoff + i * sizeof(*s), sizeof(*s));
    return s->sh_type == SHT_NOBITS || inside(e, s->sh_offset, s->sh_size);
}

static bool is_code(const struct elf *e, const Elf64_Sym *s)
{
    int type = ELF64_ST_TYPE(s->st_info);
    Elf64_Shdr home;

    return s->st_shndx != SHN_UNDEF && (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) &&
           section(e, s->st_shndx, &home) && (home.sh_flags & SHF_EXECINSTR);
}

void elf_each_code_symbol(const struct elf *e, void (*cb)(const struct elf_symbol *s, void *arg), void *arg)
{
    Elf64_Shdr table, text;

    for (unsigned i = 0; section(e, i, &table); i++) {
        if (table.sh_type != SHT_SYMTAB || !section(e, table.sh_link, &text) || text.sh_type != SHT_STRTAB ||
            text.sh_size == 0 || e->at[text.sh_offset + text.sh_size - 1] != 0)
            continue;
        for (uint64_t k = 0; k + sizeof(Elf64_Sym) <= table.sh_size; k += sizeof(Elf64_Sym)) {
            Elf64_Sym s;

            memcpy(&s, e->at + table.sh_offset + k, sizeof(s));
            if (s.st_name == 0 || s.st_name >= text.sh_size || !is_code(e, &s))
                continue;
            cb(&(struct elf_symbol){ s.st_value, s.st_size, (const char *)e->at + text.sh_offset + s.st_name,
                                     ELF64_ST_BIND(s.st_info) != STB_LOCAL, ELF64_ST_TYPE(s.st_info) != STT_NOTYPE }, arg);
        }
    }
}

/* ---- notes ---- */

static size_t round4(size_t n) { return (n + 3) & ~(size_t)3; }

static void notes_in(const uint8_t *at, size_t left,
                     void (*cb)(const char *owner, uint32_t type, const uint8_t *value, size_t n, void *arg), void *arg)
{
    Elf64_Nhdr h;

    while (left >= sizeof(h)) {
        memcpy(&h, at, sizeof(h));
        at += sizeof(h);
        left -= sizeof(h);
        if (h.n_namesz == 0 || h.n_namesz > left || at[h.n_namesz - 1] != 0 || round4(h.n_namesz) > left ||
            h.n_descsz > left - round4(h.n_namesz))
            return;
        cb((const char *)at, h.n_type, at + round4(h.n_namesz), h.n_descsz, arg);
        if (round4(h.n_namesz) + round4(h.n_descsz) > left)
            return;
        at += round4(h.n_namesz) + round4(h.n_descsz);
        left -= round4(h.n_namesz) + round4(h.n_descsz);
    }
}

void elf_each_note(const struct elf *e, void (*cb)(const char *owner, uint32_t type, const uint8_t *value, size_t n, void *arg),
                   void *arg)
{
    for (unsigned i = 0; i < e->n; i++)
        if (e->segments[i].p_type == PT_NOTE)
            notes_in(e->at + e->segments[i].p_offset, e->segments[i].p_filesz, cb, arg);
}
