/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/owner.c - channels that a plugin leaves behind when it stops: cut off without a callback, and named; what is
 * others' stays. */
#include <string.h>
#include "tests/common/leaver.h"
#include "tests/vchan/suite.h"

static char said[1024];                 /* all warnings */
static bool stopped;                    /* the leaver: from then on nothing of it may be called */

static void on_line(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    size_t n = strlen(said);

    (void)ctx, (void)arg;
    if (level == UNIK_WARNING)
        snprintf(said + n, sizeof(said) - n, "%s\n", line);
}

static void on_event(struct unik_stream *s, unsigned events, void *arg)
{
    (void)s;
    ck_assert(!stopped);
    if (events & UNIK_STREAM_OPEN)
        *(bool *)arg = true;
}

static struct unik_ctx *begin(void)
{
    struct unik_ctx *user = host_add(pair.h, &leaver, NULL);

    said[0] = 0;
    stopped = false;
    host_on_log(pair.h, on_line, NULL);
    ck_assert_int_eq(host_start(user), 0);
    return user;
}

static void stop(struct unik_ctx *user)
{
    host_stop_wait(user, PATIENCE);
    stopped = true;
}

START_TEST(cut_off)
{
    struct unik_ctx *user = begin();
    struct unik_vchan *v = pair.v[0];
    struct unik_stream *waiting, *seeking, *open, *again;
    struct end far, others, others_far;
    bool opened = false, never = false;

    ck_assert_int_eq(v->listen(v, user, pair.domid[1], 620, 64, 64, on_event, &opened, &open), 0);
    end_connect(&far, 1, 620);
    WAIT_FOR(opened && far.opens);
    ck_assert_int_eq(v->listen(v, user, pair.domid[1], 621, 64, 64, on_event, &never, &waiting), 0);
    ck_assert_int_eq(v->connect(v, user, pair.domid[1], 622, on_event, &never, &seeking), 0);
    end_pair(&others, &others_far, 623, 4096);
    ck_assert_int_eq(unik_stream_write(far.s, "x", 1), 1);      /* on its way when the plugin stops */
    stop(user);
    ck_assert_ptr_nonnull(strstr(said, "leaver stopped and left behind: channel to dom2 port 620\n"));
    ck_assert_ptr_nonnull(strstr(said, "leaver stopped and left behind: channel to dom2 port 621\n"));
    ck_assert_ptr_nonnull(strstr(said, "leaver stopped and left behind: channel from dom2 port 622\n"));
    ck_assert_ptr_null(strstr(said, "623"));
    WAIT_FOR(end_state(&far) == UNIK_VCHAN_DISCONNECTED);
    ck_assert(!never);
    ck_assert_int_eq(end_state(&others), UNIK_VCHAN_CONNECTED);
    ck_assert_int_eq(v->listen(v, NULL, pair.domid[1], 621, 64, 64, NULL, NULL, &again), 0);    /* the name is free */
    unik_stream_close(again);
    end_close(&far);
    end_close(&others);
    end_close(&others_far);
}
END_TEST

/* As tls does with the streams that it is given. */
START_TEST(given_away)
{
    struct unik_ctx *user = begin(), *other = host_add(pair.h, &leaver, NULL);
    struct unik_vchan *v = pair.v[0];
    struct unik_stream *s;
    bool never = false;

    ck_assert_int_eq(host_start(other), 0);
    ck_assert_int_eq(v->listen(v, user, pair.domid[1], 624, 64, 64, on_event, &never, &s), 0);
    ck_assert_ptr_eq(unik_stream_give(s, other), user);
    host_stop_wait(user, PATIENCE);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(v->state(s), UNIK_VCHAN_WAITING);
    stop(other);
    ck_assert_ptr_nonnull(strstr(said, "port 624\n"));
}
END_TEST

TCase *suite_owner(void)
{
    TCase *t = tcase_create("owner");

    tcase_add_checked_fixture(t, suite_up, suite_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, cut_off);
    tcase_add_test(t, given_away);
    return t;
}
