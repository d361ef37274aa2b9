/* SPDX-License-Identifier: BSD-2-Clause */
/* unik/inherit.h - which variables of our environment go on to a program that we run: those that were not meant for our own
 * process alone. PATH, HOME and the like are for the caller to look at.
 */
#ifndef UNIK_INHERIT_H
#define UNIK_INHERIT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* var: "NAME=value", an entry of environ. False also for one without a name, or without "=". */
static inline bool unik_inherits(const char *var)
{
    /* What whoever started us had to say to us, which a child would take for itself: systemd.exec(5) and sd_notify(3), the
     * shell, the dynamic linker. A name without "=" is the beginning of several. */
    static const char *const ours_alone[] = {
        "LISTEN_", "NOTIFY_SOCKET=", "WATCHDOG_", "INVOCATION_ID=", "JOURNAL_STREAM=", "SYSTEMD_", "MANAGERPID",
        "MAINPID=", "PIDFILE=", "FDSTORE=", "MEMORY_PRESSURE_", "CREDENTIALS_DIRECTORY=", "RUNTIME_DIRECTORY=",
        "STATE_DIRECTORY=", "CACHE_DIRECTORY=", "LOGS_DIRECTORY=", "CONFIGURATION_DIRECTORY=", "TRIGGER_", "MONITOR_",
        "REMOTE_ADDR=", "REMOTE_PORT=", "PWD=", "OLDPWD=", "SHLVL=", "_=", "LD_", "GLIBC_TUNABLES="
    };

    if (!strchr(var, '=') || *var == '=')
        return false;
    for (size_t i = 0; i < sizeof(ours_alone) / sizeof(ours_alone[0]); i++)
        if (strncmp(var, ours_alone[i], strlen(ours_alone[i])) == 0)
            return false;
    return true;
}

#ifdef __cplusplus
}
#endif
#endif
