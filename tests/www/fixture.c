/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/www/fixture.c - see fixture.h. Used by tests and by fuzz-http, so a failure aborts. */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/www/fixture.h"

#define MUST(x) do { if (!(x)) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); abort(); } } while (0)

static struct fixture *self;            /* of the fakes: one at a time */

static int fake_listen(struct unik_net *n, struct unik_ctx *owner, const char *address, unsigned *port,
                       int backlog, unik_net_accept_cb *cb, void *arg, struct unik_net_listener **out)
{
    (void)n, (void)address;
    MUST(owner != NULL);
    self->listen_calls++;
    if (self->listen_error)
        return self->listen_error;
    MUST(backlog > 0 && !self->accept);
    self->listen_port = *port;
    self->accept = cb;
    self->accept_arg = arg;
    *out = (struct unik_net_listener *)(void *)self;
    return 0;
}

static void fake_unlisten(struct unik_net *n, struct unik_net_listener *l)
{
    (void)n;
    MUST((void *)l == (void *)self && self->accept);
    self->accept = NULL;
}

static int fake_serve(struct unik_qrexec *q, struct unik_ctx *ctx, const char *name, unik_qrexec_handler *handler,
                      void *arg, struct unik_qrexec_service **out)
{
    bool get = strcmp(name, "www.Get") == 0;

    (void)q;
    MUST(ctx == self->www);
    if (self->serve_error)
        return self->serve_error;
    *(get ? &self->get : &self->tcp) = handler;
    if (!get)
        snprintf(self->tcp_name, sizeof(self->tcp_name), "%s", name);
    self->handler_arg = arg;
    *out = (struct unik_qrexec_service *)(void *)(get ? &self->get : &self->tcp);
    return 0;
}

static void fake_unserve(struct unik_qrexec *q, struct unik_qrexec_service *s)
{
    (void)q;
    *(unik_qrexec_handler **)(void *)s = NULL;
}

static ssize_t fake_write_err(struct unik_qrexec_call *call, const void *bytes, size_t n)
{
    size_t had = strlen(self->err);

    (void)call;
    snprintf(self->err + had, sizeof(self->err) - had, "%.*s", (int)n, (const char *)bytes);
    return (ssize_t)n;
}

static void on_log(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    struct fixture *f = arg;

    (void)ctx;
    if (level <= UNIK_WARNING)
        snprintf(f->last_log, sizeof(f->last_log), "%s", line);
}

void fixture_file(struct fixture *f, const char *name, const void *bytes, size_t n)
{
    /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct timespec old[2] = { { 784111777, 0 }, { 784111777, 500 } };
    char path[400];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    MUST(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && futimens(fd, old) == 0 && close(fd) == 0);
}

static void folder(struct fixture *f, const char *name)
{
    char path[400];

    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    MUST(mkdir(path, 0755) == 0);
}

static void link_to(struct fixture *f, const char *name, const char *target)
{
    char path[400];

    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    MUST(symlink(target, path) == 0);
}

void fixture_open(struct fixture *f)
{
    static char big[300000];
    char path[400];

    memset(f, 0, sizeof(*f));
    self = f;
    snprintf(f->folder, sizeof(f->folder), "/tmp/unik-www-XXXXXX");
    MUST(mkdtemp(f->folder));
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)('a' + i % 23 + i / 4096 % 3);
    fixture_file(f, "index.html", "<p>hello\n", 9);
    fixture_file(f, "ten.txt", "0123456789", 10);
    fixture_file(f, "empty", "", 0);
    fixture_file(f, "big.bin", big, sizeof(big));
    fixture_file(f, "a b+c%.css", "x{}", 3);
    fixture_file(f, ".secret", "secret", 6);
    folder(f, "sub");
    folder(f, "sub/none");
    folder(f, ".hidden");
    fixture_file(f, "sub/index.html", "sub\n", 4);
    fixture_file(f, "sub/page.html", "page\n", 5);
    fixture_file(f, ".hidden/page.html", "hidden", 6);
    link_to(f, "inside", "sub/page.html");
    link_to(f, "outside", "/etc/passwd");
    link_to(f, "up", "../");
    link_to(f, "loop", "loop");
    snprintf(path, sizeof(path), "%s/fifo", f->folder);
    MUST(mkfifo(path, 0644) == 0);
}

void fixture_start(struct fixture *f, const char *const *options)
{
    const char *all[20] = { NULL };
    char root[100];
    size_t n = 1;

    snprintf(root, sizeof(root), "root=%s", f->folder);
    all[0] = root;
    while (options && *options && n < 19)
        all[n++] = *options++;
    f->net = (struct unik_net){ .size = sizeof(f->net), .listen = fake_listen, .unlisten = fake_unlisten };
    f->qrexec = (struct unik_qrexec){ .size = sizeof(f->qrexec), .serve = fake_serve, .unserve = fake_unserve,
                                      .write_err = fake_write_err };
    f->h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    host_on_log(f->h, on_log, f);
    f->www = host_add(f->h, &unik_plugin_www, all);
    MUST(f->www && host_start(f->www) == 0);
}

void fixture_stop(struct fixture *f)
{
    host_stop_wait(f->www, 5);
    MUST(host_state(f->www) == HOST_STOPPED && !f->accept && !f->tcp && !f->get);
    for (int i = 0; i < 100 && mem_open; i++)
        host_run(f->h, 0.001);
    MUST(mem_open == 0 && host_counter(f->www, "connections") == 0 && host_counter(f->www, "cache_bytes") == 0);
    host_run(f->h, 0.001);
    host_free(f->h);
    f->h = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

void fixture_close(struct fixture *f) { MUST(nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0); }

struct unik_stream *fixture_connect(struct fixture *f, const struct mem_options *o)
{
    static const struct mem_options usual;
    struct unik_stream *end[2];

    mem_pair(ev_default_loop(0), o ? o : &usual, end);
    MUST(f->accept);
    f->accept(end[0], f->accept_arg);
    return end[1];
}

void fixture_write(struct fixture *f, struct unik_stream *s, const void *bytes, size_t n)
{
    for (int idle = 0; n && idle < 1000; idle++) {
        ssize_t k = unik_stream_write(s, bytes, n);

        if (k < 0)                      /* the server has closed: tests see it in what it answered */
            return;
        bytes = (const char *)bytes + k;
        n -= (size_t)k;
        idle = k > 0 || mem_active ? 0 : idle;
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    }
    (void)f;
}

size_t fixture_read(struct fixture *f, struct unik_stream *s, char *buf, size_t n)
{
    size_t done = 0;

    (void)f;
    for (int idle = 0; done < n && idle < 50; idle++) {
        ssize_t k = unik_stream_read(s, buf + done, n - done);

        if (k == 0 || (k < 0 && k != -EAGAIN))
            break;
        if (k > 0) {
            done += (size_t)k;
        }
        idle = k > 0 || mem_active ? 0 : idle;
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    }
    return done;
}

size_t fixture_ask(struct fixture *f, const struct mem_options *o, const void *request, size_t n, char *answer,
                   size_t size)
{
    struct unik_stream *s = fixture_connect(f, o);
    size_t done = 0;

    for (int idle = 0; idle < 50; idle++) {
        ssize_t k = n ? unik_stream_write(s, request, n) : 0, got;

        if (k > 0) {
            request = (const char *)request + k;
            n -= (size_t)k;
            if (n == 0)
                unik_stream_shut(s);
        }
        got = done < size - 1 ? unik_stream_read(s, answer + done, size - 1 - done) : 0;
        if (got == 0 || (got < 0 && got != -EAGAIN))
            break;
        done += got > 0 ? (size_t)got : 0;
        idle = k > 0 || got > 0 || mem_active ? 0 : idle;
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    }
    answer[done] = 0;
    unik_stream_close(s);
    ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    return done;
}

struct unik_stream *fixture_call(struct fixture *f, bool tcp, const char *argument, const struct mem_options *o,
                                 struct unik_qrexec_call **call)
{
    static const struct mem_options usual;
    struct unik_stream *end[2];

    mem_pair(ev_default_loop(0), o ? o : &usual, end);
    *call = calloc(1, sizeof(**call));
    MUST(*call && (tcp ? f->tcp : f->get));
    **call = (struct unik_qrexec_call){ .io = end[0], .service = tcp ? "qubes.ConnectTCP" : "www.Get",
                                        .argument = argument, .peer = "work", .user = "user" };
    f->err[0] = 0;
    (tcp ? f->tcp : f->get)(*call, f->handler_arg);
    return end[1];
}
