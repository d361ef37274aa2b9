/* supervisor/object.c - shared objects, in the dynamic program. */
#include <dlfcn.h>

#include "supervisor/loader.h"

void *object_open(const char *file, struct unik_text *why)
{
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);

    if (!handle)
        unik_text_add(why, "%s", dlerror());
    return handle;
}

const void *object_symbol(void *handle, const char *name) { return dlsym(handle, name); }
void object_close(void *handle) { dlclose(handle); }
