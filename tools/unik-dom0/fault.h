/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/fault.h - mistakes that dom0 makes on purpose, so that a guest's answer to them can be tested. */
#ifndef UNIK_DOM0_FAULT_H
#define UNIK_DOM0_FAULT_H

#include <stdbool.h>
#include <unik/text.h>

enum fault {
    FAULT_DROP_CONTROL,         /* close the control channel after N messages on it */
    FAULT_HALF_MESSAGE,         /* control messages go out in two halves */
    FAULT_HALF_DATA,            /* data messages too */
    FAULT_HALF_QUBESDB,         /* QubesDB messages too */
    FAULT_SLOW_READER,          /* data channels are read at so many bytes a second */
    FAULT_RESTART,              /* all daemons vanish, and come back after so many seconds */
    FAULT_DROP_DATA,            /* close a data channel after so many bytes carried */
    FAULT_NO_DATA_SERVER,       /* never serve the data channel that the guest is told to connect to */
    FAULT_LATE_DATA_SERVER,     /* serve it so many seconds later */
    FAULT_REFUSE_ALL,           /* the policy says no to everything */
    FAULT_OVERSIZE,             /* a data message over the limit */
    FAULT_GARBAGE,              /* bytes that are no message on a data channel */
    FAULT_QUBESDB_DROP,         /* close QubesDB after N entries of the dump */
    FAULT_HALF_GUI,             /* GUI messages in two halves */
    FAULT_SLOW_GUI,             /* the GUI daemon reads so many bytes a second */
    FAULT_DROP_GUI,             /* it vanishes after so many messages of the guest */
    FAULTS
};

struct faults {
    struct {
        long left;              /* how often it will still strike; -1: always; 0: off */
        double value;
    } of[FAULTS];
};

#define FAULT_HALF_SECONDS 0.3          /* between the halves of a message */

/* "NAME[=VALUE][xTIMES]" or "none". 0, or -EINVAL with a line in why. */
int fault_set(struct faults *f, const char *spec, struct unik_text *why);
static inline bool fault_on(const struct faults *f, enum fault which) { return f->of[which].left != 0; }
static inline double fault_value(const struct faults *f, enum fault which) { return f->of[which].value; }
/* Does it strike now? Counts it if so. */
bool fault_strikes(struct faults *f, enum fault which);
/* The faults that are on, as they were given. */
void fault_list(const struct faults *f, struct unik_text *out);
/* A table of all, for --help. */
void fault_help(struct unik_text *out);

#endif
