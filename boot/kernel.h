/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/kernel.h - what the files of the kernel offer each other, listed by the file it is in, in the order of the boot.
 *
 * How it works. There is one vCPU, one program, one thread, one kernel stack. The kernel is never interrupted: every entry
 * masks events, and they stay masked until the program goes on. Only machine_idle() lets them in. So nothing here needs a
 * lock, and a system call that has to wait is a loop:
 *
 *     while (!(something is there))
 *         if (!wait_until(deadline))      // runs the handlers of events; false once the deadline has passed
 *             break;
 *
 * Functions return 0 or more, or a negative errno. The program is trusted with nothing but its own memory: each address it
 * gives goes through user_in(), user_out() or user_buffer(). What comes over rings and grants is not trusted either.
 */
#ifndef BOOT_KERNEL_H
#define BOOT_KERNEL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "boot/errno.h"

#define PAGE 4096ul
#define PAGE_UP(n) (((uint64_t)(n) + PAGE - 1) & ~(PAGE - 1))
#define PAGE_DOWN(n) ((uint64_t)(n) & ~(PAGE - 1))
#define NEVER UINT64_MAX                        /* a deadline that does not come */
/* What every system call and event goes through lies together: each page less is one TLB miss less, and in PV the TLB is
 * emptied on the way in and out. */
#define HOT __attribute__((section(".text.entry")))
#define HOT_DATA __attribute__((section(".bss.hot")))
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* ---- start.S: the registers of what was interrupted, as both entries leave them on the stack ---- */

/* The end, from rax on, is also what Xen's iret hypercall takes back (PV). */
struct frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r10, r9, r8, rdi, rsi, rdx;
    uint64_t rax, r11, rcx;
    uint64_t error;                             /* error code of a trap; 0 before the return: flags of the hypercall */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* To the program for the first time, with all registers 0 except these. Does not return. */
_Noreturn void user_enter(uint64_t rip, uint64_t rsp);

/* ---- text.c: strings and formatted text ---- */

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
/* A subset of snprintf: %s %.*s %c %d %i %u %x %p %% with l, ll, z, a width and a leading 0. Always terminated. Returns what was
 * written, without the NUL, so at most size - 1. */
size_t format(char *out, size_t size, const char *how, ...) __attribute__((format(printf, 3, 4)));
size_t format_list(char *out, size_t size, const char *how, va_list list) __attribute__((format(printf, 3, 0)));

/* ---- console.c: Xen's console ring; from the first line to the last ---- */

/* A message of the kernel: "kernel: ", the text, a line end. At most 400 bytes. */
void say(const char *how, ...) __attribute__((format(printf, 1, 2)));
/* Bytes of the program. What dom0 has no room for is kept, KEPT bytes of it (console.c); never waits longer than CONSOLE_PATIENCE
 * in all for a place: after that the rest is dropped and counted until there is one, and the console says how much was lost. */
void console_write(const void *bytes, size_t n);
/* What was typed: as many bytes as there are, at most n; 0 without. */
size_t console_read(void *bytes, size_t n);
bool console_readable(void);
/* Bytes written that dom0 has not taken yet. An event comes when it takes some. */
size_t console_unread(void);

/* ---- power.c: the ends ---- */

enum power { POWER_OFF = 0, POWER_REBOOT = 1, POWER_CRASH = 3 };       /* SHUTDOWN_*, xen/sched.h */
/* Empties the console (bounded), then ends the domain. */
_Noreturn void power(enum power how);
/* exit_group(): 0 powers off, anything else says the code and then does what boot.on_failure says. */
_Noreturn void program_ended(int code);

/* ---- crash.c: reports ---- */

/* The kernel cannot go on: message, backtrace, SHUTDOWN_crash. */
_Noreturn void panic(const char *how, ...) __attribute__((format(printf, 1, 2)));
/* The program cannot go on: message, registers, backtrace with names of functions, then what boot.on_failure says. */
_Noreturn void program_crashed(const struct frame *f, const char *how, ...) __attribute__((format(printf, 2, 3)));
/* A page of the program, at this address, cannot be had while the kernel answers a system call, or starts the program: the same. */
_Noreturn void program_starved(uint64_t address);

/* ---- main.c: what was booted ---- */

struct bytes {
    const uint8_t *at;
    size_t size;
};

struct boot {
    bool pvh;
    bool tsc_emulated;                          /* PVH: rdtsc leaves the guest, and a system call is cheaper */
    char command_line[1024];                    /* as given to the domain; "" without */
    struct bytes program;                       /* the static ELF of the image, at a page's start */
    struct bytes files;                         /* cpio (newc) of the image */
    struct bytes default_command_line;          /* of the image; not terminated */
    struct bytes ramdisk;                       /* cpio (newc) given to the domain; size 0 without */
    enum power on_failure;                      /* POWER_CRASH, or as "kernel.on-failure=" of the command line says */
    bool places_by_chance;                      /* of the program's parts in its memory; "kernel.aslr=off": the same each time */
    uint64_t program_base;                      /* added to the addresses in the program's ELF; 0: it lies where they say */
};
/* What follows the key, "kernel.<name>=", in a word before "--" of the domain's command line: up to a space or the end. NULL
 * without such a word. */
const char *kernel_option(const char *key);
extern struct boot boot;                        /* constant once linux_start() is called; all in memory that stays */

/* ---- memory.c: pages ---- */

/* One page, zeroed, in the kernel's memory; NULL if there is no more. */
void *page_alloc(void);
/* The same n pages in a row (n * PAGE bytes); to be given back in one piece or page by page. */
void *pages_alloc(size_t n);
void page_free(void *page);
size_t pages_left(void);
size_t pages_total(void);
/* The number of the frame behind a page from page_alloc() as other domains know it (PV: machine frame). */
uint64_t page_frame(const void *page);

/* ---- user.c: the program's address space ----
 *
 * Addresses of the program are uint64_t, never pointers. Memory comes when it is touched, zeroed. Nothing is ever writable
 * and executable at once: -EACCES. */

#define USER_START 0x10000ul                    /* nothing is mapped below */
#define USER_STACK_TOP 0x7ffffff000ul           /* first byte that does not belong to the program */
#define USER_MAP_TOP 0x7000000000ul             /* mmap() looks downward from here, unless user_map_below() says another place */
/* PROT_*; any subset. USER_LAZY besides: memory is promised without looking whether there is that much (MAP_NORESERVE, stacks). */
enum { USER_READ = 1, USER_WRITE = 2, USER_EXEC = 4, USER_LAZY = 8 };

/* A mapping of a device: its pages are put in place when it is made, by the device, with user_set_page() or grant_map(), and
 * go as one: a mapping of a device cannot be split, moved or changed. */
struct user_device {
    /* All of [start, end) is going: undo each user_set_page() with user_clear_page(), each grant_map() with grant_unmap(). */
    void (*unmap)(void *owner, uint64_t start, uint64_t end);
};

struct user_backing {
    struct bytes file;                          /* private mapping: what is read; zeros behind its end. Size 0: zeros */
    const struct user_device *device;           /* NULL if not of a device */
    void *owner;                                /* of the device */
};

enum user_where { USER_HINT, USER_FIXED, USER_FIXED_NEW };      /* mmap(), MAP_FIXED, MAP_FIXED_NOREPLACE */
/* mmap: length bytes (rounded up to pages). backing NULL: zeroed memory. Returns the address, or -ENOMEM -EEXIST -EINVAL -EACCES. */
int64_t user_map(enum user_where where, uint64_t address, uint64_t length, unsigned prot, const struct user_backing *backing);
int user_unmap(uint64_t address, uint64_t length);
int user_protect(uint64_t address, uint64_t length, unsigned prot);
/* mremap: grows in place or, if it may, elsewhere. Returns the address. */
int64_t user_remap(uint64_t address, uint64_t old_length, uint64_t new_length, bool may_move);
/* madvise(MADV_DONTNEED): private memory is as it was at first. */
int user_forget(uint64_t address, uint64_t length);
/* Where mmap() looks for a place: downward from here. Called before anything is mapped, if at all. */
void user_map_below(uint64_t top);
/* Where brk() begins: behind the program's image. Called once, by the loader. */
void user_brk_start(uint64_t address);
/* brk(): the break after the call, which is the old one if the new one cannot be had. */
uint64_t user_brk(uint64_t address);

/* Copies between the kernel and the program: 0, or -EFAULT if some byte is not the program's to read (write); then nothing
 * was copied. What is not there yet is made present; without memory for that there is program_starved(). */
int user_in(void *to, uint64_t from, size_t n);
int user_out(uint64_t to, const void *from, size_t n);
/* For reports of a crash: user_in(), but only of what is there; takes no memory. */
int user_peek(void *to, uint64_t from, size_t n);
/* A string with its NUL: its length, -EFAULT, or -ENAMETOOLONG if it does not fit. */
int64_t user_string(char *to, uint64_t from, size_t size);
/* The program's memory in place, made present; NULL if not all of it is the program's to read (write). Valid until the next
 * user_unmap(), user_protect(), user_remap() or user_forget(). n = 0: not NULL. */
void *user_buffer(uint64_t address, size_t n, bool write);

/* For devices, inside a mapping of their own: one page of page_alloc() appears at an address, or goes from it again. */
int user_set_page(uint64_t address, void *page, bool write);
void user_clear_page(uint64_t address);

/* arch_prctl(ARCH_SET_FS). -EPERM if the address is not the program's. */
int user_set_fs(uint64_t base);
uint64_t user_fs(void);

/* The program touched an address (or the kernel is about to, for it): makes it present. -EFAULT: not the program's to touch
 * so; -ENOMEM. how: one of USER_READ, USER_WRITE, USER_EXEC. */
int user_fault(uint64_t address, unsigned how);

/* ---- syscall.c (the system calls): called by the entry for each one, events masked ---- */

/* Answers f->rax with arguments in rdi rsi rdx r10 r8 r9, and puts the result into f->rax. Events that are pending have been
 * handled just before. */
void system_call(struct frame *f);
/* Loads boot.program, starts it. Called last by main.c. */
_Noreturn void linux_start(void);

/* ---- event.c: event channels ---- */

typedef void event_handler(void *arg, uint32_t port);
#define EVENT_PORTS 4096u                       /* ports 0 .. 4095: the two-level ABI of xen/xen.h */
/* New ports, masked, with a handler; the port, or a negative errno (also -EINVAL, -ESRCH ... from Xen). handler NULL: none yet. */
int64_t event_unbound(uint16_t remote, event_handler *handler, void *arg);
int64_t event_interdomain(uint16_t remote, uint32_t remote_port, event_handler *handler, void *arg);
int64_t event_virq(uint32_t virq, event_handler *handler, void *arg);
/* A port that exists already (console, xenstore). */
int event_handle(uint32_t port, event_handler *handler, void *arg);
/* While masked a port's handler does not run; an event that came meanwhile is seen at once after event_unmask(). */
void event_mask(uint32_t port);
void event_unmask(uint32_t port);
int event_notify(uint32_t port);
/* The port no longer exists, its handler never runs again. */
int event_close(uint32_t port);
/* Runs the handlers of all that is pending and not masked. A handler must not wait. */
void events_run(void);

/* ---- time.c: clocks, and waiting ---- */

uint64_t time_monotonic(void);                  /* nanoseconds since the domain's host has been up: CLOCK_MONOTONIC, _BOOTTIME */
uint64_t time_wall(void);                       /* nanoseconds since 1970: CLOCK_REALTIME */
uint64_t time_used(void);                       /* nanoseconds that the domain has run, this kernel included: its CPU time */
void time_set_wall(uint64_t ns);                /* clock_settime(): kept as an offset to Xen's */
/* Where the program's own clock (vdso/) finds what time_set_wall() adds to Xen's wall clock: now, and after each change. */
void time_publish(int64_t *at);
uint64_t time_wall_changes(void);               /* how often it was set: TFD_TIMER_CANCEL_ON_SET */
/* Runs handlers of events, or waits for some until the deadline (of time_monotonic()) at most. False if it has passed and
 * nothing was there to run. Without a deadline in the past, returns after each event: look again for what you wait. */
bool wait_until(uint64_t deadline);

/* ---- grant.c: memory shared with other domains (grant table v1) ---- */

/* Lets a domain map a page of page_alloc(): the reference, or -ENOSPC. */
int64_t grant_give(uint16_t domid, void *page, bool readonly);
/* Ends it. The page is grant.c's from now on, and is freed when the other side has let go of it, which may be never;
 * neither the reference nor the page is used again before. */
void grant_end(uint32_t ref, void *page);
/* Maps a foreign page into the program at address, which lies in a mapping of a device. *handle is for grant_unmap(). */
int grant_map(uint64_t address, uint16_t domid, uint32_t ref, bool readonly, uint32_t *handle);
int grant_unmap(uint64_t address, uint32_t handle);

/* ---- xenbus.c: xenstore's ring, shared by several users as if each had its own ---- */

struct xenbus_user;
#define XENBUS_MESSAGE 4112u                    /* longest message: header of 16 bytes and payload of 4096 (xen/io/xs_wire.h) */
/* -ENFILE: too many users (XENBUS_USERS, xenbus.c); -ENOMEM; -ENXIO: no xenstore. */
int xenbus_open(struct xenbus_user **out);
/* One whole message with its header, as the program wrote it, its req_id its own affair. 0, or -EAGAIN: no room now (see
 * xenbus_writable()), -EINVAL: not a request, or its length is wrong, -EIO: xenstore's ring is broken for good. What
 * there is too much of (watches, transactions) is answered as xenstored would: ENOSPC. */
int xenbus_send(struct xenbus_user *u, const void *message, size_t n);
bool xenbus_writable(const struct xenbus_user *u);      /* room for the longest message, or the error */
/* The user's replies and watch events, as a stream of bytes: as many as there are, at most n; 0 without; -EIO: see above. */
int64_t xenbus_receive(struct xenbus_user *u, void *bytes, size_t n);
bool xenbus_readable(const struct xenbus_user *u);      /* bytes, or the error, are there */
/* Its transactions are ended, its watches removed; what is still in flight for it goes nowhere. */
void xenbus_close(struct xenbus_user *u);

#endif
