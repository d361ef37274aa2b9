/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/object-none.c - shared objects, in the static program: there are none. */
#include <errno.h>

#include "supervisor/object.h"

int object_take(struct object *o, const char *file, struct unik_text *why)
{
    *o = (struct object){ .fd = -1 };
    unik_text_add(why, "%s: this program is linked statically and loads no files", file);
    return -EINVAL;
}

int object_load(struct object *o, const char *file, struct unik_text *why) { return object_take(o, file, why); }

const void *object_symbol(const struct object *o, const char *name)
{
    (void)o, (void)name;
    return NULL;
}

void object_close(struct object *o) { (void)o; }

int object_try(void (*load)(void *arg), void *arg, const char *file, struct unik_text *why)
{
    (void)load, (void)arg, (void)file, (void)why;
    return 0;
}
