/* SPDX-License-Identifier: BSD-2-Clause */
/* boot/dev-xen.h - the ioctls of /dev/xen/evtchn, gntalloc and gntdev, from Xen's public headers, which take the macro _IOC
 * and domid_t from elsewhere. */
#ifndef BOOT_DEV_XEN_H
#define BOOT_DEV_XEN_H

#include <stdint.h>

#define _IOC_NONE 0u
#define _IOC(direction, type, number, size) ((uint32_t)((direction) << 30 | (uint32_t)(size) << 16 | (type) << 8 | (number)))
typedef uint16_t domid_t;
#include <xen/sys/evtchn.h>
#include <xen/sys/gntalloc.h>
#include <xen/sys/gntdev.h>

#define DOMID_RESERVED 0x7ff0u          /* no domain has this number or a higher one: xen/xen.h */

/* What the other side of a shared page is told when this side goes: UNMAP_NOTIFY_* */
struct unmap_notice {
    uint32_t action;
    uint32_t port;              /* pinned: dev-evtchn.c */
    uint64_t offset;            /* of the byte, in the range */
};

/* Replaces the notice; *port of the old one is given back. -EINVAL: no such port, or nonsense. */
int notice_set(struct unmap_notice *notice, uint32_t action, uint32_t port, uint64_t offset);
/* Sends the event, forgets the notice. The byte has been cleared. */
void notice_send(struct unmap_notice *notice);

#endif
