/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared objects: whatever the file is, it is refused with a reason or taken, and no byte beside it is read. */
#include <stdlib.h>
#include <string.h>

#include "supervisor/object.h"
#include "tests/fuzz/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char message[300];
    struct unik_text why;
    uint8_t *copy = malloc(n ? n : 1);
    int e;

    must(copy);
    if (n)
        memcpy(copy, bytes, n);
    unik_text_init(&why, message, sizeof(message));
    e = object_check(copy, n, &why);
    must((e == 0) == (message[0] == 0));
    free(copy);
    return 0;
}
