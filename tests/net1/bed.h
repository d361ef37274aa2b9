/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/net1/bed.h - one suite of net/1 for whoever provides it. A bed is the provider under test, running, and a far end: this
 * process's own sockets, at an address that the provider reaches and that reaches it.
 *
 * Each test calls bed_begin() and bed_end() (of the provider's bed), so each begins with nothing and ends with nothing left. */
#ifndef TESTS_NET1_BED_H
#define TESTS_NET1_BED_H

#include <check.h>
#include <unik/net.h>

#include "tests/common/ends.h"
#include "tools/host/host.h"

#define BED_LONG 300.0                   /* seconds that anything may take on a busy machine */
#define BED_DNS_PORT 5353               /* of the scripted name server at bed.far, unless the provider asks port 53 */

struct bed {
    struct host *h;
    struct unik_net *net;
    const char *us, *far;               /* addresses: the provider's, the far end's */
    unsigned dns_port;                  /* where the provider asks for names at bed.far */
};

extern struct bed bed;

/* Of the provider's bed: start it with names asked at bed.far:dns_port; stop it, and look that nothing is left. */
void bed_begin(void);
void bed_end(void);

/* ---- streams of the provider's: far.c ---- */

void end_wait(struct end *e);           /* for the next event */
/* Run the loop until the stream has something to read, or its end. */
void end_input(struct end *e);

/* Listens at any port; connections become rows of accepted[]. arg set: they are closed at their first event. */
#define ACCEPTED_MAX 64
extern struct end accepted[ACCEPTED_MAX];
extern unsigned n_accepted;
void bed_on_accept(struct unik_stream *s, void *arg);
struct unik_net_listener *bed_listen(unsigned *port, void *arg);
struct end *bed_accept(void);           /* run the loop until one more is there */

/* ---- the far end: plain sockets that do not block ---- */

int far_connect(unsigned port);         /* to the provider; runs the loop until it is connected */
int far_listen(int type, unsigned *port);       /* SOCK_STREAM, SOCK_DGRAM at bed.far; *port 0: any */
int far_accept(int fd);                 /* runs the loop until somebody comes */
/* Until n bytes, the end (0, or fewer bytes) or an error (-errno) came; runs the loop in between. */
ssize_t far_read(int fd, void *buf, size_t n);
void far_write(int fd, const void *bytes, size_t n);    /* all of it */

void pattern(uint8_t *to, size_t from, size_t n);

/* ---- cases ---- */
TCase *net1_tcp(void);                  /* tcp.c */
TCase *net1_udp(void);                  /* udp.c: datagrams, names, addresses */
TCase *net1_owner(void);                /* owner.c: what a plugin leaves behind */

#endif
