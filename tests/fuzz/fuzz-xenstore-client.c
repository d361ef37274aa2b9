/* SPDX-License-Identifier: BSD-2-Clause */
/* What xenstored may send, to the plugin xenstore with requests, transactions and watches under way, without a socket.
 * First byte: how many bytes arrive at a time (0: all at once). Every request must be told of exactly once. */
#include <errno.h>
#include <stdlib.h>

#include "plugins/xenstore/client.h"
#include "tools/host/host.h"

#define ASKED_MAX 64

extern const struct unik_plugin unik_plugin_xenstore;
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct xenstore *x;
static struct unik_xenstore_watch *watches[3];
static unsigned asked, told, forgotten;

static void must(bool b)
{
    if (!b)
        abort();
}

static void on_answer(int error, const char *value, size_t len, void *arg);

static void ask_more(void)
{
    if (asked < ASKED_MAX && x->api.read(&x->api, NULL, 0, "a/b", on_answer, &asked) == 0)
        asked++;
}

static void on_answer(int error, const char *value, size_t len, void *arg)
{
    (void)arg;
    told++;
    must(error <= 0 && value[len] == 0);
    if (len && value[0] == 'm')
        ask_more();
    if (len && value[0] == 'f')
        x->api.forget(&x->api, &forgotten);
}

static void on_begun(int error, uint32_t tx, void *arg)
{
    (void)arg;
    told++;
    must(error ? tx == 0 : tx != 0);
    if (!error && asked < ASKED_MAX && x->api.read(&x->api, NULL, tx, "in/transaction", on_answer, &asked) == 0)
        asked++;
    if (!error && asked < ASKED_MAX && x->api.end(&x->api, NULL, tx, true, on_answer, &asked) == 0)
        asked++;
}

static void on_never(int error, uint32_t tx, void *arg)
{
    (void)error, (void)tx, (void)arg;
    abort();
}

static void on_fire(const char *path, void *arg)
{
    size_t i = (size_t)((struct unik_xenstore_watch **)arg - watches);

    if (path[0] == 'u' && watches[i]) {
        x->api.unwatch(&x->api, watches[i]);
        watches[i] = NULL;
    }
    if (path[0] == 'w' && !watches[0])
        x->api.watch(&x->api, NULL, "a", on_fire, &watches[0], &watches[0]);
    if (path[0] == 'm')
        ask_more();
}

static void send_out(void) { x->link.out_start = x->link.out_end = 0; }

static void begin(void)
{
    static struct unik_ctx *ctx;

    if (!ctx) {
        static const char *const options[] = { "requests=16", "watches=4", "transactions=2", "buffer=16K", NULL };
        struct host *h = host_new(ev_default_loop(0), UNIK_ON_ANY, NULL);

        must((ctx = host_add(h, &unik_plugin_xenstore, options)) != NULL);
    }
    x = xenstore_new(ctx);
    must(x != NULL);
    ctx->data = x;
    asked = told = forgotten = 0;
    x->link.up = true;
    asked += x->api.read(&x->api, NULL, 0, "name", on_answer, &asked) == 0;                   /* id 16 + 0 */
    asked += x->api.directory(&x->api, NULL, 0, "/", on_answer, &asked) == 0;                 /* 32 + 1 */
    asked += x->api.begin(&x->api, NULL, on_begun, &asked) == 0;                              /* 48 + 2 */
    asked += x->api.write(&x->api, NULL, 0, "a", "1", 1, on_answer, &asked) == 0;             /* 64 + 3 */
    must(x->api.begin(&x->api, NULL, on_never, &forgotten) == 0);                             /* 80 + 4 */
    x->api.forget(&x->api, &forgotten);
    for (int i = 0; i < 3; i++)     /* 96 + 5, 112 + 6, 128 + 7; tokens 00000004, 00000009, 0000000e */
        must(x->api.watch(&x->api, NULL, "a", on_fire, &watches[i], &watches[i]) == 0);
    x->api.unwatch(&x->api, watches[2]);                                                /* 144 + 8 */
    watches[2] = NULL;
    send_out();
    must(asked == 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    size_t piece = n ? bytes[0] : 0, at = n ? 1 : 0;
    int e = 0;

    begin();
    while (at < n && e == 0) {
        size_t k = piece && piece < n - at ? piece : n - at;

        e = xenstore_link_feed(&x->link, bytes + at, k);
        at += k;
        send_out();
    }
    xenstore_lost(x, e ? e : -ECONNRESET, "end");
    must(told == asked);
    must(x->first == NULL && *xenstore_count(x, GAUGE_TRANSACTIONS) == 0);
    for (int i = 0; i < 2; i++)
        x->api.unwatch(&x->api, watches[i]);
    must(*xenstore_count(x, GAUGE_WATCHES) == 0 && x->todo == 0);
    xenstore_free(x);
    return 0;
}
