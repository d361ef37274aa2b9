/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/request.c - what may be asked of a running dom0. Clients are programs of the same user. */
#include <stdlib.h>

#include "tools/unik-dom0/call.h"
#include "tools/unik-dom0/control.h"
#include "tools/unik-dom0/db.h"
#include "tools/unik-dom0/gui.h"
#include "tools/unik-dom0/net.h"
#include "tools/unik-dom0/socket.h"

#define STATUS_MAX 65536
#define WAIT_DIED_SECONDS 10            /* `wait` without an end: a VM that was there and is gone does not come back after that */
#define WAIT_COME_SECONDS 60            /* ... and one that never was there does not come */

static void fail(struct client *c, int code, const char *what)
{
    client_printf(c, 'e', "unik-dom0: %s\n", what);
    client_exit(c, code);
}

static struct vm *vm_of(struct client *c) { return vm_find(c->dom0, client_word(c, "vm", "")); }
static double seconds_of(struct client *c) { return strtod(client_word(c, "seconds", "0"), NULL); }

/* ---- call, exec ---- */

static void call_done(void *arg, int code, const char *message)
{
    struct client *c = arg;

    c->job = NULL;
    if (message)
        client_printf(c, 'e', "unik-dom0: %s\n", message);
    client_exit(c, code);
}

static void call_gone(struct client *c)
{
    if (c->job)
        call_abort(c->job);
}

/* "DEFAULT:" becomes the VM's default user, as in the real daemon. */
static void set_line(struct vm *vm, struct client *c, char *line, size_t size)
{
    const char *text = client_word(c, "line", "");
    bool standard = strncmp(text, "DEFAULT:", 8) == 0;

    snprintf(line, size, "%s%s", standard ? vm->user : "", standard ? text + 7 : text);
}

static void do_call(struct client *c)
{
    static char line[SOCKET_REQUEST_MAX + DOM0_NAME_MAX];       /* used within one call only */
    struct vm *vm = vm_of(c);
    struct call_params p = { .just_exec = *client_word(c, "just", "") != 0, .line = line, .timeout = seconds_of(c),
                             .done = call_done, .arg = c };
    const char *message = NULL;
    struct call *call;
    int code;

    if (!vm) {
        fail(c, 126, "no such VM");
        return;
    }
    set_line(vm, c, line, sizeof(line));
    for (int i = 0; i < 3; i++) {
        p.fds[i] = c->fds[i];
        c->fds[i] = -1;
    }
    code = call_start(vm, &p, &call, &message);
    if (code) {
        fail(c, code, message);
        return;
    }
    c->job = call;
    c->gone = call_gone;
}

/* ---- qubesdb ---- */

struct watcher {
    struct db_watch watch;
    struct client *client;
    struct vm *vm;
    long left;                          /* events until the end; 0: no end */
};

static void watch_gone(struct client *c)
{
    struct watcher *w = c->job;

    db_unwatch(w->vm, &w->watch);
    free(w);
}

static void watch_event(struct db_watch *watch, const char *path)
{
    struct watcher *w = watch->arg;
    struct client *c = w->client;

    client_printf(c, 'o', "%s\n", path);
    if (w->left && --w->left == 0) {
        watch_gone(c);
        client_exit(c, 0);
    }
}

static void db_do_watch(struct client *c, struct vm *vm, const char *path)
{
    struct watcher *w = calloc(1, sizeof(*w));

    if (!w) {
        fail(c, 1, "no memory");
        return;
    }
    *w = (struct watcher){ .watch = { .path = path, .cb = watch_event, .arg = w }, .client = c, .vm = vm,
                           .left = strtol(client_word(c, "count", "0"), NULL, 10) };
    c->job = w;
    c->gone = watch_gone;
    db_watch(vm, &w->watch);
}

static void db_do_list(struct client *c, struct vm *vm, const char *prefix)
{
    const struct store *s = db_store(vm);
    bool values = *client_word(c, "values", "") != 0;

    for (size_t i = store_find(s, prefix); i < s->n && strncmp(s->at[i].path, prefix, strlen(prefix)) == 0; i++) {
        if (values)
            client_printf(c, 'o', "%s = %s\n", s->at[i].path, s->at[i].value);
        else
            client_printf(c, 'o', "%s\n", s->at[i].path);
    }
    client_exit(c, 0);
}

static void db_do_read(struct client *c, struct vm *vm, const char *path)
{
    const struct store_entry *e = store_get(db_store(vm), path);

    if (e) {
        client_say(c, 'o', e->value, e->len);
        client_say(c, 'o', "\n", 1);
    } else
        client_printf(c, 'e', "unik-dom0: %s: no such key\n", path);
    client_exit(c, e ? 0 : 2);
}

static void do_db(struct client *c)
{
    const char *verb = client_word(c, "verb", ""), *path = client_word(c, "path", "");
    struct vm *vm = vm_of(c);
    int e = 0;

    if (!vm)
        fail(c, 1, "no such VM");
    else if (strcmp(verb, "read") == 0)
        db_do_read(c, vm, path);
    else if (strcmp(verb, "list") == 0)
        db_do_list(c, vm, path);
    else if (strcmp(verb, "watch") == 0)
        db_do_watch(c, vm, path);
    else {
        if (strcmp(verb, "write") == 0)
            e = db_write(vm, path, client_word(c, "value", ""));
        else
            e = db_remove(vm, path);
        if (e < 0)
            client_printf(c, 'e', "unik-dom0: %s: %s\n", path, e == -ENOENT ? "no such key" : e == -EINVAL ?
                          "not a path, or a value over 3071 bytes" : strerror(-e));
        client_exit(c, e == 0 ? 0 : e == -ENOENT ? 2 : 1);
    }
}

/* ---- status, wait ---- */

static void do_status(struct client *c)
{
    static char text[STATUS_MAX];       /* used within one call only */
    const char *name = client_word(c, "vm", "");
    struct unik_text out;

    unik_text_init(&out, text, sizeof(text));
    for (size_t i = 0; i < c->dom0->n_vms; i++)
        if (!*name || c->dom0->vms[i] == vm_find(c->dom0, name))
            vm_status(c->dom0->vms[i], &out);
    unik_text_add(&out, "faults: ");
    fault_list(&c->dom0->faults, &out);
    unik_text_add(&out, "\n");
    client_say(c, 'o', text, out.used);
    client_exit(c, *client_word(c, "strict", "") && dom0_violations(c->dom0) ? 1 : 0);
}

static bool is_there(struct vm *vm)
{
    return control_version(vm) != 0 || db_synced(vm) || gui_connected(vm) != 0 || net_linked(vm);
}

static bool has_come(struct vm *vm, const char *what)
{
    if (strcmp(what, "dom0") == 0)
        return true;
    if (strcmp(what, "qrexec") == 0)
        return control_version(vm) != 0;
    if (strcmp(what, "qubesdb") == 0)
        return db_synced(vm);
    if (strcmp(what, "gui") == 0)
        return gui_connected(vm) != 0;
    if (strncmp(what, "window:", 7) == 0)
        return gui_shows(vm, what + 7);
    if (strcmp(what, "net") == 0)
        return net_linked(vm);
    return !is_there(vm);
}

static void start_timer(struct client *c, double seconds, void (*over)(struct ev_loop *loop, ev_timer *w, int revents))
{
    ev_timer_init(&c->timer, over, seconds, 0);
    ev_timer_start(c->dom0->loop, &c->timer);
}

static void on_vm_away(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct client *c = w->data;

    (void)loop, (void)revents;
    if (vm_of(c)->seen)
        client_printf(c, 'e', "unik-dom0: %s: the VM is gone\n", c->waits);
    else
        client_printf(c, 'e', "unik-dom0: %s: no VM has come within %d s; --seconds waits longer\n", c->waits, WAIT_COME_SECONDS);
    client_exit(c, 1);
}

/* Who waits without an end waits for a VM that is there: the clock runs while it is away. */
static void watch_vm(struct client *c, struct vm *vm)
{
    if (is_there(vm))
        ev_timer_stop(c->dom0->loop, &c->timer);
    else if (!ev_is_active(&c->timer))
        start_timer(c, vm->seen ? WAIT_DIED_SECONDS : WAIT_COME_SECONDS, on_vm_away);
}

static void visit_waiter(struct client *c)
{
    struct vm *vm = c->waits ? vm_of(c) : NULL;

    if (!vm)
        return;
    if (has_come(vm, c->waits))
        client_exit(c, 0);
    else if (seconds_of(c) <= 0)
        watch_vm(c, vm);
}

void request_wake(struct dom0 *d)
{
    for (size_t i = 0; i < d->n_vms; i++)
        d->vms[i]->seen = d->vms[i]->seen || is_there(d->vms[i]);
    server_each(d, visit_waiter);
}

static void on_wait_over(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct client *c = w->data;

    (void)loop, (void)revents;
    client_printf(c, 'e', "unik-dom0: %s: not in time\n", c->waits);
    client_exit(c, 1);
}

static void do_wait(struct client *c)
{
    if (!vm_of(c)) {
        fail(c, 1, "no such VM");
        return;
    }
    c->waits = client_word(c, "what", "");
    if (seconds_of(c) > 0)
        start_timer(c, seconds_of(c), on_wait_over);
    dom0_log(c->dom0, UNIK_DEBUG, "dom0", "somebody waits for %s", c->waits);
    visit_waiter(c);
}

/* ---- net ---- */

/* exec: the answer is the process in whose namespace the client goes on. */
static void do_net(struct client *c)
{
    const char *what = client_word(c, "what", "");
    struct vm *vm = vm_of(c);

    if (!vm || !net_pid(c->dom0))
        fail(c, 1, vm ? "there is no network: start it with --net" : "no such VM");
    else if (strcmp(what, "exec") == 0) {
        client_printf(c, 'o', "%d", net_pid(c->dom0));
        client_exit(c, 0);
    } else
        client_exit(c, net_plug(vm, strcmp(what, "attach") == 0) < 0);
}

/* ---- stop, restart, fault ---- */

static void do_stop(struct client *c)
{
    c->until_exit = true;                       /* the client is told by the end of the connection: nothing is held then */
    ev_break(c->dom0->loop, EVBREAK_ALL);
}

static void do_restart(struct client *c)
{
    struct vm *vm = vm_of(c);

    if (!vm) {
        fail(c, 1, "no such VM");
        return;
    }
    if (strcmp(client_word(c, "what", ""), "qrexec") == 0)
        control_restart(vm, seconds_of(c));
    else if (strcmp(client_word(c, "what", ""), "gui") == 0)
        gui_restart(vm, seconds_of(c));
    else
        db_restart(vm, seconds_of(c));
    client_exit(c, 0);
}

static void do_fault(struct client *c)
{
    struct dom0 *d = c->dom0;
    char text[256];
    struct unik_text why;

    unik_text_init(&why, text, sizeof(text));
    if (fault_set(&d->faults, client_word(c, "spec", ""), &why) < 0) {
        fail(c, 2, text);
        return;
    }
    dom0_log(d, UNIK_INFO, "dom0", "fault %s", client_word(c, "spec", ""));
    for (size_t i = 0; fault_on(&d->faults, FAULT_RESTART) && i < d->n_vms; i++)
        vm_restart_fault(d->vms[i]);
    client_exit(c, 0);
}

static void do_gui(struct client *c) { gui_request(c, vm_of(c)); }

void request_begin(struct client *c)
{
    static const struct {
        const char *verb;
        void (*serve)(struct client *c);
    } table[] = {
        { "call", do_call }, { "qubesdb", do_db }, { "status", do_status }, { "wait", do_wait }, { "stop", do_stop },
        { "restart", do_restart }, { "fault", do_fault }, { "gui", do_gui }, { "net", do_net },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(c->request, table[i].verb) == 0) {
            table[i].serve(c);
            return;
        }
    fail(c, 2, "a request that this version does not know");
}
