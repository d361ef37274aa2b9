/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/session.c - "the session is there": every plugin was ready once. The host tells it only when asked, so it
 * is asked now and then, but only while somebody waits.
 */
#include "plugins/qrexec/core.h"

#define ASK_EVERY 0.1           /* seconds */

bool qrexec_session(struct qrexec_agent *a)
{
    if (!a->session)
        a->session = unik_settled(a->ctx);
    return a->session;
}

static void on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct qrexec_agent *a = w->data;

    (void)revents;
    while (a->waiters && qrexec_session(a)) {
        struct qrexec_waiter *waiter = a->waiters;

        qrexec_session_unwait(a, waiter);
        waiter->cb(waiter->arg);
    }
    if (!a->waiters)
        ev_timer_stop(loop, w);
}

void qrexec_session_wait(struct qrexec_agent *a, struct qrexec_waiter *w, void (*cb)(void *arg), void *arg)
{
    *w = (struct qrexec_waiter){ .next = a->waiters, .link = &a->waiters, .cb = cb, .arg = arg };
    if (w->next)
        w->next->link = &w->next;
    a->waiters = w;
    if (!ev_is_active(&a->session_timer)) {
        ev_timer_init(&a->session_timer, on_timer, qrexec_session(a) ? 0 : ASK_EVERY, ASK_EVERY);
        a->session_timer.data = a;
        ev_timer_start(a->ctx->loop, &a->session_timer);
    }
}

void qrexec_session_unwait(struct qrexec_agent *a, struct qrexec_waiter *w)
{
    if (!w->link)
        return;
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    w->link = NULL;
    if (!a->waiters)
        ev_timer_stop(a->ctx->loop, &a->session_timer);
}
