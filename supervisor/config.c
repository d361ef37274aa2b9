/* supervisor/config.c - the config file as sections of key = value with their places.
 *
 * inih parses. Its Debian build tells neither line numbers nor sections without keys, so the reader that feeds it counts
 * lines and adds an entry named SECTION_MARK after each heading; a line that inih passes over in silence is a mistake.
 */
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config.h"

#define SECTION_MARK "\001"

struct parse {
    struct config *c;
    FILE *f;
    int line;                       /* of the last line given to inih */
    bool expected, seen;            /* it should lead to an entry; it did */
    bool mark;                      /* the next line to give is the mark of a heading */
    struct config_section *skip;    /* a section named a second time: only its mistake is told */
};

void config_init(struct config *c) { memset(c, 0, sizeof(*c)); }

void config_free(struct config *c)
{
    for (size_t i = 0; i < c->n; i++) {
        for (size_t k = 0; k < c->sections[i]->n; k++) {
            free(c->sections[i]->entries[k].key);
            free(c->sections[i]->entries[k].value);
        }
        free(c->sections[i]->name);
        free(c->sections[i]);
    }
    free(c->file);
    config_init(c);
}

void config_error(struct config *c, const struct config_place *place, const char *fmt, ...)
{
    va_list ap;

    if (place && place->line)
        fprintf(stderr, "%s:%d: ", place->file, place->line);
    else if (place)
        fprintf(stderr, "%s: ", place->file);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    c->errors++;
}

static struct config_section *find(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->sections[i]->name, name) == 0)
            return c->sections[i];
    return NULL;
}

const struct config_section *config_find(const struct config *c, const char *name) { return find(c, name); }

static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    return n >= 1 && n <= 48 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-';
}

/* A new section, or NULL with the mistake told. */
static struct config_section *add_section(struct config *c, const char *name, const struct config_place *place)
{
    struct config_section *s;

    if (!name_ok(name)) {
        config_error(c, place, "[%s]: a plugin's name is made of a-z, 0-9 and -", name);
        return NULL;
    }
    if (c->n == CONFIG_SECTIONS_MAX) {
        config_error(c, place, "[%s]: more than %d sections", name, CONFIG_SECTIONS_MAX);
        return NULL;
    }
    s = calloc(1, sizeof(*s));
    if (!s || !(s->name = strdup(name)))
        abort();                    /* at start, before anything runs: nothing better to do */
    s->place = *place;
    c->sections[c->n++] = s;
    return s;
}

static void set_entry(struct config *c, struct config_section *s, const char *key, const char *value,
                      const struct config_place *place, bool replace)
{
    size_t n = strlen(value);
    struct config_entry *e = NULL;

    if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
        value++;
        n -= 2;
    }
    for (size_t i = 0; i < s->n && !e; i++)
        if (strcmp(s->entries[i].key, key) == 0)
            e = &s->entries[i];
    if (e && !replace) {
        config_error(c, place, "%s: given twice in [%s], first in line %d", key, s->name, e->place.line);
        return;
    }
    if (!e && s->n == CONFIG_ENTRIES_MAX) {
        config_error(c, place, "[%s] has more than %d keys", s->name, CONFIG_ENTRIES_MAX);
        return;
    }
    if (!e) {
        e = &s->entries[s->n++];
        e->key = strdup(key);
    }
    free(e->value);
    e->value = strndup(value, n);
    e->place = *place;
    if (!e->key || !e->value)
        abort();
}

static int on_entry(void *arg, const char *section, const char *name, const char *value)
{
    struct parse *p = arg;
    struct config_place place = { p->c->file, p->line };
    struct config_section *s = find(p->c, *section ? section : CONFIG_SUPERVISOR);

    p->seen = true;
    if (strcmp(name, SECTION_MARK) == 0) {
        p->skip = NULL;
        if (!s)
            add_section(p->c, section, &place);
        else if (s->place.line) {
            config_error(p->c, &place, "[%s] a second time, first in line %d", section, s->place.line);
            p->skip = s;
        } else
            s->place = place;       /* [supervisor] after keys before any heading */
        return 1;
    }
    if (!s && !*section)
        s = add_section(p->c, CONFIG_SUPERVISOR, &(struct config_place){ p->c->file, 0 });
    if (s && s != p->skip)
        set_entry(p->c, s, name, value, &place, false);
    return 1;
}

/* The line given last led to nothing, and is neither blank nor a comment. */
static void check_line(struct parse *p)
{
    if (p->expected && !p->seen)
        config_error(p->c, &(struct config_place){ p->c->file, p->line }, "expected [plugin] or key = value");
    p->expected = p->seen = false;
}

/* inih asks for the next line, of at most num - 1 bytes. */
static char *next_line(char *line, int num, void *arg)
{
    struct parse *p = arg;
    const char *first;
    size_t n;
    int c;

    if (p->mark) {
        p->mark = false;
        p->expected = p->seen = false;
        snprintf(line, (size_t)num, SECTION_MARK " = \n");
        return line;
    }
    check_line(p);
    if (!fgets(line, num, p->f))
        return NULL;
    p->line++;
    n = strlen(line);
    if (n == (size_t)num - 1 && line[n - 1] != '\n') {
        config_error(p->c, &(struct config_place){ p->c->file, p->line }, "line longer than %d bytes", num - 2);
        while ((c = fgetc(p->f)) != EOF && c != '\n')
            ;
        snprintf(line, (size_t)num, "\n");
    }
    first = line + (p->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
    while (isspace((unsigned char)*first))
        first++;
    if (*first == '[' && strchr(first, ']'))
        p->mark = true;
    else
        p->expected = *first && *first != '#' && *first != ';';
    return line;
}

int config_read(struct config *c, const char *file)
{
    struct parse p = { .c = c };
    int e;

    c->file = strdup(file);
    p.f = fopen(file, "re");
    if (!p.f || !c->file)
        return -errno;
    ini_allow_multiline = false;
    ini_allow_inline_comments = true;
    ini_use_stack = false;          /* with a heap buffer, inih takes lines of ini_max_line bytes */
    ini_max_line = ini_initial_alloc = CONFIG_LINE_MAX;
    errno = 0;
    e = ini_parse_stream(next_line, &p, on_entry, &p);
    check_line(&p);
    e = ferror(p.f) ? (errno ? -errno : -EIO) : e == -2 ? -ENOMEM : 0;
    fclose(p.f);
    return e;
}

void config_override(struct config *c, const char *word)
{
    static const struct config_place place = { "-o", 0 };
    const char *eq = strchr(word, '='), *dot = strchr(word, '.');
    struct config_section *s;
    char name[64], key[64];

    if (!eq || eq == word) {
        config_error(c, &place, "%s: expected plugin.key=value, or key=value for the supervisor", word);
        return;
    }
    if (!dot || dot > eq)
        dot = NULL;
    snprintf(name, sizeof(name), "%.*s", dot ? (int)(dot - word) : (int)strlen(CONFIG_SUPERVISOR),
             dot ? word : CONFIG_SUPERVISOR);
    snprintf(key, sizeof(key), "%.*s", (int)(eq - (dot ? dot + 1 : word)), dot ? dot + 1 : word);
    s = find(c, name);
    if (!s)
        s = add_section(c, name, &place);
    if (s)
        set_entry(c, s, key, eq + 1, &place, true);
}
