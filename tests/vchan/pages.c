/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/pages.c - "pages/1": what one side writes, its peer reads at the references; nothing is left afterwards. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "tests/vchan/suite.h"

static struct unik_pages *p;

static struct unik_shared *share(size_t pages)
{
    struct unik_shared *s = NULL;

    p = pair.pages[0];
    ck_assert_int_eq(p->share(p, pair.domid[1], pages, false, &s), 0);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(s->pages, pages);
    for (size_t i = 0; i < pages; i++)
        ck_assert_uint_ne(s->refs[i], 0);
    return s;
}

static void check_page(const struct unik_shared *s, size_t i, uint8_t value)
{
    uint8_t *at = suite_page(s->refs[i], s->refs[0]);

    ck_assert_ptr_nonnull(at);
    ck_assert_uint_eq(at[0], value);
    ck_assert_uint_eq(at[UNIK_PAGE - 1], value);
    munmap(at, UNIK_PAGE);
}

START_TEST(the_peer_sees_what_is_written)
{
    struct unik_shared *s = share(100);
    uint8_t *bytes = s->bytes;

    for (size_t i = 0; i < 100 * UNIK_PAGE; i++)
        ck_assert_uint_eq(bytes[i], 0);
    for (size_t i = 0; i < 100; i++)
        memset(bytes + i * UNIK_PAGE, (int)i + 1, UNIK_PAGE);
    for (size_t i = 0; i < 100; i++)
        check_page(s, i, (uint8_t)(i + 1));
    ck_assert_uint_eq(host_counter(pair.ctx[0], "shared_pages"), 100);
    p->unshare(p, s);
    ck_assert_uint_eq(host_counter(pair.ctx[0], "shared_pages"), 0);
    ck_assert_uint_eq(host_counter(pair.ctx[0], "shared_pages_high"), 100);
}
END_TEST

/* What is given back while the peer maps it stays as it was, for the peer; and no new block has its references. */
START_TEST(a_peer_keeps_what_it_maps)
{
    struct unik_shared *old = share(3), *s;
    uint32_t refs[3];
    uint8_t *at;

    memcpy(refs, old->refs, sizeof(refs));
    memset(old->bytes, 7, 3 * UNIK_PAGE);
    at = suite_page(refs[1], refs[0]);
    ck_assert_ptr_nonnull(at);
    p->unshare(p, old);
    for (int i = 0; i < 50; i++) {
        s = share(3);
        memset(s->bytes, 9, 3 * UNIK_PAGE);
        for (int k = 0; k < 3; k++)
            for (int j = 0; j < 3; j++)
                ck_assert_uint_ne(s->refs[k], refs[j]);
        p->unshare(p, s);
    }
    for (size_t i = 0; i < UNIK_PAGE; i++)
        ck_assert_uint_eq(at[i], 7);
    munmap(at, UNIK_PAGE);
}
END_TEST

START_TEST(several_at_a_time)
{
    struct unik_shared *s[20];

    for (int i = 0; i < 20; i++) {
        s[i] = share((size_t)i + 1);
        memset(s[i]->bytes, 100 + i, s[i]->pages * UNIK_PAGE);
    }
    for (int i = 0; i < 20; i += 2)
        p->unshare(p, s[i]);
    for (int i = 1; i < 20; i += 2)
        for (size_t k = 0; k < s[i]->pages; k++)
            check_page(s[i], k, (uint8_t)(100 + i));
    for (int i = 1; i < 20; i += 2)
        p->unshare(p, s[i]);
}
END_TEST

START_TEST(refusals)
{
    struct unik_shared *s;

    p = pair.pages[0];
    ck_assert_int_eq(p->share(p, pair.domid[1], 0, false, &s), -EINVAL);
    ck_assert_ptr_null(s);
    ck_assert_int_eq(p->share(p, pair.domid[1], UNIK_PAGES_MAX + 1, false, &s), -EINVAL);
    ck_assert_int_eq(p->share(p, pair.domid[1], SIZE_MAX, false, &s), -EINVAL);
    ck_assert_int_eq(p->share(p, pair.domid[0], 1, false, &s), -EINVAL);
    ck_assert_int_eq(p->share(p, -1, 1, false, &s), -EINVAL);
    ck_assert_int_eq(p->share(p, 40000, 1, false, &s), -EINVAL);
}
END_TEST

/* A user that stops without giving its pages back: they go with the provider. */
START_TEST(left_behind)
{
    share(2);
    share(1);
}
END_TEST

TCase *suite_pages(void)
{
    TCase *t = tcase_create("pages");

    tcase_set_timeout(t, 3 * PATIENCE);
    tcase_add_checked_fixture(t, suite_up, suite_down);
    tcase_add_test(t, the_peer_sees_what_is_written);
    tcase_add_test(t, a_peer_keeps_what_it_maps);
    tcase_add_test(t, several_at_a_time);
    tcase_add_test(t, refusals);
    tcase_add_test(t, left_behind);
    return t;
}
