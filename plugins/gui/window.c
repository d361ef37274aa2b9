/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/gui/window.c - a window's life. */
#include <errno.h>
#include <stdlib.h>
#include "plugins/gui/agent.h"

/* Ids count up, so that one is not used again soon after its end: events for the old window may still come. */
static uint32_t new_id(struct gui_agent *a)
{
    struct unik_gui_window *w;

    do {
        if (++a->last_id == 0)
            a->last_id = 1;
        TAILQ_FOREACH(w, &a->windows, link)
            if (w->id == a->last_id)
                break;
    } while (w);
    return a->last_id;
}

struct unik_gui_window *gui_window_new(struct gui_agent *a, int *error)
{
    uint64_t *counters = a->ctx->counters;
    struct unik_gui_window *w;

    *error = a->n == GUI_WINDOWS_MAX ? -EMFILE : -ENOMEM;
    w = a->n == GUI_WINDOWS_MAX ? NULL : calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->a = a;
    w->id = new_id(a);
    TAILQ_INIT(&w->old);
    TAILQ_INSERT_TAIL(&a->windows, w, link);
    counters[GUI_WINDOWS] = ++a->n;
    if (a->n > counters[GUI_WINDOWS_HIGH])
        counters[GUI_WINDOWS_HIGH] = a->n;
    return w;
}

struct unik_gui_window *gui_window_find(struct gui_agent *a, uint32_t id)
{
    struct unik_gui_window *w;

    TAILQ_FOREACH(w, &a->windows, link)
        if (w->id == id)
            return w->dying ? NULL : w;
    return NULL;
}

void gui_window_end(struct unik_gui_window *w)
{
    struct gui_agent *a = w->a;
    struct unik_gui_window *child;

    w->dying = true;
    w->cb = NULL;
    w->owner = NULL;
    if (a->focus == w)
        a->focus = NULL;
    TAILQ_FOREACH(child, &a->windows, link)
        if (child->parent == w)
            child->parent = NULL;
    for (unsigned k = 0; k < GUI_KEY_CODES; k++)
        if (a->key_window[k] == w->id)
            a->key_window[k] = 0;
    gui_buffer_retire(w);
    gui_flush(a);
}

void gui_window_gone(struct unik_gui_window *w)
{
    struct gui_agent *a = w->a;

    gui_buffers_bury(a, &w->old);
    TAILQ_REMOVE(&a->windows, w, link);
    a->ctx->counters[GUI_WINDOWS] = --a->n;
    free(w);
}

/* The next daemon hears everything anew. Buffers that this one may just be about to map stay for a while. */
void gui_windows_forget(struct gui_agent *a)
{
    struct unik_gui_window *w, *next;

    for (w = TAILQ_FIRST(&a->windows); w; w = next) {
        next = TAILQ_NEXT(w, link);
        memset(&w->told, 0, sizeof(w->told));
        if (w->owes & GUI_OWES_ASK && !w->dying) {
            w->at.width = w->ask_width;
            w->at.height = w->ask_height;
            gui_fit(w);
        }
        w->owes = 0;
        w->echo_late = false;
        gui_buffers_bury(a, &w->old);
        if (w->dying)
            gui_window_gone(w);
    }
}
