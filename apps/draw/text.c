/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/draw/text.c - text with stb_truetype: glyphs are drawn once, as coverage from 0 to 255, and kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unik/draw.h>

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#define STBTT_STATIC
#define STB_TRUETYPE_IMPLEMENTATION
#include <stb/stb_truetype.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#define GLYPHS 512                      /* kept at most; a power of two */
#define PROBES 8                        /* places where a code point may be */

extern const unsigned char unik_draw_font_file[], unik_draw_font_end[];

struct glyph {
    uint32_t code;
    bool used;
    int left, top, width, height;       /* of the bitmap, from the pen and the baseline */
    unsigned char *coverage;            /* NULL: nothing to draw */
};

struct font {
    struct unik_font f;                 /* first: users see this */
    stbtt_fontinfo info;
    float scale;
    int advance;                        /* pixels; the font is monospaced */
    unsigned next_victim;
    struct glyph glyphs[GLYPHS];
};

int unik_font_open(int height, struct unik_font **out)
{
    struct font *f;
    int ascent, descent, gap, advance, bearing;

    if (height < 8 || height > 256)
        return -EINVAL;
    f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    if (!stbtt_InitFont(&f->info, unik_draw_font_file, 0)) {
        free(f);
        return -EINVAL;
    }
    f->scale = stbtt_ScaleForPixelHeight(&f->info, (float)height);
    stbtt_GetFontVMetrics(&f->info, &ascent, &descent, &gap);
    stbtt_GetCodepointHMetrics(&f->info, 'M', &advance, &bearing);
    f->f.ascent = (int)((float)ascent * f->scale);      /* down, so that what hangs below the baseline stays in the line */
    f->f.height = height;
    f->advance = (int)((float)advance * f->scale + 0.5f);
    *out = &f->f;
    return 0;
}

void unik_font_close(struct unik_font *font)
{
    struct font *f = (struct font *)(void *)font;

    if (!f)
        return;
    for (size_t i = 0; i < GLYPHS; i++)
        free(f->glyphs[i].coverage);
    free(f);
}

/* No memory: drawn as nothing, and tried again next time. */
static void make(struct font *f, struct glyph *g, uint32_t code)
{
    int index = code < 0x20 || (code >= 0x7f && code < 0xa0) ? 0 : stbtt_FindGlyphIndex(&f->info, (int)code);
    int x0, y0, x1, y1;

    free(g->coverage);
    stbtt_GetGlyphBitmapBox(&f->info, index, f->scale, f->scale, &x0, &y0, &x1, &y1);
    *g = (struct glyph){ .code = code, .used = true, .left = x0, .top = y0, .width = x1 - x0, .height = y1 - y0 };
    if (g->width <= 0 || g->height <= 0)
        return;
    g->coverage = calloc((size_t)g->width, (size_t)g->height);
    if (g->coverage)
        stbtt_MakeGlyphBitmap(&f->info, g->coverage, g->width, g->height, g->width, f->scale, f->scale, index);
    else
        g->used = false;
}

static const struct glyph *glyph(struct font *f, uint32_t code)
{
    uint32_t home = code * 2654435761u >> 16;
    struct glyph *g;

    for (uint32_t i = 0; i < PROBES; i++) {
        g = &f->glyphs[(home + i) % GLYPHS];
        if (g->used && g->code == code)
            return g;
        if (!g->used) {
            make(f, g, code);
            return g;
        }
    }
    g = &f->glyphs[(home + f->next_victim++ % PROBES) % GLYPHS];
    make(f, g, code);
    return g;
}

static uint32_t mix(uint32_t under, uint32_t over, unsigned alpha)
{
    uint32_t mixed = 0;

    for (int shift = 0; shift < 24; shift += 8) {
        uint32_t u = under >> shift & 255, o = over >> shift & 255;

        mixed |= (u * (255 - alpha) + o * alpha + 127) / 255 << shift;
    }
    return mixed;
}

/* What would reach into the lines above and below is cut. */
static void put(const struct unik_gui_buffer *b, const struct unik_font *f, const struct glyph *g, int x, int line, uint32_t colour)
{
    for (int row = 0; g->coverage && row < g->height; row++) {
        int y = line + f->ascent + g->top + row;

        if (y < 0 || y >= b->height || y < line || y >= line + f->height)
            continue;
        for (int column = 0; column < g->width; column++) {
            unsigned alpha = g->coverage[row * g->width + column];
            int at = x + g->left + column;
            uint32_t *pixel;

            if (!alpha || at < 0 || at >= b->width)
                continue;
            pixel = &b->pixels[(size_t)y * b->pitch + (size_t)at];
            *pixel = mix(*pixel, colour, alpha);
        }
    }
}

int unik_draw_text(const struct unik_gui_buffer *b, struct unik_font *font, int x, int y, uint32_t colour, const char *text,
                   size_t n)
{
    struct font *f = (struct font *)(void *)font;
    int start = x;
    uint32_t code;

    for (size_t at = 0; at < n && x < b->width; x += f->advance) {
        at += unik_utf8_next(text + at, n - at, &code);
        if (x + 2 * f->advance >= 0)
            put(b, font, glyph(f, code), x, y, colour);
    }
    return x - start;
}

int unik_font_width(struct unik_font *font, const char *text, size_t n)
{
    struct font *f = (struct font *)(void *)font;
    int characters = 0;
    uint32_t code;

    for (size_t at = 0; at < n; characters++)
        at += unik_utf8_next(text + at, n - at, &code);
    return characters * f->advance;
}

size_t unik_font_fit(struct unik_font *font, const char *text, size_t n, int width, size_t *next)
{
    struct font *f = (struct font *)(void *)font;
    size_t at = 0, space = 0;
    bool spaced = false;
    uint32_t code;

    for (int x = f->advance; at < n; x += f->advance) {
        size_t k = unik_utf8_next(text + at, n - at, &code);

        if (code == '\n') {
            *next = at + k;
            return at;
        }
        if (code == ' ') {
            space = at;
            spaced = true;
        }
        if (x > width && at > 0) {
            *next = spaced ? space + 1 : at;
            return spaced ? space : at;
        }
        at += k;
    }
    *next = n;
    return n;
}
