/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/fake-store.h - "xenstore/1" for several domains in one process, on one tree: requests in order, answered
 * from the loop; transactions on a copy; watches; permissions, with EACCES for what an unreadable folder may hide. */
#ifndef TESTS_VCHAN_FAKE_STORE_H
#define TESTS_VCHAN_FAKE_STORE_H

#include <stdbool.h>
#include <unik/xenstore.h>

#define FAKE_STORE_VIEWS 4

void fake_store_reset(struct ev_loop *loop);
/* The interface as this domain has it. */
struct unik_xenstore *fake_store_view(unsigned domid);
/* Nothing waits and nothing is left: requests, transactions, nodes. Frees all. */
bool fake_store_is_clean(void);
void fake_store_free(void);

const char *fake_store_get(const char *path);           /* NULL: there is no such node */
const char *fake_store_perms(const char *path);         /* "n1,r2" */
/* By the domain, in its own home or anywhere: fires watches. reader: who may read it. */
void fake_store_set(unsigned domid, const char *path, const char *value, unsigned reader);
void fake_store_release(void);                          /* fire @releaseDomain everywhere */

void fake_store_spoil(unsigned commits);                /* that many are answered EAGAIN */
void fake_store_fail(int error);                        /* every request from now on; 0: none */
void fake_store_hold(bool yes);                         /* answer nothing for now */
unsigned fake_store_watches(void);
unsigned fake_store_requests(void);                     /* since the reset */

#endif
