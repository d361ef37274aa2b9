/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/log.c - one line on stderr for people, one word on stdout for scripts. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "tools/unik-dom0/socket.h"

void dom0_log(struct dom0 *d, enum unik_level level, const char *source, const char *fmt, ...)
{
    static const char *const names[] = { "ERR", "WRN", "INF", "DBG" };
    char line[2048], when[32];
    time_t now = time(NULL);
    struct tm tm;
    va_list ap;

    if (level > d->level)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?';
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S -00:00", gmtime_r(&now, &tm));
    fprintf(stderr, "%s: %s [%s] %s\n", when, names[level], source, line);
}

void dom0_state(struct dom0 *d, const char *fmt, ...)
{
    static bool lost;
    va_list ap;

    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    if (fflush(stdout) != 0 && !lost) {
        lost = true;
        dom0_log(d, UNIK_WARNING, "dom0", "standard output: %s: what is said there is lost", strerror(errno));
    }
    request_wake(d);
}
