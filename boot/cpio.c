/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/cpio.c - archives of the kind "newc", as `cpio -H newc` and unik-image write them: cpio(5).
 *
 * A header of 110 characters: the magic 070701 (070702 with checksums, which are not looked at), then 13 numbers of 8
 * hexadecimal digits; the name with its NUL; the content. Name and content are padded to multiples of 4 of the archive.
 * An archive may come from whoever made the VM's ramdisk: it is read with bounds, not with trust.
 */
#include "boot/linux.h"

#define HEADER 110u
#define FIELDS 13u
enum { INO, MODE, UID, GID, NLINK, MTIME, SIZE, DEV_MAJOR, DEV_MINOR, RDEV_MAJOR, RDEV_MINOR, NAME_SIZE, CHECK };

static bool hex8(const uint8_t *p, uint32_t *out)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 8; i++) {
        unsigned c = p[i], digit;

        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (c | 0x20) - 'a' + 10;
        else
            return false;
        v = v << 4 | digit;
    }
    *out = v;
    return true;
}

/* [at, at + n) and its padding; false if it is not there. The last padding of an archive may be missing. */
static bool take(const struct bytes *archive, size_t *at, size_t n, const uint8_t **out)
{
    size_t left = archive->size - *at, padded;

    if (n > left)
        return false;
    padded = ((*at + n + 3) & ~(size_t)3) - *at;
    *out = archive->at + *at;
    *at += padded < left ? padded : left;
    return true;
}

static bool is_trailer(const struct cpio_entry *e) { return e->name_len == 10 && memcmp(e->name, "TRAILER!!!", 10) == 0; }

/* "./a/b/" is a/b. */
static void trim_name(struct cpio_entry *e)
{
    for (;;)
        if (e->name_len > 1 && e->name[0] == '/')
            e->name++, e->name_len--;
        else if (e->name_len > 2 && e->name[0] == '.' && e->name[1] == '/')
            e->name += 2, e->name_len -= 2;
        else
            break;
    while (e->name_len > 1 && e->name[e->name_len - 1] == '/')
        e->name_len--;
    if (e->name_len == 1 && e->name[0] == '/')
        e->name = ".";
}

/* Zeros between and behind archives. */
static void skip_zeros(const struct bytes *archive, size_t *at)
{
    while (*at < archive->size && archive->at[*at] == 0)
        ++*at;
}

int cpio_next(const struct bytes *archive, size_t *at, struct cpio_entry *e)
{
    uint32_t field[FIELDS];
    const uint8_t *head, *name;

    if (*at > archive->size)
        return -EINVAL;
    skip_zeros(archive, at);
    if (*at == archive->size)
        return 0;
    if (archive->size - *at < HEADER)
        return -EINVAL;
    head = archive->at + *at;
    if (memcmp(head, "07070", 5) != 0 || (head[5] != '1' && head[5] != '2'))
        return -EINVAL;
    for (unsigned i = 0; i < FIELDS; i++)
        if (!hex8(head + 6 + 8 * i, &field[i]))
            return -EINVAL;
    if (field[NAME_SIZE] < 2)
        return -EINVAL;
    if (field[NAME_SIZE] > LINUX_PATH_MAX)
        return -ENAMETOOLONG;
    *at += HEADER;
    if (!take(archive, at, field[NAME_SIZE], &name) || name[field[NAME_SIZE] - 1] != 0 ||
        !take(archive, at, field[SIZE], &e->bytes))
        return -EINVAL;
    e->name = (const char *)name;
    e->name_len = strnlen(e->name, field[NAME_SIZE]);
    if (e->name_len == 0)
        return -EINVAL;
    if (is_trailer(e))
        return 0;
    trim_name(e);
    e->size = field[SIZE];
    e->ino = field[INO];
    e->mode = field[MODE];
    e->uid = field[UID];
    e->gid = field[GID];
    e->nlink = field[NLINK];
    e->mtime = field[MTIME];
    e->dev_major = field[DEV_MAJOR];
    e->dev_minor = field[DEV_MINOR];
    e->rdev_major = field[RDEV_MAJOR];
    e->rdev_minor = field[RDEV_MINOR];
    return 1;
}
