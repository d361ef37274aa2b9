/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/ends.h - one end of a stream under test: counts its events. */
#ifndef TESTS_COMMON_ENDS_H
#define TESTS_COMMON_ENDS_H

#include <check.h>
#include <stdbool.h>
#include <unik/stream.h>

struct end {
    struct unik_stream *s;
    unsigned opens, inputs, rooms;
    bool flag;                          /* set by any event: what a test waits for */
    bool close_at_once, abort_at_once;
};

/* The callback of a stream whose arg is its end. */
static inline void end_event(struct unik_stream *s, unsigned events, void *arg)
{
    struct end *e = arg;

    ck_assert_ptr_eq(s, e->s);
    e->opens += (events & UNIK_STREAM_OPEN) != 0;
    e->inputs += (events & UNIK_STREAM_INPUT) != 0;
    e->rooms += (events & UNIK_STREAM_ROOM) != 0;
    e->flag = true;
    if (e->close_at_once || e->abort_at_once) {
        (e->abort_at_once ? unik_stream_abort : unik_stream_close)(s);
        e->s = NULL;
    }
}

#endif
