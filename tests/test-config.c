/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts under the supervisor: config file, option values, log levels, descriptor checks. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/config.h"
#include "supervisor/loader.h"
#include "supervisor/log.h"
#include "supervisor/options.h"

const struct unik_plugin *const loader_static[] = { NULL };

static char file[] = "/tmp/unik-conf.XXXXXX";

static void parse_bytes(struct config *c, const char *text, size_t n)
{
    int fd = mkstemp(strcpy(file, "/tmp/unik-conf.XXXXXX"));

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, text, n), (int)n);
    close(fd);
    config_init(c);
    ck_assert_int_eq(config_read(c, file), 0);
    unlink(file);
}

static void parse(struct config *c, const char *text) { parse_bytes(c, text, strlen(text)); }

static const char *value(const struct config *c, const char *section, const char *key)
{
    const struct config_section *s = config_find(c, section);

    for (size_t i = 0; s && i < s->n; i++)
        if (strcmp(s->entries[i].key, key) == 0)
            return s->entries[i].value;
    return NULL;
}

START_TEST(reads_sections_and_places)
{
    struct config c;

    parse(&c, "# comment\ntarget = unix\n\n[www]\nroot = /srv/www ; inline\n  port=80\nname = \"a b\"\n[empty]\n");
    ck_assert_uint_eq(c.errors, 0);
    ck_assert_uint_eq(c.n, 3);
    ck_assert_str_eq(value(&c, "supervisor", "target"), "unix");
    ck_assert_str_eq(value(&c, "www", "root"), "/srv/www");
    ck_assert_str_eq(value(&c, "www", "port"), "80");
    ck_assert_str_eq(value(&c, "www", "name"), "a b");
    ck_assert_int_eq(config_find(&c, "www")->place.line, 4);
    ck_assert_int_eq(config_find(&c, "www")->entries[1].place.line, 6);
    ck_assert_uint_eq(config_find(&c, "empty")->n, 0);
    config_free(&c);
}
END_TEST

START_TEST(supervisor_section_and_top_are_one)
{
    struct config c;

    parse(&c, "target = unix\n[supervisor]\nlog = debug\n[a]\n");
    ck_assert_uint_eq(c.errors, 0);
    ck_assert_str_eq(value(&c, "supervisor", "log"), "debug");
    ck_assert_str_eq(value(&c, "supervisor", "target"), "unix");
    config_free(&c);
}
END_TEST

START_TEST(counts_every_mistake)
{
    static const struct {
        const char *text;
        unsigned errors;
    } cases[] = {
        { "word\n[a]\nword\nx = 1\nword again\n", 3 },
        { "[a]\nx = 1\nx = 2\nx = 3\n", 2 },
        { "[a]\n[a]\n[a]\nx = 1\n", 2 },
        { "[a\nx = 1\n", 1 },
        { "[A]\n[a b]\n[-x]\n[]\n[.]\n", 5 },
        { "x", 1 },
        { "x = 1", 0 },
        { "\xef\xbb\xbf[a]\nx = 1\n", 0 },
        { "[a]\r\nx = 1\r\n", 0 },
        { "= 1\n", 1 }, { "x: 1\n", 1 }, { "x y = 1\n", 1 }, { "x\n= 1\n", 2 },
        { "[a] x\n", 1 }, { "[a]] ; x\n", 1 }, { "[a] # x\n[b]; x\n \t[c]\t\n", 0 }, { "[a][b]\n", 1 },
        { "x = \"a\n", 1 }, { "x = \"a\" b\n", 1 }, { "x = \"a\"b\"\n", 1 }, { "x = \"\n", 1 },
        { "x = # no\n", 1 }, { "x = ; no\n", 1 }, { "x = a\vb\n", 1 }, { "# \x1b[2J\n", 1 }, { "x = a\rb\n", 1 },
        { "x = 1\r", 0 }, { "\t x\t=\t1 \n", 0 }, { "", 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config c;

        parse(&c, cases[i].text);
        ck_assert_msg(c.errors == cases[i].errors, "case %zu: %u", i, c.errors);
        config_free(&c);
    }
}
END_TEST

/* What a value is, to the byte. */
START_TEST(values_as_written)
{
    static const struct {
        const char *line, *value;
    } cases[] = {
        { "x = a b", "a b" }, { "x=a", "a" }, { "x =", "" }, { "x = \"\"", "" }, { "x = \" a \"", " a " },
        { "x = a ; c", "a" }, { "x = a # c", "a" }, { "x = a\t# c", "a" }, { "x = a   ;", "a" },
        { "x = a;b#c", "a;b#c" }, { "x = \"a ; b # c\"", "a ; b # c" }, { "x = \"a ; b\" ; c", "a ; b" },
        { "x = \"a\"# c", "a" }, { "x = \"# a\"", "# a" }, { "x = a = b", "a = b" }, { "x = a \"b\" c", "a \"b\" c" },
        { "x = a\"", "a\"" }, { "x = gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" }, { "x = 5:6", "5:6" }, { "x = [a]", "[a]" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config c;

        parse(&c, cases[i].line);
        ck_assert_msg(c.errors == 0, "case %zu", i);
        ck_assert_str_eq(value(&c, "supervisor", "x"), cases[i].value);
        config_free(&c);
    }
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
    static char big[CONFIG_FILE_MAX + 2];
    struct config c;

    parse_bytes(&c, "[a]\nx = 1\0 2\ny = 3\n", 19);
    ck_assert_uint_eq(c.errors, 1);
    ck_assert_ptr_null(value(&c, "a", "x"));
    ck_assert_str_eq(value(&c, "a", "y"), "3");
    config_free(&c);
    parse_bytes(&c, "x = 1\n\0", 7);   /* behind the last line */
    ck_assert_uint_eq(c.errors, 1);
    config_free(&c);
    memset(big, '\n', sizeof(big));
    config_init(&c);
    ck_assert_int_eq(config_read(&c, "/dev/zero"), -EFBIG);     /* no end */
    ck_assert_int_eq(config_read(&c, "/"), -EISDIR);
    parse_bytes(&c, big, CONFIG_FILE_MAX);
    ck_assert_uint_eq(c.errors, 0);
    config_free(&c);
}
END_TEST

static bool is_www(const char *name, void *arg)
{
    (void)arg;
    return strcmp(name, "www") == 0;
}

START_TEST(log_sources)
{
    static const struct { const char *spec; int error; } cases[] = {
        { "debug", 0 }, { "*:info, www:debug", 0 }, { "", 0 }, { "www:debug,info", 0 }, { "*:info, wwww:debug", -EINVAL },
        { "ww:debug", -EINVAL }, { " , www:info , x:info", -EINVAL },
    };
    char text[200];
    struct unik_text why;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unik_text_init(&why, text, sizeof(text));
        ck_assert_int_eq(log_check_sources(cases[i].spec, is_www, NULL, &why), cases[i].error);
        ck_assert_int_eq(text[0] != 0, cases[i].error != 0);
    }
}
END_TEST

START_TEST(long_lines_and_many_sections)
{
    static char text[200000];
    struct config c;
    size_t n = 0;

    n += (size_t)sprintf(text + n, "[a]\nx = ");
    memset(text + n, 'y', 3000);
    n += 3000;
    n += (size_t)sprintf(text + n, "\nlong = ");
    memset(text + n, 'z', 9000);
    n += 9000;
    n += (size_t)sprintf(text + n, "\nafter = 1\n");
    parse(&c, text);
    ck_assert_uint_eq(c.errors, 1);
    ck_assert_uint_eq(strlen(value(&c, "a", "x")), 3000);
    ck_assert_str_eq(value(&c, "a", "after"), "1");
    config_free(&c);

    n = 0;
    for (int i = 0; i < CONFIG_SECTIONS_MAX + 2; i++)
        n += (size_t)sprintf(text + n, "[s%d]\n", i);
    for (int i = 0; i < CONFIG_ENTRIES_MAX + 3; i++)
        n += (size_t)sprintf(text + n, "k%d = 1\n", i);
    parse(&c, text);
    ck_assert_uint_eq(c.n, CONFIG_SECTIONS_MAX);
    ck_assert_uint_eq(c.errors, 2);     /* keys of a section that did not fit are not told one by one */
    config_free(&c);
}
END_TEST

START_TEST(overrides)
{
    struct config c;

    parse(&c, "[a]\nx = 1\n");
    config_override(&c, "a.x=2");
    config_override(&c, "a.y=3=4");
    config_override(&c, "b.z=");
    config_override(&c, "target=unix");
    config_override(&c, "a.x");
    config_override(&c, "=1");
    config_override(&c, "B.x=1");
    ck_assert_uint_eq(c.errors, 3);
    ck_assert_str_eq(value(&c, "a", "x"), "2");
    ck_assert_str_eq(value(&c, "a", "y"), "3=4");
    ck_assert_str_eq(value(&c, "b", "z"), "");
    ck_assert_str_eq(value(&c, "supervisor", "target"), "unix");
    config_free(&c);
}
END_TEST

START_TEST(missing_file)
{
    struct config c;

    config_init(&c);
    ck_assert_int_eq(config_read(&c, "/nonexistent/unik.conf"), -ENOENT);
    config_free(&c);
}
END_TEST

struct values {
    const char *s;
    bool b;
    int64_t i;
    uint64_t z;
    double t;
    int e;
};
static const char *const words[] = { "off", "stub", "serve", NULL };
static const struct unik_option rows[] = {
    { .key = "s", .type = UNIK_STRING, .offset = offsetof(struct values, s), .fallback = "x", .help = "-" },
    { .key = "b", .type = UNIK_BOOL, .offset = offsetof(struct values, b), .fallback = "yes", .help = "-" },
    { .key = "i", .type = UNIK_INT, .offset = offsetof(struct values, i), .min = -5, .max = 5, .help = "-" },
    { .key = "z", .type = UNIK_SIZE, .offset = offsetof(struct values, z), .fallback = "4K", .min = 1, .max = 1 << 20,
      .help = "-" },
    { .key = "t", .type = UNIK_SECONDS, .offset = offsetof(struct values, t), .fallback = "250ms", .max = 3600, .help = "-" },
    { .key = "e", .type = UNIK_ENUM, .offset = offsetof(struct values, e), .fallback = "serve", .choices = words, .help = "-" },
    { 0 }
};

START_TEST(option_values)
{
    static const struct {
        const char *key, *text;
        int error;
    } cases[] = {
        { "b", "On", 0 }, { "b", "0", 0 }, { "b", "maybe", -EINVAL }, { "b", "", -EINVAL },
        { "i", "-5", 0 }, { "i", "6", -ERANGE }, { "i", "1x", -EINVAL }, { "i", "", -EINVAL },
        { "i", "99999999999999999999", -EINVAL }, { "i", "0x1", -EINVAL },
        { "z", "64K", 0 }, { "z", "1M", 0 }, { "z", "2M", -ERANGE }, { "z", "0", -ERANGE }, { "z", "1.5", -EINVAL },
        { "z", "0.5K", 0 }, { "z", "-1", -EINVAL }, { "z", "K", -EINVAL }, { "z", "inf", -EINVAL }, { "z", "0x10", -EINVAL },
        { "t", "1h", 0 }, { "t", "61m", -ERANGE }, { "t", "nan", -EINVAL }, { "t", "5 s", 0 }, { "t", "5 sec", -EINVAL },
        { "e", "stub", 0 }, { "e", "Stub", -EINVAL }, { "e", "", -EINVAL },
        { "s", "", 0 }, { "s", "anything = at all", 0 },
    };
    char text[200];
    struct unik_text why;
    struct values *v;

    unik_text_init(&why, text, sizeof(text));
    v = options_new(rows, sizeof(*v), &why);
    ck_assert_ptr_nonnull(v);
    ck_assert_str_eq(v->s, "x");
    ck_assert(v->b);
    ck_assert_uint_eq(v->z, 4096);
    ck_assert_double_eq_tol(v->t, 0.25, 1e-9);
    ck_assert_int_eq(v->e, 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unik_text_init(&why, text, sizeof(text));
        ck_assert_msg(options_set(options_find(rows, cases[i].key), v, cases[i].text, &why) == cases[i].error,
                      "%s = %s", cases[i].key, cases[i].text);
        ck_assert_msg((cases[i].error == 0) == (text[0] == 0), "%s = %s: \"%s\"", cases[i].key, cases[i].text, text);
    }
    options_set(options_find(rows, "e"), v, "x", &why);
    ck_assert_ptr_nonnull(strstr(text, "off, stub or serve"));
    ck_assert_uint_eq(v->z, 512);
    options_free(rows, v);
    ck_assert_ptr_null(options_find(rows, "nothing"));
}
END_TEST

START_TEST(log_levels)
{
    struct log_source a, b;
    char text[200], big[600];
    struct unik_text why;

    unik_text_init(&why, text, sizeof(text));
    ck_assert_int_eq(log_set_levels("net:debug, *:warning", &why), 0);
    log_source_init(&a, "net");
    log_source_init(&b, "qrexec");
    ck_assert_int_eq(a.most, UNIK_DEBUG);
    ck_assert_int_eq(b.most, UNIK_WARNING);
    ck_assert_int_eq(log_set_levels("error", &why), 0);
    log_source_init(&b, "qrexec");
    ck_assert_int_eq(b.most, UNIK_ERROR);
    ck_assert_int_eq(log_set_levels("net:loud", &why), -EINVAL);
    ck_assert_int_eq(log_set_levels(":info", &why), -EINVAL);
    memset(big, ' ', sizeof(big) - 1);
    big[sizeof(big) - 1] = 0;
    ck_assert_int_eq(log_set_levels(big, &why), -EINVAL);
    ck_assert_int_eq(log_set_levels("*:info", &why), 0);
}
END_TEST

START_TEST(log_floods_and_control_characters)
{
    static char text[20000];
    struct log_source src;
    struct unik_text t;
    double t0;
    int printed = 0;

    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    log_source_init(&src, "flood");
    t0 = ev_time();
    for (int i = 0; i < 5000; i++) {
        log_line(&src, UNIK_ERROR, "line %d", i);
        printed += src.suppressed == 0;     /* a line that is printed first tells, and clears, the count */
    }
    ck_assert_int_ge(printed, LOG_BURST);
    ck_assert_double_le(printed, LOG_BURST + LOG_RATE * (ev_time() - t0) + 1);
    src.allowance = -1000;
    log_line(&src, UNIK_ERROR, "one more");
    ck_assert_uint_ge(src.suppressed, 1);
    src.allowance = 10;
    log_line(&src, UNIK_INFO, "a\nb\033[2Jc\177d");
    unik_text_init(&t, text, sizeof(text));
    log_last(&t, 2);
    ck_assert_ptr_nonnull(strstr(text, "lines suppressed"));
    ck_assert_ptr_nonnull(strstr(text, "INF [flood] a?b?[2Jc?d\n"));
    ck_assert_ptr_nonnull(strstr(text, " -00:00: "));
}
END_TEST

static int start(struct unik_ctx *ctx) { return ctx ? 0 : 0; }
static void stop(struct unik_ctx *ctx) { (void)ctx; }

/* Nobody reads: what does not fit is lost, and nobody waits for it. A terminal says it is writable when it has room for one byte. */
START_TEST(log_that_nobody_reads)
{
    char last[400], line[600];
    int two[2];
    struct unik_text t;

    if (_i == 0) {
        two[0] = posix_openpt(O_RDWR | O_NOCTTY);
        ck_assert(grantpt(two[0]) == 0 && unlockpt(two[0]) == 0);
        two[1] = open(ptsname(two[0]), O_RDWR | O_NOCTTY);
    } else {
        ck_assert_int_eq(pipe(two), 0);
    }
    ck_assert_int_ge(two[1], 0);
    ck_assert_int_eq(dup2(two[1], 2), 2);
    for (size_t i = 0; i < 3000; i++) {
        size_t n = 1 + i * 7 % (sizeof(line) - 2);

        memset(line, 'x', n);
        memcpy(line + n, "\n", 2);
        log_text(line);
    }
    unik_text_init(&t, last, sizeof(last));
    log_last(&t, 1);
    ck_assert_ptr_nonnull(strstr(last, "lines lost"));
    ck_assert_int_eq(fcntl(2, F_GETFL) & O_NONBLOCK, 0);        /* it is others' too */
}
END_TEST

START_TEST(descriptor_checks)
{
    static const struct unik_option outside[] = { { .key = "x", .type = UNIK_INT, .offset = 4, .help = "-" }, { 0 } };
    static const struct unik_option no_help[] = { { .key = "x", .type = UNIK_INT }, { 0 } };
    static const char *const no_version[] = { "vchan", NULL };
    const struct unik_plugin good = { UNIK_PLUGIN_HEAD, .name = "x", .version = "1", .summary = "s", .targets = UNIK_ON_ANY,
                                      .start = start, .stop = stop, .config_size = 8 };
    struct unik_plugin p;
    struct loaded l;
    char text[300];
    struct unik_text why;

#define EXPECT(result, part, ...) do { \
        p = good; __VA_ARGS__; unik_text_init(&why, text, sizeof(text)); memset(&l, 0, sizeof(l)); \
        ck_assert_int_eq(loader_check(&l, &p, "x", &why), result); \
        ck_assert_msg(strstr(text, part) != NULL, "%s", text); \
    } while (0)
    EXPECT(0, "", (void)0);
    EXPECT(-EINVAL, "magic is 0x7, expected 0x4b494e55", p.magic = 7);
    EXPECT(-EINVAL, "made for ABI 1, this program has ABI 2", p.abi = 1);
    EXPECT(-EINVAL, "descriptor of 16 bytes", p.size = 16);
    EXPECT(-EINVAL, "calls itself y, expected x", p.name = "y");
    EXPECT(-EINVAL, "no start()", p.start = NULL);
    EXPECT(-EINVAL, "no stop()", p.stop = NULL);
    EXPECT(-EINVAL, "no targets", p.targets = 0);
    EXPECT(-EINVAL, "lies outside", p.options = outside);
    EXPECT(-EINVAL, "has no help", p.options = no_help);
    EXPECT(-EINVAL, "needs: vchan", p.needs = no_version);
    /* an older plugin: its shorter descriptor is taken, and what it lacks is zero */
    EXPECT(0, "", { p.size = offsetof(struct unik_plugin, arrived); p.status = (void (*)(struct unik_ctx *, struct unik_text *))
                    (uintptr_t)1; });
    ck_assert_ptr_null((void *)(uintptr_t)l.plugin.status);
    /* a newer one: what we do not know is ignored */
    EXPECT(0, "", p.size = sizeof(p) + 64);
}
END_TEST

int main(void)
{
    const char *alone = getenv("CK_FORK");
    Suite *suite = suite_create("config");
    TCase *t = tcase_create("config");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, reads_sections_and_places);
    tcase_add_test(t, supervisor_section_and_top_are_one);
    tcase_add_test(t, counts_every_mistake);
    tcase_add_test(t, values_as_written);
    tcase_add_test(t, bytes_that_are_no_text);
    tcase_add_test(t, log_sources);
    tcase_add_test(t, long_lines_and_many_sections);
    tcase_add_test(t, overrides);
    tcase_add_test(t, missing_file);
    tcase_add_test(t, option_values);
    tcase_add_test(t, log_levels);
    tcase_add_test(t, log_floods_and_control_characters);
    if (!alone || strcmp(alone, "no") != 0)     /* the log looks at descriptor 2 once in a process */
        tcase_add_loop_test(t, log_that_nobody_reads, 0, 2);
    tcase_add_test(t, descriptor_checks);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
