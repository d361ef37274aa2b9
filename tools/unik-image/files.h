/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/files.h - the image's files as a cpio archive ("newc"): same files, same bytes. */
#ifndef TOOLS_UNIK_IMAGE_FILES_H
#define TOOLS_UNIK_IMAGE_FILES_H

#include "tools/unik-image/bytes.h"

#define FILES_MAX 65536         /* files, folders and links */
#define FILES_PATH_MAX 1024     /* bytes of a path in the image */
#define FILES_DEPTH_MAX 64

struct files;

struct files *files_new(void);
void files_free(struct files *f);
/* One file, or a folder with all in it, under a path like "/srv/www" ("/": the root). Files and folders belong to root and are
 * dated 1970; of their modes only "may be executed" is kept. Links are kept as they are. What is given later replaces what
 * is there already. 0 or a negative errno, told on stderr. */
int files_add(struct files *f, const char *from, const char *to);
/* A file from memory. */
int files_add_bytes(struct files *f, const void *bytes, size_t n, const char *to);
/* The archive; folders stand before what is in them. 0 or a negative errno, told. */
int files_write(struct files *f, struct bytes *out);

/* Calls for each entry of an archive, in place: the name ends with a NUL. NULL, or what is wrong. */
struct files_entry {
    const char *name;
    uint32_t mode;
    const uint8_t *bytes;
    size_t size;
};
const char *files_each(const uint8_t *archive, size_t n, void (*cb)(const struct files_entry *e, void *arg), void *arg);

#endif
