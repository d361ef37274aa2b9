/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/local-client.h - programs that call through the agent's socket, and the agent behind it: scripted. */
#ifndef TESTS_COMMON_LOCAL_CLIENT_H
#define TESTS_COMMON_LOCAL_CLIENT_H

#include <check.h>

#include "plugins/qrexec/socket.h"
#include "tests/common/fake-call.h"

extern struct world w;
extern struct qrexec_socket *s;         /* in the world's folder */
extern char path[108];                  /* where it listens */

/* What the agent was asked. */
extern struct fake_agent {
    char source[64], target[64], service[65001];    /* of the last trigger */
    qrexec_answer_cb *cb[300];
    void *arg[300];
    uint32_t n, forgotten, released;
    uint32_t domain, port;                          /* of the last release */
    int refuse;                                     /* what qrexec_trigger() gives */
} agent;

/* Answer the n-th trigger, from 1. */
void answer(uint32_t n, int error, uint32_t domain, uint32_t port);

void open_socket(void);
void close_socket(void);

int client(void);                       /* connected */
int asking(void);                       /* its request has arrived at the agent */
void send_all(int fd, const void *bytes, size_t n);
void expect_end(int fd);                /* it is told the end; closes it */
/* A request as qrexec-client-vm writes it: its length. */
size_t request(uint8_t *to, size_t size, uint32_t type, const char *source, const char *target, const char *service);

bool nobody(void *arg);                 /* no client is left */
bool triggered(void *n);
bool forgotten(void *n);
bool released(void *n);
bool clients(void *n);                  /* n: size_t */
#define UNTIL(what, n) ck_assert(world_until(&w, what, &(uint32_t){ n }, 300))

#endif
