/* supervisor/loader.h - a plugin's descriptor from a shared object or from the static table, with the same checks. */
#ifndef SUPERVISOR_LOADER_H
#define SUPERVISOR_LOADER_H

#include <unik/plugin.h>
#include <unik/text.h>

#define LOADER_COUNTERS_MAX 64
#define LOADER_OPTIONS_MAX 64
#define LOADER_INTERFACES_MAX 16    /* rows of needs, wants, provides each */

struct loaded {
    struct unik_plugin plugin;      /* a copy: min(their size, ours), the rest zero */
    void *handle;                   /* of dlopen(); NULL: static */
    char file[512];                 /* where from; "built in" */
};

/* The plugins that are linked in; ends with NULL. The dynamic program has none. */
extern const struct unik_plugin *const loader_static[];

/* Find and check a plugin: in `file` if given, else built in, else NAME.so in the folders of `path` (colon-separated).
 * 0, -ENOENT (nowhere), -EINVAL (found, not usable), with one line in why. */
int loader_open(struct loaded *l, const char *name, const char *file, const char *path, struct unik_text *why);
void loader_close(struct loaded *l);

/* Call cb with the name of each plugin that could be loaded, built in ones first. */
void loader_each(const char *path, void (*cb)(const char *name, void *arg), void *arg);

/* object.c, or object-none.c where everything is built in. open: NULL with a reason. */
void *object_open(const char *file, struct unik_text *why);
const void *object_symbol(void *handle, const char *name);
void object_close(void *handle);

/* Exposed for tests: check a descriptor and copy it. */
int loader_check(struct loaded *l, const struct unik_plugin *found, const char *name, struct unik_text *why);

#endif
