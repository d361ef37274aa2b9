/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/main.c - unik-supervisor: command line, signals, one loop. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/init.h"
#include "supervisor/process.h"
#include "supervisor/slow.h"
#include "supervisor/supervisor.h"

#define OVERRIDES_MAX 64
#define EXIT_CONFIG 2
#define REPORT_MAX 65536

static const char *config_file;
static const char *overrides[OVERRIDES_MAX];
static size_t overrides_n;

static void usage(FILE *to)
{
    fprintf(to,
            "usage: unik-supervisor -c FILE [-o [PLUGIN.]KEY=VALUE]... [--log LEVELS] [--check]\n"
            "       unik-supervisor --describe [PLUGIN]\n"
            "\n"
            "  -c, --config FILE         what to run and how: unik.conf(5)\n"
            "  -o, --option WORD         set PLUGIN's KEY, or the supervisor's, over what the file says\n"
            "      --log LEVELS          same as -o log=LEVELS: \"*:info, qrexec:debug\"\n"
            "      --check               read and check all, start nothing; exit 0 or 2\n"
            "      --describe [PLUGIN]   print options, counters and interfaces\n"
            "      --version\n"
            "\n"
            "SIGTERM, SIGINT: stop in order (twice: without waiting for running work). SIGHUP: load the app plugin again.\n"
            "SIGUSR1: print the status.\n");
}

static void read_config(struct config *c)
{
    int e;

    config_init(c);
    if (config_file) {
        e = config_read(c, config_file);
        if (e < 0)
            config_error(c, &(struct config_place){ config_file, 0 }, "cannot be read: %s", strerror(-e));
    }
    for (size_t i = 0; i < overrides_n; i++)
        config_override(c, overrides[i]);
}

static void reread(struct supervisor *s, struct unit *u)
{
    struct config c;

    read_config(&c);
    if (c.errors == 0)
        supervisor_reread(s, u, &c);
    else
        supervisor_not_reread(u, "the config has mistakes");
    config_free(&c);
}

/* ---- signals ---- */

static void on_end(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)loop, (void)revents;
    supervisor_end(w->data, UNIK_POWEROFF, w->signum == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void on_reboot(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)loop, (void)revents;
    supervisor_end(w->data, UNIK_REBOOT, "SIGUSR2");
}

static void on_hup(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)loop, (void)revents;
    supervisor_reload(w->data);
}

static void on_usr1(struct ev_loop *loop, ev_signal *w, int revents)
{
    static char report[REPORT_MAX];
    struct unik_text t;

    (void)loop, (void)revents;
    unik_text_init(&t, report, sizeof(report));
    status_report(w->data, &t);
    log_text(report);
}

static void on_never(struct ev_loop *loop, ev_periodic *w, int revents) { (void)loop, (void)w, (void)revents; }

/* libev wakes once a minute to see whether somebody has set the clock, unless the system tells it; it asks for that (a timerfd) with
 * its first periodic watcher. This one never fires, and the loop does not wait for it. */
static void sleep_long(struct ev_loop *loop)
{
    static ev_periodic never;

    ev_periodic_init(&never, on_never, 1e12, 0, NULL);
    ev_periodic_start(loop, &never);
    ev_unref(loop);
}

static void run(struct supervisor *s)
{
    static const struct {
        int number;
        void (*cb)(struct ev_loop *, ev_signal *, int);
    } signals[] = { { SIGTERM, on_end }, { SIGINT, on_end }, { SIGHUP, on_hup }, { SIGUSR1, on_usr1 },
                    { INIT_SIGREBOOT, on_reboot } };
    enum { N = sizeof(signals) / sizeof(signals[0]) };
    ev_signal watchers[N];

    for (size_t i = 0; i < N; i++) {
        ev_signal_init(&watchers[i], signals[i].cb, signals[i].number);
        watchers[i].data = s;
        ev_signal_start(s->loop, &watchers[i]);
        ev_unref(s->loop);
    }
    process_ready();
    loader_careful = true;              /* from now on a bad file must not end what runs */
    if (process_files() < PROCESS_FILES_LEAST)
        log_line(&s->log, UNIK_WARNING, "this process may open %lu files, sockets included: too few for more than some calls at once",
                 process_files());
    slow_start(s);
    sleep_long(s->loop);
    supervisor_start(s);
    while (s->phase != SUPERVISOR_ENDED)
        if (!ev_run(s->loop, 0) && s->phase != SUPERVISOR_ENDED)
            ev_ref(s->loop);        /* nothing to wait for but signals: wait for them */
    for (size_t i = 0; i < N; i++) {
        ev_ref(s->loop);
        ev_signal_stop(s->loop, &watchers[i]);
    }
}

int main(int argc, char **argv)
{
    enum { OPT_LOG = 256, OPT_CHECK, OPT_DESCRIBE, OPT_VERSION, OPT_HELP };
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' }, { "option", required_argument, NULL, 'o' },
        { "log", required_argument, NULL, OPT_LOG },    { "check", no_argument, NULL, OPT_CHECK },
        { "describe", no_argument, NULL, OPT_DESCRIBE }, { "version", no_argument, NULL, OPT_VERSION },
        { "help", no_argument, NULL, OPT_HELP },        { NULL, 0, NULL, 0 }
    };
    static struct supervisor s;
    struct timespec began;
    bool check = false, describing = false;
    struct config c;
    char text[2000];
    int o;

    process_begin();
    if (argc > 0 && init_is_order(argv[0]))
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &began);
    s.began = (double)began.tv_sec + (double)began.tv_nsec / 1e9;
    init_begin();
    while ((o = getopt_long(argc, argv, "c:o:h", options, NULL)) != -1)
        switch (o) {
        case 'c':
            config_file = optarg;
            break;
        case 'o':
        case OPT_LOG:
            if (overrides_n == OVERRIDES_MAX) {
                fprintf(stderr, "unik-supervisor: more than %d options\n", OVERRIDES_MAX);
                return EXIT_CONFIG;
            }
            if (o == OPT_LOG) {
                snprintf(text, sizeof(text), "log=%s", optarg);
                overrides[overrides_n++] = strdup(text);
            } else
                overrides[overrides_n++] = optarg;
            break;
        case OPT_CHECK:
            check = true;
            break;
        case OPT_DESCRIBE:
            describing = true;
            break;
        case OPT_VERSION:
            printf("unik-supervisor %s\n%s", PACKAGE_VERSION, UNIK_LIBRARIES);
            return 0;
        case 'h':
        case OPT_HELP:
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return EXIT_CONFIG;
        }
    loader_careful = describing || check;
    if (describing)
        return describe(argv[optind], supervisor_plugin_path(NULL, text, sizeof(text))) < 0 ? EXIT_CONFIG : 0;
    if (getpid() == 1 && !config_file)
        config_file = INIT_CONFIG;
    if (argv[optind] || (!config_file && overrides_n == 0)) {
        usage(stderr);
        return EXIT_CONFIG;
    }

    s.loop = ev_default_loop(0);
    s.reread = reread;
    read_config(&c);
    o = supervisor_load(&s, &c);
    config_free(&c);
    if (o == 0 && !check)
        run(&s);
    else if (o == 0)
        printf("ok: %zu plugins\n", s.n);
    supervisor_free(&s);
    ev_loop_destroy(s.loop);
    if (!check)
        init_end(s.how);
    return o < 0 ? EXIT_CONFIG : s.broken ? 1 : 0;
}
