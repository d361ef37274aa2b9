/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/watchers.c - which watchers are active, and whose they are, in the dynamic program.
 *
 * libev does not tell. But plugins, and libev itself, find its functions by their names, which means those here; they note the
 * watcher and go on to libev's. Whose it is, its callback's address says: it lies in one plugin's object.
 *
 * A watcher that is left behind lies in memory that its plugin may have freed, and then nobody can stop it any more. So an app's
 * are taken out of the loop before its stop(), and look as if they were active: those that stop() has not stopped were left behind.
 * Where the plugin has not stopped with that, they go on. What is left behind later, or by others, is looked at in the moment in
 * which the plugin has stopped: what was freed then is still as it was, but for the first bytes that malloc() uses. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "supervisor/watchers.h"

#define TABLE_FIRST 256                 /* places; a power of two */

/* Those that a loop of libev 4 has. */
enum kind { IO, TIMER, PERIODIC, SIGNAL, CHILD, STAT, IDLE, PREPARE, CHECK, EMBED, FORK, CLEANUP, ASYNC, KINDS };

/* What is noted of an active watcher. */
struct note {
    struct ev_watcher *w;               /* NULL: a free place */
    struct ev_loop *loop;
    const void *cb;
    int priority;
    enum kind kind;
    bool suspended;                     /* not in the loop: only its active field says so */
    int pending;                        /* suspended: the events that it was about to get */
};

static struct note *table;              /* open addressing, at most half full */
static size_t size, used;

static size_t place_of(const void *w) { return (size_t)((uintptr_t)w * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (size - 1); }

static struct note *find(const void *w)
{
    size_t i = place_of(w);

    while (table[i].w && table[i].w != w)
        i = (i + 1) & (size - 1);
    return &table[i];
}

static bool grow(void)
{
    struct note *old = table;
    size_t n = size, wanted = size ? size * 2 : TABLE_FIRST;
    struct note *bigger = calloc(wanted, sizeof(*bigger));

    if (!bigger)
        return false;                   /* what is not noted is not found: no worse than without us */
    table = bigger;
    size = wanted;
    for (size_t i = 0; i < n; i++)
        if (old[i].w)
            *find(old[i].w) = old[i];
    free(old);
    return true;
}

static void note(struct ev_loop *loop, struct ev_watcher *w, enum kind kind)
{
    struct note *at;

    if (used * 2 >= size && !grow())
        return;
    at = find(w);
    used += !at->w;
    *at = (struct note){ .w = w, .loop = loop, .cb = (const void *)(uintptr_t)ev_cb(w), .priority = ev_priority(w), .kind = kind };
}

/* Those behind it move up, as far as that brings them nearer to where they are looked for. */
static void forget(const struct ev_watcher *w)
{
    struct note *at = size ? find(w) : NULL;
    size_t hole, i;

    if (!at || !at->w)
        return;
    hole = i = (size_t)(at - table);
    for (;;) {
        i = (i + 1) & (size - 1);
        if (!table[i].w)
            break;
        if (((i - place_of(table[i].w)) & (size - 1)) < ((i - hole) & (size - 1)))
            continue;
        table[hole] = table[i];
        hole = i;
    }
    table[hole].w = NULL;
    used--;
}

/* ---- libev's functions, by their names ---- */

typedef void call(struct ev_loop *loop, struct ev_watcher *w);

static const char *const kinds[KINDS] = {
    [IO] = "io", [TIMER] = "timer", [PERIODIC] = "periodic", [SIGNAL] = "signal", [CHILD] = "child", [STAT] = "stat",
    [IDLE] = "idle", [PREPARE] = "prepare", [CHECK] = "check", [EMBED] = "embed", [FORK] = "fork", [CLEANUP] = "cleanup",
    [ASYNC] = "async"
};

static void *libevs(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();                        /* we are linked with it */
    return found;
}

static void really(bool start, struct ev_loop *loop, struct ev_watcher *w, enum kind kind)
{
    static call *found[KINDS][2];
    char name[32];

    if (!found[kind][start]) {
        snprintf(name, sizeof(name), "ev_%s_%s", kinds[kind], start ? "start" : "stop");
        *(void **)&found[kind][start] = libevs(name);
    }
    found[kind][start](loop, w);
}

static struct note *suspended(const void *w)
{
    struct note *at = size ? find(w) : NULL;

    return at && at->w && at->suspended ? at : NULL;
}

static void begin(struct ev_loop *loop, void *w, enum kind kind)
{
    if (suspended(w))
        return;                         /* as any active one */
    really(true, loop, w, kind);
    note(loop, w, kind);
}

static void end(struct ev_loop *loop, void *w, enum kind kind)
{
    if (suspended(w))
        ((struct ev_watcher *)w)->active = 0;
    else
        really(false, loop, w, kind);
    forget(w);
}

#define OURS __attribute__((visibility("default")))
#define BOTH(type, kind) \
    OURS void type##_start(struct ev_loop *loop, type *w) { begin(loop, w, kind); } \
    OURS void type##_stop(struct ev_loop *loop, type *w) { end(loop, w, kind); }

BOTH(ev_io, IO)
BOTH(ev_timer, TIMER)
BOTH(ev_periodic, PERIODIC)
BOTH(ev_signal, SIGNAL)
BOTH(ev_child, CHILD)
BOTH(ev_stat, STAT)
BOTH(ev_idle, IDLE)
BOTH(ev_prepare, PREPARE)
BOTH(ev_check, CHECK)
BOTH(ev_embed, EMBED)
BOTH(ev_fork, FORK)
BOTH(ev_cleanup, CLEANUP)
BOTH(ev_async, ASYNC)

/* It starts and stops by name, but it moves an active one. */
OURS void ev_timer_again(struct ev_loop *loop, ev_timer *w)
{
    static void (*real)(struct ev_loop *, ev_timer *);

    if (!real)
        *(void **)&real = libevs("ev_timer_again");
    if (suspended(w))
        end(loop, w, TIMER);
    real(loop, w);
}

/* What it waits for is libev's, and nobody can stop it: the object of the callback is never unmapped then. */
OURS void ev_once(struct ev_loop *loop, int fd, int events, double timeout, void (*cb)(int revents, void *arg), void *arg)
{
    static void (*real)(struct ev_loop *, int, int, double, void (*)(int, void *), void *);
    Dl_info i;

    if (!real)
        *(void **)&real = libevs("ev_once");
    if (dladdr((const void *)(uintptr_t)cb, &i))
        dlopen(i.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    real(loop, fd, events, timeout, cb, arg);
}

/* ---- what is left behind ---- */

static const void *object_of(const void *address)
{
    Dl_info i;

    return address && dladdr(address, &i) ? i.dli_fbase : NULL;
}

static const void *object_of_unit(const struct unit *u)
{
    return u->loaded.object.handle ? object_of(u->loaded.symbol) : NULL;
}

/* 1: as it was when it was started; 0: not active any more; -EFAULT: its memory is gone, or somebody else's. */
static int look_at(const struct note *n)
{
    struct ev_watcher now;
    struct iovec here = { &now, sizeof(now) }, there = { n->w, sizeof(now) };

    if (process_vm_readv(getpid(), &here, 1, &there, 1, 0) != (ssize_t)sizeof(now))
        return errno == ENOSYS || errno == EPERM ? 1 : -EFAULT;     /* it cannot be known here */
    if ((const void *)(uintptr_t)ev_cb(&now) != n->cb || now.priority != n->priority)
        return -EFAULT;
    return ev_is_active(&now);
}

/* One of the object's from this place on; NULL: there is none. */
static struct note *next_of(const void *object, bool is_suspended, size_t from)
{
    for (size_t i = from; object && i < size; i++)
        if (table[i].w && table[i].suspended == is_suspended && object_of(table[i].cb) == object)
            return &table[i];
    return NULL;
}

static void tell(struct unit *u, const unsigned found[KINDS])
{
    char line[300];
    struct unik_text t;

    unik_text_init(&t, line, sizeof(line));
    for (size_t i = 0; i < KINDS; i++)
        if (found[i])
            unik_text_add(&t, " %s %u", kinds[i], found[i]);
    if (*line)
        log_line(&u->log, UNIK_WARNING, "stopped and left behind active watchers:%s", line);
}

int watchers_left(struct unit *u)
{
    const void *object = object_of_unit(u);
    unsigned found[KINDS] = { 0 }, gone = 0;
    struct note *at;

    while ((at = next_of(object, false, 0)) != NULL) {
        struct note left = *at;
        int active = look_at(&left);

        forget(left.w);
        if (active > 0)
            really(false, left.loop, left.w, left.kind);
        found[left.kind] += active != 0;
        gone += active < 0;
    }
    tell(u, found);
    if (gone)
        log_line(&u->log, UNIK_ERROR, "the memory of %u of them is used for something else already", gone);
    return gone ? -EFAULT : 0;
}

/* The others would lose what they are told of meanwhile. */
static bool can_be_suspended(enum kind kind)
{
    return kind == IO || kind == TIMER || kind == PERIODIC || kind == IDLE || kind == PREPARE || kind == CHECK;
}

void watchers_suspend(struct unit *u)
{
    const void *object = u->app ? object_of_unit(u) : NULL;

    for (struct note *n = table; (n = next_of(object, false, (size_t)(n - table))) != NULL; n++) {
        if (!can_be_suspended(n->kind) || !ev_is_active(n->w))
            continue;
        n->suspended = true;
        n->pending = ev_clear_pending(n->loop, n->w);
        really(false, n->loop, n->w, n->kind);
        n->w->active = 1;
    }
}

void watchers_resume(struct unit *u, bool stopped)
{
    const void *object = u->app ? object_of_unit(u) : NULL;
    unsigned found[KINDS] = { 0 };
    struct note *at;

    while ((at = next_of(object, true, 0)) != NULL) {
        struct note n = *at;

        forget(n.w);
        if (stopped || look_at(&n) < 0) {
            found[n.kind]++;
            continue;
        }
        n.w->active = 0;
        begin(n.loop, n.w, n.kind);
        if (n.pending)
            ev_feed_event(n.loop, n.w, n.pending);
    }
    tell(u, found);
}
