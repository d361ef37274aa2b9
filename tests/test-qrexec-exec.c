/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs and shell commands as handlers of calls: what they are given, whom they run as, and their exit codes. Each
 * test ends with no descriptor and no child left. */
#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"
#include "tests/common/fake-call.h"

static struct world w;
static struct fake_call *f;

/* A call with a program "t" of this text. */
static void open_with(const char *script, size_t queue)
{
    world_open(&w, true, true);
    if (script)
        world_file(&w, "rpc/t", 0755, script);
    f = fake_new(&w, queue);
}

static void close_all(void)
{
    fake_free(f);
    world_close(&w);
}

static bool no_children(void *arg) { (void)arg; return w.x->n_runs == 0; }

/* ---- what a program is given, and its exit ---- */

START_TEST(exit_codes)
{
    static const struct { const char *script; int code; } rows[] = {
        { "#!/bin/sh\nexit 0", 0 }, { "#!/bin/sh\nexit 3", 3 }, { "#!/bin/sh\nexit 255", 255 },
        { "#!/bin/sh\nkill -9 $$", 137 }, { "#!/bin/sh\nkill -TERM $$", 143 }, { "#!/bin/sh\nkill -PIPE $$", 141 },
        { "\x01", 125 }, { "#!/no/such/interpreter\n", 127 }
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        open_with(rows[i].script, 4096);
        ck_assert_msg(fake_run(f, ":QUBESRPC t domX") == rows[i].code, "%s: %d", rows[i].script, f->code);
        ck_assert(f->shut && f->err_shut);
        ck_assert_uint_eq(f->got, 0);
        close_all();
    }
}
END_TEST

START_TEST(arguments)
{
    static const struct { const char *request, *out; } rows[] = { { "t", "0:" },
                 { "t+", "0:" },
                 { "t+a", "1:a" },
                 { "t+-rf", "1:-rf" },
                 { "t+--", "1:--" },
                 { "t+a+b+", "1:a+b+" },
                 { "t+$(id);*", "1:$(id);*" },
                 { "t+/etc/x", "1:/etc/x" } };
    char line[100];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        open_with("#!/bin/sh\nprintf '%s:%s' $# \"$1\"", 4096);
        snprintf(line, sizeof(line), ":QUBESRPC %s domX", rows[i].request);
        ck_assert_int_eq(fake_run(f, line), 0);
        ck_assert_str_eq(f->text, rows[i].out);
        close_all();
    }
}
END_TEST

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The lines of the call's output, sorted and joined. */
static const char *sorted_output(void)
{
    static char out[8192];
    char *lines[100];
    size_t n = 0;

    for (char *line = strtok(f->text, "\n"); line && n < 100; line = strtok(NULL, "\n"))
        lines[n++] = line;
    qsort(lines, n, sizeof(*lines), compare);
    out[0] = 0;
    for (size_t i = 0; i < n; i++)
        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s\n", lines[i]);
    return out;
}

/* For our own process alone: no child is told. */
static const char *const ours[] = {
    "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "INVOCATION_ID",
    "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MANAGERPID", "MAINPID", "FDSTORE", "MEMORY_PRESSURE_WATCH", "CREDENTIALS_DIRECTORY",
    "STATE_DIRECTORY", "RUNTIME_DIRECTORY", "PWD", "OLDPWD", "SHLVL", "_", "LD_UNIK", "GLIBC_TUNABLES", "QREXEC_X"
};

static void check_environment(const char *request, const char *of_request)
{
    const struct passwd *me = getpwuid(geteuid());
    char line[200], expect[2048];

    open_with(NULL, 65536);
    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("A_LOCAL", "x", 1);
    setenv("HOME", "/nowhere", 1);
    setenv("QREXEC_SERVICE_PATH", "/p", 1);
    setenv("QREXEC_AGENT_PID", "1", 1);
    setenv("QREXEC_REMOTE_DOMAIN", "dom0", 1);
    setenv("QREXEC_REQUESTED_TARGET", "dom0", 1);
    setenv("QREXECUTE", "x", 1);
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
        setenv(ours[i], "x", 1);
    world_link(&w, "rpc/t", "/usr/bin/env");
    world_link(&w, "rpc/t+", "/usr/bin/env");
    world_file(&w, "rpc/t+arg", 0755, "#!/bin/sh\nexec /usr/bin/env -u PWD");
    snprintf(line, sizeof(line), ":QUBESRPC %s", request);
    ck_assert_int_eq(fake_run(f, line), 0);
    snprintf(expect, sizeof(expect), "A_LOCAL=x\nHOME=%s\nLOGNAME=%s\nPATH=/usr/bin:/bin\n%sSHELL=%s\nUSER=%s\n",
             me->pw_dir, w.user, of_request, me->pw_shell, w.user);
    ck_assert_str_eq(sorted_output(), expect);
    close_all();
}

START_TEST(environment)
{
    check_environment("t domX", "QREXEC_REMOTE_DOMAIN=domX\nQREXEC_REQUESTED_TARGET_TYPE=\nQREXEC_SERVICE_FULL_NAME=t\n"
                      "QREXEC_SERVICE_PATH=/p\n");
    check_environment("t+ domX", "QREXEC_REMOTE_DOMAIN=domX\nQREXEC_REQUESTED_TARGET_TYPE=\nQREXEC_SERVICE_ARGUMENT=\n"
                      "QREXEC_SERVICE_FULL_NAME=t+\nQREXEC_SERVICE_PATH=/p\n");
    check_environment("t+arg dom0 name vm1", "QREXEC_REMOTE_DOMAIN=dom0\nQREXEC_REQUESTED_TARGET=vm1\n"
                      "QREXEC_REQUESTED_TARGET_TYPE=name\nQREXEC_SERVICE_ARGUMENT=arg\nQREXEC_SERVICE_FULL_NAME=t+arg\n"
                      "QREXEC_SERVICE_PATH=/p\n");
    check_environment("t dom0 keyword adminvm", "QREXEC_REMOTE_DOMAIN=dom0\nQREXEC_REQUESTED_TARGET_KEYWORD=adminvm\n"
                      "QREXEC_REQUESTED_TARGET_TYPE=keyword\nQREXEC_SERVICE_FULL_NAME=t\nQREXEC_SERVICE_PATH=/p\n");
}
END_TEST

/* Without PATH, with an empty one, with things that are no variables. */
START_TEST(odd_environment)
{
    static char nameless[] = "=x", valueless[] = "VALUELESS", empty[] = "PATH=", local[] = "A_LOCAL=x";
    static char *const rows[][4] = { { local }, { empty, local }, { nameless, valueless, empty, local } };
    static const char usual[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n";
    char **before = environ;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char *now[5] = { rows[i][0], rows[i][1], rows[i][2], rows[i][3], NULL };

        open_with(NULL, 65536);
        world_link(&w, "rpc/t", "/usr/bin/env");
        environ = now;
        ck_assert_int_eq(fake_run(f, ":QUBESRPC t domX"), 0);
        environ = before;
        ck_assert_ptr_nonnull(strstr(f->text, usual));
        ck_assert_ptr_nonnull(strstr(f->text, "A_LOCAL=x\n"));
        ck_assert_ptr_null(strstr(f->text, "PATH=\n"));
        ck_assert_ptr_null(strstr(f->text, "VALUELESS"));
        ck_assert_ptr_null(strstr(f->text, "\n=x"));
        close_all();
    }
}
END_TEST

/* umask and the limit of descriptors, whatever ours are: for ourselves and for another account, commands and services. */
START_TEST(usual_masks_and_limits)
{
    static const char *const requests[] = { ":umask; ulimit -Sn", ":QUBESRPC t domX", "nobody:QUBESRPC t domX" };
    struct rlimit was, started, raised;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
    started = raised = was;
    started.rlim_cur = 300;
    raised.rlim_cur = 1000;
    ck_assert_uint_ge(was.rlim_max, 1000);
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        if (requests[i][0] != ':' && (geteuid() != 0 || !getpwnam("nobody")))
            continue;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &started), 0);
        open_with("#!/bin/sh\numask; ulimit -Sn\n", 4096);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &raised), 0);
        umask(i % 2 ? 0 : 0177);
        ck_assert_int_eq(fake_run(f, requests[i]), 0);
        umask(022);
        ck_assert_str_eq(f->text, "0022\n300\n");
        close_all();
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
}
END_TEST

/* No descriptor of ours, default signals, a session of its own; stdin and stdout are sockets, stderr is a pipe. */
START_TEST(clean_process)
{
    const char *script = "#!/bin/sh\n"
        "readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 | sed 's/:.*//'\n"
        "grep -E '^Sig(Blk|Ign)' /proc/self/status\n"
        "[ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo leader\n"
        "readlink /proc/$$/cwd >/dev/null && echo x >/proc/$$/fd/2\n";
    int plain = dup(0), before = open("/dev/null", O_RDONLY);
    sigset_t block;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, NULL);
    open_with(script, 4096);
    ck_assert_int_eq(fake_run(f, ":QUBESRPC t domX"), 0);
    ck_assert_str_eq(f->text, "socket\nsocket\npipe\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nleader\n");
    ck_assert_str_eq(f->err_text, "x\n");
    ck_assert_ptr_nonnull(strstr(w.log, "t: stderr: x"));
    fake_free(f);
    f = fake_new(&w, 4096);
    world_link(&w, "rpc/ls", "/bin/ls");
    ck_assert_int_eq(fake_run(f, ":QUBESRPC ls+/proc/self/fd domX"), 0);
    ck_assert_str_eq(f->text, "0\n1\n2\n3\n");       /* 3: the folder itself */
    close_all();
    close(plain);
    close(before);
}
END_TEST

START_TEST(stdin_is_one_way)
{
    open_with("#!/bin/sh\ntrap '' PIPE\n(echo into stdin >&0) 2>/dev/null || echo refused\n", 4096);
    ck_assert_int_eq(fake_start(f, ":QUBESRPC t domX", false), 0);
    ck_assert(world_until(&w, fake_closed, f, 300));         /* its input had not ended */
    ck_assert_str_eq(f->text, "refused\n");
    close_all();
}
END_TEST

/* ---- accounts ---- */

START_TEST(commands)
{
    char expect[600];

    open_with(NULL, 65536);
    ck_assert_int_eq(fake_run(f, ":printf '%s ' \"$HOME\" \"$USER\" \"$LOGNAME\"; pwd; exit 7"), 7);
    snprintf(expect, sizeof(expect), "%s %s %s %s\n", getpwuid(geteuid())->pw_dir, w.user, w.user,
             getpwuid(geteuid())->pw_dir);
    ck_assert_str_eq(f->text, expect);
    fake_free(f);
    f = fake_new(&w, 65536);
    ck_assert_int_eq(fake_run(f, ":printf %s \"$0\""), 0);
    ck_assert_str_eq(f->text, "sh");                /* as ourselves: no login shell, which would read profiles */
    if (geteuid() == 0 && getpwnam("sync")) {       /* its shell is /bin/sync, which takes no -c */
        fake_free(f);
        f = fake_new(&w, 65536);
        ck_assert_int_eq(fake_run(f, "sync:true"), 1);
    }
    fake_free(f);
    f = fake_new(&w, 65536);
    ck_assert_int_eq(fake_run(f, "no-such-user:true"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "no such account"));
    close_all();
}
END_TEST

START_TEST(becomes_another)
{
    if (geteuid() != 0 || !getpwnam("nobody"))
        return;
    setenv("A_SECRET", "x", 1);
    ck_assert_int_eq(setgroups(2, (gid_t[]){ 0, 4 }), 0);   /* groups that must not go on */
    open_with("#!/bin/sh\necho $(id -u) $(id -g) $(id -G) "
              "$(grep -c '^Cap[PE].*:.*0000000000000000$' /proc/self/status) "
              "$HOME $USER ${A_SECRET-none}; exit 5\n", 65536);
    world_file(&w, "config/t", 0644, "force-user = 'nobody'\n");
    ck_assert_int_eq(fake_run(f, ":QUBESRPC t domX"), 5);
    ck_assert_str_eq(f->text, "65534 65534 65534 2 /nonexistent nobody none\n");
    fake_free(f);
    f = fake_new(&w, 65536);
    ck_assert_int_eq(fake_run(f, "nobody:QUBESRPC t domX"), 5);
    fake_free(f);
    f = fake_new(&w, 65536);
    chmod(world_path(&w, "rpc/t"), 0700);           /* its owner may run it, nobody may not */
    ck_assert_int_eq(fake_run(f, "nobody:QUBESRPC t domX"), 125);
    ck_assert_ptr_nonnull(strstr(w.log, "as nobody: Permission denied"));
    fake_free(f);
    f = fake_new(&w, 65536);
    ck_assert_int_eq(fake_start(f, "nobody:QUBESRPC t domX", true), 0);
    ck_assert(world_until(&w, fake_closed, f, 300));
    ck_assert_int_eq(f->code, 125);
    ck_assert(world_until(&w, no_children, NULL, 300));
    close_all();
}
END_TEST

START_TEST(cannot_become_another)
{
    pid_t pid;
    int status;

    if (geteuid() != 0 || !getpwnam("nobody"))
        return;
    open_with(NULL, 4096);
    pid = fork();
    if (pid == 0) {
        ck_assert_int_eq(setuid(65534), 0);
        _exit(fake_start(f, "root:true", false) == 125 && strstr(w.log, "only root can change it") &&
              fake_start(f, "nobody:true", false) == 0 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    close_all();
}
END_TEST

START_TEST(groups)
{
    struct qrexec_account a;

    ck_assert_int_eq(qrexec_account_find("root", 4, &a), 0);
    ck_assert_uint_eq(a.uid, 0);
    ck_assert_uint_ge(a.n_groups, 1);
    ck_assert_uint_eq(a.groups[0], a.gid);
    ck_assert_int_eq(qrexec_account_find("roo", 3, &a), -ENOENT);
    ck_assert_int_eq(qrexec_account_find("", 0, &a), -ENOENT);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("qrexec-exec");
    TCase *t = tcase_create("exec");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 900);
    tcase_add_test(t, exit_codes);
    tcase_add_test(t, arguments);
    tcase_add_test(t, environment);
    tcase_add_test(t, odd_environment);
    tcase_add_test(t, usual_masks_and_limits);
    tcase_add_test(t, clean_process);
    tcase_add_test(t, stdin_is_one_way);
    tcase_add_test(t, commands);
    tcase_add_test(t, becomes_another);
    tcase_add_test(t, cannot_become_another);
    tcase_add_test(t, groups);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
