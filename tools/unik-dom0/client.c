/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/client.c - commands that ask a running dom0. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/unik-dom0/ask.h"
#include "tools/unik-dom0/command.h"
#include "tools/unik-dom0/net.h"
#include "tools/unik-dom0/socket.h"

#define AWAIT_EVERY 0.05                /* seconds between two looks for a dom0 that does not run yet */
#define AWAIT_SECONDS 60                /* ... and how long, if nothing else was said */

static const struct option longs[] = {
    { "state", required_argument, NULL, 's' },  { "vm", required_argument, NULL, 'v' },
    { "source", required_argument, NULL, 'S' }, { "user", required_argument, NULL, 'u' },
    { "timeout", required_argument, NULL, 't' }, { "seconds", required_argument, NULL, 't' },
    { "just", no_argument, NULL, 'j' },         { "strict", no_argument, NULL, 'x' },
    { "values", no_argument, NULL, 'l' },       { "count", required_argument, NULL, 'c' },
    { "display", required_argument, NULL, 'd' },
    { NULL, 0, NULL, 0 }
};

int ask_options(struct client_options *o, int argc, char **argv, const char *takes, int least, int most)
{
    int c;

    *o = (struct client_options){ .state = getenv("UNIK_DOM0_STATE"), .vm = "", .source = "dom0", .user = "DEFAULT",
                                  .count = "0" };
    while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
        if (c != 's' && c != 'v' && !strchr(takes, c))
            return usage("%s: an option that it does not take", argv[0]);
        switch (c) {
        case 's': o->state = optarg; break;
        case 'v': o->vm = optarg; break;
        case 'S': o->source = optarg; break;
        case 'u': o->user = optarg; break;
        case 'j': o->just = true; break;
        case 'x': o->strict = true; break;
        case 'l': o->values = true; break;
        case 'c': o->count = optarg; break;
        case 'd': o->display = optarg; break;
        case 't':
            if (!parse_number(optarg, 0, 1e6, &o->seconds))
                return usage("%s: %s: expected seconds", argv[0], optarg);
            break;
        default: return EXIT_USAGE;
        }
    }
    if (!o->state)
        return usage("%s: --state DIR is missing", argv[0]);
    if (argc - optind < least || argc - optind > most)
        return usage("%s: %s", argv[0], argc - optind < least ? "something is missing" : "too many words");
    return 0;
}

/* ---- the request ---- */

void ask_add(struct packet *p, const char *key, const char *value)
{
    size_t need = (key ? strlen(key) + 1 : 0) + strlen(value) + 1;
    char *at = realloc(p->at, p->n + need);

    if (!at)
        abort();
    p->at = at;
    p->n += (size_t)sprintf(at + p->n, "%s%s%s", key ? key : "", key ? "=" : "", value) + 1;
}

void ask_begin(struct packet *p, const char *verb, const struct client_options *o)
{
    char seconds[32];

    *p = (struct packet){ 0 };
    snprintf(seconds, sizeof(seconds), "%g", o->seconds);
    ask_add(p, NULL, verb);
    ask_add(p, "vm", o->vm);
    ask_add(p, "seconds", seconds);
}

static int open_socket(const char *dir)
{
    struct sockaddr_un a;
    int folder, fd, e = socket_address(dir, &a, &folder);

    if (e < 0)
        return e;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        e = -errno;
        if (fd >= 0)
            close(fd);
        fd = e;
    }
    close(folder);
    return fd;
}

static int send_request(int fd, const struct packet *p, const int *fds)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(3 * sizeof(int))];
    } control = { .room = { 0 } };
    struct iovec iov = { p->at, p->n };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fds) {
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(3 * sizeof(*fds));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fds, 3 * sizeof(*fds));
    }
    return sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Print what comes until the exit code. at_end: the code if dom0 ends instead. */
static int receive(int fd, int at_end)
{
    char bytes[SOCKET_TEXT_MAX + 2];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof(bytes) - 1, 0)) > 0) {
        bytes[n] = 0;
        if (bytes[0] == 'x')
            return atoi(bytes + 1);
        fwrite(bytes + 1, 1, (size_t)n - 1, bytes[0] == 'e' ? stderr : stdout);
        if (bytes[0] == 'e')
            continue;
        if (fflush(stdout) != 0) {
            fprintf(stderr, "unik-dom0: standard output: %s\n", strerror(errno));
            clearerr(stdout);
            return 1;
        }
    }
    if (at_end)
        fprintf(stderr, "unik-dom0: the connection to dom0 ended\n");
    return at_end;
}

int ask(const struct client_options *o, struct packet *p, const int *fds, int at_end, int unreached)
{
    int fd = open_socket(o->state), code = fd < 0 ? 0 : send_request(fd, p, fds);

    if (fd < 0 || code < 0) {
        fprintf(stderr, "unik-dom0: %s: %s\n", o->state, strerror(fd < 0 ? -fd : -code));
        code = unreached;
    } else
        code = receive(fd, at_end);
    if (fd >= 0)
        close(fd);
    free(p->at);
    return code;
}

/* ---- commands ---- */

static int call(const struct client_options *o, const char *line)
{
    static const int standard[3] = { 0, 1, 2 };
    struct packet p;

    ask_begin(&p, "call", o);
    ask_add(&p, "line", line);
    if (o->just)
        ask_add(&p, "just", "1");
    return ask(o, &p, standard, 255, 125);
}

int command_call(int argc, char **argv)
{
    struct client_options o;
    char *line;
    int code;

    if (ask_options(&o, argc, argv, "Sut", 1, 1))
        return EXIT_USAGE;
    if (!argv[optind][0] || strpbrk(argv[optind], " \n"))
        return usage("call: \"%s\" is not SERVICE[+ARGUMENT]", argv[optind]);
    if (!o.source[0] || strpbrk(o.source, " \n"))
        return usage("call: \"%s\" is not the name of a VM", o.source);
    if (asprintf(&line, "%s:QUBESRPC %s %s", o.user, argv[optind], o.source) < 0)
        return 125;
    code = call(&o, line);
    free(line);
    return code;
}

int command_exec(int argc, char **argv)
{
    struct client_options o;

    return ask_options(&o, argc, argv, "jt", 1, 1) ? EXIT_USAGE : call(&o, argv[optind]);
}

int command_qubesdb(int argc, char **argv)
{
    struct client_options o;
    struct packet p;
    const char *verb;
    int words;

    if (ask_options(&o, argc, argv, "lc", 1, 3))
        return EXIT_USAGE;
    verb = argv[optind];
    words = argc - optind - 1;
    if (strcmp(verb, "read") != 0 && strcmp(verb, "write") != 0 && strcmp(verb, "rm") != 0 && strcmp(verb, "list") != 0
        && strcmp(verb, "watch") != 0)
        return usage("qubesdb: %s: expected read, write, rm, list or watch", verb);
    if (strcmp(verb, "write") == 0 ? words != 2 : strcmp(verb, "list") == 0 ? words > 1 : words != 1)
        return usage("qubesdb %s: expected %s", verb, strcmp(verb, "write") == 0 ? "PATH VALUE" : "PATH");
    ask_begin(&p, "qubesdb", &o);
    ask_add(&p, "verb", verb);
    ask_add(&p, "path", words ? argv[optind + 1] : "");
    ask_add(&p, "count", o.count);
    if (words > 1)
        ask_add(&p, "value", argv[optind + 2]);
    if (o.values)
        ask_add(&p, "values", "1");
    return ask(&o, &p, NULL, 1, 1);
}

/* A request of one verb, with at most one word that it calls `key`. */
static int simple(int argc, char **argv, const char *takes, const char *key, const char *const *allowed, int at_end)
{
    struct client_options o;
    struct packet p;

    if (ask_options(&o, argc, argv, takes, key ? 1 : 0, key ? 1 : 0))
        return EXIT_USAGE;
    for (; allowed && *allowed && strcmp(*allowed, argv[optind]) != 0; allowed++)
        ;
    if (allowed && !*allowed)
        return usage("%s: %s: not one of those it takes", argv[0], argv[optind]);
    ask_begin(&p, argv[0], &o);
    if (key)
        ask_add(&p, key, argv[optind]);
    if (o.strict)
        ask_add(&p, "strict", "1");
    return ask(&o, &p, NULL, at_end, 1);
}

int command_status(int argc, char **argv) { return simple(argc, argv, "x", NULL, NULL, 1); }
int command_stop(int argc, char **argv) { return simple(argc, argv, "", NULL, NULL, 0); }
int command_fault(int argc, char **argv) { return simple(argc, argv, "", "spec", NULL, 1); }

/* One that is just being started has no socket yet; one that was killed has one where nobody listens. */
static void await_dom0(const struct client_options *o)
{
    double waited = 0, most = o->seconds > 0 ? o->seconds : AWAIT_SECONDS;
    int fd;

    while (((fd = open_socket(o->state)) == -ENOENT || fd == -ECONNREFUSED) && waited < most) {
        usleep((useconds_t)(AWAIT_EVERY * 1e6));
        waited += AWAIT_EVERY;
    }
    if (fd >= 0)
        close(fd);
}

int command_wait(int argc, char **argv)
{
    static const char *const what[] = { "dom0", "qrexec", "qubesdb", "gui", "net", "gone", NULL };
    struct client_options o;

    if (ask_options(&o, argc, argv, "t", 1, 1))
        return EXIT_USAGE;
    for (size_t i = 0; strcmp(what[i], "gone") != 0; i++)
        if (strcmp(what[i], argv[optind]) == 0)
            await_dom0(&o);
    optind = 1;
    return simple(argc, argv, "t", "what", what, 1);
}

int command_restart(int argc, char **argv)
{
    static const char *const what[] = { "qrexec", "qubesdb", "gui", NULL };

    return simple(argc, argv, "t", "what", what, 1);
}

/* The process whose namespace is meant, or -1: dom0 has said why not. */
static int ask_pid(const struct client_options *o)
{
    char bytes[SOCKET_TEXT_MAX + 2];
    int fd = open_socket(o->state), pid = -1;
    struct packet p;
    ssize_t n;

    ask_begin(&p, "net", o);
    ask_add(&p, "what", "exec");
    if (fd < 0 || send_request(fd, &p, NULL) < 0)
        fprintf(stderr, "unik-dom0: %s: %s\n", o->state, strerror(fd < 0 ? -fd : errno));
    while (fd >= 0 && (n = recv(fd, bytes, sizeof(bytes) - 1, 0)) > 0 && bytes[0] != 'x') {
        bytes[n] = 0;
        if (bytes[0] == 'o')
            pid = atoi(bytes + 1);
        else
            fputs(bytes + 1, stderr);
    }
    if (fd >= 0)
        close(fd);
    free(p.at);
    return pid;
}

int command_net(int argc, char **argv)
{
    static const char *const what[] = { "attach", "detach", NULL };
    struct client_options o;
    int pid;

    if (ask_options(&o, argc, argv, "", 1, INT_MAX))
        return EXIT_USAGE;
    if (strcmp(argv[optind], "exec") != 0) {
        optind = 1;
        return simple(argc, argv, "", "what", what, 1);
    }
    if (optind + 1 == argc)
        return usage("net exec: which command?");
    pid = ask_pid(&o);
    return pid > 0 ? net_exec(pid, o.state, argv + optind + 1) : 1;
}
