/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of the kernel: archives, names, links, what is refused. The answers to a program are compared with Linux's under Xen
 * (tests/xen/syscalls); here is what no good archive has. */
#include "tests/boot/machine.h"
#include <stdio.h>
#include "tests/common/run.h"

static uint8_t image[65536];
static struct bytes archive;

static void add(const char *name, uint32_t mode, const char *content)
{
    archive.at = image;
    archive.size = cpio_put(image, archive.size, name, mode, content, strlen(content));
}

static void end(void) { add("TRAILER!!!", 0, ""); }

static void fresh(void)
{
    archive = (struct bytes){ image, 0 };
    ck_assert_int_eq(tree_init(), 0);
}

static int look(const char *path, struct node **n)
{
    const struct walk w = { .follow = true };

    return tree_walk(&w, path, n, NULL);
}

static const char *text_of(const char *path)
{
    static char text[256];
    struct node *n;
    int e = look(path, &n);

    if (e < 0) {
        snprintf(text, sizeof(text), "error %d", -e);
    } else {
        memcpy(text, n->bytes.at, n->bytes.size);
        text[n->bytes.size] = 0;
    }
    return text;
}

START_TEST(names)
{
    static const char *const same[] = { "a/b", "/a/b", "./a/b", ".//a/./b", "a//b", "/a/../a/b", "../../a/b", "a/c/../b" };
    struct node *n, *first;

    fresh();
    add("./a/", S_IFDIR | 0755, "");
    add("a/b", S_IFREG | 0644, "text");
    add("/a/c/deep/file", S_IFREG | 0644, "deep");
    end();
    ck_assert_int_eq(tree_add_archive(&archive), 0);
    ck_assert_int_eq(look("/a/b", &first), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(same); i++) {
        ck_assert_int_eq(look(same[i], &n), 0);
        ck_assert_ptr_eq(n, first);
    }
    ck_assert_str_eq(text_of("a/c/deep/file"), "deep");
    ck_assert_int_eq(look("a/b/", &n), -ENOTDIR);
    ck_assert_int_eq(look("a/x", &n), -ENOENT);
    ck_assert_int_eq(look("", &n), -ENOENT);
}
END_TEST

START_TEST(later_files_replace)
{
    struct node *n;

    fresh();
    add("etc/conf", S_IFREG | 0644, "old");
    end();
    ck_assert_int_eq(tree_add_archive(&archive), 0);
    archive = (struct bytes){ image + 32768, 0 };
    archive.size = cpio_put(image + 32768, 0, "etc/conf", S_IFREG | 0600, "newer", 5);
    archive.size = cpio_put(image + 32768, archive.size, "etc/conf/x", S_IFREG | 0600, "", 0);
    ck_assert_int_eq(tree_add_archive(&archive), -EINVAL);      /* below a file */
    ck_assert_str_eq(text_of("etc/conf"), "newer");
    ck_assert_int_eq(look("etc/conf", &n), 0);
    ck_assert_uint_eq(n->mode, S_IFREG | 0600);
}
END_TEST

START_TEST(wrong_archives)
{
    static const struct { const char *name; uint32_t mode; int want; } rows[] = {
        { "..", S_IFREG, -EINVAL }, { "a/../b", S_IFREG, -EINVAL }, { "", S_IFREG, -EINVAL }, { "x", S_IFDIR, -EINVAL },
        { "folder", S_IFREG, -EINVAL }, { ".", S_IFREG, -EINVAL }, { "/", S_IFDIR, 0 }, { ".", S_IFDIR, 0 },
        { "dev/thing", S_IFCHR, 0 },
    };
    struct node *n;

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        fresh();
        add("x", S_IFREG | 0644, "x");
        add("folder/inner", S_IFREG | 0644, "x");
        add(rows[i].name, rows[i].mode | 0644, "");
        end();
        ck_assert_int_eq(tree_add_archive(&archive), rows[i].want);
        ck_assert_str_eq(text_of("x"), "x");
    }
    ck_assert_int_eq(look("dev/thing", &n), -ENOENT);
}
END_TEST

START_TEST(cut_short)
{
    size_t whole;

    fresh();
    add("a", S_IFREG | 0644, "0123456789");
    whole = archive.size;
    for (size_t n = 0; n < whole; n++) {
        int want = n == 0 ? 0 : n >= whole - 2 ? 0 : -EINVAL;   /* only padding is missing */

        fresh();
        archive.size = n;
        ck_assert_int_eq(tree_add_archive(&archive), want);
    }
    fresh();
    archive.size = whole;
    memcpy(image + 6 + 8 * 6, "fffffff0", 8);       /* a file longer than the archive */
    ck_assert_int_eq(tree_add_archive(&archive), -EINVAL);
}
END_TEST

START_TEST(archives_in_a_row)
{
    fresh();
    add("one", S_IFREG | 0644, "1");
    end();
    memset(image + archive.size, 0, 512);
    archive.size += 512;
    add("two", S_IFREG | 0644, "2");
    end();
    memset(image + archive.size, 0, 100);
    archive.size += 100;
    ck_assert_int_eq(tree_add_archive(&archive), 0);
    ck_assert_str_eq(text_of("one"), "1");
    ck_assert_str_eq(text_of("two"), "2");
}
END_TEST

START_TEST(hard_links)
{
    struct node *a, *b, *c;
    size_t n = 0;

    fresh();
    n = cpio_put_link(image, n, "a", 7, 3, "", 0);
    n = cpio_put_link(image, n, "b", 7, 3, "", 0);
    n = cpio_put_link(image, n, "c", 7, 3, "linked", 6);
    n = cpio_put_link(image, n, "other", 8, 2, "alone", 5);
    archive.size = n;
    ck_assert_int_eq(tree_add_archive(&archive), 0);
    ck_assert_str_eq(text_of("a"), "linked");
    ck_assert_str_eq(text_of("b"), "linked");
    ck_assert_str_eq(text_of("c"), "linked");
    ck_assert_str_eq(text_of("other"), "alone");
    look("a", &a), look("b", &b), look("c", &c);
    ck_assert_uint_eq(a->ino, b->ino);
    ck_assert_uint_eq(a->nlink, 3);
    ck_assert_uint_eq(b->nlink, 3);
    ck_assert_uint_eq(c->nlink, 3);

    /* b comes again: a file of its own, with another number, and then with the first one's */
    n = cpio_put_link(image + 32768, 0, "b", 9, 1, "new", 3);
    n = cpio_put_link(image + 32768, n, "b", 10, 2, "newer", 5);
    n = cpio_put_link(image + 32768, n, "b", 11, 2, "newest", 6);
    archive = (struct bytes){ image + 32768, n };
    ck_assert_int_eq(tree_add_archive(&archive), 0);
    ck_assert_str_eq(text_of("b"), "newest");
    ck_assert_uint_eq(b->nlink, 1);
    ck_assert_uint_eq(a->nlink, 2);
    ck_assert_uint_eq(c->nlink, 2);
    ck_assert_ptr_eq(b->links, b);
    ck_assert_ptr_eq(a->links->links, a);
}
END_TEST

START_TEST(symbolic_links)
{
    char deep[32];
    struct node *n;

    fresh();
    add("file", S_IFREG | 0644, "text");
    add("rings", S_IFLNK | 0777, "rings");
    add("empty", S_IFLNK | 0777, "");
    add("up", S_IFLNK | 0777, "../../file");
    add("slash", S_IFLNK | 0777, "file/");
    archive.size = cpio_put(image, archive.size, "nul", S_IFLNK | 0777, "fi\0le", 5);
    for (int i = 0; i < 45; i++) {
        char name[16];

        snprintf(name, sizeof(name), "l%d", i);
        snprintf(deep, sizeof(deep), i ? "l%d" : "file", i - 1);
        add(name, S_IFLNK | 0777, deep);
    }
    end();
    ck_assert_int_eq(tree_add_archive(&archive), 0);
    ck_assert_str_eq(text_of("up"), "text");
    ck_assert_str_eq(text_of("l39"), "text");
    ck_assert_int_eq(look("l40", &n), -ELOOP);
    ck_assert_int_eq(look("rings", &n), -ELOOP);
    ck_assert_int_eq(look("empty", &n), -ENOENT);
    ck_assert_int_eq(look("slash", &n), -ENOTDIR);
    ck_assert_int_lt(look("nul", &n), 0);
}
END_TEST

/* No more memory: an error, and what is there stays usable. */
START_TEST(out_of_memory)
{
    char name[32];

    fresh();
    for (int i = 0; i < 400; i++) {
        snprintf(name, sizeof(name), "file%d", i);
        add(name, S_IFREG | 0644, "x");
    }
    pages_most = pages_out + 2;
    ck_assert_int_eq(tree_add_archive(&archive), -ENOMEM);
    ck_assert_str_eq(text_of("file0"), "x");
}
END_TEST

START_TEST(descriptors)
{
    uint64_t path = user_put(0, "file");
    int64_t fd;

    fresh();
    add("file", S_IFREG | 0644, "0123456789");
    ck_assert_int_eq(tree_add_archive(&archive), 0);
    for (uint64_t i = 0; i < FD_MAX; i++)
        ck_assert_int_eq(SYS(sys_openat, (uint64_t)AT_FDCWD, path, O_RDONLY, 0), (int64_t)i);
    ck_assert_int_eq(SYS(sys_openat, (uint64_t)AT_FDCWD, path, O_RDONLY, 0), -EMFILE);
    ck_assert_int_eq(SYS(sys_close, 1000), 0);
    ck_assert_int_eq(SYS(sys_close, 5), 0);
    fd = SYS(sys_openat, (uint64_t)AT_FDCWD, path, O_RDONLY, 0);
    ck_assert_int_eq(fd, 5);
    ck_assert_int_eq(SYS(sys_dup, 5), 1000);
    ck_assert_int_eq(SYS(sys_read, 5, user_at(100), 4), 4);
    ck_assert_int_eq(SYS(sys_read, 1000, user_at(100), 100), 6);
    ck_assert_mem_eq(arena + 100, "456789", 6);
    ck_assert_int_eq(SYS(sys_close_range, 0, UINT32_MAX, 0), 0);
    ck_assert_uint_eq(fd_file(5) == NULL, 1);
    ck_assert_int_eq(SYS(sys_openat, (uint64_t)AT_FDCWD, path, O_RDONLY, 0), 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("files");

    tcase_add_test(t, names);
    tcase_add_test(t, later_files_replace);
    tcase_add_test(t, wrong_archives);
    tcase_add_test(t, cut_short);
    tcase_add_test(t, archives_in_a_row);
    tcase_add_test(t, hard_links);
    tcase_add_test(t, symbolic_links);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, descriptors);
    return run_case("boot: files", t);
}
