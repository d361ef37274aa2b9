/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/www/mem-stream.h - two unik_streams joined in memory, with the awkwardness of a real one on request. */
#ifndef TESTS_WWW_MEM_STREAM_H
#define TESTS_WWW_MEM_STREAM_H

#include <ev.h>
#include <stdbool.h>
#include <unik/stream.h>

struct mem_options {
    size_t room;                /* bytes under way each way, and bytes that wait to be read; 0: 64 KiB */
    size_t chunk;               /* bytes delivered in one turn of the loop; 0: all that there are */
    unsigned seed;              /* not 0: chunks of random size, 1 .. chunk */
};

extern bool mem_in_place;       /* streams have memory to write in place: unik_stream_reserve() */

/* Both ends are open. Each is freed when both were closed. NULL ends the test: no memory is not tested here. */
void mem_pair(struct ev_loop *loop, const struct mem_options *o, struct unik_stream *end[2]);

/* The other end sees a broken stream: ended() gives this negative errno, write() -EPIPE. unik_stream_abort() does it with
 * -ECONNRESET, and drops what is on the wire. */
void mem_break(struct unik_stream *s, int error);

/* Of all pairs: ends not closed yet; pairs that move bytes or tell events in the next turn of the loop. */
extern unsigned mem_open, mem_active;

#endif
