/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/sum.h - the Internet checksum (RFC 1071), for the case that the peer does not compute it. */
#ifndef NETFRONT_SUM_H
#define NETFRONT_SUM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Fill in the checksum of TCP or UDP in a copy of the frame's first part. The field holds the pseudo-header's sum; the sum goes from
 * start to the end of the frame. start + offset + 2 lies within the first part and the copy. */
void nf_sum_complete(uint8_t *copy, size_t start, size_t offset, const struct iovec *parts, unsigned count);

#endif
