/* SPDX-License-Identifier: BSD-2-Clause */
/* ask - asks the user, for a caller in dom0 or in another VM. The question comes on standard input:
 *   ask.YesNo      "yes" or "no" on standard output, exit code 0 or 1
 *   ask.Line       the line that the user typed, exit code 0; 1: cancelled
 *   ask.Secret     the same, not shown while it is typed
 * Exit code 2: nobody answered in time; 3: not asked, and standard error says why.
 */
#include <errno.h>
#include <stdlib.h>
#include "apps/ask/ask.h"

static const struct unik_option options[] = {
    { .key = "timeout", .type = UNIK_SECONDS, .offset = offsetof(struct ask_config, timeout), .fallback = "2m", .min = 1,
      .max = 86400, .help = "how long a caller waits for the answer, from the call on" },
    { .key = "quiet", .type = UNIK_SECONDS, .offset = offsetof(struct ask_config, quiet), .fallback = "1s", .min = 0, .max = 10,
      .help = "keys and clicks count once the user has made none for so long: a question must not be answered by what was meant for another window" },
    { .key = "size", .type = UNIK_INT, .offset = offsetof(struct ask_config, size), .fallback = "18", .min = 8, .max = 64,
      .help = "height of a line of text in pixels" },
    { 0 }
};

static const struct unik_counter counters[] = {
    [ASKED] = { "asked", UNIK_COUNT, "questions that were good to ask" },
    [WAITING] = { "waiting", UNIK_GAUGE, "calls without an answer yet" },
    [ANSWERED] = { "answered", UNIK_COUNT, "yes, no, or a line" },
    [CANCELLED] = { "cancelled", UNIK_COUNT, "the user did not want to answer" },
    [TIMED_OUT] = { "timed_out", UNIK_COUNT, "nobody answered in time" },
    [GIVEN_UP] = { "given_up", UNIK_COUNT, "the caller went away first" },
    [REFUSED] = { "refused", UNIK_COUNT, "not asked: too many, too long, or empty" },
    { 0 }
};

static void show_next(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct ask *a = w->data;
    struct question *q;
    int e;

    (void)loop, (void)revents;
    if (a->dialog)
        return;
    TAILQ_FOREACH(q, &a->questions, link)
        if (q->complete)
            break;
    e = q ? ask_dialog_open(q, &a->dialog) : 0;
    if (e < 0) {
        unik_error(a->ctx, "%s: no window: %s", q->call->peer, strerror(-e));
        ask_answer(q, ASK_REFUSED, NULL, 0);
    }
}

static int start(struct unik_ctx *ctx)
{
    static const struct { const char *name; unik_qrexec_handler *handler; } services[] = {
        { "ask.YesNo", ask_on_yes_no }, { "ask.Line", ask_on_line }, { "ask.Secret", ask_on_secret }
    };
    const struct ask_config *config = ctx->config;
    struct unik_qrexec *qrexec = unik_get(ctx, "qrexec/1");
    struct ask *a = calloc(1, sizeof(*a));
    int e = a ? unik_font_open((int)config->size, &a->font) : -ENOMEM;

    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]) && e == 0; i++)
        e = qrexec->serve(qrexec, ctx, services[i].name, services[i].handler, ctx, NULL);
    if (e < 0) {
        if (a)
            unik_font_close(a->font);
        free(a);
        return e;
    }
    a->ctx = ctx;
    a->gui = unik_get(ctx, "gui/1");
    TAILQ_INIT(&a->questions);
    ev_timer_init(&a->next, show_next, 0, 0);
    a->next.data = a;
    ctx->data = a;
    unik_ready(ctx);
    return 0;
}

static void stop(struct unik_ctx *ctx)
{
    struct ask *a = ctx->data;

    while (!TAILQ_EMPTY(&a->questions))
        ask_answer(TAILQ_FIRST(&a->questions), ASK_REFUSED, NULL, 0);
    ev_timer_stop(ctx->loop, &a->next);
    unik_font_close(a->font);
    free(a);
    unik_stopped(ctx);
}

static const char *const needs[] = { "qrexec/1", "gui/1", NULL };

UNIK_PLUGIN(ask) = {
    UNIK_PLUGIN_HEAD, .name = "ask", .version = "1", .summary = "asks the user a question for other VMs", .targets = UNIK_ON_QUBES,
    .flags = UNIK_APP, .needs = needs, .options = options, .config_size = sizeof(struct ask_config), .counters = counters,
    .start = start, .stop = stop
};
