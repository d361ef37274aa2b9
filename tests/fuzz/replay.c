/* SPDX-License-Identifier: BSD-2-Clause */
/* main() of a fuzz target without libFuzzer: every file of tests/fuzz/corpus/NAME, cut short at each length, and each with
 * a few thousand fixed mutations. Says how many inputs it tried; a crash is the failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536

/* Of each file; a target whose inputs take long has a smaller number of its own. */
extern unsigned replay_mutations;
__attribute__((weak)) unsigned replay_mutations = 2000;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static unsigned long tried;

/* A copy of exact size, so that a sanitizer sees one byte too many. */
static void try_one(const uint8_t *bytes, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);

    if (!exact)
        abort();
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    tried++;
}

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void try_file(const char *path)
{
    static uint8_t bytes[INPUT_MAX], changed[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    uint32_t seed = 2463534242u;
    size_t n;

    if (!f)
        return;
    n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    for (size_t cut = 0; cut <= n && cut <= 512; cut++)
        try_one(bytes, cut);
    try_one(bytes, n);
    for (unsigned i = 0; n && i < replay_mutations; i++) {
        memcpy(changed, bytes, n);
        for (uint32_t k = 1 + next(&seed) % 4; k; k--)
            changed[next(&seed) % n] = (uint8_t)(next(&seed) % 3 ? next(&seed) : next(&seed) & 1 ? 0xff : 0);
        try_one(changed, n);
    }
}

int main(int argc, char **argv)
{
    const char *source = getenv("UNIK_SOURCE"), *name = strrchr(argv[0], '/');
    char folder[4096], path[8192];
    struct dirent *e;
    DIR *d;

    name = name ? name + 1 : argv[0];
    if (strncmp(name, "lt-", 3) == 0)
        name += 3;
    snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", source ? source : ".", name);
    if (argc > 1)
        snprintf(folder, sizeof(folder), "%s", argv[1]);
    d = opendir(folder);
    if (!d) {
        fprintf(stderr, "%s: no corpus in %s\n", name, folder);
        return 1;
    }
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
            try_file(path);
        }
    closedir(d);
    printf("%s: %lu inputs\n", name, tried);
    return tried == 0;
}
