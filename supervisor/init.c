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

static void load_module(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
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
