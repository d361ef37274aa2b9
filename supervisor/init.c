/* SPDX-License-Identifier: BSD-2-Clause */
/* supervisor/init.c - what the first process of a Linux VM has to do besides.
 *
 * A VM whose ramdisk holds nothing but this program as /init, a config and the kernel's xen modules needs no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/init.h"

#define PATH_MAX_HERE 512

static void put_mount(const char *type, const char *where, mode_t mode)
{
    mkdir(where, mode);
    if (mount(type, where, type, 0, NULL) < 0 && errno != EBUSY)
        fprintf(stderr, "init: mount %s on %s: %s\n", type, where, strerror(errno));
}

static void open_console(void)
{
    int fd = open("/dev/console", O_RDWR);

    if (fd < 0)
        return;
    for (int i = 0; i < 3; i++)
        if (fd != i)
            dup2(fd, i);
    if (fd > 2)
        close(fd);
}

/* Words "module.option" of the kernel's command line: the kernel gives them only to what is built in. */
static void module_options(const char *path, char *options, size_t size)
{
    char line[4096] = "", name[64], *rest = line;
    const char *base = strrchr(path, '/');
    FILE *f = fopen("/proc/cmdline", "re");
    size_t n, used = 0;

    if (f && !fgets(line, sizeof(line), f))
        line[0] = 0;
    if (f)
        fclose(f);
    n = (size_t)snprintf(name, sizeof(name), "%.*s.", (int)strcspn(base ? base + 1 : path, "."), base ? base + 1 : path);
    for (char *p = name; *p; p++)
        if (*p == '-')
            *p = '_';
    options[0] = 0;
    for (char *word; (word = strsep(&rest, " \n")) != NULL;)
        if (n < sizeof(name) && strncmp(word, name, n) == 0 && used + strlen(word + n) + 2 < size)
            used += (size_t)snprintf(options + used, size - used, "%s ", word + n);
}

static void load_module(const char *path)
{
    char options[512];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    module_options(path, options, sizeof(options));
    if (fd < 0 || (syscall(SYS_finit_module, fd, options, 0) < 0 && errno != EEXIST))
        fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void load_modules(void)
{
    char path[PATH_MAX_HERE];
    FILE *f = fopen(INIT_MODULES, "re");

    while (f && fgets(path, sizeof(path), f)) {
        path[strcspn(path, "\n")] = 0;
        if (path[0] == '/')
            load_module(path);
    }
    if (f)
        fclose(f);
}

/* Linux obeys dom0 before we can: its kernel acknowledges control/shutdown and runs one of these two. */
bool init_is_order(const char *name)
{
    const char *base = strrchr(name, '/');
    int number;

    base = base ? base + 1 : name;
    number = strcmp(base, "poweroff") == 0 ? SIGTERM : strcmp(base, "reboot") == 0 ? INIT_SIGREBOOT : 0;
    if (number && kill(1, number) < 0)
        fprintf(stderr, "%s: %s\n", base, strerror(errno));
    return number != 0;
}

void init_begin(void)
{
    if (getpid() != 1)
        return;
    put_mount("devtmpfs", "/dev", 0755);    /* first: the console comes with it */
    open_console();
    put_mount("proc", "/proc", 0555);
    put_mount("sysfs", "/sys", 0555);
    put_mount("tmpfs", "/run", 0755);
    put_mount("tmpfs", "/tmp", 01777);
    load_modules();
}

void init_end(enum unik_end how)
{
    if (getpid() != 1)
        return;
    sync();
    reboot(how == UNIK_REBOOT ? RB_AUTOBOOT : RB_POWER_OFF);
    fprintf(stderr, "init: the kernel refuses to end: %s\n", strerror(errno));
    for (;;)
        pause();
}
