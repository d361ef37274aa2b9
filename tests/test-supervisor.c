/* SPDX-License-Identifier: BSD-2-Clause */
/* The supervisor with scripted plugins in its static table: order, restarts, reload, the end, and what it refuses. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/supervisor.h"

/* ---- scripted plugins: each call is noted as "name:what " in the journal ---- */

static char journal[8192];
static struct unik_ctx *ctx_of[16];     /* by letter: base, mid, app, late, other, wisher */
enum { BASE, MID, APP, LATE, OTHER, WISHER, CYCLE1, CYCLE2, TWIN, PLAYERS };
static struct behaviour {
    bool hold_ready;        /* start() does not say ready */
    bool hold_stop, hold_drain, no_provide;
    int start_error, check_error, usable_error;
    const char *fail_in_start;
} how[PLAYERS];
static int thing;           /* what interfaces point to */

static void note(struct unik_ctx *ctx, const char *what)
{
    size_t n = strlen(journal);

    snprintf(journal + n, sizeof(journal) - n, "%s:%s ", ctx->plugin->name, what);
}

static int who(struct unik_ctx *ctx)
{
    static const char *const names[] = { "base", "mid", "app", "late", "other", "wisher", "cycle1", "cycle2", "twin" };

    for (int i = 0; i < PLAYERS; i++)
        if (strcmp(names[i], ctx->plugin->name) == 0)
            return i;
    abort();
}

static int usable(struct unik_ctx *ctx) { return how[who(ctx)].usable_error; }
static int check(struct unik_ctx *ctx) { return how[who(ctx)].check_error; }

static int start(struct unik_ctx *ctx)
{
    struct behaviour *b = &how[who(ctx)];

    ctx_of[who(ctx)] = ctx;
    note(ctx, "start");
    if (b->start_error)
        return b->start_error;
    for (const char *const *p = ctx->plugin->needs; p && *p; p++)
        ck_assert_ptr_eq(unik_get(ctx, *p), &thing);
    for (const char *const *p = ctx->plugin->provides; p && *p && !b->no_provide; p++)
        ck_assert_int_eq(unik_provide(ctx, *p, &thing), 0);
    if (b->fail_in_start)
        unik_failed(ctx, b->fail_in_start);
    else if (!b->hold_ready)
        unik_ready(ctx);
    return 0;
}

static void drain(struct unik_ctx *ctx)
{
    note(ctx, "drain");
    if (!how[who(ctx)].hold_drain)
        unik_drained(ctx);
}

static void stop(struct unik_ctx *ctx)
{
    note(ctx, "stop");
    if (!how[who(ctx)].hold_stop)
        unik_stopped(ctx);
}

static void abandon(struct unik_ctx *ctx) { note(ctx, "abandon"); }
static void arrived(struct unik_ctx *ctx, const char *i, void *iface)
{
    ck_assert_ptr_eq(iface, &thing);
    note(ctx, i[0] == 'l' ? "got-late" : "got-base");
}
static void gone(struct unik_ctx *ctx, const char *i) { note(ctx, i[0] == 'l' ? "lost-late" : "lost-base"); }

static const struct unik_option int_option[] = {
    { .key = "n", .type = UNIK_INT, .offset = 0, .fallback = "7", .min = 1, .max = 9, .help = "a number" }, { 0 }
};

#define LIST(...) (const char *const[]){ __VA_ARGS__, NULL }
#define PLAYER(id, ...) static const struct unik_plugin id = { UNIK_PLUGIN_HEAD, .name = #id, .version = "1", \
    .summary = "scripted", .targets = UNIK_ON_ANY, .usable = usable, .check = check, .start = start, .stop = stop, \
    .abandon = abandon, .options = int_option, .config_size = sizeof(int64_t), __VA_ARGS__ }
#pragma GCC diagnostic ignored "-Woverride-init"
PLAYER(base, .provides = LIST("base/1"), .drain = drain);
PLAYER(mid, .needs = LIST("base/1"), .provides = LIST("mid/1"));
static const char *app_needs[] = { "mid/1", NULL };     /* a test changes it: another version of the app */
PLAYER(app, .needs = (const char *const *)app_needs, .flags = UNIK_APP, .drain = drain);
PLAYER(late, .needs = LIST("base/1"), .provides = LIST("late/1"), .flags = UNIK_STOP_LATE | UNIK_AWAITED);
PLAYER(other, .targets = UNIK_ON_QUBES);
PLAYER(wisher, .wants = LIST("late/1", "base/1"), .arrived = arrived, .gone = gone);
PLAYER(cycle1, .needs = LIST("c2/1"), .provides = LIST("c1/1"));
PLAYER(cycle2, .needs = LIST("c1/1"), .provides = LIST("c2/1"));
PLAYER(twin, .provides = LIST("base/1"));

static const struct unik_plugin bad_magic = { .magic = 1, .abi = UNIK_ABI_MAJOR, .size = sizeof(struct unik_plugin),
                                              .name = "badmagic" };

const struct unik_plugin *const loader_static[] = { &base, &mid, &app, &late, &other, &wisher, &cycle1, &cycle2, &twin,
                                                    &bad_magic, NULL };

/* ---- running it ---- */

static struct supervisor s;
static char dir[] = "/tmp/unik-test.XXXXXX";

static void reread(struct supervisor *sup, struct unit *u)
{
    struct config c;
    char file[100];

    snprintf(file, sizeof(file), "%s/conf", dir);
    config_init(&c);
    ck_assert_int_eq(config_read(&c, file), 0);
    supervisor_reread(sup, u, &c);
    config_free(&c);
}

static void write_config(const char *text)
{
    char file[100];
    FILE *f;

    snprintf(file, sizeof(file), "%s/conf", dir);
    f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static unsigned load(const char *text)
{
    struct config c;
    char file[100];
    unsigned errors;
    struct timespec t;

    write_config(text);
    snprintf(file, sizeof(file), "%s/conf", dir);
    memset(&s, 0, sizeof(s));
    clock_gettime(CLOCK_MONOTONIC, &t);
    s.began = (double)t.tv_sec;
    s.loop = ev_default_loop(0);
    s.reread = reread;
    config_init(&c);
    ck_assert_int_eq(config_read(&c, file), 0);
    supervisor_load(&s, &c);
    errors = c.errors;
    config_free(&c);
    return errors;
}

static void on_time(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)w, (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

static void run_for(double seconds)
{
    ev_timer t;

    ev_now_update(s.loop);
    ev_timer_init(&t, on_time, seconds, 0);
    ev_timer_start(s.loop, &t);
    ev_run(s.loop, 0);
    ev_timer_stop(s.loop, &t);
}

static void run_to_end(double seconds)
{
    run_for(seconds);
    ck_assert_int_eq(s.phase, SUPERVISOR_ENDED);
    for (size_t i = 0; i < s.n; i++)
        ck_assert(!unit_active(s.units[i]));
}

static void begin(const char *text)
{
    ck_assert_uint_eq(load(text), 0);
    journal[0] = 0;
    supervisor_start(&s);
    run_for(0.02);
}

static struct unit *unit(const char *name)
{
    for (size_t i = 0; i < s.n; i++)
        if (strcmp(s.units[i]->name, name) == 0)
            return s.units[i];
    ck_abort_msg("no unit %s", name);
}

static void set_up(void)
{
    memset(how, 0, sizeof(how));
    ck_assert_ptr_nonnull(mkdtemp(strcpy(dir, "/tmp/unik-test.XXXXXX")));
}

static void tear_down(void)
{
    char file[100];

    supervisor_free(&s);
    snprintf(file, sizeof(file), "%s/conf", dir);
    unlink(file);
    rmdir(dir);
}

/* ---- tests ---- */

START_TEST(starts_by_need_and_stops_in_reverse)
{
    begin("[app]\n[late]\n[mid]\n[base]\n[wisher]\n");
    ck_assert_str_eq(journal, "base:start wisher:start wisher:got-base late:start wisher:got-late mid:start app:start ");
    ck_assert(s.told_ready);
    journal[0] = 0;
    supervisor_end(&s, UNIK_POWEROFF, "test");
    run_to_end(1);
    /* drained all at once; the app first, then what nobody needs, the late one after all it does not need */
    ck_assert_str_eq(journal, "app:drain base:drain app:stop mid:stop wisher:stop late:stop base:stop ");
}
END_TEST

START_TEST(waits_for_what_is_late)
{
    how[BASE].hold_ready = true;
    begin("[app]\n[mid]\n[base]\n[wisher]\n");
    /* published is enough for who wants it; who needs it waits for ready */
    ck_assert_str_eq(journal, "base:start wisher:start wisher:got-base ");
    ck_assert(!s.told_ready);
    unik_ready(ctx_of[BASE]);
    run_for(0.02);
    ck_assert_str_eq(journal, "base:start wisher:start wisher:got-base mid:start app:start ");
}
END_TEST

START_TEST(degraded_keeps_dependents)
{
    char text[4000];
    struct unik_text t;

    begin("[app]\n[mid]\n[base]\n");
    journal[0] = 0;
    unik_degraded(ctx_of[BASE], "peer is away");
    run_for(0.02);
    ck_assert_str_eq(journal, "");
    ck_assert_int_eq(unit("base")->state, UNIT_DEGRADED);
    unik_text_init(&t, text, sizeof(text));
    status_report(&s, &t);
    ck_assert_ptr_nonnull(strstr(text, "base: degraded"));
    ck_assert_ptr_nonnull(strstr(text, "(peer is away)"));
    unik_ready(ctx_of[BASE]);
    ck_assert_int_eq(unit("base")->state, UNIT_READY);
}
END_TEST

START_TEST(failure_takes_dependents_along_and_comes_back)
{
    begin("[app]\n[mid]\n[base]\n[wisher]\n");
    journal[0] = 0;
    unik_failed(ctx_of[BASE], "test");
    run_for(0.05);
    ck_assert_str_eq(journal, "app:stop mid:stop wisher:lost-base base:stop ");
    ck_assert_int_eq(unit("base")->state, UNIT_FAILED);
    journal[0] = 0;
    run_for(0.5);           /* the first back-off is 0.2 s */
    ck_assert_str_eq(journal, "base:start wisher:got-base mid:start app:start ");
    ck_assert_uint_eq(unit("base")->restarts, 1);
}
END_TEST

START_TEST(back_off_grows)
{
    how[BASE].start_error = -EIO;
    begin("[base]\n");
    ck_assert_int_eq(unit("base")->state, UNIT_FAILED);
    ck_assert_double_eq_tol(unit("base")->backoff.next, 0.4, 0.001);
    run_for(0.3);
    ck_assert_uint_eq(unit("base")->restarts, 1);
    ck_assert_double_eq_tol(unit("base")->backoff.next, 0.8, 0.001);
    /* start() failed, so it has released all: stop() is not called */
    ck_assert_str_eq(journal, "base:start base:start ");
}
END_TEST

/* A plugin that waits for what may never come does not keep the rest from being ready, nor do those that need it; one that
 * all await does, and so does one that says nothing. */
START_TEST(settled)
{
    how[MID].hold_ready = how[LATE].hold_ready = true;
    begin("[base]\n[mid]\n[app]\n[late]\n[wisher]\n");
    ck_assert(!supervisor_settled(&s));
    unik_degraded(ctx_of[LATE], "waiting for dom0");
    ck_assert(!supervisor_settled(&s));
    unik_ready(ctx_of[LATE]);
    unik_degraded(ctx_of[LATE], "gone again");
    ck_assert(!supervisor_settled(&s));             /* mid starts, and app with it */
    unik_degraded(ctx_of[MID], "no network card");
    ck_assert(supervisor_settled(&s));
    ck_assert_int_eq(unit("mid")->state, UNIT_STARTING);
    ck_assert_int_eq(unit("app")->state, UNIT_CONFIGURED);
    run_for(0.02);
    unik_ready(ctx_of[MID]);                        /* a card comes */
    run_for(0.02);
    ck_assert_int_eq(unit("app")->state, UNIT_READY);
    ck_assert(supervisor_settled(&s));
}
END_TEST

START_TEST(on_failure_ignore_and_shutdown)
{
    how[BASE].fail_in_start = "cannot";
    begin("[base]\non-failure = ignore\n[other]\n");
    ck_assert_str_eq(journal, "base:start other:start base:stop ");
    ck_assert_int_eq(unit("base")->state, UNIT_FAILED);
    ck_assert(!unit("base")->retries);
    ck_assert(supervisor_settled(&s));
    supervisor_free(&s);

    begin("[base]\non-failure = shutdown\n[other]\n");
    run_to_end(1);
    ck_assert(s.broken);
    ck_assert_str_eq(journal, "base:start other:start base:stop other:stop ");
}
END_TEST

START_TEST(end_has_deadlines)
{
    how[BASE].hold_drain = true;
    how[MID].hold_stop = true;
    begin("drain-timeout = 0.1\nstop-timeout = 0.1\n[mid]\n[base]\n");
    journal[0] = 0;
    supervisor_end(&s, UNIK_REBOOT, "test");
    run_to_end(2);
    ck_assert_str_eq(journal, "base:drain mid:stop mid:abandon base:stop ");
    ck_assert_int_eq(s.how, UNIK_REBOOT);
}
END_TEST

START_TEST(second_end_does_not_wait)
{
    how[BASE].hold_drain = true;
    begin("drain-timeout = 50\n[base]\n");
    supervisor_end(&s, UNIK_POWEROFF, "test");
    run_for(0.05);
    ck_assert_int_eq(s.phase, SUPERVISOR_DRAINS);
    supervisor_end(&s, UNIK_POWEROFF, "again");
    run_to_end(1);
}
END_TEST

START_TEST(end_while_starting_and_while_failed)
{
    how[BASE].hold_ready = true;
    how[OTHER].start_error = -EIO;
    begin("[mid]\n[base]\n[other]\n");
    supervisor_end(&s, UNIK_POWEROFF, "test");
    run_to_end(1);
    ck_assert_str_eq(journal, "base:start other:start base:drain base:stop ");
}
END_TEST

START_TEST(a_plugin_can_end_all)
{
    begin("[base]\n");
    unik_end(ctx_of[BASE], UNIK_REBOOT, "dom0 said so");
    run_to_end(1);
    ck_assert_int_eq(s.how, UNIK_REBOOT);
}
END_TEST

START_TEST(reload_takes_new_options)
{
    begin("[app]\nn = 3\n[mid]\n[base]\n");
    ck_assert_int_eq(*(int64_t *)ctx_of[APP]->config, 3);
    journal[0] = 0;
    write_config("[app]\nn = 4\n[mid]\n[base]\n");
    supervisor_reload(&s);
    run_for(0.05);
    ck_assert_str_eq(journal, "app:stop app:start ");
    ck_assert_int_eq(*(int64_t *)ctx_of[APP]->config, 4);
    journal[0] = 0;
    write_config("[app]\nn = 44\n[mid]\n[base]\n");     /* a mistake: it stays out ... */
    supervisor_reload(&s);
    run_for(0.05);
    ck_assert_str_eq(journal, "app:stop ");
    ck_assert_int_eq(unit("app")->state, UNIT_FAILED);
    write_config("[app]\nn = 5\n[mid]\n[base]\n");      /* ... until it is mended */
    supervisor_reload(&s);
    run_for(0.05);
    ck_assert_str_eq(journal, "app:stop app:start ");
    supervisor_end(&s, UNIK_POWEROFF, "test");
    run_to_end(1);
}
END_TEST

/* The config in which the section stood has been given back long ago; optional or not, the app is not taken out of the list. */
START_TEST(reload_of_an_app_whose_needs_nobody_meets)
{
    struct unit *u;

    begin("target = unix\n[base]\n[mid]\n[app]\noptional = yes\n");
    u = unit("app");
    for (int i = 0; i < 2; i++) {
        app_needs[0] = i ? "mid/1" : "none/1";
        supervisor_reload(&s);
        run_for(0.05);
        ck_assert_ptr_eq(unit("app"), u);
        ck_assert_int_eq(u->state, i ? UNIT_READY : UNIT_FAILED);
    }
    supervisor_end(&s, UNIK_POWEROFF, "test");
    run_to_end(1);
}
END_TEST

static void say_late(const char *name, const char *expected)
{
    char text[4096];
    struct unik_text t;
    struct unit *u = unit(name);

    ck_assert(ev_is_active(&u->timer));
    unit_feed(u, UNIT_LATE, NULL);
    unik_text_init(&t, text, sizeof(text));
    log_last(&t, 1);
    ck_assert_msg(strstr(text, expected) != NULL, "%s", text);
}

START_TEST(who_is_late_says_what_for)
{
    how[BASE].hold_ready = true;
    begin("target = unix\n[base]\n[mid]\n");
    say_late("base", "[base] not ready after 10 s: it does not say");
    unik_degraded(ctx_of[BASE], "waiting for the card");
    say_late("base", "[base] not ready after 10 s: waiting for the card");
    say_late("mid", "[mid] not started after 10 s: waits for base/1 (base is starting)");
    unik_ready(ctx_of[BASE]);
    run_for(0.02);
    ck_assert(!ev_is_active(&unit("base")->timer));
    ck_assert(!ev_is_active(&unit("mid")->timer));
    supervisor_end(&s, UNIK_POWEROFF, "test");
    run_to_end(1);
}
END_TEST

START_TEST(start_gives_what_it_must_not)
{
    how[OTHER].start_error = 22;
    begin("[other]\non-failure = ignore\n");
    ck_assert_int_eq(unit("other")->state, UNIT_FAILED);
    ck_assert_ptr_nonnull(strstr(unit("other")->reason, "start() returned 22"));
    supervisor_end(&s, UNIK_POWEROFF, "test");
    run_to_end(1);
}
END_TEST

START_TEST(ready_without_what_it_provides)
{
    how[BASE].no_provide = true;
    begin("target = unix\n[base]\non-failure = ignore\n[mid]\n");
    ck_assert_int_eq(unit("base")->state, UNIT_FAILED);
    ck_assert_ptr_nonnull(strstr(unit("base")->reason, "without having published base/1"));
    ck_assert_str_eq(journal, "base:start base:stop ");
    supervisor_end(&s, UNIK_POWEROFF, "test");
    run_to_end(1);
}
END_TEST

START_TEST(calls_that_make_no_sense_do_nothing)
{
    begin("[base]\n");
    unik_stopped(ctx_of[BASE]);
    ck_assert_int_eq(unit("base")->state, UNIT_READY);
    ck_assert_int_eq(unik_provide(ctx_of[BASE], "base/1", &thing), -EEXIST);
    ck_assert_int_eq(unik_provide(ctx_of[BASE], "mid/1", &thing), -EINVAL);
    ck_assert_ptr_null(unik_get(ctx_of[BASE], "nothing/1"));
}
END_TEST

START_TEST(refused_before_anything_starts)
{
    static const struct {
        const char *config;
        unsigned errors;
    } cases[] = {
        { "[mid]\n", 1 },                           /* nobody provides base/1 */
        { "[base]\n[twin]\n", 1 },                  /* two provide it */
        { "[cycle1]\n[cycle2]\n", 1 },
        { "target = unix\n[other]\n", 1 },          /* needs target qubes */
        { "[badmagic]\n", 1 },
        { "[unheard-of]\n", 1 },
        { "[base]\nn = 0\n[mid]\nn = x\nq = 1\n", 3 },  /* all of them */
        { "[base]\nfallback = yes\n[mid]\nn=1 \nfoo\n", 1 },
        { "nonsense = 1\n", 1 },
        { "", 1 },
        { "log = loud\n[base]\n", 1 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        journal[0] = 0;
        ck_assert_msg(load(cases[i].config) == cases[i].errors, "case %zu", i);
        ck_assert_str_eq(journal, "");
        if (i + 1 < sizeof(cases) / sizeof(cases[0]))
            supervisor_free(&s);    /* the last one is tear_down()'s */
    }
}
END_TEST

START_TEST(refused_by_check)
{
    how[BASE].check_error = -EINVAL;
    ck_assert_uint_eq(load("[base]\n[other]\n"), 1);
}
END_TEST

START_TEST(leaves_out_what_is_optional)
{
    how[BASE].usable_error = -ENODEV;
    /* base is not usable, so mid has nobody to need, and twin takes its place only where it is asked to */
    begin("[base]\noptional = yes\n[mid]\noptional = yes\n[other]\n[unheard-of]\noptional = yes\n");
    ck_assert_uint_eq(s.n, 1);
    ck_assert_str_eq(journal, "other:start ");
    supervisor_free(&s);

    begin("[twin]\nfallback = yes\n[base]\noptional = yes\n[mid]\n");
    ck_assert_str_eq(journal, "twin:start mid:start ");
    supervisor_free(&s);

    how[BASE].usable_error = 0;
    begin("[twin]\nfallback = yes\n[base]\noptional = yes\n[mid]\n");
    ck_assert_str_eq(journal, "base:start mid:start ");
    supervisor_free(&s);

    begin("target = unix\n[other]\noptional = yes\n[base]\n");
    ck_assert_str_eq(journal, "base:start ");
}
END_TEST

START_TEST(every_event_in_every_state)
{
    /* Whatever a plugin says, whenever it says it: the end is always reached. */
    for (int state = 0; state < UNIT_STATES; state++)
        for (int event = UNIT_IS_READY; event <= UNIT_IS_STOPPED; event++) {
            if (event == UNIT_LEAVE || event == UNIT_STOP)
                continue;
            how[BASE].hold_ready = state == UNIT_STARTING;
            how[BASE].hold_stop = state == UNIT_LEAVING || state == UNIT_STOPPING;
            how[BASE].start_error = state == UNIT_FAILED ? -EIO : 0;
            how[BASE].usable_error = 0;
            ck_assert_uint_eq(load("stop-timeout = 0.05\n[base]\n[mid]\n[wisher]\n"), 0);
            supervisor_start(&s);
            if (state != UNIT_CONFIGURED)
                run_for(0.01);
            if (state == UNIT_DEGRADED)
                unik_degraded(&unit("base")->ctx, "test");
            if (state == UNIT_LEAVING || state == UNIT_STOPPING || state == UNIT_STOPPED)
                unik_failed(&unit("base")->ctx, "test");
            if (state == UNIT_STOPPING || state == UNIT_STOPPED)
                run_for(0.01);
            unit_feed(unit("base"), (enum unit_event)event, "test");
            run_for(0.01);
            supervisor_end(&s, UNIK_POWEROFF, "test");
            run_to_end(0.5);
            supervisor_free(&s);
                }
    ck_assert_uint_eq(load("[base]\n"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("supervisor");
    TCase *t = tcase_create("supervisor");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 900);
    tcase_add_test(t, starts_by_need_and_stops_in_reverse);
    tcase_add_test(t, waits_for_what_is_late);
    tcase_add_test(t, degraded_keeps_dependents);
    tcase_add_test(t, failure_takes_dependents_along_and_comes_back);
    tcase_add_test(t, back_off_grows);
    tcase_add_test(t, settled);
    tcase_add_test(t, on_failure_ignore_and_shutdown);
    tcase_add_test(t, end_has_deadlines);
    tcase_add_test(t, second_end_does_not_wait);
    tcase_add_test(t, end_while_starting_and_while_failed);
    tcase_add_test(t, a_plugin_can_end_all);
    tcase_add_test(t, reload_takes_new_options);
    tcase_add_test(t, reload_of_an_app_whose_needs_nobody_meets);
    tcase_add_test(t, who_is_late_says_what_for);
    tcase_add_test(t, start_gives_what_it_must_not);
    tcase_add_test(t, ready_without_what_it_provides);
    tcase_add_test(t, calls_that_make_no_sense_do_nothing);
    tcase_add_test(t, refused_before_anything_starts);
    tcase_add_test(t, refused_by_check);
    tcase_add_test(t, leaves_out_what_is_optional);
    tcase_add_test(t, every_event_in_every_state);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
