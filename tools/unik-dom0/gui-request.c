/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-request.c - what may be asked of the GUI daemon: looking at windows, and playing the user. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/unik-dom0/gui-parts.h"
#include "tools/unik-dom0/socket.h"

static void fail(struct client *c, int code, const char *fmt, ...) UNIK_PRINTF(3, 4);
static void fail(struct client *c, int code, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    client_printf(c, 'e', "unik-dom0: %s\n", line);
    client_exit(c, code);
}

/* Word i of the command as a number. */
static bool number(struct client *c, const char *key, long min, long max, long *value)
{
    const char *text = client_word(c, key, "");
    char *end;

    *value = strtol(text, &end, 0);
    if (*text && !*end && *value >= min && *value <= max)
        return true;
    fail(c, 2, "%s: expected %ld..%ld", text, min, max);
    return false;
}

/* ---- looking ---- */

static void list_one(struct client *c, const struct gui_window *w)
{
    char parent[32] = "", pages[64] = "no image";

    if (w->parent)
        snprintf(parent, sizeof(parent), ", of 0x%x", w->parent);
    if (w->pages)
        snprintf(pages, sizeof(pages), "image %ux%u", gui_pages_width(w->pages), gui_pages_height(w->pages));
    client_printf(c, 'o', "0x%x %s %ux%u at %d,%d, %s, %lu paints%s%s%s%s%s%s%s%s, class \"%s\", title \"%s\"\n", w->id,
                  w->mapped ? "shown" : "hidden", w->at.width, w->at.height, w->at.x, w->at.y, pages, w->paints,
                  w->pending ? ", owes an echo" : "", w->menu ? ", menu" : "", w->docked ? ", docked" : "", parent,
                  w->gui->focus == w ? ", focus" : "", w->flags & GUI_FULLSCREEN ? ", fullscreen" : "",
                  w->flags & GUI_ATTENTION ? ", attention" : "", w->flags & GUI_MINIMISED ? ", minimised" : "",
                  w->class_name, w->title);
}

static void do_list(struct client *c, struct gui *g)
{
    for (const struct gui_window *w = g->windows; w; w = w->next)
        list_one(c, w);
    client_exit(c, 0);
}

bool gui_shows(struct vm *vm, const char *name)
{
    struct gui_window *w = vm->gui ? gui_named(vm->gui, name) : NULL;

    return w && w->mapped && w->painted && !w->pending;
}

/* A file without an end that makes the writer wait: a memfd of the asking program. */
static bool is_file(int fd)
{
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static bool write_all(int fd, const void *bytes, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t k = pwrite(fd, bytes, n, at);

        if (k <= 0)
            return false;
        bytes = (const char *)bytes + k;
        n -= (size_t)k;
        at += k;
    }
    return true;
}

/* Width and height, then the pixels, as this machine's numbers. */
static void do_screenshot(struct client *c, struct gui_window *w)
{
    uint32_t size[2] = { w->at.width, w->at.height };

    if (!w->picture)
        fail(c, 1, "window 0x%x is not shown", w->id);
    else if (!is_file(c->fds[0]) || !write_all(c->fds[0], size, sizeof(size), 0)
             || !write_all(c->fds[0], w->picture, (size_t)size[0] * size[1] * sizeof(*w->picture), sizeof(size)))
        fail(c, 1, "no room for the picture");
    else
        client_exit(c, 0);
}

/* ---- playing the user ---- */

static void do_point(struct client *c, struct gui_window *w)
{
    long x, y;

    if (!number(c, "2", -GUI_POINT_MAX, GUI_POINT_MAX, &x) || !number(c, "3", -GUI_POINT_MAX, GUI_POINT_MAX, &y))
        return;
    gui_user_point(w->gui, w, (int32_t)x, (int32_t)y);
    client_exit(c, 0);
}

/* Whoever clicks into a window gives it the focus; menus take none. */
static void take_focus(struct gui_window *w)
{
    if (!w->menu)
        gui_user_focus(w->gui, w);
}

static void do_click(struct client *c, struct gui_window *w)
{
    long x, y, button = 1;

    if (!number(c, "2", -GUI_POINT_MAX, GUI_POINT_MAX, &x) || !number(c, "3", -GUI_POINT_MAX, GUI_POINT_MAX, &y)
        || (*client_word(c, "4", "") && !number(c, "4", 1, 7, &button)))
        return;
    gui_user_point(w->gui, w, (int32_t)x, (int32_t)y);
    take_focus(w);
    gui_user_button(w, (unsigned)button, true);
    gui_user_button(w, (unsigned)button, false);
    client_exit(c, 0);
}

static void press(struct gui_window *w, const unsigned *codes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gui_user_key(w, codes[i], true);
    while (n-- > 0)
        gui_user_key(w, codes[n], false);
}

static void do_key(struct client *c, struct gui_window *w)
{
    unsigned codes[GUI_CHORD_MAX];
    size_t n = gui_chord(client_word(c, "2", ""), codes);

    if (!n) {
        fail(c, 2, "%s: no such key", client_word(c, "2", ""));
        return;
    }
    take_focus(w);
    press(w, codes, n);
    client_exit(c, 0);
}

static void do_type(struct client *c, struct gui_window *w)
{
    const char *text = client_word(c, "2", "");
    unsigned codes[GUI_CHORD_MAX];
    bool shifted;

    for (const char *p = text; *p; p++)
        if (!gui_key_of((unsigned char)*p, &shifted)) {
            fail(c, 2, "a US keyboard has no key for byte 0x%02x", (unsigned char)*p);
            return;
        }
    take_focus(w);
    for (const char *p = text; *p; p++)
        press(w, codes, gui_chord((char[]){ *p, 0 }, codes));
    client_exit(c, 0);
}

static void do_focus(struct client *c, struct gui_window *w)
{
    gui_user_focus(w->gui, w);
    client_exit(c, 0);
}

static void do_resize(struct client *c, struct gui_window *w)
{
    struct gui_rect to = w->at;
    long width, height;

    if (!number(c, "2", 1, GUI_WIDTH_MAX, &width) || !number(c, "3", 1, GUI_HEIGHT_MAX, &height))
        return;
    to.width = (uint32_t)width;
    to.height = (uint32_t)height;
    gui_user_place(w, to);
    client_exit(c, 0);
}

static void do_move(struct client *c, struct gui_window *w)
{
    struct gui_rect to = w->at;
    long x, y;

    if (!number(c, "2", -GUI_POINT_MAX, GUI_POINT_MAX, &x) || !number(c, "3", -GUI_POINT_MAX, GUI_POINT_MAX, &y))
        return;
    to.x = (int32_t)x;
    to.y = (int32_t)y;
    gui_user_place(w, to);
    client_exit(c, 0);
}

static void do_minimise(struct client *c, struct gui_window *w)
{
    if (w->gui->focus == w)
        gui_user_focus(w->gui, NULL);
    gui_user_flags(w, GUI_MINIMISED, 0);
    client_exit(c, 0);
}

static void do_restore(struct client *c, struct gui_window *w)
{
    gui_user_flags(w, 0, GUI_MINIMISED);
    gui_user_focus(w->gui, w);
    client_exit(c, 0);
}

static void do_close(struct client *c, struct gui_window *w)
{
    gui_user_close(w);
    client_exit(c, 0);
}

/* ---- the clipboard ---- */

static struct gui *gui_of(struct client *c) { return c->job; }

static void copier_gone(struct client *c)
{
    gui_of(c)->copier = NULL;
    ev_timer_stop(c->dom0->loop, &c->timer);
}

void gui_copied(struct gui *g, const void *bytes, size_t n)
{
    struct client *c = g->copier;

    copier_gone(c);
    if (n > g->vm->dom0->clipboard_max) {
        fail(c, 1, "refused: over %u bytes", g->vm->dom0->clipboard_max);
        return;
    }
    client_say(c, 'o', bytes, n);
    client_exit(c, 0);
}

void gui_copy_failed(struct gui *g, const char *why)
{
    struct client *c = g->copier;

    if (!c)
        return;
    copier_gone(c);
    fail(c, 1, "%s", why);
}

static void no_answer(struct ev_loop *loop, ev_timer *t, int revents)
{
    struct gui *g = gui_of(t->data);

    (void)loop, (void)revents;
    vm_violation(g->vm, "gui", "no CLIPBOARD_DATA within %g s", g->vm->dom0->deadline);
    gui_copy_failed(g, "no answer");
}

static void do_copy(struct client *c, struct gui_window *w)
{
    struct gui *g = w->gui;

    if (g->copier) {
        fail(c, 1, "another copy is going on");
        return;
    }
    g->copier = c;
    c->job = g;
    c->gone = copier_gone;
    ev_timer_init(&c->timer, no_answer, g->vm->dom0->deadline, 0);
    ev_timer_start(c->dom0->loop, &c->timer);
    gui_user_copy(w);
}

static void do_paste(struct client *c, struct gui_window *w)
{
    struct stat st;
    char *bytes = NULL;
    ssize_t n = -1;

    if (is_file(c->fds[0]) && fstat(c->fds[0], &st) == 0 && st.st_size <= (off_t)GUI_CLIPBOARD_IN_MAX) {
        bytes = malloc((size_t)st.st_size + 1);
        n = bytes ? pread(c->fds[0], bytes, (size_t)st.st_size, 0) : -1;
    }
    if (n < 0)
        fail(c, 1, "not a text of at most %u bytes", GUI_CLIPBOARD_IN_MAX);
    else {
        gui_user_paste(w, bytes, (size_t)n);
        client_exit(c, 0);
    }
    free(bytes);
}

/* ---- all ---- */

void gui_request(struct client *c, struct vm *vm)
{
    static const struct {
        const char *what;
        void (*serve)(struct client *c, struct gui_window *w);
        bool shown;                     /* only for windows that the user can see */
    } table[] = {
        { "screenshot", do_screenshot, true }, { "point", do_point, true }, { "click", do_click, true },
        { "key", do_key, true }, { "type", do_type, true }, { "focus", do_focus, true }, { "resize", do_resize, true },
        { "move", do_move, true }, { "minimise", do_minimise, true }, { "restore", do_restore, true },
        { "close", do_close, false }, { "copy", do_copy, false }, { "paste", do_paste, false },
    };
    const char *what = client_word(c, "what", ""), *name = client_word(c, "1", "");
    struct gui_window *w;

    if (vm && vm->gui && strcmp(what, "show") == 0) {
        gui_show(c, vm->gui);
        return;
    }
    if (!vm || !vm->gui || !vm->gui->version) {
        fail(c, 1, "%s", !vm ? "no such VM" : "the VM's GUI agent is not connected");
        return;
    }
    if (strcmp(what, "list") == 0) {
        do_list(c, vm->gui);
        return;
    }
    w = gui_named(vm->gui, name);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(what, table[i].what) == 0) {
            if (!w || (table[i].shown && !w->mapped))
                fail(c, 1, "%s: %s", name, w ? "that window is not shown" : "no such window");
            else
                table[i].serve(c, w);
            return;
        }
    fail(c, 2, "a request that this version does not know");
}
