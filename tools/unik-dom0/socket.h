/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/socket.h - the control socket of `start`, DIR/dom0.sock: one packet asks, packets answer.
 *
 * A request is a verb and "key=value" words, each with a NUL, and for calls three descriptors. An answer is a sequence
 * of packets: 'o' or 'e' and text for stdout or stderr, at last 'x' and the exit code in decimal.
 */
#ifndef UNIK_DOM0_SOCKET_H
#define UNIK_DOM0_SOCKET_H

#include "tools/unik-dom0/dom0.h"

#define SOCKET_NAME "dom0.sock"
#define SOCKET_REQUEST_MAX (96 * 1024)
#define SOCKET_TEXT_MAX 16384           /* bytes of text in a packet */
#define SOCKET_QUEUE_MAX (64u << 20)    /* bytes that wait for a client which does not read */
#define SOCKET_CLIENTS_MAX 1024

/* Fill a socket address for DIR/dom0.sock however long DIR is; *folder stays open while it is used. 0 or a negative
 * errno. */
struct sockaddr_un;
int socket_address(const char *dir, struct sockaddr_un *a, int *folder);

struct client {
    struct dom0 *dom0;
    char *request;                      /* the words */
    size_t request_n;
    int fds[3];                         /* that came with it; -1 */
    void (*gone)(struct client *c);     /* it hung up, or dom0 ends: stop what is done for it */
    void *job;                          /* request.c's */
    const char *waits;                  /* `wait`: for this */

    int fd;
    ev_io io;
    ev_timer timer;                     /* request.c's */
    char *queue;                        /* packets: u32 length, bytes */
    size_t queued, sent;
    bool ending;                        /* close once all is sent */
    bool until_exit;                    /* `stop`: the end of this process is the answer */
    struct client *next, **link;
};

int server_start(struct dom0 *d, const char *dir);
void server_stop(struct dom0 *d);

void client_say(struct client *c, char kind, const char *text, size_t n);
void client_printf(struct client *c, char kind, const char *fmt, ...) UNIK_PRINTF(3, 4);
/* The last packet. The client is closed once it was sent; gone() is not called any more. */
void client_exit(struct client *c, int code);
/* A word of the request: "key=" and then the value; fallback if it is not there. */
const char *client_word(const struct client *c, const char *key, const char *fallback);

/* request.c */
void request_begin(struct client *c);
/* Those who wait may go, if what they wait for is there now. Done whenever the loop is about to sleep. */
void request_wake(struct dom0 *d);
void server_each(struct dom0 *d, void (*visit)(struct client *c));

#endif
