/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/mmap.c - the system calls for memory; user.c does the work. */
#include "boot/linux.h"

int64_t sys_mmap(const uint64_t a[6])
{
    unsigned prot = (unsigned)a[2], flags = (unsigned)a[3], type = flags & MAP_TYPE;
    enum user_where where = flags & MAP_FIXED_NOREPLACE ? USER_FIXED_NEW : flags & MAP_FIXED ? USER_FIXED : USER_HINT;
    struct file *f = NULL;

    if (a[5] % PAGE)
        return -EINVAL;
    if (!(flags & MAP_ANONYMOUS)) {
        f = fd_file(a[4]);
        if (!f || f->flags & O_PATH)
            return -EBADF;
    }
    if (a[1] == 0 || (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE))
        return -EINVAL;
    if (a[1] > USER_STACK_TOP)
        return -ENOMEM;
    prot &= PROT_READ | PROT_WRITE | PROT_EXEC;
    if (flags & MAP_ANONYMOUS)          /* shared with whom? */
        return user_map(where, a[0], a[1], prot | (flags & MAP_NORESERVE ? USER_LAZY : 0u), NULL);
    if (a[5] + a[1] < a[5])
        return -EOVERFLOW;
    if ((f->flags & O_ACCMODE) == O_WRONLY || (type != MAP_PRIVATE && prot & PROT_WRITE && (f->flags & O_ACCMODE) != O_RDWR))
        return -EACCES;
    return f->ops->map ? f->ops->map(f, where, a[0], PAGE_UP(a[1]), prot, flags, a[5]) : -ENODEV;
}

int64_t sys_munmap(const uint64_t a[6]) { return user_unmap(a[0], a[1]); }

int64_t sys_mprotect(const uint64_t a[6])
{
    if (a[2] & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC))
        return -EINVAL;
    return user_protect(a[0], a[1], (unsigned)a[2]);
}

int64_t sys_mremap(const uint64_t a[6])
{
    if (a[3] & ~(uint64_t)MREMAP_MAYMOVE)
        return -EINVAL;
    return user_remap(a[0], a[1], a[2], a[3] & MREMAP_MAYMOVE);
}

int64_t sys_madvise(const uint64_t a[6])
{
    if (a[0] % PAGE)
        return -EINVAL;
    switch (a[2]) {
    case MADV_DONTNEED:
    case MADV_FREE: return a[1] ? user_forget(a[0], a[1]) : 0;
    case MADV_NORMAL: case MADV_RANDOM: case MADV_SEQUENTIAL: case MADV_WILLNEED:
    case 10: case 11: case 14: case 15: case 16: case 17: return 0; /* for forks, huge pages, core dumps: all one here */
    }
    return -EINVAL;
}

int64_t sys_brk(const uint64_t a[6]) { return (int64_t)user_brk(a[0]); }
