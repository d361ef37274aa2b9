/* SPDX-License-Identifier: BSD-2-Clause */
/* syscalls FILES [xen | xen-no-self-map]: all probes, with the files of make-files in FILES; with "xen" also the devices of a
 * domain. In PVH Xen itself takes a page from its place when its own domain maps it elsewhere: there xen-no-self-map. */
#include <stdarg.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <termios.h>

#include "probe.h"

char *bad_near = (char *)8, *bad_kernel = (char *)0xffff800000001000, *last_page;

static const char *section;

#define BURST 16        /* lines at a time: Xen's console has room for 2 kB, and boot/ waits only if it is asked to */

static void line_done(void)
{
    static unsigned lines;

    if (++lines % BURST == 0)
        tcdrain(1);
}

void probe(const char *what, long result)
{
    if (result == -1)
        printf("%s: %s: -%s\n", section, what, strerrorname_np(errno));
    else
        printf("%s: %s: %ld\n", section, what, result);
    line_done();
}

void probe_is(const char *what, bool so)
{
    printf("%s: %s: %s\n", section, what, so ? "yes" : "no");
    line_done();
}

void probe_text(const char *what, const char *format, ...)
{
    va_list ap;

    printf("%s: %s: ", section, what);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
    line_done();
}

static const struct {
    const char *name;
    void (*run)(void);
} sections[] = {
    { "files", probe_files },     { "folders", probe_folders }, { "tmp", probe_tmp },         { "descriptors", probe_descriptors }, { "pipes", probe_pipes },
    { "waiting", probe_waiting }, { "timers", probe_timers },   { "memory", probe_memory },           { "program", probe_program },
};

int main(int argc, char **argv)
{
    if (argc < 2 || chdir(argv[1]) < 0) {
        perror("syscalls: files");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    last_page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (last_page == MAP_FAILED || munmap(last_page + 4096, 4096) < 0)
        return 2;
    for (int fd = 3; fd < 64; fd++)
        close(fd);                      /* what a shell left open */
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        section = sections[i].name;
        sections[i].run();
    }
    if (argc > 2) {
        section = "xen";
        probe_xen(strcmp(argv[2], "xen") == 0);
    }
    printf("note: clocks without a system call: %s\n", getauxval(AT_SYSINFO_EHDR) ? "yes" : "no");
    printf("syscalls: end\n");
    return 0;
}
