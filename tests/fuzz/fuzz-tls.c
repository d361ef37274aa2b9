/* SPDX-License-Identifier: BSD-2-Clause */
/* What a hostile peer may send, to both sides of tls/1. The first byte of the input chooses: 0 a server gets the bytes, 1 a client does,
 * 2 a server and a client of ours talk, and somebody between them changes what passes as the bytes say; modulo 3. The others are a row
 * of pieces: one byte of length, the bytes; or one byte of what is done with the next piece that passes: 0 nothing, 1 a byte of it is
 * changed (two bytes: where, how), 2 its end is lost, 3 the connection ends. Random numbers are none here, and the certificate is
 * always the same, so that an input does the same each time. Always: nobody who has not got the key is let in; what arrives is
 * what the other has sent, from its beginning; nothing is left. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <unik/tls.h>

#include "must.h"
#include "tools/host/host.h"

#define WIRE 65536

extern const struct unik_plugin unik_plugin_tls;
extern unsigned replay_mutations;
unsigned replay_mutations = 100;         /* a handshake costs milliseconds */

static const char said[] = "what one side says, and the other must hear as it was said";

/* ---- the stream below: what was put in can be read, what was written is kept ---- */

struct wire {
    struct unik_stream base;
    uint8_t in[WIRE], out[WIRE];
    size_t head, tail, written;
    bool end, closed;
};
static struct wire wires[2];
static struct side { struct unik_stream *s; unsigned opens; char got[sizeof(said)]; size_t n; bool wrote; } sides[2];

static struct wire *of(struct unik_stream *s) { return (struct wire *)(void *)s; }
static size_t op_peek(struct unik_stream *s, const void **bytes) { *bytes = of(s)->in + of(s)->head; return of(s)->tail - of(s)->head; }
static void op_consume(struct unik_stream *s, size_t n) { of(s)->head += n; }
static int op_ended(struct unik_stream *s) { return of(s)->end; }
static size_t op_room(struct unik_stream *s) { return WIRE - of(s)->written; }
static int op_shut(struct unik_stream *s) { (void)s; return 0; }
static void op_close(struct unik_stream *s) { of(s)->closed = true; }

static ssize_t op_write(struct unik_stream *s, const void *bytes, size_t n)
{
    struct wire *w = of(s);

    n = n < WIRE - w->written ? n : WIRE - w->written;
    memcpy(w->out + w->written, bytes, n);
    w->written += n;
    return (ssize_t)n;
}

static const struct unik_stream_ops ops = { .size = sizeof(ops), .peek = op_peek, .consume = op_consume, .ended = op_ended, .room = op_room,
                                            .write = op_write, .shut = op_shut, .close = op_close };

static void turn(void) { ev_run(ev_default_loop(0), EVRUN_NOWAIT); }

static void tell(struct wire *w)
{
    if (!w->closed && w->base.cb)
        w->base.cb(&w->base, UNIK_STREAM_INPUT, w->base.arg);
    turn();
}

static void put(struct wire *w, const uint8_t *bytes, size_t n)
{
    if (w->head == w->tail)
        w->head = w->tail = 0;
    n = n < WIRE - w->tail ? n : WIRE - w->tail;
    memcpy(w->in + w->tail, bytes, n);
    w->tail += n;
    tell(w);
}

/* ---- the two users ---- */

static void on_event(struct unik_stream *s, unsigned events, void *arg)
{
    struct side *d = arg;
    ssize_t k;

    d->opens += (events & UNIK_STREAM_OPEN) != 0;
    while ((k = unik_stream_read(s, d->got + d->n, sizeof(d->got) - d->n)) > 0)
        must((d->n += (size_t)k) < sizeof(d->got));
    must(memcmp(d->got, said, d->n) == 0);
    if (d->opens && !d->wrote) {
        d->wrote = true;
        unik_stream_write(s, said, sizeof(said) - 1);
    }
    if (unik_stream_ended(s)) {
        unik_stream_close(s);
        d->s = NULL;
    }
}

/* ---- nothing is random, and there are no files ---- */

static uint32_t seed;

ssize_t getrandom(void *to, size_t n, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1103515245 + 12345;
        ((uint8_t *)to)[i] = (uint8_t)(seed >> 16);
    }
    return (ssize_t)n;
}

/* Made for this, once; nobody believes it but the client here. */
static const char key_text[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgo/zyv3DlT7GvHqUj\n"
    "MY5Dhg+ttftaskpP7nRll0Nho2WhRANCAASLw2JFPMrO+dKJI5V3EViFfCadwlkN\n"
    "Ph2bMXXuL02lpThrAMGalpu8/jsq7V7JOx/UYtRPIcMHVVMHEFnIURJr\n"
    "-----END PRIVATE KEY-----\n";
static const char certificate_text[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBaDCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAtzZXJ2ZXIu\n"
    "dGVzdDAgFw0wMDAxMDEwMDAwMDBaGA8yMDk5MTIzMTIzNTk1OVowFjEUMBIGA1UE\n"
    "AwwLc2VydmVyLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASLw2JFPMrO\n"
    "+dKJI5V3EViFfCadwlkNPh2bMXXuL02lpThrAMGalpu8/jsq7V7JOx/UYtRPIcMH\n"
    "VVMHEFnIURJro0owSDAPBgNVHRMBAf8EBTADAQH/MBYGA1UdEQQPMA2CC3NlcnZl\n"
    "ci50ZXN0MB0GA1UdDgQWBBRNN1l12l9e4eGHJvmcyHtRjiwTJjAKBggqhkjOPQQD\n"
    "AgNJADBGAiEAjkY1seIAwqVZMj9Xwm6CoSPXVz8xMLQeYmu8OXzcWxACIQDiR/s7\n"
    "+tKhxR2R7bpyXe0KeLkSr2qVCNqSg1SfzT3JnA==\n"
    "-----END CERTIFICATE-----\n";

static const char *file_of(const void *bytes, size_t n, char path[40])
{
    int fd = memfd_create("fuzz-tls", 0);

    must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, 40, "/proc/self/fd/%d", fd);
    return path;
}

static struct unik_tls *begin(struct unik_ctx **ctx)
{
    static char certificate[40], key[40], rows[3][64];
    static const char *options[] = { rows[0], rows[1], rows[2], NULL };
    struct host *h;

    file_of(key_text, sizeof(key_text) - 1, key);
    file_of(certificate_text, sizeof(certificate_text) - 1, certificate);
    snprintf(rows[0], sizeof(rows[0]), "certificate=%s", certificate);
    snprintf(rows[1], sizeof(rows[1]), "key=%s", key);
    snprintf(rows[2], sizeof(rows[2]), "authorities=%s", certificate);
    h = host_new(ev_default_loop(0), UNIK_ON_UNIX, NULL);
    *ctx = host_add(h, &unik_plugin_tls, options);
    must(*ctx && host_start(*ctx) == 0);
    return host_interface(h, "tls/1");
}

/* ---- the one between ---- */

static const uint8_t *program;
static size_t left;

static unsigned next(void) { return left ? (left--, *program++) : 0; }

/* Everything that waits goes to the other side, changed. False: nothing waited. */
static bool pass(unsigned from)
{
    struct wire *a = &wires[from], *b = &wires[!from];
    size_t n = a->written;

    if (n == 0)
        return false;
    a->written = 0;
    switch (next() % 4) {
    case 1: {
        unsigned at = next() % (n < 256 ? (unsigned)n : 256);

        a->out[at] ^= (uint8_t)next();
        break;
    }
    case 2: n -= next() % (n + 1); break;
    case 3: b->end = true; break;
    default: break;
    }
    put(b, a->out, n);
    return true;
}

static void between(void)
{
    bool honest = left == 0, any = true;

    for (int i = 0; i < 64 && any; i++) {
        any = pass(1);
        any = pass(0) || any;
    }
    if (honest)                         /* left alone, they understand each other */
        must(sides[0].n == sizeof(said) - 1 && sides[1].n == sizeof(said) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct unik_tls *tls;
    static struct unik_ctx *ctx;
    unsigned mode = n ? bytes[0] % 3 : 2;

    if (!tls)
        tls = begin(&ctx);
    seed = 1;
    program = bytes + !!n;
    left = n - !!n;
    memset(sides, 0, sizeof(sides));
    for (unsigned i = 0; i < 2; i++) {
        wires[i].base = (struct unik_stream){ .ops = &ops, .peer = "fuzz" };
        wires[i].head = wires[i].tail = wires[i].written = 0;
        wires[i].end = wires[i].closed = false;
    }
    if (mode != 1)
        must(tls->serve(tls, &wires[0].base, on_event, &sides[0], &sides[0].s) == 0);
    if (mode != 0)
        must(tls->connect(tls, "server.test", &wires[1].base, on_event, &sides[1], &sides[1].s) == 0);
    turn();
    if (mode == 2)
        between();
    while (mode != 2 && left) {
        size_t k = next();

        k = k < left ? k : left;
        put(&wires[mode], program, k);
        program += k;
        left -= k;
        wires[mode].written = 0;
        must(sides[mode].opens == 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        wires[i].end = true;
        wires[i].written = 0;
        if (mode == 2 || mode == i)
            tell(&wires[i]);
        must(!sides[i].s);
        must(wires[i].closed || (mode != 2 && mode != i));
    }
    must(host_counter(ctx, "connections") == 0);
    return 0;
}
