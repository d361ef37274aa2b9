/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/test-boot-xenbus.c - boot/xenbus.c with a ring that only notes what is put into it: several users of one connection,
 * what becomes of one that goes, and what dom0 may send without doing harm. The kernel's source comes first: its error
 * numbers are an enum, libc's are macros. */
#include "boot/xenbus.c"
#include <check.h>
#include <stdio.h>
#include "tests/common/run.h"

static struct { struct xsd_sockmsg head; uint8_t payload[XENSTORE_PAYLOAD_MAX]; } put[256];
static size_t nr_put;
static long pages;
static size_t next_page;

bool ring_init(void) { return true; }
bool ring_broken(void) { return false; }
bool ring_room(size_t n) { return n <= XENSTORE_PAYLOAD_MAX && nr_put < ARRAY_LENGTH(put); }
void ring_put(const struct xsd_sockmsg *head, const struct piece pieces[3])
{
    size_t n = 0;

    put[nr_put].head = *head;
    for (int i = 0; i < 3; n += pieces[i++].size)
        if (pieces[i].size)
            memcpy(put[nr_put].payload + n, pieces[i].at, pieces[i].size);
    ck_assert_uint_eq(n, head->len);
    nr_put++;
}
/* Pages one behind the other; what is given back is only counted. */
static bool no_memory;

void *pages_alloc(size_t n)
{
    static uint8_t memory[512 * PAGE];

    if (no_memory)
        return NULL;
    ck_assert_uint_le((next_page + n) * PAGE, sizeof(memory));
    next_page += n;
    pages += (long)n;
    return memset(memory + (next_page - n) * PAGE, 0, n * PAGE);
}
size_t pages_left(void) { return 1; }
void *page_alloc(void) { return pages_alloc(1); }
void page_free(void *page) { (void)page; pages--; }
void say(const char *how, ...) { (void)how; }
size_t format(char *out, size_t size, const char *how, ...)
{
    va_list list;

    va_start(list, how);
    vsnprintf(out, size, how, list);
    va_end(list);
    return strlen(out);
}

static void setup(void)
{
    memset(users, 0, sizeof(users));
    memset(requests, 0, sizeof(requests));
    memset(watches, 0, sizeof(watches));
    memset(transactions, 0, sizeof(transactions));
    nr_put = 0;
    pages = 0;
    next_page = 0;
    xenbus_init();
}

static struct xenbus_user *opened(void)
{
    struct xenbus_user *u;

    return xenbus_open(&u) == 0 ? u : NULL;
}

static int ask(struct xenbus_user *u, uint32_t type, uint32_t req_id, uint32_t tx, const char *body, size_t n)
{
    uint8_t m[XENBUS_MESSAGE];
    struct xsd_sockmsg head = {.type = type, .req_id = req_id, .tx_id = tx, .len = (uint32_t)n};

    memcpy(m, &head, sizeof(head));
    memcpy(m + sizeof(head), body, n);
    return xenbus_send(u, m, sizeof(head) + n);
}

static void answer(size_t to, uint32_t type, const char *body, size_t n)
{
    struct xsd_sockmsg head = {.type = type, .req_id = put[to].head.req_id, .len = (uint32_t)n};

    xenbus_message(&head, (const uint8_t *)body);
    xenbus_moved();
}

static void event(const char *body, size_t n)
{
    struct xsd_sockmsg head = {.type = XS_WATCH_EVENT, .len = (uint32_t)n};

    xenbus_message(&head, (const uint8_t *)body);
}

/* The next message of a user. */
static struct xsd_sockmsg get(struct xenbus_user *u, char *body)
{
    struct xsd_sockmsg head;

    ck_assert_int_eq(xenbus_receive(u, &head, sizeof(head)), sizeof(head));
    ck_assert_int_eq(xenbus_receive(u, body, head.len), head.len);
    return head;
}

START_TEST(answers_find_their_way)
{
    struct xenbus_user *a = opened(), *b = opened();
    struct xsd_sockmsg h;
    char body[XENSTORE_PAYLOAD_MAX];

    ck_assert_int_eq(ask(a, XS_READ, 7, 0, "x", 2), 0);
    ck_assert_int_eq(ask(b, XS_READ, 7, 0, "y", 2), 0);
    ck_assert_uint_ne(put[0].head.req_id, put[1].head.req_id);
    answer(1, XS_READ, "of y", 4);
    ck_assert(!xenbus_readable(a) && xenbus_readable(b));
    answer(0, XS_READ, "of x", 4);
    h = get(a, body);
    ck_assert(h.req_id == 7 && h.len == 4 && memcmp(body, "of x", 4) == 0);
    h = get(b, body);
    ck_assert(h.req_id == 7 && h.len == 4 && memcmp(body, "of y", 4) == 0);
}
END_TEST

START_TEST(same_watch_twice)
{
    struct xenbus_user *a = opened(), *b = opened();
    char body[XENSTORE_PAYLOAD_MAX];
    struct xsd_sockmsg h;

    ck_assert_int_eq(ask(a, XS_WATCH, 1, 0, "p\0t", 4), 0);
    ck_assert_int_eq(ask(b, XS_WATCH, 1, 0, "p\0t", 4), 0);
    ck_assert(put[0].head.len == 6 && memcmp(put[0].payload, "p\0" "0:t", 6) == 0);
    ck_assert(put[1].head.len == 6 && memcmp(put[1].payload, "p\0" "1:t", 6) == 0);
    event("p/q\0" "1:t", 8);
    ck_assert(!xenbus_readable(a));
    h = get(b, body);
    ck_assert(h.type == XS_WATCH_EVENT && h.len == 6 && memcmp(body, "p/q\0t", 6) == 0);
}
END_TEST

START_TEST(who_goes_leaves_nothing)
{
    struct xenbus_user *a = opened();

    ask(a, XS_WATCH, 1, 0, "p\0t", 4);
    ask(a, XS_WATCH, 2, 0, "refused\0t", 10);
    ask(a, XS_TRANSACTION_START, 3, 0, "", 1);
    answer(0, XS_WATCH, "OK", 3);
    answer(1, XS_ERROR, "ENOENT", 7);
    xenbus_close(a);                            /* the transaction has no number yet */
    ck_assert_uint_eq(nr_put, 4);
    ck_assert(put[3].head.type == XS_UNWATCH && put[3].head.len == 6 && memcmp(put[3].payload, "p\0" "0:t", 6) == 0);
    answer(2, XS_TRANSACTION_START, "55", 3);
    ck_assert_uint_eq(nr_put, 5);
    ck_assert(put[4].head.type == XS_TRANSACTION_END && put[4].head.tx_id == 55 && memcmp(put[4].payload, "F", 2) == 0);
    ck_assert_ptr_ne(opened(), a);         /* its number could still mean the old one */
    answer(3, XS_UNWATCH, "OK", 3);
    answer(4, XS_TRANSACTION_END, "OK", 3);
    ck_assert_ptr_eq(opened(), a);
    ck_assert_int_eq(pages, 2 * QUEUE_PAGES);
}
END_TEST

START_TEST(full_is_refused_or_lost)
{
    struct xenbus_user *a = opened();
    static char body[XENSTORE_PAYLOAD_MAX];
    unsigned asked = 0;

    while (ask(a, XS_READ, asked, 0, "x", 2) == 0)
        ck_assert_uint_lt(++asked, REQUESTS);
    ck_assert_uint_gt(asked, 1);
    ck_assert(!xenbus_writable(a));
    memset(body, 'p', sizeof(body));
    memcpy(body + sizeof(body) - 5, "\0" "0:t", 5);
    for (int i = 0; i < 100; i++)
        event(body, sizeof(body));
    ck_assert_uint_gt(a->lost, 0);
    for (unsigned i = 0; i < asked; i++)
        answer(i, XS_READ, body, sizeof(body));
    ck_assert_uint_le(a->used, QUEUE);
    for (unsigned i = 0, answers = 0; answers < asked; i++)
        answers += get(a, body).type == XS_READ;
    ck_assert(xenbus_writable(a));
}
END_TEST

/* Whose they are does not matter, nor whether xenstored has answered yet; one that ends makes room for another. */
START_TEST(too_many_transactions)
{
    struct xenbus_user *a = opened(), *b = opened();
    char body[XENSTORE_PAYLOAD_MAX];
    struct xsd_sockmsg h;

    for (uint32_t i = 0; i < TRANSACTIONS; i++) {
        struct xenbus_user *u = i % 2 ? a : b;

        ck_assert_int_eq(ask(u, XS_TRANSACTION_START, i, 0, "", 1), 0);
        ck_assert_uint_eq(nr_put, i + 1);
        format(body, sizeof(body), "%u", 100 + i);
        if (i > 3)
            answer(i, XS_TRANSACTION_START, body, 4);
        if (i > 3)
            get(u, body);
    }
    ck_assert_int_eq(ask(a, XS_TRANSACTION_START, 77, 0, "", 1), 0);
    ck_assert_uint_eq(nr_put, TRANSACTIONS);
    h = get(a, body);
    ck_assert(h.type == XS_ERROR && h.req_id == 77 && h.len == 7 && memcmp(body, "ENOSPC", 7) == 0);
    ck_assert_int_eq(ask(b, XS_TRANSACTION_END, 1, 110, "no", 3), 0);   /* EINVAL: it goes on */
    ck_assert_int_eq(ask(a, XS_TRANSACTION_START, 78, 0, "", 1), 0);
    ck_assert_uint_eq(get(a, body).type, XS_ERROR);
    ck_assert_int_eq(ask(b, XS_TRANSACTION_END, 1, 110, "T", 2), 0);
    nr_put = 0;
    ck_assert_int_eq(ask(a, XS_TRANSACTION_START, 79, 0, "", 1), 0);
    ck_assert_uint_eq(nr_put, 1);
    answer(0, XS_ERROR, "EBUSY", 6);            /* xenstored refused it: free again */
    get(a, body);
    ck_assert_int_eq(ask(a, XS_TRANSACTION_START, 80, 0, "", 1), 0);
    ck_assert_uint_eq(nr_put, 2);
}
END_TEST

/* A write that fails would cost the library its handle: the answer says no. */
START_TEST(too_many_watches)
{
    struct xenbus_user *a = opened();
    char body[XENSTORE_PAYLOAD_MAX];
    struct xsd_sockmsg h;

    for (unsigned i = 0; i < WATCHES; i++) {
        size_t n;

        memcpy(body, "p", 2);
        format(body + 2, 16, "t%u", i);
        n = 2 + strlen(body + 2) + 1;
        nr_put = 0;
        ck_assert_int_eq(ask(a, XS_WATCH, i, 0, body, n), 0);
        answer(0, XS_WATCH, "OK", 3);
        get(a, body);
    }
    ck_assert_int_eq(ask(a, XS_WATCH, 500, 0, "p\0more", 7), 0);
    h = get(a, body);
    ck_assert(h.type == XS_ERROR && h.req_id == 500 && memcmp(body, "ENOSPC", 7) == 0);
    ck_assert_int_eq(ask(a, XS_RESET_WATCHES, 501, 0, "", 1), 0);
    h = get(a, body);
    ck_assert(h.type == XS_ERROR && h.req_id == 501 && memcmp(body, "ENOSYS", 7) == 0);
}
END_TEST

START_TEST(too_many_users)
{
    struct xenbus_user *u;

    for (unsigned i = 0; i < XENBUS_USERS; i++)
        ck_assert_int_eq(xenbus_open(&u), 0);
    ck_assert_int_eq(xenbus_open(&u), -ENFILE);
    xenbus_close(&users[5]);
    no_memory = true;
    ck_assert_int_eq(xenbus_open(&u), -ENOMEM);
    no_memory = false;
    ck_assert_int_eq(xenbus_open(&u), 0);
    there = false;
    ck_assert_int_eq(xenbus_open(&u), -ENXIO);
}
END_TEST

START_TEST(nonsense)
{
    struct xenbus_user *a = opened();
    static const char *const events[] = {"", "p", "p\0t", "p\0:t", "p\0" "1:t", "p\0" "99:t", "p\0" "99999999999:t"};
    struct xsd_sockmsg head = {.type = XS_READ, .req_id = 0};

    for (size_t i = 0; i < ARRAY_LENGTH(events); i++)
        event(events[i], i < 2 ? i : strlen(events[i] + 2) + 3);
    for (uint32_t id = 0; id < 3; id++) {
        head.req_id = id ? id == 1 ? REQUESTS : UINT32_MAX : 0;
        xenbus_message(&head, NULL);
    }
    ck_assert(!xenbus_readable(a));
    ck_assert_int_eq(xenbus_send(a, &head, 3), -EINVAL);
    ck_assert_int_eq(ask(a, XS_WATCH_EVENT, 1, 0, "p\0t", 4), -EINVAL);
    ck_assert_uint_eq(nr_put, 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("boot-xenbus");

    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, answers_find_their_way);
    tcase_add_test(t, same_watch_twice);
    tcase_add_test(t, who_goes_leaves_nothing);
    tcase_add_test(t, full_is_refused_or_lost);
    tcase_add_test(t, too_many_transactions);
    tcase_add_test(t, too_many_watches);
    tcase_add_test(t, too_many_users);
    tcase_add_test(t, nonsense);
    return run_case("boot-xenbus", t);
}
