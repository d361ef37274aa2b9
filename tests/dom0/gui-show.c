/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/gui-show.c - `gui show` on an X server without a screen (Xvfb): what is on it, pixel by pixel, and what its
 * events become. Left out where there is no Xvfb. */
#ifdef UNIK_HAVE_XTEST
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xcb/xcb.h>
#include <xcb/xtest.h>

#include "tests/dom0/gui-guest.h"

/* ---- the X server, and a client of it that stands for the user ---- */

static pid_t server;
static char display[32];
static xcb_connection_t *x;
static xcb_screen_t *screen;

static void start_server(const char *size)
{
    static char number[16], fd_text[16];
    int pipes[2];
    ssize_t n;

    ck_assert_int_eq(pipe(pipes), 0);
    snprintf(fd_text, sizeof(fd_text), "%d", pipes[1]);
    server = fork();
    ck_assert_int_ge(server, 0);
    if (server == 0) {
        int null = open("/dev/null", O_WRONLY);

        dup2(null, 2);
        close(pipes[0]);
        execlp("Xvfb", "Xvfb", "-displayfd", fd_text, "-screen", "0", size, "-nolisten", "tcp", (char *)NULL);
        _exit(99);
    }
    close(pipes[1]);
    for (size_t k = 0; k < sizeof(number) - 1 && (k == 0 || number[k - 1] != '\n'); k += (size_t)n) {
        n = read(pipes[0], number + k, sizeof(number) - 1 - k);     /* it writes when it is ready */
        ck_assert_int_gt(n, 0);
    }
    close(pipes[0]);
    number[strcspn(number, "\n")] = 0;
    snprintf(display, sizeof(display), ":%s", number);
    x = xcb_connect(display, NULL);
    ck_assert_int_eq(xcb_connection_has_error(x), 0);
    screen = xcb_setup_roots_iterator(xcb_get_setup(x)).data;
}

static void stop_server(void)
{
    if (x)
        xcb_disconnect(x);
    x = NULL;
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    server = 0;
}

/* What X does is awaited by running our loop. */
static bool pause_until(struct run *r, ev_tstamp deadline)
{
    host_run(r->h, 0.01);
    return ev_time() < deadline;
}

static bool is_named(xcb_window_t w, const char *title)
{
    xcb_get_property_reply_t *p = xcb_get_property_reply(x, xcb_get_property(x, 0, w, XCB_ATOM_WM_NAME, XCB_ATOM_STRING, 0,
                                                                             64), NULL);
    size_t n = p ? (size_t)xcb_get_property_value_length(p) : 0;
    bool is = p && n == strlen(title) && memcmp(xcb_get_property_value(p), title, n) == 0;

    free(p);
    return is;
}

/* The top-level window with this title; 0. */
static xcb_window_t look_for(const char *title)
{
    xcb_query_tree_reply_t *t = xcb_query_tree_reply(x, xcb_query_tree(x, screen->root), NULL);
    xcb_window_t found = 0;

    for (int i = 0; t && i < xcb_query_tree_children_length(t); i++)
        if (is_named(xcb_query_tree_children(t)[i], title))
            found = xcb_query_tree_children(t)[i];
    free(t);
    return found;
}

static xcb_window_t await_window(struct run *r, const char *title)
{
    ev_tstamp deadline = ev_time() + RUN_SECONDS;
    xcb_window_t w;

    while (!(w = look_for(title)) && pause_until(r, deadline))
        ;
    ck_assert_msg(w, "no X window \"%s\"", title);
    return w;
}

static void await_gone(struct run *r, const char *title)
{
    ev_tstamp deadline = ev_time() + RUN_SECONDS;

    while (look_for(title) && pause_until(r, deadline))
        ;
    ck_assert_uint_eq(look_for(title), 0);
}

static bool image_is(xcb_window_t w, const uint32_t *pixels, unsigned width, unsigned height)
{
    xcb_get_image_reply_t *i = xcb_get_image_reply(x, xcb_get_image(x, XCB_IMAGE_FORMAT_Z_PIXMAP, w, 0, 0, (uint16_t)width,
                                                                    (uint16_t)height, ~0u), NULL);
    bool is = i && xcb_get_image_data_length(i) == (int)(width * height * 4);

    for (size_t k = 0; is && k < (size_t)width * height; k++) {
        uint32_t pixel;

        memcpy(&pixel, xcb_get_image_data(i) + 4 * k, 4);
        is = (pixel & 0xffffff) == (pixels[k] & 0xffffff);
    }
    free(i);
    return is;
}

static void await_image(struct run *r, xcb_window_t w, const uint32_t *pixels, unsigned width, unsigned height)
{
    ev_tstamp deadline = ev_time() + RUN_SECONDS;

    while (!image_is(w, pixels, width, height) && pause_until(r, deadline))
        ;
    ck_assert(image_is(w, pixels, width, height));
}

/* What `gui screenshot` says must be the same. */
static void screenshot_is(struct run *r, const char *window, const uint32_t *pixels, unsigned width, unsigned height)
{
    char command[1024], file[512], head[32];
    size_t size = (size_t)width * height * 3, n = (size_t)snprintf(head, sizeof(head), "P6\n%u %u\n255\n", width, height);
    uint8_t *got = malloc(n + size + 1);
    FILE *f;

    snprintf(file, sizeof(file), "%s/shown.ppm", r->dir);
    snprintf(command, sizeof(command), "gui screenshot %s %s", window, file);
    ck_assert_int_eq(run_command(r, command, NULL), 0);
    f = fopen(file, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(got, 1, n + size + 1, f), n + size);
    ck_assert_mem_eq(got, head, n);
    for (size_t i = 0; i < (size_t)width * height; i++)
        ck_assert_uint_eq((uint32_t)got[n + 3 * i] << 16 | (uint32_t)got[n + 3 * i + 1] << 8 | got[n + 3 * i + 2],
                          pixels[i] & 0xffffff);
    fclose(f);
    free(got);
}

/* ---- the guest's picture ---- */

static uint32_t *draw(struct run *r, unsigned first, unsigned width, unsigned height, uint32_t seed)
{
    unsigned pages = (unsigned)gui_pages(width, height);
    uint32_t *pixels = calloc(pages, GUI_PAGE);
    int fd = open(guest_pages(r, first, pages), O_WRONLY);

    ck_assert(pixels && fd >= 0);
    for (size_t i = 0; i < (size_t)width * height; i++)
        pixels[i] = seed = seed * 1664525 + 1013904223;
    for (size_t at = 0, n = (size_t)pages * GUI_PAGE; at < n;) {
        ssize_t k = write(fd, (uint8_t *)pixels + at, n - at);

        ck_assert_int_gt(k, 0);
        at += (size_t)k;
    }
    close(fd);
    return pixels;
}

static void set_title(struct peer *p, uint32_t window, const char *title)
{
    char field[GUI_TITLE] = "";

    snprintf(field, sizeof(field), "%s", title);
    guest_send(p, GUI_WMNAME, window, field, sizeof(field));
}

struct stage {
    struct run *r;
    struct peer *p;
    struct program *show;
};

/* dom0 and a guest, shown on a new X server. */
static struct stage begin(const char *size)
{
    struct stage s = { .r = NULL };
    char command[64];

    start_server(size);
    s.r = run_start("--name work");
    s.p = guest_new(s.r, 8, 8);
    snprintf(command, sizeof(command), "gui --display %s show", display);
    s.show = run_begin(s.r, NULL, command, NULL);
    ck_assert(run_said(s.r, s.show, "shown\n"));
    return s;
}

static void end(struct stage *s, int code)
{
    kill(s->show->pid, SIGTERM);
    run_end(s->r, s->show);
    peer_close(s->p);
    ck_assert_int_eq(run_stop(s->r), code);
    stop_server();
}

/* A window of the guest with a picture; without a window manager, and at 0,0, X moves nothing. */
static uint32_t *window(struct stage *s, uint32_t id, const char *title, unsigned width, unsigned height, unsigned first)
{
    uint32_t *pixels = draw(s->r, first, width, height, id);
    unsigned pages = (unsigned)gui_pages(width, height);

    guest_create(s->p, id, 0, 0, width, height);
    set_title(s->p, id, title);
    guest_send(s->p, GUI_MAP, id, WORDS(0, 0));
    guest_dump(s->p, id, width, height, first, pages);
    guest_send(s->p, GUI_SHMIMAGE, id, WORDS(0, 0, width, height));
    guest_get(s->p, GUI_WINDOW_DUMP_ACK, id);
    return pixels;
}

/* The next messages up to one of that type and window, the others dropped. */
static struct gui_message skip_to(struct peer *p, uint32_t type, uint32_t id)
{
    for (;;) {
        uint8_t head[GUI_HEADER], body[GUI_BODY_MAX];
        struct gui_message m;
        struct gui_header h;
        int n;

        ck_assert(peer_recv(p, head, sizeof(head), RUN_SECONDS));
        gui_decode_header(head, &h);
        n = gui_body(GUI_DAEMON, &h);
        ck_assert_int_ge(n, 0);
        ck_assert(peer_recv(p, body, (size_t)n, RUN_SECONDS));
        ck_assert_int_eq(gui_decode(GUI_DAEMON, &h, body, &m), 0);
        if (h.type == type && h.window == id)
            return m;
    }
}

/* ---- tests ---- */

START_TEST(pixel_by_pixel)
{
    static const unsigned sizes[][2] = { { 64, 32 }, { 1, 1 }, { 801, 599 }, { 2399, 1799 } };
    unsigned width = sizes[_i][0], height = sizes[_i][1];
    struct stage s = begin("2400x1800x24");
    uint32_t *pixels = window(&s, 1, "one", width, height, 5);
    xcb_window_t w = await_window(s.r, "[work] one");

    await_image(s.r, w, pixels, width, height);
    screenshot_is(s.r, "1", pixels, width, height);
    /* a part that is damaged, inside */
    pixels[0] = 0x010203;
    guest_pixel(guest_pages(s.r, 5, (unsigned)gui_pages(width, height)), width, 0, 0, 0x010203);
    guest_send(s.p, GUI_SHMIMAGE, 1, WORDS(0, 0, width / 2 + 1, height / 2 + 1));
    await_image(s.r, w, pixels, width, height);
    free(pixels);
    end(&s, 0);
}
END_TEST

START_TEST(sizes_from_both_sides)
{
    struct stage s = begin("800x600x24");
    uint32_t *pixels = window(&s, 1, "one", 64, 32, 5), *small;
    xcb_window_t w = await_window(s.r, "[work] one");
    xcb_get_geometry_reply_t *g;
    struct gui_rect at;
    ev_tstamp deadline;

    await_image(s.r, w, pixels, 64, 32);
    free(pixels);
    xcb_configure_window(x, w, XCB_CONFIG_WINDOW_X | XCB_CONFIG_WINDOW_Y | XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT,
                         (const uint32_t[]){ 100, 120, 80, 40 });
    xcb_flush(x);
    at = guest_echo(s.p, 1);
    ck_assert(at.x == 100 && at.y == 120 && at.width == 80 && at.height == 40);
    pixels = draw(s.r, 20, 80, 40, 77);
    guest_dump(s.p, 1, 80, 40, 20, (unsigned)gui_pages(80, 40));
    guest_send(s.p, GUI_SHMIMAGE, 1, WORDS(0, 0, 80, 40));
    await_image(s.r, w, pixels, 80, 40);
    screenshot_is(s.r, "1", pixels, 80, 40);
    free(pixels);
    guest_get(s.p, GUI_WINDOW_DUMP_ACK, 1);
    /* and the guest's own wish */
    guest_send(s.p, GUI_CONFIGURE, 1, WORDS(10, 20, 30, 25, 0));
    small = draw(s.r, 40, 30, 25, 78);
    guest_dump(s.p, 1, 30, 25, 40, 1);
    guest_send(s.p, GUI_SHMIMAGE, 1, WORDS(0, 0, 30, 25));
    await_image(s.r, w, small, 30, 25);
    free(small);
    deadline = ev_time() + RUN_SECONDS;
    do {
        g = xcb_get_geometry_reply(x, xcb_get_geometry(x, w), NULL);
        ck_assert_ptr_nonnull(g);
        at = (struct gui_rect){ g->x, g->y, g->width, g->height };
        free(g);
    } while ((at.x != 10 || at.width != 30) && pause_until(s.r, deadline));
    ck_assert(at.x == 10 && at.y == 20 && at.width == 30 && at.height == 25);
    guest_get(s.p, GUI_WINDOW_DUMP_ACK, 1);
    guest_quiet(s.p, s.r, 1);                   /* nobody argued */
    end(&s, 0);
}
END_TEST

static void fake(uint8_t type, uint8_t detail, int px, int py)
{
    xcb_test_fake_input(x, type, detail, XCB_CURRENT_TIME, screen->root, (int16_t)px, (int16_t)py, 0);
    xcb_flush(x);
}

START_TEST(mouse_and_keys)
{
    struct stage s = begin("800x600x24");
    struct gui_message m;
    xcb_window_t w;

    fake(XCB_MOTION_NOTIFY, 0, 700, 500);
    free(window(&s, 1, "one", 64, 32, 5));
    w = await_window(s.r, "[work] one");
    fake(XCB_MOTION_NOTIFY, 0, 30, 20);
    guest_get(s.p, GUI_KEYMAP_NOTIFY, 0);
    m = guest_get(s.p, GUI_CROSSING, 1);
    ck_assert_uint_eq(m.u.crossing.type, GUI_ENTER);
    skip_to(s.p, GUI_MOTION, 1);
    xcb_set_input_focus(x, XCB_INPUT_FOCUS_PARENT, w, XCB_CURRENT_TIME);
    xcb_flush(x);
    ck_assert_uint_eq(skip_to(s.p, GUI_FOCUS, 1).u.focus.type, GUI_FOCUS_IN);
    fake(XCB_BUTTON_PRESS, 1, 0, 0);
    m = skip_to(s.p, GUI_BUTTON, 1);
    ck_assert(m.u.input.type == GUI_BUTTON_DOWN && m.u.input.code == 1 && m.u.input.x == 30 && m.u.input.y == 20);
    fake(XCB_BUTTON_RELEASE, 1, 0, 0);
    m = skip_to(s.p, GUI_BUTTON, 1);
    ck_assert(m.u.input.type == GUI_BUTTON_UP && m.u.input.state == 256);
    fake(XCB_KEY_PRESS, 50, 0, 0);              /* Shift */
    skip_to(s.p, GUI_KEYPRESS, 1);
    fake(XCB_KEY_PRESS, 38, 0, 0);
    m = skip_to(s.p, GUI_KEYPRESS, 1);
    ck_assert(m.u.input.type == GUI_KEY_DOWN && m.u.input.code == 38 && m.u.input.state == 1);
    fake(XCB_MOTION_NOTIFY, 0, 700, 500);       /* leaves; comes back with two keys down */
    ck_assert_uint_eq(skip_to(s.p, GUI_CROSSING, 1).u.crossing.type, GUI_LEAVE);
    fake(XCB_MOTION_NOTIFY, 0, 5, 6);
    m = skip_to(s.p, GUI_KEYMAP_NOTIFY, 0);
    ck_assert_uint_eq(m.u.keymap.down[38 / 8], 1u << 38 % 8);
    ck_assert_uint_eq(m.u.keymap.down[50 / 8], 1u << 50 % 8);
    fake(XCB_KEY_RELEASE, 38, 0, 0);
    fake(XCB_KEY_RELEASE, 50, 0, 0);
    xcb_set_input_focus(x, XCB_INPUT_FOCUS_PARENT, screen->root, XCB_CURRENT_TIME);
    xcb_flush(x);
    ck_assert_uint_eq(skip_to(s.p, GUI_FOCUS, 1).u.focus.type, GUI_FOCUS_OUT);
    end(&s, 0);
}
END_TEST

static xcb_atom_t atom(const char *name)
{
    xcb_intern_atom_reply_t *r = xcb_intern_atom_reply(x, xcb_intern_atom(x, 0, (uint16_t)strlen(name), name), NULL);
    xcb_atom_t a = r ? r->atom : 0;

    free(r);
    return a;
}

START_TEST(life_of_windows)
{
    struct stage s = begin("800x600x24");
    xcb_client_message_event_t e = { .response_type = XCB_CLIENT_MESSAGE, .format = 32 };
    xcb_get_window_attributes_reply_t *attributes;
    uint32_t *pixels = window(&s, 1, "one", 64, 32, 5);
    xcb_window_t w = await_window(s.r, "[work] one");

    await_image(s.r, w, pixels, 64, 32);
    e.window = w;
    e.type = atom("WM_PROTOCOLS");
    e.data.data32[0] = atom("WM_DELETE_WINDOW");
    xcb_send_event(x, 0, w, 0, (const char *)&e);
    xcb_flush(x);
    guest_get(s.p, GUI_CLOSE, 1);
    set_title(s.p, 1, "two\n");
    await_window(s.r, "[work] two_");
    guest_create(s.p, 2, 50, 60, 8, 9);
    set_title(s.p, 2, "menu");
    guest_send(s.p, GUI_MAP, 2, WORDS(1, 1));
    w = await_window(s.r, "[work] menu");
    attributes = xcb_get_window_attributes_reply(x, xcb_get_window_attributes(x, w), NULL);
    ck_assert(attributes && attributes->override_redirect);
    free(attributes);
    guest_send(s.p, GUI_UNMAP, 2, NULL, 0);
    await_gone(s.r, "[work] menu");
    peer_close(s.p);                            /* the guest goes, and comes back */
    await_gone(s.r, "[work] two_");
    s.p = guest_new(s.r, 8, 8);
    free(window(&s, 1, "again", 64, 32, 5));
    w = await_window(s.r, "[work] again");
    await_image(s.r, w, pixels, 64, 32);
    ck_assert_int_eq(run_command(s.r, "gui --display :0 show", NULL), 1);       /* it is shown already */
    kill(s.show->pid, SIGTERM);                 /* who asked for it goes: no windows, but the guest's are there */
    run_end(s.r, s.show);
    await_gone(s.r, "[work] again");
    screenshot_is(s.r, "1", pixels, 64, 32);
    free(pixels);
    peer_close(s.p);
    ck_assert_int_eq(run_stop(s.r), 0);
    stop_server();
}
END_TEST

/* ---- the clipboard ---- */

/* Ctrl+Shift and one more; the guest sees the modifiers only. */
static void chord(uint8_t key)
{
    fake(XCB_KEY_PRESS, 37, 0, 0);
    fake(XCB_KEY_PRESS, 50, 0, 0);
    fake(XCB_KEY_PRESS, key, 0, 0);
    fake(XCB_KEY_RELEASE, key, 0, 0);
    fake(XCB_KEY_RELEASE, 50, 0, 0);
    fake(XCB_KEY_RELEASE, 37, 0, 0);
}

static xcb_generic_event_t *await_event(struct run *r, uint8_t type)
{
    ev_tstamp deadline = ev_time() + RUN_SECONDS;
    xcb_generic_event_t *e = NULL;

    do {
        while ((e = xcb_poll_for_event(x)) != NULL && (e->response_type & 0x7f) != type)
            free(e);
    } while (!e && pause_until(r, deadline));
    ck_assert_msg(e, "no X event %u", type);
    return e;
}

/* A window of the user's, for what X sends to one. */
static xcb_window_t own_window(void)
{
    xcb_window_t w = xcb_generate_id(x);

    xcb_create_window(x, XCB_COPY_FROM_PARENT, w, screen->root, 0, 0, 1, 1, 0, XCB_WINDOW_CLASS_INPUT_ONLY, XCB_COPY_FROM_PARENT, 0,
                      NULL);
    return w;
}

/* What another program gets for the clipboard in that form; NULL: nothing. */
static xcb_get_property_reply_t *clipboard(struct run *r, const char *form)
{
    xcb_window_t w = own_window();
    xcb_selection_notify_event_t *e;
    xcb_get_property_reply_t *p = NULL;

    xcb_convert_selection(x, w, atom("CLIPBOARD"), atom(form), atom("MINE"), XCB_CURRENT_TIME);
    xcb_flush(x);
    e = (xcb_selection_notify_event_t *)await_event(r, XCB_SELECTION_NOTIFY);
    if (e->property)
        p = xcb_get_property_reply(x, xcb_get_property(x, 0, w, e->property, XCB_GET_PROPERTY_TYPE_ANY, 0, 100000), NULL);
    free(e);
    xcb_destroy_window(x, w);
    return p;
}

static void clipboard_is(struct run *r, const char *form, const void *bytes, size_t n)
{
    xcb_get_property_reply_t *p = clipboard(r, form);

    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(xcb_get_property_value_length(p), (int)n);
    ck_assert_mem_eq(xcb_get_property_value(p), bytes, n);
    free(p);
}

/* The next keys that the guest hears of are those of a chord without its letter. */
static void expect_modifiers(struct peer *p, bool copy)
{
    static const uint32_t codes[] = { 37, 50, 50, 37 };

    for (size_t i = 0; i < 4; i++) {
        if (copy && i == 2)
            guest_get(p, GUI_CLIPBOARD_REQ, 1);
        ck_assert_uint_eq(guest_get(p, GUI_KEYPRESS, 1).u.input.code, codes[i]);
    }
}

static struct stage begin_focused(void)
{
    struct stage s = begin("800x600x24");
    xcb_window_t w;

    fake(XCB_MOTION_NOTIFY, 0, 700, 500);
    free(window(&s, 1, "one", 64, 32, 5));
    w = await_window(s.r, "[work] one");
    xcb_set_input_focus(x, XCB_INPUT_FOCUS_PARENT, w, XCB_CURRENT_TIME);
    xcb_flush(x);
    ck_assert_uint_eq(skip_to(s.p, GUI_FOCUS, 1).u.focus.type, GUI_FOCUS_IN);
    return s;
}

START_TEST(copies_to_the_display)
{
    static char text[64001];
    struct stage s = begin_focused();
    xcb_get_property_reply_t *p;

    ck_assert_ptr_null(clipboard(s.r, "UTF8_STRING"));
    chord(54);
    expect_modifiers(s.p, true);
    guest_send(s.p, GUI_CLIPBOARD_DATA, 1, "gr\xc3\xbc\xc3\x9f", 6);
    ck_assert(run_said(s.r, s.show, "\ncopied: 6 bytes\n"));
    clipboard_is(s.r, "UTF8_STRING", "gr\xc3\xbc\xc3\x9f", 6);
    clipboard_is(s.r, "text/plain;charset=utf-8", "gr\xc3\xbc\xc3\x9f", 6);
    p = clipboard(s.r, "TARGETS");
    ck_assert(p && xcb_get_property_value_length(p) == 3 * 4);
    free(p);
    ck_assert_ptr_null(clipboard(s.r, "image/png"));
    /* the most that is passed on, and one byte more: what was there stays */
    memset(text, 'x', sizeof(text));
    chord(54);
    expect_modifiers(s.p, true);
    guest_send(s.p, GUI_CLIPBOARD_DATA, 1, text, 64000);
    ck_assert(run_said(s.r, s.show, "\ncopied: 64000 bytes\n"));
    clipboard_is(s.r, "UTF8_STRING", text, 64000);
    chord(54);
    expect_modifiers(s.p, true);
    guest_send(s.p, GUI_CLIPBOARD_DATA, 1, text, 64001);
    ck_assert(run_said(s.r, s.show, "\nnot copied: over 64000 bytes\n"));
    clipboard_is(s.r, "UTF8_STRING", text, 64000);
    end(&s, 0);
}
END_TEST

/* The user's program owns the clipboard and answers one request with n bytes; NULL: it has no text. */
static void serve_clipboard(struct run *r, const char *type, const void *bytes, size_t n)
{
    xcb_selection_request_event_t *e = (xcb_selection_request_event_t *)await_event(r, XCB_SELECTION_REQUEST);
    xcb_selection_notify_event_t answer = { .response_type = XCB_SELECTION_NOTIFY, .time = e->time, .requestor = e->requestor,
                                            .selection = e->selection, .target = e->target, .property = bytes ? e->property : 0 };

    if (bytes)
        xcb_change_property(x, XCB_PROP_MODE_REPLACE, e->requestor, e->property, atom(type), 8, (uint32_t)n, bytes);
    xcb_send_event(x, 0, e->requestor, 0, (const char *)&answer);
    xcb_flush(x);
    free(e);
}

START_TEST(pastes_from_the_display)
{
    static char text[256001], got[256000];
    struct stage s = begin_focused();
    uint8_t head[GUI_HEADER];
    struct gui_header h;

    chord(55);                                  /* nobody has a clipboard */
    expect_modifiers(s.p, false);
    ck_assert(run_said(s.r, s.show, "\nnot pasted: there is no text\n"));
    xcb_set_selection_owner(x, own_window(), atom("CLIPBOARD"), XCB_CURRENT_TIME);
    xcb_flush(x);
    memset(text, 'y', sizeof(text));
    for (int i = 0; i < 2; i++) {
        size_t n = i ? sizeof(got) : 5;

        chord(55);
        expect_modifiers(s.p, false);
        serve_clipboard(s.r, "UTF8_STRING", text, n);
        ck_assert(peer_recv(s.p, head, sizeof(head), RUN_SECONDS));
        gui_decode_header(head, &h);
        ck_assert(h.type == GUI_CLIPBOARD_DATA && h.window == 1 && h.len == n);
        ck_assert(peer_recv(s.p, got, n, RUN_SECONDS));
        ck_assert_mem_eq(got, text, n);
        ck_assert(run_said(s.r, s.show, i ? "\npasted: 256000 bytes\n" : "\npasted: 5 bytes\n"));
    }
    chord(55);
    expect_modifiers(s.p, false);
    serve_clipboard(s.r, "UTF8_STRING", text, sizeof(text));
    ck_assert(run_said(s.r, s.show, "\nnot pasted: over 256000 bytes\n"));
    chord(55);
    expect_modifiers(s.p, false);
    serve_clipboard(s.r, "INCR", "\0\0\1", 4);
    chord(55);
    expect_modifiers(s.p, false);
    serve_clipboard(s.r, "UTF8_STRING", NULL, 0);
    fake(XCB_KEY_PRESS, 55, 0, 0);              /* without modifiers it is a letter */
    ck_assert_uint_eq(guest_get(s.p, GUI_KEYPRESS, 1).u.input.code, 55);
    fake(XCB_KEY_RELEASE, 55, 0, 0);
    ck_assert_uint_eq(guest_get(s.p, GUI_KEYPRESS, 1).u.input.code, 55);
    end(&s, 0);
}
END_TEST

/* What is sent to X reads from it as well: no event may be forgotten in what was read so. A paste chord makes dom0 send something;
 * a key comes at every moment of that, and nothing after it that would bring it along: the clipboard's owner never answers. */
START_TEST(a_key_beside_a_flush)
{
    struct stage s = begin_focused();

    xcb_set_selection_owner(x, own_window(), atom("CLIPBOARD"), XCB_CURRENT_TIME);
    fake(XCB_KEY_PRESS, 37, 0, 0);
    fake(XCB_KEY_PRESS, 50, 0, 0);
    guest_get(s.p, GUI_KEYPRESS, 1);
    guest_get(s.p, GUI_KEYPRESS, 1);
    for (int i = 0; i < 600; i++) {
        ev_tstamp until;

        fake(XCB_KEY_PRESS, 55, 0, 0);
        for (until = ev_time() + (i % 150) * 1e-6; ev_time() < until;)
            ;
        fake(XCB_KEY_PRESS, 38, 0, 0);
        ck_assert_uint_eq(guest_get(s.p, GUI_KEYPRESS, 1).u.input.code, 38);
        fake(XCB_KEY_RELEASE, 55, 0, 0);
        fake(XCB_KEY_RELEASE, 38, 0, 0);
        ck_assert_uint_eq(guest_get(s.p, GUI_KEYPRESS, 1).u.input.code, 38);
    }
    end(&s, 0);
}
END_TEST

START_TEST(the_x_server_dies)
{
    struct stage s = begin("800x600x24");
    uint32_t *pixels = window(&s, 1, "one", 64, 32, 5);

    await_window(s.r, "[work] one");
    stop_server();
    ck_assert_int_eq(run_end(s.r, s.show), 1);
    screenshot_is(s.r, "1", pixels, 64, 32);
    free(pixels);
    ck_assert_int_eq(run_command(s.r, "gui --display :nowhere show", NULL), 1);
    peer_close(s.p);
    ck_assert_int_eq(run_stop(s.r), 0);
}
END_TEST

TCase *case_gui_show(void)
{
    TCase *t = tcase_create("gui-show");

    tcase_set_timeout(t, 900);
    if (system("command -v Xvfb >/dev/null") != 0) {
        printf("left out: gui-show (no Xvfb: apt-get install xvfb)\n");
        return t;
    }
    tcase_add_checked_fixture(t, NULL, stop_server);
    tcase_add_loop_test(t, pixel_by_pixel, 0, 4);
    tcase_add_test(t, sizes_from_both_sides);
    tcase_add_test(t, mouse_and_keys);
    tcase_add_test(t, life_of_windows);
    tcase_add_test(t, copies_to_the_display);
    tcase_add_test(t, pastes_from_the_display);
    tcase_add_test(t, a_key_beside_a_flush);
    tcase_add_test(t, the_x_server_dies);
    return t;
}
#else
#include "tests/dom0/run.h"

TCase *case_gui_show(void) { return tcase_create("gui-show: built without libxcb, libxcb-xtest"); }
#endif
