/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/describe.c - what is inside of an image. */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/image.h"
#include "tools/unik-image/describe.h"
#include "tools/unik-image/elf.h"
#include "tools/unik-image/files.h"
#include "tools/unik-image/payload.h"

/* The notes by which Xen knows what it may start: xen/include/public/elfnote.h. */
enum { NOTE_ENTRY = 1, NOTE_VIRT_BASE = 3, NOTE_PVH_ENTRY = 18 };

struct entries {
    uint64_t pv, pvh;
};

static void see_note(const char *owner, uint32_t type, const uint8_t *value, size_t n, void *arg)
{
    struct entries *e = arg;
    uint64_t v = 0;

    if (strcmp(owner, "Xen") != 0 || n > 8)
        return;
    memcpy(&v, value, n);
    if (type == NOTE_ENTRY)
        e->pv = v;
    else if (type == NOTE_PVH_ENTRY)
        e->pvh = v;
}

static void print_plain(FILE *to, const char *text, size_t n)     /* whatever the bytes are, nothing reaches a terminal but text */
{
    for (size_t i = 0; i < n; i++)
        fputc(text[i] == '\n' || (text[i] >= ' ' && text[i] < 127) ? text[i] : '?', to);
}

static void print_lines(FILE *to, const char *title, const struct image_bytes *text)
{
    const char *at = (const char *)text->at;
    size_t left = text->size ? text->size - 1 : 0;      /* without its NUL */

    if (left == 0)
        return;
    fprintf(to, "%s:\n", title);
    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        size_t n = end ? (size_t)(end - at) : left;

        fputs("  ", to);
        print_plain(to, at, n);
        fputc('\n', to);
        at += n + (end != NULL);
        left -= n + (end != NULL);
    }
}

static void print_file(const struct files_entry *e, void *arg)
{
    FILE *to = arg;

    if (S_ISDIR(e->mode))
        return;
    fprintf(to, "  %8zu  /", e->size);
    print_plain(to, e->name, strlen(e->name));
    if (S_ISLNK(e->mode)) {
        fputs(" -> ", to);
        print_plain(to, (const char *)e->bytes, e->size);
    }
    fputs(S_ISREG(e->mode) && (e->mode & 0111) ? " *\n" : "\n", to);
}

static const char *open_image(struct elf *e, struct image *image, const void *bytes, size_t n)
{
    const char *wrong = elf_read(e, bytes, n);
    struct image_bytes payload;

    if (!wrong)
        wrong = payload_find(e, &payload);
    return wrong ? wrong : image_read(image, payload.at, payload.size);
}

const char *describe_image(FILE *to, const void *bytes, size_t n)
{
    static const char *const titles[IMAGE_PARTS] = {
        [IMAGE_PROGRAM] = "program", [IMAGE_FILES] = "files", [IMAGE_COMMAND_LINE] = "command line",
        [IMAGE_PROGRAM_NAMES] = "names of the program's functions", [IMAGE_KERNEL_NAMES] = "names of the kernel's functions",
        [IMAGE_NOTES] = "notes"
    };
    struct entries entries = { 0 };
    uint64_t memory = 0;
    struct image image;
    const char *wrong;
    struct elf e;

    wrong = open_image(&e, &image, bytes, n);
    if (wrong)
        return wrong;
    elf_each_note(&e, see_note, &entries);
    for (unsigned i = 0; i < e.n; i++)
        if (e.segments[i].p_type == PT_LOAD)
            memory += e.segments[i].p_memsz;
    fprintf(to, "size: %zu bytes, %" PRIu64 " in memory\nboots as:%s%s\n", n, memory, entries.pv ? " PV" : "", entries.pvh ? " PVH" : "");
    fprintf(to, "parts:\n  %8zu  kernel\n", n - image.size);
    for (int i = 0; i < IMAGE_PARTS; i++)
        if (image.part[i].size)
            fprintf(to, "  %8zu  %s\n", image.part[i].size, titles[i]);
    print_lines(to, "made of", &image.part[IMAGE_NOTES]);
    print_lines(to, "command line", &image.part[IMAGE_COMMAND_LINE]);
    if (image.part[IMAGE_FILES].size == 0)
        return NULL;
    fputs("files:\n", to);
    return files_each(image.part[IMAGE_FILES].at, image.part[IMAGE_FILES].size, print_file, to);
}

struct wanted {
    const char *path;
    struct files_entry found;
};

static void look(const struct files_entry *e, void *arg)
{
    struct wanted *w = arg;

    if (strcmp(e->name, w->path) == 0 && S_ISREG(e->mode))
        w->found = *e;
}

const char *describe_file(FILE *to, const void *bytes, size_t n, const char *path)
{
    struct wanted w = { .path = path + (path[0] == '/') };
    struct image image;
    const char *wrong;
    struct elf e;

    wrong = open_image(&e, &image, bytes, n);
    if (!wrong)
        wrong = image.part[IMAGE_FILES].size ? files_each(image.part[IMAGE_FILES].at, image.part[IMAGE_FILES].size, look, &w) : NULL;
    if (wrong)
        return wrong;
    if (!w.found.name)
        return "no such file in it";
    fwrite(w.found.bytes, 1, w.found.size, to);
    return NULL;
}
