/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/vchan/fake-xen.h - Xen's event channels, grants and one hypercall, played inside the test's process under the
 * names of Xen's own libraries. libxenvchan itself is the real one: it finds these functions before the libraries'. */
#ifndef TESTS_VCHAN_FAKE_XEN_H
#define TESTS_VCHAN_FAKE_XEN_H

#include <stdbool.h>
#include <stdint.h>

void fake_xen_reset(void);
/* As a domain's end looks from outside: its ports are closed without an event, its live bytes stay. */
void fake_xen_kill(unsigned domid);
/* Xen still knows a killed domain (its pages are mapped). */
void fake_xen_zombie(unsigned domid, bool yes);
/* From now on: no privcmd device; so many pages can still be shared. */
void fake_xen_no_privcmd(bool yes);
void fake_xen_pages_left(unsigned pages);
/* The page behind a grant reference, for tests that misbehave; and a page of the test's own to announce. */
void *fake_xen_page(uint32_t ref);
uint32_t fake_xen_new_page(void);
/* An unbound port of a server of the test's own, for the peer. */
uint32_t fake_xen_new_port(unsigned peer);
void fake_xen_signal(uint32_t port);            /* send an event through it */
/* What is in use: handles of all kinds, ports, and mappings of shared pages. */
unsigned fake_xen_handles(void);
unsigned fake_xen_ports(void);
unsigned fake_xen_mappings(void);

#endif
