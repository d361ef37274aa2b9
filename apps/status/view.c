/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/status/view.c - the report as rows of a window. The report's form is that of unik.Status: a line on the whole, then for each
 * plugin an empty line, "name: state for N s (why)" and indented lines, then "last lines:" and the log.
 *
 * At the top: the state, what is not ready and why, addresses, the newest lines of the log. Below: all of it but counters that
 * are 0.
 */
#include <stdio.h>
#include <string.h>

#include <unik/text.h>

#include "apps/status/view.h"

#define DAY 10                          /* bytes of a day in the log */
#define DAY_TIME 28                     /* ... with time and zone, up to the level */

struct line {
    const char *text;
    size_t n;
};

struct maker {
    struct view *v;
    struct unik_font *font;
    int width;                          /* pixels for text */
    struct unik_text made;
};

static bool starts(struct line l, const char *word) { return l.n >= strlen(word) && memcmp(l.text, word, strlen(word)) == 0; }
static bool has(struct line l, const char *word) { return memmem(l.text, l.n, word, strlen(word)) != NULL; }

/* The next line from *at on; false: there is none. */
static bool next_line(const char **at, struct line *l)
{
    if (!**at)
        return false;
    *l = (struct line){ *at, strcspn(*at, "\n") };
    *at += l->n + ((*at)[l->n] == '\n');
    return true;
}

int view_indent(const struct unik_font *font) { return font->height; }

/* ---- rows ---- */

static void add_row(struct view *v, const char *text, size_t n, uint32_t colour, bool more)
{
    if (v->n < VIEW_ROWS_MAX)
        v->row[v->n++] = (struct view_row){ text, n, colour, more };
}

/* A line as so many rows as it takes. */
static void add_line(struct maker *m, struct line l, uint32_t colour)
{
    size_t at = 0, next;

    if (l.n == 0)
        add_row(m->v, "", 0, colour, false);
    while (at < l.n && m->v->n < VIEW_ROWS_MAX) {
        size_t left = l.n - at < VIEW_ROW_BYTES ? l.n - at : VIEW_ROW_BYTES;
        size_t n = unik_font_fit(m->font, l.text + at, left, m->width - (at ? view_indent(m->font) : 0), &next);

        add_row(m->v, l.text + at, n, colour, at > 0);
        at += next;
    }
}

static unsigned rows_of(struct maker *m, struct line l)
{
    unsigned before = m->v->n, rows;

    add_line(m, l, INK);
    rows = m->v->n - before;
    m->v->n = before;
    return rows;
}

/* A line of our own. */
static void add_made(struct maker *m, uint32_t colour, const char *text)
{
    size_t from = m->made.used;
    struct line l = { m->v->made + from, 0 };

    unik_text_add(&m->made, "%s", text);
    l.n = m->made.used - from;
    unik_text_add(&m->made, "\n");
    add_line(m, l, colour);
}

/* ---- colours ---- */

static uint32_t log_colour(struct line l) { return has(l, " ERR [") ? FAIL : has(l, " WRN [") ? WARN : INK; }

/* By the word behind the colon, for the whole as for a plugin. */
static uint32_t state_colour(struct line l)
{
    static const struct { const char *word; uint32_t colour; } states[] = {
        { ": failed", FAIL }, { ": degraded", WARN }, { ": starting", WARN }, { ": configured", WARN }, { ": leaving", WARN },
        { ": stopping", WARN }, { ": stopped", WARN },
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (has(l, states[i].word))
            return states[i].colour;
    return HEAD;
}

/* ---- the top ---- */

/* Where the log begins; the end, if there is none. */
static const char *log_of(const char *report)
{
    const char *log = strstr(report, "\nlast lines:\n");

    return log ? log + strlen("\nlast lines:\n") : report + strlen(report);
}

/* "unik VERSION, target TARGET: ready, up 3 s"; where that is too long for a row, from the state on. */
static void add_state(struct maker *m, struct line l)
{
    const char *colon = memmem(l.text, l.n, ": ", 2);
    uint32_t colour = state_colour(l) == HEAD ? GOOD : state_colour(l);

    if (colon && rows_of(m, l) > 1)
        l = (struct line){ colon + 2, l.n - (size_t)(colon + 2 - l.text) };
    add_line(m, l, colour);
}

/* What is not ready, each with its reason. */
static void add_problems(struct maker *m, const char *report, const char *log)
{
    struct line l;

    while (report < log && next_line(&report, &l))
        if (l.n && l.text[0] != ' ' && state_colour(l) != HEAD)
            add_line(m, l, state_colour(l));
}

/* "address: a, b" of all lines "  address: a" of whatever plugin. */
static void add_joined(struct maker *m, const char *report, const char *log, const char *key)
{
    char text[1024];
    struct unik_text out;
    size_t skip = strlen("  ") + strlen(key) + strlen(": ");
    struct line l;
    unsigned n = 0;

    unik_text_init(&out, text, sizeof(text));
    unik_text_add(&out, "%s: ", key);
    while (report < log && next_line(&report, &l))
        if (l.n > skip && starts(l, "  ") && memcmp(l.text + 2, key, strlen(key)) == 0 && memcmp(l.text + skip - 2, ": ", 2) == 0)
            unik_text_add(&out, "%s%.*s", n++ ? ", " : "", (int)(l.n - skip), l.text + skip);
    if (n)
        add_made(m, GOOD, text);
}

/* "  2026-12-01 12:34:56 -00:00: INF [qrexec] ..." without the day, which the whole log below has. */
static struct line without_day(struct maker *m, struct line l)
{
    size_t from = m->made.used;

    while (l.n && l.text[0] == ' ')
        l = (struct line){ l.text + 1, l.n - 1 };
    if (l.n <= DAY_TIME || l.text[4] != '-' || l.text[DAY] != ' ' || memcmp(l.text + DAY_TIME - 2, ": ", 2) != 0)
        return l;
    unik_text_add(&m->made, "%.8s %.*s\n", l.text + DAY + 1, (int)(l.n - DAY_TIME), l.text + DAY_TIME);
    return m->made.cut ? l : (struct line){ m->v->made + from, m->made.used - from - 1 };
}

/* As many of the newest lines as there is room for, one at least. */
static void add_newest(struct maker *m, const char *log, unsigned height)
{
    struct line lines[VIEW_LOG_MAX], l;
    unsigned n = 0, from, rows = height >= VIEW_TITLES_MIN;

    while (next_line(&log, &l))
        if (l.n)
            lines[n++ % VIEW_LOG_MAX] = l;
    for (from = n; from > 0 && n - from < VIEW_LOG_MAX; from--) {
        struct line *last = &lines[(from - 1) % VIEW_LOG_MAX];

        *last = without_day(m, *last);
        rows += rows_of(m, *last);
        if (m->v->n + rows > height && from < n)
            break;
    }
    if (n && height >= VIEW_TITLES_MIN)
        add_made(m, HEAD, "last lines:");
    for (; from < n; from++)
        add_line(m, lines[from % VIEW_LOG_MAX], log_colour(lines[from % VIEW_LOG_MAX]));
}

/* ---- all of it ---- */

/* "  name: 0", as counters are written. */
static bool is_zero(struct line l)
{
    size_t word = l.n > 5 ? strspn(l.text + 2, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

    return word && starts(l, "  ") && l.n == word + 5 && memcmp(l.text + 2 + word, ": 0", 3) == 0;
}

static void add_folded(struct maker *m, unsigned *zeros)
{
    char text[64];

    if (*zeros) {
        snprintf(text, sizeof(text), "  (%u counter%s 0)", *zeros, *zeros == 1 ? " is" : "s are");
        add_made(m, PALE, text);
    }
    *zeros = 0;
}

static void add_plugins(struct maker *m, const char *report, const char *log)
{
    unsigned zeros = 0;
    struct line l;

    while (report < log && next_line(&report, &l)) {
        if (is_zero(l)) {
            zeros++;
            continue;
        }
        if (l.n == 0)
            add_folded(m, &zeros);
        add_line(m, l, l.n && l.text[0] != ' ' ? state_colour(l) : INK);
    }
    add_folded(m, &zeros);
}

void view_make(struct view *v, const char *report, struct unik_font *font, int width, unsigned height)
{
    struct maker m = { .v = v, .font = font, .width = width };
    const char *log = log_of(report), *rest = report;
    struct line l;

    v->n = 0;
    unik_text_init(&m.made, v->made, sizeof(v->made));
    if (!next_line(&rest, &l))
        return;
    add_state(&m, l);
    add_problems(&m, rest, log);
    add_joined(&m, rest, log, "address");
    if (height >= VIEW_TITLES_MIN)
        add_joined(&m, rest, log, "listening");
    add_newest(&m, log, height);
    add_plugins(&m, rest, log);
    while (next_line(&log, &l))
        add_line(&m, l, log_colour(l));
}
