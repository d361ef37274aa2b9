/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/log.h - log lines: levels per source, a limit on floods, the last lines kept for the status report. */
#ifndef SUPERVISOR_LOG_H
#define SUPERVISOR_LOG_H

#include <stdarg.h>
#include <unik/context.h>
#include <unik/text.h>

#define LOG_LINE_MAX 1024           /* bytes of a line, cut there; below PIPE_BUF, so that a pipe takes it whole */
#define LOG_KEPT 64                 /* last lines for unik.Status */
#define LOG_KEPT_BYTES 200
#define LOG_BURST 200               /* lines a source may print at once ... */
#define LOG_RATE 50                 /* ... and per second in the long run; errors too */

/* One per source (plugin). */
struct log_source {
    const char *name;
    enum unik_level most;
    double allowance, last;         /* token bucket */
    uint64_t suppressed;
};

/* Calls known() for each source that the levels name, but "*"; the first that it does not know is told in why: -EINVAL. */
int log_check_sources(const char *spec, bool (*known)(const char *name, void *arg), void *arg, struct unik_text *why);
/* "*:info, net:debug". 0, or -EINVAL with a reason. Sources registered before and after are set. */
int log_set_levels(const char *spec, struct unik_text *why);
void log_source_init(struct log_source *s, const char *name);

__attribute__((format(printf, 3, 0)))
void log_vline(struct log_source *s, enum unik_level level, const char *fmt, va_list ap);
__attribute__((format(printf, 3, 4)))
void log_line(struct log_source *s, enum unik_level level, const char *fmt, ...);

/* Lines to stderr as they are: for people who asked. Lost, as log lines are, while nobody reads. */
void log_text(const char *text);

/* The kept lines, oldest first. */
void log_last(struct unik_text *out, unsigned most);

#endif
