/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/qubesdb/units.c - the plugin's data structures, without I/O: table, merge, queue. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qubesdb/queue.h"
#include "plugins/qubesdb/replica.h"
#include "tests/common/bytes.h"
#include "tests/qubesdb/dom0.h"

static struct qubesdb_entry *put(struct qubesdb_replica *r, const char *path, const char *value)
{
    struct qubesdb_entry *e = NULL;

    ck_assert_int_eq(qubesdb_replica_set(r, path, value, strlen(value), &e), 0);
    ck_assert_str_eq(qubesdb_entry_path(e), path);
    ck_assert_str_eq(qubesdb_entry_value(e), value);
    ck_assert(e->present);
    return e;
}

/* Paths in order, separated by spaces; the same byte sum as the table says. */
static void holds(const struct qubesdb_replica *r, const char *expected)
{
    char text[4096] = "";
    size_t bytes = 0;

    for (size_t i = 0; i < r->n; i++) {
        strcat(text, i ? " " : "");
        strcat(text, r->at[i]->text);
        bytes += strlen(r->at[i]->text) + r->at[i]->len;
    }
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(bytes, r->bytes);
}

START_TEST(table_keeps_byte_order)
{
    struct qubesdb_replica r;

    qubesdb_replica_init(&r, 100, 100000);
    put(&r, "/b", "1");
    put(&r, "/a/x", "");
    put(&r, "/a", "22");
    put(&r, "/a:", "3");
    put(&r, "/a-", "3");
    put(&r, "/A", "4");
    holds(&r, "/A /a /a- /a/x /a: /b");
    ck_assert_uint_eq(qubesdb_replica_from(&r, "/a"), 1);
    ck_assert_uint_eq(qubesdb_replica_after(&r, "/a"), 2);
    ck_assert_uint_eq(qubesdb_replica_from(&r, "/aa"), 5);
    ck_assert_uint_eq(qubesdb_replica_after(&r, "/z"), 6);
    ck_assert_ptr_null(qubesdb_replica_find(&r, "/a/"));
    ck_assert_ptr_null(qubesdb_replica_find(&r, ""));
    qubesdb_replica_drop(&r, qubesdb_replica_find(&r, "/a-"));
    holds(&r, "/A /a /a/x /a: /b");
    qubesdb_replica_clear(&r);
    ck_assert_uint_eq(r.n + r.bytes, 0);
}
END_TEST

START_TEST(table_cuts_a_subtree)
{
    struct qubesdb_replica r;
    struct qubesdb_entry *list, *next;
    char names[100] = "";

    qubesdb_replica_init(&r, 100, 100000);
    put(&r, "/d", "");
    put(&r, "/d/1", "a");
    put(&r, "/d/2", "b")->pending = 1;
    put(&r, "/d/3", "c");
    put(&r, "/d0", "");
    r.at[2]->at_dom0 = true;
    list = qubesdb_replica_cut(&r, "/d/");
    holds(&r, "/d /d/2 /d0");
    ck_assert(!qubesdb_replica_find(&r, "/d/2")->at_dom0);
    for (; list; list = next) {
        next = list->next;
        strcat(names, list->text);
        qubesdb_replica_bury(&r, list);
    }
    ck_assert_str_eq(names, "/d/1/d/3");
    ck_assert_ptr_null(qubesdb_replica_cut(&r, "/nothing/"));
    qubesdb_replica_clear(&r);
}
END_TEST

START_TEST(table_keeps_lent_values)
{
    struct qubesdb_replica r;
    struct qubesdb_entry *e, *same;
    const char *old;

    qubesdb_replica_init(&r, 100, 100000);
    e = put(&r, "/k", "before");
    same = put(&r, "/k", "other!");
    ck_assert_ptr_eq(e, same);                  /* nobody looks: in place */
    qubesdb_replica_lend(&r, e);
    old = qubesdb_entry_value(e);
    e->own = true;
    same = put(&r, "/k", "after");
    ck_assert_ptr_ne(e, same);
    ck_assert(same->own);
    ck_assert_str_eq(old, "other!");            /* until the sweep */
    qubesdb_replica_drop(&r, same);
    ck_assert_str_eq(old, "other!");
    qubesdb_replica_sweep(&r);
    ck_assert_ptr_null(r.buried);
    qubesdb_replica_clear(&r);
}
END_TEST

START_TEST(table_has_limits)
{
    struct qubesdb_replica r;
    struct qubesdb_entry *e;

    qubesdb_replica_init(&r, 3, 20);
    put(&r, "/a", "12345678");
    put(&r, "/b", "1234");
    ck_assert_int_eq(qubesdb_replica_set(&r, "/c", "123", 3, &e), -ENOSPC);
    put(&r, "/c", "12");
    ck_assert_int_eq(qubesdb_replica_set(&r, "/c", "123", 3, &e), -ENOSPC);
    ck_assert_str_eq(qubesdb_entry_value(qubesdb_replica_find(&r, "/c")), "12");
    put(&r, "/a", "");
    ck_assert_int_eq(qubesdb_replica_set(&r, "/d", "", 0, &e), -ENOSPC);
    holds(&r, "/a /b /c");
    qubesdb_replica_clear(&r);
}
END_TEST

static bool ordered(const struct qubesdb_replica *r)
{
    for (size_t i = 1; i < r->n; i++)
        if (strcmp(r->at[i - 1]->text, r->at[i]->text) >= 0)
            return false;
    return true;
}

START_TEST(table_agrees_with_a_simple_one)
{
    static char have[50];
    struct qubesdb_replica r;
    uint32_t seed = 2024;

    qubesdb_replica_init(&r, 50, 100000);
    memset(have, 0, sizeof(have));
    for (int i = 0; i < 20000; i++) {
        unsigned k = random_below(&seed, 50);
        char path[16], value[100];
        struct qubesdb_entry *e;

        snprintf(path, sizeof(path), "/k/%02u", k);
        memset(value, 'a' + (int)(i % 26), sizeof(value));
        value[random_below(&seed, sizeof(value))] = 0;
        value[99] = 0;
        e = qubesdb_replica_find(&r, path);
        ck_assert_int_eq(e != NULL, have[k] != 0);
        if (e && random_below(&seed, 3) == 0) {
            qubesdb_replica_drop(&r, e);
            have[k] = 0;
        } else {
            e = put(&r, path, value);
            have[k] = 1;
            if (random_below(&seed, 4) == 0)
                qubesdb_replica_lend(&r, e);
        }
        if (random_below(&seed, 10) == 0)
            qubesdb_replica_sweep(&r);
        ck_assert(ordered(&r));
    }
    qubesdb_replica_clear(&r);
}
END_TEST

static void collect(struct qubesdb_replica *r, const char *path, const char *value)
{
    ck_assert_int_eq(qubesdb_replica_collect(r, path, value, strlen(value)), 0);
}

START_TEST(dump_in_any_order)
{
    struct qubesdb_replica r;

    qubesdb_replica_init(&r, 100, 100000);
    collect(&r, "/c", "1");
    collect(&r, "/b", "2");
    collect(&r, "/a", "3");
    qubesdb_replica_settle(&r);
    holds(&r, "/a /b /c");
    qubesdb_replica_clear(&r);

    collect(&r, "/a", "first");
    collect(&r, "/c", "");
    collect(&r, "/a", "second");
    collect(&r, "/b", "");
    collect(&r, "/a", "third");
    qubesdb_replica_settle(&r);
    holds(&r, "/a /b /c");
    ck_assert_str_eq(qubesdb_entry_value(r.at[0]), "third");
    qubesdb_replica_clear(&r);
    qubesdb_replica_settle(&r);
    holds(&r, "");
}
END_TEST

START_TEST(merge_tells_differences)
{
    struct qubesdb_replica r, dump;
    struct qubesdb_merged m;

    qubesdb_replica_init(&r, 100, 100000);
    qubesdb_replica_init(&dump, 100, 100000);
    put(&r, "/changed", "1");
    put(&r, "/fw/a", "");
    put(&r, "/fw/a/1", "x");
    put(&r, "/fw/b", "");
    put(&r, "/fw/b/1", "x");
    put(&r, "/fw/c", "not empty");
    put(&r, "/fw/c/1", "x");
    put(&r, "/gone", "1");
    put(&r, "/same", "1");
    collect(&dump, "/same", "1");
    collect(&dump, "/new", "");
    collect(&dump, "/fw/c/1", "y");
    collect(&dump, "/fw/c", "not empty");
    collect(&dump, "/fw/b/1", "x");
    collect(&dump, "/fw/b", "");
    collect(&dump, "/fw/a", "");
    collect(&dump, "/changed", "2");
    qubesdb_replica_settle(&dump);
    ck_assert_int_eq(qubesdb_merge(&r, &dump, false, &m), 0);
    holds(&r, "/changed /fw/a /fw/b /fw/b/1 /fw/c /fw/c/1 /new /same");
    ck_assert_uint_eq(dump.n + dump.bytes, 0);
    ck_assert_uint_eq(m.added, 1);
    ck_assert_uint_eq(m.changed, 2);
    ck_assert_uint_eq(m.gone, 2);
    ck_assert_str_eq(m.removed->text, "/fw/a/1");
    ck_assert_str_eq(m.removed->next->text, "/gone");
    ck_assert_ptr_null(m.removed->next->next);
    ck_assert_int_eq(r.at[0]->mark, QUBESDB_CHANGED);
    ck_assert_int_eq(r.at[1]->mark, QUBESDB_COMMITTED);     /* a rule is gone */
    ck_assert_int_eq(r.at[2]->mark, QUBESDB_SAME);
    ck_assert_int_eq(r.at[4]->mark, QUBESDB_SAME);          /* not a commit key: it has a value */
    ck_assert_int_eq(r.at[5]->mark, QUBESDB_CHANGED);
    ck_assert_int_eq(r.at[6]->mark, QUBESDB_CHANGED);
    ck_assert_int_eq(r.at[7]->mark, QUBESDB_SAME);
    for (size_t i = 0; i < r.n; i++)
        ck_assert(r.at[i]->at_dom0);
    qubesdb_replica_bury(&r, m.removed->next);
    qubesdb_replica_bury(&r, m.removed);
    qubesdb_replica_clear(&r);
}
END_TEST

/* The rule of merge.c, each case: pending or acknowledged, in the dump or not, same daemon or new. */
START_TEST(merge_of_own_keys)
{
    for (int new_store = 0; new_store < 2; new_store++) {
        struct qubesdb_replica r, dump;
        struct qubesdb_merged m;
        struct qubesdb_entry *e;

        qubesdb_replica_init(&r, 100, 100000);
        qubesdb_replica_init(&dump, 100, 100000);
        put(&r, "/pending", "ours")->pending = 1;
        put(&r, "/pending-absent", "ours")->pending = 1;
        e = put(&r, "/removing", "x");
        e->present = false;
        e->pending = 1;
        put(&r, "/own", "ours")->own = true;
        put(&r, "/own-overwritten", "ours")->own = true;
        put(&r, "/own-absent", "ours")->own = true;
        put(&r, "/theirs-absent", "x");
        collect(&dump, "/removing", "x");
        collect(&dump, "/pending", "theirs");
        collect(&dump, "/own-overwritten", "theirs");
        collect(&dump, "/own", "ours");
        qubesdb_replica_settle(&dump);
        ck_assert_int_eq(qubesdb_merge(&r, &dump, new_store, &m), 0);
        holds(&r, new_store ? "/own /own-absent /own-overwritten /pending /pending-absent /removing" :
              "/own /own-overwritten /pending /pending-absent /removing");
        ck_assert_str_eq(qubesdb_entry_value(qubesdb_replica_find(&r, "/pending")), "ours");
        ck_assert(qubesdb_replica_find(&r, "/pending")->at_dom0);
        ck_assert(!qubesdb_replica_find(&r, "/pending-absent")->at_dom0);
        ck_assert(!qubesdb_replica_find(&r, "/removing")->present);
        ck_assert(qubesdb_replica_find(&r, "/own")->own);
        e = qubesdb_replica_find(&r, "/own-overwritten");
        ck_assert_str_eq(qubesdb_entry_value(e), "theirs");
        ck_assert(!e->own && e->mark == QUBESDB_CHANGED);
        ck_assert_uint_eq(m.lost, (unsigned)new_store);
        ck_assert_uint_eq(m.gone, new_store ? 1u : 2u);
        e = qubesdb_replica_find(&r, "/own-absent");
        ck_assert(!e == !new_store && (!e || (e->lost && e->mark == QUBESDB_SAME)));
        while (m.removed) {
            e = m.removed;
            m.removed = e->next;
            qubesdb_replica_bury(&r, e);
        }
        qubesdb_replica_clear(&r);
    }
}
END_TEST

/* Many times around the ring, so that messages wrap at every place. */
START_TEST(queue_is_a_fifo)
{
    struct qubesdb_queue q;
    struct qubesdb_header h;
    unsigned in = 0, out = 0, done = 0;
    uint32_t seed = 7;

    ck_assert_int_eq(qubesdb_queue_init(&q, 8192), 0);
    while (done < 5000) {
        char path[16], value[QUBESDB_VALUE_MAX];
        size_t n;

        snprintf(path, sizeof(path), "/%u", in);
        n = random_length(&seed, 1500);
        memset(value, 'v', n);
        if (qubesdb_queue_fits(&q, QUBESDB_HEADER + n) && random_below(&seed, 2)) {
            ck_assert_int_eq(qubesdb_queue_push(&q, QUBESDB_WRITE, path, value, n), 0);
            in++;
        }
        n = qubesdb_queue_next(&q, &h);
        if (n && random_below(&seed, 2)) {
            uint8_t copy[QUBESDB_MESSAGE_MAX];

            snprintf(path, sizeof(path), "/%u", out++);
            ck_assert_str_eq(h.path, path);
            memcpy(copy, qubesdb_queue_bytes(&q, n), n);
            ck_assert_int_eq(qubesdb_decode(copy, &h), 0);
            ck_assert_str_eq(h.path, path);
            ck_assert_uint_eq(QUBESDB_HEADER + h.len, n);
            qubesdb_queue_sent(&q, n);
        }
        ck_assert_int_eq(qubesdb_queue_oldest(&q, &h), done < out);
        if (done < out && random_below(&seed, 2)) {
            snprintf(path, sizeof(path), "/%u", done++);
            ck_assert_str_eq(h.path, path);
            qubesdb_queue_answered(&q);
        }
        ck_assert_uint_eq(q.count, in - done);
        if (random_below(&seed, 50) == 0) {
            qubesdb_queue_restart(&q);
            out = done;
        }
    }
    qubesdb_queue_free(&q);
}
END_TEST

START_TEST(queue_skips)
{
    struct qubesdb_queue q;
    struct qubesdb_header h;
    size_t n;

    ck_assert_int_eq(qubesdb_queue_init(&q, 8192), 0);
    ck_assert_int_eq(qubesdb_queue_push(&q, QUBESDB_RM, "/a", NULL, 0), 0);
    ck_assert_int_eq(qubesdb_queue_push(&q, QUBESDB_WRITE, "/b", "1", 1), 0);
    ck_assert_int_eq(qubesdb_queue_push(&q, QUBESDB_RM, "/c", NULL, 0), 0);
    ck_assert_int_eq(qubesdb_queue_push(&q, QUBESDB_WRITE, "/d", "1", 1), 0);
    ck_assert_int_eq(qubesdb_queue_push(&q, QUBESDB_WRITE, "/d/", "1", 1), -EINVAL);
    n = qubesdb_queue_next(&q, &h);
    qubesdb_queue_skip(&q, n);
    ck_assert(qubesdb_queue_idle(&q));
    ck_assert_uint_eq(q.sent, 0);               /* its room is free at once */
    qubesdb_queue_sent(&q, qubesdb_queue_next(&q, &h));
    n = qubesdb_queue_next(&q, &h);
    ck_assert_str_eq(h.path, "/c");
    qubesdb_queue_skip(&q, n);
    ck_assert(!qubesdb_queue_idle(&q));
    qubesdb_queue_restart(&q);                  /* "/c" must not come back */
    ck_assert_uint_gt(qubesdb_queue_next(&q, &h), 0);
    ck_assert_str_eq(h.path, "/b");
    qubesdb_queue_sent(&q, qubesdb_queue_next(&q, &h));
    ck_assert_uint_gt(qubesdb_queue_next(&q, &h), 0);
    ck_assert_str_eq(h.path, "/d");
    qubesdb_queue_answered(&q);
    ck_assert(qubesdb_queue_idle(&q));
    qubesdb_queue_sent(&q, qubesdb_queue_next(&q, &h));
    qubesdb_queue_answered(&q);
    ck_assert_uint_eq(q.count + unik_ring_used(&q.ring), 0);
    qubesdb_queue_free(&q);
}
END_TEST

Suite *suite_units(void)
{
    Suite *s = suite_create("qubesdb: units");
    TCase *t = tcase_create("units");

    tcase_set_timeout(t, 900);
    tcase_add_test(t, table_keeps_byte_order);
    tcase_add_test(t, table_cuts_a_subtree);
    tcase_add_test(t, table_keeps_lent_values);
    tcase_add_test(t, table_has_limits);
    tcase_add_test(t, table_agrees_with_a_simple_one);
    tcase_add_test(t, dump_in_any_order);
    tcase_add_test(t, merge_tells_differences);
    tcase_add_test(t, merge_of_own_keys);
    tcase_add_test(t, queue_is_a_fifo);
    tcase_add_test(t, queue_skips);
    suite_add_tcase(s, t);
    return s;
}
