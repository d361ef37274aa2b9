/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-image/names.c - the names of an ELF's functions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "boot/image.h"
#include "tools/unik-image/names.h"

#define GAP_MIN 64      /* bytes after a function that are worth an entry saying that they belong to none */

struct list {
    struct elf_symbol *at;
    size_t n, room;
    bool bad;
};

static void collect(const struct elf_symbol *s, void *arg)
{
    struct list *l = arg;

    if (l->n == l->room) {
        size_t room = l->room ? 2 * l->room : 1024;
        struct elf_symbol *more = realloc(l->at, room * sizeof(*more));

        if (!more) {
            l->bad = true;
            return;
        }
        l->at = more;
        l->room = room;
    }
    l->at[l->n++] = *s;
}

/* By address; of several names for one address the best first: a function's, a global one, without leading "_", and so on. */
static int before(const void *a, const void *b)
{
    const struct elf_symbol *x = a, *y = b;

    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    if (x->function != y->function)
        return x->function ? -1 : 1;
    if (x->global != y->global)
        return x->global ? -1 : 1;
    if ((x->name[0] == '_') != (y->name[0] == '_'))
        return y->name[0] == '_' ? -1 : 1;
    if (strcmp(x->name, y->name) != 0)
        return strcmp(x->name, y->name);
    return x->size < y->size ? -1 : x->size > y->size;
}

static void entry(struct bytes *entries, uint64_t offset, size_t name)
{
    if (offset > UINT32_MAX)
        return;                 /* code further than 4 GiB from the first function: there is none */
    bytes_u32(entries, (uint32_t)offset);
    bytes_u32(entries, (uint32_t)name);
}

int names_add(struct bytes *out, const struct elf *e)
{
    struct bytes entries = { 0 }, text = { 0 };
    struct list l = { 0 };
    uint64_t base, end;
    int result = -ENOMEM;

    elf_each_code_symbol(e, collect, &l);
    if (l.bad)
        goto out;
    if (l.n == 0) {
        result = 0;
        goto out;
    }
    qsort(l.at, l.n, sizeof(*l.at), before);
    base = l.at[0].address;
    bytes_zeros(&text, 1);      /* the empty name */
    for (size_t i = 0, next; i < l.n; i = next) {
        for (next = i + 1; next < l.n && l.at[next].address == l.at[i].address; next++)
            ;
        entry(&entries, l.at[i].address - base, text.size);
        bytes_add(&text, l.at[i].name, strlen(l.at[i].name) + 1);
        end = l.at[i].address + l.at[i].size;
        if (l.at[i].size && (next == l.n || (end < l.at[next].address && l.at[next].address - end >= GAP_MIN)))
            entry(&entries, end - base, 0);
    }
    bytes_u64(out, base);
    bytes_u32(out, (uint32_t)(entries.size / 8));
    bytes_u32(out, 0);
    bytes_add(out, entries.at, entries.size);
    bytes_add(out, text.at, text.size);
    if (!entries.bad && !text.bad && !out->bad)
        result = 0;
out:
    free(l.at);
    bytes_free(&entries);
    bytes_free(&text);
    return result;
}
