/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/slow-feed.c - which callback the loop calls next, in the dynamic program.
 *
 * libev calls one callback after another, and between two of them nobody else. But each of them was queued by ev_feed_event(), and
 * libev calls that one as any program does: by its name, which means the one here. So behind each watcher a marker of ours is queued,
 * which is called just before it, as the last one in is the first one out. */
#include <dlfcn.h>
#include <stdlib.h>

#include "supervisor/slow.h"

struct marker {
    ev_prepare watcher;                 /* never started: only fed */
    const void *cb;                     /* of whom comes next */
    struct marker *next;                /* of the free ones */
};

typedef void feed(struct ev_loop *loop, void *w, int revents);

/* Found by libev instead of its own. */
__attribute__((visibility("default"))) feed ev_feed_event;

static struct ev_loop *marked;          /* NULL: no markers */
static struct marker *unused;

const bool slow_names_callbacks = true;

static feed *libevs(void)
{
    static feed *found;

    if (!found)
        *(void **)&found = dlsym(RTLD_NEXT, "ev_feed_event");
    return found;
}

static void on_marker(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct marker *m = w->data;

    (void)loop, (void)revents;
    m->next = unused;
    unused = m;
    slow_callback_begins(m->cb);
}

static struct marker *marker(void)
{
    struct marker *m = unused;

    if (m)
        unused = m->next;
    else if ((m = malloc(sizeof(*m))) != NULL) {
        ev_prepare_init(&m->watcher, on_marker);
        m->watcher.data = m;
    }
    return m;                           /* NULL: charged to the callback before */
}

void ev_feed_event(struct ev_loop *loop, void *w, int revents)
{
    struct ev_watcher *watcher = w;
    bool queued = ev_is_pending(watcher);
    struct marker *m;

    libevs()(loop, w, revents);
    if (loop != marked || queued || !(m = marker()))
        return;
    m->cb = (const void *)(uintptr_t)ev_cb(watcher);
    ev_set_priority(&m->watcher, ev_priority(watcher));
    libevs()(loop, &m->watcher, EV_CUSTOM);
}

void slow_feed_start(struct ev_loop *loop) { marked = loop; }

static const void *object_of(const void *address)
{
    Dl_info i;

    return address && dladdr(address, &i) ? i.dli_fbase : NULL;
}

struct unit *slow_owner(const struct supervisor *s, const void *cb)
{
    const void *object = object_of(cb);

    for (size_t i = 0; object && i < s->n; i++)
        if (object_of(s->units[i]->loaded.symbol) == object)
            return s->units[i];
    return NULL;
}
