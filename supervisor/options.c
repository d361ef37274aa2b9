/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/options.c - option tables: words from a config file into a plugin's config struct. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "supervisor/options.h"

struct unit {
    const char *word;
    double factor;
};

static const struct unit size_units[] = { { "", 1 }, { "K", 1024 }, { "M", 1048576 }, { "G", 1073741824 }, { NULL, 0 } };
static const struct unit second_units[] = {
    { "", 1 }, { "s", 1 }, { "ms", 0.001 }, { "m", 60 }, { "h", 3600 }, { NULL, 0 }
};

const struct unik_option *options_find(const struct unik_option *table, const char *key)
{
    for (; table && table->key; table++)
        if (strcmp(table->key, key) == 0)
            return table;
    return NULL;
}

void options_allowed(const struct unik_option *row, struct unik_text *out)
{
    bool limits = row->min || row->max;

    switch (row->type) {
    case UNIK_STRING:
        unik_text_add(out, "text");
        break;
    case UNIK_BOOL:
        unik_text_add(out, "yes or no");
        break;
    case UNIK_INT:
        unik_text_add(out, limits ? "a number, %lld..%lld" : "a number", (long long)row->min, (long long)row->max);
        break;
    case UNIK_SIZE:
        unik_text_add(out, limits ? "bytes (K, M, G), %lld..%lld" : "bytes (K, M, G)", (long long)row->min,
                      (long long)row->max);
        break;
    case UNIK_SECONDS:
        unik_text_add(out, limits ? "a time (ms, s, m, h), %lld..%lld s" : "a time (ms, s, m, h)", (long long)row->min,
                      (long long)row->max);
        break;
    case UNIK_ENUM:
        for (size_t i = 0; row->choices[i]; i++)
            unik_text_add(out, "%s%s", i == 0 ? "" : row->choices[i + 1] ? ", " : " or ", row->choices[i]);
        break;
    }
}

/* A decimal number with an optional unit. */
static int parse_number(const char *text, const struct unit *units, double *value)
{
    char *end;
    double v;

    if (strspn(text, "+-0123456789.") == 0)     /* no "inf", "nan" */
        return -EINVAL;
    v = strtod(text, &end);
    if (end == text || memchr(text, 'x', (size_t)(end - text)))
        return -EINVAL;
    while (*end == ' ')
        end++;
    for (; units->word; units++)
        if (strcasecmp(end, units->word) == 0) {
            *value = v * units->factor;
            return 0;
        }
    return -EINVAL;
}

static int parse_int(const char *text, int64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoll(text, &end, 10);
    return end == text || *end || errno ? -EINVAL : 0;
}

static int parse_bool(const char *text, bool *value)
{
    static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(text, words[i]) == 0) {
            *value = i & 1;
            return 0;
        }
    return -EINVAL;
}

static int refuse(const struct unik_option *row, const char *text, int error, struct unik_text *why)
{
    unik_text_add(why, "%s = %s: expected ", row->key, text);
    options_allowed(row, why);
    return error;
}

static bool in_range(const struct unik_option *row, double v)
{
    return (row->min == 0 && row->max == 0) || (v >= (double)row->min && v <= (double)row->max);
}

int options_set(const struct unik_option *row, void *config, const char *text, struct unik_text *why)
{
    char *at = (char *)config + row->offset;
    double number;
    int64_t integer;
    bool truth;
    char *copy;

    switch (row->type) {
    case UNIK_STRING:
        copy = strdup(text);
        if (!copy)
            return -ENOMEM;
        free(*(char **)(void *)at);
        *(char **)(void *)at = copy;
        return 0;
    case UNIK_BOOL:
        if (parse_bool(text, &truth) < 0)
            return refuse(row, text, -EINVAL, why);
        *(bool *)at = truth;
        return 0;
    case UNIK_INT:
        if (parse_int(text, &integer) < 0)
            return refuse(row, text, -EINVAL, why);
        if ((row->min || row->max) && (integer < row->min || integer > row->max))
            return refuse(row, text, -ERANGE, why);
        *(int64_t *)(void *)at = integer;
        return 0;
    case UNIK_SIZE:
        if (parse_number(text, size_units, &number) < 0 || number < 0 || number != floor(number) || number >= 1e18)
            return refuse(row, text, -EINVAL, why);
        if (!in_range(row, number))
            return refuse(row, text, -ERANGE, why);
        *(uint64_t *)(void *)at = (uint64_t)number;
        return 0;
    case UNIK_SECONDS:
        if (parse_number(text, second_units, &number) < 0 || number < 0 || number > 1e9)
            return refuse(row, text, -EINVAL, why);
        if (!in_range(row, number))
            return refuse(row, text, -ERANGE, why);
        *(double *)(void *)at = number;
        return 0;
    case UNIK_ENUM:
        for (int i = 0; row->choices[i]; i++)
            if (strcmp(row->choices[i], text) == 0) {
                *(int *)(void *)at = i;
                return 0;
            }
        return refuse(row, text, -EINVAL, why);
    }
    return -EINVAL;
}

void *options_new(const struct unik_option *table, size_t config_size, struct unik_text *why)
{
    void *config = calloc(1, config_size ? config_size : 1);

    for (const struct unik_option *row = table; config && row && row->key; row++)
        if (row->fallback && options_set(row, config, row->fallback, why) < 0) {
            options_free(table, config);
            return NULL;
        }
    return config;
}

void options_free(const struct unik_option *table, void *config)
{
    for (const struct unik_option *row = table; config && row && row->key; row++)
        if (row->type == UNIK_STRING)
            free(*(char **)(void *)((char *)config + row->offset));
    free(config);
}
