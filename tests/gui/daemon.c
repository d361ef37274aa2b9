/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/daemon.c - a strict model of qubes-guid. */
#include <stdarg.h>
#include <stdlib.h>
#include "tests/gui/daemon.h"

#define SCREEN_WIDTH 1008u
#define SCREEN_HEIGHT 700u
#define ARGUE_MAX 200

static void complain(struct daemon *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void complain(struct daemon *d, const char *fmt, ...)
{
    va_list ap;

    if (d->complaint[0])
        return;
    va_start(ap, fmt);
    vsnprintf(d->complaint, sizeof(d->complaint), fmt, ap);
    va_end(ap);
}

static void odd(struct daemon *d, const char *what)
{
    if (!d->unstrict)
        complain(d, "%s of window %u: %s", gui_type_name(d->message.type), (unsigned)d->message.window, what);
}

void daemon_init(struct daemon *d, struct fake *f, unsigned minor)
{
    memset(d, 0, sizeof(*d));
    d->f = f;
    d->minor = minor;
}

static void drop_image(struct daemon *d, struct daemon_window *w)
{
    if (w->image)
        fake_unmap(d->f, w->image);
    w->image = NULL;
}

static void drop_window(struct daemon *d, struct daemon_window *w)
{
    drop_image(d, w);
    free(w->picture);
    memset(w, 0, sizeof(*w));
    d->n--;
}

void daemon_reset(struct daemon *d)
{
    struct daemon fresh = { .f = d->f, .minor = d->minor, .unstrict = d->unstrict, .lazy_acks = d->lazy_acks };

    for (unsigned i = 0; i < DAEMON_WINDOWS; i++)
        if (d->windows[i].id)
            drop_window(d, &d->windows[i]);
    memcpy(fresh.complaint, d->complaint, sizeof(fresh.complaint));
    free(d->refs);
    free(d->text);
    *d = fresh;
}

struct daemon_window *daemon_window(struct daemon *d, uint32_t id)
{
    for (unsigned i = 0; i < DAEMON_WINDOWS && id; i++)
        if (d->windows[i].id == id)
            return &d->windows[i];
    return NULL;
}

struct daemon_window *daemon_nth(struct daemon *d, unsigned n)
{
    for (unsigned i = 0; i < DAEMON_WINDOWS; i++)
        if (d->windows[i].id && n-- == 0)
            return &d->windows[i];
    return NULL;
}

/* ---- sending ---- */

void daemon_send(struct daemon *d, const struct gui_message *m)
{
    uint8_t bytes[GUI_MESSAGE_MAX];
    int n = gui_encode(bytes, sizeof(bytes), GUI_DAEMON, d->version, m);

    if (n < 0)
        abort();
    if (d->version)
        fake_send(&d->f->v, bytes, (size_t)n);
}

void daemon_bare(struct daemon *d, uint32_t type, uint32_t id)
{
    daemon_send(d, &(struct gui_message){ .type = type, .window = id });
}

void daemon_key(struct daemon *d, uint32_t id, unsigned code, unsigned state, bool down)
{
    daemon_send(d, &(struct gui_message){ .type = GUI_KEYPRESS, .window = id,
                                          .u.input = { down ? GUI_KEY_DOWN : GUI_KEY_UP, 3, 4, state, code } });
}

void daemon_focus(struct daemon *d, uint32_t id, bool in)
{
    if (in)
        daemon_send(d, &(struct gui_message){ .type = GUI_KEYMAP_NOTIFY });
    daemon_send(d, &(struct gui_message){ .type = GUI_FOCUS, .window = id, .u.focus = { in ? GUI_FOCUS_IN : GUI_FOCUS_OUT, 0, 3 } });
}

void daemon_paste(struct daemon *d, uint32_t id, const void *bytes, uint32_t n)
{
    daemon_send(d, &(struct gui_message){ .type = GUI_CLIPBOARD_DATA, .window = id, .u.clipboard = { n } });
    fake_send(&d->f->v, bytes, n);
}

static void send_place(struct daemon *d, struct daemon_window *w)
{
    daemon_send(d, &(struct gui_message){ .type = GUI_CONFIGURE, .window = w->id, .u.configure = { w->at, 0 } });
}

static bool same(const struct gui_rect *a, const struct gui_rect *b)
{
    return a->x == b->x && a->y == b->y && a->width == b->width && a->height == b->height;
}

static void moved(struct daemon_window *w, const struct gui_rect *r)
{
    bool size = w->at.width != r->width || w->at.height != r->height;

    w->at = *r;
    if (size || !w->picture) {
        free(w->picture);
        w->picture = malloc(4 * (size_t)r->width * r->height);
        for (size_t i = 0; i < (size_t)r->width * r->height; i++)
            w->picture[i] = DAEMON_WHITE;
    }
}

void daemon_place(struct daemon *d, struct daemon_window *w, const struct gui_rect *r)
{
    if (same(&w->at, r))
        return;
    moved(w, r);
    if (w->queued)
        return;
    w->queued = true;
    send_place(d, w);
}

void daemon_acks(struct daemon *d)
{
    for (unsigned i = 0; i < d->n_acks; i++)
        daemon_bare(d, GUI_WINDOW_DUMP_ACK, d->acks[i]);
    d->n_acks = 0;
}

/* ---- messages ---- */

static void on_create(struct daemon *d, const struct gui_message *m)
{
    if (daemon_window(d, m->window) || m->window == 0) {
        complain(d, "CREATE of window %u, which is there", (unsigned)m->window);
        return;
    }
    for (unsigned i = 0; i < DAEMON_WINDOWS; i++)
        if (!d->windows[i].id) {
            d->windows[i].id = m->window;
            d->windows[i].menu = m->u.create.menu;
            moved(&d->windows[i], &m->u.rect);
            d->n++;
            d->creates++;
            return;
        }
    complain(d, "too many windows");
}

/* The table of doc/protocol/gui.md, 4. */
static void on_configure(struct daemon *d, struct daemon_window *w, const struct gui_rect *r)
{
    bool equal = same(&w->at, r);

    if (w->docked) {
        if (!equal)
            send_place(d, w);
        w->queued = false;
    } else if (w->queued && equal) {
        w->queued = false;
        w->argued = 0;
    } else if (w->queued) {
        if (++w->argued > ARGUE_MAX)
            complain(d, "CONFIGURE of window %u: argued %u times", (unsigned)w->id, w->argued);
        send_place(d, w);
    } else if (!equal) {
        moved(w, r);
    }
}

static void on_dump(struct daemon *d, struct daemon_window *w, const struct gui_message *m)
{
    drop_image(d, w);
    w->image = fake_map(d->f, d->f->v.peer, d->refs, m->u.dump.refs);
    if (!w->image)
        complain(d, "WINDOW_DUMP of window %u: its pages cannot be mapped", (unsigned)w->id);
    w->image_width = m->u.dump.width;
    w->image_height = m->u.dump.height;
    w->dumps++;
    if (GUI_MINOR(d->version) < 7)
        return;
    if (d->lazy_acks && d->n_acks < DAEMON_WINDOWS)
        d->acks[d->n_acks++] = w->id;
    else
        daemon_bare(d, GUI_WINDOW_DUMP_ACK, w->id);
}

static void on_image(struct daemon *d, struct daemon_window *w, const struct gui_rect *r)
{
    uint32_t x1 = (uint32_t)r->x + r->width, y1 = (uint32_t)r->y + r->height;
    const uint32_t *from;

    if (!w->mapped && !w->docked)
        odd(d, "not shown");
    if (!w->image) {
        odd(d, "no image");
        return;
    }
    if (x1 > w->image_width || y1 > w->image_height)
        odd(d, "reaches out of the image");
    from = w->image->shared.bytes;
    x1 = x1 < w->image_width ? x1 : w->image_width;
    y1 = y1 < w->image_height ? y1 : w->image_height;
    x1 = x1 < w->at.width ? x1 : w->at.width;
    y1 = y1 < w->at.height ? y1 : w->at.height;
    for (uint32_t y = (uint32_t)r->y; y < y1; y++)
        for (uint32_t x = (uint32_t)r->x; x < x1; x++)
            w->picture[(size_t)y * w->at.width + x] = from[(size_t)y * w->image_width + x] & 0xffffff;
    w->images++;
    w->pixels += (uint64_t)r->width * r->height;
}

static void on_map(struct daemon *d, struct daemon_window *w, const struct gui_message *m)
{
    if (w->mapped || w->docked) {
        odd(d, "it is shown");
        return;
    }
    if (m->u.map.parent && !daemon_window(d, m->u.map.parent))
        odd(d, "its parent is not there");
    w->mapped = true;
    w->menu = m->u.map.menu;
    w->parent = m->u.map.parent;
    for (size_t i = 0; i < (size_t)w->at.width * w->at.height; i++)
        w->picture[i] = DAEMON_WHITE;
}

static void on_unmap(struct daemon *d, struct daemon_window *w)
{
    if (!w->mapped)
        odd(d, "it is not shown");
    w->mapped = false;
    d->unmaps++;
    drop_image(d, w);
}

static void on_flags(struct daemon *d, struct daemon_window *w, const struct gui_message *m)
{
    if (!w->mapped && (m->u.flags.set | m->u.flags.unset) & GUI_MINIMISED)
        odd(d, "minimised before it is shown");
    w->flags = (w->flags | m->u.flags.set) & ~m->u.flags.unset;
}

static void on_hints(struct daemon_window *w, const struct gui_message *m)
{
    w->hints.flags = m->u.hints.flags;
    w->hints.min_width = m->u.hints.min_width;
    w->hints.min_height = m->u.hints.min_height;
    w->hints.max_width = m->u.hints.max_width;
    w->hints.max_height = m->u.hints.max_height;
}

static void on_message(struct daemon *d, const struct gui_message *m)
{
    struct daemon_window *w = daemon_window(d, m->window);

    d->messages++;
    if (m->type == GUI_CREATE) {
        on_create(d, m);
        return;
    }
    if (m->type == GUI_CLIPBOARD_DATA) {
        d->copies++;
        return;
    }
    if (!w) {
        complain(d, "%s of window %u, which is not there", gui_type_name(m->type), (unsigned)m->window);
        return;
    }
    switch (m->type) {
    case GUI_DESTROY:
        drop_window(d, w);
        d->destroys++;
        if (GUI_MINOR(d->version) >= 5)
            daemon_bare(d, GUI_DESTROY, m->window);
        break;
    case GUI_MAP: on_map(d, w, m); break;
    case GUI_UNMAP: on_unmap(d, w); break;
    case GUI_CONFIGURE: on_configure(d, w, &m->u.rect); break;
    case GUI_WINDOW_DUMP: on_dump(d, w, m); break;
    case GUI_SHMIMAGE: on_image(d, w, &m->u.rect); break;
    case GUI_WMNAME: memcpy(w->title, m->u.name.title, GUI_TITLE); break;
    case GUI_WMCLASS:
        if (w->mapped)
            odd(d, "it is shown");
        memcpy(w->class_name, m->u.wmclass.class_name, GUI_CLASS);
        break;
    case GUI_DOCK:
        if (w->mapped || w->docked)
            odd(d, "it is shown");
        w->docked = true;
        break;
    case GUI_WINDOW_HINTS: on_hints(w, m); break;
    case GUI_WINDOW_FLAGS: on_flags(d, w, m); break;
    case GUI_CURSOR: w->cursor = m->u.cursor.id; break;
    default: complain(d, "%s: not expected", gui_type_name(m->type));
    }
}

static void judge(struct daemon *d)
{
    static const char *const words[] = { "", "would be ignored or changed", "would stop the daemon to ask its user",
                                         "would end the daemon" };
    enum gui_verdict v = gui_judge(d->version, &d->message);

    if (v == GUI_ODD && d->message.type == GUI_CONFIGURE)
        return;                 /* an echo repeats what it was told */
    if (v == GUI_ODD)
        odd(d, words[v]);
    else if (v != GUI_GOOD)
        complain(d, "%s of window %u %s", gui_type_name(d->message.type), (unsigned)d->message.window, words[v]);
}

/* ---- bytes ---- */

static void hello(struct daemon *d)
{
    struct gui_xconf screen = { SCREEN_WIDTH, SCREEN_HEIGHT, 24, 2757 };
    uint8_t bytes[GUI_XCONF_BYTES];

    d->version = gui_version(GUI_VERSION_OF(d->minor), d->offered);
    if (!d->version) {
        complain(d, "version %x", (unsigned)d->offered);
        return;
    }
    if (GUI_MINOR(d->offered) >= 4) {
        gui_encode_version(bytes, d->version);
        fake_send(&d->f->v, bytes, GUI_VERSION_BYTES);
    }
    gui_encode_xconf(bytes, &screen);
    fake_send(&d->f->v, bytes, GUI_XCONF_BYTES);
}

bool daemon_connect(struct daemon *d)
{
    if (!fake_waits(&d->f->v))
        return false;
    fake_connect(&d->f->v);
    return true;
}

static void begin_message(struct daemon *d)
{
    int n = gui_body(GUI_AGENT, &d->header);

    if (n < 0)
        complain(d, "type %u with %u bytes", (unsigned)d->header.type, (unsigned)d->header.len);
    else
        d->rest = d->header.len - (uint32_t)n;
}

/* The body is there. */
static void look(struct daemon *d)
{
    gui_decode(GUI_AGENT, &d->header, d->body, &d->message);
    judge(d);
    d->have_body = true;
    d->rest_have = 0;
    if (d->message.type == GUI_WINDOW_DUMP) {
        free(d->refs);
        d->refs = malloc(d->rest ? d->rest : 1);
    } else if (d->message.type == GUI_CLIPBOARD_DATA) {
        free(d->text);
        d->text = malloc(d->rest ? d->rest : 1);
        d->text_size = d->rest;
    }
}

/* Some bytes of the message under way, as far as they are there: how many. */
static size_t step(struct daemon *d, size_t most)
{
    uint8_t head[GUI_HEADER];
    size_t n, waiting = fake_waiting(&d->f->v);

    if (!d->said_hello) {
        if (waiting < GUI_VERSION_BYTES)
            return 0;
        fake_take(&d->f->v, head, GUI_VERSION_BYTES);
        d->offered = gui_decode_version(head);
        d->said_hello = true;
        hello(d);
        return GUI_VERSION_BYTES;
    }
    if (!d->have_header) {
        if (waiting < GUI_HEADER)
            return 0;
        n = fake_take(&d->f->v, head, GUI_HEADER);
        gui_decode_header(head, &d->header);
        d->have_header = true;
        d->have_body = false;
        begin_message(d);
    } else if (!d->have_body) {
        size_t body = d->header.len - d->rest;

        if (waiting < body)
            return 0;
        n = fake_take(&d->f->v, d->body, body);
        look(d);
    } else {
        uint8_t *to = d->message.type == GUI_WINDOW_DUMP ? (uint8_t *)d->refs : d->text;

        n = d->rest - d->rest_have < most ? d->rest - d->rest_have : most;
        n = fake_take(&d->f->v, to + d->rest_have, n);
        d->rest_have += (uint32_t)n;
    }
    if (d->complaint[0])
        return 0;
    if (d->have_header && !d->have_body && d->header.len == d->rest)
        look(d);
    if (d->have_body && d->rest_have == d->rest) {
        d->have_header = d->have_body = false;
        on_message(d, &d->message);
        return n + 1;
    }
    return n;
}

size_t daemon_run(struct daemon *d, size_t most)
{
    size_t sum = 0, n;

    while (sum < most && !d->complaint[0] && fake_connected(&d->f->v) && (n = step(d, most - sum)) > 0)
        sum += n;
    return sum;
}
