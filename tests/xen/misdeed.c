/* SPDX-License-Identifier: BSD-2-Clause */
/* misdeed - a plugin for the lab: services that do on purpose what an app's mistake may do.
 *   misdeed.Null       reads address 0
 *   misdeed.Code       writes into the program's own code
 *   misdeed.Data       runs what lies in its data
 *   misdeed.Stack      calls itself for ever
 *   misdeed.Memory     takes memory until there is none
 *   misdeed.Syscall    three times a system call that nobody has; says what each one answered
 *   misdeed.Pointer    gives bad addresses to the kernel; says what it answered
 *   misdeed.Lazy       takes a promise of much memory, and lets the kernel fill it until there is none
 *   misdeed.Exit       leaves the loop behind everybody's back
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <unik/plugin.h>
#include <unik/qrexec.h>

#define CHUNK 65536
#define NOBODYS_CALL 9999

static volatile unsigned char zeros[16];
/* Known to the linker by name, and so to a crash report. */
static __attribute__((noinline)) void misdeed_null(void) { zeros[0] = *(volatile unsigned char *)(uintptr_t)zeros[0]; }

static __attribute__((noinline)) void misdeed_code(void)
{
    volatile unsigned char *code;
    void (*function)(void) = misdeed_null;

    memcpy(&code, &function, sizeof(code));
    *code = 0xc3;
}

static __attribute__((noinline)) void misdeed_data(void)
{
    volatile unsigned char *data = zeros;
    void (*run)(void);

    data[0] = 0xc3;
    memcpy(&run, &data, sizeof(run));
    run();
    zeros[1] = 1;
}

static __attribute__((noinline)) int misdeed_stack(int n)
{
    volatile char much[4000];

    much[0] = (char)n;
    return n == -1 ? 0 : misdeed_stack(n + 1) + much[0];
}

static __attribute__((noinline)) void misdeed_memory(struct unik_qrexec_call *call)
{
    char text[64];
    size_t n = 0;
    void *more, *last = NULL;

    while ((more = malloc(CHUNK)) != NULL) {
        memset(more, 1, CHUNK);
        *(void **)more = last;
        last = more;
        n++;
    }
    while (last) {
        more = *(void **)last;
        free(last);
        last = more;
    }
    unik_stream_write(call->io, text, (size_t)snprintf(text, sizeof(text), "%zu KiB, then no more\n", n * CHUNK / 1024));
}

/* The kernel itself runs out of memory, while it reads into what it has promised. */
static void misdeed_lazy(struct unik_qrexec_call *call)
{
    const size_t size = (size_t)1 << 33;
    char *all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int fd = open("/dev/zero", O_RDONLY);

    call->exit_code = all == MAP_FAILED || fd < 0;
    for (size_t at = 0; !call->exit_code && at < size; at += CHUNK)
        if (read(fd, all + at, CHUNK) != CHUNK)
            call->exit_code = 1;
}

static void answer(struct unik_qrexec_call *call, const char *what, long result)
{
    char text[64];

    unik_stream_write(call->io, text, (size_t)snprintf(text, sizeof(text), "%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "taken"));
}

static void pointers(struct unik_qrexec_call *call)
{
    int pipes[2];

    if (pipe(pipes) < 0)
        return;
    answer(call, "null", syscall(SYS_write, pipes[1], NULL, 16));
    answer(call, "kernel", syscall(SYS_write, pipes[1], 0xffffffff80100000, 16));
    answer(call, "hypervisor", syscall(SYS_write, pipes[1], 0xffff800000000000, 16));
    answer(call, "not canonical", syscall(SYS_write, pipes[1], 0x123456789abcdef0, 16));
    answer(call, "round the end", syscall(SYS_write, pipes[1], 0xfffffffffffffff0, 64));
    answer(call, "code", (syscall(SYS_write, pipes[1], zeros, 16), syscall(SYS_read, pipes[0], misdeed_null, 16)));
    answer(call, "path", syscall(SYS_openat, -100, 0xffffffff80100000, 0));
    close(pipes[0]);
    close(pipes[1]);
}

/* from dom0, or from another VM: this is for the lab only */
static void handle(struct unik_qrexec_call *call, void *arg)
{
    const char *what = call->service + strlen("misdeed.");

    (void)arg;
    if (strcmp(what, "Null") == 0)
        misdeed_null();
    else if (strcmp(what, "Code") == 0)
        misdeed_code();
    else if (strcmp(what, "Data") == 0)
        misdeed_data();
    else if (strcmp(what, "Stack") == 0)
        call->exit_code = misdeed_stack(0) & 1;
    else if (strcmp(what, "Memory") == 0)
        misdeed_memory(call);
    else if (strcmp(what, "Lazy") == 0)
        misdeed_lazy(call);
    else if (strcmp(what, "Pointer") == 0)
        pointers(call);
    else if (strcmp(what, "Exit") == 0)
        _exit(3);
    else
        for (int i = 0; i < 3; i++)
            answer(call, "call", syscall(NOBODYS_CALL));
    unik_stream_close(call->io);
}

static void arrived(struct unik_ctx *ctx, const char *interface, void *iface)
{
    static const char *const names[] = { "misdeed.Null", "misdeed.Code", "misdeed.Data", "misdeed.Stack", "misdeed.Memory", "misdeed.Syscall",
                                         "misdeed.Pointer", "misdeed.Exit", "misdeed.Lazy" };
    struct unik_qrexec *q = iface;

    (void)interface;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (q->serve(q, ctx, names[i], handle, NULL, NULL) < 0)
            unik_error(ctx, "%s: not registered", names[i]);
}

static int start(struct unik_ctx *ctx)
{
    unik_ready(ctx);
    return 0;
}

static void stop(struct unik_ctx *ctx) { unik_stopped(ctx); }

static const char *const wants[] = { "qrexec/1", NULL };

UNIK_PLUGIN(misdeed) = {
    UNIK_PLUGIN_HEAD, .name = "misdeed", .version = "1", .summary = "mistakes on purpose", .targets = UNIK_ON_QUBES,
    .wants = wants, .start = start, .stop = stop, .arrived = arrived
};
