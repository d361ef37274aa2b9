/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/object.h - shared objects: object.c, or object-none.c where everything is built in. */
#ifndef SUPERVISOR_OBJECT_H
#define SUPERVISOR_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <unik/text.h>

#define OBJECT_MAX (256u << 20)         /* bytes of a file */

struct object {
    void *handle;                       /* of dlopen(); NULL: none */
    int fd;                             /* our copy of the file, kept for debuggers; -1: none, the file itself is mapped */
};

/* Copy a file and look whether it is a whole shared object. 0, or -EINVAL with a reason. */
int object_take(struct object *o, const char *file, struct unik_text *why);
/* Link it. As object_take(); the copy is given up on an error. */
int object_load(struct object *o, const char *file, struct unik_text *why);
const void *object_symbol(const struct object *o, const char *name);
void object_close(struct object *o);
/* Call load(arg) in a child: 0 if it comes back, -EINVAL with a reason if that is the end of the child, or it never ends. */
int object_try(void (*load)(void *arg), void *arg, const char *file, struct unik_text *why);

/* object-check.c. 0, or -EINVAL with a reason. */
int object_check(const void *bytes, size_t size, struct unik_text *why);

#endif
