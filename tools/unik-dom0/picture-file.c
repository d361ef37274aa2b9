/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/picture-file.c - pictures as files: PNG through libpng, PPM by hand. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/unik-dom0/picture-file.h"
#ifdef UNIK_HAVE_PNG
#include <png.h>
#endif

static bool ends_in(const char *file, const char *end)
{
    size_t n = strlen(file), k = strlen(end);

    return n > k && strcmp(file + n - k, end) == 0;
}

const char *picture_refuse(const char *file)
{
    if (ends_in(file, ".ppm"))
        return NULL;
    if (!ends_in(file, ".png"))
        return "expected FILE.png or FILE.ppm";
#ifdef UNIK_HAVE_PNG
    return NULL;
#else
    return "built without libpng: expected FILE.ppm";
#endif
}

/* R, G, B; to be freed. */
static uint8_t *to_bytes(const uint32_t *pixels, size_t n)
{
    uint8_t *rgb = malloc(3 * n);

    for (size_t i = 0; rgb && i < n; i++) {
        rgb[3 * i] = (uint8_t)(pixels[i] >> 16);
        rgb[3 * i + 1] = (uint8_t)(pixels[i] >> 8);
        rgb[3 * i + 2] = (uint8_t)pixels[i];
    }
    return rgb;
}

static bool write_png(FILE *f, const uint8_t *rgb, uint32_t width, uint32_t height)
{
#ifdef UNIK_HAVE_PNG
    png_image image = { .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB };

    return png_image_write_to_stdio(&image, f, 0, rgb, 0, NULL) != 0;
#else
    (void)f, (void)rgb, (void)width, (void)height;
    return false;
#endif
}

static bool write_ppm(FILE *f, const uint8_t *rgb, uint32_t width, uint32_t height)
{
    size_t n = (size_t)3 * width * height;

    return fprintf(f, "P6\n%u %u\n255\n", width, height) > 0 && fwrite(rgb, 1, n, f) == n;
}

int picture_write(const char *file, const uint32_t *pixels, uint32_t width, uint32_t height)
{
    uint8_t *rgb = to_bytes(pixels, (size_t)width * height);
    FILE *f = rgb ? fopen(file, "we") : NULL;
    int e = !rgb ? -ENOMEM : !f ? -errno : 0;

    errno = 0;
    if (e == 0 && (!(ends_in(file, ".ppm") ? write_ppm : write_png)(f, rgb, width, height) || fflush(f) != 0))
        e = errno ? -errno : -EIO;
    if (f && fclose(f) != 0 && e == 0)
        e = -errno;
    free(rgb);
    return e;
}
