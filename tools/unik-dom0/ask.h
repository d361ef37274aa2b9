/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/ask.h - how a command asks a running dom0. */
#ifndef UNIK_DOM0_ASK_H
#define UNIK_DOM0_ASK_H

#include <stdbool.h>
#include <stddef.h>

/* What the options say; which of them a command takes is in `takes` of ask_options(). */
struct client_options {
    const char *state, *vm, *source, *user, *count, *display;
    double seconds;
    bool just, strict, values;
};

struct packet {
    char *at;
    size_t n;
};

/* Options of one command; those beyond --state and --vm are named by their letters in `takes` (client.c). Options come
 * before words, so that a command line may hold any. 0 or EXIT_USAGE; words begin at argv[optind]. */
int ask_options(struct client_options *o, int argc, char **argv, const char *takes, int least, int most);
/* A request: its verb, then "key=value" (key NULL: a bare word). */
void ask_begin(struct packet *p, const char *verb, const struct client_options *o);
void ask_add(struct packet *p, const char *key, const char *value);
/* Send it with three descriptors (NULL: none) and print what comes, until the exit code. at_end: that code if dom0 ends
 * instead; unreached: if it does not run. Frees the packet. */
int ask(const struct client_options *o, struct packet *p, const int *fds, int at_end, int unreached);

#endif
