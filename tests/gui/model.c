/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/gui/model.c - random apps and a random daemon, for many rounds: the strict model never complains, and in the end it
 * shows what the apps drew. All of it comes from one number, which a failure names. */
#include "tests/gui/fixture.h"

#define MAX 10
#define SIZE_MAX_X 90
#define SIZE_MAX_Y 70

static struct window windows[MAX];
static bool used[MAX];
static uint32_t seed, number;

static uint32_t below(uint32_t n) { return random_below(&seed, n); }
static bool one_in(uint32_t n) { return below(n) == 0; }

static void draw_some(struct window *w)
{
    int x, y, width, height;

    if (!w->buffer.pixels)
        return;
    x = (int)below((uint32_t)w->buffer.width);
    y = (int)below((uint32_t)w->buffer.height);
    width = 1 + (int)below((uint32_t)(w->buffer.width - x));
    height = 1 + (int)below((uint32_t)(w->buffer.height - y));
    w->paint++;
    for (int j = y; j < y + height; j++)
        for (int i = x; i < x + width; i++)
            w->buffer.pixels[(size_t)j * w->buffer.pitch + (size_t)i] = shade(i, j, w->paint);
    gui->damage(gui, w->w, x, y, width, height);
}

static void app_acts(unsigned depth);

/* An app that does things in its callbacks, too. */
static void on_event(struct window *w, const struct unik_gui_event *e)
{
    (void)w, (void)e;
    if (one_in(6))
        app_acts(1);
}

static void create(unsigned i)
{
    struct unik_gui_setup s = { .size = sizeof(s), .width = 1 + (int)below(SIZE_MAX_X), .height = 1 + (int)below(SIZE_MAX_Y),
                                .x = (int)below(300) - 50, .y = (int)below(300) - 50, .hidden = one_in(5),
                                .title = one_in(2) ? "title" : NULL };
    unsigned parent = below(MAX);

    if (one_in(6)) {
        s.docked = true;
        s.hidden = false;
    } else {
        s.menu = one_in(5);
    }
    if (used[parent] && !windows[parent].dead)
        s.parent = windows[parent].w;
    memset(&windows[i], 0, sizeof(windows[i]));
    windows[i].on = on_event;
    windows[i].destroy_on_close = one_in(2);
    if (gui->create(gui, &s, window_event, &windows[i], &windows[i].w) == 0)
        used[i] = true;
}

static void app_acts(unsigned depth)
{
    unsigned i = below(MAX);
    struct window *w = &windows[i];

    if (!used[i] || w->dead) {
        used[i] = false;
        if (depth == 0 || one_in(3))
            create(i);
        return;
    }
    switch (below(12)) {
    case 0: window_destroy(w); used[i] = false; break;
    case 1: gui->resize(gui, w->w, 1 + (int)below(SIZE_MAX_X), 1 + (int)below(SIZE_MAX_Y)); break;
    case 2: gui->title(gui, w->w, one_in(2) ? "a" : "b"); break;
    case 3: gui->cursor(gui, w->w, one_in(2) ? 0 : 0x100 + 2 * below(70)); break;
    case 4: gui->state(gui, w->w, 1u << below(3), 0); break;
    case 5: gui->state(gui, w->w, 0, 1u << below(2)); break;
    case 6: gui->show(gui, w->w, true); break;
    case 7: gui->show(gui, w->w, one_in(3)); break;
    case 8: gui->set_clipboard(gui, "0123456789", below(11)); break;
    default: draw_some(w); break;
    }
}

static void user_acts(void)
{
    struct daemon_window *d = guid.n ? daemon_nth(&guid, below(guid.n)) : NULL;
    struct gui_rect r = { (int)below(400) - 100, (int)below(400) - 100, 1 + below(SIZE_MAX_X), 1 + below(SIZE_MAX_Y) };
    uint32_t id = d && !one_in(10) ? d->id : below(30);

    if (!fake_connected(&fake.v) || !guid.version || fake_unread(&fake.v) > FAKE_INPUT / 2)
        return;
    switch (below(12)) {
    case 0: case 1: case 2:
        if (d && one_in(4)) {
            r.width = d->at.width;
            r.height = d->at.height;
        }
        if (d && (d->mapped || d->docked))
            daemon_place(&guid, d, &r);
        break;
    case 3: daemon_key(&guid, id, 9 + below(200), below(0x2000), one_in(2)); break;
    case 4: daemon_focus(&guid, id, one_in(2)); break;
    case 5: daemon_bare(&guid, GUI_CLOSE, id); break;
    case 6: daemon_bare(&guid, GUI_CLIPBOARD_REQ, id); break;
    case 7: daemon_paste(&guid, id, "paste", below(6)); break;
    case 8:
        daemon_send(&guid, &(struct gui_message){ .type = GUI_WINDOW_FLAGS, .window = id,
                                                  .u.flags = { one_in(2) ? GUI_MINIMISED : 0, 0 } });
        break;
    case 9:
        daemon_send(&guid, &(struct gui_message){ .type = GUI_WINDOW_FLAGS, .window = id, .u.flags = { 0, GUI_MINIMISED } });
        break;
    case 10: daemon_send(&guid, &(struct gui_message){ .type = GUI_MAP, .window = id, .u.map = { below(UINT32_MAX), 1 } }); break;
    default: daemon_send(&guid, &(struct gui_message){ .type = GUI_MOTION, .window = id, .u.motion = { 1, 2, 0, 0 } }); break;
    }
}

/* The daemon itself: takes some of what has come, ends now and then, comes again, perhaps as another version. */
static void daemon_acts(void)
{
    if (!fake_connected(&fake.v)) {
        if (guid.said_hello || guid.version)
            daemon_reset(&guid);
        if (!one_in(3)) {
            guid.minor = one_in(3) ? 4 + below(5) : 8;
            guid.lazy_acks = one_in(2);
            daemon_connect(&guid);
        }
        return;
    }
    if (one_in(150)) {
        fake_hang_up(&fake.v);
        return;
    }
    if (one_in(400))
        fake_set(&fake, "/qubes-gui-domain-xid", one_in(2) ? "3" : "0");
    daemon_run(&guid, one_in(3) ? SIZE_MAX : below(2000));
    if (one_in(10))
        daemon_acks(&guid);
}

static void quiet(void)
{
    for (int i = 0; i < 400 || !gui->connected(gui); i++) {
        turn();
        if (!fake_connected(&fake.v)) {
            daemon_reset(&guid);
            guid.minor = 8;
            daemon_connect(&guid);
        }
        guid.lazy_acks = false;
        daemon_acks(&guid);
        daemon_run(&guid, SIZE_MAX);
    }
    /* nobody is minimised, as what is not seen is not painted */
    for (unsigned i = 0; i < guid.n; i++)
        daemon_send(&guid, &(struct gui_message){ .type = GUI_WINDOW_FLAGS, .window = daemon_nth(&guid, i)->id,
                                                  .u.flags = { 0, GUI_MINIMISED } });
    settle();
}

/* Windows of the daemon belong to those of the apps in the order of ids, which is the order of creation. */
static void compare(void)
{
    unsigned living = 0, seen = 0;

    for (unsigned i = 0; i < MAX; i++)
        living += used[i] && !windows[i].dead;
    ck_assert_uint_eq(guid.n, living);
    for (unsigned i = 0; i < MAX; i++) {
        struct window *w = &windows[i];
        bool found = false;

        if (!used[i] || w->dead)
            continue;
        for (unsigned k = 0; k < guid.n && !found; k++) {
            struct daemon_window *d = daemon_nth(&guid, k);

            found = !d->mapped && !d->docked;   /* hidden ones need not look like anything */
            if (found || d->at.width != (unsigned)w->buffer.width || d->at.height != (unsigned)w->buffer.height)
                continue;
            found = true;
            for (int y = 0; y < w->buffer.height && found; y++)
                for (int x = 0; x < w->buffer.width && found; x++)
                    found = d->picture[y * w->buffer.width + x] ==
                            (w->buffer.pixels[(size_t)y * w->buffer.pitch + (size_t)x] & 0xffffff);
            ck_assert(!d->queued);
        }
        ck_assert_msg(found, "seed %u: window %u is not shown as it was drawn", number, i);
        seen++;
    }
    ck_assert_uint_eq(seen, living);
}

static void play(unsigned version, unsigned steps)
{
    char option[20];
    const char *const options[] = { "damage-interval=0", "retry-max=0", "flush=60s", option, NULL };

    snprintf(option, sizeof(option), "version=1.%u", version);
    memset(windows, 0, sizeof(windows));
    memset(used, 0, sizeof(used));
    gui_up_with(options, 8);
    fake.v.ring = 200 + below(2) * 8000;
    for (unsigned i = 0; i < steps; i++) {
        if (one_in(2))
            app_acts(0);
        if (one_in(2))
            user_acts();
        if (one_in(2))
            daemon_acts();
        if (one_in(3))
            turn();
        ck_assert_msg(!guid.complaint[0], "seed %u step %u: the daemon: %s", number, i, guid.complaint);
        if (i % 1000 == 999) {
            quiet();
            ck_assert_msg(!guid.complaint[0], "seed %u step %u: the daemon: %s", number, i, guid.complaint);
            compare();
        }
    }
    quiet();
    compare();
    for (unsigned i = 0; i < MAX; i++)
        if (used[i] && !windows[i].dead)
            window_destroy(&windows[i]);
    quiet();
    ck_assert_uint_eq(guid.n, 0);
    if (version >= 7 && GUI_MINOR(guid.version) >= 7 && fake.shared)
        ck_assert_uint_le(fake.shares, UINT32_MAX);     /* buried ones of earlier daemons may be left */
    gui_down();
}

START_TEST(any_app_and_any_daemon)
{
    number = seed = 1000 + (uint32_t)_i;
    play(_i % 4 == 3 ? (unsigned)_i / 4 % 9 : 8, 10000);
}
END_TEST

TCase *gui_cases_model(void)
{
    TCase *t = tcase_create("model");

    tcase_add_loop_test(t, any_app_and_any_daemon, 0, 40);
    return t;
}
