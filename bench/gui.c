/* SPDX-License-Identifier: BSD-2-Clause */
/* bench/gui - what windows cost the guest: full updates, many small ones, nothing at all, memory. The guest is a process with the
 * plugins gui and vchan-socket; the parent plays a daemon that reads everything and acknowledges. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unik/gui.h>
#include <unik/qubesdb.h>
#include <unik/vchan.h>
#include "protocol/gui.h"
#include "tools/host/host.h"

#define WIDTH 1920
#define HEIGHT 1080
#define UPDATES 2000
#define SECONDS 5.0
#define DAMAGES 10000           /* a second */

extern const struct unik_plugin unik_plugin_vchan_socket, unik_plugin_gui;

static char dir[] = "/tmp/unik-bench-XXXXXX";
static struct unik_gui *gui;
static struct unik_gui_window *window;
static struct unik_gui_buffer buffer;
static unsigned per_tick, ticks;

static struct unik_ctx *add(struct host *h, const struct unik_plugin *p, const char *const *options)
{
    struct unik_ctx *ctx = host_add(h, p, options);

    if (!ctx || host_start(ctx) < 0)
        exit(1);
    return ctx;
}

static struct unik_ctx *add_vchan(struct host *h, int domid)
{
    char number[32], folder[100];
    const char *const options[] = { number, folder, NULL };

    snprintf(number, sizeof(number), "domid=%d", domid);
    snprintf(folder, sizeof(folder), "dir=%s", dir);
    return add(h, &unik_plugin_vchan_socket, options);
}

/* ---- the daemon ---- */

static struct unik_stream *channel;
static unsigned stage;

static void reply(const void *bytes, size_t n) { unik_stream_write(channel, bytes, n); }

static void on_daemon(struct unik_stream *s, unsigned events, void *arg)
{
    static uint8_t in[GUI_MESSAGE_MAX];
    static size_t have;
    static uint32_t skip;
    struct gui_xconf screen = { WIDTH, HEIGHT, 24, 0 };
    struct gui_header h;
    ssize_t n;

    (void)events, (void)arg;
    for (;;) {
        size_t want = stage == 0 ? GUI_VERSION_BYTES : skip ? (skip < sizeof(in) ? skip : sizeof(in)) : GUI_HEADER;

        n = unik_stream_read(s, in + have, want - have);
        if (n <= 0)
            return;
        have += (size_t)n;
        if (have < want)
            continue;
        have = 0;
        if (stage == 0) {
            stage = 1;
            reply(in, GUI_VERSION_BYTES);
            gui_encode_xconf(in, &screen);
            reply(in, GUI_XCONF_BYTES);
        } else if (skip) {
            skip -= (uint32_t)want;
        } else {
            gui_decode_header(in, &h);
            skip = h.len;
            if (h.type == GUI_WINDOW_DUMP || h.type == GUI_DESTROY) {
                struct gui_message m = { .type = h.type == GUI_DESTROY ? GUI_DESTROY : GUI_WINDOW_DUMP_ACK, .window = h.window };
                uint8_t out[GUI_MESSAGE_MAX];
                int k = gui_encode(out, sizeof(out), GUI_DAEMON, GUI_VERSION_OF(8), &m);

                reply(out, (size_t)k);
            }
        }
    }
}

static void play_daemon(pid_t guest)
{
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    struct unik_vchan *v;

    add_vchan(h, 0);
    v = host_interface(h, "vchan/1");
    if (v->connect(v, NULL, 5, GUI_PORT, on_daemon, NULL, &channel) < 0)
        exit(1);
    while (waitpid(guest, NULL, WNOHANG) == 0)
        host_run(h, 0.2);
}

/* ---- the guest ---- */

static const char *no_value(struct unik_qubesdb *q, const char *path, size_t *len)
{
    (void)q, (void)path, (void)len;
    return NULL;
}

static void on_window(struct unik_gui_window *w, const struct unik_gui_event *e, void *arg)
{
    (void)arg;
    if (e->type != UNIK_GUI_RESIZE)
        return;
    buffer = e->buffer;
    for (size_t i = 0; i < (size_t)buffer.height * buffer.pitch; i++)
        buffer.pixels[i] = (uint32_t)i;
    gui->damage(gui, w, 0, 0, buffer.width, buffer.height);
}

static double cpu(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static long switches(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return r.ru_nvcsw;
}

/* Memory of this process alone, without the pixels, which are a shared file. KiB. */
static long private_memory(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[200];
    long n = 0;

    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "RssAnon: %ld", &n);
    if (f)
        fclose(f);
    return n;
}

static void on_tick(struct ev_loop *loop, ev_timer *t, int revents)
{
    (void)loop, (void)t, (void)revents;
    ticks++;
    for (unsigned i = 0; i < per_tick; i++) {
        unsigned x = (ticks * 37 + i * 191) % (WIDTH - 8), y = (ticks * 11 + i * 83) % (HEIGHT - 8);

        buffer.pixels[y * buffer.pitch + x] = ticks;
        gui->damage(gui, window, (int)x, (int)y, 8, 8);
    }
}

/* Share of a core, in percent, of a timer that makes so many damages each time. */
static double run_damages(struct host *h, double every, unsigned each)
{
    double begin = cpu(), from = ev_time();
    ev_timer t;

    per_tick = each;
    ticks = 0;
    ev_timer_init(&t, on_tick, every, every);
    ev_timer_start(EV_DEFAULT_ &t);
    host_run(h, SECONDS);
    ev_timer_stop(EV_DEFAULT_ &t);
    return 100 * (cpu() - begin) / (ev_time() - from);
}

static void be_guest(void)
{
    static const char *const options[] = { "domain=0", "layout=us", NULL };
    struct unik_qubesdb db = { .size = sizeof(db), .read = no_value };
    struct unik_gui_setup s = { .size = sizeof(s), .width = WIDTH, .height = HEIGHT, .title = "bench" };
    struct host *h = host_new(ev_default_loop(0), UNIK_ON_QUBES, NULL);
    struct unik_ctx *ctx;
    long memory, before;
    double begin, bare, with;

    add_vchan(h, 5);
    host_publish(h, "qubesdb/1", &db);
    memory = private_memory();
    ctx = add(h, &unik_plugin_gui, options);
    gui = host_interface(h, "gui/1");
    if (gui->create(gui, &s, on_window, NULL, &window) < 0 || !host_wait(ctx, HOST_READY, 20))
        exit(1);
    for (int i = 0; i < 300 && host_counter(ctx, "images") == 0; i++)
        host_run(h, 0.1);
    host_run(h, 1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("memory beyond the pixels: %ld KiB, plugin, window and channel together\n", private_memory() - memory);

    before = (long)host_counter(ctx, "images");
    begin = cpu();
    for (int i = 0; i < UPDATES; i++) {
        gui->damage(gui, window, 0, 0, WIDTH, HEIGHT);
        while ((long)host_counter(ctx, "images") == before + i)
            ev_run(EV_DEFAULT_ EVRUN_ONCE);
    }
    printf("a full update, %d x %d: %.1f us of CPU, %d bytes sent, none copied\n", WIDTH, HEIGHT, 1e6 * (cpu() - begin) / UPDATES,
           GUI_HEADER + 16);

    bare = run_damages(h, 0.001, 0);
    with = run_damages(h, 0.001, DAMAGES / 1000);
    printf("%d damages of 8 x 8 a second, ten at a time: %.1f %% of a core, of which the app's own timer %.1f %%\n", DAMAGES, with, bare);
    bare = run_damages(h, 1.0 / DAMAGES, 0);
    with = run_damages(h, 1.0 / DAMAGES, 1);
    printf("... one at a time: %.1f %%, of which the timer %.1f %%\n", with, bare);

    host_run(h, 1);
    before = switches();
    begin = cpu();
    host_run(h, SECONDS);
    printf("idle for %.0f s with the window shown: %ld wake-ups (1 is the end of the wait), %.2f ms of CPU\n", SECONDS,
           switches() - before, 1e3 * (cpu() - begin));
    gui->destroy(gui, window);
    host_stop_wait(ctx, 5);
    exit(0);
}

int main(void)
{
    pid_t pid;
    char command[100];

    if (!mkdtemp(dir) || (pid = fork()) < 0)
        return 1;
    if (pid == 0)
        be_guest();
    play_daemon(pid);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command) != 0;
}
