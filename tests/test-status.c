/* SPDX-License-Identifier: BSD-2-Clause */
/* status: the report in a window. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "apps/status/view.h"
#include "tests/common/fake-gui.h"
#include "tests/common/fake-qrexec.h"
#include "tests/common/run.h"
#include "tests/www/mem-stream.h"
#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_status;

#define END_KEY 0xff57
#define PAGE_UP 0xff55

static struct host *h;
static struct unik_ctx *ctx;
static struct fake_gui gui;
static struct fake_qrexec qrexec;

static void begin(void)
{
    static const char *const options[] = { "every=0.1", "width=400", "height=100", NULL };

    fake_qrexec_open(&qrexec);
    h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    fake_gui_open(&gui, ev_default_loop(0));
    host_publish(h, "gui/1", &gui.api);
    host_publish(h, "qrexec/1", &qrexec.api);
    ctx = host_add(h, &unik_plugin_status, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert_uint_eq(qrexec.n, 1);
    ck_assert_str_eq(qrexec.served[0].name, "status.Show");
    host_run(h, 0.05);
}

static void end(void)
{
    host_stop_wait(ctx, 5);
    fake_gui_close(&gui);
    host_free(h);
}

static struct fake_window *window(void)
{
    for (int i = 0; i < 500 && !(fake_gui_window(&gui, 0) && fake_gui_window(&gui, 0)->buffer.pixels); i++)
        host_run(h, 0.02);
    ck_assert_ptr_nonnull(fake_gui_window(&gui, 0));
    return fake_gui_window(&gui, 0);
}

START_TEST(only_what_changed_is_drawn)
{
    uint64_t looks, rows;

    window();
    looks = host_counter(ctx, "looks");
    rows = host_counter(ctx, "rows_drawn");
    ck_assert_uint_gt(rows, 0);
    for (int i = 0; i < 200 && host_counter(ctx, "looks") < looks + 5; i++)
        host_run(h, 0.05);
    ck_assert_uint_ge(host_counter(ctx, "looks"), looks + 5);
    /* the report of the smallest host has few lines, of which the app's own counters change */
    ck_assert_uint_le(host_counter(ctx, "rows_drawn"), rows + 3 * (host_counter(ctx, "looks") - looks));
}
END_TEST

START_TEST(sizes_and_keys)
{
    static const struct { int width, height; } sizes[] = { { 1, 1 }, { 2000, 20 }, { 20, 2000 }, { 400, 6144 }, { 400, 100 } };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fake_gui_resize(window(), sizes[i].width, sizes[i].height);
        fake_gui_key(window(), END_KEY, "");
        fake_gui_key(window(), PAGE_UP, "");
        fake_gui_click(window(), 0, 0, 4);
        fake_gui_click(window(), 0, 0, 5);
    }
    ck_assert_uint_gt(fake_gui_count(window(), 0, 0, 400, 1, 0x304050), 0);
}
END_TEST

START_TEST(hidden_it_does_not_look)
{
    uint64_t looks;

    window();
    fake_gui_event(window(), &(struct unik_gui_event){ .type = UNIK_GUI_STATE, .state = UNIK_GUI_MINIMISED });
    looks = host_counter(ctx, "looks");
    host_run(h, 0.5);
    ck_assert_uint_eq(host_counter(ctx, "looks"), looks);
    fake_gui_event(window(), &(struct unik_gui_event){ .type = UNIK_GUI_STATE });
    for (int i = 0; i < 200 && host_counter(ctx, "looks") == looks; i++)
        host_run(h, 0.05);
    ck_assert_uint_gt(host_counter(ctx, "looks"), looks);
}
END_TEST

START_TEST(closed_and_shown_again)
{
    static const struct mem_options usual;
    struct unik_qrexec_call call = { .exit_code = -1 };
    struct unik_stream *ends[2];

    window();
    fake_gui_event(window(), &(struct unik_gui_event){ .type = UNIK_GUI_CLOSE });
    ck_assert_ptr_null(fake_gui_window(&gui, 0));
    host_run(h, 0.3);
    ck_assert_ptr_null(fake_gui_window(&gui, 0));
    for (int i = 0; i < 2; i++) {                   /* the second time it is there already */
        mem_pair(ev_default_loop(0), &usual, ends);
        call.io = ends[0];
        qrexec.served[0].handler(&call, qrexec.served[0].arg);
        unik_stream_close(ends[1]);
        ck_assert_int_eq(call.exit_code, 0);
        window();
        ck_assert_ptr_null(fake_gui_window(&gui, 1));
    }
}
END_TEST

START_TEST(copies_the_report)
{
    window();
    host_run(h, 0.2);
    fake_gui_event(window(), &(struct unik_gui_event){ .type = UNIK_GUI_COPY });
    ck_assert_uint_gt(gui.clipboard_size, 0);
}
END_TEST

/* ---- what comes first ---- */

static const char report[] =
    "unik 1, target qubes: degraded, up 65.0 s\n"
    "\nqubesdb: ready for 60.0 s\n  syncs: 2\n  drops: 0\n  dom0: connected\n  pending writes: 0\n"
    "\nnet-lwip: degraded for 3.2 s (the network card has no link)\n  sent: 7\n  lost: 0\n  late: 0\n  address: 10.137.0.5\n"
    "  address: fd09::5\n  name server: 10.139.1.1\n  listening: port 80\n"
    "\ntls: failed for 1.0 s (no certificate)\n  sessions: 0\n"
    "\nlast lines:\n"
    "  2026-12-01 12:00:01 -00:00: INF [supervisor] first\n"
    "  2026-12-01 12:00:02 -00:00: WRN [net-lwip] degraded: the network card has no link, and this is a line that is longer than the "
    "window is wide\n"
    "  2026-12-01 12:00:03 -00:00: ERR [tls] failed\n";

static struct view view;
static struct unik_font *font;

static void make(int width, int height)
{
    if (!font)
        ck_assert_int_eq(unik_font_open(15, &font), 0);
    view_make(&view, report, font, width, (unsigned)((height - 15) / 15));
}

/* The first row with this text at its beginning, or -1. */
static int row_of(const char *text)
{
    for (unsigned i = 0; i < view.n; i++)
        if (view.row[i].n >= strlen(text) && memcmp(view.row[i].text, text, strlen(text)) == 0)
            return (int)i;
    return -1;
}

START_TEST(what_a_person_looks_for_is_first)
{
    make(780, 600);
    ck_assert_int_eq(row_of("unik 1, target qubes: degraded"), 0);
    ck_assert_uint_eq(view.row[0].colour, WARN);
    ck_assert_int_eq(row_of("net-lwip: degraded for 3.2 s (the network card has no link)"), 1);
    ck_assert_int_eq(row_of("tls: failed for 1.0 s (no certificate)"), 2);
    ck_assert_uint_eq(view.row[2].colour, FAIL);
    ck_assert_int_eq(row_of("address: 10.137.0.5, fd09::5"), 3);
    ck_assert_int_eq(row_of("listening: port 80"), 4);
    ck_assert_int_eq(row_of("last lines:"), 5);
    ck_assert_int_eq(row_of("12:00:01 INF [supervisor] first"), 6);
    ck_assert_int_eq(row_of("12:00:02 WRN"), 7);
    ck_assert(view.row[8].more && view.row[8].colour == WARN);          /* wrapped, not cut */
    ck_assert_int_eq(row_of("12:00:03 ERR [tls] failed"), 9);
    ck_assert_int_gt(row_of("qubesdb: ready"), 9);
}
END_TEST

START_TEST(counters_that_are_0_are_folded)
{
    int at;

    make(780, 600);
    ck_assert_int_eq(row_of("  drops: 0"), -1);
    ck_assert_int_eq(row_of("  lost: 0"), -1);
    ck_assert_int_ge(row_of("  pending writes: 0"), 0);                 /* a line of the plugin's own */
    at = row_of("  (1 counter is 0)");
    ck_assert_int_gt(at, row_of("  pending writes: 0"));
    ck_assert_int_gt(row_of("  (2 counters are 0)"), at);
    ck_assert_int_ge(row_of("  sent: 7"), 0);
    ck_assert_int_gt(row_of("  2026-12-01 12:00:01 -00:00: INF"), row_of("  (2 counters are 0)"));      /* the whole log is the end */
}
END_TEST

/* In the smallest window that makes sense: the state, why, and the newest line begin in what is seen. */
START_TEST(a_small_window)
{
    make(280, 120);
    ck_assert_int_eq(row_of("degraded, up 65.0 s"), 0);
    ck_assert_int_eq(row_of("net-lwip: degraded for 3.2 s"), 1);
    ck_assert_int_ge(row_of("tls: failed for 1.0 s"), 2);
    ck_assert_int_gt(row_of("last lines:"), 7);                        /* only that of the whole log */
    make(280, 165);
    ck_assert_int_ge(row_of("12:00:03 ERR [tls] failed"), 4);
    ck_assert_int_lt(row_of("12:00:03 ERR [tls] failed"), 10);
    for (int width = -20; width < 300; width++) {                       /* and no width is too small */
        make(width, 120);
        ck_assert_uint_gt(view.n, 0);
        for (unsigned i = 0; i < view.n; i++)
            ck_assert_uint_le(view.row[i].n, VIEW_ROW_BYTES);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("status");

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, only_what_changed_is_drawn);
    tcase_add_test(t, sizes_and_keys);
    tcase_add_test(t, hidden_it_does_not_look);
    tcase_add_test(t, closed_and_shown_again);
    tcase_add_test(t, copies_the_report);
    tcase_add_test(t, what_a_person_looks_for_is_first);
    tcase_add_test(t, counters_that_are_0_are_folded);
    tcase_add_test(t, a_small_window);
    return run_case("status", t);
}
