/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/backoff.h - how long to wait before the next try, so that a peer that comes and goes costs nothing. */
#ifndef UNIK_BACKOFF_H
#define UNIK_BACKOFF_H

#ifdef __cplusplus
extern "C" {
#endif

struct unik_backoff {
    double first, most;     /* seconds: the first delay, and the longest */
    double good;            /* what lasted at least this long counts as a success: the next delay is the first again */
    double next, since;     /* the host fills these: start with 0 */
};

/* A try begins now (ev_now). */
static inline void unik_backoff_begin(struct unik_backoff *b, double now) { b->since = now; }

/* It ended now: seconds to wait before the next one. Doubles while tries fail quickly. */
static inline double unik_backoff_delay(struct unik_backoff *b, double now)
{
    double d;

    if (b->next < b->first || now - b->since >= b->good)
        b->next = b->first;
    d = b->next;
    b->next = b->next * 2 < b->most ? b->next * 2 : b->most;
    return d;
}

#ifdef __cplusplus
}
#endif
#endif
