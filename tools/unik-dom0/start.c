/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/start.c - `start`: options, transport, loop, end. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/host/host.h"
#include "tools/unik-dom0/command.h"
#include "tools/unik-dom0/control.h"
#include "protocol/gui.h"
#include "tools/unik-dom0/db.h"
#include "tools/unik-dom0/gui.h"
#include "tools/unik-dom0/lock.h"
#include "tools/unik-dom0/net.h"
#include "tools/unik-dom0/pair.h"
#include "tools/unik-dom0/socket.h"

extern const struct unik_plugin unik_plugin_vchan_socket;
#ifdef UNIK_HAVE_XEN
extern const struct unik_plugin unik_plugin_vchan_xen, unik_plugin_xenstore;
#endif

#define STOP_SECONDS 5

struct vm_options {
    double domid;
    const char *name, *user, *qubesdb;
};

struct options {
    const char *state, *vchan_dir, *grant_dir, *transport, *policy, *user, *hosts;
    struct vm_options vms[DOM0_VMS_MAX];
    size_t n_vms;
    double self;                        /* the domain that this plays: 0, or a GUI domain */
    bool net;
    bool first_by_options;              /* --domid, --name, --qubesdb describe vms[0] */
};

static struct dom0 dom0 = { .protocol = QREXEC_VERSION, .gui_version = GUI_VERSION_OF(GUI_MINOR_MAX),
                            .screen_width = 1920, .screen_height = 1080, .clipboard_max = 64000,
                            .connect_timeout = DOM0_CONNECT_SECONDS,
                            .served_timeout = DOM0_SERVED_SECONDS, .deadline = 10,
                            .level = UNIK_INFO };

static const struct option longs[] = {
    { "state", required_argument, NULL, 's' },      { "domid", required_argument, NULL, 'd' },
    { "name", required_argument, NULL, 'n' },       { "qubesdb", required_argument, NULL, 'q' },
    { "vm", required_argument, NULL, 'v' },         { "vchan-dir", required_argument, NULL, 'D' },
    { "transport", required_argument, NULL, 't' },  { "default-user", required_argument, NULL, 'u' },
    { "fault", required_argument, NULL, 'f' },      { "protocol", required_argument, NULL, 'p' },
    { "policy", required_argument, NULL, 'P' },     { "services", required_argument, NULL, 'S' },
    { "deadline", required_argument, NULL, 'l' },   { "log", required_argument, NULL, 'L' },
    { "connect-timeout", required_argument, NULL, 'w' }, { "no-gui", no_argument, NULL, 'N' },
    { "gui-protocol", required_argument, NULL, 'g' }, { "screen", required_argument, NULL, 'x' },
    { "clipboard", required_argument, NULL, 'c' },  { "grant-dir", required_argument, NULL, 'G' },
    { "net", no_argument, NULL, 'E' },              { "hosts", required_argument, NULL, 'H' },
    { "gui-domain", required_argument, NULL, 'i' },
    { NULL, 0, NULL, 0 }
};

static bool name_ok(const char *name)
{
    return *name && strlen(name) <= DOM0_NAME_MAX && strcmp(name, "dom0") != 0
           && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name);
}

/* "domid=2,name=work,user=user,qubesdb=FILE" */
static int parse_vm(struct vm_options *vm, char *text)
{
    static char *const keys[] = { (char *)(uintptr_t)"domid", (char *)(uintptr_t)"name", (char *)(uintptr_t)"user",
                                  (char *)(uintptr_t)"qubesdb", NULL };
    char *value, *item = text;

    while (*text) {
        item = text;
        switch (getsubopt(&text, keys, &value)) {
        case 0:
            if (!value || !parse_number(value, 1, 32751, &vm->domid))
                return usage("--vm domid=%s: expected 1..32751", value ? value : "");
            break;
        case 1:
            vm->name = value;
            break;
        case 2:
            vm->user = value;
            break;
        case 3:
            vm->qubesdb = value;
            break;
        default:
            return usage("--vm %s: expected domid=N,name=NAME,user=USER,qubesdb=FILE", item);
        }
    }
    return vm->domid > 0 ? 0 : usage("--vm needs domid=N");
}

static int parse_level(const char *text)
{
    static const char *const levels[] = { "error", "warning", "info", "debug" };

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(text, levels[i]) == 0) {
            dom0.level = (enum unik_level)i;
            return 0;
        }
    return usage("--log %s: expected error, warning, info or debug", text);
}

static int parse_fault(const char *spec)
{
    char text[256];
    struct unik_text why;

    unik_text_init(&why, text, sizeof(text));
    return fault_set(&dom0.faults, spec, &why) < 0 ? usage("--fault %s", text) : 0;
}

/* "1.4" to "1.8" */
static int parse_gui_version(const char *text)
{
    if (strncmp(text, "1.", 2) != 0 || text[2] < '4' || text[2] > '0' + GUI_MINOR_MAX || text[3])
        return usage("--gui-protocol %s: expected 1.4 to 1.%d", text, GUI_MINOR_MAX);
    dom0.gui_version = GUI_VERSION_OF((uint32_t)(text[2] - '0'));
    return 0;
}

/* "1920x1080" */
static int parse_screen(const char *text)
{
    char end;

    if (sscanf(text, "%5ux%5u%c", &dom0.screen_width, &dom0.screen_height, &end) != 2 || dom0.screen_width < 1
        || dom0.screen_width > GUI_WIDTH_MAX || dom0.screen_height < 1 || dom0.screen_height > GUI_HEIGHT_MAX)
        return usage("--screen %s: expected WIDTHxHEIGHT, at most %ux%u", text, GUI_WIDTH_MAX, GUI_HEIGHT_MAX);
    return 0;
}

static int parse_one(struct options *o, int c, char *arg)
{
    struct vm_options *first = &o->vms[0];
    double number;

    if ((c == 'd' || c == 'n' || c == 'q') && !o->first_by_options) {
        if (o->n_vms)
            return usage("--domid, --name and --qubesdb come before --vm");
        o->first_by_options = true;
        o->n_vms = 1;
        first->domid = 1;
    }
    switch (c) {
    case 's': o->state = arg; return 0;
    case 'd': return parse_number(arg, 1, 32751, &first->domid) ? 0 : usage("--domid %s: expected 1..32751", arg);
    case 'n': first->name = arg; return 0;
    case 'q': first->qubesdb = arg; return 0;
    case 'v':
        if (o->n_vms == DOM0_VMS_MAX)
            return usage("more than %d VMs", DOM0_VMS_MAX);
        return parse_vm(&o->vms[o->n_vms++], arg);
    case 'D': o->vchan_dir = arg; return 0;
    case 't': o->transport = arg; return 0;
    case 'u': o->user = arg; return 0;
    case 'f': return parse_fault(arg);
    case 'P': o->policy = arg; return 0;
    case 'S': dom0.services = arg; return 0;
    case 'E': o->net = true; return 0;
    case 'H': o->hosts = arg; return 0;
    case 'l': return parse_number(arg, 0.1, 3600, &dom0.deadline) ? 0 : usage("--deadline %s: expected 0.1..3600", arg);
    case 'w':
        if (!parse_number(arg, 0.1, 3600, &dom0.connect_timeout))
            return usage("--connect-timeout %s: expected 0.1..3600", arg);
        dom0.served_timeout = dom0.connect_timeout;
        return 0;
    case 'L': return parse_level(arg);
    case 'N': dom0.no_gui = true; return 0;
    case 'g': return parse_gui_version(arg);
    case 'x': return parse_screen(arg);
    case 'G': o->grant_dir = arg; return 0;
    case 'i': return parse_number(arg, 1, 32751, &o->self) ? 0 : usage("--gui-domain %s: expected 1..32751", arg);
    case 'c':
        if (!parse_number(arg, 256, GUI_CLIPBOARD_IN_MAX, &number))
            return usage("--clipboard %s: expected 256..%u", arg, GUI_CLIPBOARD_IN_MAX);
        dom0.clipboard_max = (uint32_t)number;
        return 0;
    case 'p':
        if (!parse_number(arg, QREXEC_VERSION_MIN, QREXEC_VERSION, &number))
            return usage("--protocol %s: expected 2, 3 or 4", arg);
        dom0.protocol = (uint32_t)number;
        return 0;
    default: return usage("start: see above");
    }
}

static int parse(struct options *o, int argc, char **argv)
{
    int c, e;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if ((e = parse_one(o, c, optarg)) != 0)
            return e;
    if (optind < argc)
        return usage("start: %s: unexpected", argv[optind]);
    if (!o->state || !*o->state)
        return usage("start: --state DIR is missing");
    if (strcmp(o->transport, "socket") != 0 && strcmp(o->transport, "xen") != 0)
        return usage("--transport %s: expected socket or xen", o->transport);
    if (o->hosts && !o->net)
        return usage("--hosts: without --net nobody asks for names");
    if (o->self > 0 && (strcmp(o->transport, "socket") != 0 || dom0.no_gui))
        return usage("--gui-domain wants --transport socket, and no --no-gui");
    if (o->net && strcmp(o->transport, "socket") != 0)
        return usage("--net: a VM under Xen has its network from there");
    if (o->n_vms == 0)
        o->vms[o->n_vms++].domid = 1;
    return 0;
}

static void fill_in(struct options *o, char names[DOM0_VMS_MAX][DOM0_NAME_MAX + 1])
{
    for (size_t i = 0; i < o->n_vms; i++) {
        struct vm_options *vm = &o->vms[i];

        snprintf(names[i], DOM0_NAME_MAX + 1, "vm%d", (int)vm->domid);
        vm->name = vm->name ? vm->name : names[i];
        vm->user = vm->user ? vm->user : o->user;
    }
}

static int check_vms(const struct options *o)
{
    for (size_t i = 0; i < o->n_vms; i++) {
        if (!name_ok(o->vms[i].name))
            return usage("%s: not a name for a VM", o->vms[i].name);
        if (strlen(o->vms[i].user) > DOM0_NAME_MAX || !*o->vms[i].user || strchr(o->vms[i].user, ':'))
            return usage("%s: not a user", o->vms[i].user);
        for (size_t k = 0; k < i; k++)
            if ((int)o->vms[k].domid == (int)o->vms[i].domid || strcmp(o->vms[k].name, o->vms[i].name) == 0)
                return usage("two VMs have domid %d or name %s", (int)o->vms[i].domid, o->vms[i].name);
    }
    return 0;
}

/* ---- transport ---- */

static void on_plugin_log(struct unik_ctx *ctx, enum unik_level level, const char *line, void *arg)
{
    dom0_log(arg, level, ctx->plugin->name, "%s", line);
}

static int add_plugin(struct host *h, const struct unik_plugin *plugin, const char *const *settings,
                      struct unik_ctx **out)
{
    struct unik_ctx *ctx = host_add(h, plugin, settings);
    int e = ctx ? host_start(ctx) : -EINVAL;

    if (e < 0)
        return e;                       /* it never ran, so it is not to be stopped */
    *out = ctx;
    return host_wait(ctx, HOST_READY, STOP_SECONDS) ? 0 : -ETIMEDOUT;
}

/* Plugins in the order in which they were started, ctx[0] first; NULL: not running. */
static int start_transport(struct host *h, const struct options *o, struct unik_ctx *ctx[2])
{
    char dir[4096], domid[32];
    const char *const settings[] = { domid, dir, NULL };
    int e;

    snprintf(domid, sizeof(domid), "domid=%d", (int)o->self);
    snprintf(dir, sizeof(dir), "dir=%s", o->vchan_dir);
    if (strcmp(o->transport, "socket") == 0)
        e = add_plugin(h, &unik_plugin_vchan_socket, settings, &ctx[0]);
    else {
#ifdef UNIK_HAVE_XEN
        e = add_plugin(h, &unik_plugin_xenstore, NULL, &ctx[0]);
        if (e == 0)
            e = add_plugin(h, &unik_plugin_vchan_xen, NULL, &ctx[1]);
        (void)settings;
#else
        e = -ENOTSUP;
#endif
    }
    dom0.vchan = host_interface(h, "vchan/1");
    if (e < 0 || !dom0.vchan)
        fprintf(stderr, "unik-dom0: transport %s: %s\n", o->transport, strerror(e < 0 ? -e : ENOENT));
    return e < 0 || !dom0.vchan ? -EIO : 0;
}

static int make_dirs(struct options *o, char *vchan_dir, size_t size)
{
    const char *from_env = getenv("VCHAN_SOCKET_DIR");

    if (mkdir(o->state, 0700) < 0 && errno != EEXIST) {
        fprintf(stderr, "unik-dom0: %s: %s\n", o->state, strerror(errno));
        return -errno;
    }
    if (!o->vchan_dir && from_env && *from_env)
        o->vchan_dir = from_env;
    if (!o->vchan_dir) {
        if (snprintf(vchan_dir, size, "%s/vchan", o->state) >= (int)size)
            return -ENAMETOOLONG;
        o->vchan_dir = vchan_dir;
    }
    if (strcmp(o->transport, "socket") == 0 && mkdir(o->vchan_dir, 0700) < 0 && errno != EEXIST) {
        fprintf(stderr, "unik-dom0: %s: %s\n", o->vchan_dir, strerror(errno));
        return -errno;
    }
    return 0;
}

static int lock_folders(const struct options *o, struct locks *locks)
{
    int e = lock_state(locks, o->state);

    for (size_t i = 0; e == 0 && strcmp(o->transport, "socket") == 0 && i < o->n_vms; i++)
        e = lock_sockets(locks, o->vchan_dir, (int)o->self, (int)o->vms[i].domid);
    return e;
}

/* What stands for grants, where there are none. */
static int set_grant_dir(struct options *o, char *grant_dir, size_t size)
{
    const char *from_env = getenv("UNIK_GRANT_DIR");

    if (strcmp(o->transport, "socket") != 0)
        return 0;
    if (!o->grant_dir && from_env && *from_env)
        o->grant_dir = from_env;
    if (!o->grant_dir) {
        if (snprintf(grant_dir, size, "%s/grants", o->vchan_dir) >= (int)size)
            return -ENAMETOOLONG;
        o->grant_dir = grant_dir;
    }
    dom0.grant_dir = o->grant_dir;
    return 0;
}

/* ---- run ---- */

static int start_vms(const struct options *o)
{
    char text[4096];
    struct unik_text why;
    int e = 0;

    unik_text_init(&why, text, sizeof(text));
    if (o->policy)
        e = policy_load(&dom0.policy, o->policy, &why);
    for (size_t i = 0; i < o->n_vms && e == 0; i++) {
        const struct vm_options *vo = &o->vms[i];
        struct vm *vm = vm_new(&dom0, (int)vo->domid, vo->name, vo->user);

        e = vm ? pairs_init(vm) : -ENOMEM;
        if (e == 0)
            e = db_init(vm, vo->qubesdb, &why);
        if (e == 0)
            e = control_init(vm);
        if (e == 0 && !dom0.no_gui)
            e = gui_init(vm);
    }
    if (e == 0 && o->net)
        e = net_start(&dom0, o->state, o->vchan_dir, o->hosts, &why);
    if (e < 0)
        fprintf(stderr, "%s%s%s\n", text, text[0] ? "" : "unik-dom0: cannot start: ", text[0] ? "" : strerror(-e));
    return e;
}

static void on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)w, (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

static int run(const struct options *o)
{
    ev_signal term, interrupt;
    int e = server_start(&dom0, o->state);

    if (e < 0) {
        fprintf(stderr, "unik-dom0: %s: %s\n", o->state, strerror(-e));
        return 1;
    }
    ev_signal_init(&term, on_signal, SIGTERM);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    ev_signal_start(dom0.loop, &term);
    ev_signal_start(dom0.loop, &interrupt);
    dom0_state(&dom0, "ready");
    ev_run(dom0.loop, 0);
    ev_signal_stop(dom0.loop, &term);
    ev_signal_stop(dom0.loop, &interrupt);
    return 0;
}

/* As many descriptors as we may have: each call takes five. */
static void raise_limit(struct rlimit *before)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, before) < 0)
        *before = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
    r = *before;
    if (r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

/* Started behind a shell's prompt, we are in the background of a terminal from which a call, in the foreground, may have its input:
 * reading it would stop us. A terminal that is not ours is read like any other. Ctrl-C in the foreground comes as before. */
static void leave_terminal(void)
{
    int fd = getsid(0) == getpid() ? -1 : open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return;
    ioctl(fd, TIOCNOTTY);
    close(fd);
}

/* With all locks held; they are released when everything that was made is gone. */
static int serve(const struct options *o)
{
    struct unik_ctx *ctx[2] = { NULL, NULL };
    struct host *h;
    int code;

    dom0.loop = ev_default_loop(0);
    h = host_new(dom0.loop, UNIK_ON_QUBES, NULL);
    if (!h)
        return 1;
    host_on_log(h, on_plugin_log, &dom0);
    code = start_transport(h, o, ctx) < 0 || start_vms(o) < 0 ? 1 : run(o);
    if (dom0_violations(&dom0)) {
        fprintf(stderr, "unik-dom0: %lu violations of the protocol by the guest\n", dom0_violations(&dom0));
        code = 1;
    }
    server_stop(&dom0);
    net_stop(&dom0);
    for (size_t i = 0; i < dom0.n_vms; i++)
        vm_free(dom0.vms[i]);
    dom0.n_vms = 0;
    for (int i = 1; i >= 0; i--)
        if (ctx[i])
            host_stop_wait(ctx[i], STOP_SECONDS);
    host_free(h);
    policy_free(&dom0.policy);
    return code;
}

int command_start(int argc, char **argv)
{
    struct options o = { .state = getenv("UNIK_DOM0_STATE"), .transport = "socket", .user = "user" };
    char names[DOM0_VMS_MAX][DOM0_NAME_MAX + 1], vchan_dir[4096], grant_dir[4096];
    struct locks locks = { .n = 0 };
    int code = parse(&o, argc, argv);

    if (code)
        return code;
    fill_in(&o, names);
    if ((code = check_vms(&o)) != 0)
        return code;
    if (make_dirs(&o, vchan_dir, sizeof(vchan_dir)) < 0 || set_grant_dir(&o, grant_dir, sizeof(grant_dir)) < 0)
        return 1;
    signal(SIGPIPE, SIG_IGN);
    raise_limit(&dom0.files);
    leave_terminal();
    code = lock_folders(&o, &locks) < 0 ? 1 : serve(&o);
    locks_release(&locks);
    return code;
}
