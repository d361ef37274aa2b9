/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/epoll.c - epoll(7). A descriptor that may have become ready is put on a list; a wait looks only at that list. Kinds of
 * files that do not say when they become ready (unannounced) stay on it; for them EPOLLET is not an edge. */
#include "boot/linux.h"

#define ALWAYS (POLLERR | POLLHUP)

struct links { struct links *before, *after; };

struct interest {
    struct links candidate;     /* first: a link of the list is the interest; alone: not on it */
    struct epoll *of;
    struct file *file;
    uint32_t fd;                /* as it was added: file and number together are the key */
    uint32_t events;
    uint64_t data;
    bool disabled;              /* EPOLLONESHOT, reported */
    struct interest *next_watcher;          /* of the file */
    struct interest *next, *before;         /* of the epoll */
};

struct epoll {
    struct file file;
    struct interest *all;
    struct links candidates;
    unsigned holds_epolls;      /* among its interests */
};

static struct epoll *epoll_of(struct file *f) { return (struct epoll *)(void *)f; }

/* ---- the list ---- */

static bool on_list(const struct interest *i) { return i->candidate.after != &i->candidate; }

static void remove(struct links *l)
{
    l->before->after = l->after;
    l->after->before = l->before;
    l->before = l->after = l;
}

static void append(struct epoll *e, struct links *l)
{
    l->before = e->candidates.before;
    l->after = &e->candidates;
    l->before->after = l;
    e->candidates.before = l;
}

static void candidate(struct interest *i)
{
    if (i->disabled || on_list(i))
        return;
    append(i->of, &i->candidate);
    file_ready(&i->of->file);
}

void epoll_ready(struct file *f)
{
    for (struct interest *i = f->watchers; i; i = i->next_watcher)
        candidate(i);
}

/* What holds of what is wanted. */
static uint32_t holds(const struct interest *i)
{
    return i->file->ops->poll(i->file) & (i->events | ALWAYS) & 0xffffu;
}

/* Up to n events that hold, in turn: what was told goes to the end of the list. */
static int64_t collect(struct epoll *e, uint64_t to, size_t n)
{
    struct linux_epoll_event event;
    struct links kept = { &kept, &kept }, *l;
    size_t done = 0;
    int64_t error = 0;

    while (done < n && (l = e->candidates.after) != &e->candidates) {
        struct interest *i = (struct interest *)(void *)l;
        uint32_t now = holds(i);

        remove(l);
        if (now) {
            event = (struct linux_epoll_event){ now, i->data };
            if (user_out(to + done * sizeof(event), &event, sizeof(event)) < 0) {
                append(e, l);
                error = -EFAULT;
                break;
            }
            done++;
            i->disabled = i->events & EPOLLONESHOT;
        }
        if (!i->disabled && (i->file->ops->unannounced || (now && !(i->events & EPOLLET)))) {
            l->before = kept.before;
            l->after = &kept;
            l->before->after = l;
            kept.before = l;
        }
    }
    while ((l = kept.after) != &kept) {
        remove(l);
        append(e, l);
    }
    return done ? (int64_t)done : error;
}

static unsigned op_poll(struct file *f)
{
    struct epoll *e = epoll_of(f);

    for (struct links *l = e->candidates.after, *after; l != &e->candidates; l = after) {
        struct interest *i = (struct interest *)(void *)l;

        after = l->after;
        if (holds(i))
            return POLLIN;
        if (!i->file->ops->unannounced)
            remove(l);
    }
    return 0;
}

/* ---- what is looked at ---- */

static void drop(struct interest *i)
{
    struct interest **p = &i->file->watchers;

    while (*p != i)
        p = &(*p)->next_watcher;
    *p = i->next_watcher;
    if (i->before)
        i->before->next = i->next;
    else
        i->of->all = i->next;
    if (i->next)
        i->next->before = i->before;
    remove(&i->candidate);
    i->of->holds_epolls -= i->file->ops->poll == op_poll;
    pool_put(i, sizeof(*i));
}

void epoll_forget(struct file *f)
{
    while (f->watchers)
        drop(f->watchers);
}

static void op_close(struct file *f)
{
    struct epoll *e = epoll_of(f);

    while (e->all)
        drop(e->all);
    pool_put(e, sizeof(*e));
}

/* An epoll in an epoll may itself be ready without a word. */
static const struct file_ops epoll_ops = { .poll = op_poll, .close = op_close, .mode = 0600, .unannounced = true };

static int64_t add(struct epoll *e, struct file *f, uint32_t fd, const struct linux_epoll_event *event)
{
    struct interest *i = pool_get(sizeof(*i));

    if (!i)
        return -ENOMEM;
    *i = (struct interest){ .of = e, .file = f, .fd = fd, .events = event->events, .data = event->data,
                            .next_watcher = f->watchers, .next = e->all };
    i->candidate.before = i->candidate.after = &i->candidate;
    f->watchers = i;
    if (e->all)
        e->all->before = i;
    e->all = i;
    e->holds_epolls += f->ops == &epoll_ops;
    candidate(i);
    return 0;
}

/* ---- system calls ---- */

static int64_t make(uint64_t flags)
{
    struct epoll *e;

    if (flags & ~(uint64_t)O_CLOEXEC)
        return -EINVAL;
    e = pool_get(sizeof(*e));
    if (!e)
        return -ENOMEM;
    file_init(&e->file, &epoll_ops, O_RDWR);
    e->candidates.before = e->candidates.after = &e->candidates;
    return fd_new(&e->file, (unsigned)flags);
}

int64_t sys_epoll_create(const uint64_t a[6]) { return (int32_t)a[0] > 0 ? make(0) : -EINVAL; }
int64_t sys_epoll_create1(const uint64_t a[6]) { return make((uint32_t)a[0]); }

/* Two storeys at most, which also keeps rings from being made: Linux allows five. */
static int64_t nested(const struct epoll *e, struct file *f)
{
    return f->ops == &epoll_ops && (epoll_of(f)->holds_epolls || e->file.watchers) ? -ELOOP : 0;
}

int64_t sys_epoll_ctl(const uint64_t a[6])
{
    struct file *ef = fd_file(a[0]), *f = fd_file(a[2]);
    struct linux_epoll_event event = { 0, 0 };
    struct interest *i;
    int64_t error;

    if (a[1] != EPOLL_CTL_DEL && user_in(&event, a[3], sizeof(event)) < 0)
        return -EFAULT;
    if (!ef || !f)
        return -EBADF;
    if (!f->ops->poll)
        return -EPERM;
    if (ef->ops != &epoll_ops || f == ef)
        return -EINVAL;
    for (i = f->watchers; i && !(&i->of->file == ef && i->fd == (uint32_t)a[2]); i = i->next_watcher)
        ;
    switch ((int32_t)a[1]) {
    case EPOLL_CTL_ADD:
        error = i ? -EEXIST : nested(epoll_of(ef), f);
        return error < 0 ? error : add(epoll_of(ef), f, (uint32_t)a[2], &event);
    case EPOLL_CTL_DEL:
        if (!i)
            return -ENOENT;
        drop(i);
        return 0;
    case EPOLL_CTL_MOD:
        if (!i)
            return -ENOENT;
        i->events = event.events;
        i->data = event.data;
        i->disabled = false;
        candidate(i);
        return 0;
    }
    return -EINVAL;
}

/* The clock is read only if nothing is there. ns: NEVER, or how long at most. */
static int64_t wait(const uint64_t a[6], uint64_t ns)
{
    struct file *f = fd_file(a[0]);
    bool waiting = true;
    uint64_t deadline;
    int64_t n;

    if ((int32_t)a[2] <= 0 || (uint64_t)(uint32_t)a[2] > INT32_MAX / sizeof(struct linux_epoll_event))
        return -EINVAL;
    if (!f)
        return -EBADF;
    if (f->ops != &epoll_ops)
        return -EINVAL;
    n = collect(epoll_of(f), a[1], (uint32_t)a[2]);
    if (n || !ns)
        return n;
    for (deadline = deadline_after(ns); !n && waiting; n = collect(epoll_of(f), a[1], (uint32_t)a[2]))
        waiting = linux_wait(deadline);
    return n;
}

/* The signal mask of epoll_pwait is nothing here. */
int64_t sys_epoll_wait(const uint64_t a[6])
{
    int32_t ms = (int32_t)a[3];

    return wait(a, ms < 0 ? NEVER : (uint64_t)ms * 1000000);
}

int64_t sys_epoll_pwait2(const uint64_t a[6])
{
    uint64_t ns = NEVER;
    int e = a[3] ? time_in(a[3], &ns) : 0;

    return e < 0 ? e : wait(a, ns);
}
