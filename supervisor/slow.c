/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/slow.c - how long callbacks take, and whose they are. */
#include <sys/resource.h>
#include <time.h>

#include "supervisor/slow.h"

#define DEPTH_MAX 16                    /* calls inside of calls: those below are charged to who made them */

struct frame {
    const void *cb;                     /* NULL: unit is known */
    struct unit *unit;
    const char *what;
    double began, computing, inner, inner_computing;
    long waits, inner_waits;
};

static struct supervisor *sup;          /* NULL: the option is not set */
static struct frame frames[DEPTH_MAX];
static unsigned depth;

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How often the program has given the processor away by itself; one that it was taken from does not count. */
static long waits(void)
{
    struct rusage r;

    return getrusage(RUSAGE_THREAD, &r) == 0 ? r.ru_nvcsw : 0;
}

static void enter(const void *cb, struct unit *u, const char *what)
{
    if (depth++ < DEPTH_MAX)
        frames[depth - 1] = (struct frame){ .cb = cb, .unit = u, .what = what, .began = seconds(CLOCK_MONOTONIC),
                                            .computing = seconds(CLOCK_THREAD_CPUTIME_ID), .waits = waits() };
}

/* The difference of the two times is a call that blocked, if it waited, or else other processes that had the processor. */
static void leave(void)
{
    long waited = waits();
    double took = seconds(CLOCK_MONOTONIC), computing = seconds(CLOCK_THREAD_CPUTIME_ID);
    struct frame *f = &frames[depth - 1];

    if (depth-- > DEPTH_MAX)
        return;
    took -= f->began;
    computing -= f->computing;
    waited -= f->waits;
    if (depth > 0) {
        f[-1].inner += took;
        f[-1].inner_computing += computing;
        f[-1].inner_waits += waited;
    }
    took -= f->inner;
    computing -= f->inner_computing;
    waited -= f->inner_waits;
    if (took > sup->config->slow_seconds) {
        struct unit *u = f->cb ? slow_owner(sup, f->cb) : f->unit;

        log_line(u ? &u->log : &sup->log, UNIK_WARNING, "slow: %s took %.1f ms, %.1f ms of them computing; it waited %ld times", f->what,
                 took * 1e3, computing * 1e3, waited);
    }
}

void slow_enter(struct unit *u, const char *what)
{
    if (sup)
        enter(NULL, u, what);
}

void slow_leave(void)
{
    if (sup && depth)
        leave();
}

void slow_callback_ended(void)
{
    if (depth)
        leave();
}

void slow_callback_begins(const void *cb)
{
    slow_callback_ended();              /* the one before */
    enter(cb, NULL, "a callback");
}

static void invoke(struct ev_loop *loop)
{
    if (!slow_names_callbacks)
        enter(NULL, NULL, "a turn of the loop");
    ev_invoke_pending(loop);
    slow_callback_ended();
}

void slow_start(struct supervisor *s)
{
    if (s->config->slow_seconds <= 0)
        return;
    sup = s;
    ev_set_invoke_pending_cb(s->loop, invoke);
    slow_feed_start(s->loop);
}
