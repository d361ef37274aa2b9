/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/log.c - log lines: levels per source, a limit on floods, the last lines kept for the status report.
 *
 * Lines go to stderr, each in one write. A reader that does not read loses lines rather than stop the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unik/clean.h>
#include <unistd.h>

#include "supervisor/log.h"

static const char *const level_names[] = { "error", "warning", "info", "debug" };
static const char *const level_marks[] = { "ERR", "WRN", "INF", "DBG" };

static char levels[512] = "*:info";
static char kept[LOG_KEPT][LOG_KEPT_BYTES];
static unsigned long kept_n;
static unsigned long lost;          /* lines stderr did not take */

static bool parse_level(const char *word, size_t n, enum unik_level *level)
{
    for (int i = 0; i < 4; i++)
        if (strlen(level_names[i]) == n && strncmp(word, level_names[i], n) == 0) {
            *level = (enum unik_level)i;
            return true;
        }
    return false;
}

/* Walk "source:level, ..."; a word alone means "*". -EINVAL with the first word that is none. */
static int each_level(const char *spec, const char *source, enum unik_level *found, struct unik_text *why)
{
    bool exact = false;

    for (const char *p = spec; *p;) {
        size_t n, name = 0;
        enum unik_level level;
        const char *colon;

        p += strspn(p, " ,");
        n = strcspn(p, " ,");
        if (n == 0)
            break;
        colon = memchr(p, ':', n);
        if (colon)
            name = (size_t)(colon - p);
        if (!parse_level(colon ? colon + 1 : p, colon ? n - name - 1 : n, &level) || (colon && name == 0)) {
            if (why)
                unik_text_add(why, "%.*s: expected source:level, with error, warning, info or debug", (int)n, p);
            return -EINVAL;
        }
        if (source && colon && strlen(source) == name && strncmp(p, source, name) == 0) {
            *found = level;
            exact = true;
        } else if (source && !exact && (!colon || (name == 1 && *p == '*')))
            *found = level;
        p += n;
    }
    return 0;
}

int log_set_levels(const char *spec, struct unik_text *why)
{
    int e = strlen(spec) < sizeof(levels) ? each_level(spec, NULL, NULL, why) : -EINVAL;

    if (e == 0)
        memcpy(levels, spec, strlen(spec) + 1);
    return e;
}

int log_check_sources(const char *spec, bool (*known)(const char *name, void *arg), void *arg, struct unik_text *why)
{
    for (const char *p = spec; *p;) {
        size_t n;
        const char *colon;
        char name[64];

        p += strspn(p, " ,");
        n = strcspn(p, " ,");
        colon = memchr(p, ':', n);
        snprintf(name, sizeof(name), "%.*s", colon ? (int)(colon - p) : 1, colon ? p : "*");
        p += n;
        if (n && strcmp(name, "*") != 0 && !known(name, arg)) {
            unik_text_add(why, "%s: no plugin of that name runs here", name);
            return -EINVAL;
        }
    }
    return 0;
}

void log_source_init(struct log_source *s, const char *name)
{
    *s = (struct log_source){ .name = name, .most = UNIK_INFO, .allowance = LOG_BURST };
    each_level(levels, name, &s->most, NULL);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool allowed(struct log_source *s)
{
    double now = seconds();

    s->allowance += (now - s->last) * LOG_RATE;
    s->last = now;
    if (s->allowance > LOG_BURST)
        s->allowance = LOG_BURST;
    if (s->allowance < 1) {
        s->suppressed++;
        return false;
    }
    s->allowance -= 1;
    return true;
}

static void keep(const char *line, size_t n)
{
    char *to = kept[kept_n++ % LOG_KEPT];

    unik_clean(to, LOG_KEPT_BYTES, line, n, 0);     /* cut between characters */
}

/* A terminal says that it can be written to when it has room for one byte, and holds up who writes more. So it gets a description
 * of our own, which does not wait; that of descriptor 2 is others' too. A pipe that can be written to takes a whole line. */
static int output(void)
{
    static int fd = -1;

    if (fd < 0 && isatty(STDERR_FILENO))
        fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        fd = STDERR_FILENO;
    return fd;
}

static void put(const char *line, size_t n)
{
    struct pollfd p = { .fd = output(), .events = POLLOUT };

    if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT) || write(p.fd, line, n) != (ssize_t)n)
        lost++;
}

static void print(const struct log_source *s, enum unik_level level, const char *message)
{
    char line[LOG_LINE_MAX];
    struct unik_text t;
    struct timespec now;
    struct tm tm;
    size_t n;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    unik_text_init(&t, line, sizeof(line) - 1);
    unik_text_add(&t, "%04d-%02d-%02d %02d:%02d:%02d -00:00: %s [%s] %s", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                  tm.tm_hour, tm.tm_min, tm.tm_sec, level_marks[level], s->name, message);
    n = unik_clean(line, sizeof(line), line, t.used, 0);    /* a peer's bytes must not write lines, nor drive a terminal */
    keep(line, n);
    line[n] = '\n';
    put(line, n + 1);
}

void log_vline(struct log_source *s, enum unik_level level, const char *fmt, va_list ap)
{
    char message[LOG_LINE_MAX];

    if (level > s->most || !allowed(s))
        return;
    if (s->suppressed) {
        snprintf(message, sizeof(message), "%llu lines suppressed", (unsigned long long)s->suppressed);
        s->suppressed = 0;
        print(s, UNIK_WARNING, message);
    }
    vsnprintf(message, sizeof(message), fmt, ap);
    print(s, level, message);
}

void log_line(struct log_source *s, enum unik_level level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_vline(s, level, fmt, ap);
    va_end(ap);
}

void log_text(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        n += text[n] == '\n';
        put(text, n < LOG_LINE_MAX ? n : LOG_LINE_MAX);
        text += n;
    }
}

void log_last(struct unik_text *out, unsigned most)
{
    unsigned long n = kept_n < LOG_KEPT ? kept_n : LOG_KEPT;

    n = n < most ? n : most;
    for (unsigned long i = kept_n - n; i < kept_n; i++)
        unik_text_add(out, "  %s\n", kept[i % LOG_KEPT]);
    if (lost)
        unik_text_add(out, "  (%lu lines lost: nobody read stderr)\n", lost);
}
