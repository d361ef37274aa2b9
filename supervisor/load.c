/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/load.c - from config sections to units with their options set; every mistake is told with its place. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/options.h"
#include "supervisor/supervisor.h"

static const char *const targets[] = { "qubes", "unix", NULL };

const struct unik_option supervisor_options[] = {
    { .key = "target", .type = UNIK_ENUM, .offset = offsetof(struct supervisor_config, target), .fallback = "qubes",
      .choices = targets, .help = "what runs under us: a Qubes VM, or an ordinary Unix machine without dom0" },
    { .key = "log", .type = UNIK_STRING, .offset = offsetof(struct supervisor_config, log), .fallback = "*:info",
      .help = "levels by source: \"*:info, qrexec:debug\"; error, warning, info or debug" },
    { .key = "plugin-path", .type = UNIK_STRING, .offset = offsetof(struct supervisor_config, plugin_path),
      .help = "folders with plugins, colon-separated; looked through after UNIK_PLUGIN_PATH, before the installed ones" },
    { .key = "drain-timeout", .type = UNIK_SECONDS, .offset = offsetof(struct supervisor_config, drain_seconds),
      .fallback = "10s", .min = 0, .max = 50, .help = "at the end, how long running work may go on" },
    { .key = "stop-timeout", .type = UNIK_SECONDS, .offset = offsetof(struct supervisor_config, stop_seconds),
      .fallback = "3s", .min = 0, .max = 50, .help = "at the end, how long each plugin may take to stop" },
    { .key = "slow-callback", .type = UNIK_SECONDS, .offset = offsetof(struct supervisor_config, slow_seconds),
      .fallback = "0", .min = 0, .max = 60,
      .help = "for those who write plugins: log each callback that takes longer, under its plugin's name; 0: none" },
    { 0 }
};

/* The folder of a program that runs where it was built: its plugins lie beside it. "" for an installed one. */
static const char *build_folder(char *buffer, size_t size)
{
    char plugins[600];
    ssize_t n = readlink("/proc/self/exe", buffer, size - 1);
    char *slash;

    if (n <= 0)
        return "";
    buffer[n] = 0;
    slash = strrchr(buffer, '/');
    if (!slash)
        return "";
    *slash = 0;
    snprintf(plugins, sizeof(plugins), "%s/plugins/.libs", buffer);
    return access(plugins, X_OK) == 0 ? buffer : "";
}

const char *supervisor_plugin_path(const struct supervisor_config *config, char *buffer, size_t size)
{
    const char *env = getenv("UNIK_PLUGIN_PATH");
    char built[512];
    struct unik_text t;

    unik_text_init(&t, buffer, size);
    if (env && *env)
        unik_text_add(&t, "%s:", env);
    if (config && config->plugin_path)
        unik_text_add(&t, "%s:", config->plugin_path);
    if (!(env && *env) && *build_folder(built, sizeof(built)))
        unik_text_add(&t, "%s/plugins/.libs:%s/apps/.libs:", built, built);
    unik_text_add(&t, "%s", PLUGINDIR);
    return buffer;
}

/* ---- the keys of a section ---- */

static void set_key(struct config *c, const struct config_entry *e, const struct unik_option *row, void *into)
{
    char message[300];
    struct unik_text why;

    unik_text_init(&why, message, sizeof(message));
    if (options_set(row, into, e->value, &why) < 0)
        config_error(c, &e->place, "%s", message);
}

static void set_keys(struct unit *u, struct config *c, const struct config_section *section)
{
    for (size_t i = 0; i < section->n; i++) {
        const struct config_entry *e = &section->entries[i];
        const struct unik_option *row = options_find(unit_options, e->key);

        if (row) {
            set_key(c, e, row, u->config);
            continue;
        }
        row = options_find(u->loaded.plugin.options, e->key);
        if (row)
            set_key(c, e, row, u->ctx.config);
        else
            config_error(c, &e->place, "%s has no key %s (unik-supervisor --describe %s)", u->name, e->key, u->name);
    }
}

/* Only the keys that decide whether and from where the plugin is loaded; mistakes in them are told by set_keys(). */
static void set_early_keys(struct unit *u, const struct config_section *section)
{
    char message[300];
    struct unik_text why;

    for (size_t i = 0; i < section->n; i++) {
        const struct unik_option *row = options_find(unit_options, section->entries[i].key);

        unik_text_init(&why, message, sizeof(message));
        if (row)
            options_set(row, u->config, section->entries[i].value, &why);
    }
}

/* ---- units ---- */

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)revents;
    unit_feed(w->data, UNIT_LATE, NULL);
}

/* Where the section stands, for mistakes that are found later. */
static void set_place(struct unit *u, const struct config_place *place)
{
    char *file = strdup(place->file);

    if (!file && !u->place.file)
        abort();                    /* at start, before anything runs */
    if (file) {
        free((char *)(uintptr_t)u->place.file);
        u->place.file = file;
    }
    u->place.line = place->line;
}

static struct unit *new_unit(struct supervisor *s, const struct config_section *section)
{
    char message[300];
    struct unik_text why;
    struct unit *u = calloc(1, sizeof(*u));

    unik_text_init(&why, message, sizeof(message));
    if (!u || !(u->name = strdup(section->name)) ||
        !(u->config = options_new(unit_options, sizeof(struct unit_config), &why)))
        abort();                    /* at start, before anything runs */
    u->sup = s;
    set_place(u, &section->place);
    u->ctx.host = &host_functions;
    u->ctx.loop = s->loop;
    u->ctx.counters = u->counters;
    u->ctx.target = s->config->target == 0 ? UNIK_ON_QUBES : UNIK_ON_UNIX;
    log_source_init(&u->log, u->name);
    ev_init(&u->timer, on_timer);
    u->timer.data = u;
    return u;
}

/* Load the plugin and see whether it has a place here. 0; 1: leave it out, why says; -EINVAL. */
static int unit_load(struct unit *u, const struct config_section *section, struct unik_text *why)
{
    char path[2000];
    int e;

    set_early_keys(u, section);
    supervisor_plugin_path(u->sup->config, path, sizeof(path));
    e = loader_open(&u->loaded, u->name, u->config->file, path, why);
    if (e < 0)
        return e == -ENOENT && u->config->optional ? 1 : -EINVAL;
    u->ctx.plugin = &u->loaded.plugin;
    u->app = u->app || (u->ctx.plugin->flags & UNIK_APP);     /* once an app, it is loaded again until it can be */
    unik_text_init(why, why->at, why->size);
    if (!(u->ctx.plugin->targets & u->ctx.target)) {
        unik_text_add(why, "%s needs target %s", u->name, u->ctx.target == UNIK_ON_QUBES ? "unix" : "qubes");
        return u->config->optional ? 1 : -EINVAL;
    }
    if (u->config->optional && u->ctx.plugin->usable) {
        e = u->ctx.plugin->usable(&u->ctx);
        if (e != 0) {
            unik_text_add(why, "not usable here: %s", strerror(abs(e)));
            return 1;
        }
    }
    for (const struct unik_option *o = u->ctx.plugin->options; o && o->key; o++)
        if (options_find(unit_options, o->key)) {
            unik_text_add(why, "its option %s has the name of one that every plugin has", o->key);
            return -EINVAL;
        }
    u->ctx.config = options_new(u->ctx.plugin->options, u->ctx.plugin->config_size, why);
    return u->ctx.config ? 0 : -EINVAL;
}

void unit_unload(struct unit *u)
{
    ev_timer_stop(u->ctx.loop, &u->timer);
    options_free(u->loaded.plugin.options, u->ctx.config);
    loader_close(&u->loaded);
    options_free(unit_options, u->config);
    free((char *)(uintptr_t)u->place.file);
    free(u->name);
    free(u);
}

static void load_section(struct supervisor *s, struct config *c, const struct config_section *section)
{
    struct unit *u = new_unit(s, section);
    char message[700];
    struct unik_text why;
    int e;

    unik_text_init(&why, message, sizeof(message));
    e = unit_load(u, section, &why);
    if (e == 0) {
        set_keys(u, c, section);
        s->units[s->n++] = u;
        return;
    }
    if (e > 0)
        log_line(&s->log, UNIK_INFO, "%s left out: %s", u->name, message);
    else
        config_error(c, &section->place, "%s", message);
    unit_unload(u);
}

static void load_own_options(struct supervisor *s, struct config *c)
{
    const struct config_section *section = config_find(c, CONFIG_SUPERVISOR);
    char message[300];
    struct unik_text why;

    unik_text_init(&why, message, sizeof(message));
    s->config = options_new(supervisor_options, sizeof(struct supervisor_config), &why);
    if (!s->config)
        abort();
    for (size_t i = 0; section && i < section->n; i++) {
        const struct config_entry *e = &section->entries[i];
        const struct unik_option *row = options_find(supervisor_options, e->key);

        if (!row)
            config_error(c, &e->place, "the supervisor has no key %s (is a [plugin] heading missing?)", e->key);
        else
            set_key(c, e, row, s->config);
    }
}

static bool is_source(const char *name, void *arg)
{
    return strcmp(name, CONFIG_SUPERVISOR) == 0 || config_find(arg, name);
}

/* A level for what is misspelled would be without effect, and nobody would know. */
static void set_levels(const struct supervisor *s, struct config *c)
{
    const struct config_section *section = config_find(c, CONFIG_SUPERVISOR);
    char message[300];
    struct unik_text why;

    unik_text_init(&why, message, sizeof(message));
    for (size_t i = 0; section && i < section->n; i++)
        if (strcmp(section->entries[i].key, "log") == 0 &&
            (log_set_levels(s->config->log, &why) < 0 || log_check_sources(s->config->log, is_source, c, &why) < 0))
            config_error(c, &section->entries[i].place, "log = %s: %s", s->config->log, message);
}

int supervisor_load(struct supervisor *s, struct config *c)
{
    load_own_options(s, c);
    set_levels(s, c);
    log_source_init(&s->log, "supervisor");
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->sections[i]->name, CONFIG_SUPERVISOR) != 0)
            load_section(s, c, c->sections[i]);
    if (c->errors == 0)             /* with a plugin missing, its absence would be told again for each who needs it */
        graph_check(s, c, true);
    if (s->n == 0 && c->errors == 0)
        config_error(c, &(struct config_place){ c->file ? c->file : "-o", 0 }, "no plugin to run");
    for (size_t i = 0; i < s->n && c->errors == 0; i++) {
        struct unit *u = s->units[i];

        if (u->ctx.plugin->check && u->ctx.plugin->check(&u->ctx) != 0)
            config_error(c, &u->place, "%s refuses its options, see above", u->name);
    }
    return c->errors ? -EINVAL : 0;
}

/* All that came from the old file: code, options, and those of every plugin. */
static void forget(struct unit *u)
{
    char message[300];
    struct unik_text why;
    struct unit_config *fresh;

    unik_text_init(&why, message, sizeof(message));
    fresh = options_new(unit_options, sizeof(*fresh), &why);
    if (fresh) {                    /* else without memory: the old ones */
        options_free(unit_options, u->config);
        u->config = fresh;
    }
    options_free(u->loaded.plugin.options, u->ctx.config);
    u->ctx.config = NULL;
    loader_close(&u->loaded);
    memset(&u->loaded, 0, sizeof(u->loaded));
    memset(u->counters, 0, sizeof(u->counters));
}

/* SIGHUP: the app's code and options anew; on a mistake it stays out until the next one. */
static int reload_unit(struct supervisor *s, struct unit *u, struct config *c)
{
    const struct config_section *section = config_find(c, u->name);
    char message[700];
    struct unik_text why;

    if (!section) {
        config_error(c, NULL, "[%s] is no longer in %s", u->name, c->file);
        return -EINVAL;
    }
    forget(u);
    set_place(u, &section->place);
    unik_text_init(&why, message, sizeof(message));
    if (unit_load(u, section, &why) != 0) {
        config_error(c, &section->place, "%s", message);
        return -EINVAL;
    }
    set_keys(u, c, section);
    if (!(u->ctx.plugin->flags & UNIK_APP))
        config_error(c, &section->place, "%s is no app any more: only one with UNIK_APP is loaded again", u->name);
    if (c->errors == 0)
        graph_check(s, c, false);
    if (c->errors == 0 && u->ctx.plugin->check && u->ctx.plugin->check(&u->ctx) != 0)
        config_error(c, &section->place, "%s refuses its options, see above", u->name);
    return c->errors ? -EINVAL : 0;
}

void supervisor_reread(struct supervisor *s, struct unit *u, struct config *c)
{
    if (reload_unit(s, u, c) == 0) {
        u->state = UNIT_CONFIGURED;
        unit_waits(u);
        u->restarts++;
        u->since = ev_now(s->loop);
        supervisor_wake(s);
    } else
        supervisor_not_reread(u, "could not be loaded again");
}

void supervisor_not_reread(struct unit *u, const char *why)
{
    u->state = UNIT_FAILED;
    u->retries = false;
    u->since = ev_now(u->sup->loop);
    snprintf(u->reason, sizeof(u->reason), "%s", why);
    log_line(&u->log, UNIK_ERROR, "%s: mend it and send SIGHUP", u->reason);
    supervisor_wake(u->sup);
}
