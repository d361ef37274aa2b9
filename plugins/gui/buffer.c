/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/buffer.c - pixels: shared pages, and how long they stay.
 *
 * What the daemon maps must be valid at the moment it does so, or it exits: a buffer it has heard of is given back only after
 * a sign that it is done with it - the acknowledgement of a newer dump (1.7), of the window's end (1.5) - or, where there is
 * none, some time later. The pages that it still maps then are safe: unshare() sees to that (unik/pages.h).
 */
#include <errno.h>
#include <stdlib.h>
#include "plugins/gui/agent.h"

int gui_buffer_new(struct gui_agent *a, uint32_t width, uint32_t height, struct gui_buffer **out)
{
    struct gui_buffer *b = calloc(1, sizeof(*b));
    int e = b ? 0 : -ENOMEM, peer = a->domain < 0 ? 0 : a->domain;

    if (e == 0)
        e = a->pages->share(a->pages, peer, gui_pages(width, height), false, &b->shared);
    if (e < 0) {
        gui_count(a, GUI_NO_PAGES);
        unik_warn(a->ctx, "no memory to share for %u x %u pixels: %s", (unsigned)width, (unsigned)height, strerror(-e));
        free(b);
        return e;
    }
    b->width = width;
    b->height = height;
    b->peer = peer;
    b->fresh = true;
    *out = b;
    return 0;
}

void gui_buffer_free(struct gui_agent *a, struct gui_buffer *b)
{
    a->pages->unshare(a->pages, b->shared);
    free(b);
}

void gui_buffers_free(struct gui_agent *a, struct gui_buffers *list)
{
    struct gui_buffer *b;

    while ((b = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, b, link);
        gui_buffer_free(a, b);
    }
}

void gui_buffer_retire(struct unik_gui_window *w)
{
    struct gui_buffer *b = w->now;

    w->now = NULL;
    if (!b)
        return;
    if (b->told)
        TAILQ_INSERT_TAIL(&w->old, b, link);
    else
        gui_buffer_free(w->a, b);
}

void gui_buffers_acked(struct unik_gui_window *w)
{
    struct gui_buffer *b, *next;

    for (b = TAILQ_FIRST(&w->old); b; b = next) {
        next = TAILQ_NEXT(b, link);
        if (b != w->told.image && b != w->a->rest.buffer) {
            TAILQ_REMOVE(&w->old, b, link);
            gui_buffer_free(w->a, b);
        }
    }
}

static void bury_first(struct gui_agent *a)
{
    struct gui_buffer *b = TAILQ_FIRST(&a->graves);

    TAILQ_REMOVE(&a->graves, b, link);
    a->n_graves--;
    gui_buffer_free(a, b);
}

static void wait_for_first(struct gui_agent *a)
{
    struct gui_buffer *b = TAILQ_FIRST(&a->graves);
    double left = b ? b->since + GUI_KEEP - ev_now(a->ctx->loop) : 0;

    ev_timer_stop(a->ctx->loop, &a->bury);
    if (!b)
        return;
    ev_timer_set(&a->bury, left > 0 ? left : 0, 0);
    ev_timer_start(a->ctx->loop, &a->bury);
}

void gui_buffers_bury(struct gui_agent *a, struct gui_buffers *list)
{
    struct gui_buffer *b;

    while ((b = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, b, link);
        if (a->n_graves == GUI_GRAVES_MAX)
            bury_first(a);
        b->since = ev_now(a->ctx->loop);
        TAILQ_INSERT_TAIL(&a->graves, b, link);
        a->n_graves++;
    }
    wait_for_first(a);
}

void gui_on_bury(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct gui_agent *a = t->data;

    (void)revents;
    while (a->n_graves && TAILQ_FIRST(&a->graves)->since + GUI_KEEP <= ev_now(loop))
        bury_first(a);
    wait_for_first(a);
    gui_flush(a);               /* a dump may have waited for it */
}
