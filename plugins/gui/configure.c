/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/configure.c - size and place.
 *
 * The daemon holds each window's geometry, and a flag that it has sent one that we have not sent back. While that is set it
 * sends no other, and answers whatever else we send with its own again. So each CONFIGURE is echoed as it is, at once, and the
 * app's wishes follow after that: they count only while the flag is not set.
 */
#include <errno.h>
#include "plugins/gui/agent.h"

#define SLOW 1.0        /* seconds */

/* The daemon clamps what we send (qubes-gui-protocol.h, MAX_WINDOW_WIDTH, _HEIGHT), so from there no echo can match: it would
 * send its CONFIGURE again, we our echo, and so on as fast as both can. Once a second will do. */
static bool can_match(const struct gui_rect *r)
{
    return r->x >= -(int)GUI_WIDTH_MAX && r->x <= (int)GUI_WIDTH_MAX && r->y >= -(int)GUI_HEIGHT_MAX &&
           r->y <= (int)GUI_HEIGHT_MAX;
}

void gui_configured(struct unik_gui_window *w, const struct gui_rect *r)
{
    struct gui_agent *a = w->a;

    w->at = *r;
    w->echo = *r;
    if (can_match(r)) {
        w->owes |= GUI_OWES_ECHO;
        w->echo_late = false;
        gui_flush(a);
    } else {
        w->echo_late = true;
        if (!ev_is_active(&a->slow)) {
            ev_timer_set(&a->slow, SLOW, 0);
            ev_timer_start(a->ctx->loop, &a->slow);
        }
    }
    if (w->now && (w->now->width != r->width || w->now->height != r->height))
        gui_fit(w);
}

void gui_on_slow(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct gui_agent *a = t->data;
    struct unik_gui_window *w;

    (void)loop, (void)revents;
    TAILQ_FOREACH(w, &a->windows, link)
        if (w->echo_late && !w->dying) {
            w->owes |= GUI_OWES_ECHO;
            w->echo_late = false;
        }
    gui_flush(a);
}

void gui_fit(struct unik_gui_window *w)
{
    w->fit = true;
    ev_idle_start(w->a->ctx->loop, &w->a->due);
}

/* Pixels that both have, for an app that draws the rest later. */
static void copy_picture(const struct gui_buffer *from, struct gui_buffer *to)
{
    const uint32_t *src = from->shared->bytes;
    uint32_t *dst = to->shared->bytes;
    uint32_t width = from->width < to->width ? from->width : to->width;
    uint32_t height = from->height < to->height ? from->height : to->height;

    for (uint32_t y = 0; y < height; y++)
        memcpy(dst + (size_t)y * to->width, src + (size_t)y * from->width, 4 * (size_t)width);
}

/* A buffer as large as the window, shared with the present GUI domain. Without memory the old one stays: the daemon paints as
 * much of it as fits. */
static bool replace(struct unik_gui_window *w)
{
    struct gui_agent *a = w->a;
    struct gui_buffer *b = NULL;
    bool same_size = w->now && w->now->width == w->at.width && w->now->height == w->at.height;

    if (same_size && (a->domain < 0 || w->now->peer == a->domain))
        return w->now->fresh;
    if (gui_buffer_new(a, w->at.width, w->at.height, &b) < 0)
        return false;
    if (same_size)
        copy_picture(w->now, b);
    gui_buffer_retire(w);
    w->now = b;
    return true;
}

static void tell_size(struct unik_gui_window *w)
{
    struct gui_buffer *b = w->now;
    struct unik_gui_event e = { .type = UNIK_GUI_RESIZE, .buffer = { .pixels = b->shared->bytes, .width = (int)b->width,
                                .height = (int)b->height, .pitch = b->width } };

    b->fresh = false;
    gui_count(w->a, GUI_RESIZES);
    gui_damage_none(&w->damage);
    gui_tell(w, &e);
}

/* From the loop, in its next turn: several changes of size are one RESIZE, and what the app asks for in it comes later. */
void gui_on_due(struct ev_loop *loop, ev_idle *i, int revents)
{
    struct gui_agent *a = i->data;
    struct unik_gui_window *w;

    (void)revents;
    ev_idle_stop(loop, i);
    TAILQ_FOREACH(w, &a->windows, link)
        if (w->fit && !w->dying) {
            w->fit = false;
            if (replace(w))
                tell_size(w);
        }
    gui_flush(a);
}
