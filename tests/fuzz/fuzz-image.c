/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel and unik-image read of an image: the payload's head, tables of names, the ELF file around it, the archive.
 * The first byte says what the rest is: a payload, a table of names, or a whole file to describe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/image.h"
#include "tools/unik-image/describe.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void put_u64(uint8_t *at, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

/* With its sum made right, so that what is behind it is reached too; at a place that is no better aligned than a page is. */
static void payload(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    struct image image;

    if (!copy)
        return;
    memcpy(copy, bytes, n);
    image_read(&image, copy, n);
    if (n >= IMAGE_PAGE) {
        put_u64(copy + 16, n / IMAGE_PAGE * IMAGE_PAGE);
        put_u64(copy + 24, image_sum(copy + IMAGE_SUMMED, n / IMAGE_PAGE * IMAGE_PAGE - IMAGE_SUMMED));
        if (!image_read(&image, copy, n))
            for (int i = 0; i < IMAGE_PARTS; i++)
                if (image.part[i].size && (image.part[i].at < copy + IMAGE_HEAD || image.part[i].at + image.part[i].size > copy + n))
                    abort();
    }
    free(copy);
}

static void names(const uint8_t *bytes, size_t n)
{
    struct image_bytes table = { bytes, n };
    uint64_t base = 0, distance;
    const char *name;

    if (n >= 8)
        memcpy(&base, bytes, 8);
    for (uint64_t d = 0; d < 64; d++) {
        name = image_name(&table, base + d * d * d, &distance);
        if (name && (strlen(name) == 0 || distance > d * d * d))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static FILE *null;

    if (!null)
        null = fopen("/dev/null", "w");
    if (n == 0 || !null)
        return 0;
    if (bytes[0] == 'p')
        payload(bytes + 1, n - 1);
    else if (bytes[0] == 'n')
        names(bytes + 1, n - 1);
    else
        describe_image(null, bytes + 1, n - 1);
    return 0;
}
