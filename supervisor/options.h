/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/options.h - option tables: words from a config file into a plugin's config struct. */
#ifndef SUPERVISOR_OPTIONS_H
#define SUPERVISOR_OPTIONS_H

#include <unik/plugin.h>
#include <unik/text.h>

/* The row of a key, or NULL. table may be NULL. */
const struct unik_option *options_find(const struct unik_option *table, const char *key);

/* A zeroed config struct with every default set; NULL without memory, or for a default that does not parse (a mistake in
 * the plugin: why says which). Free with options_free(). A table with config_size 0 gives a struct of one byte. */
void *options_new(const struct unik_option *table, size_t config_size, struct unik_text *why);
void options_free(const struct unik_option *table, void *config);

/* Set one value. 0, or -EINVAL / -ERANGE / -ENOMEM with one line in why: what was found and what is allowed. */
int options_set(const struct unik_option *row, void *config, const char *text, struct unik_text *why);

/* What a row allows, for --describe and messages: "yes or no", "1..65535", "off, stub or serve". */
void options_allowed(const struct unik_option *row, struct unik_text *out);

#endif
