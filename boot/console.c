/* boot/console.c - Xen's console: two rings in one page (xen/io/console.h), xenconsoled in dom0 at the other end.
 *
 * From dom0: the indices it owns may hold anything; what does not make sense is a full ring (out) or an empty one (in).
 * Nobody waits for dom0 for long: when the ring has been full for CONSOLE_PATIENCE, what does not fit is dropped and counted
 * until there is room again. Works from the first instruction on, then without events. */
#include "boot/machine.h"
#include <xen/io/console.h>

#define CONSOLE_PATIENCE 100000000ull           /* nanoseconds */
#define NOTE 48u                                /* room kept for the line about what was lost */

static uint64_t lost;                           /* bytes since the ring was full */
static bool impatient;                          /* it was full for too long and has not had room since */
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

/* Waits for room; false when patience has run out. */
static bool wait_for_room(const struct xencons_interface *c, uint32_t wanted)
{
    uint64_t until = 0;

    while (room(c) < wanted) {
        if (impatient)
            return false;
        notify();
        if (!machine_start.shared || (until && time_monotonic() >= until)) {
            impatient = true;
            return false;
        }
        if (!until)
            until = time_monotonic() + CONSOLE_PATIENCE;
        xen_sched(SCHEDOP_yield, NULL);
    }
    return true;
}

/* There is room. */
static void put(struct xencons_interface *c, char byte)
{
    uint32_t at = c->out_prod;

    c->out[MASK_XENCONS_IDX(at, c->out)] = byte;
    barrier();                                  /* the byte before the index that shows it */
    *(volatile uint32_t *)&c->out_prod = at + 1;
}

static void tell_lost(struct xencons_interface *c)
{
    char line[NOTE];
    size_t n;

    if (!lost || room(c) < 2 * NOTE)
        return;
    n = format(line, sizeof(line), "%s[console: %lu bytes lost]\r\n", at_line_start ? "" : "\r\n", lost);
    for (size_t i = 0; i < n; i++)
        put(c, line[i]);
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
        if (lost || !wait_for_room(c, 2)) {
            lost += n - i;
            break;
        }
        if (at[i] == '\n')
            put(c, '\r');
        put(c, at[i]);
        at_line_start = at[i] == '\n';
    }
    notify();
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
}

void console_init(void)
{
    if (machine_start.console && event_handle(machine_start.console_port, on_event, NULL) == 0)
        event_unmask(machine_start.console_port);
}

/* For the end: everything out, or patience at an end. */
size_t console_unread(void)
{
    const struct xencons_interface *c = machine_start.console;

    return c ? sizeof(c->out) - room(c) : 0;
}

void console_drain(void)
{
    const struct xencons_interface *c = machine_start.console;

    if (c)
        wait_for_room(c, sizeof(c->out));
}
