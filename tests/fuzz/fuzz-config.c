/* SPDX-License-Identifier: BSD-2-Clause */
/* Config files: each value that is taken stands in the file as it is, and no mistake goes untold. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/config.h"
#include "tests/fuzz/must.h"

static void check(const struct config *c, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->sections[i]->n; k++) {
            const struct config_entry *e = &c->sections[i]->entries[k];
            size_t len = strlen(e->value);

            must(e->key[0] && e->place.line > 0);
            must(len == 0 || memmem(bytes, n, e->value, len));
            for (const char *p = e->value; *p; p++)
                must(((unsigned char)*p >= ' ' || *p == '\t') && *p != 127);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char file[32];
    struct config c;
    int fd = memfd_create("config", MFD_CLOEXEC), quiet = open("/dev/null", O_WRONLY | O_CLOEXEC), err = dup(2);

    must(fd >= 0 && quiet >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
    dup2(quiet, 2);                     /* the mistakes */
    config_init(&c);
    if (config_read(&c, file) == 0)
        check(&c, bytes, n);
    must(c.errors == 0 || n > 0);
    config_free(&c);
    dup2(err, 2);
    close(fd);
    close(quiet);
    close(err);
    return 0;
}
