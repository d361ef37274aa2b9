/* SPDX-License-Identifier: BSD-2-Clause */
/* QubesDB messages. What may be sent is decoded to the same; what is decoded stays inside its limits. */
#include <string.h>

#include "protocol/qubesdb.h"
#include "tests/fuzz/must.h"

static uint8_t out[QUBESDB_MESSAGE_MAX];

/* What the encoder takes: the daemon at the other end must survive it. */
static void check_sent(const struct qubesdb_header *h, const uint8_t *value, int n)
{
    struct qubesdb_header again;

    must((size_t)n == QUBESDB_HEADER + h->len);
    must(qubesdb_decode(out, &again) == 0);
    must(again.type == h->type && again.len == h->len && strcmp(again.path, h->path) == 0);
    must(memcmp(out + QUBESDB_HEADER, value, h->len) == 0);
    must(qubesdb_path_ok(h->path));
    must(!memchr(value, 0, h->len));
    must(strcmp(qubesdb_type_name(h->type), "unknown") != 0);
    if (h->type == QUBESDB_WRITE)
        must(qubesdb_key_ok(h->path));
    else if (h->type != QUBESDB_GOT_READ && h->type != QUBESDB_GOT_MULTIREAD)
        must(h->len == 0);
    if (h->type == QUBESDB_RM)
        must(h->path[0] == '/');
    for (size_t i = strlen(h->path); i < QUBESDB_PATH + 3; i++)
        must(out[1 + i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct qubesdb_header h;
    const uint8_t *value = bytes + QUBESDB_HEADER;
    int k;

    if (n < QUBESDB_HEADER || qubesdb_decode(bytes, &h) < 0)
        return 0;
    must(h.type == bytes[0] && h.len <= QUBESDB_VALUE_MAX);
    must(memchr(h.path, 0, sizeof(h.path)));
    must(!qubesdb_key_ok(h.path) || qubesdb_path_ok(h.path));
    if (n - QUBESDB_HEADER < h.len)
        h.len = (uint32_t)(n - QUBESDB_HEADER);
    k = qubesdb_encode(out, sizeof(out), (enum qubesdb_type)h.type, h.path, value, h.len);
    if (k >= 0)
        check_sent(&h, value, k);
    else if (h.type == QUBESDB_WRITE)
        must(!qubesdb_key_ok(h.path) || memchr(value, 0, h.len));
    else if (h.type == QUBESDB_OK)
        must(!qubesdb_path_ok(h.path) || h.len > 0);
    return 0;
}
