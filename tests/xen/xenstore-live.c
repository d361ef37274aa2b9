/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstore-live OPTION... - the plugin xenstore against a real xenstored: a static program to be run in dom0 or a
 * guest.
 *
 *   xenstore-live device=/dev/xen/xenbus          every function, in the domain's own folder data/unik-live
 *   xenstore-live socket=/run/xenstored/socket    the same over the daemon's socket (dom0)
 *   xenstore-live lifecycle OPTION...             runs the plugin lifecycle until dom0 ends it; prints what it is told
 *
 * Prints a line a check; the exit code is the number of those that failed. A guest's Linux handles control/shutdown
 * too: which of the two answers is a matter of luck, and either is fine.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unik/xenstore.h>
#include "tools/host/host.h"

#define SECONDS 30.0
#define MANY 2000
#define FOLDER "data/unik-live"

extern const struct unik_plugin unik_plugin_xenstore, unik_plugin_lifecycle;

static struct host *h;
static struct unik_ctx *ctx;
static struct unik_xenstore *x;
static int failures;

struct answer { bool done; int error; uint32_t tx; size_t len; char value[4097]; };
struct fired { bool done; unsigned n; char path[128]; struct unik_xenstore_watch *w; };

static void report(bool ok, const char *what, const char *detail)
{
    printf("%s %s%s%s\n", ok ? "ok    " : "FAILED", what, detail[0] ? ": " : "", detail);
    failures += !ok;
}

static void on_answer(int error, const char *value, size_t len, void *arg)
{
    struct answer *a = arg;

    a->done = true;
    a->error = error;
    a->len = len;
    memcpy(a->value, value, len + 1);
}

static void on_begun(int error, uint32_t tx, void *arg)
{
    struct answer *a = arg;

    a->done = true;
    a->error = error;
    a->tx = tx;
}

static void on_fire(const char *path, void *arg)
{
    struct fired *f = arg;

    f->done = true;
    f->n++;
    snprintf(f->path, sizeof(f->path), "%s", path);
}

/* Wait for an answer to what was sent with `sent`; its error. */
static int await(int sent, struct answer *a)
{
    if (sent < 0)
        return sent;
    if (!host_run_until(h, &a->done, SECONDS))
        return -ETIMEDOUT;
    return a->error;
}

static int do_read(uint32_t tx, const char *path, struct answer *a)
{
    *a = (struct answer){ 0 };
    return await(x->read(x, NULL, tx, path, on_answer, a), a);
}

static int do_write(uint32_t tx, const char *path, const char *value, size_t n)
{
    struct answer a = { 0 };

    return await(x->write(x, NULL, tx, path, value, n, on_answer, &a), &a);
}

static int do_remove(const char *path)
{
    struct answer a = { 0 };

    return await(x->remove(x, NULL, 0, path, on_answer, &a), &a);
}

static uint32_t do_begin(void)
{
    struct answer a = { 0 };

    return await(x->begin(x, NULL, on_begun, &a), &a) == 0 ? a.tx : 0;
}

static int do_end(uint32_t tx, bool commit)
{
    struct answer a = { 0 };

    return await(x->end(x, NULL, tx, commit, on_answer, &a), &a);
}

static void is(const char *what, int got, int wanted)
{
    char detail[128];

    snprintf(detail, sizeof(detail), "%s", got == wanted ? "" : strerror(-got));
    report(got == wanted, what, detail);
}

/* ---- nodes ---- */

static void nodes(void)
{
    static const struct unik_xenstore_perm perms[] = { { UNIK_XENSTORE_NONE, 0 }, { UNIK_XENSTORE_READ, 5 } };
    struct unik_xenstore_perm mine[2] = { perms[0], perms[1] };
    struct answer a;
    char text[4200], absolute[64];

    mine[0].domid = (unsigned)x->domid(x);
    do_remove(FOLDER);
    is("write makes the folders", do_write(0, FOLDER "/a/b", "value", 5), 0);
    is("read", do_read(0, FOLDER "/a/b", &a), 0);
    report(a.len == 5 && memcmp(a.value, "value", 5) == 0, "it is what was written", "");
    snprintf(absolute, sizeof(absolute), "/local/domain/%d/" FOLDER "/a/b", x->domid(x));
    is("read, absolute", do_read(0, absolute, &a), 0);
    is("read of a folder", do_read(0, FOLDER "/a", &a), 0);
    report(a.len == 0, "a folder's value is empty", "");
    is("empty value", do_write(0, FOLDER "/empty", "", 0), 0);
    is("read it", do_read(0, FOLDER "/empty", &a), 0);
    report(a.len == 0, "it is empty", "");
    is("read of nothing", do_read(0, FOLDER "/nothing", &a), -ENOENT);
    a = (struct answer){ 0 };
    is("directory", await(x->directory(x, NULL, 0, FOLDER, on_answer, &a), &a), 0);
    report(a.len == 8 && memcmp(a.value, "a\0empty", 8) == 0, "both names", "");
    a = (struct answer){ 0 };
    is("make_dir", await(x->make_dir(x, NULL, 0, FOLDER "/d", on_answer, &a), &a), 0);
    a = (struct answer){ 0 };
    is("make_dir again", await(x->make_dir(x, NULL, 0, FOLDER "/d", on_answer, &a), &a), 0);
    a = (struct answer){ 0 };
    is("set_perms", await(x->set_perms(x, NULL, 0, FOLDER "/d", mine, 2, on_answer, &a), &a), 0);
    a = (struct answer){ 0 };
    is("get_perms", await(x->get_perms(x, NULL, 0, FOLDER "/d", on_answer, &a), &a), 0);
    snprintf(text, sizeof(text), "n%u,r5", mine[0].domid);
    for (size_t i = 0; i + 1 < a.len; i++)
        a.value[i] = a.value[i] ? a.value[i] : ',';
    report(strcmp(a.value, text) == 0, "permissions", a.value);
    memset(text, 'v', sizeof(text));
    is("value of 1900", do_write(0, FOLDER "/big", text, 1900), 0);
    is("read it", do_read(0, FOLDER "/big", &a), 0);
    report(a.len == 1900, "1900 bytes", "");
    for (size_t n = 2000; n <= 4200; n += 100) {
        int e = do_write(0, FOLDER "/big", text, n);

        if (e < 0) {
            snprintf(text, sizeof(text), "%zu bytes: %s", n, strerror(-e));
            report(true, "first size refused", text);
            break;
        }
    }
    is("the connection still works", do_read(0, FOLDER "/a/b", &a), 0);
    is("remove all", do_remove(FOLDER), 0);
    is("it is gone", do_read(0, FOLDER "/a/b", &a), -ENOENT);
}

/* The largest message of all: refused by whoever, but nothing may come out of step. */
static void largest(void)
{
    static char text[4097];
    char detail[64] = "";
    struct answer a;
    int e;

    for (size_t n = 4040; n <= 4090; n++) {
        e = do_write(0, "data/x", text, n);
        if (do_read(0, "domid", &a) != 0)
            break;
        if (e < 0 && !detail[0])
            snprintf(detail, sizeof(detail), "%zu is refused: %s", n, strerror(-e));
    }
    report(do_read(0, "domid", &a) == 0, "values of 4040 to 4090 bytes", detail);
    do_remove("data/x");
}

/* ---- transactions ---- */

static void transactions(void)
{
    struct answer a;
    uint32_t t, u;
    int n;

    t = do_begin();
    report(t != 0, "begin", "");
    is("write in it", do_write(t, FOLDER "/t", "1", 1), 0);
    is("read in it", do_read(t, FOLDER "/t", &a), 0);
    is("not seen outside", do_read(0, FOLDER "/t", &a), -ENOENT);
    is("commit", do_end(t, true), 0);
    is("seen now", do_read(0, FOLDER "/t", &a), 0);
    t = do_begin();
    is("read in the next", do_read(t, FOLDER "/t", &a), 0);
    is("overtaken by a write outside", do_write(0, FOLDER "/t", "2", 1), 0);
    do_write(t, FOLDER "/t", "3", 1);
    is("commit of what was overtaken", do_end(t, true), -EAGAIN);
    is("read", do_read(0, FOLDER "/t", &a), 0);
    report(a.value[0] == '2', "the other's value stayed", a.value);
    t = do_begin();
    u = do_begin();
    is("write in the first of two", do_write(t, FOLDER "/t", "4", 1), 0);
    is("write elsewhere in the second", do_write(u, FOLDER "/u", "5", 1), 0);
    is("abort the first", do_end(t, false), 0);
    is("commit the second", do_end(u, true), 0);
    is("read", do_read(0, FOLDER "/t", &a), 0);
    report(a.value[0] == '2', "the aborted value is nowhere", a.value);
    for (n = 0; n < 10 && do_begin(); n++)
        ;
    report(n == 10, "ten open at a time", "");
    t = do_begin();
    report(t == 0, "the eleventh is refused", "");
    /* left open: ended by stop */
}

/* ---- watches ---- */

static bool fires(struct fired *f, unsigned n)
{
    while (f->n < n) {
        f->done = false;
        if (!host_run_until(h, &f->done, SECONDS))
            return false;
    }
    return f->n == n;
}

static void watches(void)
{
    static struct fired a, b, absolute, release, none;      /* those left behind go on firing */
    char path[64];
    struct answer r;

    snprintf(path, sizeof(path), "/local/domain/%d/" FOLDER, x->domid(x));
    x->watch(x, NULL, FOLDER, on_fire, &a, &a.w);
    x->watch(x, NULL, FOLDER, on_fire, &b, &b.w);
    x->watch(x, NULL, path, on_fire, &absolute, &absolute.w);
    x->watch(x, NULL, "@releaseDomain", on_fire, &release, &release.w);
    report(fires(&a, 1) && fires(&b, 1) && fires(&absolute, 1) && fires(&release, 1), "four watches fire at once",
           a.path);
    is("a change", do_write(0, FOLDER "/w", "1", 1), 0);
    report(fires(&a, 2) && strcmp(a.path, FOLDER "/w") == 0, "the relative one fires, relative", a.path);
    report(fires(&b, 2), "its twin too", b.path);
    report(fires(&absolute, 2) && strncmp(absolute.path, path, strlen(path)) == 0, "the absolute one, absolute",
           absolute.path);
    x->unwatch(x, a.w);
    is("a change right behind unwatch", do_write(0, FOLDER "/w", "2", 1), 0);
    report(fires(&b, 3) && a.n == 2, "the removed one is silent", "");
    x->watch(x, NULL, FOLDER "/no/such/node", on_fire, &none, &none.w);
    report(fires(&none, 1), "a watch on nothing fires once", none.path);
    is("read", do_read(0, "domid", &r), 0);
    printf("       events %llu, late %llu\n", (unsigned long long)host_counter(ctx, "events"),
           (unsigned long long)host_counter(ctx, "late_events"));
    /* b, absolute, release, none are left: taken back by stop */
}

/* Watches coming and going among requests in flight: where Linux's device can lock up. */
static void mixed(void)
{
    struct fired f[8] = { 0 };
    struct answer a[8];

    for (int i = 0; i < 50; i++) {
        memset(a, 0, sizeof(a));
        for (int k = 0; k < 8; k++) {
            x->write(x, NULL, 0, FOLDER "/mixed", "1", 1, on_answer, &a[k]);
            if (f[k].w)
                x->unwatch(x, f[k].w);
            x->watch(x, NULL, FOLDER, on_fire, &f[k], &f[k].w);
        }
        for (int k = 0; k < 8; k++)
            if (await(0, &a[k]) < 0) {
                report(false, "watches among requests", strerror(-a[k].error));
                return;
            }
    }
    for (int k = 0; k < 8; k++)
        x->unwatch(x, f[k].w);
    report(f[0].n >= 50, "watches among requests", "");
}

/* Many different requests at once, of one length and of many: each node has its own value in the end. */
static void distinct(void)
{
    static struct answer a[100];
    char path[64], value[300], detail[64];
    unsigned wrong = 0;

    for (unsigned round = 0; round < 5; round++) {
        memset(a, 0, sizeof(a));
        for (unsigned i = 0; i < 100; i++) {
            memset(value, 'x', sizeof(value));
            snprintf(path, sizeof(path), FOLDER "/n%u", i);
            snprintf(value, sizeof(value), "%u.%u", round, i);
            x->write(x, NULL, 0, path, value, round % 2 ? 5 + i : 5, on_answer, &a[i]);
        }
        for (unsigned i = 0; i < 100; i++)
            wrong += await(0, &a[i]) != 0;
        memset(a, 0, sizeof(a));
        for (unsigned i = 0; i < 100; i++) {
            snprintf(path, sizeof(path), FOLDER "/n%u", i);
            x->read(x, NULL, 0, path, on_answer, &a[i]);
        }
        for (unsigned i = 0; i < 100; i++) {
            snprintf(value, sizeof(value), "%u.%u", round, i);
            wrong += await(0, &a[i]) != 0 || strncmp(a[i].value, value, 5) != 0;
        }
    }
    snprintf(detail, sizeof(detail), "%u of 1000 wrong", wrong);
    report(wrong == 0, "different requests at once", detail);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), FOLDER "/n%u", i);
        wrong += do_remove(path) != 0;
    }
    report(wrong == 0, "removed them", "");
}

/* ---- many ---- */

struct many { unsigned sent, got, wrong; bool done; };

static void on_many(int error, const char *value, size_t len, void *arg)
{
    struct many *m = arg;

    m->wrong += error || len != 1 || value[0] != 'v';
    m->got++;
    if (m->sent < MANY && x->read(x, NULL, 0, FOLDER "/many", on_many, m) == 0)
        m->sent++;
    m->done = m->got == MANY;
}

static void many(unsigned in_flight)
{
    struct many m = { 0 };
    char detail[96];
    double t;

    do_write(0, FOLDER "/many", "v", 1);
    t = ev_time();
    for (; m.sent < in_flight; m.sent++)
        x->read(x, NULL, 0, FOLDER "/many", on_many, &m);
    host_run_until(h, &m.done, 10 * SECONDS);
    t = ev_time() - t;
    snprintf(detail, sizeof(detail), "%.2f s, %.0f us each", t, t / MANY * 1e6);
    printf("       %u in flight: ", in_flight);
    report(m.got == MANY && !m.wrong, "2,000 reads", detail);
}

/* What a device does with writes that are not one whole message: facts the plugin relies on. Says, does not judge. */
static void probe_device(const char *path)
{
    static const uint8_t two[] = { 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 'd', 'o', 'm', 'i', 'd', 0,
                                   2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 'n', 'a', 'm', 'e', 0 };
    static uint8_t large[4120] = { 11, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0 };
    uint8_t in[256];
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ssize_t n, k = 0, all = 0;

    if (fd < 0)
        return;
    n = write(fd, two, sizeof(two));
    for (int i = 0; i < 50; i++, usleep(2000))
        if ((k = read(fd, in + all, sizeof(in) - (size_t)all)) > 0)
            all += k;
    printf("       two messages of 43 bytes in one write: %zd taken, %zd bytes came back", n, all);
    n = write(fd, two, sizeof(two) - 21);
    usleep(20000);
    printf("; the next: %zd", read(fd, in, sizeof(in)));
    n = write(fd, large, 4112);
    printf("; 4112 at once: %zd (%s)\n", n, n < 0 ? strerror(errno) : "");
    close(fd);
}

/* ---- lifecycle ---- */

static void on_log(struct unik_ctx *c, enum unik_level level, const char *line, void *arg)
{
    (void)arg;
    if (level <= UNIK_INFO)
        printf("       [%s] %s\n", c->plugin->name, line);
}

static int lifecycle(void)
{
    struct unik_ctx *l = host_add(h, &unik_plugin_lifecycle, NULL);

    if (!l || host_start(l) < 0)
        return 1;
    host_run(h, 0.3);
    printf("lifecycle: state %d %s\n", (int)host_state(l), host_reason(l));
    for (int i = 0; i < 600 && host_ended(h) < 0; i++)
        host_run(h, 0.1);
    printf("lifecycle: ended %d, acknowledged %llu\n", host_ended(h),
           (unsigned long long)host_counter(l, "acknowledged"));
    host_stop_wait(l, 2);
    host_stop_wait(ctx, 2);
    return host_ended(h) < 0;
}

int main(int argc, char **argv)
{
    bool live = argc > 1 && strcmp(argv[1], "lifecycle") == 0;
    int first = live ? 2 : 1;
    double t = ev_time();
    char detail[64];

    setvbuf(stdout, NULL, _IOLBF, 0);
    h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    host_on_log(h, on_log, NULL);
    ctx = host_add(h, &unik_plugin_xenstore, (const char *const *)&argv[first]);
    if (!ctx || host_start(ctx) < 0 || !host_wait(ctx, HOST_READY, SECONDS)) {
        report(false, "start", ctx ? host_reason(ctx) : "");
        return 1;
    }
    snprintf(detail, sizeof(detail), "domain %d, ready after %.1f ms", ((struct unik_xenstore *)
             host_interface(h, "xenstore/1"))->domid(host_interface(h, "xenstore/1")), (ev_time() - t) * 1e3);
    report(true, "start", detail);
    x = host_interface(h, "xenstore/1");
    if (live)
        return lifecycle();
    nodes();
    largest();
    watches();
    mixed();
    distinct();
    many(1);
    many(100);
    transactions();
    t = ev_time();
    host_stop_wait(ctx, 5);
    snprintf(detail, sizeof(detail), "%.1f ms", (ev_time() - t) * 1e3);
    report(host_counter(ctx, "in_flight") == 0 && ev_time() - t < 1, "stop with watches and transactions open", detail);
    report(host_counter(ctx, "bad") == 0 && host_counter(ctx, "stray") == 0, "nothing bad, nothing stray", "");
    host_free(h);
    if (argc > 1 && strncmp(argv[1], "device=", 7) == 0)
        probe_device(argv[1] + 7);
    printf("%s\n", failures ? "FAIL" : "PASS");
    return failures;
}
