/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/loader.h - a plugin's descriptor from a shared object or from the static table, with the same checks. */
#ifndef SUPERVISOR_LOADER_H
#define SUPERVISOR_LOADER_H

#include <unik/plugin.h>
#include <unik/text.h>

#include "supervisor/object.h"

#define LOADER_COUNTERS_MAX 64
#define LOADER_OPTIONS_MAX 64
#define LOADER_INTERFACES_MAX 16    /* rows of needs, wants, provides each */

struct loaded {
    struct unik_plugin plugin;      /* a copy: min(their size, ours), the rest zero */
    struct object object;           /* handle NULL: static */
    const void *symbol;             /* where its descriptor lies */
    char file[512];                 /* where from; "built in" */
};

/* The plugins that are linked in; ends with NULL. The dynamic program has none. */
extern const struct unik_plugin *const loader_static[];

/* Load each object in a child first, so that one that is damaged in a way that nobody can see kills only that. */
extern bool loader_careful;

/* Find and check a plugin: in `file` if given, else built in, else NAME.so in the folders of `path` (colon-separated).
 * 0, -ENOENT (nowhere), -EINVAL (found, not usable), with one line in why. */
int loader_open(struct loaded *l, const char *name, const char *file, const char *path, struct unik_text *why);
void loader_close(struct loaded *l);

/* Call cb with the name of each plugin that could be loaded, built in ones first. */
void loader_each(const char *path, void (*cb)(const char *name, void *arg), void *arg);

/* Exposed for tests: check a descriptor and copy it. */
int loader_check(struct loaded *l, const struct unik_plugin *found, const char *name, struct unik_text *why);

#endif
