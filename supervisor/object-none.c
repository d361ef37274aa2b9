/* supervisor/object-none.c - shared objects, in the static program: there are none. */
#include "supervisor/loader.h"

void *object_open(const char *file, struct unik_text *why)
{
    unik_text_add(why, "%s: this program is linked statically and loads no files", file);
    return NULL;
}

const void *object_symbol(void *handle, const char *name)
{
    (void)handle, (void)name;
    return NULL;
}

void object_close(void *handle) { (void)handle; }
