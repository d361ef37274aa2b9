/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/fault.c - mistakes that dom0 makes on purpose. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/unik-dom0/fault.h"

enum value { NONE, OPTIONAL, REQUIRED };

static const struct {
    const char *name;
    enum value value;
    double fallback, min, max;
    long times;                 /* unless told otherwise */
    const char *help;
} table[FAULTS] = {
    [FAULT_DROP_CONTROL] = { "drop-control-after", REQUIRED, 0, 1, 1e9, 1,
                             "close the qrexec control channel after N messages on it" },
    [FAULT_HALF_MESSAGE] = { "half-message", NONE, 0, 0, 0, -1, "send control messages in two halves" },
    [FAULT_HALF_DATA] = { "half-data", NONE, 0, 0, 0, -1, "send data messages in two halves" },
    [FAULT_HALF_QUBESDB] = { "half-qubesdb", NONE, 0, 0, 0, -1, "send QubesDB messages in two halves" },
    [FAULT_SLOW_READER] = { "slow-reader", OPTIONAL, 4096, 1, 1e12, -1, "read data channels at N bytes a second" },
    [FAULT_RESTART] = { "restart", OPTIONAL, 1, 0, 3600, 1,
                        "all daemons vanish, as soon as the guest is there, for N seconds" },
    [FAULT_DROP_DATA] = { "drop-data-after", REQUIRED, 0, 0, 1e15, -1, "close data channels after N bytes carried" },
    [FAULT_NO_DATA_SERVER] = { "no-data-server", OPTIONAL, 0, 0, 3600, -1,
                               "never serve the guest its data channel; give up after N seconds" },
    [FAULT_LATE_DATA_SERVER] = { "late-data-server", OPTIONAL, 1, 0, 3600, -1, "serve it N seconds late" },
    [FAULT_REFUSE_ALL] = { "refuse-all", NONE, 0, 0, 0, -1, "refuse every call the guest makes" },
    [FAULT_OVERSIZE] = { "oversize", NONE, 0, 0, 0, -1, "send a data message over the limit" },
    [FAULT_GARBAGE] = { "garbage", NONE, 0, 0, 0, -1, "send bytes that are no message on data channels" },
    [FAULT_QUBESDB_DROP] = { "qubesdb-drop-in-dump", REQUIRED, 0, 0, 1e9, 1,
                             "close QubesDB after N entries of the dump" },
    [FAULT_HALF_GUI] = { "half-gui", NONE, 0, 0, 0, -1, "send GUI messages in two halves" },
    [FAULT_SLOW_GUI] = { "slow-gui", OPTIONAL, 4096, 1, 1e12, -1, "the GUI daemon reads at N bytes a second" },
    [FAULT_DROP_GUI] = { "drop-gui-after", REQUIRED, 0, 1, 1e9, 1,
                         "the GUI daemon vanishes after N messages of the guest" },
};

static int find(const char *name, size_t n)
{
    for (int i = 0; i < FAULTS; i++)
        if (strlen(table[i].name) == n && memcmp(table[i].name, name, n) == 0)
            return i;
    return -1;
}

/* "xTIMES" at the end of a spec. */
static int parse_times(const char *text, long *times)
{
    char *end;

    *times = strtol(text, &end, 10);
    return end == text || *end || *times < 1 ? -EINVAL : 0;
}

int fault_set(struct faults *f, const char *spec, struct unik_text *why)
{
    size_t n = strcspn(spec, "=");
    const char *text = spec[n] ? spec + n + 1 : NULL;
    char *end = NULL;
    double value;
    long times;
    int which;

    if (strcmp(spec, "none") == 0) {
        memset(f, 0, sizeof(*f));
        return 0;
    }
    which = find(spec, n);
    for (size_t i = n; which < 0 && !text && i-- > 1;)      /* NAMExTIMES */
        if (spec[i] == 'x' && (which = find(spec, i)) >= 0)
            n = i;
    if (which < 0) {
        unik_text_add(why, "%s: no such fault", spec);
        return -EINVAL;
    }
    value = table[which].fallback;
    times = table[which].times;
    if (text)
        value = strtod(text, &end);
    if ((text && (table[which].value == NONE || end == text)) || (!text && table[which].value == REQUIRED)
        || value < table[which].min || value > table[which].max) {
        unik_text_add(why, "%s: %s takes %s", spec, table[which].name, table[which].value == NONE ? "no value"
                      : "a number that is not so small or large");
        return -EINVAL;
    }
    if (!end)
        end = (char *)(uintptr_t)(spec + n);
    if (*end && (*end != 'x' || parse_times(end + 1, &times) < 0)) {
        unik_text_add(why, "%s: \"%s\" is not xTIMES", spec, end);
        return -EINVAL;
    }
    f->of[which].value = value;
    f->of[which].left = times;
    return 0;
}

bool fault_strikes(struct faults *f, enum fault which)
{
    if (f->of[which].left == 0)
        return false;
    if (f->of[which].left > 0)
        f->of[which].left--;
    return true;
}

void fault_list(const struct faults *f, struct unik_text *out)
{
    const char *between = "";

    for (int i = 0; i < FAULTS; i++) {
        if (!f->of[i].left)
            continue;
        unik_text_add(out, "%s%s", between, table[i].name);
        if (table[i].value != NONE)
            unik_text_add(out, "=%g", f->of[i].value);
        if (f->of[i].left > 0)
            unik_text_add(out, "x%ld", f->of[i].left);
        between = " ";
    }
    if (!*between)
        unik_text_add(out, "none");
}

void fault_help(struct unik_text *out)
{
    static const char *const forms[] = { [NONE] = "", [OPTIONAL] = "[=N]", [REQUIRED] = "=N" };

    for (int i = 0; i < FAULTS; i++) {
        char form[64];

        snprintf(form, sizeof(form), "%s%s", table[i].name, forms[table[i].value]);
        unik_text_add(out, "  %-24s %s%s\n", form, table[i].help, table[i].times == 1 ? " (once)" : "");
    }
}
