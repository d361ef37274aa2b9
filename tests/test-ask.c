/* SPDX-License-Identifier: BSD-2-Clause */
/* ask: callers, a user and the window between them. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/ask/ask.h"
#include "tests/common/fake-gui.h"
#include "tests/common/fake-qrexec.h"
#include "tests/common/run.h"
#include "tests/www/mem-stream.h"
#include "tools/host/host.h"

extern const struct unik_plugin unik_plugin_ask;

#define RETURN 0xff0d
#define ESCAPE 0xff1b
#define TAB 0xff09
#define BACKSPACE 0xff08

static struct host *h;
static struct unik_ctx *ctx;
static struct fake_gui gui;
static struct fake_qrexec qrexec;

struct caller {
    struct unik_qrexec_call call;
    struct unik_stream *io;
    char answer[2000];
    size_t n;
    bool over;
};

static void begin_with(const char *const *options)
{
    fake_qrexec_open(&qrexec);
    h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    fake_gui_open(&gui, ev_default_loop(0));
    host_publish(h, "gui/1", &gui.api);
    host_publish(h, "qrexec/1", &qrexec.api);
    ctx = host_add(h, &unik_plugin_ask, options);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(host_start(ctx), 0);
    ck_assert_uint_eq(qrexec.n, 3);
}

static void begin(void)
{
    static const char *const options[] = { "quiet=0", NULL };

    begin_with(options);
}

static void end(void)
{
    if (host_state(ctx) != HOST_STOPPED)
        host_stop_wait(ctx, 5);
    fake_gui_close(&gui);
    for (int i = 0; i < 100 && mem_open; i++)
        host_run(h, 0.01);
    host_free(h);
}

#define TURNS_MAX 3000              /* of 0.02 s or longer: for what never comes */

static void turn(void) { host_run(h, 0.02); }

/* Until a counter is so high. */
static void await(const char *counter, uint64_t least)
{
    for (int i = 0; i < TURNS_MAX && host_counter(ctx, counter) < least; i++)
        turn();
    ck_assert_uint_ge(host_counter(ctx, counter), least);
}

static void call(struct caller *c, enum ask_kind kind, const char *peer)
{
    static const struct mem_options usual;
    struct unik_stream *ends[2];

    *c = (struct caller){ 0 };
    mem_pair(ev_default_loop(0), &usual, ends);
    c->io = ends[1];
    c->call = (struct unik_qrexec_call){ .io = ends[0], .service = "ask", .argument = "", .peer = peer, .user = "user", .exit_code = -1 };
    qrexec.served[kind].handler(&c->call, qrexec.served[kind].arg);
}

/* And it is taken, or refused. */
static void ask(struct caller *c, enum ask_kind kind, const char *peer, const char *text)
{
    uint64_t before = host_counter(ctx, "asked") + host_counter(ctx, "refused");

    call(c, kind, peer);
    ck_assert_int_eq(unik_stream_write(c->io, text, strlen(text)), (ssize_t)strlen(text));
    unik_stream_shut(c->io);
    for (int i = 0; i < TURNS_MAX && host_counter(ctx, "asked") + host_counter(ctx, "refused") == before; i++)
        turn();
    ck_assert_uint_eq(host_counter(ctx, "asked") + host_counter(ctx, "refused"), before + 1);
}

/* The call has ended with this code and this output. */
static void ended(struct caller *c, int code, const char *answer)
{
    ssize_t k = -EAGAIN;

    for (int i = 0; i < TURNS_MAX && k != 0; i++) {
        k = unik_stream_read(c->io, c->answer + c->n, sizeof(c->answer) - 1 - c->n);
        if (k > 0)
            c->n += (size_t)k;
        else if (k < 0)
            turn();
    }
    ck_assert_int_eq(k, 0);
    ck_assert_int_eq(c->call.exit_code, code);
    ck_assert_str_eq(c->answer, answer);
    unik_stream_close(c->io);
}

static struct fake_window *window(void)
{
    for (int i = 0; i < TURNS_MAX && !(fake_gui_window(&gui, 0) && fake_gui_window(&gui, 0)->buffer.pixels); i++)
        turn();
    ck_assert_ptr_nonnull(fake_gui_window(&gui, 0));
    turn();
    return fake_gui_window(&gui, 0);
}

START_TEST(yes_and_no)
{
    struct caller c;

    ask(&c, ASK_YES_NO, "work", "Delete all?\n");
    ck_assert_str_eq(window()->title, "work asks");
    fake_gui_key(window(), RETURN, "\r");           /* the first focus is on No */
    ended(&c, 1, "no\n");
    ask(&c, ASK_YES_NO, "work", "Delete all?");
    fake_gui_key(window(), TAB, "\t");
    fake_gui_key(window(), RETURN, "\r");
    ended(&c, 0, "yes\n");
    ask(&c, ASK_YES_NO, "work", "Delete all?");
    fake_gui_type(window(), "y");                   /* letters decide nothing */
    fake_gui_key(window(), ESCAPE, "");
    ended(&c, 1, "no\n");
    ask(&c, ASK_YES_NO, "work", "Delete all?");
    fake_gui_event(window(), &(struct unik_gui_event){ .type = UNIK_GUI_CLOSE });
    ended(&c, 1, "no\n");
    ck_assert_uint_eq(host_counter(ctx, "answered"), 4);
    ck_assert_ptr_null(fake_gui_window(&gui, 0));
}
END_TEST

START_TEST(by_mouse)
{
    struct caller c;
    struct fake_window *w;
    int y;

    ask(&c, ASK_YES_NO, "work", "Delete all?");
    w = window();
    y = w->buffer.height - 2 * 18;                  /* the buttons are above the last empty line */
    fake_gui_click(w, 5, y, 1);                     /* beside them */
    fake_gui_click(w, w->buffer.width - 25, y, 3);  /* another button */
    ck_assert_ptr_nonnull(fake_gui_window(&gui, 0));
    fake_gui_click(w, w->buffer.width - 25, y, 1);
    ended(&c, 1, "no\n");
    ask(&c, ASK_YES_NO, "work", "Delete all?");
    w = window();
    fake_gui_click(w, w->buffer.width - 150, w->buffer.height - 2 * 18, 1);
    ended(&c, 0, "yes\n");
}
END_TEST

START_TEST(a_line)
{
    struct caller c;

    ask(&c, ASK_LINE, "dom0", "Name?");
    fake_gui_type(window(), "Grxx");
    fake_gui_key(window(), BACKSPACE, "\b");
    fake_gui_key(window(), BACKSPACE, "\b");
    fake_gui_key(window(), 0xfc, "\xc3\xbc");
    fake_gui_key(window(), 0xdf, "\xc3\x9f");
    fake_gui_key(window(), BACKSPACE, "\b");        /* a whole character */
    fake_gui_type(window(), "n e");
    fake_gui_event(window(), &(struct unik_gui_event){ .type = UNIK_GUI_PASTE, .bytes = "r!\nrm -rf", .size = 9 });
    fake_gui_key(window(), RETURN, "\r");
    ended(&c, 0, "Gr\xc3\xbcn er!\n");
    ask(&c, ASK_LINE, "dom0", "Name?");
    fake_gui_type(window(), "x");
    fake_gui_key(window(), ESCAPE, "");
    ended(&c, 1, "");
    ask(&c, ASK_LINE, "dom0", "Name?");
    fake_gui_key(window(), TAB, "\t");
    fake_gui_key(window(), TAB, "\t");              /* Cancel */
    fake_gui_key(window(), ' ', " ");
    ended(&c, 1, "");
    ask(&c, ASK_LINE, "dom0", "Much?");
    for (int i = 0; i < ASK_ANSWER_MAX + 50; i++)
        fake_gui_type(window(), "m");
    fake_gui_key(window(), RETURN, "\r");
    ck_assert_uint_eq(host_counter(ctx, "cancelled"), 2);
    ck_assert_uint_eq(host_counter(ctx, "answered"), 2);
    for (int i = 0; i < TURNS_MAX && c.n < ASK_ANSWER_MAX + 1; i++) {
        ssize_t k = unik_stream_read(c.io, c.answer + c.n, sizeof(c.answer) - c.n);

        if (k > 0)
            c.n += (size_t)k;
        else
            turn();
    }
    ck_assert_uint_eq(c.n, ASK_ANSWER_MAX + 1);
    unik_stream_close(c.io);
}
END_TEST

/* Not cut, and not in silence: the window says so until the next key. */
START_TEST(a_paste_that_is_too_long)
{
    static uint32_t before[1000 * 1000];
    static char text[ASK_ANSWER_MAX + 1];
    struct caller c;
    struct fake_window *w;
    size_t size;

    ask(&c, ASK_LINE, "dom0", "Name?");
    w = window();
    size = w->buffer.pitch * (size_t)w->buffer.height * sizeof(uint32_t);
    ck_assert_uint_le(size, sizeof(before));
    memcpy(before, w->buffer.pixels, size);
    memset(text, 'x', sizeof(text));
    fake_gui_event(w, &(struct unik_gui_event){ .type = UNIK_GUI_PASTE, .bytes = text, .size = sizeof(text) });
    ck_assert_int_ne(memcmp(before, w->buffer.pixels, size), 0);
    fake_gui_key(w, BACKSPACE, "\b");
    ck_assert_int_eq(memcmp(before, w->buffer.pixels, size), 0);
    fake_gui_event(w, &(struct unik_gui_event){ .type = UNIK_GUI_PASTE, .bytes = "a\xe2\x80\xae\xff" "b\nc", .size = 8 });
    fake_gui_key(w, RETURN, "\r");
    ended(&c, 0, "a??b\n");
}
END_TEST

/* What a caller writes can neither turn the direction of the rest nor hide in it. */
START_TEST(the_question_is_cleaned)
{
    static uint32_t first[1000 * 1000];
    struct caller c;
    struct fake_window *w;
    size_t size;

    ask(&c, ASK_YES_NO, "work", "Delete ??a?b\nall?");
    w = window();
    size = w->buffer.pitch * (size_t)w->buffer.height * sizeof(uint32_t);
    ck_assert_uint_le(size, sizeof(first));
    memcpy(first, w->buffer.pixels, size);
    fake_gui_key(w, ESCAPE, "");
    ended(&c, 1, "no\n");
    ask(&c, ASK_YES_NO, "work", "Delete \x1b\xe2\x80\xae" "a\xff" "b\r\nall?");
    w = window();
    ck_assert_int_eq(memcmp(first, w->buffer.pixels, size), 0);
    fake_gui_key(w, ESCAPE, "");
    ended(&c, 1, "no\n");
}
END_TEST

START_TEST(a_secret_is_not_shown)
{
    static uint32_t one[1000 * 1000];
    struct caller c;
    struct fake_window *w;
    size_t size;

    ask(&c, ASK_SECRET, "vault", "Passphrase?");
    w = window();
    size = w->buffer.pitch * (size_t)w->buffer.height * 4;
    ck_assert_uint_le(size, sizeof(one));
    fake_gui_type(w, "iiii");
    memcpy(one, w->buffer.pixels, size);
    for (int i = 0; i < 4; i++)
        fake_gui_key(w, BACKSPACE, "\b");
    ck_assert_int_ne(memcmp(one, w->buffer.pixels, size), 0);
    fake_gui_type(w, "WXYZ");
    ck_assert_int_eq(memcmp(one, w->buffer.pixels, size), 0);
    fake_gui_key(w, RETURN, "\r");
    ended(&c, 0, "WXYZ\n");
}
END_TEST

#define QUIET 0.5

/* Somebody types on, longer than quiet, and is never quiet. NULL: the machine was, which looks the same. */
static struct fake_window *types_on(struct caller *c)
{
    ev_tstamp last = ev_time();
    struct fake_window *w;

    ask(c, ASK_YES_NO, "work", "Give me all?");
    w = window();
    for (int i = 0; i < 40; i++) {
        ev_now_update(ev_default_loop(0));
        if (ev_time() - last > QUIET / 2)
            return NULL;
        last = ev_time();
        fake_gui_key(w, TAB, "\t");
        fake_gui_key(w, RETURN, "\r");
        fake_gui_click(w, w->buffer.width - 25, w->buffer.height - 36, 1);
        turn();
    }
    return w;
}

START_TEST(nothing_counts_before_quiet)
{
    static const char *const options[] = { "quiet=500ms", NULL };
    struct caller c;
    struct fake_window *w;
    unsigned damages;

    end();
    begin_with(options);
    while ((w = types_on(&c)) == NULL) {            /* the end of the test's time ends this too */
        mem_break(c.io, -ECONNRESET);
        unik_stream_close(c.io);
        for (int i = 0; i < TURNS_MAX && fake_gui_window(&gui, 0); i++)
            turn();
    }
    ck_assert_ptr_eq(fake_gui_window(&gui, 0), w);
    damages = w->damages;
    for (int i = 0; i < TURNS_MAX && w->damages == damages; i++)
        turn();                                     /* it shows that keys count now */
    fake_gui_key(w, RETURN, "\r");
    ended(&c, 1, "no\n");
}
END_TEST

START_TEST(they_wait_in_line)
{
    struct caller c[ASK_WAITING_MAX + 1];

    for (int i = 0; i < ASK_WAITING_MAX; i++)
        ask(&c[i], ASK_LINE, "work", "Name?");
    ck_assert_str_eq(window()->title, "work asks (15 more)");
    call(&c[ASK_WAITING_MAX], ASK_LINE, "work");
    ended(&c[ASK_WAITING_MAX], ASK_REFUSED, "");
    mem_break(c[3].io, -ECONNRESET);                /* one gives up */
    unik_stream_close(c[3].io);
    await("given_up", 1);
    turn();
    ck_assert_str_eq(window()->title, "work asks (14 more)");
    for (int i = 0; i < ASK_WAITING_MAX; i++) {
        char text[] = { (char)('a' + i), 0 }, answer[] = { (char)('a' + i), '\n', 0 };

        if (i == 3)
            continue;
        fake_gui_type(window(), text);
        fake_gui_key(window(), RETURN, "\r");
        ended(&c[i], 0, answer);
    }
    ck_assert_uint_eq(host_counter(ctx, "waiting"), 0);
}
END_TEST

START_TEST(the_one_that_is_shown_gives_up)
{
    struct caller c;

    ask(&c, ASK_LINE, "work", "Name?");
    window();
    mem_break(c.io, -ECONNRESET);
    unik_stream_close(c.io);
    for (int i = 0; i < TURNS_MAX && fake_gui_window(&gui, 0); i++)
        turn();
    ck_assert_ptr_null(fake_gui_window(&gui, 0));
}
END_TEST

START_TEST(nobody_answers)
{
    static const char *const options[] = { "timeout=1s", NULL };
    struct caller c, silent;

    end();
    begin_with(options);
    ask(&c, ASK_LINE, "work", "Name?");
    call(&silent, ASK_LINE, "work");                /* never even asks */
    ended(&c, ASK_TIMEOUT, "");
    ended(&silent, ASK_TIMEOUT, "");
    ck_assert_uint_eq(host_counter(ctx, "timed_out"), 2);
}
END_TEST

START_TEST(what_is_not_asked)
{
    static char text[ASK_TEXT_MAX + 2];
    struct caller c;

    ask(&c, ASK_LINE, "work", "\n\n");
    ended(&c, ASK_REFUSED, "");
    ck_assert_str_eq(fake_err, "ask: no question on standard input\n");
    fake_err[0] = 0;
    memset(text, 'x', ASK_TEXT_MAX + 1);
    ask(&c, ASK_LINE, "work", text);
    ended(&c, ASK_REFUSED, "");
    ck_assert_str_eq(fake_err, "ask: the question is too long\n");
    fake_err[0] = 0;
    memset(text, '\n', ASK_TEXT_MAX);
    text[0] = text[ASK_LINES_MAX + 1] = 'x';
    text[ASK_LINES_MAX + 2] = 0;
    ask(&c, ASK_LINE, "work", text);
    ended(&c, ASK_REFUSED, "");
    ck_assert_str_eq(fake_err, "ask: the question has too many lines\n");
    gui.create_error = -ENOSPC;
    ask(&c, ASK_LINE, "work", "Name?");
    ended(&c, ASK_REFUSED, "");
    gui.create_error = 0;
    ask(&c, ASK_LINE, "work", "\x1b[2J\xff\xfe\x01 control characters");
    fake_gui_resize(window(), 3, 3);
    fake_gui_resize(window(), 2000, 30);
    fake_gui_resize(window(), 1, 1);
    fake_gui_type(window(), "still");
    fake_gui_key(window(), RETURN, "\r");
    ended(&c, 0, "still\n");
}
END_TEST

START_TEST(stopping_ends_all)
{
    struct caller shown, waiting;

    ask(&shown, ASK_LINE, "work", "Name?");
    ask(&waiting, ASK_YES_NO, "work", "Well?");
    window();
    host_stop_wait(ctx, 5);
    ended(&shown, ASK_REFUSED, "");
    ended(&waiting, ASK_REFUSED, "");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("ask");

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, yes_and_no);
    tcase_add_test(t, by_mouse);
    tcase_add_test(t, a_line);
    tcase_add_test(t, a_paste_that_is_too_long);
    tcase_add_test(t, the_question_is_cleaned);
    tcase_add_test(t, a_secret_is_not_shown);
    tcase_add_test(t, nothing_counts_before_quiet);
    tcase_add_test(t, they_wait_in_line);
    tcase_add_test(t, the_one_that_is_shown_gives_up);
    tcase_add_test(t, nobody_answers);
    tcase_add_test(t, what_is_not_asked);
    tcase_add_test(t, stopping_ends_all);
    return run_case("ask", t);
}
