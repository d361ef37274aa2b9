/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/types.c - media types by the last part of a file's name. Sorted, for bsearch(). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "syntax.h"

#define UTF8 "; charset=utf-8"

struct row {
    const char *ext, *type;
};

static const struct row types[] = {
    { "7z", "application/x-7z-compressed" },
    { "aac", "audio/aac" },
    { "apng", "image/apng" },
    { "atom", "application/atom+xml" },
    { "avif", "image/avif" },
    { "bmp", "image/bmp" },
    { "bz2", "application/x-bzip2" },
    { "c", "text/plain" UTF8 },
    { "css", "text/css" UTF8 },
    { "csv", "text/csv" UTF8 },
    { "deb", "application/vnd.debian.binary-package" },
    { "epub", "application/epub+zip" },
    { "flac", "audio/flac" },
    { "gif", "image/gif" },
    { "gz", "application/gzip" },
    { "h", "text/plain" UTF8 },
    { "htm", "text/html" UTF8 },
    { "html", "text/html" UTF8 },
    { "ico", "image/vnd.microsoft.icon" },
    { "ics", "text/calendar" UTF8 },
    { "iso", "application/octet-stream" },
    { "jpeg", "image/jpeg" },
    { "jpg", "image/jpeg" },
    { "js", "text/javascript" UTF8 },
    { "json", "application/json" },
    { "log", "text/plain" UTF8 },
    { "map", "application/json" },
    { "md", "text/markdown" UTF8 },
    { "mjs", "text/javascript" UTF8 },
    { "mp3", "audio/mpeg" },
    { "mp4", "video/mp4" },
    { "oga", "audio/ogg" },
    { "ogg", "audio/ogg" },
    { "ogv", "video/ogg" },
    { "opus", "audio/ogg" },
    { "otf", "font/otf" },
    { "pdf", "application/pdf" },
    { "png", "image/png" },
    { "rss", "application/rss+xml" },
    { "svg", "image/svg+xml" },
    { "tar", "application/x-tar" },
    { "tif", "image/tiff" },
    { "tiff", "image/tiff" },
    { "ttf", "font/ttf" },
    { "txt", "text/plain" UTF8 },
    { "wasm", "application/wasm" },
    { "wav", "audio/wav" },
    { "weba", "audio/webm" },
    { "webm", "video/webm" },
    { "webmanifest", "application/manifest+json" },
    { "webp", "image/webp" },
    { "woff", "font/woff" },
    { "woff2", "font/woff2" },
    { "xhtml", "application/xhtml+xml" },
    { "xml", "application/xml" },
    { "xz", "application/x-xz" },
    { "zip", "application/zip" },
    { "zst", "application/zstd" },
};

static int compare(const void *ext, const void *row) { return strcasecmp(ext, ((const struct row *)row)->ext); }

const char *www_type(const char *path)
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    const struct row *row = NULL;

    if (dot && (!slash || dot > slash + 1) && dot > path)
        row = bsearch(dot + 1, types, sizeof(types) / sizeof(types[0]), sizeof(types[0]), compare);
    return row ? row->type : "application/octet-stream";
}
