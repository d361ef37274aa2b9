/* SPDX-License-Identifier: BSD-2-Clause */
/* status - a window with what unik.Status says: at the top the state, what is not ready and why, addresses and the last log lines;
 * below it everything. Looks again now and then while somebody can see it, and draws the rows that have changed. The qrexec service
 * status.Show brings it back after the user has closed it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unik/gui.h>
#include <unik/plugin.h>
#include <unik/qrexec.h>
#include <unik/text.h>

#include "apps/status/view.h"

#define TEXT_MAX 65536                  /* bytes of the report; the rest is cut */
#define ROWS_MAX 512                    /* shown at once */
#define BAR 4                           /* pixels: shows at the right edge which part is seen */

#define KEY_PAGE_UP 0xff55              /* xkb keysyms */
#define KEY_PAGE_DOWN 0xff56
#define KEY_UP 0xff52
#define KEY_DOWN 0xff54
#define KEY_HOME 0xff50
#define KEY_END 0xff57

struct config {
    double every;
    int64_t size, width, height;
};

static const struct unik_option options[] = {
    { .key = "every", .type = UNIK_SECONDS, .offset = offsetof(struct config, every), .fallback = "1s", .min = 0, .max = 3600,
      .help = "how often to look again; 0: as often as 0.1s" },
    { .key = "size", .type = UNIK_INT, .offset = offsetof(struct config, size), .fallback = "15", .min = 8, .max = 64,
      .help = "height of a line of text in pixels" },
    { .key = "width", .type = UNIK_INT, .offset = offsetof(struct config, width), .fallback = "800", .min = 100,
      .max = UNIK_GUI_WIDTH_MAX, .help = "of the window at first, in pixels" },
    { .key = "height", .type = UNIK_INT, .offset = offsetof(struct config, height), .fallback = "600", .min = 50,
      .max = UNIK_GUI_HEIGHT_MAX, .help = "the same" },
    { 0 }
};

enum { LOOKS, ROWS_DRAWN };
static const struct unik_counter counters[] = {
    [LOOKS] = { "looks", UNIK_COUNT, "times the report was read" },
    [ROWS_DRAWN] = { "rows_drawn", UNIK_COUNT, "rows that had changed" },
    { 0 }
};

struct row {
    uint32_t colour;
    bool more;
    size_t n;
    char text[VIEW_ROW_BYTES];
};

struct status {
    struct unik_ctx *ctx;
    struct unik_gui *gui;
    struct unik_gui_window *window;
    struct unik_gui_buffer buffer;
    struct unik_font *font;
    ev_timer again;
    unsigned first, rows;               /* the row at the top; that fit in the window */
    bool follow;                        /* the end is shown: as it grows too */
    int bar_at, bar_height;             /* as drawn */
    char report[TEXT_MAX];
    struct view view;
    struct row shown[ROWS_MAX];
};

static int margin(const struct status *s) { return s->font->height / 2; }

static unsigned last_first(const struct status *s) { return s->view.n > s->rows ? s->view.n - s->rows : 0; }

static void draw_row(struct status *s, unsigned i, const struct view_row *r)
{
    int height = s->font->height, y = margin(s) + (int)i * height, x = margin(s) + (r->more ? view_indent(s->font) : 0);

    unik_draw_fill(&s->buffer, 1, y, s->buffer.width - 2 - BAR, height, PAPER);
    unik_draw_text(&s->buffer, s->font, x, y, r->colour, r->text, r->n);
    s->gui->damage(s->gui, s->window, 0, y, s->buffer.width, height);
    memcpy(s->shown[i].text, r->text, r->n);
    s->shown[i].n = r->n;
    s->shown[i].colour = r->colour;
    s->shown[i].more = r->more;
    s->ctx->counters[ROWS_DRAWN]++;
}

static bool is_shown(const struct row *a, const struct view_row *r)
{
    return a->n == r->n && memcmp(a->text, r->text, r->n) == 0 && (r->n == 0 || (a->colour == r->colour && a->more == r->more));
}

/* Which part of the rows is seen; nothing, if all are. */
static void draw_bar(struct status *s)
{
    int room = s->buffer.height - 2, x = s->buffer.width - 1 - BAR, height = 0, at = 0;

    if (last_first(s) > 0) {
        height = (int)((int64_t)room * s->rows / s->view.n);
        height = height < BAR ? BAR : height;
        at = (int)((int64_t)(room - height) * s->first / last_first(s));
    }
    if (at == s->bar_at && height == s->bar_height)
        return;
    s->bar_at = at;
    s->bar_height = height;
    unik_draw_fill(&s->buffer, x, 1, BAR, room, PAPER);
    unik_draw_fill(&s->buffer, x, 1 + at, BAR, height, EDGE);
    s->gui->damage(s->gui, s->window, x < 0 ? 0 : x, 0, BAR, s->buffer.height);
}

static void draw_changes(struct status *s)
{
    static const struct view_row empty = { .text = "", .colour = INK };

    for (unsigned i = 0; i < s->rows; i++) {
        const struct view_row *r = s->first + i < s->view.n ? &s->view.row[s->first + i] : &empty;

        if (!is_shown(&s->shown[i], r))
            draw_row(s, i, r);
    }
    draw_bar(s);
}

static void scroll_to(struct status *s, long first)
{
    long most = (long)last_first(s);

    s->first = first < 0 ? 0 : (unsigned)(first > most ? most : first);
    s->follow = most > 0 && s->first == last_first(s);
    draw_changes(s);
}

static void look(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct status *s = w->data;
    struct unik_text t;

    (void)loop, (void)revents;
    if (!s->buffer.pixels)
        return;
    unik_text_init(&t, s->report, sizeof(s->report));
    s->ctx->host->status(s->ctx, &t);
    view_make(&s->view, s->report, s->font, s->buffer.width - 2 * margin(s) - BAR, s->rows);
    s->ctx->counters[LOOKS]++;
    scroll_to(s, s->follow ? (long)last_first(s) : (long)s->first);
}

static void resized(struct status *s, const struct unik_gui_buffer *buffer)
{
    int rows = (buffer->height - s->font->height) / s->font->height;

    s->buffer = *buffer;
    s->rows = rows < 1 ? 1 : rows > ROWS_MAX ? ROWS_MAX : (unsigned)rows;
    unik_draw_fill(buffer, 0, 0, buffer->width, buffer->height, PAPER);
    unik_draw_frame(buffer, 0, 0, buffer->width, buffer->height, 1, EDGE);
    s->gui->damage(s->gui, s->window, 0, 0, buffer->width, buffer->height);
    memset(s->shown, 0, sizeof(s->shown));
    s->bar_height = s->bar_at = 0;
    look(s->ctx->loop, &s->again, 0);
}

static void on_key(struct status *s, uint32_t keysym)
{
    long page = s->rows > 1 ? (long)s->rows - 1 : 1;

    switch (keysym) {
    case KEY_UP: scroll_to(s, (long)s->first - 1); break;
    case KEY_DOWN: scroll_to(s, (long)s->first + 1); break;
    case KEY_PAGE_UP: scroll_to(s, (long)s->first - page); break;
    case KEY_PAGE_DOWN: scroll_to(s, (long)s->first + page); break;
    case KEY_HOME: scroll_to(s, 0); break;
    case KEY_END: scroll_to(s, VIEW_ROWS_MAX); break;
    default: break;
    }
}

static void close_window(struct status *s)
{
    ev_timer_stop(s->ctx->loop, &s->again);
    s->buffer.pixels = NULL;
    if (s->window)
        s->gui->destroy(s->gui, s->window);
    s->window = NULL;
}

static void on_event(struct unik_gui_window *w, const struct unik_gui_event *e, void *arg)
{
    struct status *s = arg;

    (void)w;
    switch (e->type) {
    case UNIK_GUI_RESIZE:
        resized(s, &e->buffer);
        break;
    case UNIK_GUI_KEY:
        if (e->on)
            on_key(s, e->keysym);
        break;
    case UNIK_GUI_BUTTON:
        if (e->on && (e->code == 4 || e->code == 5))
            scroll_to(s, (long)s->first + (e->code == 4 ? -3 : 3));
        break;
    case UNIK_GUI_STATE:
        if (e->state & UNIK_GUI_MINIMISED)
            ev_timer_stop(s->ctx->loop, &s->again);
        else
            ev_timer_again(s->ctx->loop, &s->again);
        break;
    case UNIK_GUI_COPY:
        s->gui->set_clipboard(s->gui, s->report, strlen(s->report));
        break;
    case UNIK_GUI_CLOSE:
        close_window(s);
        break;
    default:
        break;
    }
}

static int open_window(struct status *s)
{
    const struct config *c = s->ctx->config;
    struct unik_gui_setup setup = { .size = sizeof(setup), .title = "status", .class_name = "status", .width = (int)c->width,
                                    .height = (int)c->height, .owner = s->ctx };
    int e = s->window ? 0 : s->gui->create(s->gui, &setup, on_event, s, &s->window);

    if (e == 0)
        ev_timer_again(s->ctx->loop, &s->again);
    return e;
}

/* from dom0, or from another VM that dom0 lets */
static void on_show(struct unik_qrexec_call *call, void *arg)
{
    struct unik_ctx *ctx = arg;

    call->exit_code = open_window(ctx->data) < 0;
    unik_stream_close(call->io);
}

static void arrived(struct unik_ctx *ctx, const char *interface, void *iface)
{
    struct unik_qrexec *qrexec = iface;
    int e = qrexec->serve(qrexec, ctx, "status.Show", on_show, ctx, NULL);

    (void)interface;
    if (e < 0)
        unik_warn(ctx, "status.Show: %s", strerror(-e));
}

static int start(struct unik_ctx *ctx)
{
    const struct config *c = ctx->config;
    struct status *s = calloc(1, sizeof(*s));
    int e;

    if (!s)
        return -ENOMEM;
    s->ctx = ctx;
    s->gui = unik_get(ctx, "gui/1");
    ev_timer_init(&s->again, look, 0, c->every > 0.1 ? c->every : 0.1);
    s->again.data = s;
    e = unik_font_open((int)c->size, &s->font);
    if (e == 0)
        e = open_window(s);
    if (e < 0) {
        unik_font_close(s->font);
        free(s);
        return e;
    }
    ctx->data = s;
    unik_ready(ctx);
    return 0;
}

static void stop(struct unik_ctx *ctx)
{
    struct status *s = ctx->data;

    close_window(s);
    unik_font_close(s->font);
    free(s);
    unik_stopped(ctx);
}

static const char *const needs[] = { "gui/1", NULL };
static const char *const wants[] = { "qrexec/1", NULL };

UNIK_PLUGIN(status) = {
    UNIK_PLUGIN_HEAD, .name = "status", .version = "1", .summary = "a window with states, counters and the last log lines",
    .targets = UNIK_ON_QUBES, .flags = UNIK_APP, .needs = needs, .wants = wants, .options = options,
    .config_size = sizeof(struct config), .counters = counters, .start = start, .stop = stop, .arrived = arrived
};
