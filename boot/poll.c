/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/poll.c - poll(2), select(2) and their kin: each descriptor is asked, again after each event. */
#include "boot/linux.h"

#define SELECT_MAX 1024u        /* FD_SETSIZE */
#define WORDS (SELECT_MAX / 64)

static unsigned ask(struct file *f) { return f->ops->poll ? f->ops->poll(f) : POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM; }

/* ---- poll ---- */

static int64_t ask_all(struct linux_pollfd *fds, size_t n)
{
    int64_t ready = 0;

    for (size_t i = 0; i < n; i++) {
        struct file *f = fds[i].fd < 0 ? NULL : fd_file((uint32_t)fds[i].fd);
        unsigned wanted = (uint16_t)fds[i].events | POLLERR | POLLHUP;

        fds[i].revents = (int16_t)(fds[i].fd < 0 ? 0 : f ? ask(f) & wanted : (unsigned)POLLNVAL);
        ready += fds[i].revents != 0;
    }
    return ready;
}

static int64_t poll(uint64_t fds, uint64_t n, uint64_t deadline)
{
    struct linux_pollfd *in_place;
    bool waiting = true;
    int64_t ready;

    if (n > fd_limit)
        return -EINVAL;
    in_place = user_buffer(fds, n * sizeof(*in_place), true);
    if (!in_place)
        return -EFAULT;
    for (;;) {
        ready = ask_all(in_place, n);
        if (ready || !waiting || deadline == 0)
            return ready;
        waiting = linux_wait(deadline);
    }
}

int64_t sys_poll(const uint64_t a[6])
{
    int32_t ms = (int32_t)a[2];

    return poll(a[0], (uint32_t)a[1], ms < 0 ? NEVER : ms ? deadline_after((uint64_t)ms * 1000000) : 0);
}

int64_t sys_ppoll(const uint64_t a[6])
{
    uint64_t ns = NEVER;
    int e = a[2] ? time_in(a[2], &ns) : 0;

    return e < 0 ? e : poll(a[0], (uint32_t)a[1], ns ? deadline_after(ns) : 0);
}

/* ---- select ---- */

struct sets { uint64_t word[3][WORDS]; };       /* read, write, exceptional */

static const unsigned meaning[3] = { POLLIN | POLLRDNORM | POLLHUP | POLLERR, POLLOUT | POLLWRNORM | POLLERR, POLLPRI };

static int64_t ask_sets(const struct sets *wanted, struct sets *got, unsigned n)
{
    int64_t ready = 0;

    memset(got, 0, sizeof(*got));
    for (unsigned fd = 0; fd < n; fd++) {
        uint64_t bit = 1ull << fd % 64;
        struct file *f;
        unsigned now;

        if (!((wanted->word[0][fd / 64] | wanted->word[1][fd / 64] | wanted->word[2][fd / 64]) & bit))
            continue;
        f = fd_file(fd);
        if (!f)
            return -EBADF;
        now = ask(f);
        for (unsigned s = 0; s < 3; s++)
            if (wanted->word[s][fd / 64] & bit && now & meaning[s]) {
                got->word[s][fd / 64] |= bit;
                ready++;
            }
    }
    return ready;
}

static int64_t select(const uint64_t a[6], uint64_t deadline)
{
    static struct sets wanted, got;
    size_t size;
    bool waiting = true;
    int64_t ready;

    if ((int32_t)a[0] < 0)
        return -EINVAL;
    size = (MIN((uint32_t)a[0], SELECT_MAX) + 63) / 64 * 8;
    memset(&wanted, 0, sizeof(wanted));
    for (unsigned s = 0; s < 3; s++)
        if (a[1 + s] && user_in(wanted.word[s], a[1 + s], size) < 0)
            return -EFAULT;
    for (;;) {
        ready = ask_sets(&wanted, &got, MIN((uint32_t)a[0], SELECT_MAX));
        if (ready || !waiting || deadline == 0)
            break;
        waiting = linux_wait(deadline);
    }
    for (unsigned s = 0; s < 3 && ready >= 0; s++)
        if (a[1 + s] && user_out(a[1 + s], got.word[s], size) < 0)
            return -EFAULT;
    return ready;
}

int64_t sys_select(const uint64_t a[6])
{
    struct linux_timeval t;
    struct linux_timespec ts;

    if (!a[4])
        return select(a, NEVER);
    if (user_in(&t, a[4], sizeof(t)) < 0)
        return -EFAULT;
    ts = (struct linux_timespec){ t.sec, t.us * 1000 };
    if (t.us < 0 || t.us >= 1000000 || !timespec_valid(&ts))
        return -EINVAL;
    return select(a, timespec_ns(&ts) ? deadline_after(timespec_ns(&ts)) : 0);
}

int64_t sys_pselect6(const uint64_t a[6])
{
    uint64_t ns = NEVER;
    int e = a[4] ? time_in(a[4], &ns) : 0;

    return e < 0 ? e : select(a, ns ? deadline_after(ns) : 0);
}
