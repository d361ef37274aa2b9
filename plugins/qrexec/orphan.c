/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/orphan.c - calls of a daemon of dom0 that is gone.
 *
 * It takes its table of ports with it, and the next one gives out the same again. So whoever is found at a pair may belong to
 * the next call on it, of which we have not heard yet: dom0's client serves the pair while the request is on its way to us.
 *
 * Nobody is told of such a call before the new daemon has connected to our port 512, and each time it does so, calls with
 * dom0 that are still not connected end. A channel that comes about while no daemon is there waits for some turns of the
 * loop: if one came first, we know by then. For calls with other VMs that is enough too: dom0 sends us the request before
 * the caller hears where to serve.
 */
#include "plugins/qrexec/core.h"

#define DOUBT_TURNS 3           /* of the loop: what was to be read when the first began is read, and told of, in the last */

static bool is_orphan(const struct qrexec_call *c)
{
    return c->state == QREXEC_CONNECTING && c->domain == 0 && c->daemon != c->a->control.daemon &&
           (c->doubt > 1 || !c->channel || c->a->vchan->state(c->channel) == UNIK_VCHAN_WAITING);
}

void qrexec_call_orphans(struct qrexec_agent *a)
{
    struct qrexec_call *next;

    for (struct qrexec_call *c = a->calls; c; c = next) {
        next = c->next;
        if (!is_orphan(c))
            continue;
        c->paired = false;              /* not the new daemon's */
        qrexec_call_unreached(c, "dom0's daemon has started anew", -ECONNRESET);
    }
}

bool qrexec_call_doubtful(struct qrexec_call *c, bool opened)
{
    const struct qrexec_control *k = &c->a->control;

    if (opened && !c->doubt && (!k->up || c->daemon != k->daemon)) {
        c->doubt = 1 + DOUBT_TURNS;
        qrexec_call_later(c);
    }
    return c->doubt > 1;
}
