/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/config-read.c - the syntax of the config file, as unik.conf(5) writes it down; all else is refused with its line.
 *
 *   line    = blank [ comment ] | blank "[" name "]" blank [ comment ] | blank key blank "=" blank value blank [ blank comment ]
 *   comment = ( "#" | ";" ) anything
 *   value   = <"> anything but <"> <">  |  anything that does not begin with <">, "#" or ";", up to a blank before a comment
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config.h"

#define KEY_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

struct reader {
    struct config *c;
    struct config_place place;          /* of this line */
    struct config_section *section;     /* the keys of this line go there */
    bool skip;                          /* a section that was refused: only its own mistake is told */
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static char *skip_blanks(char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* Nothing, or a comment? */
static bool ends_here(const char *p) { return *p == 0 || *p == '#' || *p == ';'; }

static void cut_blanks(char *from, char *end)
{
    while (end > from && is_blank(end[-1]))
        end--;
    *end = 0;
}

static void read_heading(struct reader *r, char *line)
{
    char *end = strchr(line, ']');
    struct config_section *old;

    if (!end || !ends_here(skip_blanks(end + 1))) {
        config_error(r->c, &r->place, end ? "junk after [plugin]" : "[ without ]");
        r->skip = true;
        return;
    }
    *end = 0;
    old = config_section(r->c, line + 1);
    r->section = old && old->place.line ? NULL : old ? old : config_add(r->c, line + 1, &r->place);
    r->skip = !r->section;
    if (r->section)
        r->section->place = r->place;   /* also of [supervisor] after keys before any heading */
    else if (old)
        config_error(r->c, &r->place, "[%s] a second time, first in line %d", line + 1, old->place.line);
}

/* The value at p, cut where it ends. NULL: refused, and told. */
static char *read_value(struct reader *r, char *p)
{
    char *end;

    if (*p == '"') {
        end = strchr(p + 1, '"');
        if (!end || !ends_here(skip_blanks(end + 1))) {
            config_error(r->c, &r->place, end ? "junk after the closing quote" : "a quote is not closed");
            return NULL;
        }
        *end = 0;
        return p + 1;
    }
    if (*p == '#' || *p == ';') {
        config_error(r->c, &r->place, "a value that begins with %c must stand in double quotes", *p);
        return NULL;
    }
    for (end = p; *end && !(is_blank(*end) && ends_here(skip_blanks(end))); end++)
        ;
    cut_blanks(p, end);
    return p;
}

static void read_setting(struct reader *r, char *line)
{
    char *eq = strchr(line, '='), *value;
    size_t n = strspn(line, KEY_LETTERS);

    if (!eq || n == 0 || skip_blanks(line + n) != eq) {
        config_error(r->c, &r->place, "expected [plugin] or key = value");
        return;
    }
    line[n] = 0;
    value = read_value(r, skip_blanks(eq + 1));
    if (!value || r->skip)
        return;
    if (!r->section)
        r->section = config_add(r->c, CONFIG_SUPERVISOR, &(struct config_place){ r->c->file, 0 });
    if (r->section)
        config_set(r->c, r->section, line, value, &r->place, false);
}

static void read_line(struct reader *r, char *line, size_t n)
{
    if (n > 0 && line[n - 1] == '\r')
        line[--n] = 0;
    if (n > CONFIG_LINE_MAX) {
        config_error(r->c, &r->place, "line longer than %d bytes", CONFIG_LINE_MAX);
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 127) {
            config_error(r->c, &r->place, "a control character (byte %d at column %zu)", line[i], i + 1);
            return;
        }
    line = skip_blanks(line);
    if (ends_here(line))
        return;
    if (*line == '[')
        read_heading(r, line);
    else
        read_setting(r, line);
}

/* All of the file, with a NUL behind it. */
static int slurp(const char *file, char **text, size_t *n)
{
    FILE *f = fopen(file, "re");
    char *at = malloc(CONFIG_FILE_MAX + 2);
    int e = 0;

    if (!f || !at)
        e = f ? -ENOMEM : -errno;
    else {
        errno = 0;
        *n = fread(at, 1, CONFIG_FILE_MAX + 1, f);
        e = ferror(f) ? (errno ? -errno : -EIO) : *n > CONFIG_FILE_MAX ? -EFBIG : 0;
    }
    if (f)
        fclose(f);
    if (e < 0) {
        free(at);
        return e;
    }
    at[*n] = 0;
    *text = at;
    return 0;
}

int config_read(struct config *c, const char *file)
{
    struct reader r = { .c = c };
    char *text = NULL, *line, *end;
    size_t n = 0;
    int e = slurp(file, &text, &n);

    if (e < 0)
        return e;
    c->file = strdup(file);
    if (!c->file)
        abort();                        /* at start */
    r.place.file = c->file;
    line = text + (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    for (; line < text + n; line = end + 1) {
        end = memchr(line, '\n', (size_t)(text + n - line));
        if (!end)
            end = text + n;
        *end = 0;
        r.place.line++;
        read_line(&r, line, (size_t)(end - line));
    }
    free(text);
    return 0;
}
