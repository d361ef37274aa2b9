/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/ask/dialog.c - a question's window. The caller's name is dom0's word and is shown apart from the question, which is the
 * caller's and may say anything. Nothing counts before the user has been quiet for a while, and what Enter does at first is no. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unik/clean.h>
#include "apps/ask/ask.h"

#define KEY_RETURN 0xff0d               /* xkb keysyms */
#define KEY_ENTER 0xff8d
#define KEY_ESCAPE 0xff1b
#define KEY_TAB 0xff09
#define KEY_BACK_TAB 0xfe20
#define KEY_BACKSPACE 0xff08
#define KEY_LEFT 0xff51
#define KEY_RIGHT 0xff53

enum colour {
    PAPER = 0xf4f4f4, INK = 0x202020, BAND = 0x2b3a55, BAND_INK = 0xffffff, FIELD = 0xffffff, LINE = 0x9a9a9a, PALE = 0xb8b8b8,
    ACTIVE = 0x2060c0, BUTTON = 0xe0e0e0, ALARM = 0xb00020
};

enum part { PART_YES, PART_NO, PART_FIELD, PARTS };

struct dialog {
    struct question *q;
    struct unik_gui_window *window;
    struct unik_gui_buffer buffer;
    struct ask_layout layout;
    enum part focus;
    bool armed;                         /* the user has been quiet: keys and clicks count */
    ev_timer quiet;
    char answer[ASK_ANSWER_MAX + 1];
    size_t n;
    const char *notice;                 /* below the field, until the next input: why something was not taken; or NULL */
};

static struct unik_font *font_of(const struct dialog *d) { return d->q->ask->font; }
static struct unik_gui *gui_of(const struct dialog *d) { return d->q->ask->gui; }

/* ---- drawing ---- */

static void draw_button(struct dialog *d, enum part which)
{
    static const char *const names[][2] = { { "Yes", "No" }, { "OK", "Cancel" } };
    const char *name = names[d->q->kind != ASK_YES_NO][which];
    const struct ask_rect *r = &d->layout.buttons[which];
    struct unik_font *f = font_of(d);
    bool focus = d->focus == which;

    unik_draw_fill(&d->buffer, r->x, r->y, r->width, r->height, BUTTON);
    unik_draw_frame(&d->buffer, r->x, r->y, r->width, r->height, focus ? 2 : 1, focus && d->armed ? ACTIVE : LINE);
    unik_draw_text(&d->buffer, f, r->x + (r->width - unik_font_width(f, name, strlen(name))) / 2, r->y + (r->height - f->height) / 2,
                   d->armed ? INK : PALE, name, strlen(name));
}

/* The end of what was typed is what is seen of it. */
static void draw_field(struct dialog *d)
{
    const struct ask_rect *r = &d->layout.field;
    struct unik_font *f = font_of(d);
    int y = r->y + (r->height - f->height) / 2, x = r->x + f->height / 4, em = unik_font_width(f, "M", 1);
    int most = (r->width - f->height / 2) / em - 1, characters = 0;
    size_t from = d->n;
    bool focus = d->focus == PART_FIELD;

    while (from > 0 && characters < most) {
        from -= unik_utf8_last(d->answer, from);
        characters++;
    }
    unik_draw_fill(&d->buffer, r->x, r->y, r->width, r->height, d->armed ? FIELD : PAPER);
    unik_draw_frame(&d->buffer, r->x, r->y, r->width, r->height, focus ? 2 : 1, focus && d->armed ? ACTIVE : LINE);
    for (int i = 0; d->q->kind == ASK_SECRET && i < characters; i++)
        unik_draw_text(&d->buffer, f, x + i * em, y, INK, "\xe2\x80\xa2", 3);
    if (d->q->kind == ASK_LINE)
        unik_draw_text(&d->buffer, f, x, y, INK, d->answer + from, d->n - from);
    if (focus && d->armed)
        unik_draw_fill(&d->buffer, x + characters * em, y, 2, f->height, INK);
    unik_draw_fill(&d->buffer, 0, r->y + r->height, d->buffer.width, f->height, PAPER);
    if (d->notice)
        unik_draw_text(&d->buffer, f, r->x, r->y + r->height, ALARM, d->notice, strlen(d->notice));
}

/* What input can change. */
static void draw_controls(struct dialog *d)
{
    int from = d->q->kind == ASK_YES_NO ? d->layout.buttons[0].y : d->layout.field.y;

    if (!d->buffer.pixels)
        return;
    if (d->q->kind != ASK_YES_NO)
        draw_field(d);
    draw_button(d, PART_YES);
    draw_button(d, PART_NO);
    gui_of(d)->damage(gui_of(d), d->window, 0, from, d->buffer.width, d->layout.height - from);
}

static void draw_all(struct dialog *d)
{
    struct unik_font *f = font_of(d);
    int x = d->layout.margin;
    const char *peer = d->q->call->peer;

    unik_draw_fill(&d->buffer, 0, 0, d->buffer.width, d->buffer.height, PAPER);
    unik_draw_fill(&d->buffer, 0, 0, d->buffer.width, 2 * f->height, BAND);
    x += unik_draw_text(&d->buffer, f, x, f->height / 2, BAND_INK, peer, strlen(peer));
    unik_draw_text(&d->buffer, f, x, f->height / 2, BAND_INK, " asks:", 6);
    for (unsigned i = 0; i < d->layout.n_lines; i++)
        unik_draw_text(&d->buffer, f, d->layout.margin, d->layout.text_y + (int)i * f->height, INK,
                       d->q->text + d->layout.lines[i].from, d->layout.lines[i].n);
    gui_of(d)->damage(gui_of(d), d->window, 0, 0, d->buffer.width, d->buffer.height);
    draw_controls(d);
}

/* ---- input, from the user ---- */

/* The dialog is gone after this. */
static void decide(struct dialog *d, bool yes)
{
    char answer[ASK_ANSWER_MAX];
    size_t n = d->n;

    if (d->q->kind == ASK_YES_NO) {
        ask_answer(d->q, yes ? ASK_OK : ASK_NO, yes ? "yes" : "no", yes ? 3 : 2);
        return;
    }
    memcpy(answer, d->answer, n);
    ask_answer(d->q, yes ? ASK_OK : ASK_NO, yes ? answer : NULL, n);
    explicit_bzero(answer, sizeof(answer));
}

static void move_focus(struct dialog *d, int by)
{
    static const enum part order[][PARTS] = { { PART_NO, PART_YES }, { PART_FIELD, PART_YES, PART_NO } };
    unsigned kind = d->q->kind != ASK_YES_NO, n = kind ? 3 : 2, at = 0;

    while (order[kind][at] != d->focus)
        at++;
    d->focus = order[kind][(at + n + (unsigned)by) % n];
}

static const char too_long[] = "Too long: at most 1000 bytes. Nothing was added.";
_Static_assert(ASK_ANSWER_MAX == 1000, "the notice says so");

/* What does not fit as a whole is refused, and the user is told. */
static void add(struct dialog *d, const char *text, size_t n)
{
    if (n > ASK_ANSWER_MAX - d->n)
        d->notice = too_long;
    else
        d->n += unik_clean(d->answer + d->n, n + 1, text, n, 0);
}

static void type(struct dialog *d, const struct unik_gui_event *e)
{
    size_t n = strlen(e->text);
    uint32_t c;

    if (e->keysym == KEY_BACKSPACE) {
        if (d->n > 0)
            d->n -= unik_utf8_last(d->answer, d->n);
    } else if (n > 0 && unik_clean_next(e->text, n, &c) && unik_clean_shown(c)) {
        add(d, e->text, n);
    }
}

static void on_key(struct dialog *d, const struct unik_gui_event *e)
{
    d->notice = NULL;
    switch (e->keysym) {
    case KEY_RETURN:
    case KEY_ENTER:
        decide(d, d->focus != PART_NO);
        return;
    case KEY_ESCAPE:
        decide(d, false);
        return;
    case KEY_TAB:
        move_focus(d, e->modifiers & UNIK_GUI_SHIFT ? -1 : 1);
        break;
    case KEY_BACK_TAB:
        move_focus(d, -1);
        break;
    case KEY_LEFT:
    case KEY_RIGHT:
        if (d->focus != PART_FIELD)
            d->focus = d->focus == PART_YES ? PART_NO : PART_YES;
        break;
    default:
        if (d->focus == PART_FIELD)
            type(d, e);
        else if (strcmp(e->text, " ") == 0) {
            decide(d, d->focus == PART_YES);
            return;
        }
    }
    draw_controls(d);
}

static bool is_in(const struct ask_rect *r, int x, int y)
{
    return x >= r->x && x < r->x + r->width && y >= r->y && y < r->y + r->height;
}

static void on_click(struct dialog *d, int x, int y)
{
    for (int i = 0; i < 2; i++)
        if (is_in(&d->layout.buttons[i], x, y)) {
            decide(d, i == PART_YES);
            return;
        }
    if (d->q->kind != ASK_YES_NO && is_in(&d->layout.field, x, y))
        d->focus = PART_FIELD;
    draw_controls(d);
}

/* Pasted text goes into the field up to its first control character; a second line is not taken, and the user is told. */
static void on_paste(struct dialog *d, const struct unik_gui_event *e)
{
    const char *bytes = e->bytes;
    size_t n = 0;

    if (d->q->kind == ASK_YES_NO)
        return;
    d->notice = NULL;
    while (n < e->size && (unsigned char)bytes[n] >= ' ' && bytes[n] != 127)
        n++;
    add(d, bytes, n);
    while (!d->notice && n < e->size)
        if (bytes[n++] != '\n')
            d->notice = "Only the first line was added.";
    draw_controls(d);
}

static void on_quiet(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct dialog *d = w->data;

    (void)revents;
    ev_timer_stop(loop, w);
    d->armed = true;
    draw_controls(d);
}

static void on_event(struct unik_gui_window *w, const struct unik_gui_event *e, void *arg)
{
    struct dialog *d = arg;
    bool input = (e->type == UNIK_GUI_KEY || e->type == UNIK_GUI_BUTTON) && e->on;

    (void)w;
    if (input && !d->armed) {
        ev_timer_again(d->q->ask->ctx->loop, &d->quiet);
        return;
    }
    switch (e->type) {
    case UNIK_GUI_RESIZE:
        d->buffer = e->buffer;
        ask_layout(&d->layout, d->q, font_of(d), d->buffer.width > ask_width(d->q->ask) ? d->buffer.width : ask_width(d->q->ask));
        draw_all(d);
        break;
    case UNIK_GUI_KEY:
        if (input)
            on_key(d, e);
        break;
    case UNIK_GUI_BUTTON:
        if (input && e->code == 1)
            on_click(d, e->x, e->y);
        break;
    case UNIK_GUI_PASTE:
        on_paste(d, e);
        break;
    case UNIK_GUI_CLOSE:
        decide(d, false);
        break;
    default:
        break;
    }
}

/* ---- its life ---- */

static void title(const struct question *q, char *text, size_t size)
{
    unsigned more = 0;
    struct question *o;

    TAILQ_FOREACH(o, &q->ask->questions, link)
        more += o->complete && o != q;
    snprintf(text, size, more ? "%.60s asks (%u more)" : "%.60s asks", q->call->peer, more);
}

void ask_dialog_retitle(struct dialog *d)
{
    char text[UNIK_GUI_TITLE_MAX + 1];

    title(d->q, text, sizeof(text));
    gui_of(d)->title(gui_of(d), d->window, text);
}

int ask_dialog_open(struct question *q, struct dialog **out)
{
    struct unik_gui *gui = q->ask->gui;
    const struct ask_config *config = q->ask->ctx->config;
    struct dialog *d = calloc(1, sizeof(*d));
    char text[UNIK_GUI_TITLE_MAX + 1];
    struct unik_gui_setup setup = { .size = sizeof(setup), .class_name = "ask", .title = text,
                                    .owner = q->ask->ctx };
    int e;

    if (!d)
        return -ENOMEM;
    d->q = q;
    d->focus = q->kind == ASK_YES_NO ? PART_NO : PART_FIELD;
    title(q, text, sizeof(text));
    setup.width = setup.min_width = ask_width(q->ask);
    ask_layout(&d->layout, q, q->ask->font, setup.width);
    setup.height = setup.min_height = d->layout.height;
    ev_timer_init(&d->quiet, on_quiet, 0, config->quiet > 0 ? config->quiet : 1e-3);
    d->quiet.data = d;
    e = gui->create(gui, &setup, on_event, d, &d->window);
    if (e < 0) {
        free(d);
        return e;
    }
    ev_timer_again(q->ask->ctx->loop, &d->quiet);
    *out = d;
    return 0;
}

void ask_dialog_close(struct dialog *d)
{
    gui_of(d)->destroy(gui_of(d), d->window);
    ev_timer_stop(d->q->ask->ctx->loop, &d->quiet);
    explicit_bzero(d, sizeof(*d));
    free(d);
}

struct question *ask_dialog_question(struct dialog *d) { return d->q; }
