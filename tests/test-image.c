/* SPDX-License-Identifier: BSD-2-Clause */
/* Images: payloads and what is wrong with them, tables of names, the archive of files, and a file put together of all. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/image.h"
#include "tests/common/run.h"
#include "tools/unik-image/describe.h"
#include "tools/unik-image/files.h"
#include "tools/unik-image/names.h"
#include "tools/unik-image/payload.h"

static void text_part(struct bytes *b, const char *s) { bytes_add(b, s, strlen(s) + 1); }

/* A payload of a program of 5000 bytes, a command line and notes. */
static struct bytes a_payload(void)
{
    struct bytes parts[IMAGE_PARTS] = { 0 }, out = { 0 };

    for (int i = 0; i < 5000; i++)
        bytes_add(&parts[IMAGE_PROGRAM], &(char){ (char)i }, 1);
    text_part(&parts[IMAGE_COMMAND_LINE], "-o a.b=c");
    text_part(&parts[IMAGE_NOTES], "made by hand\n");
    ck_assert_int_eq(payload_build(&out, parts), 0);
    for (int i = 0; i < IMAGE_PARTS; i++)
        bytes_free(&parts[i]);
    return out;
}

START_TEST(payload_there_and_back)
{
    struct bytes b = a_payload();
    struct image image;

    ck_assert_uint_eq(b.size, 3 * IMAGE_PAGE);
    ck_assert_ptr_null(image_read(&image, b.at, b.size));
    ck_assert_uint_eq(image.size, b.size);
    ck_assert_uint_eq(image.part[IMAGE_PROGRAM].size, 5000);
    ck_assert_uint_eq((size_t)(image.part[IMAGE_PROGRAM].at - b.at) % IMAGE_PAGE, 0);
    ck_assert_uint_eq(image.part[IMAGE_PROGRAM].at[4999], (uint8_t)4999);
    ck_assert_str_eq((const char *)image.part[IMAGE_COMMAND_LINE].at, "-o a.b=c");
    ck_assert_uint_eq(image.part[IMAGE_COMMAND_LINE].size, 9);
    ck_assert_str_eq((const char *)image.part[IMAGE_NOTES].at, "made by hand\n");
    ck_assert_uint_eq(image.part[IMAGE_FILES].size, 0);
    ck_assert_ptr_null(image_read(&image, b.at, b.size + 100));
    bytes_free(&b);
}
END_TEST

/* The head's first bytes and sum as boot/image.h has them: another program could write it. */
START_TEST(head_is_as_described)
{
    static const uint8_t head[16] = { 'u', 'n', 'i', 'k', '-', 'i', 'm', 'g', 1, 0, 0, 0, 6, 0, 0, 0 };
    static const uint8_t words[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 0xff };
    struct bytes b = a_payload();
    uint64_t sum = (0x756e696bu ^ 0x0807060504030201u) * 0x9e3779b97f4a7c15u;

    ck_assert_mem_eq(b.at, head, 16);
    sum ^= sum >> 32;
    ck_assert_uint_eq(image_sum(words, 8), sum);
    sum = (sum ^ 0xff) * 0x9e3779b97f4a7c15u;
    ck_assert_uint_eq(image_sum(words, 16), sum ^ sum >> 32);
    bytes_free(&b);
}
END_TEST

static void resum(struct bytes *b) { bytes_put_u64(b, 24, image_sum(b->at + IMAGE_SUMMED, b->size - IMAGE_SUMMED)); }

START_TEST(what_is_wrong_is_said)
{
    static const struct {
        size_t at;
        uint32_t value;
        const char *wrong;
    } cases[] = {
        { 0, 0, "no payload (was it made by unik-image, and is the file whole?)" },
        { 8, 2, "its payload has another version" },
        { 12, 7, "its payload has another number of parts" },
        { 16, 0, "its payload's size is nonsense" },
        { 16, 2 * IMAGE_PAGE + 8, "its payload's size is nonsense" },
        { 20, 1, "its payload's size is nonsense" },
        { 16, 5 * IMAGE_PAGE, "its payload is cut off" },
        { 32, 5 * IMAGE_PAGE, "a part lies outside of its payload" },
        { 32, 0, "a part lies outside of its payload" },
        { 36, UINT32_MAX, "a part lies outside of its payload" },
        { 32, IMAGE_PAGE + 8, "a part lies askew in its payload" },
        { 52, 8, "a text of its payload has no end" },
        { 36, 0, "its payload has no program" }
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes b = a_payload();
        struct image image;

        bytes_put_u32(&b, cases[i].at, cases[i].value);
        resum(&b);
        ck_assert_str_eq(image_read(&image, b.at, b.size), cases[i].wrong);
        bytes_free(&b);
    }
}
END_TEST

START_TEST(every_cut_and_every_flipped_byte_is_seen)
{
    struct bytes b = a_payload();
    struct image image;

    for (size_t n = 0; n < b.size; n += n < 200 ? 1 : 97)
        ck_assert_ptr_nonnull(image_read(&image, b.at, n));
    for (size_t i = 0; i < b.size; i += 3) {
        b.at[i] ^= 0x10;
        ck_assert_ptr_nonnull(image_read(&image, b.at, b.size));
        b.at[i] ^= 0x10;
    }
    ck_assert_ptr_null(image_read(&image, b.at, b.size));
    bytes_free(&b);
}
END_TEST

/* ---- names ---- */

static void name_entry(struct bytes *b, uint32_t offset, uint32_t name)
{
    bytes_u32(b, offset);
    bytes_u32(b, name);
}

START_TEST(names_are_found)
{
    struct bytes b = { 0 };
    struct image_bytes t;
    uint64_t d = 0;

    bytes_u64(&b, 0xffffffff80100000);
    bytes_u32(&b, 3);
    bytes_u32(&b, 0);
    name_entry(&b, 0x10, 1);
    name_entry(&b, 0x20, 7);
    name_entry(&b, 0x30, 0);        /* no function from here on */
    bytes_add(&b, "\0first\0second", 14);
    t = (struct image_bytes){ b.at, b.size };
    ck_assert_str_eq(image_name(&t, 0xffffffff80100010, &d), "first");
    ck_assert_uint_eq(d, 0);
    ck_assert_str_eq(image_name(&t, 0xffffffff8010002f, &d), "second");
    ck_assert_uint_eq(d, 15);
    ck_assert_ptr_null(image_name(&t, 0xffffffff8010000f, NULL));
    ck_assert_ptr_null(image_name(&t, 0xffffffff80100030, NULL));
    ck_assert_ptr_null(image_name(&t, 0xffffffff800fffff, NULL));
    ck_assert_ptr_null(image_name(&t, 0, NULL));
    ck_assert_ptr_null(image_name(&t, UINT64_MAX, NULL));
    for (size_t n = 0; n < b.size - 14 + 7; n++) {      /* cut off before the end of its name */
        t.size = n;
        ck_assert_ptr_null(image_name(&t, 0xffffffff80100010, NULL));
    }
    t.size = b.size;
    bytes_put_u32(&b, 20, 99);      /* a name that is not there */
    ck_assert_ptr_null(image_name(&t, 0xffffffff80100010, NULL));
    bytes_put_u32(&b, 8, UINT32_MAX);
    ck_assert_ptr_null(image_name(&t, 0xffffffff80100010, NULL));
    ck_assert_ptr_null(image_name(&(struct image_bytes){ 0 }, 0x10, NULL));
    bytes_free(&b);
}
END_TEST

/* This very program's functions. */
START_TEST(names_of_a_real_program)
{
    struct bytes file = { 0 }, again = { 0 }, table = { 0 };
    struct image_bytes t;
    struct elf e;
    uint64_t d;

    ck_assert_int_eq(bytes_read_file(&file, "/proc/self/exe"), 0);
    ck_assert_ptr_null(elf_read(&e, file.at, file.size));
    ck_assert_int_eq(names_add(&table, &e), 0);
    ck_assert_int_eq(names_add(&again, &e), 0);
    ck_assert_uint_gt(table.size, 100);
    ck_assert_uint_eq(table.size, again.size);
    ck_assert_mem_eq(table.at, again.at, table.size);
    t = (struct image_bytes){ table.at, table.size };
    for (uint32_t i = 0, n = table.at[8] | (uint32_t)table.at[9] << 8; i + 1 < n; i++) {      /* sorted */
        uint32_t a, b;

        memcpy(&a, table.at + IMAGE_NAMES_HEAD + 8 * i, 4);
        memcpy(&b, table.at + IMAGE_NAMES_HEAD + 8 * i + 8, 4);
        ck_assert_uint_le(a, b);
    }
    if (e.head.e_type == ET_EXEC) {
        ck_assert_str_eq(image_name(&t, (uint64_t)(uintptr_t)&names_add + 3, &d), "names_add");
        ck_assert_uint_eq(d, 3);
    }
    bytes_free(&file);
    bytes_free(&table);
    bytes_free(&again);
}
END_TEST

/* ---- files ---- */

static char listed[2000];

static void list(const struct files_entry *e, void *arg)
{
    size_t n = strlen(listed);

    (void)arg;
    snprintf(listed + n, sizeof(listed) - n, "%s %o %zu\n", e->name, e->mode, e->size);
}

static void make(const char *folder, const char *name, const char *text, mode_t mode)
{
    char path[300];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
}

START_TEST(files_of_a_tree)
{
    char folder[] = "/tmp/unik-image-XXXXXX", path[300], below[300];
    struct files *f = files_new(), *other = files_new();
    struct bytes out = { 0 }, again = { 0 };

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(below, sizeof(below), "%s/b", folder);
    mkdir(below, 0700);
    make(folder, "b.txt", "ab", 0600);
    make(folder, "a", "abcde", 0755);
    make(below, "c", "", 0640);
    snprintf(path, sizeof(path), "%s/link", folder);
    ck_assert_int_eq(symlink("b/c", path), 0);
    ck_assert_int_eq(files_add(f, folder, "/srv//www/"), 0);
    ck_assert_int_eq(files_add_bytes(f, "x = 1\n", 6, "/etc/unik.conf"), 0);
    ck_assert_int_eq(files_write(f, &out), 0);
    ck_assert_ptr_null(files_each(out.at, out.size, list, NULL));
    ck_assert_str_eq(listed, "etc 40755 0\netc/unik.conf 100644 6\nsrv 40755 0\nsrv/www 40755 0\nsrv/www/a 100755 5\n"
                             "srv/www/b 40755 0\nsrv/www/b/c 100644 0\nsrv/www/b.txt 100644 2\nsrv/www/link 120777 3\n");
    ck_assert_mem_eq(out.at, "07070100000001000041ED0000000000000000000000020000000000000000", 62);
    ck_assert_uint_eq(out.size % 4, 0);

    ck_assert_int_eq(files_add_bytes(other, "x = 1\n", 6, "etc/unik.conf"), 0);      /* the other way round, the same bytes */
    ck_assert_int_eq(files_add(other, folder, "srv/www"), 0);
    ck_assert_int_eq(files_write(other, &again), 0);
    ck_assert_uint_eq(out.size, again.size);
    ck_assert_mem_eq(out.at, again.at, out.size);
    for (size_t n = 0; n < out.size; n++)
        ck_assert(n + 4 > out.size || files_each(out.at, n, list, NULL));

    unlink(path);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, (const char *[]){ "b/c", "b.txt", "a", "b" }[i]);
        ck_assert_int_eq(remove(path), 0);
    }
    rmdir(folder);
    files_free(f);
    files_free(other);
    bytes_free(&out);
    bytes_free(&again);
}
END_TEST

START_TEST(files_that_cannot_be)
{
    struct files *f = files_new();

    ck_assert_int_eq(files_add_bytes(f, "", 0, "/a/../b"), -EINVAL);
    ck_assert_int_eq(files_add_bytes(f, "", 0, "/"), -EINVAL);
    ck_assert_int_eq(files_add(f, "/dev/null", "/null"), -EINVAL);
    ck_assert_int_eq(files_add(f, "/nowhere/at/all", "/x"), -ENOENT);
    ck_assert_int_eq(files_add_bytes(f, "1", 1, "/a"), 0);
    ck_assert_int_eq(files_add_bytes(f, "", 0, "/a/b"), -ENOTDIR);
    files_free(f);
}
END_TEST

/* ---- a whole file ---- */

/* A kernel: one loaded segment at its place, an own note of Xen behind it, more memory than file. */
static void a_kernel(struct bytes *b, uint64_t memsz)
{
    static const char code[24] = "kernel's code and data.";
    Elf64_Ehdr h = { .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1, .e_entry = 0xffffffff80100000, .e_phoff = 64,
                     .e_ehsize = 64, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2 };
    Elf64_Phdr load = { .p_type = PT_LOAD, .p_flags = 7, .p_offset = 0x1000, .p_vaddr = 0xffffffff80100000, .p_paddr = 0x100000,
                        .p_filesz = sizeof(code), .p_memsz = memsz };
    Elf64_Phdr note = { .p_type = PT_NOTE, .p_offset = 0x1018, .p_filesz = 40 };

    memcpy(h.e_ident, "\177ELF\2\1\1", 7);
    bytes_add(b, &h, sizeof(h));
    bytes_add(b, &load, sizeof(load));
    bytes_add(b, &note, sizeof(note));
    bytes_align(b, 4096);
    bytes_add(b, code, sizeof(code));
    bytes_add(b, "\4\0\0\0\10\0\0\0\1\0\0\0Xen\0\0\0\20\200\377\377\377\377" "\4\0\0\0\4\0\0\0\22\0\0\0Xen\0\0\0\20", 24 + 20 - 1);
    bytes_zeros(b, 1);
}

START_TEST(kernel_and_payload_in_one_file)
{
    struct bytes kernel = { 0 }, payload = a_payload(), out = { 0 };
    struct image_bytes found;
    struct image image;
    struct elf k, e;
    char *text = NULL;
    size_t n = 0;
    FILE *f;

    a_kernel(&kernel, 0x2345);
    kernel.at[64 + 56 + 32] = 44;       /* the notes' size */
    ck_assert_ptr_null(elf_read(&k, kernel.at, kernel.size));
    ck_assert_ptr_null(payload_attach(&out, &k, &payload));
    ck_assert_ptr_null(elf_read(&e, out.at, out.size));
    ck_assert_uint_eq(e.n, 3);
    ck_assert_uint_eq(e.head.e_entry, 0xffffffff80100000);
    ck_assert_uint_eq(e.segments[0].p_vaddr, 0xffffffff80100000);
    ck_assert_uint_eq(e.segments[0].p_memsz, 0x2345);
    ck_assert_str_eq((const char *)out.at + e.segments[0].p_offset, "kernel's code and data.");
    ck_assert_uint_eq(e.segments[1].p_type, PT_NOTE);
    ck_assert_uint_eq(e.segments[2].p_vaddr, 0xffffffff80103000);
    ck_assert_uint_eq(e.segments[2].p_paddr, 0x103000);
    ck_assert_uint_eq(e.segments[2].p_flags, PF_R);
    ck_assert_uint_eq(e.segments[2].p_memsz, payload.size);
    ck_assert_ptr_null(payload_find(&e, &found));
    ck_assert_ptr_null(image_read(&image, found.at, found.size));

    f = open_memstream(&text, &n);
    ck_assert_ptr_null(describe_image(f, out.at, out.size));
    fclose(f);
    ck_assert_ptr_nonnull(strstr(text, "boots as: PV PVH\n"));
    ck_assert_ptr_nonnull(strstr(text, "made of:\n  made by hand\n"));
    ck_assert_ptr_nonnull(strstr(text, "command line:\n  -o a.b=c\n"));
    free(text);
    f = fopen("/dev/null", "w");
    out.at[out.size - 5000] ^= 1;
    ck_assert_str_eq(describe_image(f, out.at, out.size), "its payload is damaged");
    ck_assert_str_eq(describe_image(f, out.at, out.size - 1), "cut off");
    ck_assert_str_eq(describe_image(f, out.at, 3), "not an ELF file");
    ck_assert_str_eq(describe_image(f, kernel.at, kernel.size), "no payload in it: not made by unik-image");
    fclose(f);
    bytes_free(&kernel);
    bytes_free(&payload);
    bytes_free(&out);
}
END_TEST

START_TEST(kernels_that_cannot_be)
{
    struct bytes kernel = { 0 }, payload = a_payload(), out = { 0 };
    struct elf k;

    a_kernel(&kernel, 3);               /* less memory than file */
    ck_assert_ptr_null(elf_read(&k, kernel.at, kernel.size));
    ck_assert_str_eq(payload_attach(&out, &k, &payload), "a segment's size is nonsense");
    k.segments[0].p_type = PT_NULL;
    ck_assert_str_eq(payload_attach(&out, &k, &payload), "nothing to load");
    kernel.at[5] = ELFDATA2MSB;
    ck_assert_str_eq(elf_read(&k, kernel.at, kernel.size), "not for x86-64");
    bytes_free(&kernel);
    bytes_free(&payload);
    bytes_free(&out);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("image");

    tcase_add_test(t, payload_there_and_back);
    tcase_add_test(t, head_is_as_described);
    tcase_add_test(t, what_is_wrong_is_said);
    tcase_add_test(t, every_cut_and_every_flipped_byte_is_seen);
    tcase_add_test(t, names_are_found);
    tcase_add_test(t, names_of_a_real_program);
    tcase_add_test(t, files_of_a_tree);
    tcase_add_test(t, files_that_cannot_be);
    tcase_add_test(t, kernel_and_payload_in_one_file);
    tcase_add_test(t, kernels_that_cannot_be);
    return run_case("image", t);
}
