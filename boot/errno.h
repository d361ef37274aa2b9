/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/errno.h - error numbers. Xen's are Linux's; the ones Xen has no use for are added. Functions of boot/ return 0 or
 * more, or one of these negated, which is what a system call answers. */
#ifndef BOOT_ERRNO_H
#define BOOT_ERRNO_H

#define XEN_ERRNO(name, value) name = value,
enum errno_of_xen {
#include <xen/errno.h>
};
enum errno_of_linux {
    EFBIG = 27, ENOTTY = 25, ESPIPE = 29, EPIPE = 32, ELOOP = 40, ENOTSUP = 95, EAFNOSUPPORT = 97, ECANCELED = 125,
};

#endif
