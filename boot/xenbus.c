/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/xenbus.c - several users of the domain's one connection to xenstore, each as if it had its own.
 *
 * Requests: xenstored sees req_ids of ours, one for each slot of requests[]; the answer gets the user's own back. Watches:
 * xenstored sees tokens with the user's number in front ("3:token"), by which events find their user. A user that goes leaves
 * nothing behind: its watches are removed, its transactions ended, its number given to another only when all is answered.
 *
 * Everything is bounded. What is one too many is refused as xenstored would refuse it, by an answer. Room for the answers to what a
 * user has asked is kept in its queue, or it may not ask; a watch event for which there is no room is lost, and counted. */
#include "boot/xenbus.h"

#define XENBUS_USERS 32u
#define REQUESTS 128u                           /* in flight, of all users */
#define WATCHES 128u                            /* of all users; xenstored's own limit for a domain */
#define TRANSACTIONS 32u                        /* of all users; xenstored itself allows a domain 10 if it is not told otherwise */
#define QUEUE_PAGES 8u
#define QUEUE (QUEUE_PAGES * PAGE)              /* answers and events of one user that it has not read */
#define EVENTS_KEPT 8192u                       /* of them no answer may take */
#define SHORT_ANSWER 64u                        /* "OK" or the name of an error, with its header */
#define PREFIX 8u                               /* "31:" and a NUL */

struct xenbus_user {
    enum { FREE, OPEN, CLOSING } state;
    uint8_t *queue;
    size_t first, used;                         /* bytes of the queue */
    size_t expected;                            /* bytes at most of answers still to come */
    unsigned in_flight;
    unsigned lost;
};

struct request {
    struct xenbus_user *user;                   /* NULL: free */
    uint32_t type, req_id;
    size_t expected;
};

/* What xenstored watches for a user: "path\0" "3:token\0". From the request for it until it is removed. */
struct watch {
    struct xenbus_user *user;                   /* NULL: free */
    char *text;                                 /* a page */
    size_t size;
    uint32_t asked, ended;                      /* the ring's req_id of the request for it, of its removal; 0 without */
};

struct transaction {
    const struct xenbus_user *user;             /* NULL: free */
    uint32_t id;
};

static struct xenbus_user users[XENBUS_USERS];
static struct request requests[REQUESTS];
static struct watch watches[WATCHES];
static struct transaction transactions[TRANSACTIONS];
static bool there;

static unsigned number(const struct xenbus_user *u) { return (unsigned)(u - users); }

static size_t prefix(const struct xenbus_user *u, char out[PREFIX]) { return format(out, PREFIX, "%u:", number(u)); }

/* ---- requests ---- */

static struct request *free_request(void)
{
    for (size_t i = 0; i < REQUESTS; i++)
        if (!requests[i].user)
            return &requests[i];
    return NULL;
}

static uint32_t ring_id(const struct request *r) { return (uint32_t)(r - requests) + 1; }

static size_t answer_size(uint32_t type)
{
    switch (type) {
    case XS_WATCH:
    case XS_UNWATCH:
    case XS_WRITE:
    case XS_MKDIR:
    case XS_RM:
    case XS_SET_PERMS:
    case XS_TRANSACTION_START:
    case XS_TRANSACTION_END:
        return SHORT_ANSWER;
    default:
        return XENBUS_MESSAGE;
    }
}

/* Sends one; r is free, there is room in the ring's buffer. */
static void send(struct request *r, struct xenbus_user *u, struct xsd_sockmsg head, const struct piece pieces[3])
{
    *r = (struct request){u, head.type, head.req_id, answer_size(head.type)};
    u->in_flight++;
    u->expected += r->expected;
    head.req_id = ring_id(r);
    head.len = (uint32_t)(pieces[0].size + pieces[1].size + pieces[2].size);
    ring_put(&head, pieces);
}

/* ---- what a user has at xenstored ---- */

/* "path\0token\0", and nothing behind: the token's offset, or 0. */
static size_t token_at(const uint8_t *payload, size_t n)
{
    size_t path = strnlen((const char *)payload, n) + 1;

    return path < n && path + strnlen((const char *)payload + path, n - path) + 1 == n ? path : 0;
}

static struct watch *find_watch(const struct xenbus_user *u, const struct piece pieces[3])
{
    size_t n = pieces[0].size + pieces[1].size + pieces[2].size;

    for (size_t i = 0; i < WATCHES; i++) {
        const struct watch *w = &watches[i];
        if (w->user == u && w->size == n && memcmp(w->text, pieces[0].at, pieces[0].size) == 0 &&
            memcmp(w->text + pieces[0].size + pieces[1].size, pieces[2].at, pieces[2].size) == 0)
            return &watches[i];
    }
    return NULL;
}

static struct watch *new_watch(struct xenbus_user *u, const struct piece pieces[3])
{
    for (size_t i = 0; i < WATCHES; i++) {
        struct watch *w = &watches[i];
        if (w->user)
            continue;
        if (!(w->text = page_alloc()))
            return NULL;
        w->size = 0;
        for (int p = 0; p < 3; p++) {
            memcpy(w->text + w->size, pieces[p].at, pieces[p].size);
            w->size += pieces[p].size;
        }
        w->user = u;
        w->asked = w->ended = 0;
        return w;
    }
    return NULL;
}

static void drop_watch(struct watch *w)
{
    page_free(w->text);
    w->user = NULL;
}

/* A request for a watch was refused, or a watch is gone. */
static void watch_answered(uint32_t id, bool error)
{
    for (size_t i = 0; i < WATCHES; i++) {
        struct watch *w = &watches[i];

        if (w->user && w->ended == id) {
            w->ended = 0;
            if (!error || w->user->state == CLOSING)
                drop_watch(w);
        } else if (w->user && w->asked == id) {
            w->asked = 0;
            if (error)
                drop_watch(w);
        }
    }
}

/* That are open, or asked for. */
static size_t transactions_taken(void)
{
    size_t n = 0;

    for (size_t i = 0; i < TRANSACTIONS; i++)
        n += transactions[i].user != NULL;
    for (size_t i = 0; i < REQUESTS; i++)
        n += requests[i].user && requests[i].type == XS_TRANSACTION_START;
    return n;
}

static void transaction_begun(const struct xenbus_user *u, const uint8_t *payload, size_t n)
{
    uint32_t id = 0;

    for (size_t i = 0; i < n && payload[i] >= '0' && payload[i] <= '9'; i++)
        id = id * 10 + (payload[i] - (uint32_t)'0');
    for (size_t i = 0; i < TRANSACTIONS; i++)
        if (!transactions[i].user) {
            transactions[i] = (struct transaction){u, id};
            return;
        }
}

/* Anything else than these two leaves it open: -EINVAL says xenstored. */
static bool ends_transaction(const uint8_t *payload, size_t n)
{
    return n == 2 && (payload[0] == 'T' || payload[0] == 'F') && payload[1] == 0;
}

static void transaction_ended(const struct xenbus_user *u, uint32_t id)
{
    for (size_t i = 0; i < TRANSACTIONS; i++)
        if (transactions[i].user == u && transactions[i].id == id)
            transactions[i].user = NULL;
}

/* ---- users ---- */

static bool waiting_for_end(const struct xenbus_user *u)
{
    for (size_t i = 0; i < WATCHES; i++)
        if (watches[i].user == u)
            return true;
    for (size_t i = 0; i < TRANSACTIONS; i++)
        if (transactions[i].user == u)
            return true;
    return false;
}

/* As much of a leaving user's cleaning up as there is room for; the rest after the next event. */
static void leave(struct xenbus_user *u)
{
    struct request *r;

    for (size_t i = 0; i < TRANSACTIONS; i++) {
        if (transactions[i].user != u)
            continue;
        if (!ring_room(2) || !(r = free_request()))
            return;
        transactions[i].user = NULL;
        send(r, u, (struct xsd_sockmsg){.type = XS_TRANSACTION_END, .tx_id = transactions[i].id}, (struct piece[3]){{"F", 2}});
    }
    for (size_t i = 0; i < WATCHES; i++) {
        struct watch *w = &watches[i];
        if (w->user != u || w->ended)
            continue;
        if (!ring_room(w->size) || !(r = free_request()))
            return;
        w->ended = ring_id(r);
        send(r, u, (struct xsd_sockmsg){.type = XS_UNWATCH}, (struct piece[3]){{w->text, w->size}});
    }
    if (u->in_flight == 0 && !waiting_for_end(u))
        u->state = FREE;
}

void xenbus_moved(void)
{
    for (size_t i = 0; i < XENBUS_USERS; i++)
        if (users[i].state == CLOSING)
            leave(&users[i]);
}

static void enqueue(struct xenbus_user *u, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    size_t end = (u->first + u->used) % QUEUE, part = MIN(n, QUEUE - end);

    memcpy(u->queue + end, at, part);
    memcpy(u->queue, at + part, n - part);
    u->used += n;
}

/* Answered here, with the name of an error; there is room (may_ask()). */
static int refuse(struct xenbus_user *u, struct xsd_sockmsg head, const char *error)
{
    head.type = XS_ERROR;
    head.len = (uint32_t)strlen(error) + 1;
    enqueue(u, &head, sizeof(head));
    enqueue(u, error, head.len);
    return 0;
}

static void watch_event(struct xsd_sockmsg head, const uint8_t *payload)
{
    size_t token = token_at(payload, head.len), at = token;
    unsigned n = 0;
    struct xenbus_user *u;

    for (; token && payload[at] >= '0' && payload[at] <= '9' && n < XENBUS_USERS; at++)
        n = n * 10 + (payload[at] - (unsigned)'0');
    if (!token || at == token || payload[at] != ':' || n >= XENBUS_USERS || users[n].state != OPEN)
        return;                                 /* of a user that has just gone */
    at++;
    u = &users[n];
    head.len -= (uint32_t)(at - token);
    if (u->used + u->expected + sizeof(head) + head.len > QUEUE) {
        if (u->lost++ == 0)
            say("xenstore: user %u does not read its watch events; some are lost", n);
        return;
    }
    enqueue(u, &head, sizeof(head));
    enqueue(u, payload, token);
    enqueue(u, payload + at, head.len - token);
}

void xenbus_message(const struct xsd_sockmsg *given, const uint8_t *payload)
{
    struct xsd_sockmsg head = *given;
    struct xenbus_user *u;
    struct request *r;

    if (head.type == XS_WATCH_EVENT) {
        watch_event(head, payload);
        return;
    }
    if (head.req_id == 0 || head.req_id > REQUESTS || !requests[head.req_id - 1].user)
        return;                                 /* from dom0: an answer to nothing */
    r = &requests[head.req_id - 1];
    u = r->user;
    if (r->type == XS_WATCH || r->type == XS_UNWATCH)
        watch_answered(head.req_id, head.type == XS_ERROR);
    else if (r->type == XS_TRANSACTION_START && head.type != XS_ERROR)
        transaction_begun(u, payload, head.len);
    u->expected -= r->expected;
    u->in_flight--;
    r->user = NULL;
    head.req_id = r->req_id;
    if (u->state != OPEN)
        return;
    if (u->used + u->expected + sizeof(head) + head.len > QUEUE) {      /* longer than any answer to this should be */
        say("xenstore: an answer of type %u with %u bytes is dropped", head.type, head.len);
        return;
    }
    enqueue(u, &head, sizeof(head));
    enqueue(u, payload, head.len);
}

/* ---- for the device ---- */

int xenbus_open(struct xenbus_user **out)
{
    for (size_t i = 0; there && i < XENBUS_USERS; i++) {
        struct xenbus_user *u = &users[i];

        if (u->state != FREE)
            continue;
        memset(u, 0, sizeof(*u));
        if (!(u->queue = pages_alloc(QUEUE_PAGES)))
            return -ENOMEM;
        u->state = OPEN;
        *out = u;
        return 0;
    }
    return there ? -ENFILE : -ENXIO;
}

static bool may_ask(const struct xenbus_user *u, size_t expected, size_t n)
{
    return ring_room(n) && u->used + u->expected + expected + EVENTS_KEPT <= QUEUE;
}

int xenbus_send(struct xenbus_user *u, const void *message, size_t n)
{
    struct xsd_sockmsg head;
    const uint8_t *payload = (const uint8_t *)message + sizeof(head);
    struct piece pieces[3] = {{payload, n - sizeof(head)}};
    char before[PREFIX];
    struct request *r;
    struct watch *w = NULL;
    size_t token;

    if (ring_broken())
        return -EIO;
    if (n < sizeof(head) || n > XENBUS_MESSAGE)
        return -EINVAL;
    memcpy(&head, message, sizeof(head));
    if (head.len != n - sizeof(head) || head.type == XS_WATCH_EVENT)
        return -EINVAL;
    if (!may_ask(u, answer_size(head.type), XENSTORE_PAYLOAD_MAX) || !(r = free_request()))
        return -EAGAIN;
    if ((head.type == XS_WATCH || head.type == XS_UNWATCH) && (token = token_at(payload, head.len))) {
        pieces[0].size = token;
        pieces[1] = (struct piece){before, prefix(u, before)};
        pieces[2] = (struct piece){payload + token, head.len - token};
        if (head.len + pieces[1].size > XENSTORE_PAYLOAD_MAX)
            return -EINVAL;
        w = find_watch(u, pieces);
        if (head.type == XS_UNWATCH && w)
            w->ended = ring_id(r);
        else if (head.type == XS_WATCH && !w) { /* with w: xenstored says EEXIST, the old one stays */
            if (!(w = new_watch(u, pieces)))
                return refuse(u, head, pages_left() ? "ENOSPC" : "ENOMEM");
            w->asked = ring_id(r);
        }
    } else if (head.type == XS_TRANSACTION_START && transactions_taken() >= TRANSACTIONS) {
        return refuse(u, head, "ENOSPC");
    } else if (head.type == XS_TRANSACTION_END && ends_transaction(payload, head.len)) {
        transaction_ended(u, head.tx_id);
    } else if (head.type == XS_RESET_WATCHES) {
        return refuse(u, head, "ENOSYS");       /* it would take away those of the others as well */
    }
    send(r, u, head, pieces);
    return 0;
}

bool xenbus_writable(const struct xenbus_user *u)
{
    return ring_broken() || (may_ask(u, XENBUS_MESSAGE, XENSTORE_PAYLOAD_MAX) && free_request());
}

bool xenbus_readable(const struct xenbus_user *u) { return ring_broken() || u->used > 0; }

int64_t xenbus_receive(struct xenbus_user *u, void *bytes, size_t n)
{
    size_t part;

    if (u->used == 0 && ring_broken())
        return -EIO;
    n = MIN(n, u->used);
    part = MIN(n, QUEUE - u->first);
    memcpy(bytes, u->queue + u->first, part);
    memcpy((uint8_t *)bytes + part, u->queue, n - part);
    u->first = (u->first + n) % QUEUE;
    u->used -= n;
    return (int64_t)n;
}

void xenbus_close(struct xenbus_user *u)
{
    for (size_t i = 0; i < QUEUE_PAGES; i++)
        page_free(u->queue + i * PAGE);
    u->queue = NULL;
    u->state = CLOSING;
    u->used = 0;
    leave(u);
}

void xenbus_init(void) { there = ring_init(); }
