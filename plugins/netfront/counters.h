/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/netfront/counters.h - what is counted; plugin.c has the table of names. */
#ifndef NETFRONT_COUNTERS_H
#define NETFRONT_COUNTERS_H

enum netfront_counter {
    RX_FRAMES, RX_BYTES, RX_ERRORS, RX_UNWANTED, RX_HELD, RX_HELD_HIGH, TX_FRAMES, TX_BYTES, TX_FULL, TX_DROPPED, TX_ERRORS, EVENTS,
    NOTIFIES, REMINDERS, CONNECTS, DISCONNECTS, BAD_PEER, NETFRONT_COUNTERS
};

#endif
