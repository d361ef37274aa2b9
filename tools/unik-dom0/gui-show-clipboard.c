/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-show-clipboard.c - Ctrl+Shift+C and Ctrl+Shift+V over a window of the guest, as in Qubes: its clipboard
 * becomes that of the X display, and that of the X display is given to it. Then its own keys for that take over.
 *
 * Texts that come from another program in pieces (INCR) are refused: those are longer than a VM may get. */
#ifdef UNIK_HAVE_XCB
#include <stdlib.h>

#include "tools/unik-dom0/gui-show.h"
#include "tools/unik-dom0/socket.h"

#define CHORD (XCB_MOD_MASK_SHIFT | XCB_MOD_MASK_CONTROL)
#define OTHERS (XCB_MOD_MASK_1 | XCB_MOD_MASK_4)                /* Alt, Super: it is another chord then */
#define KEY_C 54                                                /* where the letters are if the display does not tell */
#define KEY_V 55

/* The key that has this small letter as its first meaning. */
static xcb_keycode_t key_of(struct show *s, xcb_keysym_t letter, xcb_keycode_t otherwise)
{
    const xcb_setup_t *setup = xcb_get_setup(s->x);
    uint8_t n = (uint8_t)(setup->max_keycode - setup->min_keycode + 1);
    xcb_get_keyboard_mapping_reply_t *r =
        xcb_get_keyboard_mapping_reply(s->x, xcb_get_keyboard_mapping(s->x, setup->min_keycode, n), NULL);
    xcb_keycode_t found = otherwise;

    for (unsigned i = 0; r && i < n; i++)
        if (xcb_get_keyboard_mapping_keysyms(r)[i * r->keysyms_per_keycode] == letter) {
            found = (xcb_keycode_t)(setup->min_keycode + i);
            break;
        }
    free(r);
    return found;
}

void show_clipboard_open(struct show *s)
{
    s->clip = xcb_generate_id(s->x);
    xcb_create_window(s->x, XCB_COPY_FROM_PARENT, s->clip, s->screen->root, -1, -1, 1, 1, 0, XCB_WINDOW_CLASS_INPUT_ONLY,
                      XCB_COPY_FROM_PARENT, 0, NULL);
    s->copy_key = key_of(s, 'c', KEY_C);
    s->paste_key = key_of(s, 'v', KEY_V);
}

void show_clipboard_close(struct show *s)
{
    free(s->text);
    s->text = NULL;
    s->text_n = 0;
    s->gui->copying = false;
}

/* ---- the chords ---- */

static void paste_into(struct show *s, struct gui_window *w)
{
    s->pasting = true;
    s->paste_into = w->id;
    xcb_convert_selection(s->x, s->clip, s->atoms[SHOW_CLIPBOARD], s->atoms[SHOW_UTF8], s->atoms[SHOW_PASTED], XCB_CURRENT_TIME);
}

bool show_chord(struct show *s, struct gui_window *w, const xcb_key_press_event_t *e, bool down)
{
    if (!down) {                            /* whatever was let go of before */
        bool swallowed = s->swallowed == e->detail;

        if (swallowed)
            s->swallowed = 0;
        return swallowed;
    }
    if ((e->state & (CHORD | OTHERS)) != CHORD || (e->detail != s->copy_key && e->detail != s->paste_key))
        return false;
    s->swallowed = e->detail;
    if (e->detail == s->paste_key) {
        paste_into(s, w);
    } else if (s->gui->copier) {
        client_printf(s->client, 'o', "not copied: another copy is going on\n");
    } else {
        s->gui->copying = true;
        gui_user_copy(w);
    }
    return true;
}

/* ---- out of the guest ---- */

void show_copied(struct gui *g, const void *bytes, size_t n)
{
    struct show *s = g->shown;
    void *text = n <= g->vm->dom0->clipboard_max ? malloc(n + 1) : NULL;

    if (!text) {
        client_printf(s->client, 'o', "not copied: over %u bytes\n", g->vm->dom0->clipboard_max);
        return;
    }
    if (n)
        memcpy(text, bytes, n);
    free(s->text);
    s->text = text;
    s->text_n = n;
    xcb_set_selection_owner(s->x, s->clip, s->atoms[SHOW_CLIPBOARD], XCB_CURRENT_TIME);
    client_printf(s->client, 'o', "copied: %zu bytes\n", n);
}

/* Another program wants the text, or to know in which forms it may have it. False: in none that it wants. */
static bool give(struct show *s, const xcb_selection_request_event_t *e, xcb_atom_t property)
{
    const xcb_atom_t forms[] = { s->atoms[SHOW_TARGETS], s->atoms[SHOW_UTF8], s->atoms[SHOW_PLAIN] };

    if (!s->text || e->selection != s->atoms[SHOW_CLIPBOARD] || s->text_n > s->request_max)
        return false;
    if (e->target == s->atoms[SHOW_TARGETS])
        xcb_change_property(s->x, XCB_PROP_MODE_REPLACE, e->requestor, property, XCB_ATOM_ATOM, 32, 3, forms);
    else if (e->target == s->atoms[SHOW_UTF8] || e->target == s->atoms[SHOW_PLAIN])
        xcb_change_property(s->x, XCB_PROP_MODE_REPLACE, e->requestor, property, e->target, 8, (uint32_t)s->text_n, s->text);
    else
        return false;
    return true;
}

void show_selection_request(struct show *s, const xcb_selection_request_event_t *e)
{
    xcb_atom_t property = e->property ? e->property : e->target;        /* as old programs want it */
    xcb_selection_notify_event_t answer = { .response_type = XCB_SELECTION_NOTIFY, .time = e->time, .requestor = e->requestor,
                                            .selection = e->selection, .target = e->target };

    answer.property = give(s, e, property) ? property : XCB_ATOM_NONE;
    xcb_send_event(s->x, 0, e->requestor, 0, (const char *)&answer);
}

/* Another program has copied. */
void show_selection_clear(struct show *s)
{
    free(s->text);
    s->text = NULL;
    s->text_n = 0;
}

/* ---- into the guest ---- */

void show_selection_notify(struct show *s, const xcb_selection_notify_event_t *e)
{
    struct gui_window *w = gui_find(s->gui, s->paste_into);
    xcb_get_property_reply_t *r = NULL;
    size_t n;

    if (!s->pasting)
        return;
    s->pasting = false;
    if (e->property)
        r = xcb_get_property_reply(s->x, xcb_get_property(s->x, 1, s->clip, s->atoms[SHOW_PASTED], XCB_GET_PROPERTY_TYPE_ANY, 0,
                                                          GUI_CLIPBOARD_IN_MAX / 4 + 1), NULL);
    n = r ? (size_t)xcb_get_property_value_length(r) : 0;
    if (!r) {
        client_printf(s->client, 'o', "not pasted: there is no text\n");
    } else if (r->bytes_after || n > GUI_CLIPBOARD_IN_MAX || r->type == s->atoms[SHOW_INCR]) {
        client_printf(s->client, 'o', "not pasted: over %u bytes\n", GUI_CLIPBOARD_IN_MAX);
    } else if (w) {
        gui_user_paste(w, xcb_get_property_value(r), n);
        client_printf(s->client, 'o', "pasted: %zu bytes\n", n);
    }
    free(r);
}
#else
typedef int nothing_here;               /* a file may not be empty */
#endif
