/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/config.h - the config file as sections of key = value with their places, and every mistake found in it. */
#ifndef SUPERVISOR_CONFIG_H
#define SUPERVISOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_SECTIONS_MAX 64
#define CONFIG_ENTRIES_MAX 128      /* per section */
#define CONFIG_LINE_MAX 4094        /* bytes, without the end of the line */
#define CONFIG_FILE_MAX (1u << 20)
#define CONFIG_SUPERVISOR "supervisor"  /* the section of keys before the first heading */

struct config_place {
    const char *file;               /* "-o" for the command line */
    int line;
};

struct config_entry {
    char *key, *value;
    struct config_place place;
};

struct config_section {
    char *name;
    struct config_place place;
    struct config_entry entries[CONFIG_ENTRIES_MAX];
    size_t n;
};

struct config {
    char *file;
    struct config_section *sections[CONFIG_SECTIONS_MAX];
    size_t n;
    unsigned errors;                /* reported so far: see config_error() */
};

void config_init(struct config *c);
void config_free(struct config *c);

/* config-read.c: read a file. Syntax errors are reported and counted in c->errors; 0, or a negative errno if it cannot be read at
 * all: -EFBIG (more than CONFIG_FILE_MAX bytes), or what the system says. */
int config_read(struct config *c, const char *file);
/* "plugin.key=value", or "key=value" for the supervisor; replaces what the file says. Makes the section if need be. */
void config_override(struct config *c, const char *word);

const struct config_section *config_find(const struct config *c, const char *name);

/* For config-read.c. A section of that name, or NULL; a new one, or NULL with the mistake told; a key of one. */
struct config_section *config_section(const struct config *c, const char *name);
struct config_section *config_add(struct config *c, const char *name, const struct config_place *place);
void config_set(struct config *c, struct config_section *s, const char *key, const char *value,
                const struct config_place *place, bool replace);

/* "file:12: message" to stderr, counted. place may be NULL. */
__attribute__((format(printf, 3, 4)))
void config_error(struct config *c, const struct config_place *place, const char *fmt, ...);

#endif
