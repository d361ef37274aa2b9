/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/common/fake-qrexec.h - the part of "qrexec/1" that an app with services needs: who serves what, and what went to
 * stderr. Calls are made by the test: handler(call, arg). */
#ifndef TESTS_COMMON_FAKE_QREXEC_H
#define TESTS_COMMON_FAKE_QREXEC_H

#include <check.h>
#include <string.h>
#include <unik/qrexec.h>

#define FAKE_SERVICES 4

struct fake_service {
    const char *name;
    unik_qrexec_handler *handler;
    void *arg;
};

struct fake_qrexec {
    struct unik_qrexec api;             /* first */
    struct fake_service served[FAKE_SERVICES];
    unsigned n;
};

static char fake_err[1000];             /* of all calls */

static int fake_serve(struct unik_qrexec *api, struct unik_ctx *who, const char *name, unik_qrexec_handler *handler, void *arg,
                      struct unik_qrexec_service **out)
{
    struct fake_qrexec *q = (struct fake_qrexec *)(void *)api;

    (void)who, (void)out;
    ck_assert_uint_lt(q->n, FAKE_SERVICES);
    q->served[q->n++] = (struct fake_service){ name, handler, arg };
    return 0;
}

static ssize_t fake_write_err(struct unik_qrexec_call *call, const void *bytes, size_t n)
{
    (void)call;
    ck_assert_uint_lt(strlen(fake_err) + n, sizeof(fake_err));
    strncat(fake_err, bytes, n);
    return (ssize_t)n;
}

static inline void fake_qrexec_open(struct fake_qrexec *q)
{
    *q = (struct fake_qrexec){ .api = { .size = sizeof(q->api), .serve = fake_serve, .write_err = fake_write_err } };
    fake_err[0] = 0;
}

#endif
