/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/image.c - the payload's head and the tables of names, read with every bound checked. No libc: the kernel uses it too. */
#include "boot/image.h"

static uint32_t u32(const uint8_t *at) { return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24; }
static uint64_t u64(const uint8_t *at) { return u32(at) | (uint64_t)u32(at + 4) << 32; }

/* One multiplication a word: a megabyte takes well under a millisecond. */
uint64_t image_sum(const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    uint64_t sum = 0x756e696b;

    for (size_t i = 0; i + 8 <= n; i += 8) {
        sum = (sum ^ u64(at + i)) * 0x9e3779b97f4a7c15;
        sum ^= sum >> 32;
    }
    return sum;
}

static const char *check_head(const uint8_t *at, size_t available)
{
    if (available < IMAGE_HEAD)
        return "no room for a payload";
    for (size_t i = 0; i < sizeof(IMAGE_MAGIC) - 1; i++)
        if (at[i] != (uint8_t)IMAGE_MAGIC[i])
            return "no payload (was it made by unik-image, and is the file whole?)";
    if (u32(at + 8) != IMAGE_VERSION)
        return "its payload has another version";
    if (u32(at + 12) != IMAGE_PARTS)
        return "its payload has another number of parts";
    if (u64(at + 16) < IMAGE_HEAD || u64(at + 16) > IMAGE_SIZE_MAX || u64(at + 16) % IMAGE_PAGE)
        return "its payload's size is nonsense";
    if (u64(at + 16) > available)
        return "its payload is cut off";
    return u64(at + 24) != image_sum(at + IMAGE_SUMMED, (size_t)u64(at + 16) - IMAGE_SUMMED) ? "its payload is damaged" : NULL;
}

const char *image_read(struct image *image, const void *bytes, size_t available)
{
    static const struct image none;
    const uint8_t *at = bytes;
    const char *wrong = check_head(at, available);

    *image = none;
    if (wrong)
        return wrong;
    image->size = (size_t)u64(at + 16);
    for (int i = 0; i < IMAGE_PARTS; i++) {
        size_t offset = u32(at + 32 + 8 * i), size = u32(at + 36 + 8 * i);

        if (size == 0)
            continue;
        if (offset < IMAGE_HEAD || offset > image->size || size > image->size - offset)
            return "a part lies outside of its payload";
        if (offset % (i == IMAGE_PROGRAM ? IMAGE_PAGE : 8))
            return "a part lies askew in its payload";
        if ((i == IMAGE_COMMAND_LINE || i == IMAGE_NOTES) && at[offset + size - 1] != 0)
            return "a text of its payload has no end";
        image->part[i].at = at + offset;
        image->part[i].size = size;
    }
    return image->part[IMAGE_PROGRAM].size ? NULL : "its payload has no program";
}

const char *image_name(const struct image_bytes *names, uint64_t address, uint64_t *distance)
{
    const uint8_t *entries = names->at + IMAGE_NAMES_HEAD, *text;
    size_t n, text_size, low = 0, high, at;

    if (names->size < IMAGE_NAMES_HEAD)
        return NULL;
    n = u32(names->at + 8);
    if (n > (names->size - IMAGE_NAMES_HEAD) / 8 || address < u64(names->at))
        return NULL;
    address -= u64(names->at);
    text = entries + 8 * n;
    text_size = names->size - IMAGE_NAMES_HEAD - 8 * n;
    if (text_size == 0 || text[text_size - 1] != 0)
        return NULL;
    for (high = n; low < high;) {       /* the first entry that begins after the address */
        size_t middle = low + (high - low) / 2;

        if (u32(entries + 8 * middle) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    at = u32(entries + 8 * (low - 1) + 4);
    if (at >= text_size || text[at] == 0)
        return NULL;
    if (distance)
        *distance = address - u32(entries + 8 * (low - 1));
    return (const char *)text + at;
}
