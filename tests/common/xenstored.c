/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/xenstored.c - the scripted xenstored: socket, connections, and what goes wrong on them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/common/xenstored-private.h"

static void drop(struct conn *c)
{
    struct xenstored *s = c->s;

    for (struct conn **p = &s->conns; *p; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            break;
        }
    for (struct held **p = &s->held; *p;) {
        struct held *h = *p;

        if (h->c == c) {
            *p = h->next;
            free(h);
        } else {
            p = &h->next;
        }
    }
    conn_release(c);
    ev_io_stop(s->loop, &c->readable);
    ev_io_stop(s->loop, &c->writable);
    close(c->fd);
    free(c->out);
    free(c);
}

/* ---- out ---- */

static void queue(struct conn *c, const void *bytes, size_t n)
{
    if (c->out_used + n > c->out_room) {
        c->out_room = 2 * (c->out_used + n);
        c->out = realloc(c->out, c->out_room);
        if (!c->out)
            abort();
    }
    memcpy(c->out + c->out_used, bytes, n);
    c->out_used += n;
    if (c->out_used)
        ev_io_start(c->s->loop, &c->writable);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
    struct conn *c = w->data;
    struct xenstored *s = c->s;
    size_t n = c->out_used;
    ssize_t k;

    (void)revents;
    if (s->split && n > s->split)
        n = s->split;
    if (s->close_after && n > s->close_after - 1)
        n = s->close_after - 1;
    k = n ? send(c->fd, c->out, n, MSG_NOSIGNAL) : 0;
    if (k < 0 && errno == ENOTSOCK)
        k = write(c->fd, c->out, n);
    if (k < 0 && errno == EAGAIN)
        return;
    if (k >= 0) {
        c->out_used -= (size_t)k;
        memmove(c->out, c->out + k, c->out_used);
    }
    if (s->close_after)
        s->close_after -= k > 0 ? (size_t)k : 0;
    if (k < 0 || s->close_after == 1) {
        s->close_after = 0;
        drop(c);
    } else if (!c->out_used) {
        ev_io_stop(loop, w);
    }
}

void conn_reply(struct conn *c, struct xenstore_header h, const void *body, size_t n)
{
    struct xenstored *s = c->s;
    uint8_t message[XENSTORE_HEADER + XENSTORE_PAYLOAD_MAX];
    struct held **last = &s->held, *held;
    int k;

    if (s->wrong_id)
        h.id = s->wrong_id;
    if (s->wrong_type)
        h.type = s->wrong_type;
    if (s->has_wrong_body) {
        body = s->wrong_body;
        n = s->wrong_body_n;
    }
    s->wrong_id = s->wrong_type = 0;
    s->has_wrong_body = false;
    k = xenstore_encode(message, sizeof(message), &h, NULL, NULL, body, n);
    if (k < 0)
        abort();
    if (!s->hold) {
        queue(c, message, (size_t)k);
        return;
    }
    held = malloc(sizeof(*held) + (size_t)k);
    if (!held)
        abort();
    *held = (struct held){ .c = c, .n = (size_t)k };
    memcpy(held->bytes, message, (size_t)k);
    while (*last)
        last = &(*last)->next;
    *last = held;
}

void conn_event(struct conn *c, const char *path, const char *token)
{
    uint8_t message[XENSTORE_HEADER + XENSTORE_PAYLOAD_MAX];
    struct xenstore_header h = { .type = XENSTORE_WATCH_EVENT };
    int k = xenstore_encode(message, sizeof(message), &h, path, token, NULL, 0);

    if (k < 0)
        abort();
    queue(c, message, (size_t)k);
}

void xenstored_hold(struct xenstored *s, bool on) { s->hold = on; }

unsigned xenstored_held(const struct xenstored *s)
{
    unsigned n = 0;

    for (const struct held *h = s->held; h; h = h->next)
        n++;
    return n;
}

void xenstored_release(struct xenstored *s, unsigned n, bool reversed)
{
    for (; n && s->held; n--) {
        struct held **p = &s->held, *h;

        while (reversed && (*p)->next)
            p = &(*p)->next;
        h = *p;
        *p = h->next;
        queue(h->c, h->bytes, h->n);
        free(h);
    }
}

void xenstored_raw(struct xenstored *s, const void *bytes, size_t n)
{
    for (struct conn *c = s->conns; c; c = c->next)
        queue(c, bytes, n);
}

/* ---- in ---- */

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
    struct conn *c = w->data;
    ssize_t k = read(c->fd, c->in + c->in_used, sizeof(c->in) - c->in_used);
    struct xenstore_header h;

    (void)loop, (void)revents;
    if (k < 0 && errno == EAGAIN)
        return;
    if (k <= 0) {
        drop(c);
        return;
    }
    c->in_used += (size_t)k;
    while (c->in_used >= XENSTORE_HEADER) {
        char body[XENSTORE_PAYLOAD_MAX + 1];

        if (xenstore_decode_header(c->in, &h) < 0) {
            drop(c);
            return;
        }
        if (c->in_used < XENSTORE_HEADER + h.len)
            return;
        memcpy(body, c->in + XENSTORE_HEADER, h.len);
        body[h.len] = 0;
        c->in_used -= XENSTORE_HEADER + h.len;
        memmove(c->in, c->in + XENSTORE_HEADER + h.len, c->in_used);
        conn_answer(c, &h, body);
    }
}

void xenstored_adopt(struct xenstored *s, int fd)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (!c)
        abort();
    c->s = s;
    c->fd = fd;
    c->next = s->conns;
    s->conns = c;
    s->accepted++;
    ev_io_init(&c->readable, on_readable, fd, EV_READ);
    ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
    c->readable.data = c->writable.data = c;
    ev_io_start(s->loop, &c->readable);
}

static void on_acceptable(struct ev_loop *loop, ev_io *w, int revents)
{
    struct xenstored *s = w->data;
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)loop, (void)revents;
    if (fd >= 0)
        xenstored_adopt(s, fd);
}

void xenstored_deaf(struct xenstored *s, bool on)
{
    for (struct conn *c = s->conns; c; c = c->next)
        if (on)
            ev_io_stop(s->loop, &c->readable);
        else
            ev_io_start(s->loop, &c->readable);
}

/* ---- its life ---- */

void xenstored_up(struct xenstored *s)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", s->socket);
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)(void *)&a, sizeof(a)) < 0 || listen(s->fd, 8) < 0)
        abort();
    ev_io_init(&s->acceptable, on_acceptable, s->fd, EV_READ);
    s->acceptable.data = s;
    ev_io_start(s->loop, &s->acceptable);
}

void xenstored_hang_up(struct xenstored *s)
{
    while (s->conns)
        drop(s->conns);
}

void xenstored_down(struct xenstored *s)
{
    xenstored_hang_up(s);
    if (s->fd < 0)
        return;
    ev_io_stop(s->loop, &s->acceptable);
    close(s->fd);
    s->fd = -1;
    unlink(s->socket);
}

struct xenstored *xenstored_new(struct ev_loop *loop, unsigned domid)
{
    struct xenstored *s = calloc(1, sizeof(*s));
    char number[16], name[32];

    if (!s)
        abort();
    s->loop = loop;
    s->domid = domid;
    snprintf(s->home, sizeof(s->home), "/local/domain/%u", domid);
    snprintf(s->folder, sizeof(s->folder), "/tmp/unik-xenstored-XXXXXX");
    if (!mkdtemp(s->folder))
        abort();
    snprintf(s->socket, sizeof(s->socket), "%s/socket", s->folder);
    snprintf(number, sizeof(number), "%u", domid);
    snprintf(name, sizeof(name), "vm-%u", domid);
    xenstored_set(s, "domid", number);
    xenstored_set(s, "name", name);
    xenstored_up(s);
    return s;
}

void xenstored_free(struct xenstored *s)
{
    xenstored_down(s);
    xenstored_deny(s, 0, NULL, 0);
    tree_free(&s->tree);
    rmdir(s->folder);
    free(s);
}

const char *xenstored_socket(const struct xenstored *s) { return s->socket; }

/* ---- the tree from outside ---- */

const char *xenstored_get(struct xenstored *s, const char *path)
{
    struct tree_node *n = tree_find(&s->tree, xenstored_absolute(s, path));

    return n ? n->value : NULL;
}

void xenstored_set_bytes(struct xenstored *s, const char *path, const void *value, size_t n)
{
    tree_set(tree_make(&s->tree, xenstored_absolute(s, path)), value, n);
    s->generation++;
    xenstored_fire(s, xenstored_absolute(s, path), false);
}

void xenstored_set(struct xenstored *s, const char *path, const char *value)
{
    xenstored_set_bytes(s, path, value, strlen(value));
}

void xenstored_remove(struct xenstored *s, const char *path)
{
    tree_remove(&s->tree, xenstored_absolute(s, path));
    s->generation++;
    xenstored_fire(s, xenstored_absolute(s, path), true);
}

const char *xenstored_perms(struct xenstored *s, const char *path)
{
    static char text[4096];
    struct tree_node *n = tree_find(&s->tree, xenstored_absolute(s, path));

    if (!n)
        return NULL;
    memcpy(text, n->perms, n->perms_len + 1);
    for (size_t i = 0; i + 1 < n->perms_len; i++)
        if (!text[i])
            text[i] = ',';
    return text;
}

void xenstored_special(struct xenstored *s, const char *path) { xenstored_fire(s, path, false); }

/* ---- what tests ask for ---- */

struct xenstored_counts xenstored_counts(const struct xenstored *s)
{
    struct xenstored_counts n = { .accepted = s->accepted, .requests = s->requests, .resets = s->resets };

    for (const struct conn *c = s->conns; c; c = c->next) {
        n.connections++;
        n.watches += (unsigned)c->watch_n;
        for (int i = 0; i < CONN_TXS; i++)
            n.transactions += c->txs[i].id != 0;
    }
    return n;
}

const char *xenstored_seen(struct xenstored *s)
{
    memcpy(s->seen_copy, s->seen, sizeof(s->seen));
    s->seen[0] = 0;
    return s->seen_copy;
}

void xenstored_deny(struct xenstored *s, uint32_t type, const char *path, int error)
{
    if (!error) {
        while (s->denial_n)
            free(s->denials[--s->denial_n].path);
    } else if (s->denial_n < DENIALS) {
        s->denials[s->denial_n++] =
            (struct denial){ type, path ? strdup(xenstored_absolute(s, path)) : NULL, error };
    }
}

void xenstored_on_commit(struct xenstored *s, void (*cb)(struct xenstored *, void *), void *arg)
{
    s->on_commit = cb;
    s->on_commit_arg = arg;
}

void xenstored_conflicts(struct xenstored *s, unsigned commits) { s->conflicts = commits; }
void xenstored_split(struct xenstored *s, size_t bytes) { s->split = bytes; }
void xenstored_close_after(struct xenstored *s, size_t bytes) { s->close_after = bytes + 1; }
void xenstored_wrong_id(struct xenstored *s, uint32_t id) { s->wrong_id = id; }
void xenstored_wrong_type(struct xenstored *s, uint32_t type) { s->wrong_type = type; }

void xenstored_wrong_body(struct xenstored *s, const void *body, size_t n)
{
    memcpy(s->wrong_body, body, n);
    s->wrong_body_n = n;
    s->has_wrong_body = true;
}
