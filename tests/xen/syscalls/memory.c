/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory: brk, mmap, munmap, mprotect, mremap, madvise. What would fault is probed through write() and read(). */
#include <fcntl.h>
#include <sys/mman.h>

#include "probe.h"

static int null_fd, pipe_fd[2];

/* Can the kernel read (write) this byte of ours? */
static bool readable(const void *p)
{
    char c;
    bool ok = write(pipe_fd[1], p, 1) == 1;

    return ok && read(pipe_fd[0], &c, 1) == 1;
}

static bool writable(void *p)
{
    char saved;
    bool ok;

    if (write(pipe_fd[1], "x", 1) != 1)
        return false;
    ok = read(pipe_fd[0], p, 1) == 1;
    if (!ok)
        (void)!read(pipe_fd[0], &saved, 1);
    return ok;
}

static void *map(size_t n, int prot) { return mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

static void basics(void)
{
    char *p = map(5 * 4096, PROT_READ | PROT_WRITE), *q;
    bool zero = true;

    for (int i = 0; i < 5 * 4096; i++)
        zero = zero && p[i] == 0;
    probe_is("zeroed", zero);
    memset(p, 'p', 5 * 4096);
    P("unmap the middle", munmap(p + 4096, 4096));
    probe_text("around it", "%d %d %d", readable(p), readable(p + 4096), readable(p + 8192));
    P("unmap it again", munmap(p + 4096, 4096));
    P("unmap unaligned", munmap(p + 1, 4096));
    P("unmap nothing", munmap(p, 0));
    P("protect read", mprotect(p, 4096, PROT_READ));
    probe_text("readable, writable", "%d %d", readable(p), writable(p));
    P("protect none", mprotect(p, 4096, PROT_NONE));
    probe_text("readable, writable", "%d %d", readable(p), writable(p));
    P("protect both", mprotect(p, 4096, PROT_READ | PROT_WRITE));
    probe_text("still there", "%c %d", *p, writable(p));
    P("protect a hole", mprotect(p, 3 * 4096, PROT_READ));
    P("protect unaligned", mprotect(p + 1, 4096, PROT_READ));
    P("protect nothing", mprotect(p, 0, PROT_READ));
    P("protect nonsense", mprotect(p + 8192, 4096, 0x70));
    q = mmap(p + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    probe_is("fixed, into the hole", q == p + 4096 && *q == 0);
    q = mmap(p + 8192, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    probe_is("fixed, over what was there", q == p + 8192 && *q == 0);
    P("fixed, no replacing", (long)mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
    P("fixed, unaligned", (long)mmap(p + 1, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    P("length 0", (long)map(0, PROT_READ));
    P("too long", (long)map(1ul << 50, PROT_READ));
    P("bad descriptor", (long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 77, 0));
    q = mmap(p, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    probe_is("a taken hint gives another place", q != MAP_FAILED && q != p);
    munmap(q, 4096);
    q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    probe_is("shared anonymous", q != MAP_FAILED && writable(q));
    munmap(q, 4096);
    P("dontneed", madvise(p + 3 * 4096, 8192, MADV_DONTNEED));
    probe_text("zeros again", "%d", p[3 * 4096] + p[4 * 4096]);
    P("advice for a hole", (munmap(p, 4096), madvise(p, 8192, MADV_DONTNEED)));
    P("unknown advice", madvise(p + 4096, 4096, 7777));
    P("advice unaligned", madvise(p + 1, 4096, MADV_DONTNEED));
    P("unmap all", munmap(p, 5 * 4096));
    q = mmap(NULL, 1ul << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    probe_is("1 GiB of nothing", q != MAP_FAILED);
    P("some of it", mprotect(q + (512ul << 20), 65536, PROT_READ | PROT_WRITE));
    q[(512ul << 20) + 5000] = 1;
    probe_text("readable, writable", "%d %d", readable(q), writable(q + (512ul << 20)));
    P("unmap it", munmap(q, 1ul << 30));
}

static void moves(void)
{
    char *p = map(4 * 4096, PROT_READ | PROT_WRITE), *q;

    memset(p, 'm', 4 * 4096);
    munmap(p + 8192, 4096);
    q = mremap(p, 8192, 4096, 0);
    probe_is("shrinks in place", q == p && !readable(p + 4096));
    q = mremap(p, 4096, 8192, 0);
    probe_is("grows in place", q == p && p[0] == 'm' && p[4096] == 0);
    munmap(p + 8192, 8192);
    mmap(p + 8192, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    P("no room", (long)mremap(p, 8192, 65536, 0));
    q = mremap(p, 8192, 65536, MREMAP_MAYMOVE);
    probe_is("moves", q != MAP_FAILED && q != p && q[0] == 'm' && q[8192] == 0 && writable(q + 65535));
    probe_is("is gone from there", !readable(p));
    P("unaligned", (long)mremap(q + 1, 4096, 8192, MREMAP_MAYMOVE));
    P("of nothing", (long)mremap(p, 4096, 8192, MREMAP_MAYMOVE));
    P("to length 0", (long)mremap(q, 4096, 0, MREMAP_MAYMOVE));
    munmap(q, 65536);
    munmap(p, 12288);
}

/* What is hidden by PROT_NONE, moved, and shown again. */
static void hidden(void)
{
    char *p = map(5 * 4096, PROT_READ | PROT_WRITE), *q;

    memset(p, 'h', 4 * 4096);
    mmap(p + 4 * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    P("hide", mprotect(p, 4 * 4096, PROT_NONE));
    q = mremap(p, 4 * 4096, 64 * 4096, MREMAP_MAYMOVE);
    probe_is("hidden pages move", q != MAP_FAILED && q != p);
    probe_text("readable, writable", "%d %d", readable(q), writable(q + 8192));
    P("read", mprotect(q, 64 * 4096, PROT_READ));
    probe_text("first, last, behind", "%c %c %d", q[0], q[4 * 4096 - 1], q[4 * 4096]);
    probe_text("readable, writable", "%d %d", readable(q), writable(q));
    P("write", mprotect(q, 64 * 4096, PROT_READ | PROT_WRITE));
    probe_text("first, writable", "%c %d", q[0], writable(q));
    probe_is("gone from there", !readable(p) && readable(p + 4 * 4096));
    P("hide some", mprotect(q + 4096, 4096, PROT_NONE));
    P("forget it", madvise(q + 4096, 4096, MADV_DONTNEED));
    P("show it", mprotect(q + 4096, 4096, PROT_READ | PROT_WRITE));
    probe_text("before, it, behind", "%c %d %c", q[4095], q[4096], q[8192]);
    munmap(q, 64 * 4096);
    munmap(p, 5 * 4096);
}

static void breaks(void)
{
    char *start = (char *)syscall(SYS_brk, 0), *after;

    after = (char *)syscall(SYS_brk, start + 100000);
    probe_is("brk grows", after == start + 100000);
    start[99999] = 1;
    probe_is("zeroed", start[50000] == 0 && writable(start + 50000));
    after = (char *)syscall(SYS_brk, start);
    probe_is("brk shrinks", after == start);
    after = (char *)syscall(SYS_brk, start + 100000);
    probe_is("zeroed again", after == start + 100000 && start[99999] == 0);
    after = (char *)syscall(SYS_brk, 8);
    probe_is("brk below the program changes nothing", after == start + 100000);
    after = (char *)syscall(SYS_brk, (char *)start + (1ul << 50));
    probe_is("brk too far changes nothing", after == start + 100000);
    syscall(SYS_brk, start);
}

static void edges(void)
{
    char *volatile null = NULL;
    static const char constant[] = "constant";

    probe_text("own code and constants", "%d %d", readable((const void *)(uintptr_t)probe_memory), readable(constant));
    probe_text("they are not writable", "%d %d", writable((void *)(uintptr_t)probe_memory), writable((void *)(uintptr_t)constant));
    probe_text("null, kernel, not canonical", "%d %d %d", readable(null), readable(bad_kernel), readable((char *)0x800000000000));
    P("read over the edge, all of it missing", read(null_fd, last_page + 4096, 4));
    P("write from over the edge", write(pipe_fd[1], last_page + 4096, 4));
    P("write length that wraps", write(null_fd, (char *)UINTPTR_MAX - 5, 5));
}

void probe_memory(void)
{
    null_fd = open("/dev/null", O_RDWR);
    pipe2(pipe_fd, O_NONBLOCK);
    basics();
    moves();
    hidden();
    breaks();
    edges();
    close(null_fd);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}
