/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qubesdb/seed.c - dom0's random seed for this VM goes into the kernel's pool, and into no log. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "plugins/qubesdb/client.h"

#define POOL "/dev/urandom"     /* what is written there is mixed in, not credited: never harmful, open to everybody */

/* from dom0. To clear is to overwrite: a removal could cross dom0's own and end its daemon. */
static void on_seed(const char *path, const char *value, size_t len, void *arg)
{
    struct qubesdb *q = arg;
    ssize_t n = -1;
    int fd;

    if (!value || !len)
        return;
    fd = open(POOL, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        n = write(fd, value, len);
        close(fd);
    }
    if (n != (ssize_t)len)
        unik_debug(q->ctx, "dom0's random seed not mixed in: " POOL ": %s", strerror(errno));
    if (q->config->seed == QUBESDB_SEED_CLEAR && qubesdb_own_write(q, path, "", 0) < 0)
        unik_warn(q->ctx, "%s not cleared: too many writes wait for dom0", path);
}

int qubesdb_seed_start(struct qubesdb *q)
{
    if (q->config->seed == QUBESDB_SEED_LEAVE)
        return 0;
    return qubesdb_watches_add(&q->watches, &(struct unik_qubesdb_watch){ .path = QUBESDB_SEED_KEY,
                               .flags = UNIK_QUBESDB_NOW, .cb = on_seed, .arg = q }, NULL);
}

void qubesdb_show(char out[QUBESDB_SHOWN], const char *path, const char *value, size_t len)
{
    if (strcmp(path, QUBESDB_SEED_KEY) == 0)
        snprintf(out, QUBESDB_SHOWN, "(not shown)");
    else
        snprintf(out, QUBESDB_SHOWN, "%.*s%s", len < QUBESDB_SHOWN - 4 ? (int)len : QUBESDB_SHOWN - 4, value,
                 len < QUBESDB_SHOWN - 4 ? "" : "...");
}
