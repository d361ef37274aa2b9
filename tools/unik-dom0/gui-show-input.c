/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-show-input.c - events of the X display, as what the user does with the guest's windows. */
#ifdef UNIK_HAVE_XCB
#include <stdlib.h>

#include "tools/unik-dom0/gui-show.h"

/* Of which window an event is; NULL: one that is gone already. */
static struct gui_window *window_of(struct show *s, xcb_window_t id)
{
    for (struct gui_window *w = s->gui->windows; w; w = w->next)
        if (w->shown && show_id(w) == id)
            return w;
    return NULL;
}

/* KEYMAP_NOTIFY goes out before a window gets pointer or focus: which keys are down? */
static void ask_keys(struct show *s)
{
    xcb_query_keymap_reply_t *r = xcb_query_keymap_reply(s->x, xcb_query_keymap(s->x), NULL);

    if (r)
        memcpy(s->gui->down, r->keys, sizeof(s->gui->down));
    free(r);
}

static void on_key(struct show *s, const xcb_key_press_event_t *e, bool down)
{
    struct gui_window *w = window_of(s, e->event);

    if (!w)
        return;
    s->gui->state = e->state;
    s->gui->x = e->event_x;
    s->gui->y = e->event_y;
    if (!show_chord(s, w, e, down))
        gui_user_key(w, e->detail, down);
}

static void on_button(struct show *s, const xcb_button_press_event_t *e, bool down)
{
    struct gui_window *w = window_of(s, e->event);

    if (!w)
        return;
    s->gui->state = e->state;
    s->gui->x = e->event_x;
    s->gui->y = e->event_y;
    gui_user_button(w, e->detail, down);
}

static void on_motion(struct show *s, const xcb_motion_notify_event_t *e)
{
    struct gui_window *w = window_of(s, e->event);

    if (!w)
        return;
    s->gui->state = e->state;
    if (s->gui->pointer != w)
        ask_keys(s);
    gui_user_point(s->gui, w, e->event_x, e->event_y);
}

static void on_crossing(struct show *s, const xcb_enter_notify_event_t *e, bool in)
{
    struct gui_window *w = window_of(s, e->event);

    if (!w || e->mode != XCB_NOTIFY_MODE_NORMAL)
        return;
    s->gui->state = e->state;
    if (in) {
        ask_keys(s);
        gui_user_point(s->gui, w, e->event_x, e->event_y);
    } else if (s->gui->pointer == w)
        gui_user_point(s->gui, NULL, 0, 0);
}

/* Those of grabs, and of a pointer that passes by, are nobody's focus. */
static void on_focus(struct show *s, const xcb_focus_in_event_t *e, bool in)
{
    struct gui_window *w = window_of(s, e->event);

    if (!w || e->mode == XCB_NOTIFY_MODE_GRAB || e->mode == XCB_NOTIFY_MODE_UNGRAB
        || e->detail == XCB_NOTIFY_DETAIL_POINTER)
        return;
    if (in) {
        ask_keys(s);
        gui_user_focus(s->gui, w);
    } else if (s->gui->focus == w)
        gui_user_focus(s->gui, NULL);
}

static void on_message(struct show *s, const xcb_client_message_event_t *e)
{
    struct gui_window *w = window_of(s, e->window);

    if (w && e->type == s->atoms[SHOW_PROTOCOLS] && e->data.data32[0] == s->atoms[SHOW_DELETE])
        gui_user_close(w);
}

static void on_expose(struct show *s, const xcb_expose_event_t *e)
{
    struct gui_window *w = window_of(s, e->window);
    struct gui_rect part = { e->x, e->y, e->width, e->height };

    if (!w || part.x >= (int32_t)w->at.width || part.y >= (int32_t)w->at.height)
        return;
    if (part.width > w->at.width - (uint32_t)part.x)
        part.width = w->at.width - (uint32_t)part.x;
    if (part.height > w->at.height - (uint32_t)part.y)
        part.height = w->at.height - (uint32_t)part.y;
    show_put(s, w, &part);
}

/* The window manager has set a state. */
static void on_property(struct show *s, const xcb_property_notify_event_t *e)
{
    static const struct { uint32_t flag; enum show_atom atom; } states[] = {
        { GUI_FULLSCREEN, SHOW_FULLSCREEN }, { GUI_ATTENTION, SHOW_ATTENTION }, { GUI_MINIMISED, SHOW_HIDDEN },
    };
    struct gui_window *w = window_of(s, e->window);
    xcb_get_property_reply_t *r;
    uint32_t flags = 0;

    if (!w || e->atom != s->atoms[SHOW_STATE])
        return;
    r = xcb_get_property_reply(s->x, xcb_get_property(s->x, 0, e->window, e->atom, XCB_ATOM_ATOM, 0, 32), NULL);
    for (int n = r ? xcb_get_property_value_length(r) / 4 : 0; n-- > 0;)
        for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
            if (((const xcb_atom_t *)xcb_get_property_value(r))[n] == s->atoms[states[i].atom])
                flags |= states[i].flag;
    free(r);
    gui_user_flags(w, flags, ~flags);
}

static void dispatch(struct show *s, const xcb_generic_event_t *e)
{
    const void *any = e;

    switch (e->response_type & 0x7f) {
    case 0:
        dom0_log(s->gui->vm->dom0, UNIK_DEBUG, s->gui->vm->name, "gui: X error %u",
                 ((const xcb_generic_error_t *)any)->error_code);     /* of a window that is gone meanwhile */
        break;
    case XCB_KEY_PRESS: on_key(s, any, true); break;
    case XCB_KEY_RELEASE: on_key(s, any, false); break;
    case XCB_BUTTON_PRESS: on_button(s, any, true); break;
    case XCB_BUTTON_RELEASE: on_button(s, any, false); break;
    case XCB_MOTION_NOTIFY: on_motion(s, any); break;
    case XCB_ENTER_NOTIFY: on_crossing(s, any, true); break;
    case XCB_LEAVE_NOTIFY: on_crossing(s, any, false); break;
    case XCB_FOCUS_IN: on_focus(s, any, true); break;
    case XCB_FOCUS_OUT: on_focus(s, any, false); break;
    case XCB_CLIENT_MESSAGE: on_message(s, any); break;
    case XCB_EXPOSE: on_expose(s, any); break;
    case XCB_PROPERTY_NOTIFY: on_property(s, any); break;
    case XCB_SELECTION_REQUEST: show_selection_request(s, any); break;
    case XCB_SELECTION_CLEAR: show_selection_clear(s); break;
    case XCB_SELECTION_NOTIFY: show_selection_notify(s, any); break;
    case XCB_CONFIGURE_NOTIFY: {
        const xcb_configure_notify_event_t *c = any;
        struct gui_window *w = window_of(s, c->window);

        if (w)
            ((struct show_window *)w->shown)->moved = true;
        break;
    }
    default:
        break;
    }
}

/* The events tell positions inside a frame; where it is on the screen is to be asked. */
static void ask_place(struct show *s, struct gui_window *w)
{
    xcb_get_geometry_cookie_t size = xcb_get_geometry(s->x, show_id(w));
    xcb_translate_coordinates_cookie_t place = xcb_translate_coordinates(s->x, show_id(w), s->screen->root, 0, 0);
    xcb_get_geometry_reply_t *g = xcb_get_geometry_reply(s->x, size, NULL);
    xcb_translate_coordinates_reply_t *t = xcb_translate_coordinates_reply(s->x, place, NULL);

    if (g && t)
        gui_user_place(w, (struct gui_rect){ t->dst_x, t->dst_y, g->width, g->height });
    free(g);
    free(t);
}

bool show_events(struct show *s)
{
    xcb_generic_event_t *e;
    bool any = false;

    while ((e = xcb_poll_for_event(s->x)) != NULL) {
        dispatch(s, e);
        free(e);
        any = true;
    }
    for (struct gui_window *w = s->gui->windows; w; w = w->next)
        if (w->shown && ((struct show_window *)w->shown)->moved) {
            ((struct show_window *)w->shown)->moved = false;
            ask_place(s, w);
            any = true;
        }
    return any;
}
#else
typedef int nothing_here;               /* a file may not be empty */
#endif
