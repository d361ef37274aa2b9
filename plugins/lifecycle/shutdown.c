/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/lifecycle/shutdown.c - reads dom0's word in control/shutdown, answers it, and acts.
 *
 * The answer is an empty string, written in the transaction that read the word: if dom0 writes another one meanwhile,
 * the transaction is spoilt and the new word is read. The node is never removed: dom0 sets its permissions anew each
 * time.
 */
#include <errno.h>
#include <string.h>

#include "plugins/lifecycle/lifecycle.h"

#define SHUTDOWN "control/shutdown"
#define TRIES_MAX 10            /* spoilt transactions, until the answer goes without one */
#define WORD_MAX 32             /* bytes shown of a word that is not known */

static const struct { const char *word; enum unik_end end; } commands[] = {
    { "poweroff", UNIK_POWEROFF }, { "halt", UNIK_POWEROFF }, { "reboot", UNIK_REBOOT },
};

static int command_of(const char *value, size_t len)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (strlen(commands[i].word) == len && memcmp(commands[i].word, value, len) == 0)
            return (int)i;
    return -1;
}

static void leave_transaction(struct lifecycle *l)
{
    if (l->shutdown.tx)
        l->x->end(l->x, l->ctx, l->shutdown.tx, false, NULL, NULL);
    l->shutdown.tx = 0;
}

/* This look has ended; failed: xenstored did not answer, look again later. */
static void over(struct lifecycle *l, bool failed)
{
    bool again = l->shutdown.again;

    leave_transaction(l);
    l->shutdown.busy = l->shutdown.again = false;
    l->shutdown.tries = 0;
    l->shutdown.command = -1;
    if (failed)
        lifecycle_later(l);
    else if (again)
        lifecycle_shutdown_look(l);
}

static void act(struct lifecycle *l)
{
    int c = l->shutdown.command;

    unik_info(l->ctx, "dom0 asks for %s%s", commands[c].word, l->shutdown.ending ? " again" : "");
    if (!l->shutdown.ending)
        unik_end(l->ctx, commands[c].end, "dom0 asked for it");
    l->shutdown.ending = true;
    over(l, false);
}

static void acknowledged(struct lifecycle *l)
{
    l->ctx->counters[COUNT_ACKNOWLEDGED]++;
    act(l);
}

/* The word is obeyed even if it can't be answered: dom0 then waits for the answer in vain, but sees the end. */
static void on_plain(int error, const char *value, size_t len, void *arg)
{
    struct lifecycle *l = arg;

    (void)value, (void)len;
    if (!error) {
        acknowledged(l);
    } else {
        lifecycle_error(l, "acknowledge in", SHUTDOWN, error);
        act(l);
    }
}

static void answer_plainly(struct lifecycle *l)
{
    int e;

    leave_transaction(l);
    e = l->x->write(l->x, l->ctx, 0, SHUTDOWN, "", 0, on_plain, l);
    if (e < 0)
        on_plain(e, "", 0, l);
}

static void on_commit(int error, const char *value, size_t len, void *arg)
{
    struct lifecycle *l = arg;

    (void)value, (void)len;
    l->shutdown.tx = 0;
    if (!error) {
        acknowledged(l);
    } else if (error == -ECONNRESET) {
        over(l, true);
    } else if (error == -EAGAIN && ++l->shutdown.tries < TRIES_MAX) {
        l->ctx->counters[COUNT_RETRIES]++;
        l->shutdown.busy = false;
        lifecycle_shutdown_look(l);
    } else {
        lifecycle_error(l, "transaction on", SHUTDOWN, error);
        answer_plainly(l);
    }
}

static void on_written(int error, const char *value, size_t len, void *arg)
{
    struct lifecycle *l = arg;

    (void)value, (void)len;
    if (error && error != -ECONNRESET) {
        lifecycle_error(l, "acknowledge in", SHUTDOWN, error);
        act(l);
    } else if (error || l->x->end(l->x, l->ctx, l->shutdown.tx, true, on_commit, l) < 0) {
        over(l, true);
    }
}

static void unknown_word(struct lifecycle *l, const char *value, size_t len)
{
    l->ctx->counters[COUNT_UNKNOWN]++;
    unik_warn(l->ctx, SHUTDOWN " says \"%.*s\"%s: not known here, not acknowledged", WORD_MAX, value,
              len > WORD_MAX ? "..." : "");
    over(l, false);
}

/* from dom0: any bytes. */
static void on_word(int error, const char *value, size_t len, void *arg)
{
    struct lifecycle *l = arg;

    if (error == -ECONNRESET) {
        over(l, true);
    } else if (error) {
        if (error != -ENOENT)
            lifecycle_error(l, "read", SHUTDOWN, error);
        over(l, false);
    } else if (!len) {
        over(l, false);
    } else {
        l->ctx->counters[COUNT_COMMANDS]++;
        l->shutdown.command = command_of(value, len);
        if (l->shutdown.command < 0)
            unknown_word(l, value, len);
        else if (l->x->write(l->x, l->ctx, l->shutdown.tx, SHUTDOWN, "", 0, on_written, l) < 0)
            over(l, true);
    }
}

static void on_begun(int error, uint32_t tx, void *arg)
{
    struct lifecycle *l = arg;

    l->shutdown.tx = tx;
    if (error && error != -ECONNRESET)
        lifecycle_error(l, "transaction on", SHUTDOWN, error);
    if (error || l->x->read(l->x, l->ctx, tx, SHUTDOWN, on_word, l) < 0)
        over(l, true);
}

void lifecycle_shutdown_look(struct lifecycle *l)
{
    if (l->shutdown.busy) {
        l->shutdown.again = true;
        return;
    }
    l->shutdown.busy = true;
    if (l->x->begin(l->x, l->ctx, on_begun, l) < 0)
        over(l, true);
}

static void on_change(const char *path, void *arg)
{
    (void)path;
    lifecycle_shutdown_look(arg);
}

int lifecycle_shutdown_start(struct lifecycle *l)
{
    l->shutdown.command = -1;
    return l->x->watch(l->x, l->ctx, SHUTDOWN, on_change, l, &l->shutdown.watch);
}

void lifecycle_shutdown_stop(struct lifecycle *l)
{
    l->x->unwatch(l->x, l->shutdown.watch);
    l->x->forget(l->x, l);
    leave_transaction(l);
}
