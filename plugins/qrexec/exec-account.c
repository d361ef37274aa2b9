/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-account.c - the account that dom0 names, from /etc/passwd and /etc/group.
 *
 * Not through NSS: that may wait for a network, and a static program has none. Accounts that exist only in a directory
 * service are unknown here.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/qrexec/exec-parts.h"

#define LINE 65536              /* of either file */

static bool copy(char *to, size_t size, const char *from, const char *fallback)
{
    return (size_t)snprintf(to, size, "%s", from && *from ? from : fallback) < size;
}

static int find_user(FILE *f, char *line, struct qrexec_account *a)
{
    struct passwd entry, *p = NULL;
    int e;

    while ((e = fgetpwent_r(f, &entry, line, LINE, &p)) == 0 && p)
        if (strcmp(p->pw_name, a->name) == 0) {
            a->uid = p->pw_uid;
            a->gid = p->pw_gid;
            if (!copy(a->home, sizeof(a->home), p->pw_dir, "/") ||
                !copy(a->shell, sizeof(a->shell), p->pw_shell, "/bin/sh"))
                return -EINVAL;
            return 0;
        }
    return e && e != ENOENT ? -e : -ENOENT;
}

static int add_group(struct qrexec_account *a, gid_t gid)
{
    for (size_t i = 0; i < a->n_groups; i++)
        if (a->groups[i] == gid)
            return 0;
    if (a->n_groups == QREXEC_GROUPS_MAX)
        return -E2BIG;
    a->groups[a->n_groups++] = gid;
    return 0;
}

static int find_groups(FILE *f, char *line, struct qrexec_account *a)
{
    struct group entry, *g = NULL;
    int e;

    while ((e = fgetgrent_r(f, &entry, line, LINE, &g)) == 0 && g)
        for (char **member = g->gr_mem; *member; member++)
            if (strcmp(*member, a->name) == 0) {
                e = add_group(a, g->gr_gid);
                if (e < 0)
                    return e;
                break;
            }
    return e && e != ENOENT ? -e : 0;
}

int qrexec_account_find(const char *name, size_t len, struct qrexec_account *a)
{
    FILE *users = NULL, *groups = NULL;
    char *line = malloc(LINE);
    int e = -ENOMEM;

    a->n_groups = 0;
    if (len == 0 || len >= sizeof(a->name)) {
        free(line);
        return -ENOENT;
    }
    memcpy(a->name, name, len);
    a->name[len] = 0;
    if (!line)
        return e;
    users = fopen("/etc/passwd", "re");
    e = users ? find_user(users, line, a) : -errno;
    if (e == 0) {
        e = add_group(a, a->gid);
        groups = fopen("/etc/group", "re");
        if (groups)
            e = find_groups(groups, line, a);
        else if (errno != ENOENT)
            e = -errno;
    }
    if (users)
        fclose(users);
    if (groups)
        fclose(groups);
    free(line);
    return e;
}
