/* SPDX-License-Identifier: BSD-2-Clause */
/* apps/www/date.c - dates of HTTP, in the three forms that are met:
 *   Sun, 06 Nov 1994 08:49:37 GMT      Sunday, 06-Nov-94 08:49:37 GMT      Sun Nov  6 08:49:37 1994 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "syntax.h"

static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void www_date_format(time_t t, char text[WWW_DATE_SIZE])
{
    struct tm tm;

    if (!gmtime_r(&t, &tm) || tm.tm_year < 0 || tm.tm_year > 9999 - 1900)
        gmtime_r(&(time_t){ 0 }, &tm);
    snprintf(text, WWW_DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * (size_t)tm.tm_wday,
             (unsigned)tm.tm_mday % 100, months + 3 * (size_t)tm.tm_mon, (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

struct cursor {
    const char *at, *end;
    bool bad;
};

static void expect(struct cursor *c, const char *text)
{
    size_t n = strlen(text);

    if ((size_t)(c->end - c->at) < n || memcmp(c->at, text, n) != 0)
        c->bad = true;
    else
        c->at += n;
}

static int digits(struct cursor *c, size_t n)
{
    int value = 0;

    if ((size_t)(c->end - c->at) < n)
        c->bad = true;
    for (size_t i = 0; i < n && !c->bad; i++, c->at++) {
        c->bad = *c->at < '0' || *c->at > '9';
        value = value * 10 + (*c->at - '0');
    }
    return value;
}

static int month(struct cursor *c)
{
    for (size_t i = 0; i < 12 && c->end - c->at >= 3; i++)
        if (memcmp(c->at, months + 3 * i, 3) == 0) {
            c->at += 3;
            return (int)i;
        }
    c->bad = true;
    return 0;
}

static void time_of_day(struct cursor *c, struct tm *tm)
{
    tm->tm_hour = digits(c, 2);
    expect(c, ":");
    tm->tm_min = digits(c, 2);
    expect(c, ":");
    tm->tm_sec = digits(c, 2);
    if (tm->tm_hour > 23 || tm->tm_min > 59 || tm->tm_sec > 60)
        c->bad = true;
}

/* Two digits: the year of this or the last century that is not over 50 years ahead (RFC 9110, 5.6.7). */
static int full_year(int two, time_t now)
{
    struct tm tm;
    int year;

    if (!gmtime_r(&now, &tm))
        return 1900 + two;
    year = (tm.tm_year + 1900) / 100 * 100 + two;
    return year > tm.tm_year + 1900 + 50 ? year - 100 : year;
}

int www_date_parse(const char *text, size_t n, time_t now, time_t *out)
{
    struct cursor c = { text, text + n, false };
    struct tm tm = { 0 };
    size_t name = 0;

    while (name < n && ((text[name] | 0x20) >= 'a' && (text[name] | 0x20) <= 'z'))
        name++;
    c.at += name;
    if (name < 3 || name > 9)
        return -EINVAL;
    if (c.at < c.end && *c.at == ',') {
        bool old;

        expect(&c, ", ");
        tm.tm_mday = digits(&c, 2);
        old = c.at < c.end && *c.at == '-';
        expect(&c, old ? "-" : " ");
        tm.tm_mon = month(&c);
        expect(&c, old ? "-" : " ");
        tm.tm_year = (old ? full_year(digits(&c, 2), now) : digits(&c, 4)) - 1900;
        expect(&c, " ");
        time_of_day(&c, &tm);
        expect(&c, " GMT");
    } else {
        expect(&c, " ");
        tm.tm_mon = month(&c);
        expect(&c, " ");
        if (c.at < c.end && *c.at == ' ') {
            c.at++;
            tm.tm_mday = digits(&c, 1);
        } else {
            tm.tm_mday = digits(&c, 2);
        }
        expect(&c, " ");
        time_of_day(&c, &tm);
        expect(&c, " ");
        tm.tm_year = digits(&c, 4) - 1900;
    }
    if (c.bad || c.at != c.end || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_year < 0)
        return -EINVAL;
    *out = timegm(&tm);
    return 0;
}
