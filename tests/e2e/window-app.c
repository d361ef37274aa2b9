/* SPDX-License-Identifier: BSD-2-Clause */
/* window-app - an app for tests: does with windows what it is told, and tells what happened to them.
 *
 *   w.Do             lines on stdin, each answered with "ok" or an errno:
 *                      open ID W H [menu] [docked] [hidden] [parent=ID] [at=X,Y] [title=TEXT to the end of the line]
 *                      fill ID SEED              a picture made from SEED, all of it damaged
 *                      rect ID X Y W H COLOUR    drawn and damaged; outside parts are damaged all the same
 *                      resize ID W H, title ID TEXT, cursor ID N, state ID SET UNSET, show ID 0|1, close ID
 *                      clip TEXT                 what the next copy gives; clip-size N: so many bytes
 *                      events                    prints what happened since the last time, a line each
 *   w.Picture+ID     what the window should look like, as PPM
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <unik/gui.h>
#include <unik/plugin.h>
#include <unik/qrexec.h>
#include <unik/text.h>

#define WINDOWS_MAX 64
#define INPUT_MAX 16384
#define EVENTS_MAX 65536

struct window {
    struct app *app;
    unsigned id;
    struct unik_gui_window *w;          /* NULL: free */
    struct unik_gui_buffer b;
    uint32_t seed;
};

struct app {
    struct unik_ctx *ctx;
    struct unik_gui *gui;
    struct unik_qrexec *q;
    struct window windows[WINDOWS_MAX];
    struct unik_text events;
    char events_text[EVENTS_MAX];
    LIST_HEAD(, job) jobs;
};

struct job {
    LIST_ENTRY(job) link;
    struct app *app;
    struct unik_qrexec_call *call;
    char *out;                          /* NULL: input still comes in */
    size_t out_n, at, in_n;
    char in[INPUT_MAX + 1];
};

static void end(struct job *j, int code)
{
    j->call->exit_code = code;
    unik_stream_close(j->call->io);
    LIST_REMOVE(j, link);
    free(j->out);
    free(j);
}

static void say(struct job *j)
{
    ssize_t k = 0;

    while (j->at < j->out_n && (k = unik_stream_write(j->call->io, j->out + j->at, j->out_n - j->at)) > 0)
        j->at += (size_t)k;
    if (k < 0 || j->at == j->out_n)
        end(j, k < 0 ? UNIK_QREXEC_BROKEN : 0);
}

/* ---- pictures ---- */

static uint32_t colour(uint32_t seed, uint32_t x, uint32_t y)
{
    uint32_t v = (seed * 2654435761u) ^ (x * 2246822519u) ^ (y * 3266489917u);

    return (v ^ v >> 15) * 2654435769u & 0xffffff;
}

static void fill(struct window *w)
{
    for (int y = 0; y < w->b.height; y++)
        for (int x = 0; x < w->b.width; x++)
            w->b.pixels[(size_t)y * w->b.pitch + (size_t)x] = colour(w->seed, (uint32_t)x, (uint32_t)y);
    w->app->gui->damage(w->app->gui, w->w, 0, 0, w->b.width, w->b.height);
}

static void rect(struct window *w, int x0, int y0, int width, int height, uint32_t c)
{
    for (int y = y0 > 0 ? y0 : 0; y < y0 + height && y < w->b.height; y++)
        for (int x = x0 > 0 ? x0 : 0; x < x0 + width && x < w->b.width; x++)
            w->b.pixels[(size_t)y * w->b.pitch + (size_t)x] = c;
    w->app->gui->damage(w->app->gui, w->w, x0, y0, width, height);
}

/* ---- what happens ---- */

static void on_event(struct unik_gui_window *gw, const struct unik_gui_event *e, void *arg)
{
    struct window *w = arg;
    struct unik_text *t = &w->app->events;

    (void)gw;
    switch (e->type) {
    case UNIK_GUI_RESIZE:
        unik_text_add(t, "%u resize %dx%d\n", w->id, e->buffer.width, e->buffer.height);
        w->b = e->buffer;
        fill(w);
        break;
    case UNIK_GUI_KEY:
        unik_text_add(t, "%u key %s %u 0x%x \"%s\" modifiers %u\n", w->id, e->on ? "down" : "up", e->code, e->keysym, e->text,
                      e->modifiers);
        break;
    case UNIK_GUI_BUTTON:
        unik_text_add(t, "%u button %s %u at %d,%d\n", w->id, e->on ? "down" : "up", e->code, e->x, e->y);
        break;
    case UNIK_GUI_MOTION: unik_text_add(t, "%u motion %d,%d\n", w->id, e->x, e->y); break;
    case UNIK_GUI_CROSSING: unik_text_add(t, "%u pointer %s\n", w->id, e->on ? "in" : "out"); break;
    case UNIK_GUI_FOCUS: unik_text_add(t, "%u focus %s\n", w->id, e->on ? "in" : "out"); break;
    case UNIK_GUI_CLOSE: unik_text_add(t, "%u close\n", w->id); break;
    case UNIK_GUI_COPY: unik_text_add(t, "%u copy\n", w->id); break;
    case UNIK_GUI_PASTE:
        unik_text_add(t, "%u paste %zu \"%.*s\"\n", w->id, e->size, (int)(e->size < 40 ? e->size : 40), (const char *)e->bytes);
        break;
    case UNIK_GUI_STATE: unik_text_add(t, "%u state %u\n", w->id, e->state); break;
    default: unik_text_add(t, "%u event %d\n", w->id, (int)e->type);
    }
}

/* ---- w.Do ---- */

static struct window *find(struct app *a, unsigned id)
{
    for (size_t i = 0; i < WINDOWS_MAX; i++)
        if (a->windows[i].w && a->windows[i].id == id)
            return &a->windows[i];
    return NULL;
}

static int open_window(struct app *a, unsigned id, int width, int height, char *rest)
{
    struct unik_gui_setup s = { .size = sizeof(s), .width = width, .height = height, .owner = a->ctx };
    char *title = strstr(rest, "title="), *parent = strstr(rest, "parent="), *at = strstr(rest, "at=");
    struct window *of = parent ? find(a, (unsigned)atoi(parent + 7)) : NULL, *w = NULL;
    int e;

    for (size_t i = 0; i < WINDOWS_MAX && !w; i++)
        w = a->windows[i].w ? NULL : &a->windows[i];
    if (!w || find(a, id))
        return -EEXIST;
    s.title = title ? title + 6 : NULL;
    if (title)
        *title = 0;
    s.menu = strstr(rest, "menu");
    s.docked = strstr(rest, "docked");
    s.hidden = strstr(rest, "hidden");
    s.parent = of ? of->w : NULL;
    if (at)
        sscanf(at, "at=%d,%d", &s.x, &s.y);
    *w = (struct window){ .app = a, .id = id, .seed = id };
    e = a->gui->create(a->gui, &s, on_event, w, &w->w);
    if (e < 0)
        w->w = NULL;
    return e;
}

static int clip_size(struct app *a, size_t n)
{
    char *bytes = malloc(n + 1);
    int e;

    if (!bytes)
        return -ENOMEM;
    memset(bytes, 'x', n);
    e = a->gui->set_clipboard(a->gui, bytes, n);
    free(bytes);
    return e;
}

static int close_window(struct window *w)
{
    w->app->gui->destroy(w->app->gui, w->w);
    w->w = NULL;
    return 0;
}

/* The rest of the line after the verb, and its first six numbers. */
static int with_window(struct window *w, const char *verb, const char *text, const long n[6])
{
    struct unik_gui *g = w->app->gui;

    if (strcmp(verb, "close") == 0)
        return close_window(w);
    if (strcmp(verb, "fill") == 0) {
        w->seed = (uint32_t)n[1];
        fill(w);
    } else if (strcmp(verb, "rect") == 0)
        rect(w, (int)n[1], (int)n[2], (int)n[3], (int)n[4], (uint32_t)n[5]);
    else if (strcmp(verb, "resize") == 0)
        return g->resize(g, w->w, (int)n[1], (int)n[2]);
    else if (strcmp(verb, "title") == 0)
        return g->title(g, w->w, text);
    else if (strcmp(verb, "cursor") == 0)
        return g->cursor(g, w->w, (unsigned)n[1]);
    else if (strcmp(verb, "state") == 0)
        return g->state(g, w->w, (unsigned)n[1], (unsigned)n[2]);
    else if (strcmp(verb, "show") == 0)
        g->show(g, w->w, n[1] != 0);
    else
        return -ENOSYS;
    return 0;
}

static int run_line(struct app *a, char *line, struct unik_text *out)
{
    char *rest = line + strcspn(line, " "), *p, *text;
    long n[6] = { 0 };
    struct window *w;

    if (*rest)
        *rest++ = 0;
    if (strcmp(line, "clip") == 0)
        return a->gui->set_clipboard(a->gui, rest, strlen(rest));
    if (strcmp(line, "clip-size") == 0)
        return clip_size(a, strtoul(rest, NULL, 10));
    if (strcmp(line, "events") == 0) {
        unik_text_add(out, "%s", a->events_text);
        unik_text_init(&a->events, a->events_text, sizeof(a->events_text));
        return 0;
    }
    p = text = rest;
    for (size_t i = 0; i < 6 && *p; i++) {
        n[i] = strtol(p, &p, 0);
        if (i == 0)
            text = p + (*p == ' ');
    }
    if (strcmp(line, "open") == 0)
        return open_window(a, (unsigned)n[0], (int)n[1], (int)n[2], rest);
    w = find(a, (unsigned)n[0]);
    return w ? with_window(w, line, text, n) : -ENOENT;
}

static void run_all(struct job *j)
{
    struct unik_text out;
    char *line, *rest = j->in;
    int e;

    j->out = malloc(EVENTS_MAX + INPUT_MAX);
    if (!j->out) {
        end(j, 1);
        return;
    }
    unik_text_init(&out, j->out, EVENTS_MAX + INPUT_MAX);
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (!*line)
            continue;
        e = j->app->gui ? run_line(j->app, line, &out) : -ENOTCONN;
        if (e == 0)
            unik_text_add(&out, "ok\n");
        else
            unik_text_add(&out, "%s\n", strerror(-e));
    }
    j->out_n = out.used;
    say(j);
}

static void on_io(struct unik_stream *s, unsigned events, void *arg)
{
    struct job *j = arg;
    ssize_t n = 0;

    (void)events;
    if (j->out) {
        say(j);
        return;
    }
    while (j->in_n < INPUT_MAX && (n = unik_stream_read(s, j->in + j->in_n, INPUT_MAX - j->in_n)) > 0)
        j->in_n += (size_t)n;
    if (n == -EAGAIN && j->in_n < INPUT_MAX)
        return;
    if (n < 0)
        end(j, UNIK_QREXEC_BROKEN);
    else
        run_all(j);
}

static struct job *begin(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = calloc(1, sizeof(*j));

    if (!j) {
        call->exit_code = 1;
        unik_stream_close(call->io);
        return NULL;
    }
    j->app = arg;
    j->call = call;
    LIST_INSERT_HEAD(&j->app->jobs, j, link);
    unik_stream_on(call->io, on_io, j);
    return j;
}

static void serve_do(struct unik_qrexec_call *call, void *arg)
{
    struct job *j = begin(call, arg);

    if (j)
        on_io(call->io, UNIK_STREAM_INPUT, j);
}

static void serve_picture(struct unik_qrexec_call *call, void *arg)
{
    struct window *w = find(arg, (unsigned)atoi(call->argument));
    struct job *j = begin(call, arg);
    char *at;

    if (!j)
        return;
    j->out = w && w->b.pixels ? malloc((size_t)w->b.width * (size_t)w->b.height * 3 + 64) : NULL;
    if (!j->out) {
        end(j, 1);
        return;
    }
    at = j->out + sprintf(j->out, "P6\n%d %d\n255\n", w->b.width, w->b.height);
    for (int y = 0; y < w->b.height; y++)
        for (int x = 0; x < w->b.width; x++) {
            uint32_t c = w->b.pixels[(size_t)y * w->b.pitch + (size_t)x];

            *at++ = (char)(c >> 16);
            *at++ = (char)(c >> 8);
            *at++ = (char)c;
        }
    j->out_n = (size_t)(at - j->out);
    say(j);
}

/* ---- the app ---- */

static void arrived(struct unik_ctx *ctx, const char *interface, void *iface)
{
    struct app *a = ctx->data;

    if (strcmp(interface, "gui/1") == 0)
        a->gui = iface;
    else {
        a->q = iface;
        a->q->serve(a->q, ctx, "w.Do", serve_do, a, NULL);
        a->q->serve(a->q, ctx, "w.Picture", serve_picture, a, NULL);
    }
}

/* gui/1 goes: its windows are dead. */
static void gone(struct unik_ctx *ctx, const char *interface)
{
    struct app *a = ctx->data;

    if (strcmp(interface, "gui/1") != 0)
        return;
    a->gui = NULL;
    memset(a->windows, 0, sizeof(a->windows));
}

static int start(struct unik_ctx *ctx)
{
    struct app *a = calloc(1, sizeof(*a));

    if (!a)
        return -ENOMEM;
    a->ctx = ctx;
    LIST_INIT(&a->jobs);
    unik_text_init(&a->events, a->events_text, sizeof(a->events_text));
    ctx->data = a;
    unik_ready(ctx);
    return 0;
}

static void stop(struct unik_ctx *ctx)
{
    struct app *a = ctx->data;

    while (!LIST_EMPTY(&a->jobs))
        end(LIST_FIRST(&a->jobs), UNIK_QREXEC_BROKEN);
    free(a);
    unik_stopped(ctx);
}

UNIK_PLUGIN(window_app) = {
    UNIK_PLUGIN_HEAD, .name = "window-app", .version = "1", .summary = "windows for tests", .targets = UNIK_ON_ANY,
    .flags = UNIK_APP, .wants = (const char *const[]){ "gui/1", "qrexec/1", NULL }, .arrived = arrived, .gone = gone,
    .start = start, .stop = stop
};
