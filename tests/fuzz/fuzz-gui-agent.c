/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin gui against a GUI daemon that sends anything. First byte: how the bytes are cut, what the app does meanwhile, and
 * the version offered. Always: what goes out are whole messages that a daemon survives, about windows that are there; a proper
 * daemon afterwards sees every window as the app drew it; nothing is left in the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unik/gui.h>
#include "tests/common/bytes.h"
#include "tests/fuzz/must.h"
#include "tests/gui/daemon.h"
#include "tools/host/host.h"

#define APPS 3

extern const struct unik_plugin unik_plugin_gui;
extern unsigned replay_mutations;
unsigned replay_mutations = 500;        /* a connection with windows takes a while with sanitizers */

static struct fake fake;
static struct daemon guid;
static struct unik_gui *gui;
static struct unik_gui_window *windows[APPS];
static struct unik_gui_buffer buffers[APPS];
static uint32_t seed;
static unsigned connection;
static bool live[4096];                 /* ids that the daemon has been told of */

static void turn(int times)
{
    while (times--)
        ev_run(EV_DEFAULT_ EVRUN_NOWAIT);
}

/* As strict as a daemon can be that lies about everything: each message by itself, and the ids. */
static void check_output(void)
{
    uint8_t bytes[GUI_MESSAGE_MAX];
    struct gui_header h;
    struct gui_message m;
    uint32_t rest;
    int n;

    if (fake.v.made != connection) {
        connection = fake.v.made;
        memset(live, 0, sizeof(live));
        must(fake_take(&fake.v, bytes, 4) == 4);
    }
    while (fake_take(&fake.v, bytes, GUI_HEADER) == GUI_HEADER) {
        gui_decode_header(bytes, &h);
        n = gui_body(GUI_AGENT, &h);
        must(n >= 0);
        must(fake_take(&fake.v, bytes + GUI_HEADER, (size_t)n) == (size_t)n);
        must(gui_decode(GUI_AGENT, &h, bytes + GUI_HEADER, &m) == 0);
        must(gui_judge(GUI_VERSION_OF(8), &m) < GUI_FREEZES);
        must(m.type == GUI_CLIPBOARD_DATA || m.window < 4096);
        if (m.type == GUI_CREATE)
            must(!live[m.window]);
        else
            must(m.type == GUI_CLIPBOARD_DATA || live[m.window]);
        if (m.type == GUI_CREATE || m.type == GUI_DESTROY)
            live[m.window] = m.type == GUI_CREATE;
        for (rest = h.len - (uint32_t)n; rest;) {
            size_t k = fake_take(&fake.v, bytes, rest < sizeof(bytes) ? rest : sizeof(bytes));

            if (k == 0)
                turn(3);
            rest -= (uint32_t)k;
            must(k || fake_waiting(&fake.v));
        }
    }
}

static void on_event(struct unik_gui_window *w, const struct unik_gui_event *e, void *arg)
{
    size_t i = (size_t)((struct unik_gui_window **)arg - windows);

    must(windows[i] == w);
    must(e->type >= UNIK_GUI_RESIZE && e->type <= UNIK_GUI_STATE);
    must(memchr(e->text, 0, sizeof(e->text)));
    if (e->type == UNIK_GUI_RESIZE) {
        buffers[i] = e->buffer;
        must(e->buffer.width >= 1 && e->buffer.height >= 1 && e->buffer.pitch >= (size_t)e->buffer.width);
        e->buffer.pixels[0] = 0x112233;
        gui->damage(gui, w, 0, 0, e->buffer.width, e->buffer.height);
    } else if (e->type == UNIK_GUI_PASTE && e->size) {
        seed ^= ((const uint8_t *)e->bytes)[e->size - 1];
        seed |= 1;
    } else if (e->type == UNIK_GUI_CLOSE && random_below(&seed, 2)) {
        gui->destroy(gui, w);
        windows[i] = NULL;
    } else if (e->type == UNIK_GUI_COPY) {
        gui->set_clipboard(gui, "text", random_below(&seed, 5));
    }
}

static void app_acts(void)
{
    size_t i = random_below(&seed, APPS);
    struct unik_gui_setup s = { .size = sizeof(s), .width = 20 + (int)i, .height = 10, .docked = i == 2 };

    if (!windows[i]) {
        gui->create(gui, &s, on_event, &windows[i], &windows[i]);
        return;
    }
    switch (random_below(&seed, 6)) {
    case 0: gui->resize(gui, windows[i], 1 + (int)random_below(&seed, 60), 9); break;
    case 1: gui->show(gui, windows[i], random_below(&seed, 2)); break;
    case 2: gui->destroy(gui, windows[i]); windows[i] = NULL; break;
    default: gui->damage(gui, windows[i], 0, 0, 5, 5); break;
    }
}

static void connect_when_offered(void)
{
    for (int i = 0; i < 100000 && !fake_waits(&fake.v); i++)
        turn(1);
    must(fake_waits(&fake.v));
}

static void proper_daemon(void)
{
    unsigned living = 0;

    while (fake_connected(&fake.v)) {
        fake_hang_up(&fake.v);
        turn(5);
    }
    connect_when_offered();
    must(daemon_connect(&guid));
    for (int i = 0; i < 60; i++) {
        turn(1);
        daemon_run(&guid, SIZE_MAX);
    }
    if (guid.complaint[0])
        fprintf(stderr, "%s\n", guid.complaint);
    must(!guid.complaint[0]);
    must(gui->connected(gui));
    for (size_t i = 0; i < APPS; i++)
        living += windows[i] != NULL;
    must(guid.n == living);
    for (unsigned k = 0; k < guid.n; k++) {
        struct daemon_window *d = daemon_nth(&guid, k);

        must(d->picture[0] == 0x112233 || (!d->mapped && !d->docked));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const versions[] = { "version=1.8", "version=1.3", "version=1.6", "version=1.1" };
    const char *options[] = { "damage-interval=0", "retry-max=0", "flush=0", NULL, NULL };
    struct host *h;
    struct unik_ctx *ctx;
    size_t at = 1;

    if (n < 1 || n > FAKE_INPUT / 2)
        return 0;
    options[3] = versions[bytes[0] >> 4 & 3];
    h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    fake_init(&fake, EV_DEFAULT);
    fake.most = 5000;
    daemon_init(&guid, &fake, 8);
    host_publish(h, "vchan/1", &fake.v.api);
    host_publish(h, "pages/1", &fake.pages);
    host_publish(h, "qubesdb/1", &fake.db);
    ctx = host_add(h, &unik_plugin_gui, options);
    must(ctx && host_start(ctx) == 0);
    gui = host_interface(h, "gui/1");
    memset(windows, 0, sizeof(windows));
    connection = 0;
    seed = 1u + bytes[0];
    for (int i = 0; i < 3; i++)
        app_acts();
    connect_when_offered();
    fake_connect(&fake.v);
    while (at < n) {
        size_t some = bytes[0] & 1 ? 1 + random_below(&seed, 200) : n - at;

        some = some < n - at ? some : n - at;
        fake_send(&fake.v, bytes + at, some);
        at += some;
        if (bytes[0] & 2)
            app_acts();
        turn(4);
        check_output();
        if (!fake_connected(&fake.v)) {
            connect_when_offered();
            fake_connect(&fake.v);
        }
    }
    turn(5);
    proper_daemon();
    host_stop_wait(ctx, 5);
    must(host_state(ctx) == HOST_STOPPED);
    daemon_reset(&guid);
    fake_free(&fake);
    host_free(h);
    return 0;
}
