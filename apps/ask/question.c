/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/ask/question.c - a question's life: its text is read to the end, it waits its turn, is answered, refused or given up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unik/clean.h>
#include "apps/ask/ask.h"

static void end(struct question *q, enum ask_code code, const char *answer, size_t n)
{
    struct ask *a = q->ask;

    if (a->dialog && ask_dialog_question(a->dialog) == q) {
        ask_dialog_close(a->dialog);
        a->dialog = NULL;
    }
    if (answer) {
        unik_stream_write(q->call->io, answer, n);
        unik_stream_write(q->call->io, "\n", 1);
    }
    q->call->exit_code = (int)code;
    unik_stream_close(q->call->io);
    ev_timer_stop(a->ctx->loop, &q->timeout);
    TAILQ_REMOVE(&a->questions, q, link);
    a->ctx->counters[WAITING] = --a->waiting;
    if (a->dialog)
        ask_dialog_retitle(a->dialog);
    ev_timer_start(a->ctx->loop, &a->next);
    explicit_bzero(q, sizeof(*q));
    free(q);
}

void ask_answer(struct question *q, enum ask_code code, const char *answer, size_t n)
{
    q->ask->ctx->counters[code == ASK_OK || (q->kind == ASK_YES_NO && answer) ? ANSWERED : CANCELLED]++;
    end(q, code, answer, n);
}

static void refuse(struct question *q, const char *why)
{
    struct unik_ctx *ctx = q->ask->ctx;
    struct unik_qrexec *qrexec = unik_get(ctx, "qrexec/1");

    ctx->counters[REFUSED]++;
    unik_info(ctx, "%s: refused: %s", q->call->peer, why);
    qrexec->write_err(q->call, why, strlen(why));
    qrexec->write_err(q->call, "\n", 1);
    end(q, ASK_REFUSED, NULL, 0);
}

static void on_timeout(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct question *q = w->data;

    (void)loop, (void)revents;
    q->ask->ctx->counters[TIMED_OUT]++;
    end(q, ASK_TIMEOUT, NULL, 0);
}

/* Shown at the next turn of the loop, if it is its turn. */
static void complete(struct question *q)
{
    struct ask *a = q->ask;
    struct ask_layout l;

    q->n = unik_clean(q->text, sizeof(q->text), q->text, q->n, UNIK_CLEAN_LINES);
    while (q->n > 0 && q->text[q->n - 1] == '\n')
        q->n--;
    if (q->n == 0) {
        refuse(q, "ask: no question on standard input");
        return;
    }
    if (!ask_layout(&l, q, a->font, ask_width(a))) {
        refuse(q, "ask: the question has too many lines");
        return;
    }
    q->complete = true;
    a->ctx->counters[ASKED]++;
    if (a->dialog)
        ask_dialog_retitle(a->dialog);
    ev_timer_start(a->ctx->loop, &a->next);
}

/* from dom0, or from another VM: hostile */
static void on_call(struct unik_stream *s, unsigned events, void *arg)
{
    struct question *q = arg;
    char more;
    ssize_t k;

    (void)events;
    if (unik_stream_write(s, "", 0) < 0) {
        q->ask->ctx->counters[GIVEN_UP]++;
        end(q, ASK_NO, NULL, 0);        /* nobody hears the answer */
        return;
    }
    if (q->complete)
        return;
    while (q->n < ASK_TEXT_MAX && (k = unik_stream_read(s, q->text + q->n, ASK_TEXT_MAX - q->n)) != -EAGAIN) {
        if (k == 0)
            complete(q);
        else if (k < 0)
            end(q, ASK_NO, NULL, 0);
        if (k <= 0)
            return;
        q->n += (size_t)k;
    }
    if (q->n < ASK_TEXT_MAX)
        return;
    k = unik_stream_read(s, &more, 1);
    if (k == 0)
        complete(q);
    else if (k > 0)
        refuse(q, "ask: the question is too long");
}

static void begin(struct unik_qrexec_call *call, struct unik_ctx *ctx, enum ask_kind kind)
{
    struct ask *a = ctx->data;
    struct question *q = a->waiting < ASK_WAITING_MAX ? calloc(1, sizeof(*q)) : NULL;
    const struct ask_config *config = ctx->config;

    if (!q) {
        ctx->counters[REFUSED]++;
        call->exit_code = ASK_REFUSED;
        unik_stream_close(call->io);
        return;
    }
    q->ask = a;
    q->call = call;
    q->kind = kind;
    TAILQ_INSERT_TAIL(&a->questions, q, link);
    ctx->counters[WAITING] = ++a->waiting;
    ev_timer_init(&q->timeout, on_timeout, config->timeout, 0);
    q->timeout.data = q;
    ev_timer_start(ctx->loop, &q->timeout);
    unik_stream_on(call->io, on_call, q);
}

void ask_on_yes_no(struct unik_qrexec_call *call, void *arg) { begin(call, arg, ASK_YES_NO); }
void ask_on_line(struct unik_qrexec_call *call, void *arg) { begin(call, arg, ASK_LINE); }
void ask_on_secret(struct unik_qrexec_call *call, void *arg) { begin(call, arg, ASK_SECRET); }
