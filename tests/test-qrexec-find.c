/* SPDX-License-Identifier: BSD-2-Clause */
/* Services and their configs: which file a request means, which config applies, and what must never be looked at. */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"
#include "tests/common/fake-call.h"

static struct world w;

/* The exit code of a plan for our own account; what it would run goes to `path`. */
static int plan(const char *rest, char *path, size_t size, bool *waits)
{
    char command[1200];
    struct qrexec_command c;
    struct qrexec_plan *p;
    int code;

    w.log[0] = 0;
    snprintf(command, sizeof(command), "%s:%s", w.user, rest);
    ck_assert_int_eq(qrexec_parse_command(command, strlen(command), &c), 0);
    code = qrexec_exec_plan(w.x, &c, &p);
    if (path)
        snprintf(path, size, "%s", code ? "" : p->path + strlen(w.folder) + 1);
    if (waits)
        *waits = code == 0 && qrexec_plan_waits(p);
    if (code == 0)
        qrexec_plan_free(p);
    return code;
}

static int code_of(const char *request)
{
    char line[1024];

    snprintf(line, sizeof(line), "QUBESRPC %s domX", request);
    return plan(line, NULL, 0, NULL);
}

/* The file that answers; "" for none. */
static const char *file_of(const char *request)
{
    static char path[512];
    char line[1024];

    snprintf(line, sizeof(line), "QUBESRPC %s domX", request);
    plan(line, path, sizeof(path), NULL);
    return path;
}

static void program(const char *name) { world_file(&w, name, 0755, "#!/bin/sh\n"); }

START_TEST(finds_in_order)
{
    world_open(&w, false, true);
    program("rpc/a.Plain");
    ck_assert_str_eq(file_of("a.Plain"), "rpc/a.Plain");
    ck_assert_str_eq(file_of("a.Plain+"), "rpc/a.Plain");
    ck_assert_str_eq(file_of("a.Plain+x"), "rpc/a.Plain");
    program("rpc2/a.Plain");
    ck_assert_str_eq(file_of("a.Plain"), "rpc/a.Plain");
    program("rpc2/a.Plain+x");          /* with the argument, in any folder, goes first */
    ck_assert_str_eq(file_of("a.Plain+x"), "rpc2/a.Plain+x");
    program("rpc2/a.Plain+");           /* "no argument" and "empty argument" are the same */
    ck_assert_str_eq(file_of("a.Plain"), "rpc2/a.Plain+");
    ck_assert_str_eq(file_of("a.Plain+"), "rpc2/a.Plain+");
    ck_assert_str_eq(file_of("a.Plain+y"), "rpc/a.Plain");
    ck_assert_int_eq(code_of("a.None"), 127);
    ck_assert_int_eq(code_of("a.Plai"), 127);
    world_close(&w);
}
END_TEST

START_TEST(other_errors_end_the_search)
{
    world_open(&w, false, true);
    program("rpc2/b.Svc");
    world_link(&w, "rpc/b.Svc+x", "/dev/null/invalid");
    ck_assert_int_eq(code_of("b.Svc+x"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "rpc/b.Svc+x: Not a directory"));
    ck_assert_int_eq(code_of("b.Svc+y"), 0);
    world_link(&w, "rpc/b.Gone", "nowhere");        /* a dangling link is as good as none */
    program("rpc2/b.Gone");
    ck_assert_str_eq(file_of("b.Gone"), "rpc2/b.Gone");
    world_link(&w, "rpc/b.Loop", "b.Loop");
    ck_assert_int_eq(code_of("b.Loop"), 125);
    world_file(&w, "rpc/b.Data", 0644, "text");
    ck_assert_int_eq(code_of("b.Data"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "neither executable nor a socket"));
    ck_assert_int_eq(mkdir(world_path(&w, "rpc/b.Folder"), 0755), 0);
    ck_assert_int_eq(code_of("b.Folder"), 125);
    ck_assert_int_eq(mkfifo(world_path(&w, "rpc/b.Fifo"), 0755), 0);
    ck_assert_int_eq(code_of("b.Fifo"), 125);
    world_close(&w);
}
END_TEST

START_TEST(names_are_no_paths)
{
    world_open(&w, false, true);
    program("secret");
    program("rpc/.hidden");
    program("rpc/c.Svc");
    ck_assert_int_eq(mkdir(world_path(&w, "rpc/c.Svc+"), 0755), 0);
    ck_assert_int_eq(mkdir(world_path(&w, "rpc/sub"), 0755), 0);
    program("rpc/sub/c.Svc");
    ck_assert_int_eq(code_of("../secret"), 127);
    ck_assert_int_eq(code_of(".hidden"), 127);
    ck_assert_int_eq(code_of(".."), 127);
    ck_assert_int_eq(code_of("."), 127);
    ck_assert_int_eq(code_of("sub/c.Svc"), 127);
    ck_assert_int_eq(code_of("/bin/sh"), 127);
    ck_assert_str_eq(file_of("c.Svc+/../../secret"), "rpc/c.Svc");  /* only an argument: the general service answers */
    world_link(&w, "rpc/c.Link", ".hidden");        /* the administrator's link is not the caller's name */
    ck_assert_str_eq(file_of("c.Link"), "rpc/c.Link");
    world_close(&w);
}
END_TEST

START_TEST(long_names)
{
    char name[300], full[600], path[600];

    world_open(&w, false, true);
    memset(name, 'n', 255);
    name[255] = 0;
    snprintf(path, sizeof(path), "rpc/%s", name);
    program(path);
    ck_assert_int_eq(code_of(name), 0);             /* name+ would have 256 bytes: absent, the name alone is there */
    snprintf(full, sizeof(full), "%s+%s", name, name);
    ck_assert_int_eq(code_of(full), 0);
    name[254] = 0;
    ck_assert_int_eq(code_of(name), 127);
    snprintf(path, sizeof(path), "rpc/%s+", name);
    program(path);
    ck_assert_str_eq(file_of(name), path);
    world_close(&w);
}
END_TEST

START_TEST(without_services_or_commands)
{
    world_open(&w, false, false);
    program("rpc/d.Svc");
    ck_assert_int_eq(code_of("d.Svc"), 127);
    ck_assert_int_eq(plan("id", NULL, 0, NULL), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "exec = no"));
    world_close(&w);
}
END_TEST

START_TEST(paths_from_the_environment)
{
    struct qrexec_command c;
    struct qrexec_plan *p;
    struct qrexec_runner *x;
    char line[300];

    world_open(&w, false, true);
    snprintf(line, sizeof(line), "%s:QUBESRPC e.Svc dom0", w.user);
    program("rpc2/e.Svc");
    setenv("QREXEC_SERVICE_PATH", world_path(&w, "rpc2"), 1);
    x = qrexec_exec_new(w.ctx, &(struct qrexec_exec_config){ .services = true });
    ck_assert_int_eq(qrexec_parse_command(line, strlen(line), &c), 0);
    ck_assert_int_eq(qrexec_exec_plan(x, &c, &p), 0);
    qrexec_plan_free(p);
    qrexec_exec_free(x);
    setenv("QREXEC_SERVICE_PATH", "", 1);
    x = qrexec_exec_new(w.ctx, &(struct qrexec_exec_config){ .services = true });
    ck_assert_int_eq(qrexec_exec_plan(x, &c, &p), 127);
    qrexec_exec_free(x);
    unsetenv("QREXEC_SERVICE_PATH");
    world_close(&w);
}
END_TEST

/* ---- configs ---- */

static int parse(const char *text, struct qrexec_service_config *c, char *said, size_t size)
{
    struct unik_text t;

    unik_text_init(&t, said, size);
    return qrexec_config_parse(text, strlen(text), c, &t);
}

static const char *const good[] = {
    "", "\n", "# only a comment", "#\n\n", "  \n", "wait-for-session = 0\n", "wait-for-session=1",
    "wait-for-session = true # x\n", "force-user = 'joe'\r\n", "force-user='a#b'",
    "skip-service-descriptor\t=\tfalse\t\n", "other = 18446744073709551\n",
    "some.other-key_1 = 'x'\nsome.other-key_1 = ''\n", "exit-on-client-eof = true\nexit-on-service-eof = true\n",
    "force-user = 'joe'\nskip-service-descriptor = false\n"
};
static const char *const wrong[] = {
    "wait-for-session = 00\n", "wait-for-session = 01\n", "wait-for-session = \n", "wait-for-session = \"a\"\n",
    "wait-for-session\n", "wait-for-session = 2\n", "wait-for-session = 'true'", "wait-for-session = yes",
    "wait-for-session = truex", "wait-for-session = true false", "wait-for-session = 1\nwait-for-session = 1\n",
    "wait-for-session = 18446744073709551616", " wait-for-session = 1", "= 1", "1 = 1", "[section]", "force-user = joe",
    "force-user = 'joe", "force-user = '''joe'''", "force-user = ''", "force-user = 1", "force-user = 'a' 'b'",
    "skip-service-descriptor = 1", "exit-on-client-eof = 'x'", "exit-on-service-eof = 0", "other = what", "key ? 1",
    "wait-for-session = -1", "wait-for-session : 1", "force-user = 'a'\nskip-service-descriptor = true",
    "exit-on-client-eof = true\nforce-user = 'a'", "exit-on-service-eof = true\nforce-user = 'a'"
};

START_TEST(parses_configs)
{
    struct qrexec_service_config c;
    struct unik_text t;
    char said[300];

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        ck_assert_msg(parse(good[i], &c, said, sizeof(said)) == 0, "%s: %s", good[i], said);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ck_assert_msg(parse(wrong[i], &c, said, sizeof(said)) == -EINVAL && said[0], "%s", wrong[i]);
    parse("# x\nwait-for-session = true\n\nforce-user = 'jim'", &c, said, sizeof(said));
    ck_assert(c.wait_for_session && !c.skip_descriptor && !c.exit_on_client_eof && !c.exit_on_service_eof);
    ck_assert_str_eq(c.force_user, "jim");
    ck_assert_str_eq(said, "");
    parse("exit-on-service-eof = true\nskip-service-descriptor = true", &c, said, sizeof(said));
    ck_assert(!c.wait_for_session && c.skip_descriptor && !c.exit_on_client_eof && c.exit_on_service_eof);
    parse("\nnew-key = 1\nsecond = 2\n", &c, said, sizeof(said));
    ck_assert_str_eq(said, "line 2: key new-key means nothing here; line 3: key second means nothing here");
    parse("\n\nwait-for-session = 3", &c, said, sizeof(said));
    ck_assert_str_eq(said, "line 3: must be true, false, 0 or 1");
    unik_text_init(&t, said, sizeof(said));
    ck_assert_int_eq(qrexec_config_parse("wait-for-session = 1\0\n", 22, &c, &t), -EINVAL);
}
END_TEST

START_TEST(uses_configs)
{
    bool waits;

    world_open(&w, false, true);
    program("rpc/f.Svc");
    world_file(&w, "config/f.Svc", 0644, "wait-for-session = true\n");
    ck_assert_int_eq(plan("QUBESRPC f.Svc domX", NULL, 0, &waits), 0);
    ck_assert(waits);
    ck_assert_int_eq(plan("nogui:QUBESRPC f.Svc domX", NULL, 0, &waits), 0);
    ck_assert(!waits);
    world_file(&w, "config2/f.Svc+arg", 0644, "wait-for-session = false\n");
    ck_assert_int_eq(plan("QUBESRPC f.Svc+arg domX", NULL, 0, &waits), 0);
    ck_assert(!waits);
    world_file(&w, "config/f.Svc+bad", 0644, "\nwait-for-session = maybe\n");
    ck_assert_int_eq(code_of("f.Svc+bad"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "config/f.Svc+bad: line 2"));
    world_file(&w, "config/f.Svc+new", 0644, "future-key = 'x'\n");
    ck_assert_int_eq(code_of("f.Svc+new"), 0);
    ck_assert_ptr_nonnull(strstr(w.log, "future-key"));
    world_file(&w, "config/f.Svc+user", 0644, "force-user = 'no-such-account'\n");
    ck_assert_int_eq(code_of("f.Svc+user"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "no-such-account"));
    world_file(&w, "config/f.Svc+both", 0644, "force-user = 'root'\nexit-on-client-eof = true\n");
    ck_assert_int_eq(code_of("f.Svc+both"), 125);
    world_file(&w, "config/f.Svc+useless", 0644, "exit-on-client-eof = true\n");
    ck_assert_int_eq(code_of("f.Svc+useless"), 0);
    ck_assert_ptr_nonnull(strstr(w.log, "without effect"));
    world_link(&w, "config/f.Svc+link", "/dev/null/invalid");
    ck_assert_int_eq(code_of("f.Svc+link"), 125);
    ck_assert_int_eq(mkdir(world_path(&w, "config/f.Svc+folder"), 0755), 0);
    ck_assert_int_eq(code_of("f.Svc+folder"), 125);
    ck_assert_int_eq(mkfifo(world_path(&w, "config/f.Svc+fifo"), 0644), 0);
    ck_assert_int_eq(code_of("f.Svc+fifo"), 125);
    world_link(&w, "config/f.Svc+endless", "/dev/zero");
    ck_assert_int_eq(code_of("f.Svc+endless"), 125);
    world_link(&w, "config/f.Svc+null", "/dev/null");
    ck_assert_int_eq(code_of("f.Svc+null"), 0);
    world_close(&w);
}
END_TEST

/* ---- /dev/tcp ---- */

START_TEST(tcp_addresses)
{
    static const struct { const char *link, *argument, *expect; } rows[] = {
        { "/dev/tcp/127.0.0.1/80", NULL, "127.0.0.1 80" }, { "/dev/tcp/127.0.0.1/80", "", "127.0.0.1 80" },
        { "/dev/tcp/127.0.0.1/80", "81", NULL }, { "/dev/tcp/127.0.0.1", "65535", "127.0.0.1 65535" },
        { "/dev/tcp/127.0.0.1", "65536", NULL }, { "/dev/tcp/127.0.0.1", "0", NULL },
        { "/dev/tcp/127.0.0.1", "080", NULL }, { "/dev/tcp/127.0.0.1", "", NULL },
        { "/dev/tcp/127.0.0.1", NULL, NULL }, { "/dev/tcp/127.0.0.1", "127.0.0.1+80", NULL },
        { "/dev/tcp/127.0.0.1/", NULL, NULL }, { "/dev/tcp/127.0.0.1/80/", NULL, NULL }, { "/dev/tcp/", "80", NULL },
        { "/dev/tcp/localhost/80", NULL, NULL }, { "/dev/tcp", "10.0.0.1+8080", "10.0.0.1 8080" },
        { "/dev/tcp", "++1+22", "::1 22" }, { "/dev/tcp", "fd09++5+80", "fd09::5 80" },
        { "/dev/tcp", "10.0.0.1", NULL }, { "/dev/tcp", "", NULL }, { "/dev/tcp", NULL, NULL },
        { "/dev/tcp", "+80", NULL }, { "/dev/tcp", "10.0.0.1+", NULL }, { "/dev/tcp", "10.0.0.1+-1", NULL },
        { "/dev/tcp/::1/443", NULL, "::1 443" }, { "/dev/tcp/::1", "443", "::1 443" }, { "/dev/tcp/::1", "", NULL },
        { "/dev/tcp/fe80::1%nosuchif/80", NULL, NULL }, { "/dev/tcp", "host_name+80", NULL }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char said[200], got[100] = "", host[64];
        struct sockaddr_storage a;
        struct unik_text why;
        socklen_t len;
        int e;

        unik_text_init(&why, said, sizeof(said));
        e = qrexec_tcp_address(rows[i].link, rows[i].argument, &a, &len, &why);
        if (e == 0 && a.ss_family == AF_INET) {
            const struct sockaddr_in *in = (const void *)&a;

            snprintf(got, sizeof(got), "%s %d", inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host)),
                     ntohs(in->sin_port));
        } else if (e == 0) {
            const struct sockaddr_in6 *in = (const void *)&a;

            snprintf(got, sizeof(got), "%s %d", inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host)),
                     ntohs(in->sin6_port));
        }
        ck_assert_msg(rows[i].expect ? strcmp(got, rows[i].expect) == 0 : e < 0 && said[0], "%s %s: \"%s\" %s",
                      rows[i].link, rows[i].argument ? rows[i].argument : "-", got, said);
    }
}
END_TEST

START_TEST(tcp_links)
{
    world_open(&w, false, true);
    world_link(&w, "rpc/g.Tcp", "/dev/tcp/127.0.0.1");
    ck_assert_int_eq(code_of("g.Tcp+80"), 0);
    ck_assert_int_eq(code_of("g.Tcp"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "is not a port"));
    world_link(&w, "rpc/g.Tcpx", "/dev/tcpx");      /* another path: dangling */
    ck_assert_int_eq(code_of("g.Tcpx+80"), 127);
    world_close(&w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("qrexec-find");
    TCase *t = tcase_create("find");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, finds_in_order);
    tcase_add_test(t, other_errors_end_the_search);
    tcase_add_test(t, names_are_no_paths);
    tcase_add_test(t, long_names);
    tcase_add_test(t, without_services_or_commands);
    tcase_add_test(t, paths_from_the_environment);
    tcase_add_test(t, parses_configs);
    tcase_add_test(t, uses_configs);
    tcase_add_test(t, tcp_addresses);
    tcase_add_test(t, tcp_links);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
