/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/describe.c - what plugins offer, as tables: options with default and range, counters, interfaces. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/options.h"
#include "supervisor/supervisor.h"

static void names(const char *what, const char *const *list)
{
    if (!list || !*list)
        return;
    printf("  %s:", what);
    for (; *list; list++)
        printf(" %s", *list);
    putchar('\n');
}

static void options(const struct unik_option *o)
{
    for (; o && o->key; o++) {
        char text[200];
        struct unik_text allowed;

        unik_text_init(&allowed, text, sizeof(text));
        options_allowed(o, &allowed);
        printf("  %-18s %s\n  %-18s   %s; default %s\n", o->key, o->help, "", text, o->fallback ? o->fallback : "none");
    }
}

static int one(const char *name, const char *path, bool optional)
{
    static const char *const types[] = { "count", "gauge", "high-water mark" };
    char message[700];
    struct unik_text why;
    struct loaded l;
    const struct unik_plugin *p = &l.plugin;

    unik_text_init(&why, message, sizeof(message));
    if (loader_open(&l, name, NULL, path, &why) < 0) {
        if (!optional)
            fprintf(stderr, "unik-supervisor: %s\n", message);
        return -ENOENT;
    }
    printf("[%s] %s: %s\n  from: %s\n", name, p->version, p->summary, l.file);
    printf("  targets:%s%s\n", p->targets & UNIK_ON_QUBES ? " qubes" : "", p->targets & UNIK_ON_UNIX ? " unix" : "");
    names("needs", p->needs);
    names("wants", p->wants);
    names("provides", p->provides);
    options(p->options);
    for (const struct unik_counter *c = p->counters; c && c->name; c++)
        printf("  counter %-20s %s (%s)\n", c->name, c->help, types[c->type]);
    putchar('\n');
    loader_close(&l);
    return 0;
}

static void describe_found(const char *name, void *path) { one(name, path, true); }

int describe(const char *plugin, const char *path)
{
    char copy[2000];

    snprintf(copy, sizeof(copy), "%s", path);
    if (plugin && strcmp(plugin, CONFIG_SUPERVISOR) != 0)
        return one(plugin, path, false);
    printf("[%s] keys before the first heading, or under it\n", CONFIG_SUPERVISOR);
    options(supervisor_options);
    printf("\nkeys of every plugin\n");
    options(unit_options);
    putchar('\n');
    if (!plugin)
        loader_each(path, describe_found, copy);
    return 0;
}
