/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-show.c - `gui show`: connecting to the developer's X display, and leaving it. */
#include <stdlib.h>

#include "tools/unik-dom0/gui-parts.h"
#include "tools/unik-dom0/socket.h"

#ifdef UNIK_HAVE_XCB
#include "tools/unik-dom0/gui-show.h"

#define REQUEST_EXTRA 64            /* bytes of a PutImage beside its pixels, and some */

static const char *const atom_names[SHOW_ATOMS] = {
    [SHOW_PROTOCOLS] = "WM_PROTOCOLS", [SHOW_DELETE] = "WM_DELETE_WINDOW", [SHOW_NAME] = "_NET_WM_NAME",
    [SHOW_UTF8] = "UTF8_STRING", [SHOW_STATE] = "_NET_WM_STATE", [SHOW_FULLSCREEN] = "_NET_WM_STATE_FULLSCREEN",
    [SHOW_ATTENTION] = "_NET_WM_STATE_DEMANDS_ATTENTION", [SHOW_HIDDEN] = "_NET_WM_STATE_HIDDEN",
    [SHOW_CHANGE_STATE] = "WM_CHANGE_STATE", [SHOW_CLIPBOARD] = "CLIPBOARD", [SHOW_TARGETS] = "TARGETS",
    [SHOW_PLAIN] = "text/plain;charset=utf-8", [SHOW_INCR] = "INCR", [SHOW_PASTED] = "UNIK_PASTED",
};

static void intern_atoms(struct show *s)
{
    xcb_intern_atom_cookie_t cookies[SHOW_ATOMS];

    for (size_t i = 0; i < SHOW_ATOMS; i++)
        cookies[i] = xcb_intern_atom(s->x, 0, (uint16_t)strlen(atom_names[i]), atom_names[i]);
    for (size_t i = 0; i < SHOW_ATOMS; i++) {
        xcb_intern_atom_reply_t *r = xcb_intern_atom_reply(s->x, cookies[i], NULL);

        s->atoms[i] = r ? r->atom : XCB_ATOM_NONE;
        free(r);
    }
}

/* Pixels go out as they are in memory: 32 bits each, of which X uses 24. */
static bool fits(const struct show *s)
{
    const xcb_setup_t *setup = xcb_get_setup(s->x);

    if (s->screen->root_depth != 24 || setup->image_byte_order != XCB_IMAGE_ORDER_LSB_FIRST)
        return false;
    for (xcb_format_iterator_t f = xcb_setup_pixmap_formats_iterator(setup); f.rem; xcb_format_next(&f))
        if (f.data->depth == 24)
            return f.data->bits_per_pixel == 32;
    return false;
}

static const char *open_display(struct show *s, const char *name)
{
    xcb_screen_iterator_t screens;
    int number = 0;

    s->x = xcb_connect(name, &number);
    if (xcb_connection_has_error(s->x))
        return "cannot connect to the X display";
    screens = xcb_setup_roots_iterator(xcb_get_setup(s->x));
    for (; number > 0 && screens.rem > 1; number--)
        xcb_screen_next(&screens);
    s->screen = screens.data;
    if (!s->screen || !fits(s))
        return "the X display has not 24 bits for a pixel";
    s->request_max = (size_t)xcb_get_maximum_request_length(s->x) * 4 - REQUEST_EXTRA;
    s->gc = xcb_generate_id(s->x);
    xcb_create_gc(s->x, s->gc, s->screen->root, XCB_GC_GRAPHICS_EXPOSURES, (const uint32_t[]){ 0 });
    intern_atoms(s);
    show_clipboard_open(s);
    return NULL;
}

/* The windows go on without a screen. */
static void end(struct show *s)
{
    struct gui *g = s->gui;

    for (struct gui_window *w = g->windows; w; w = w->next) {
        free(w->shown);
        w->shown = NULL;
    }
    g->screen = &gui_desk;
    g->shown = NULL;
    ev_io_stop(g->vm->dom0->loop, &s->io);
    ev_prepare_stop(g->vm->dom0->loop, &s->prepare);
    show_clipboard_close(s);
    xcb_disconnect(s->x);
    free(s->scratch);
    free(s);
}

static void client_gone(struct client *c) { end(c->job); }

/* Whoever sends to X reads from it too: a flush, like an answer that is waited for, may leave events in the queue, of which the
 * descriptor tells nothing. So it goes on until everything is sent and, after that, nothing was in the queue. */
static void on_turn(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct show *s = w->data;
    struct client *c = s->client;

    (void)loop, (void)revents;
    while (xcb_flush(s->x) > 0 && !xcb_connection_has_error(s->x))
        if (!show_events(s))
            return;
    end(s);
    client_printf(c, 'e', "unik-dom0: the X display is gone\n");
    client_exit(c, 1);
}

/* What there is to read is read before the loop sleeps again. */
static void on_input(struct ev_loop *loop, ev_io *w, int revents) { (void)loop, (void)w, (void)revents; }

void gui_show(struct client *c, struct gui *g)
{
    struct show *s = g->shown ? NULL : calloc(1, sizeof(*s));
    const char *wrong = g->shown ? "it is shown already" : "no memory", *authority = client_word(c, "xauthority", "");

    if (s) {
        s->gui = g;
        s->client = c;
        if (*authority)
            setenv("XAUTHORITY", authority, 1);
        wrong = open_display(s, client_word(c, "display", ""));
        if (wrong) {
            xcb_disconnect(s->x);
            free(s);
        }
    }
    if (wrong) {
        client_printf(c, 'e', "unik-dom0: %s\n", wrong);
        client_exit(c, 1);
        return;
    }
    ev_io_init(&s->io, on_input, xcb_get_file_descriptor(s->x), EV_READ);
    ev_prepare_init(&s->prepare, on_turn);
    s->prepare.data = s;
    ev_io_start(c->dom0->loop, &s->io);
    ev_prepare_start(c->dom0->loop, &s->prepare);
    c->job = s;
    c->gone = client_gone;
    gui_user_focus(g, NULL);                /* X says who has the focus from now on, and where the pointer is */
    gui_user_point(g, NULL, 0, 0);
    g->screen = &gui_show_screen;
    g->shown = s;
    for (struct gui_window *w = g->windows; w; w = w->next)
        if (w->mapped)
            g->screen->appeared(w);
    client_printf(c, 'o', "shown\n");
}

#else
void gui_show(struct client *c, struct gui *g)
{
    (void)g;
    client_printf(c, 'e', "unik-dom0: built without libxcb\n");
    client_exit(c, 1);
}
#endif
