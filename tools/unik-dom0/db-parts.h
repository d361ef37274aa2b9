/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/db-parts.h - what the parts of the QubesDB daemon know of each other: db.c (life, what dom0 changes)
 * and db-in.c (what the guest sends). */
#ifndef UNIK_DOM0_DB_PARTS_H
#define UNIK_DOM0_DB_PARTS_H

#include "protocol/qubesdb.h"
#include "tools/unik-dom0/db.h"
#include "tools/unik-dom0/outbox.h"

#define RING_BYTES 4096                 /* each way, as the real daemon asks for */
#define BOX_MIN ((size_t)256 * 1024)    /* updates that wait for a guest which does not read */
#define ACKS_MAX 1024                   /* WRITE and RM not yet answered by RESP_OK */

struct db {
    struct vm *vm;
    struct store store;
    struct unik_stream *stream;         /* NULL: the daemon is away */
    bool open, synced;
    uint8_t in[QUBESDB_MESSAGE_MAX];
    size_t got;
    struct qubesdb_header header;
    struct outbox out;
    char field[QUBESDB_PATH];           /* path field of the last message: its tail stays in the next one */
    char acks[ACKS_MAX][QUBESDB_PATH];  /* a ring of paths */
    size_t acks_from, acks_n;
    bool complained;
    ev_timer retry, stall, ack;
    struct db_watch *watches;
};

/* Queue one message, its path field and padding as untidy as the real daemon's. 0 or -ENOBUFS. */
int db_put(struct db *d, enum qubesdb_type type, const char *path, const void *value, size_t len);
/* The guest did what the real daemon does not survive, and it was told: this one is away for a moment. */
void db_die(struct db *d);
/* The guest closed. */
void db_gone(struct db *d);
/* Tell watches of a path, "dir/" for a subtree. */
void db_fire(struct db *d, const char *path);
/* Start a timer with the deadline, unless it runs. */
void db_start_timer(struct db *d, ev_timer *w);
/* from the guest: take what has come in. */
void db_receive(struct db *d);

#endif
