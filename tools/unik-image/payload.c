/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/payload.c - the payload, and the ELF file of kernel and payload. */
#include <errno.h>
#include <string.h>

#include "tools/unik-image/payload.h"

int payload_build(struct bytes *out, const struct bytes parts[IMAGE_PARTS])
{
    bytes_text(out, IMAGE_MAGIC);
    bytes_u32(out, IMAGE_VERSION);
    bytes_u32(out, IMAGE_PARTS);
    bytes_zeros(out, IMAGE_HEAD - 16);
    for (int i = 0; i < IMAGE_PARTS; i++) {
        if (parts[i].size == 0)
            continue;
        bytes_align(out, i == IMAGE_PROGRAM ? IMAGE_PAGE : 8);
        bytes_put_u32(out, 32 + 8 * (size_t)i, (uint32_t)out->size);
        bytes_put_u32(out, 36 + 8 * (size_t)i, (uint32_t)parts[i].size);
        bytes_add(out, parts[i].at, parts[i].size);
    }
    bytes_align(out, IMAGE_PAGE);
    if (out->bad)
        return -ENOMEM;
    if (out->size > IMAGE_SIZE_MAX)
        return -EFBIG;
    bytes_put_u64(out, 16, out->size);
    bytes_put_u64(out, 24, image_sum(out->at + IMAGE_SUMMED, out->size - IMAGE_SUMMED));
    return 0;
}

int payload_strip(struct bytes *out, const struct elf *program)
{
    Elf64_Ehdr head = program->head;

    head.e_shoff = 0;
    head.e_shnum = head.e_shstrndx = 0;
    bytes_add(out, program->at, elf_loaded_end(program));
    if (out->bad)
        return -ENOMEM;
    memcpy(out->at, &head, sizeof(head));
    return 0;
}

/* ---- kernel and payload as one file ---- */

static uint64_t page_up(uint64_t v) { return (v + IMAGE_PAGE - 1) & ~(uint64_t)(IMAGE_PAGE - 1); }

/* The page after everything that is loaded. */
static const char *end_of(const struct elf *kernel, uint64_t *vaddr, uint64_t *paddr)
{
    bool found = false;

    for (unsigned i = 0; i < kernel->n; i++) {
        const Elf64_Phdr *p = &kernel->segments[i];

        if (p->p_type != PT_LOAD)
            continue;
        if (p->p_memsz < p->p_filesz || p->p_vaddr + p->p_memsz < p->p_vaddr)
            return "a segment's size is nonsense";
        if (found && p->p_vaddr - p->p_paddr != *vaddr - *paddr)
            return "its segments are not moved by the same distance";
        if (!found || p->p_vaddr + p->p_memsz > *vaddr) {
            *paddr = p->p_paddr + p->p_memsz;
            *vaddr = p->p_vaddr + p->p_memsz;
        }
        found = true;
    }
    if (!found)
        return "nothing to load";
    *paddr += page_up(*vaddr) - *vaddr;
    *vaddr = page_up(*vaddr);
    return NULL;
}

/* Where in the new file the bytes of a note are: inside of a segment that holds them, or NULL. */
static const Elf64_Phdr *holder(const struct elf *kernel, const Elf64_Phdr *note, unsigned *which)
{
    for (unsigned i = 0; i < kernel->n; i++) {
        const Elf64_Phdr *p = &kernel->segments[i];

        if (p->p_type == PT_LOAD && note->p_offset >= p->p_offset &&
            note->p_offset + note->p_filesz <= p->p_offset + p->p_filesz) {
            *which = i;
            return p;
        }
    }
    return NULL;
}

const char *payload_attach(struct bytes *out, const struct elf *kernel, const struct bytes *payload)
{
    Elf64_Phdr segments[ELF_SEGMENTS_MAX + 1];
    uint64_t vaddr = 0, paddr = 0, moved[ELF_SEGMENTS_MAX] = { 0 };
    Elf64_Ehdr head = kernel->head;
    const char *wrong = end_of(kernel, &vaddr, &paddr);
    unsigned n = 0, at;

    if (wrong)
        return wrong;
    bytes_zeros(out, sizeof(head) + sizeof(segments));
    for (unsigned i = 0; i < kernel->n; i++) {      /* what is loaded, at offsets that agree with its addresses */
        const Elf64_Phdr *p = &kernel->segments[i];

        if (p->p_type != PT_LOAD)
            continue;
        bytes_align(out, IMAGE_PAGE);
        bytes_zeros(out, p->p_vaddr % IMAGE_PAGE);
        moved[i] = out->size;
        bytes_add(out, kernel->at + p->p_offset, p->p_filesz);
        segments[n] = *p;
        segments[n++].p_offset = moved[i];
    }
    for (unsigned i = 0; i < kernel->n; i++) {
        const Elf64_Phdr *p = &kernel->segments[i], *in;

        if (p->p_type != PT_NOTE)
            continue;
        segments[n] = *p;
        in = holder(kernel, p, &at);
        if (in)
            segments[n].p_offset = moved[at] + p->p_offset - in->p_offset;
        else {
            bytes_align(out, 4);
            segments[n].p_offset = out->size;
            bytes_add(out, kernel->at + p->p_offset, p->p_filesz);
        }
        n++;
    }
    bytes_align(out, IMAGE_PAGE);
    segments[n++] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = out->size, .p_vaddr = vaddr, .p_paddr = paddr,
                                  .p_filesz = payload->size, .p_memsz = payload->size, .p_align = IMAGE_PAGE };
    bytes_add(out, payload->at, payload->size);
    if (out->bad)
        return "out of memory";
    head.e_phoff = sizeof(head);
    head.e_phnum = (Elf64_Half)n;
    head.e_shoff = 0;
    head.e_shnum = head.e_shstrndx = head.e_shentsize = 0;
    memcpy(out->at, &head, sizeof(head));
    memcpy(out->at + sizeof(head), segments, n * sizeof(segments[0]));
    return NULL;
}

const char *payload_find(const struct elf *image, struct image_bytes *payload)
{
    for (unsigned i = 0; i < image->n; i++) {
        const Elf64_Phdr *p = &image->segments[i];

        if (p->p_type == PT_LOAD && p->p_filesz >= 8 && memcmp(image->at + p->p_offset, IMAGE_MAGIC, 8) == 0) {
            *payload = (struct image_bytes){ image->at + p->p_offset, p->p_filesz };
            return NULL;
        }
    }
    return "no payload in it: not made by unik-image";
}
