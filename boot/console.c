/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/console.c - Xen's console: two rings in one page (xen/io/console.h), xenconsoled in dom0 at the other end.
 *
 * From dom0: the indices it owns may hold anything; what does not make sense is a full ring (out) or an empty one (in).
 * Its ring holds 2 KiB, and xenconsoled leaves a domain alone for 200 ms after 30 events, so what does not fit is kept here and
 * follows when dom0 has taken some. Nobody waits for dom0 for long: when there is no place either, and has been none for
 * CONSOLE_PATIENCE, the rest is dropped and counted until there is. Works from the first instruction on, then without events. */
#include "boot/machine.h"
#include <xen/io/console.h>

#define KEPT 32768u                             /* bytes; a power of two */
#define CONSOLE_PATIENCE 1000000000ull          /* nanoseconds, for the program that writes */
#define END_PATIENCE 5000000000ull              /* at the end of all, as nothing follows */
#define NOTE 48u                                /* room kept for the line about what was lost */

static char kept[KEPT];
static uint32_t kept_from, kept_to;             /* free running */
static uint64_t lost;                           /* bytes since there was no place left */
static bool impatient;                          /* waited for too long, and there has been no room since */
static bool at_line_start = true;

static void notify(void)
{
    struct evtchn_send send = {.port = machine_start.console_port};

    xen_event(EVTCHNOP_send, &send);
}

static uint32_t room(const struct xencons_interface *c)
{
    uint32_t used = c->out_prod - *(const volatile uint32_t *)&c->out_cons;

    return used > sizeof(c->out) ? 0 : (uint32_t)sizeof(c->out) - used;
}

/* What is kept, as far as there is room for it. */
static void move(struct xencons_interface *c)
{
    uint32_t at = c->out_prod, n = MIN(room(c), kept_to - kept_from);

    if (!n)
        return;
    while (n--)
        c->out[MASK_XENCONS_IDX(at++, c->out)] = kept[kept_from++ % KEPT];
    barrier();                                  /* the bytes before the index that shows them */
    *(volatile uint32_t *)&c->out_prod = at;
    notify();
}

static uint32_t place(void) { return KEPT - (kept_to - kept_from); }

/* Waits until that many bytes can be kept; false when patience has run out. */
static bool wait_for_place(struct xencons_interface *c, uint32_t wanted)
{
    uint64_t until = 0;

    while (place() < wanted) {
        if (impatient || !machine_start.shared || (until && time_monotonic() >= until)) {
            impatient = true;
            return false;
        }
        if (!until)
            until = time_monotonic() + CONSOLE_PATIENCE;
        xen_sched(SCHEDOP_yield, NULL);
        move(c);
    }
    return true;
}

static void keep(char byte) { kept[kept_to++ % KEPT] = byte; }

static void tell_lost(struct xencons_interface *c)
{
    char line[NOTE];
    size_t n;

    move(c);
    if (!lost || place() < 2 * NOTE)
        return;
    n = format(line, sizeof(line), "%s[console: %lu bytes lost]\r\n", at_line_start ? "" : "\r\n", lost);
    for (size_t i = 0; i < n; i++)
        keep(line[i]);
    at_line_start = true;
    impatient = false;
    lost = 0;
}

void console_write(const void *bytes, size_t n)
{
    struct xencons_interface *c = machine_start.console;
    const char *at = bytes;

    if (!c)
        return;
    tell_lost(c);
    for (size_t i = 0; i < n; i++) {
        if (lost || !wait_for_place(c, 2)) {
            lost += n - i;
            break;
        }
        if (at[i] == '\n')
            keep('\r');
        keep(at[i]);
        at_line_start = at[i] == '\n';
    }
    move(c);
}

void say(const char *how, ...)
{
    char line[400];
    va_list list;
    size_t n = format(line, sizeof(line), "%skernel: ", at_line_start ? "" : "\n");

    va_start(list, how);
    n += format_list(line + n, sizeof(line) - n - 1, how, list);
    va_end(list);
    line[n++] = '\n';
    console_write(line, n);
}

bool console_readable(void)
{
    const struct xencons_interface *c = machine_start.console;

    return c && *(const volatile uint32_t *)&c->in_prod - c->in_cons - 1 < sizeof(c->in);
}

size_t console_read(void *bytes, size_t n)
{
    struct xencons_interface *c = machine_start.console;
    uint8_t *to = bytes;
    uint32_t there, at;

    if (!console_readable())
        return 0;
    at = c->in_cons;
    there = MIN(*(volatile uint32_t *)&c->in_prod - at, (uint32_t)sizeof(c->in));
    barrier();                                  /* the index before the bytes it shows */
    n = MIN(n, there);
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)c->in[MASK_XENCONS_IDX(at + i, c->in)];
    full_barrier();                             /* the bytes before the index that gives their place back */
    c->in_cons = at + (uint32_t)n;
    notify();
    return n;
}

/* What waits for input looks for itself after each event: the event need only come. */
static void on_event(void *arg, uint32_t port)
{
    (void)arg;
    (void)port;
    move(machine_start.console);
}

void console_init(void)
{
    if (machine_start.console && event_handle(machine_start.console_port, on_event, NULL) == 0)
        event_unmask(machine_start.console_port);
}

size_t console_unread(void)
{
    const struct xencons_interface *c = machine_start.console;

    return c ? sizeof(c->out) - room(c) + (kept_to - kept_from) : 0;
}

void console_drain(void)
{
    uint64_t until = machine_start.shared ? time_monotonic() + END_PATIENCE : 0;

    while (console_unread()) {
        move(machine_start.console);
        if (!machine_start.shared || time_monotonic() >= until)
            break;
        xen_sched(SCHEDOP_yield, NULL);
    }
}
