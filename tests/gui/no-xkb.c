/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin gui without libxkbcommon, as in a static program: layouts come from files, and what no file has is US. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "tests/common/run.h"
#include "tests/gui/fixture.h"

/* One key: Q is a Cyrillic letter there, without and with Shift or Lock. */
static const uint8_t table[] = {
    'u', 'n', 'i', 'k', 'k', 'e', 'y', '1', 1, 0, 24, 2,
    0xca, 6, 0, 0, 0x39, 4, 0, 0, 0xea, 6, 0, 0, 0x19, 4, 0, 0,
    0x10, 0x01, 0x10, 0x01, 0x10, 0x01, 0x10, 0x01
};

static char dir[60], option[100];
static struct window a;

static void put(const char *name, const void *bytes, size_t n)
{
    char path[100];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static void up(void)
{
    strcpy(dir, "/tmp/unik-no-xkb-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(option, sizeof(option), "layout-dir=%s", dir);
    put("ru", table, sizeof(table));
    put("bad", table, sizeof(table) - 1);
    gui_up_with((const char *const[]){ option, NULL }, 8);
    gui_connect();
    window_create(&a, 64, 32);
    settle();
}

static void down(void)
{
    char command[100];

    gui_down();
    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* The user's layout is this; Q, with this state, types that. */
static void types(const char *layout, unsigned state, const char *text)
{
    fake_set(&fake, "/keyboard-layout", layout);
    settle();
    daemon_key(&guid, 1, 24, state, true);
    settle();
    ck_assert_str_eq(a.text, text);
}

START_TEST(layouts_from_files)
{
    types("us", 0, "q");
    ck_assert_uint_eq(log_lines, 0);            /* US needs no file */
    types("ru", 0, "\xd0\xb9");
    types("ru", UNIK_GUI_SHIFT, "\xd0\x99");
    types("ru", UNIK_GUI_SHIFT | UNIK_GUI_CAPS, "\xd0\xb9");
    ck_assert_uint_eq(a.last.keysym, 0x6ca);
    types("ru++grp:alt_shift_toggle", 0, "\xd0\xb9");
    ck_assert_uint_eq(log_lines, 0);
}
END_TEST

START_TEST(what_no_file_has)
{
    types("de", 0, "q");
    ck_assert_uint_eq(log_lines, 1);
    ck_assert_ptr_nonnull(strstr(log_line, "keyboard layout de: no table (unik-image --keyboard): keys are taken for US ones"));
    types("bad", 0, "q");
    ck_assert_uint_eq(log_lines, 2);
    ck_assert_ptr_nonnull(strstr(log_line, "keyboard layout bad: Bad message"));
    types("../ru", 0, "q");
    ck_assert_uint_eq(log_lines, 3);
    fake_set(&fake, "/qubes-keyboard", "xkb_keymap { };");
    types(NULL, 0, "q");
    ck_assert_ptr_nonnull(strstr(log_line, "built without libxkbcommon"));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("no-xkb");

    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, layouts_from_files);
    tcase_add_test(t, what_no_file_has);
    return run_case("gui without libxkbcommon", t);
}
