/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/netfront/suite.h - the cases of test-netfront. */
#ifndef TESTS_NETFRONT_SUITE_H
#define TESTS_NETFRONT_SUITE_H

#include <check.h>

TCase *netfront_states(void);
TCase *netfront_frames(void);
TCase *netfront_lies(void);

#endif
