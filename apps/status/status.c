/* status - a window with what unik.Status says: states, peers, addresses, counters, the last log lines. Looks again now and
 * then while somebody can see it, and draws the lines that have changed. The qrexec service status.Show brings it back after
 * the user has closed it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <unik/draw.h>
#include <unik/gui.h>
#include <unik/plugin.h>
#include <unik/qrexec.h>
#include <unik/text.h>

#define TEXT_MAX 65536                  /* bytes of the report; the rest is cut */
#define LINES_MAX 2048
#define ROWS_MAX 512                    /* shown at once */
#define ROW_BYTES 512                   /* of a line that are drawn */

#define KEY_PAGE_UP 0xff55              /* xkb keysyms */
#define KEY_PAGE_DOWN 0xff56
#define KEY_UP 0xff52
#define KEY_DOWN 0xff54
#define KEY_HOME 0xff50
#define KEY_END 0xff57

enum colour { PAPER = 0x101418, INK = 0xd0d4d8, HEAD = 0x80c0ff, WARN = 0xffc040, FAIL = 0xff6060, EDGE = 0x304050 };

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
    [ROWS_DRAWN] = { "rows_drawn", UNIK_COUNT, "lines that had changed" },
    { 0 }
};

struct row {
    size_t n;
    char text[ROW_BYTES];
};

struct status {
    struct unik_ctx *ctx;
    struct unik_gui *gui;
    struct unik_gui_window *window;
    struct unik_gui_buffer buffer;
    struct unik_font *font;
    ev_timer again;
    unsigned first, lines, rows;        /* the line at the top; of the report; that fit in the window */
    bool follow;                        /* the end is shown: as it grows too */
    char report[TEXT_MAX];
    struct { const char *text; size_t n; } line[LINES_MAX];
    struct row shown[ROWS_MAX];
};

static void split(struct status *s)
{
    const char *p = s->report;

    for (s->lines = 0; *p && s->lines < LINES_MAX; s->lines++) {
        size_t n = strcspn(p, "\n");

        s->line[s->lines].text = p;
        s->line[s->lines].n = n < ROW_BYTES ? n : ROW_BYTES;
        p += n + (p[n] == '\n');
    }
}

static bool has(const char *text, size_t n, const char *word) { return memmem(text, n, word, strlen(word)) != NULL; }

/* A log line by its level; the first line of a plugin by its state. */
static enum colour colour_of(const char *text, size_t n)
{
    if (has(text, n, ": ERR [") || has(text, n, ": failed for"))
        return FAIL;
    if (has(text, n, ": WRN [") || has(text, n, ": degraded for"))
        return WARN;
    return n > 0 && text[0] != ' ' && !has(text, n, ": INF [") ? HEAD : INK;
}

static unsigned last_first(const struct status *s) { return s->lines > s->rows ? s->lines - s->rows : 0; }

static void draw_row(struct status *s, unsigned i, const char *text, size_t n)
{
    int height = s->font->height, margin = height / 2, y = margin + (int)i * height;

    unik_draw_fill(&s->buffer, 1, y, s->buffer.width - 2, height, PAPER);
    unik_draw_text(&s->buffer, s->font, margin, y, colour_of(text, n), text, n);
    s->gui->damage(s->gui, s->window, 0, y, s->buffer.width, height);
    memcpy(s->shown[i].text, text, n);
    s->shown[i].n = n;
    s->ctx->counters[ROWS_DRAWN]++;
}

static void draw_changes(struct status *s, bool all)
{
    for (unsigned i = 0; i < s->rows; i++) {
        unsigned at = s->first + i;
        const char *text = at < s->lines ? s->line[at].text : "";
        size_t n = at < s->lines ? s->line[at].n : 0;

        if (all || n != s->shown[i].n || memcmp(text, s->shown[i].text, n) != 0)
            draw_row(s, i, text, n);
    }
}

static void scroll_to(struct status *s, long first)
{
    long most = (long)last_first(s);

    s->first = first < 0 ? 0 : (unsigned)(first > most ? most : first);
    s->follow = s->lines > s->rows && s->first == last_first(s);
    draw_changes(s, false);
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
    split(s);
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
    case KEY_END: scroll_to(s, LINES_MAX); break;
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
