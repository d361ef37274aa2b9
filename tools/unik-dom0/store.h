/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/store.h - the QubesDB keys of one VM, in byte order of their paths. */
#ifndef UNIK_DOM0_STORE_H
#define UNIK_DOM0_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <unik/text.h>

#define STORE_KEYS_MAX 8192

struct store_entry {
    char *path, *value;             /* value: NUL-terminated for convenience */
    size_t len;
};

struct store {
    struct store_entry *at;
    size_t n, room;
};

void store_free(struct store *s);
/* 0, -ENOMEM, -ENOSPC. */
int store_set(struct store *s, const char *path, const void *value, size_t len);
const struct store_entry *store_get(const struct store *s, const char *path);
/* A key, or with a trailing / all below: how many were there. */
size_t store_remove(struct store *s, const char *path);
/* The first entry not below `prefix` in order; entries with the prefix follow from there. */
size_t store_find(const struct store *s, const char *prefix);

/* keys.c: what the VM finds at its start. From a file of "PATH VALUE" lines (\n, \t, \\ in values; # begins a comment
 * line); one line for each mistake in why. 0 or a negative errno. */
int keys_load(struct store *s, const char *file, struct unik_text *why);
/* Without a file: what dom0 writes for an AppVM with a network. */
int keys_default(struct store *s, const char *name, const char *user, int domid);

#endif
