/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/gui-client.c - `gui ...`, on the side of the one who asks. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/unik-dom0/ask.h"
#include "tools/unik-dom0/command.h"
#include "tools/unik-dom0/picture-file.h"

#define WORDS_MAX 4
#define CLIPBOARD_MAX 256000            /* bytes: what dom0 hands to a VM at most (doc/protocol/gui.md, 8) */

static const struct command {
    const char *name;
    int least, most;                    /* words */
    const char *words;
} table[] = {
    { "list", 0, 0, "" }, { "wait", 1, 1, "WINDOW" }, { "screenshot", 2, 2, "WINDOW FILE.png|FILE.ppm" },
    { "point", 3, 3, "WINDOW X Y" }, { "click", 3, 4, "WINDOW X Y [BUTTON]" }, { "key", 2, 2, "WINDOW KEY" },
    { "type", 2, 2, "WINDOW TEXT" }, { "focus", 1, 1, "WINDOW" }, { "move", 3, 3, "WINDOW X Y" },
    { "resize", 3, 3, "WINDOW WIDTH HEIGHT" }, { "minimise", 1, 1, "WINDOW" }, { "restore", 1, 1, "WINDOW" },
    { "close", 1, 1, "WINDOW" }, { "copy", 1, 1, "WINDOW" }, { "paste", 1, 1, "WINDOW" }, { "show", 0, 0, "" },
};

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(name, table[i].name) == 0)
            return &table[i];
    return NULL;
}

/* A file in memory, for what is too long for a request and what dom0 must not wait for. */
static int memory_file(void)
{
    int fd = memfd_create("unik-dom0", MFD_CLOEXEC);

    if (fd < 0)
        fprintf(stderr, "unik-dom0: memfd: %s\n", strerror(errno));
    return fd;
}

/* All of stdin; -1 with a line on stderr. */
static int take_stdin(void)
{
    int fd = memory_file();
    char bytes[65536];
    size_t total = 0;
    ssize_t n;

    while (fd >= 0 && (n = read(0, bytes, sizeof(bytes))) > 0) {
        total += (size_t)n;
        if (total <= CLIPBOARD_MAX && write(fd, bytes, (size_t)n) == n)
            continue;
        fprintf(stderr, "unik-dom0: gui paste: %s\n", total > CLIPBOARD_MAX ? "over 256000 bytes" : strerror(errno));
        close(fd);
        return -1;
    }
    if (fd >= 0 && n < 0) {
        fprintf(stderr, "unik-dom0: gui paste: standard input: %s\n", strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static int write_picture(int fd, const char *file)
{
    const uint32_t *p;
    struct stat st;
    int e;

    if (fstat(fd, &st) < 0 || st.st_size < 8)
        return 1;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return 1;
    e = (uint64_t)p[0] * p[1] * 4 + 8 == (uint64_t)st.st_size ? picture_write(file, p + 2, p[0], p[1]) : -EIO;
    if (e < 0)
        fprintf(stderr, "unik-dom0: %s: %s\n", file, strerror(-e));
    munmap((void *)(uintptr_t)p, (size_t)st.st_size);
    return e < 0 ? 1 : 0;
}

static int ask_gui(const struct client_options *o, const char *what, char **words, int n, const int *fds)
{
    static const char *const keys[WORDS_MAX] = { "1", "2", "3", "4" };
    struct packet p;

    ask_begin(&p, "gui", o);
    ask_add(&p, "what", what);
    for (int i = 0; i < n && i < WORDS_MAX; i++)
        ask_add(&p, keys[i], words[i]);
    if (strcmp(what, "show") == 0) {
        ask_add(&p, "display", o->display ? o->display : getenv("DISPLAY") ? getenv("DISPLAY") : "");
        ask_add(&p, "xauthority", getenv("XAUTHORITY") ? getenv("XAUTHORITY") : "");
    }
    return ask(o, &p, fds, 1, 1);
}

static int screenshot(const struct client_options *o, char **words)
{
    const char *wrong = picture_refuse(words[1]);
    int fd, code;

    if (wrong)
        return usage("gui screenshot: %s: %s", words[1], wrong);
    fd = memory_file();
    if (fd < 0)
        return 1;
    code = ask_gui(o, "screenshot", words, 1, (int[]){ fd, fd, fd });
    if (code == 0)
        code = write_picture(fd, words[1]);
    close(fd);
    return code;
}

static int paste(const struct client_options *o, char **words)
{
    int fd = take_stdin(), code;

    if (fd < 0)
        return 1;
    code = ask_gui(o, "paste", words, 1, (int[]){ fd, fd, fd });
    close(fd);
    return code;
}

static int wait_for(const struct client_options *o, const char *window)
{
    struct packet p;
    char what[256];

    snprintf(what, sizeof(what), "window:%s", window);
    ask_begin(&p, "wait", o);
    ask_add(&p, "what", what);
    return ask(o, &p, NULL, 1, 1);
}

int command_gui(int argc, char **argv)
{
    struct client_options o;
    const struct command *c;
    char **words;
    int n;

    if (ask_options(&o, argc, argv, "td", 1, WORDS_MAX + 1))
        return EXIT_USAGE;
    c = find(argv[optind]);
    words = argv + optind + 1;
    n = argc - optind - 1;
    if (!c)
        return usage("gui: %s: no such command", argv[optind]);
    if (n < c->least || n > c->most)
        return usage("gui %s: expected %s", c->name, *c->words ? c->words : "no words");
    if (strcmp(c->name, "screenshot") == 0)
        return screenshot(&o, words);
    if (strcmp(c->name, "paste") == 0)
        return paste(&o, words);
    if (strcmp(c->name, "wait") == 0)
        return wait_for(&o, words[0]);
    return ask_gui(&o, c->name, words, n, NULL);
}
