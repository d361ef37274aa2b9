/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/linux.h - the Linux half of the kernel: what its files offer each other, listed by file.
 *
 * A descriptor is a number of fd.c's table; behind it is a struct file with the operations of its kind: a file of the tree
 * (files.c), a device (dev-*.c), a pipe, an eventfd, a timerfd, an epoll. Operations never wait: what is not there now is
 * -EAGAIN, and fd.c waits for it unless the program asked not to. All addresses of the program are uint64_t (kernel.h).
 */
#ifndef BOOT_LINUX_H
#define BOOT_LINUX_H

#include "boot/abi.h"
#include "boot/kernel.h"

/* ---- pool.c: memory for objects of the kernel ---- */

/* n zeroed bytes, aligned to 16; NULL if there is no more. Above PAGE / 2 whole pages in a row. */
void *pool_get(size_t n);
/* The same n again. NULL: nothing. */
void pool_put(void *object, size_t n);
size_t pool_used(void);         /* bytes given out now */

/* ---- cpio.c: archives of the kind "newc" ---- */

struct cpio_entry {
    const char *name;           /* in the archive; not empty, NUL-terminated, without "/" at either end; "." is the root */
    size_t name_len;
    const uint8_t *bytes;       /* of a file; the target of a link, which is not terminated */
    uint32_t size, ino, mode, uid, gid, nlink, mtime, dev_major, dev_minor, rdev_major, rdev_minor;
};
/* The entry at *at, which moves on. 1; 0 at the end (what follows a trailer may be another archive, after zeros);
 * -EINVAL: no archive, or cut short; -ENAMETOOLONG. Nothing outside the archive is looked at, whatever is in it. */
int cpio_next(const struct bytes *archive, size_t *at, struct cpio_entry *e);

/* ---- tree.c: names, the same for files of archives, for devices and for what the program makes in /tmp ---- */

struct file;
struct device {
    const char *path;
    unsigned major, minor;
    /* flags: O_ACCMODE and O_NONBLOCK are for the device. 0 and a file with one reference, or a negative errno. */
    int (*open)(const struct device *d, unsigned flags, struct file **out);
};

#define TREE_NODES_MAX 65536u
struct node {
    struct node *parent, *next, *first_child, *last_child, *same_hash;
    struct node *links;         /* hard links of one file, a ring; itself alone without */
    struct node *next_linked;   /* while an archive is read: another file with hard links */
    const char *name;           /* not terminated */
    uint32_t name_len, ino, mode, uid, gid, nlink, mtime, rdev;
    uint64_t place;             /* in its folder: grows, so that a place of a list stays one whatever comes and goes */
    uint32_t archive, key[3];   /* of a file with hard links: which archive, and its numbers there */
    struct bytes bytes;         /* of a file; the target of a symbolic link */
    const struct device *device;
    bool writable;              /* of /tmp: tmp.c; bytes.size is the file's size then, and bytes.at is NULL */
    bool gone;                  /* has no name any more */
    uint32_t users;             /* open files, the working folder */
    uint8_t **pages;            /* the content; an entry of NULL: zeros */
    size_t room;                /* entries of pages */
};

int tree_init(void);
/* All of an archive; later ones replace files of earlier ones. 0, or -EINVAL -ENOMEM -ENOSPC; what was read stays. */
int tree_add_archive(const struct bytes *archive);
int tree_add_device(const struct device *d);
/* A file or symbolic link of the kernel's own; bytes stay the caller's and must not go. Folders come as they are needed. */
int tree_add(const char *path, uint32_t mode, struct bytes content);
/* A folder of the kernel's own, made if it is not there; NULL: no memory, or something else is there. */
struct node *tree_folder(const char *path);
struct node *tree_root(void);
/* Gives a node a name, which stays the caller's and must not go, in a folder; and takes it away again. */
#define TREE_FIRST_PLACE 2u     /* of an entry: before are "." and ".." */
void tree_put(struct node *n, struct node *parent, const char *name, size_t len);
void tree_take(struct node *n);

struct walk {
    struct node *from;          /* of a relative path */
    struct node *top;           /* nothing above it; NULL: the root */
    unsigned resolve;           /* RESOLVE_* of openat2 */
    bool follow;                /* a symbolic link at the end */
};
/* With -ENOENT: folder is not NULL if only the last part is missing and could be made in it. Good until the next walk. */
struct missing {
    struct node *folder;
    const char *name;
    size_t len;
    bool slash;                 /* behind it: a folder is meant */
};
/* The node of a path; -ENOENT -ENOTDIR -ELOOP -ENAMETOOLONG, -EXDEV (RESOLVE_BENEATH). A path of length 0: -ENOENT. missing may be
 * NULL. */
int tree_walk(const struct walk *w, const char *path, struct node **out, struct missing *missing);
/* "/a/b" of a folder into out: its length with the NUL, -ERANGE. */
int tree_path(const struct node *n, char *out, size_t size);

/* ---- fd.c: descriptors, and what all files have in common ---- */

struct interest;
struct file {
    const struct file_ops *ops;
    uint32_t refs;
    uint32_t flags;             /* O_ACCMODE, O_NONBLOCK, O_APPEND, O_PATH, O_DIRECTORY, O_LARGEFILE */
    uint64_t at;                /* position */
    struct interest *watchers;  /* epolls that look at it: epoll.c */
    struct node *node;          /* of the tree; NULL without */
};

struct file_ops {
    /* Bytes moved, 0 at the end, -EAGAIN if that has to wait. NULL: -EINVAL. n is at most LINUX_RW_MAX. */
    int64_t (*read)(struct file *f, uint64_t to, size_t n);
    int64_t (*write)(struct file *f, uint64_t from, size_t n);
    int64_t (*read_at)(struct file *f, uint64_t to, size_t n, uint64_t at);     /* NULL: not seekable, -ESPIPE */
    int64_t (*write_at)(struct file *f, uint64_t from, size_t n, uint64_t at);
    int64_t (*seek)(struct file *f, int64_t offset, unsigned whence);
    /* POLLIN ... that hold now. NULL: not for epoll, and always ready for poll(). */
    unsigned (*poll)(struct file *f);
    int64_t (*ioctl)(struct file *f, unsigned request, uint64_t argument);      /* NULL: -ENOTTY */
    int64_t (*map)(struct file *f, enum user_where where, uint64_t address, uint64_t length, unsigned prot, unsigned flags,
                   uint64_t offset);                                            /* NULL: -ENODEV */
    void (*close)(struct file *f);          /* the last reference is gone: frees it */
    uint32_t mode;              /* of fstat() without a node */
    bool unannounced;           /* becomes ready without file_ready(): epoll looks each time */
};

#define FD_MAX 4096u            /* descriptors */
/* Gives it one reference, no watchers, and the flags of open() that stay. */
void file_init(struct file *f, const struct file_ops *ops, unsigned flags);
void file_get(struct file *f);
void file_put(struct file *f);
/* May be ready for more than before: epolls look at it. */
void file_ready(struct file *f);
/* Of files that have no place, for lseek() to do nothing: 0. */
int64_t file_seek_nothing(struct file *f, int64_t offset, unsigned whence);
/* NULL if it is not open. */
struct file *fd_file(uint64_t fd);
/* The lowest free descriptor, which takes over the reference; -EMFILE: the reference is put. cloexec: O_CLOEXEC or 0. */
int64_t fd_new(struct file *f, unsigned cloexec);
void fd_close_all(void);
/* RLIMIT_NOFILE */
extern uint64_t fd_limit;

/* ---- files.c ---- */

/* An open file of the tree. */
int64_t file_open(struct node *n, unsigned flags, struct file **out);
/* A file of the tree by its path, for the kernel itself. */
int file_open_path(const char *path, unsigned flags, struct file **out);
void fill_stat(const struct file *f, const struct node *n, struct linux_stat *st);
/* Operations of files that are nodes of the tree. */
int64_t file_seek(struct file *f, int64_t offset, unsigned whence);
void file_close_node(struct file *f);

/* ---- paths.c: paths of system calls ---- */

/* The node of a path of the program, from the folder dirfd or AT_FDCWD on; missing (NULL: not asked): see tree_walk(). */
int path_find(uint64_t dirfd, uint64_t user_path, bool follow, struct node **out, struct missing *missing);
/* Its last part is "." or "..": of the path that was asked for last. */
bool path_ends_in_dots(void);

/* ---- change.c ---- */

extern uint32_t file_mask;      /* umask() */

/* ---- tmp.c: what the program makes in /tmp ---- */

void tmp_init(void);
extern const struct file_ops tmp_ops;
/* A file or folder with no content, there, or without any name. -EROFS: not in /tmp; -ENOENT: the folder is gone; -ENOSPC. */
int64_t tmp_make(const struct missing *m, uint32_t mode, struct node **out);
int64_t tmp_make_nameless(uint32_t mode, struct node **out);
/* Of a writable node: a file, or an empty folder, loses its name; gets another, which is free or that of `other`, which goes. */
void tmp_remove(struct node *n);
int64_t tmp_move(struct node *n, const struct missing *to, struct node *other);
/* A new size, -EFBIG; memory for a part, -EFBIG -ENOSPC. */
int64_t tmp_resize(struct node *n, uint64_t size);
int64_t tmp_reserve(struct node *n, uint64_t at, uint64_t size);
void tmp_counts(struct linux_statfs *s);
/* Somebody uses a node; one that is gone goes with its last user. */
void node_get(struct node *n);
void node_put(struct node *n);

/* ---- wait.c: waiting with all that can end it ---- */

/* wait_until(), but timers of timerfd end it too. False: the deadline has passed; look once more. */
bool linux_wait(uint64_t deadline);
/* The deadline of a relative time; NEVER if it is too far. */
uint64_t deadline_after(uint64_t ns);
/* A timespec of the program in nanoseconds: 0, -EFAULT, -EINVAL. Times beyond some 292 years are NEVER. */
int time_in(uint64_t from, uint64_t *ns);
int time_out(uint64_t to, uint64_t ns);
uint64_t timespec_ns(const struct linux_timespec *t);
bool timespec_valid(const struct linux_timespec *t);

/* ---- timerfd.c ---- */

/* When the next of all timers runs out, of time_monotonic(); NEVER. */
uint64_t timerfd_next(void);

/* ---- epoll.c ---- */

void epoll_forget(struct file *f);          /* it is about to go */
void epoll_ready(struct file *f);           /* file_ready() */

/* ---- random.c ---- */

/* Collects what cannot be predicted, and ends the domain with one line if there is too little of it. */
void random_init(void);
void random_bytes(void *out, size_t n);
/* A place among n pages, in bytes: by chance, or 0 if boot.places_by_chance says so. */
uint64_t random_place(uint64_t n);
/* Mixes in; never harms. */
void random_mix(const void *bytes, size_t n);

/* ---- seed.c ---- */

#define SEED_NODE "data/random-seed"
#define SEED_MIN 64u            /* bytes: 256 bits in hexadecimal digits */
#define SEED_MAX 512u
/* Reads the seed that dom0 left in xenstore for this start, and removes it there: its length, 0 without. */
size_t seed_take(uint8_t to[SEED_MAX]);

/* ---- dev-evtchn.c ---- */

/* Keeps a port of the program for the notice that a mapping is gone: -EINVAL if it is not the program's. */
int evtchn_pin(uint32_t port);
void evtchn_unpin(uint32_t port);

/* ---- devices, for the tree ---- */

extern const struct device device_null, device_zero, device_full, device_random, device_urandom, device_console, device_tty,
    device_xenbus, device_proc_xenbus, device_evtchn, device_gntalloc, device_gntdev,
    device_privcmd;

/* ---- vdso/map.c ---- */

/* Clocks that the program reads without a system call: where it finds them, for AT_SYSINFO_EHDR. Not in PVH guests whose rdtsc Xen
 * emulates (boot.tsc_emulated): there the way into the kernel is short, and that to Xen a long one. In PV guests both are long. */
uint64_t vdso_map(void);

/* ---- elf.c ---- */

#define PROGRAM_ARGS_MAX 128u
struct program {
    uint64_t entry, phdr, phnum, phent;
};
/* Into the program's memory: where its addresses say, or, if it may lie anywhere, at a place of its own. NULL, or what is wrong
 * with it. */
const char *elf_load(const struct bytes *elf, struct program *p);

/* ---- process.c ---- */

/* Undoes all mappings and closes all descriptors, so that other domains see the end. */
void program_gone(void);
void process_init(void);

/* ---- syscall.c ---- */

typedef int64_t system_call_fn(const uint64_t a[6]);
#define CALL(number, function) system_call_fn function;
#include "boot/calls.h"
#undef CALL
/* The registers of the call that is being answered. */
extern struct frame *system_call_frame;

#endif
