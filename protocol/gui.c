/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/gui.c - messages of the GUI protocol. Bytes to decode come from the GUI domain, or from a VM where we play the daemon.
 *
 * Most bodies are numbers of 32 bits, in the order of the members of gui_message's union: those are moved as a row of words.
 */
#include <errno.h>
#include <string.h>

#include "protocol/cursor.h"
#include "protocol/gui.h"

#define WORDS_MAX 9

enum { FROM_AGENT = 1, FROM_DAEMON = 2 };

static const struct type {
    const char *name;
    uint8_t from, words, text;      /* body: words of 4 bytes, then bytes of text */
    uint8_t unit;                   /* of the open end; 0: none */
} types[] = {
    [GUI_KEYPRESS] = { "KEYPRESS", FROM_DAEMON, 5, 0, 0 },
    [GUI_BUTTON] = { "BUTTON", FROM_DAEMON, 5, 0, 0 },
    [GUI_MOTION] = { "MOTION", FROM_DAEMON, 4, 0, 0 },
    [GUI_CROSSING] = { "CROSSING", FROM_DAEMON, 7, 0, 0 },
    [GUI_FOCUS] = { "FOCUS", FROM_DAEMON, 3, 0, 0 },
    [GUI_CREATE] = { "CREATE", FROM_AGENT, 6, 0, 0 },
    [GUI_DESTROY] = { "DESTROY", FROM_AGENT | FROM_DAEMON, 0, 0, 0 },
    [GUI_MAP] = { "MAP", FROM_AGENT | FROM_DAEMON, 2, 0, 0 },
    [GUI_UNMAP] = { "UNMAP", FROM_AGENT, 0, 0, 0 },
    [GUI_CONFIGURE] = { "CONFIGURE", FROM_AGENT | FROM_DAEMON, 5, 0, 0 },
    [GUI_MFNDUMP] = { "MFNDUMP", FROM_AGENT, 7, 0, 4 },
    [GUI_SHMIMAGE] = { "SHMIMAGE", FROM_AGENT, 4, 0, 0 },
    [GUI_CLOSE] = { "CLOSE", FROM_DAEMON, 0, 0, 0 },
    [GUI_CLIPBOARD_REQ] = { "CLIPBOARD_REQ", FROM_DAEMON, 0, 0, 0 },
    [GUI_CLIPBOARD_DATA] = { "CLIPBOARD_DATA", FROM_AGENT | FROM_DAEMON, 0, 0, 1 },
    [GUI_WMNAME] = { "WMNAME", FROM_AGENT, 0, GUI_TITLE, 0 },
    [GUI_KEYMAP_NOTIFY] = { "KEYMAP_NOTIFY", FROM_DAEMON, 0, GUI_KEYS, 0 },
    [GUI_DOCK] = { "DOCK", FROM_AGENT, 0, 0, 0 },
    [GUI_WINDOW_HINTS] = { "WINDOW_HINTS", FROM_AGENT, 9, 0, 0 },
    [GUI_WINDOW_FLAGS] = { "WINDOW_FLAGS", FROM_AGENT | FROM_DAEMON, 2, 0, 0 },
    [GUI_WMCLASS] = { "WMCLASS", FROM_AGENT, 0, 2 * GUI_CLASS, 0 },
    [GUI_WINDOW_DUMP] = { "WINDOW_DUMP", FROM_AGENT, 4, 0, 4 },
    [GUI_CURSOR] = { "CURSOR", FROM_AGENT, 1, 0, 0 },
    [GUI_WINDOW_DUMP_ACK] = { "WINDOW_DUMP_ACK", FROM_DAEMON, 0, 0, 0 },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static const struct type *type_of(enum gui_side from, uint32_t type)
{
    return type < TYPES && types[type].from & (from == GUI_AGENT ? FROM_AGENT : FROM_DAEMON) ? &types[type] : NULL;
}

static size_t body_of(const struct type *t) { return 4u * t->words + t->text; }

const char *gui_type_name(uint32_t type) { return type < TYPES && types[type].name ? types[type].name : "unknown"; }
bool gui_sends(enum gui_side from, uint32_t type) { return type_of(from, type); }

uint32_t gui_version(uint32_t ours, uint32_t theirs)
{
    if (GUI_MAJOR(ours) != 1 || GUI_MAJOR(theirs) != 1)
        return 0;
    return ours < theirs ? ours : theirs;
}

uint32_t gui_clipboard_max(uint32_t version) { return GUI_MINOR(version) < 8 ? 65000 : GUI_CLIPBOARD_IN_MAX + 1; }

size_t gui_pages(uint32_t width, uint32_t height)
{
    if (width < 1 || height < 1 || width > GUI_WIDTH_MAX || height > GUI_HEIGHT_MAX)
        return 0;
    return ((size_t)width * height * 4 + GUI_PAGE - 1) / GUI_PAGE;
}

/* ---- what is good ---- */

static bool size_ok(uint32_t width, uint32_t height) { return gui_pages(width, height) > 0; }

/* CREATE of nothing makes X complain, which ends the daemon; its sizes are looked at as signed, CONFIGURE's are not. What is
 * too large or too far is clamped. */
static enum gui_verdict judge_rect(const struct gui_rect *r, bool create)
{
    if (create && (r->width > INT32_MAX || r->height > INT32_MAX))
        return GUI_FREEZES;
    if (r->width < 1 || r->height < 1)
        return create ? GUI_KILLS : GUI_FREEZES;
    if (!size_ok(r->width, r->height))
        return GUI_ODD;
    return r->x < -(int)GUI_WIDTH_MAX || r->x > (int)GUI_WIDTH_MAX || r->y < -(int)GUI_HEIGHT_MAX ||
           r->y > (int)GUI_HEIGHT_MAX ? GUI_ODD : GUI_GOOD;
}

static enum gui_verdict judge_damage(const struct gui_rect *r)
{
    return r->x < 0 || r->y < 0 || r->width < 1 || r->height < 1 || r->width > INT32_MAX || r->height > INT32_MAX ?
           GUI_ODD : GUI_GOOD;
}

static bool pair_ok(uint32_t width, uint32_t height, uint32_t least)
{
    return width >= least && height >= least && width <= GUI_WIDTH_MAX && height <= GUI_HEIGHT_MAX;
}

/* A pair out of range is left out by the daemon. */
static enum gui_verdict judge_hints(const struct gui_message *m)
{
    uint32_t f = m->u.hints.flags, known = GUI_HINT_USER_POSITION | GUI_HINT_POSITION | GUI_HINT_MIN | GUI_HINT_MAX |
                                           GUI_HINT_STEP | GUI_HINT_BASE;

    return f & ~known || (f & GUI_HINT_MIN && !pair_ok(m->u.hints.min_width, m->u.hints.min_height, 0)) ||
           (f & GUI_HINT_MAX && !pair_ok(m->u.hints.max_width, m->u.hints.max_height, 1)) ||
           (f & GUI_HINT_STEP && !pair_ok(m->u.hints.step_x, m->u.hints.step_y, 0)) ||
           (f & GUI_HINT_BASE && !pair_ok(m->u.hints.base_width, m->u.hints.base_height, 0)) ? GUI_ODD : GUI_GOOD;
}

static enum gui_verdict judge_dump(const struct gui_message *m)
{
    size_t pages = gui_pages(m->u.dump.width, m->u.dump.height);

    return m->u.dump.type != 0 || pages == 0 || m->u.dump.refs < pages || m->u.dump.refs > GUI_REFS_MAX ? GUI_KILLS :
           GUI_GOOD;
}

static bool cursor_ok(uint32_t id) { return id == GUI_CURSOR_DEFAULT || (id >= GUI_CURSOR_X && id < GUI_CURSOR_END); }

enum gui_verdict gui_judge(uint32_t version, const struct gui_message *m)
{
    if (!gui_sends(GUI_AGENT, m->type))
        return GUI_KILLS;
    switch (m->type) {
    case GUI_CREATE: return judge_rect(&m->u.rect, true);
    case GUI_CONFIGURE: return judge_rect(&m->u.rect, false);
    case GUI_SHMIMAGE: return judge_damage(&m->u.rect);
    case GUI_WINDOW_HINTS: return judge_hints(m);
    case GUI_WINDOW_DUMP: return judge_dump(m);
    case GUI_MFNDUMP: return GUI_KILLS;         /* outside dom0, and deprecated */
    case GUI_CLIPBOARD_DATA: return m->u.clipboard.size > gui_clipboard_max(version) ? GUI_KILLS : GUI_GOOD;
    case GUI_WINDOW_FLAGS: return m->u.flags.set & m->u.flags.unset ? GUI_FREEZES : GUI_GOOD;
    case GUI_CURSOR: return cursor_ok(m->u.cursor.id) ? GUI_GOOD : GUI_FREEZES;
    default: return GUI_GOOD;
    }
}

static bool is_either(uint32_t v, uint32_t a, uint32_t b) { return v == a || v == b; }

/* From the GUI domain: is each value one that the field can have? */
static bool daemon_ok(const struct gui_message *m)
{
    switch (m->type) {
    case GUI_KEYPRESS: return is_either(m->u.input.type, GUI_KEY_DOWN, GUI_KEY_UP) && m->u.input.code < 256;
    case GUI_BUTTON: return is_either(m->u.input.type, GUI_BUTTON_DOWN, GUI_BUTTON_UP) && m->u.input.code - 1 < 255;
    case GUI_CROSSING: return is_either(m->u.crossing.type, GUI_ENTER, GUI_LEAVE);
    case GUI_FOCUS: return is_either(m->u.focus.type, GUI_FOCUS_IN, GUI_FOCUS_OUT);
    case GUI_CONFIGURE: return size_ok(m->u.rect.width, m->u.rect.height);
    case GUI_CLIPBOARD_DATA: return m->u.clipboard.size <= GUI_CLIPBOARD_IN_MAX;
    case GUI_WINDOW_FLAGS: return !(m->u.flags.set & m->u.flags.unset);
    default: return true;
    }
}

/* ---- the start ---- */

static void put_words(struct writer *w, const void *from, size_t n)
{
    uint32_t words[WORDS_MAX] = { 0 };

    memcpy(words, from, 4 * n);
    for (size_t i = 0; i < n; i++)
        writer_u32(w, words[i]);
}

static void take_words(struct reader *r, void *to, size_t n)
{
    uint32_t words[WORDS_MAX];

    for (size_t i = 0; i < n; i++)
        words[i] = reader_u32(r);
    memcpy(to, words, 4 * n);
}

void gui_encode_version(void *bytes, uint32_t version)
{
    struct writer w;

    writer_init(&w, bytes, GUI_VERSION_BYTES);
    writer_u32(&w, version);
}

uint32_t gui_decode_version(const void *bytes)
{
    struct reader r;

    reader_init(&r, bytes, GUI_VERSION_BYTES);
    return reader_u32(&r);
}

void gui_encode_xconf(void *bytes, const struct gui_xconf *x)
{
    struct writer w;

    writer_init(&w, bytes, GUI_XCONF_BYTES);
    put_words(&w, x, 4);
}

int gui_decode_xconf(const void *bytes, struct gui_xconf *x)
{
    struct reader r;

    reader_init(&r, bytes, GUI_XCONF_BYTES);
    take_words(&r, x, 4);
    return x->width - 1 < 65535 && x->height - 1 < 65535 ? 0 : -ERANGE;
}

/* ---- messages ---- */

static uint32_t open_end(const struct gui_message *m)
{
    return m->type == GUI_WINDOW_DUMP ? 4 * m->u.dump.refs : m->type == GUI_CLIPBOARD_DATA ? m->u.clipboard.size : 0;
}

/* Texts end with a NUL inside their fields: nothing of what lies behind it goes out. */
static int put_text(struct writer *w, const struct gui_message *m)
{
    switch (m->type) {
    case GUI_WMNAME:
        if (!memchr(m->u.name.title, 0, GUI_TITLE))
            return -EINVAL;
        writer_string(w, m->u.name.title, GUI_TITLE);
        return 0;
    case GUI_WMCLASS:
        if (!memchr(m->u.wmclass.class_name, 0, GUI_CLASS) || !memchr(m->u.wmclass.name, 0, GUI_CLASS))
            return -EINVAL;
        writer_string(w, m->u.wmclass.class_name, GUI_CLASS);
        writer_string(w, m->u.wmclass.name, GUI_CLASS);
        return 0;
    default:
        writer_bytes(w, m->u.keymap.down, GUI_KEYS);
        return 0;
    }
}

int gui_encode(void *bytes, size_t size, enum gui_side from, uint32_t version, const struct gui_message *m)
{
    const struct type *t = type_of(from, m->type);
    struct writer w;
    size_t n;

    if (!t || (from == GUI_AGENT ? gui_judge(version, m) >= GUI_FREEZES : !daemon_ok(m)))
        return -EINVAL;
    writer_init(&w, bytes, size);
    writer_u32(&w, m->type);
    /* Below 1.2 the clipboard's size was in the field of the window. */
    writer_u32(&w, m->type == GUI_CLIPBOARD_DATA && GUI_MINOR(version) < 2 ? m->u.clipboard.size : m->window);
    writer_u32(&w, (uint32_t)body_of(t) + open_end(m));
    put_words(&w, &m->u, t->words);
    if (t->text && put_text(&w, m) < 0)
        return -EINVAL;
    n = writer_done(&w);
    return n ? (int)n : -EINVAL;
}

int gui_encode_refs(void *bytes, const uint32_t *refs, size_t n)
{
    struct writer w;

    writer_init(&w, bytes, 4 * n);
    for (size_t i = 0; i < n; i++) {
        if (refs[i] == 0)
            return -EINVAL;
        writer_u32(&w, refs[i]);
    }
    return 0;
}

uint32_t gui_decode_ref(const void *bytes)
{
    struct reader r;

    reader_init(&r, bytes, 4);
    return reader_u32(&r);
}

void gui_decode_header(const void *bytes, struct gui_header *h)
{
    struct reader r;

    reader_init(&r, bytes, GUI_HEADER);
    take_words(&r, h, 3);
}

int gui_body(enum gui_side from, const struct gui_header *h)
{
    const struct type *t = type_of(from, h->type);
    size_t body = t ? body_of(t) : 0;

    if (!t || h->len < body || (!t->unit && h->len != body) || (t->unit && (h->len - body) % t->unit))
        return -EINVAL;
    if (t->unit == 4 && (h->len - body) / 4 > GUI_REFS_MAX)
        return -EINVAL;
    return (int)body;
}

int gui_decode(enum gui_side from, const struct gui_header *h, const void *body, struct gui_message *m)
{
    const struct type *t = type_of(from, h->type);
    struct reader r;

    memset(m, 0, sizeof(*m));
    m->type = h->type;
    m->window = h->window;
    if (!t || gui_body(from, h) < 0)
        return -ERANGE;
    reader_init(&r, body, body_of(t));
    take_words(&r, &m->u, t->words);
    if (t->text) {
        memcpy(&m->u, r.at, t->text);
        if (h->type == GUI_WMNAME)
            m->u.name.title[GUI_TITLE - 1] = 0;
        if (h->type == GUI_WMCLASS)
            m->u.wmclass.class_name[GUI_CLASS - 1] = m->u.wmclass.name[GUI_CLASS - 1] = 0;
    }
    if (h->type == GUI_WINDOW_DUMP)
        m->u.dump.refs = (h->len - 16) / 4;
    if (h->type == GUI_CLIPBOARD_DATA)
        m->u.clipboard.size = h->len;
    return from == GUI_AGENT || daemon_ok(m) ? 0 : -ERANGE;
}
