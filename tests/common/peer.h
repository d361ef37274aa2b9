/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/peer.h - the other side of a socket vchan, played by a test: plain Unix sockets, driven by the very loop
 * that the plugin under test runs in, so that neither waits for the other. The host's loop must be ev_default_loop(0).
 *
 * Functions that wait run the loop meanwhile; those without a `seconds` argument give up after PEER_SECONDS.
 */
#ifndef TESTS_COMMON_PEER_H
#define TESTS_COMMON_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/host/host.h"

#define PEER_SECONDS 300.0

struct peer;

/* Offer <dir>/vchan.<server>.<client>.<port>.sock, in place of a stale one. NULL, with a line on stderr, if not. */
struct peer *peer_listen(struct host *h, const char *dir, int server, int client, unsigned port);
/* Connect to that path, again and again until somebody listens there. NULL if nobody did in time. */
struct peer *peer_connect(struct host *h, const char *dir, int server, int client, unsigned port, double seconds);
/* Take the next client of a listening peer, in place of the one it had. */
bool peer_accept(struct peer *p, double seconds);

bool peer_send(struct peer *p, const void *bytes, size_t n);
/* Exactly n bytes; false: they did not come in time, or the other side closed first. */
bool peer_recv(struct peer *p, void *bytes, size_t n, double seconds);
/* The next n bytes are these; else says on stderr where they differ. */
bool peer_expect(struct peer *p, const void *bytes, size_t n);
/* At most n bytes of what is there now: how many. Does not run the loop. */
size_t peer_try_recv(struct peer *p, void *bytes, size_t n);
/* The other side closed; what it sent before that and nobody received is dropped. */
bool peer_closed(struct peer *p, double seconds);

/* Close the connection; a listener goes on listening. */
void peer_hang_up(struct peer *p);
/* Close all and free. A listener's path stays behind, as the stock library leaves it. NULL is fine. */
void peer_close(struct peer *p);

/* A new empty folder; test_dir_remove() removes it with all that is in it, and frees the name. */
char *test_dir(void);
void test_dir_remove(char *dir);

#endif
