/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/run.c - a unik-dom0 in a folder of its own, commands asked of it, and guests played by peers. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/dom0/run.h"

static void on_exit_of_child(struct ev_loop *loop, ev_child *w, int revents)
{
    struct program *p = w->data;

    (void)revents;
    ev_child_stop(loop, w);
    p->code = WIFSIGNALED(w->rstatus) ? 128 + WTERMSIG(w->rstatus) : WEXITSTATUS(w->rstatus);
    p->ended = true;
}

static void program_start(struct program *p, struct host *h, const char *input, char **argv)
{
    static unsigned serial;
    const char *build = getenv("UNIK_BUILD");
    char path[4096];

    snprintf(path, sizeof(path), "%s/tools/unik-dom0/unik-dom0", build ? build : ".");
    snprintf(p->out_file + strlen(p->out_file), 32, "/out.%u", serial);
    snprintf(p->err_file + strlen(p->err_file), 32, "/err.%u", serial++);
    p->h = h;
    p->pid = fork();
    ck_assert_int_ge(p->pid, 0);
    if (p->pid == 0) {
        int in = open(input ? input : "/dev/null", O_RDONLY);
        int out = open(p->output ? p->output : p->out_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
        int err = open(p->err_file, O_WRONLY | O_CREAT | O_APPEND, 0600);

        if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
            _exit(99);
        closefrom(3);
        execv(path, argv);
        _exit(98);
    }
    ev_child_init(&p->child, on_exit_of_child, p->pid, 0);
    p->child.data = p;
    ev_child_start(ev_default_loop(0), &p->child);
}

/* Words of a text into argv; how many. The text is cut up. */
static int split(char *text, char **argv, int n)
{
    for (char *rest, *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        ck_assert_int_lt(n, RUN_ARGS_MAX - 2);
        argv[n++] = w;
    }
    return n;
}

static size_t read_file(const char *name, char *to, size_t size)
{
    FILE *f = fopen(name, "r");
    size_t n = f ? fread(to, 1, size - 1, f) : 0;

    to[n] = 0;
    if (f)
        fclose(f);
    return n;
}

/* The file has the text now, or within the limit. */
static bool appears(struct run *r, const char *file, const char *text)
{
    ev_tstamp deadline = ev_time() + RUN_SECONDS;

    do {
        read_file(file, r->out, sizeof(r->out));
        if (strstr(r->out, text))
            return true;
        host_run(r->h, 0.005);
    } while (ev_time() < deadline);
    fprintf(stderr, "%s: no \"%s\" in:\n%s\n", file, text, r->out);
    return false;
}

struct run *run_start(const char *options)
{
    struct run *r = calloc(1, sizeof(*r));
    static char program[] = "unik-dom0", start[] = "start", state[] = "--state";
    char *argv[RUN_ARGS_MAX] = { program, start, state };
    char words[2048];

    ck_assert_ptr_nonnull(r);
    r->h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    r->dir = test_dir();
    snprintf(r->vchan, sizeof(r->vchan), "%s/vchan", r->dir);
    snprintf(r->dom0.out_file, sizeof(r->dom0.out_file), "%s", r->dir);
    snprintf(r->dom0.err_file, sizeof(r->dom0.err_file), "%s", r->dir);
    argv[3] = r->dir;
    snprintf(words, sizeof(words), "%s --log debug", options);
    argv[split(words, argv, 4)] = NULL;
    unsetenv("VCHAN_SOCKET_DIR");
    program_start(&r->dom0, r->h, NULL, argv);
    ck_assert(appears(r, r->dom0.out_file, "ready\n"));
    return r;
}

int run_stop(struct run *r)
{
    int code;

    if (!r->dom0.ended)
        kill(r->dom0.pid, SIGTERM);
    if (!host_run_until(r->h, &r->dom0.ended, RUN_SECONDS)) {
        kill(r->dom0.pid, SIGKILL);
        ck_abort_msg("dom0 does not end");
    }
    code = r->dom0.code;
    read_file(r->dom0.err_file, r->out, sizeof(r->out));
    if (strstr(r->out, "ERROR: ") || strstr(r->out, "runtime error"))
        ck_abort_msg("a sanitizer complains: %s", r->out);
    host_free(r->h);
    test_dir_remove(r->dir);
    free(r);
    return code;
}

struct program *run_begin(struct run *r, const char *input, const char *words, const char *last)
{
    return run_begin_into(r, NULL, input, words, last);
}

struct program *run_begin_into(struct run *r, const char *output, const char *input, const char *words, const char *last)
{
    struct program *p = calloc(1, sizeof(*p));
    char *argv[RUN_ARGS_MAX] = { (char *)(uintptr_t)"unik-dom0" };
    char text[2048];
    int n;

    ck_assert_ptr_nonnull(p);
    p->output = output;
    snprintf(p->out_file, sizeof(p->out_file), "%s", r->dir);
    snprintf(p->err_file, sizeof(p->err_file), "%s", r->dir);
    snprintf(text, sizeof(text), "%s", words);
    setenv("UNIK_DOM0_STATE", r->dir, 1);
    n = split(text, argv, 1);
    if (last)
        argv[n++] = (char *)(uintptr_t)last;
    argv[n] = NULL;
    program_start(p, r->h, input, argv);
    return p;
}

int run_end(struct run *r, struct program *p)
{
    int code;

    if (!host_run_until(r->h, &p->ended, RUN_SECONDS)) {
        kill(p->pid, SIGKILL);
        ck_abort_msg("a command does not end");
    }
    code = p->code;
    read_file(p->out_file, r->out, sizeof(r->out));
    unlink(p->out_file);
    unlink(p->err_file);
    free(p);
    return code;
}

int run_command(struct run *r, const char *words, const char *last)
{
    return run_end(r, run_begin(r, NULL, words, last));
}

bool run_said(struct run *r, const struct program *p, const char *text) { return appears(r, p->out_file, text); }
bool run_logged(struct run *r, const char *text) { return appears(r, r->dom0.err_file, text); }

int run_count(struct run *r, const char *text)
{
    int n = 0;

    read_file(r->dom0.err_file, r->out, sizeof(r->out));
    for (const char *p = r->out; (p = strstr(p, text)) != NULL; p++)
        n++;
    return n;
}

const char *run_file(struct run *r, const char *name, const char *text)
{
    static char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", r->dir, name);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    return path;
}

void send_message(struct peer *p, uint32_t type, const void *body, size_t n)
{
    uint8_t head[QREXEC_HEADER];

    qrexec_encode_header(head, type, (uint32_t)n);
    ck_assert(peer_send(p, head, sizeof(head)));
    ck_assert(peer_send(p, body, n));
}

void send_terminated(struct peer *p, uint32_t domain, uint32_t port)
{
    uint8_t message[QREXEC_HEADER + 8];
    int n = qrexec_encode_terminated(message, sizeof(message), domain, port);

    ck_assert_int_eq(n, sizeof(message));
    ck_assert(peer_send(p, message, sizeof(message)));
}

void send_exit(struct peer *p, int code)
{
    uint8_t body[4] = { (uint8_t)code, (uint8_t)(code >> 8), (uint8_t)(code >> 16), (uint8_t)(code >> 24) };

    send_message(p, QREXEC_EXIT_CODE, body, 4);
}

void expect_message(struct peer *p, uint32_t type, const void *body, size_t n)
{
    uint8_t head[QREXEC_HEADER];

    qrexec_encode_header(head, type, (uint32_t)n);
    ck_assert(peer_expect(p, head, sizeof(head)));
    ck_assert(peer_expect(p, body, n));
}

void expect_exec(struct peer *p, uint32_t port, const char *line)
{
    uint8_t pair[8] = { 0, 0, 0, 0, (uint8_t)port, (uint8_t)(port >> 8), 0, 0 }, head[QREXEC_HEADER];

    qrexec_encode_header(head, QREXEC_EXEC_CMDLINE, (uint32_t)(8 + strlen(line) + 1));
    ck_assert(peer_expect(p, head, sizeof(head)));
    ck_assert(peer_expect(p, pair, sizeof(pair)));
    ck_assert(peer_expect(p, line, strlen(line) + 1));
}

struct peer *run_guest(struct run *r, int domid, uint32_t version)
{
    struct peer *p = peer_listen(r->h, r->vchan, domid, 0, QREXEC_PORT);
    uint8_t body[4] = { (uint8_t)version, 0, 0, 0 }, reply[12];

    ck_assert_ptr_nonnull(p);
    ck_assert(peer_accept(p, RUN_SECONDS));
    send_message(p, QREXEC_HELLO, body, 4);
    ck_assert(peer_recv(p, reply, sizeof(reply), RUN_SECONDS));
    return p;
}

struct peer *run_data(struct run *r, unsigned port)
{
    struct peer *p = peer_connect(r->h, r->vchan, 0, 1, port, RUN_SECONDS);
    static const uint8_t three[4] = { 3, 0, 0, 0 };
    uint8_t hello[12];

    ck_assert_ptr_nonnull(p);
    ck_assert(peer_recv(p, hello, sizeof(hello), RUN_SECONDS));
    send_message(p, QREXEC_HELLO, three, 4);
    return p;
}
