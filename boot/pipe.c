/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/pipe.c - pipe2(2). One program has both ends, so a pipe is a queue; its pages come as they are filled and go as they
 * are emptied. */
#include "boot/linux.h"

#define PAGES 16u
#define SIZE (PAGES * PAGE)     /* 64 KiB, as Linux */
#define ATOMIC 4096u            /* PIPE_BUF: a write of at most that many bytes is not cut */

struct pipe {
    uint64_t put, taken;        /* bytes ever; both grow */
    uint8_t *page[PAGES];
    struct file *end[2];        /* reader, writer; NULL: closed */
};

struct pipe_end {
    struct file file;
    struct pipe *pipe;
};

static struct pipe *pipe_of(struct file *f) { return ((struct pipe_end *)(void *)f)->pipe; }

static size_t used(const struct pipe *p) { return p->put - p->taken; }

/* The piece of at most n bytes at a place: it does not cross a page. */
static size_t piece(uint64_t at, size_t n) { return MIN(n, PAGE - at % PAGE); }

/* The page that was read last goes when nothing is left in it: neither of this round nor, before it, of the next. */
static void free_emptied(struct pipe *p, uint64_t before)
{
    unsigned i = before / PAGE % PAGES;
    bool left = p->taken / PAGE != before / PAGE;

    if (p->page[i] && (p->taken == p->put || (left && p->put <= (before / PAGE + PAGES) * PAGE))) {
        page_free(p->page[i]);
        p->page[i] = NULL;
    }
}

static int64_t op_read(struct file *f, uint64_t to, size_t n)
{
    struct pipe *p = pipe_of(f);
    size_t done = 0;

    if (n == 0 || (used(p) == 0 && !p->end[1]))
        return 0;
    if (used(p) == 0)
        return -EAGAIN;
    while (done < n && used(p)) {
        uint64_t at = p->taken;
        size_t k = piece(at, MIN(n - done, used(p)));

        if (user_out(to + done, p->page[at / PAGE % PAGES] + at % PAGE, k) < 0) {
            if (!done)
                return -EFAULT;
            break;
        }
        p->taken += k;
        done += k;
        free_emptied(p, at);
    }
    if (p->end[1])
        file_ready(p->end[1]);
    return (int64_t)done;
}

static int64_t op_write(struct file *f, uint64_t from, size_t n)
{
    struct pipe *p = pipe_of(f);
    size_t room = SIZE - used(p), done = 0;
    int64_t error = 0;

    if (n == 0)
        return 0;
    if (!p->end[0])
        return -EPIPE;          /* no SIGPIPE: no signals here */
    if (room == 0 || (n <= ATOMIC && room < n))
        return -EAGAIN;
    while (done < MIN(n, room)) {
        uint8_t **page = &p->page[p->put / PAGE % PAGES];
        size_t k = piece(p->put, MIN(n, room) - done);

        if (!*page && !(*page = page_alloc())) {
            error = -ENOMEM;
            break;
        }
        if (user_in(*page + p->put % PAGE, from + done, k) < 0) {
            error = -EFAULT;
            break;
        }
        p->put += k;
        done += k;
    }
    if (p->end[0] && done)
        file_ready(p->end[0]);
    return done ? (int64_t)done : error;
}

static unsigned op_poll_reader(struct file *f)
{
    struct pipe *p = pipe_of(f);

    return (used(p) ? POLLIN | POLLRDNORM : 0u) | (p->end[1] ? 0u : POLLHUP);
}

static unsigned op_poll_writer(struct file *f)
{
    struct pipe *p = pipe_of(f);

    return (SIZE - used(p) >= ATOMIC ? POLLOUT | POLLWRNORM : 0u) | (p->end[0] ? 0u : POLLERR);
}

static int64_t op_ioctl(struct file *f, unsigned request, uint64_t argument)
{
    int n = (int)used(pipe_of(f));

    return request == FIONREAD ? user_out(argument, &n, sizeof(n)) : -ENOTTY;
}

static void op_close(struct file *f)
{
    struct pipe *p = pipe_of(f);
    unsigned side = p->end[1] == f;

    p->end[side] = NULL;
    if (p->end[!side])
        file_ready(p->end[!side]);
    else {
        for (unsigned i = 0; i < PAGES; i++)
            if (p->page[i])
                page_free(p->page[i]);
        pool_put(p, sizeof(*p));
    }
    pool_put(f, sizeof(struct pipe_end));
}

static const struct file_ops reader_ops = {
    .read = op_read, .poll = op_poll_reader, .ioctl = op_ioctl, .close = op_close, .mode = S_IFIFO | 0600,
};
static const struct file_ops writer_ops = {
    .write = op_write, .poll = op_poll_writer, .ioctl = op_ioctl, .close = op_close, .mode = S_IFIFO | 0600,
};

static struct file *new_end(struct pipe *p, unsigned side, unsigned flags)
{
    struct pipe_end *e = pool_get(sizeof(*e));

    if (!e)
        return NULL;
    file_init(&e->file, side ? &writer_ops : &reader_ops, (flags & O_NONBLOCK) | (side ? O_WRONLY : O_RDONLY));
    e->pipe = p;
    return p->end[side] = &e->file;
}

static int64_t make(uint64_t to, uint32_t flags)
{
    struct pipe *p;
    struct file *ends[2];
    int64_t fd[2];
    int32_t both[2];
    uint64_t none[6] = { 0 };

    if (flags & ~(uint32_t)(O_NONBLOCK | O_CLOEXEC))
        return -EINVAL;
    p = pool_get(sizeof(*p));
    ends[0] = p ? new_end(p, 0, flags) : NULL;
    ends[1] = ends[0] ? new_end(p, 1, flags) : NULL;
    if (!ends[1]) {
        if (ends[0])
            file_put(ends[0]);
        else
            pool_put(p, sizeof(*p));
        return -ENOMEM;
    }
    fd[0] = fd_new(ends[0], flags & O_CLOEXEC);
    if (fd[0] < 0) {
        file_put(ends[1]);
        return fd[0];
    }
    fd[1] = fd_new(ends[1], flags & O_CLOEXEC);
    both[0] = (int32_t)fd[0];
    both[1] = (int32_t)fd[1];
    if (fd[1] >= 0 && user_out(to, both, sizeof(both)) == 0)
        return 0;
    none[0] = (uint64_t)fd[0];
    sys_close(none);
    none[0] = (uint64_t)fd[1];
    if (fd[1] >= 0)
        sys_close(none);
    return fd[1] < 0 ? fd[1] : -EFAULT;
}

int64_t sys_pipe(const uint64_t a[6]) { return make(a[0], 0); }
int64_t sys_pipe2(const uint64_t a[6]) { return make(a[0], (uint32_t)a[1]); }
