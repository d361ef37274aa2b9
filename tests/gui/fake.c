/* tests/gui/fake.c - vchan/1, pages/1 and qubesdb/1 in memory. */
#include <stdio.h>
#include <stdlib.h>
#include "tests/gui/fake.h"

struct fake_stream {
    struct unik_stream stream;          /* first */
    struct fake *f;
    enum unik_vchan_state state;
    struct unik_ring in, out;
    size_t seen;                        /* bytes of the present window that were consumed */
    unsigned events;
    bool want_room;
    ev_idle idle;                       /* events are told from the loop */
};

static struct fake_stream *of(struct unik_stream *s) { return (struct fake_stream *)(void *)s; }

static void on_idle(struct ev_loop *loop, ev_idle *w, int revents)
{
    struct fake_stream *s = w->data;
    unsigned events = s->events;

    (void)revents;
    ev_idle_stop(loop, w);
    s->events = 0;
    s->seen = 0;
    if (events && s->stream.cb)
        s->stream.cb(&s->stream, events, s->stream.arg);
}

static void raise_event(struct fake_stream *s, unsigned events)
{
    s->events |= events;
    ev_idle_start(s->f->loop, &s->idle);
}

static size_t s_peek(struct unik_stream *stream, const void **bytes)
{
    struct fake_stream *s = of(stream);
    size_t n = unik_ring_peek(&s->in, bytes), window = s->f->window;

    if (window && n > window - s->seen) {
        n = window - s->seen;
        raise_event(s, UNIK_STREAM_INPUT);
    }
    return n;
}

static void s_consume(struct unik_stream *stream, size_t n)
{
    of(stream)->seen += n;
    unik_ring_consume(&of(stream)->in, n);
}

static int s_ended(struct unik_stream *stream)
{
    return of(stream)->state == UNIK_VCHAN_DISCONNECTED && unik_ring_used(&of(stream)->in) == 0;
}

static size_t s_room(struct unik_stream *stream)
{
    struct fake_stream *s = of(stream);
    size_t used = unik_ring_used(&s->out);

    s->want_room = true;
    return s->state == UNIK_VCHAN_DISCONNECTED || used >= s->f->ring ? 0 : s->f->ring - used;
}

static ssize_t s_write(struct unik_stream *stream, const void *bytes, size_t n)
{
    struct fake_stream *s = of(stream);

    if (s->state == UNIK_VCHAN_DISCONNECTED)
        return -EPIPE;
    n = n < s_room(stream) ? n : s_room(stream);
    return (ssize_t)unik_ring_put(&s->out, bytes, n);
}

static int s_shut(struct unik_stream *stream)
{
    (void)stream;
    return -EOPNOTSUPP;
}

static void s_close(struct unik_stream *stream)
{
    struct fake_stream *s = of(stream);

    ev_idle_stop(s->f->loop, &s->idle);
    if (s->f->now == s)
        s->f->now = NULL;
    s->f->open--;
    unik_ring_free(&s->in);
    unik_ring_free(&s->out);
    free(s);
}

static const struct unik_stream_ops ops = {
    sizeof(ops), s_peek, s_consume, s_ended, s_room, s_write, s_shut, s_close
};

static int v_domid(struct unik_vchan *v)
{
    (void)v;
    return 7;
}

static int v_listen(struct unik_vchan *v, int peer, unsigned port, size_t read_min, size_t write_min,
                    unik_stream_cb *cb, void *arg, struct unik_stream **out)
{
    struct fake *f = (struct fake *)(void *)v;
    struct fake_stream *s;

    if (port != 6000 || !read_min || !write_min || f->open)
        abort();
    if (f->listen_error)
        return f->listen_error;
    s = calloc(1, sizeof(*s));
    if (!s || unik_ring_init(&s->in, FAKE_INPUT) < 0 || unik_ring_init(&s->out, f->ring) < 0)
        abort();
    s->stream = (struct unik_stream){ &ops, cb, arg, "dom0" };
    s->f = f;
    s->state = UNIK_VCHAN_WAITING;
    ev_idle_init(&s->idle, on_idle);
    s->idle.data = s;
    f->open++;
    f->listens++;
    f->now = s;
    f->peer = peer;
    *out = &s->stream;
    return 0;
}

static enum unik_vchan_state v_state(struct unik_stream *s) { return of(s)->state; }

static const char *v_reason(struct unik_stream *s)
{
    (void)s;
    return "peer closed";
}

bool fake_offered(const struct fake *f) { return f->now && f->now->state == UNIK_VCHAN_WAITING; }
bool fake_connected(const struct fake *f) { return f->now && f->now->state == UNIK_VCHAN_CONNECTED; }
size_t fake_waiting(const struct fake *f) { return f->now ? unik_ring_used(&f->now->out) : 0; }
size_t fake_unread(const struct fake *f) { return f->now ? unik_ring_used(&f->now->in) : 0; }

void fake_connect(struct fake *f)
{
    f->now->state = UNIK_VCHAN_CONNECTED;
    raise_event(f->now, UNIK_STREAM_OPEN);
}

void fake_hang_up(struct fake *f)
{
    if (!fake_connected(f))
        return;
    f->now->state = UNIK_VCHAN_DISCONNECTED;
    raise_event(f->now, UNIK_STREAM_INPUT);
}

void fake_send(struct fake *f, const void *bytes, size_t n)
{
    if (!fake_connected(f) || n == 0)
        return;
    if (unik_ring_put(&f->now->in, bytes, n) != n) {
        fprintf(stderr, "fake: the script ran ahead too far\n");
        abort();
    }
    raise_event(f->now, UNIK_STREAM_INPUT);
}

size_t fake_take(struct fake *f, void *bytes, size_t n)
{
    size_t done = 0, run;
    const void *at;

    while (f->now && done < n && (run = unik_ring_peek(&f->now->out, &at)) > 0) {
        run = run < n - done ? run : n - done;
        memcpy((char *)bytes + done, at, run);
        unik_ring_consume(&f->now->out, run);
        done += run;
    }
    if (done && fake_connected(f) && f->now->want_room) {
        f->now->want_room = false;
        raise_event(f->now, UNIK_STREAM_ROOM);
    }
    return done;
}

/* ---- pages ---- */

static struct fake *pages_of(struct unik_pages *p) { return (struct fake *)(void *)((char *)p - offsetof(struct fake, pages)); }

static void drop(struct fake_block *b)
{
    free(b->shared.bytes);
    free(b->refs);
    free(b);
}

static int p_share(struct unik_pages *p, int peer, size_t pages, bool writable, struct unik_shared **out)
{
    struct fake *f = pages_of(p);
    struct fake_block *b;

    if (!pages || pages > UNIK_PAGES_MAX || writable)
        abort();
    if (f->shared + pages > f->most)
        return -ENOSPC;
    for (size_t i = 0; i < FAKE_BLOCKS; i++)
        if (!f->blocks[i]) {
            b = f->blocks[i] = calloc(1, sizeof(*b));
            b->shared = (struct unik_shared){ calloc(pages, UNIK_PAGE), pages, NULL };
            b->shared.refs = b->refs = calloc(pages, sizeof(b->refs[0]));
            for (size_t k = 0; k < pages; k++)
                b->refs[k] = f->next_ref += 3;
            b->peer = peer;
            b->live = true;
            f->shared += pages;
            f->shares++;
            *out = &b->shared;
            return 0;
        }
    fprintf(stderr, "fake: too many blocks\n");
    abort();
}

static size_t slot_of(struct fake *f, const struct fake_block *b)
{
    for (size_t i = 0; i < FAKE_BLOCKS; i++)
        if (f->blocks[i] == b)
            return i;
    abort();
}

static void p_unshare(struct unik_pages *p, struct unik_shared *s)
{
    struct fake *f = pages_of(p);
    struct fake_block *b = (struct fake_block *)(void *)s;
    size_t i = slot_of(f, b);

    if (!b->live)
        abort();
    b->live = false;
    f->shared -= s->pages;
    if (b->maps == 0) {
        f->blocks[i] = NULL;
        drop(b);
    }
}

struct fake_block *fake_map(struct fake *f, int peer, const uint32_t *refs, size_t n)
{
    for (size_t i = 0; i < FAKE_BLOCKS; i++) {
        struct fake_block *b = f->blocks[i];

        if (b && b->live && b->peer == peer && n && b->shared.pages == n && memcmp(b->refs, refs, n * sizeof(refs[0])) == 0) {
            b->maps++;
            return b;
        }
    }
    return NULL;
}

void fake_unmap(struct fake *f, struct fake_block *b)
{
    size_t i = slot_of(f, b);

    if (--b->maps == 0 && !b->live) {
        f->blocks[i] = NULL;
        drop(b);
    }
}

/* ---- qubesdb ---- */

static struct fake *db_of(struct unik_qubesdb *q) { return (struct fake *)(void *)((char *)q - offsetof(struct fake, db)); }

static int key_of(struct fake *f, const char *path)
{
    for (int i = 0; i < FAKE_KEYS; i++)
        if (f->keys[i].key && strcmp(f->keys[i].key, path) == 0)
            return i;
    return -1;
}

static const char *q_read(struct unik_qubesdb *q, const char *path, size_t *len)
{
    struct fake *f = db_of(q);
    int i = key_of(f, path);

    if (i < 0 || !f->keys[i].there)
        return NULL;
    if (len)
        *len = strlen(f->keys[i].value);
    return f->keys[i].value;
}

static int q_watch(struct unik_qubesdb *q, const char *path, unsigned flags, unik_qubesdb_cb *cb, void *arg,
                   struct unik_qubesdb_watch **out)
{
    struct fake *f = db_of(q);
    int i = key_of(f, path);

    if (i < 0 || f->keys[i].cb)
        abort();
    f->keys[i].cb = cb;
    f->keys[i].arg = arg;
    f->keys[i].tell = flags & UNIK_QUBESDB_NOW;
    ev_idle_start(f->loop, &f->db_idle);
    *out = (struct unik_qubesdb_watch *)(void *)&f->keys[i];
    return 0;
}

static void q_unwatch(struct unik_qubesdb *q, struct unik_qubesdb_watch *w)
{
    struct fake *f = db_of(q);

    for (int i = 0; i < FAKE_KEYS; i++)
        if ((void *)&f->keys[i] == (void *)w)
            f->keys[i].cb = NULL;
}

static void on_db(struct ev_loop *loop, ev_idle *w, int revents)
{
    struct fake *f = w->data;

    (void)revents;
    ev_idle_stop(loop, w);
    for (int i = 0; i < FAKE_KEYS; i++)
        if (f->keys[i].tell) {
            f->keys[i].tell = false;
            if (f->keys[i].cb)
                f->keys[i].cb(f->keys[i].key, f->keys[i].there ? f->keys[i].value : NULL, strlen(f->keys[i].value),
                              f->keys[i].arg);
        }
}

void fake_set(struct fake *f, const char *key, const char *value)
{
    int i = key_of(f, key);

    f->keys[i].there = value;
    snprintf(f->keys[i].value, sizeof(f->keys[i].value), "%s", value ? value : "");
    f->keys[i].tell = f->keys[i].cb;
    ev_idle_start(f->loop, &f->db_idle);
}

/* ---- all ---- */

void fake_init(struct fake *f, struct ev_loop *loop)
{
    memset(f, 0, sizeof(*f));
    f->vchan = (struct unik_vchan){ sizeof(f->vchan), v_domid, v_listen, NULL, v_state, v_reason };
    f->pages = (struct unik_pages){ sizeof(f->pages), p_share, p_unshare };
    f->db = (struct unik_qubesdb){ .size = sizeof(f->db), .read = q_read, .watch = q_watch, .unwatch = q_unwatch };
    f->loop = loop;
    f->ring = 8192;
    f->next_ref = 8;
    f->most = SIZE_MAX;
    f->keys[0].key = "/name";
    f->keys[1].key = "/qubes-gui-domain-xid";
    f->keys[2].key = "/keyboard-layout";
    f->keys[3].key = "/qubes-keyboard";
    ev_idle_init(&f->db_idle, on_db);
    f->db_idle.data = f;
}

void fake_free(struct fake *f)
{
    ev_idle_stop(f->loop, &f->db_idle);
    if (f->open || f->shared) {
        fprintf(stderr, "fake: left: %d channels, %zu pages\n", f->open, f->shared);
        abort();
    }
    for (size_t i = 0; i < FAKE_BLOCKS; i++)
        if (f->blocks[i]) {
            fprintf(stderr, "fake: block %zu is still mapped\n", i);
            abort();
        }
    for (int i = 0; i < FAKE_KEYS; i++)
        if (f->keys[i].cb)
            abort();
}
