/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/dom0/gui-guest.c - a GUI agent played by a test. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/cursor.h"
#include "tests/dom0/gui-guest.h"

struct peer *guest_new(struct run *r, unsigned minor, unsigned daemon)
{
    struct peer *p = peer_listen(r->h, r->vchan, 1, 0, GUI_PORT);
    uint8_t bytes[GUI_XCONF_BYTES];
    struct gui_xconf x;

    ck_assert_ptr_nonnull(p);
    ck_assert(peer_accept(p, RUN_SECONDS));
    gui_encode_version(bytes, GUI_VERSION_OF(minor));
    ck_assert(peer_send(p, bytes, GUI_VERSION_BYTES));
    if (minor >= 4) {
        ck_assert(peer_recv(p, bytes, GUI_VERSION_BYTES, RUN_SECONDS));
        ck_assert_uint_eq(gui_decode_version(bytes), GUI_VERSION_OF(minor < daemon ? minor : daemon));
    }
    ck_assert(peer_recv(p, bytes, sizeof(bytes), RUN_SECONDS));
    ck_assert_int_eq(gui_decode_xconf(bytes, &x), 0);
    ck_assert_uint_eq(x.width % 8, 0);
    ck_assert_uint_eq(x.depth, 24);
    return p;
}

void guest_send(struct peer *p, uint32_t type, uint32_t window, const void *words, size_t bytes)
{
    uint8_t *message = malloc(GUI_HEADER + bytes);
    struct writer w;

    ck_assert_ptr_nonnull(message);
    writer_init(&w, message, GUI_HEADER + bytes);
    writer_u32(&w, type);
    writer_u32(&w, window);
    writer_u32(&w, (uint32_t)bytes);
    if (bytes)
        writer_bytes(&w, words, bytes);             /* this machine's numbers are little endian too */
    ck_assert(peer_send(p, message, GUI_HEADER + bytes));
    free(message);
}

bool guest_try(struct run *r, struct peer **p, uint32_t type, uint32_t window, const void *words, size_t bytes)
{
    uint8_t message[512], dropped[4096];
    struct writer w;

    writer_init(&w, message, sizeof(message));
    writer_u32(&w, type);
    writer_u32(&w, window);
    writer_u32(&w, (uint32_t)bytes);
    writer_bytes(&w, words, bytes);
    while (peer_try_recv(*p, dropped, sizeof(dropped)) > 0)
        ;
    if (peer_send(*p, message, writer_done(&w)) && !peer_closed(*p, 0))
        return true;
    peer_close(*p);
    *p = guest_new(r, 8, 8);
    return false;
}

struct gui_message guest_get(struct peer *p, uint32_t type, uint32_t window)
{
    uint8_t head[GUI_HEADER], body[GUI_BODY_MAX];
    struct gui_message m;
    struct gui_header h;
    int n;

    ck_assert(peer_recv(p, head, sizeof(head), RUN_SECONDS));
    gui_decode_header(head, &h);
    ck_assert_msg(h.type == type && h.window == window, "%s for 0x%x came, %s for 0x%x was expected",
                  gui_type_name(h.type), h.window, gui_type_name(type), window);
    n = gui_body(GUI_DAEMON, &h);
    ck_assert_int_ge(n, 0);
    ck_assert(peer_recv(p, body, (size_t)n, RUN_SECONDS));
    ck_assert_int_eq(gui_decode(GUI_DAEMON, &h, body, &m), 0);
    return m;
}

void guest_get_focus(struct peer *p, uint32_t window)
{
    guest_get(p, GUI_KEYMAP_NOTIFY, 0);
    ck_assert_uint_eq(guest_get(p, GUI_FOCUS, window).u.focus.type, GUI_FOCUS_IN);
}

struct gui_rect guest_echo(struct peer *p, uint32_t window)
{
    struct gui_rect r = guest_get(p, GUI_CONFIGURE, window).u.rect;

    guest_send(p, GUI_CONFIGURE, window, WORDS((uint32_t)r.x, (uint32_t)r.y, r.width, r.height, 0));
    return r;
}

void guest_quiet(struct peer *p, struct run *r, uint32_t window)
{
    guest_pages(r, 9999, 1);
    guest_dump(p, window, 1, 1, 9999, 1);
    guest_get(p, GUI_WINDOW_DUMP_ACK, window);
}

void guest_create(struct peer *p, uint32_t window, int x, int y, unsigned width, unsigned height)
{
    guest_send(p, GUI_CREATE, window, WORDS((uint32_t)x, (uint32_t)y, width, height, 0, 0));
}

const char *guest_pages(struct run *r, unsigned first, unsigned pages)
{
    static char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/grants", r->vchan);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/grants/1.%u", r->vchan, first);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)pages * GUI_PAGE), 0);
    close(fd);
    return path;
}

void guest_dump(struct peer *p, uint32_t window, unsigned width, unsigned height, unsigned first, unsigned pages)
{
    uint32_t words[4 + 8192] = { 0, width, height, 24 };

    ck_assert_uint_le(pages, 8192);
    for (unsigned i = 0; i < pages; i++)
        words[4 + i] = first + i;
    guest_send(p, GUI_WINDOW_DUMP, window, words, (size_t)(4 + pages) * 4);
}

void guest_pixel(const char *path, unsigned width, unsigned x, unsigned y, uint32_t colour)
{
    int fd = open(path, O_WRONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, &colour, 4, (off_t)(y * width + x) * 4), 4);
    close(fd);
}

void guest_window(struct run *r, struct peer *p, uint32_t window, unsigned width, unsigned height, unsigned first)
{
    unsigned pages = (unsigned)gui_pages(width, height);

    guest_create(p, window, 0, 0, width, height);
    guest_pages(r, first, pages);
    guest_dump(p, window, width, height, first, pages);
    guest_send(p, GUI_MAP, window, WORDS(0, 0));
    guest_get(p, GUI_WINDOW_DUMP_ACK, window);
    guest_echo(p, window);
    guest_get_focus(p, window);
    guest_send(p, GUI_SHMIMAGE, window, WORDS(0, 0, width, height));
}

void guest_painted(struct run *r, const char *window)
{
    char command[64];

    snprintf(command, sizeof(command), "gui --seconds %d wait %s", (int)RUN_SECONDS, window);
    ck_assert_int_eq(run_command(r, command, NULL), 0);
}

uint32_t seen_pixel(struct run *r, const char *window, unsigned x, unsigned y)
{
    char command[1024], file[512];
    unsigned width, height, most;
    uint8_t rgb[3] = { 0 };
    FILE *f;

    snprintf(file, sizeof(file), "%s/seen.ppm", r->dir);
    snprintf(command, sizeof(command), "gui screenshot %s %s", window, file);
    ck_assert_int_eq(run_command(r, command, NULL), 0);
    f = fopen(file, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "P6 %u %u %u", &width, &height, &most), 3);
    ck_assert(x < width && y < height && most == 255);
    fseek(f, 1 + (long)(y * width + x) * 3, SEEK_CUR);
    ck_assert_uint_eq(fread(rgb, 1, 3, f), 3);
    fclose(f);
    return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}
