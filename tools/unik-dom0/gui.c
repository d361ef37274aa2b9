/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui.c - the GUI daemon of one VM: connection, handshake, what goes out. The guest is hostile. */
#include <stdlib.h>

#include "tools/unik-dom0/gui-parts.h"

#define BOX_BYTES 65536             /* to begin with; grows up to GUI_BACKLOG_MAX */
#define RETRY_SECONDS 0.05          /* after the guest closed, before the next connect */
#define SLOW_TICK 0.05

static void begin(struct gui *g);

static void leave(struct gui *g, double seconds)
{
    struct dom0 *dom0 = g->vm->dom0;
    bool was = g->version != 0;

    gui_copy_failed(g, "the GUI connection ended");
    g->copying = false;
    if (g->stream)
        unik_stream_close(g->stream);
    g->stream = NULL;
    g->open = false;
    g->version = g->announced = 0;
    while (g->windows)
        gui_window_free(g->windows);
    g->got = g->tail_got = g->tail_size = 0;
    free(g->tail);
    g->tail = NULL;
    g->state = 0;
    memset(g->down, 0, sizeof(g->down));
    outbox_attach(&g->out, NULL);
    ev_timer_stop(dom0->loop, &g->stall);
    ev_timer_stop(dom0->loop, &g->slow);
    ev_timer_stop(dom0->loop, &g->retry);
    ev_timer_set(&g->retry, seconds, 0);
    ev_timer_start(dom0->loop, &g->retry);
    if (was)
        dom0_state(dom0, "%s: gui gone", g->vm->name);
}

void gui_restart(struct vm *vm, double seconds)
{
    dom0_log(vm->dom0, UNIK_INFO, vm->name, "gui: the daemon goes away for %g s", seconds);
    if (vm->gui)
        leave(vm->gui, seconds);
}

void gui_fatal(struct gui *g, const char *fmt, ...)
{
    char what[DOM0_LINE_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (g->version)
        vm_violation(g->vm, "gui", "%s (%s, %u, window 0x%x, %u bytes)", what, gui_type_name(g->header.type),
                     g->header.type, g->header.window, g->header.len);
    else
        vm_violation(g->vm, "gui", "%s", what);
    dom0_log(g->vm->dom0, UNIK_WARNING, g->vm->name, "gui: the real daemon is gone now, until the VM restarts; "
             "this one comes back in %d s", DOM0_AWAY_SECONDS);
    leave(g, DOM0_AWAY_SECONDS);
}

static void guest_gone(struct gui *g)
{
    const char *why = g->vm->dom0->vchan->reason(g->stream);

    if (g->got || g->tail_size)
        vm_violation(g->vm, "gui", "closed in the middle of a message");
    dom0_log(g->vm->dom0, g->open ? UNIK_INFO : UNIK_DEBUG, g->vm->name, "gui: the guest went away (%s)",
             why ? why : "closed");
    leave(g, g->open ? RETRY_SECONDS : DOM0_AWAY_SECONDS);      /* never reached: the VM itself may be gone */
}

/* ---- what goes out ---- */

static bool push(struct gui *g, const void *bytes, size_t n)
{
    size_t need = unik_ring_used(&g->out.ring) + n;
    bool halves = fault_on(&g->vm->dom0->faults, FAULT_HALF_GUI);

    if (!g->stream)
        return false;
    if (need > GUI_BACKLOG_MAX || (need > g->out.ring.size && outbox_grow(&g->out, need) < 0)
        || outbox_push(&g->out, bytes, n, halves) < 0) {
        gui_fatal(g, "the guest does not read: %zu bytes wait", need - n);
        return false;
    }
    return true;
}

void gui_send(struct gui *g, struct gui_message *m, const void *end, size_t n)
{
    uint8_t *bytes;
    int head;

    if (!g->version)
        return;
    bytes = malloc(GUI_MESSAGE_MAX + n);
    head = bytes ? gui_encode(bytes, GUI_MESSAGE_MAX, GUI_DAEMON, g->version, m) : -ENOMEM;
    if (head < 0)
        dom0_log(g->vm->dom0, UNIK_ERROR, g->vm->name, "gui: %s was not sent: %s", gui_type_name(m->type), strerror(-head));
    else {
        if (n)
            memcpy(bytes + head, end, n);
        if (push(g, bytes, (size_t)head + n))
            outbox_flush(&g->out);
        dom0_log(g->vm->dom0, UNIK_DEBUG, g->vm->name, "gui: sent %s, window 0x%x", gui_type_name(m->type), m->window);
    }
    free(bytes);
}

/* ---- the handshake (doc/protocol/gui.md, 2) ---- */

static void take_version(struct gui *g)
{
    struct dom0 *d = g->vm->dom0;
    uint8_t hello[GUI_VERSION_BYTES + GUI_XCONF_BYTES];
    struct gui_xconf x = { (d->screen_width + 7) & ~7u, d->screen_height, 24, 0 };
    size_t at = 0;

    x.mem = (uint32_t)((uint64_t)x.width * x.height * 4 / 1024 + 1);
    g->announced = gui_decode_version(g->in);
    g->got = 0;
    if (!gui_version(d->gui_version, g->announced)) {
        gui_fatal(g, "version 0x%x: the real daemon shows an error and ends", g->announced);
        return;
    }
    g->version = gui_version(d->gui_version, g->announced);
    if (GUI_MINOR(g->announced) >= 4) {
        gui_encode_version(hello, g->version);
        at = GUI_VERSION_BYTES;
    }
    gui_encode_xconf(hello + at, &x);
    if (!push(g, hello, at + GUI_XCONF_BYTES))
        return;
    outbox_flush(&g->out);
    dom0_log(d, UNIK_INFO, g->vm->name, "gui: the guest speaks 1.%u: 1.%u", GUI_MINOR(g->announced), GUI_MINOR(g->version));
    dom0_state(d, "%s: gui connected, protocol 1.%u", g->vm->name, GUI_MINOR(g->version));
    vm_restart_fault(g->vm);
}

/* The first four bytes. false: not all there yet, or the end. */
static bool handshake(struct gui *g)
{
    const void *bytes;
    size_t n;

    while (!g->version && g->stream && (n = unik_stream_peek(g->stream, &bytes)) > 0) {
        if (n > GUI_VERSION_BYTES - g->got)
            n = GUI_VERSION_BYTES - g->got;
        memcpy(g->in + g->got, bytes, n);
        g->got += n;
        unik_stream_consume(g->stream, n);
        if (g->got == GUI_VERSION_BYTES)
            take_version(g);
    }
    return g->version != 0;
}

/* ---- time ---- */

static void watch_for_stall(struct gui *g)
{
    struct ev_loop *loop = g->vm->dom0->loop;

    if (g->stream && g->open && (g->got || g->tail_size || !g->version)) {
        if (!ev_is_active(&g->stall)) {
            ev_timer_set(&g->stall, g->vm->dom0->deadline, 0);
            ev_timer_start(loop, &g->stall);
        }
    } else {
        ev_timer_stop(loop, &g->stall);
        g->complained = false;
    }
}

static void on_stall(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct gui *g = w->data;

    (void)loop, (void)revents;
    if (g->complained || fault_on(&g->vm->dom0->faults, FAULT_SLOW_GUI))
        return;
    g->complained = true;
    if (g->version)
        vm_violation(g->vm, "gui", "half a message (%s, %zu bytes of it) for %g s: the real daemon stands still",
                     g->got < GUI_HEADER ? "no whole header" : gui_type_name(g->header.type), g->got + g->tail_got,
                     g->vm->dom0->deadline);
    else
        vm_violation(g->vm, "gui", "no version within %g s", g->vm->dom0->deadline);
}

static void turn(struct gui *g)
{
    unsigned long before = g->messages;

    if (g->stream && handshake(g))
        gui_receive(g);
    if (g->messages != before)
        ev_timer_stop(g->vm->dom0->loop, &g->stall);
    if (g->stream && unik_stream_ended(g->stream))
        guest_gone(g);
    watch_for_stall(g);
}

static void on_slow(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct gui *g = w->data;
    const struct faults *f = &g->vm->dom0->faults;

    (void)revents;
    if (!fault_on(f, FAULT_SLOW_GUI))
        ev_timer_stop(loop, w);
    g->allowance = fault_value(f, FAULT_SLOW_GUI) * SLOW_TICK + (g->allowance < 1 ? g->allowance : 0);
    turn(g);
}

static void on_stream(struct unik_stream *s, unsigned events, void *arg)
{
    struct gui *g = arg;

    (void)s;
    if (events & UNIK_STREAM_OPEN)
        g->open = true;
    if (fault_on(&g->vm->dom0->faults, FAULT_SLOW_GUI) && !ev_is_active(&g->slow)) {
        ev_timer_set(&g->slow, SLOW_TICK, SLOW_TICK);
        ev_timer_start(g->vm->dom0->loop, &g->slow);
    }
    outbox_flush(&g->out);
    turn(g);
}

static void on_retry(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop, (void)revents;
    begin(w->data);
}

static void begin(struct gui *g)
{
    struct unik_vchan *v = g->vm->dom0->vchan;
    int e = v->connect(v, NULL, g->vm->domid, GUI_PORT, on_stream, g, &g->stream);

    g->complained = false;
    g->messages = 0;
    if (e < 0) {
        dom0_log(g->vm->dom0, UNIK_ERROR, g->vm->name, "gui: cannot connect to domain %d: %s", g->vm->domid, strerror(-e));
        g->stream = NULL;
        ev_timer_set(&g->retry, DOM0_AWAY_SECONDS, 0);
        ev_timer_start(g->vm->dom0->loop, &g->retry);
        return;
    }
    outbox_attach(&g->out, g->stream);
}

int gui_init(struct vm *vm)
{
    struct gui *g = calloc(1, sizeof(*g));

    if (!g)
        return -ENOMEM;
    vm->gui = g;
    g->vm = vm;
    g->screen = &gui_desk;
    ev_timer_init(&g->retry, on_retry, 0, 0);
    ev_timer_init(&g->stall, on_stall, 0, 0);
    ev_timer_init(&g->slow, on_slow, 0, 0);
    g->retry.data = g->stall.data = g->slow.data = g;
    if (outbox_init(&g->out, vm->dom0->loop, BOX_BYTES, NULL, NULL) < 0)
        return -ENOMEM;
    begin(g);
    return 0;
}

void gui_free(struct vm *vm)
{
    struct gui *g = vm->gui;

    if (!g)
        return;
    leave(g, 0);
    ev_timer_stop(vm->dom0->loop, &g->retry);
    outbox_free(&g->out);
    free(g);
    vm->gui = NULL;
}

uint32_t gui_connected(struct vm *vm) { return vm->gui ? vm->gui->version : 0; }

void gui_status(struct vm *vm, struct unik_text *out)
{
    const struct gui *g = vm->gui;

    if (!g)
        return;
    if (g->version)
        unik_text_add(out, "gui: connected, protocol 1.%u (the guest speaks 1.%u), %zu windows, %lu dumps, %lu paints\n",
                      GUI_MINOR(g->version), GUI_MINOR(g->announced), g->n_windows, g->dumps, g->paints);
    else
        unik_text_add(out, "gui: %s\n", !g->stream ? "away" : g->open ? "waiting for the version" : "waiting for the guest");
}
