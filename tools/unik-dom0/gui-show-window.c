/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-show-window.c - a window of the guest as a window on the X display. */
#ifdef UNIK_HAVE_XCB
#include <stdlib.h>

#include "tools/unik-dom0/gui-show.h"

#define EVENTS (XCB_EVENT_MASK_EXPOSURE | XCB_EVENT_MASK_STRUCTURE_NOTIFY | XCB_EVENT_MASK_PROPERTY_CHANGE                     \
                | XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_KEY_RELEASE | XCB_EVENT_MASK_BUTTON_PRESS                           \
                | XCB_EVENT_MASK_BUTTON_RELEASE | XCB_EVENT_MASK_POINTER_MOTION | XCB_EVENT_MASK_ENTER_WINDOW                   \
                | XCB_EVENT_MASK_LEAVE_WINDOW | XCB_EVENT_MASK_FOCUS_CHANGE)
#define ICON 24                     /* pixels: a docked icon is a small window in the corner, not in the desktop's tray */

/* WM_SIZE_HINTS of ICCCM: 18 words; the flags have X's own values. */
enum { HINT_FLAGS, HINT_MIN = 5, HINT_MAX = 7, HINT_STEP = 9, HINT_BASE = 15, HINT_WORDS = 18 };

static struct show *show_of(const struct gui_window *w) { return w->gui->shown; }

static void set_text(struct show *s, xcb_window_t id, xcb_atom_t property, xcb_atom_t type, const char *text, size_t n)
{
    xcb_change_property(s->x, XCB_PROP_MODE_REPLACE, id, property, type, 8, (uint32_t)n, text);
}

/* "[work] title", as the real daemon may do it; "work:class". */
static void set_names(struct show *s, struct gui_window *w)
{
    char text[GUI_TITLE + DOM0_NAME_MAX + 8];
    size_t n;

    n = (size_t)snprintf(text, sizeof(text), "[%s] %s", w->gui->vm->name, w->title);
    set_text(s, show_id(w), XCB_ATOM_WM_NAME, XCB_ATOM_STRING, text, n);
    set_text(s, show_id(w), s->atoms[SHOW_NAME], s->atoms[SHOW_UTF8], text, n);
    n = (size_t)snprintf(text, sizeof(text), "%s:%s%c%s:%s", w->gui->vm->name, w->name, 0, w->gui->vm->name, w->class_name);
    set_text(s, show_id(w), XCB_ATOM_WM_CLASS, XCB_ATOM_STRING, text, n + 1);
}

static void set_hints(struct show *s, struct gui_window *w)
{
    uint32_t words[HINT_WORDS] = { w->hints.u.hints.flags };

    words[HINT_MIN] = w->hints.u.hints.min_width;
    words[HINT_MIN + 1] = w->hints.u.hints.min_height;
    words[HINT_MAX] = w->hints.u.hints.max_width;
    words[HINT_MAX + 1] = w->hints.u.hints.max_height;
    words[HINT_STEP] = w->hints.u.hints.step_x;
    words[HINT_STEP + 1] = w->hints.u.hints.step_y;
    words[HINT_BASE] = w->hints.u.hints.base_width;
    words[HINT_BASE + 1] = w->hints.u.hints.base_height;
    xcb_change_property(s->x, XCB_PROP_MODE_REPLACE, show_id(w), XCB_ATOM_WM_NORMAL_HINTS, XCB_ATOM_WM_SIZE_HINTS, 32,
                        HINT_WORDS, words);
}

static void named(struct gui_window *w)
{
    if (!w->shown)
        return;
    set_names(show_of(w), w);
    set_hints(show_of(w), w);
}

static void set_relations(struct show *s, struct gui_window *w)
{
    const struct gui_window *parent = w->parent ? gui_find(w->gui, w->parent) : NULL;
    xcb_window_t of = parent && parent->shown ? show_id(parent) : XCB_NONE;

    xcb_change_property(s->x, XCB_PROP_MODE_REPLACE, show_id(w), s->atoms[SHOW_PROTOCOLS], XCB_ATOM_ATOM, 32, 1,
                        &s->atoms[SHOW_DELETE]);
    if (of)
        xcb_change_property(s->x, XCB_PROP_MODE_REPLACE, show_id(w), XCB_ATOM_WM_TRANSIENT_FOR, XCB_ATOM_WINDOW, 32, 1, &of);
    if (w->flags & GUI_FULLSCREEN)
        xcb_change_property(s->x, XCB_PROP_MODE_REPLACE, show_id(w), s->atoms[SHOW_STATE], XCB_ATOM_ATOM, 32, 1,
                            &s->atoms[SHOW_FULLSCREEN]);
}

static void appeared(struct gui_window *w)
{
    struct show *s = show_of(w);
    struct show_window *sw = calloc(1, sizeof(*sw));
    uint32_t values[] = { GUI_WHITE, w->menu || w->docked, EVENTS };
    struct gui_message map = { .type = GUI_MAP, .window = w->id };

    if (!sw)
        return;
    w->shown = sw;
    if (w->docked) {
        gui_user_place(w, (struct gui_rect){ s->screen->width_in_pixels - ICON, 0, ICON, ICON });
        gui_send(w->gui, &map, NULL, 0);
    }
    sw->id = xcb_generate_id(s->x);
    xcb_create_window(s->x, XCB_COPY_FROM_PARENT, sw->id, s->screen->root, (int16_t)w->at.x, (int16_t)w->at.y,
                      (uint16_t)w->at.width, (uint16_t)w->at.height, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT, s->screen->root_visual,
                      XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK, values);
    named(w);
    set_relations(s, w);
    xcb_map_window(s->x, sw->id);           /* the first expose paints it */
}

static void vanished(struct gui_window *w)
{
    if (!w->shown)
        return;
    xcb_destroy_window(show_of(w)->x, show_id(w));
    free(w->shown);
    w->shown = NULL;
}

static void moved(struct gui_window *w)
{
    const uint32_t values[] = { (uint32_t)w->at.x, (uint32_t)w->at.y, w->at.width, w->at.height };

    if (w->shown)
        xcb_configure_window(show_of(w)->x, show_id(w), XCB_CONFIG_WINDOW_X | XCB_CONFIG_WINDOW_Y | XCB_CONFIG_WINDOW_WIDTH |
                             XCB_CONFIG_WINDOW_HEIGHT, values);
}

/* Ask the window manager; a PropertyNotify will tell what it did. */
static void ask_state(struct show *s, struct gui_window *w, xcb_atom_t type, uint32_t first, uint32_t second)
{
    xcb_client_message_event_t e = { .response_type = XCB_CLIENT_MESSAGE, .format = 32, .window = show_id(w), .type = type };

    e.data.data32[0] = first;
    e.data.data32[1] = second;
    xcb_send_event(s->x, 0, s->screen->root, XCB_EVENT_MASK_SUBSTRUCTURE_NOTIFY | XCB_EVENT_MASK_SUBSTRUCTURE_REDIRECT,
                   (const char *)&e);
}

static void asked(struct gui_window *w, uint32_t set, uint32_t unset)
{
    static const struct { uint32_t flag; enum show_atom atom; } states[] = {
        { GUI_FULLSCREEN, SHOW_FULLSCREEN }, { GUI_ATTENTION, SHOW_ATTENTION },
    };
    struct show *s = show_of(w);

    for (size_t i = 0; w->shown && i < 2; i++)
        if ((set | unset) & states[i].flag)
            ask_state(s, w, s->atoms[SHOW_STATE], (set & states[i].flag) != 0, s->atoms[states[i].atom]);
    if (w->shown && set & GUI_MINIMISED)
        ask_state(s, w, s->atoms[SHOW_CHANGE_STATE], 3, 0);         /* IconicState */
}

/* ---- pixels ---- */

static const uint32_t *rows(struct show *s, const struct gui_window *w, const struct gui_rect *part)
{
    const uint32_t *from = w->picture + (size_t)part->y * w->at.width + (size_t)part->x;
    size_t n = (size_t)part->width * part->height;

    if (part->width == w->at.width)
        return from;
    if (n > s->scratch_n) {
        uint32_t *bigger = realloc(s->scratch, n * sizeof(*bigger));

        if (!bigger)
            return NULL;
        s->scratch = bigger;
        s->scratch_n = n;
    }
    for (uint32_t y = 0; y < part->height; y++)
        memcpy(s->scratch + (size_t)y * part->width, from + (size_t)y * w->at.width, part->width * sizeof(*from));
    return s->scratch;
}

void show_put(struct show *s, struct gui_window *w, const struct gui_rect *part)
{
    const uint32_t *pixels = w->picture ? rows(s, w, part) : NULL;
    size_t row = (size_t)part->width * sizeof(*pixels);
    uint32_t most = (uint32_t)(s->request_max / row);

    for (uint32_t y = 0, n; pixels && most && y < part->height; y += n) {
        n = part->height - y < most ? part->height - y : most;
        xcb_put_image(s->x, XCB_IMAGE_FORMAT_Z_PIXMAP, show_id(w), s->gc, (uint16_t)part->width, (uint16_t)n,
                      (int16_t)part->x, (int16_t)(part->y + (int32_t)y), 0, 24, (uint32_t)(row * n),
                      (const uint8_t *)(pixels + (size_t)y * part->width));
    }
}

static void painted(struct gui_window *w, const struct gui_rect *part)
{
    if (w->shown)
        show_put(show_of(w), w, part);
}

const struct gui_screen gui_show_screen = {
    .appeared = appeared, .vanished = vanished, .painted = painted, .moved = moved, .named = named, .asked = asked,
    .copied = show_copied,
};
#else
typedef int nothing_here;               /* a file may not be empty */
#endif
