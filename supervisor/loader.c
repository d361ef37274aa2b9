/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/loader.c - a plugin's descriptor from a shared object or from the static table, with the same checks. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/loader.h"

/* What every plugin of this ABI has at least: all up to and including stop(). */
#define SIZE_LEAST (offsetof(struct unik_plugin, stop) + sizeof(((struct unik_plugin *)0)->stop))

bool loader_careful;

static size_t value_size(enum unik_option_type type)
{
    static const size_t sizes[] = { sizeof(char *), sizeof(bool), sizeof(int64_t), sizeof(uint64_t), sizeof(double),
                                    sizeof(int) };

    return (size_t)type < sizeof(sizes) / sizeof(sizes[0]) ? sizes[type] : 0;
}

static int check_options(const struct unik_plugin *p, struct unik_text *why)
{
    size_t n = 0;

    for (const struct unik_option *o = p->options; o && o->key; o++, n++) {
        size_t size = value_size(o->type);

        if (n == LOADER_OPTIONS_MAX) {
            unik_text_add(why, "more than %d options", LOADER_OPTIONS_MAX);
            return -EINVAL;
        }
        if (size == 0 || o->offset > p->config_size || p->config_size - o->offset < size) {
            unik_text_add(why, "option %s lies outside its config struct (offset %zu, size %zu)", o->key, o->offset,
                          p->config_size);
            return -EINVAL;
        }
        if (!o->help || (o->type == UNIK_ENUM && (!o->choices || !o->choices[0]))) {
            unik_text_add(why, "option %s has no %s", o->key, o->help ? "choices" : "help");
            return -EINVAL;
        }
    }
    return 0;
}

static int check_names(const char *const *names, const char *what, struct unik_text *why)
{
    for (size_t i = 0; names && names[i]; i++)
        if (i == LOADER_INTERFACES_MAX || !strchr(names[i], '/')) {
            unik_text_add(why, "%s: %s is not an interface like \"qubesdb/1\", or one too many", what, names[i]);
            return -EINVAL;
        }
    return 0;
}

int loader_check(struct loaded *l, const struct unik_plugin *found, const char *name, struct unik_text *why)
{
    struct unik_plugin *p = &l->plugin;
    size_t counters = 0;

    if (found->magic != UNIK_PLUGIN_MAGIC) {
        unik_text_add(why, "not a plugin: magic is %#x, expected %#x", found->magic, UNIK_PLUGIN_MAGIC);
        return -EINVAL;
    }
    if (found->abi != UNIK_ABI_MAJOR) {
        unik_text_add(why, "made for ABI %u, this program has ABI %u", found->abi, UNIK_ABI_MAJOR);
        return -EINVAL;
    }
    if (found->size < SIZE_LEAST) {
        unik_text_add(why, "descriptor of %zu bytes, expected at least %zu", found->size, (size_t)SIZE_LEAST);
        return -EINVAL;
    }
    memset(p, 0, sizeof(*p));
    memcpy(p, found, found->size < sizeof(*p) ? found->size : sizeof(*p));
    if (!p->name || strcmp(p->name, name) != 0) {
        unik_text_add(why, "calls itself %s, expected %s", p->name ? p->name : "nothing", name);
        return -EINVAL;
    }
    if (!p->start || !p->stop || !p->version || !p->summary || !(p->targets & UNIK_ON_ANY)) {
        unik_text_add(why, "no %s", !p->start ? "start()" : !p->stop ? "stop()" : !p->version ? "version" :
                      !p->summary ? "summary" : "targets");
        return -EINVAL;
    }
    while (p->counters && p->counters[counters].name)
        counters++;
    if (counters > LOADER_COUNTERS_MAX) {
        unik_text_add(why, "more than %d counters", LOADER_COUNTERS_MAX);
        return -EINVAL;
    }
    if (check_names(p->needs, "needs", why) < 0 || check_names(p->wants, "wants", why) < 0 ||
        check_names(p->provides, "provides", why) < 0)
        return -EINVAL;
    return check_options(p, why);
}

struct attempt {
    struct loaded *l;
    const char *file, *name;
    struct unik_text *why;
};

/* What was taken: link it, find its descriptor, check that. */
static int load_taken(const struct attempt *a)
{
    char symbol[128] = "unik_plugin_";
    size_t k = strlen(symbol);

    if (object_load(&a->l->object, a->file, a->why) < 0)
        return -EINVAL;
    for (const char *p = a->name; *p && k < sizeof(symbol) - 1; p++)
        symbol[k++] = *p == '-' ? '_' : *p;
    symbol[k] = 0;
    a->l->symbol = object_symbol(&a->l->object, symbol);
    unik_text_add(a->why, "%s: ", a->file);
    if (a->l->symbol)
        return loader_check(a->l, a->l->symbol, a->name, a->why);
    unik_text_add(a->why, "not a plugin: no symbol %s", symbol);
    return -EINVAL;
}

static void try_taken(void *arg) { (void)load_taken(arg); }

static int open_file(struct loaded *l, const char *file, const char *name, struct unik_text *why)
{
    struct attempt a = { l, file, name, why };
    int e = object_take(&l->object, file, why);

    if (e == 0 && loader_careful)
        e = object_try(try_taken, &a, file, why);
    if (e == 0)
        e = load_taken(&a);
    if (e < 0)
        loader_close(l);
    return e;
}

/* Cut one folder off a colon-separated list. NULL at the end. */
static const char *next_folder(const char **path, char *folder, size_t size)
{
    while (*path && **path) {
        size_t n = strcspn(*path, ":");

        snprintf(folder, size, "%.*s", (int)n, *path);
        *path += n + ((*path)[n] == ':');
        if (n)
            return folder;
    }
    return NULL;
}

int loader_open(struct loaded *l, const char *name, const char *file, const char *path, struct unik_text *why)
{
    const char *rest = path;
    char folder[400];

    memset(l, 0, sizeof(*l));
    l->object.fd = -1;
    if (file) {
        snprintf(l->file, sizeof(l->file), "%s", file);
        return open_file(l, file, name, why);
    }
    for (size_t i = 0; loader_static[i]; i++)
        if (loader_static[i]->name && strcmp(loader_static[i]->name, name) == 0) {
            snprintf(l->file, sizeof(l->file), "built in");
            unik_text_add(why, "built in: ");
            l->symbol = loader_static[i];
            return loader_check(l, loader_static[i], name, why);
        }
    while (next_folder(&rest, folder, sizeof(folder))) {
        snprintf(l->file, sizeof(l->file), "%s/%s.so", folder, name);
        if (access(l->file, F_OK) == 0)
            return open_file(l, l->file, name, why);
    }
    unik_text_add(why, "no plugin %s: not built in, and no %s.so in %s", name, name, path && *path ? path : "(no folder)");
    return -ENOENT;
}

void loader_close(struct loaded *l)
{
    if (l->symbol || l->object.handle || l->object.fd > 0)
        object_close(&l->object);
    l->symbol = NULL;
}

void loader_each(const char *path, void (*cb)(const char *name, void *arg), void *arg)
{
    const char *rest = path;
    char folder[400];
    struct dirent **list;

    for (size_t i = 0; loader_static[i]; i++)
        cb(loader_static[i]->name, arg);
    while (next_folder(&rest, folder, sizeof(folder))) {
        int n = scandir(folder, &list, NULL, alphasort);

        for (int i = 0; i < n; i++) {
            size_t k = strlen(list[i]->d_name);

            if (k > 3 && strcmp(list[i]->d_name + k - 3, ".so") == 0) {
                list[i]->d_name[k - 3] = 0;
                cb(list[i]->d_name, arg);
            }
            free(list[i]);
        }
        if (n >= 0)
            free(list);
    }
}
