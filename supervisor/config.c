/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/config.c - the sections of key = value with their places; config-read.c reads them from the file. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unik/clean.h>

#include "supervisor/config.h"
#include "supervisor/log.h"

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
    char message[LOG_LINE_MAX], line[LOG_LINE_MAX];
    struct unik_text t;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    unik_text_init(&t, line, sizeof(line) - 1);
    if (place && place->line)
        unik_text_add(&t, "%s:%d: ", place->file, place->line);
    else if (place)
        unik_text_add(&t, "%s: ", place->file);
    unik_text_add(&t, "%s", message);
    strcpy(line + unik_clean(line, sizeof(line) - 1, line, t.used, 0), "\n");
    log_text(line);                 /* also when SIGHUP has the file read again: never wait for a reader */
    c->errors++;
}

struct config_section *config_section(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->sections[i]->name, name) == 0)
            return c->sections[i];
    return NULL;
}

const struct config_section *config_find(const struct config *c, const char *name) { return config_section(c, name); }

static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    return n >= 1 && n <= 48 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-';
}

struct config_section *config_add(struct config *c, const char *name, const struct config_place *place)
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

void config_set(struct config *c, struct config_section *s, const char *key, const char *value,
                const struct config_place *place, bool replace)
{
    struct config_entry *e = NULL;

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
    e->value = strdup(value);
    e->place = *place;
    if (!e->key || !e->value)
        abort();
}

void config_override(struct config *c, const char *word)
{
    static const struct config_place place = { "-o", 0 };
    const char *eq = strchr(word, '='), *dot = strchr(word, '.');
    struct config_section *s;
    char name[64], key[64], *value;
    size_t n;

    if (!eq || eq == word) {
        config_error(c, &place, "%s: expected plugin.key=value, or key=value for the supervisor", word);
        return;
    }
    if (!dot || dot > eq)
        dot = NULL;
    snprintf(name, sizeof(name), "%.*s", dot ? (int)(dot - word) : (int)strlen(CONFIG_SUPERVISOR),
             dot ? word : CONFIG_SUPERVISOR);
    snprintf(key, sizeof(key), "%.*s", (int)(eq - (dot ? dot + 1 : word)), dot ? dot + 1 : word);
    n = strlen(eq + 1);
    value = n >= 2 && eq[1] == '"' && eq[n] == '"' ? strndup(eq + 2, n - 2) : strdup(eq + 1);
    if (!value)
        abort();                    /* at start */
    s = config_section(c, name);
    if (!s)
        s = config_add(c, name, &place);
    if (s)
        config_set(c, s, key, value, &place, true);
    free(value);
}
