/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/qrexec/exec-find.c - services and their configs in the search folders.
 *
 * Names and arguments come from other VMs through dom0, which cleans them, or from dom0 itself, which does not: what is
 * not a plain file name never reaches the file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/qrexec/exec-parts.h"

#define TCP "/dev/tcp"

static bool plain(const char *name, size_t len)
{
    return len > 0 && name[0] != '.' && !memchr(name, '/', len);
}

static bool is_tcp(const char *target)
{
    return strncmp(target, TCP, sizeof(TCP) - 1) == 0 &&
        (target[sizeof(TCP) - 1] == 0 || target[sizeof(TCP) - 1] == '/');
}

/* One name in one folder. 0, or a negative errno. links: a link to /dev/tcp is an answer; path becomes its target. */
static int look(const char *folder, size_t folder_len, const char *name, bool links, char path[QREXEC_PATH_SIZE],
                struct stat *st)
{
    char target[QREXEC_PATH_SIZE];
    size_t len = strlen(name);
    ssize_t n;

    if (folder_len + 1 + len >= QREXEC_PATH_SIZE)
        return -ENAMETOOLONG;
    memcpy(path, folder, folder_len);
    path[folder_len] = '/';
    memcpy(path + folder_len + 1, name, len + 1);
    if (lstat(path, st) < 0)
        return -errno;
    if (!S_ISLNK(st->st_mode))
        return 0;
    n = links ? readlink(path, target, sizeof(target) - 1) : 0;
    if (n < 0)
        return -errno;
    target[n] = 0;
    if (n > 0 && is_tcp(target)) {
        memcpy(path, target, (size_t)n + 1);
        return 0;
    }
    return stat(path, st) < 0 ? -errno : 0;
}

/* One name in all folders: the first that has it. An error other than "not there" ends the search: a service that
 * cannot be looked at must not be replaced by a more general one. */
static int search(const char *folders, const char *name, bool links, char path[QREXEC_PATH_SIZE], struct stat *st)
{
    while (*folders) {
        size_t len = strcspn(folders, ":");
        int e = len ? look(folders, len, name, links, path, st) : -ENOENT;

        if (e != -ENOENT)
            return e;
        folders += len + (folders[len] == ':');
    }
    return -ENOENT;
}

/* "name+argument" everywhere, with the + even where the request has none; then "name". */
static int find(const char *folders, const struct qrexec_command *c, bool links, char path[QREXEC_PATH_SIZE],
                struct stat *st)
{
    char name[QREXEC_NAME_MAX + 1];
    int e = -ENOENT;

    path[0] = 0;
    if (!plain(c->name, c->name_len) || c->name_len > QREXEC_NAME_MAX)
        return -ENOENT;
    memcpy(name, c->name, c->name_len);
    if (c->name_len + 1 + c->argument_len <= QREXEC_NAME_MAX &&
        !(c->argument_len && memchr(c->argument, '/', c->argument_len))) {
        name[c->name_len] = '+';
        if (c->argument_len)
            memcpy(name + c->name_len + 1, c->argument, c->argument_len);
        name[c->name_len + 1 + c->argument_len] = 0;
        e = search(folders, name, links, path, st);
    }
    name[c->name_len] = 0;
    return e == -ENOENT ? search(folders, name, links, path, st) : e;
}

int qrexec_find_service(struct unik_ctx *ctx, const char *folders, const struct qrexec_command *c,
                        enum qrexec_kind *kind, char path[QREXEC_PATH_SIZE])
{
    struct stat st = { 0 };
    int e = find(folders, c, true, path, &st);

    if (e == -ENOENT)
        return QREXEC_EXIT_NO_SERVICE;
    if (e < 0) {
        unik_warn(ctx, "service %.*s: %s: %s", (int)c->name_len, c->name, path, strerror(-e));
        return QREXEC_EXIT_PROBLEM;
    }
    if (S_ISLNK(st.st_mode)) {
        *kind = QREXEC_IS_TCP;
    } else if (S_ISSOCK(st.st_mode)) {
        *kind = QREXEC_IS_UNIX;
    } else if (S_ISREG(st.st_mode) && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0) {
        *kind = QREXEC_IS_PROGRAM;
    } else {
        unik_warn(ctx, "service %.*s: %s is neither executable nor a socket", (int)c->name_len, c->name, path);
        return QREXEC_EXIT_PROBLEM;
    }
    return 0;
}

/* The whole file, or a negative errno. Never waits: a FIFO is refused. */
static ssize_t read_file(const char *path, char *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    size_t used = 0;
    struct stat st;
    ssize_t n = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))) {
        close(fd);
        return -EINVAL;
    }
    while (used < size && (n = read(fd, to + used, size - used)) > 0)
        used += (size_t)n;
    if (n < 0)
        n = -errno;
    close(fd);
    return n < 0 ? n : used == size ? -EFBIG : (ssize_t)used;
}

int qrexec_find_config(struct unik_ctx *ctx, const char *folders, const struct qrexec_command *c,
                       struct qrexec_service_config *config)
{
    static char text[QREXEC_CONFIG_SIZE];
    char path[QREXEC_PATH_SIZE] = "", said[512];
    struct unik_text why;
    struct stat st;
    ssize_t n;
    int e;

    *config = (struct qrexec_service_config){ 0 };
    unik_text_init(&why, said, sizeof(said));
    e = find(folders, c, false, path, &st);
    if (e == -ENOENT)
        return 0;
    n = e < 0 ? e : read_file(path, text, sizeof(text));
    if (n < 0) {
        unik_warn(ctx, "config of service %.*s: %s: %s", (int)c->name_len, c->name, path, strerror((int)-n));
        return QREXEC_EXIT_PROBLEM;
    }
    e = qrexec_config_parse(text, (size_t)n, config, &why);
    if (said[0])
        unik_warn(ctx, "config of service %.*s: %s: %s", (int)c->name_len, c->name, path, said);
    return e < 0 ? QREXEC_EXIT_PROBLEM : 0;
}
