/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/chars.h - which characters a name may have. Independent of the locale. */
#ifndef PROTOCOL_CHARS_H
#define PROTOCOL_CHARS_H

#include <stdbool.h>
#include <string.h>

#define CHARS_ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* Every character is one of the set. "" is. */
static inline bool chars_only(const char *s, const char *set) { return s[strspn(s, set)] == 0; }

#endif
