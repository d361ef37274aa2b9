/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole server of the app www on a stream in memory. Byte 0 chooses how narrow the stream is and in what pieces it
 * delivers; the rest is what a client sends. Whatever comes, the server closes or goes on, and nothing is left over. */
#include <stdint.h>
#include <stdlib.h>

#include "tests/www/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static struct fixture f;

static void leave(void)
{
    fixture_stop(&f);
    fixture_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const struct mem_options ways[] = {
        { 0, 0, 0 }, { 16384, 1460, 0 }, { 256, 0, 0 }, { 4096, 90, 5 }, { 64, 7, 0 }, { 100, 33, 9 }, { 32, 9, 3 },
        { 3, 2, 0 },
    };
    static char answer[1 << 20];

    if (!f.h) {
        fixture_open(&f);
        fixture_file(&f, "big.bin", answer, 40000);        /* read as it is sent, but not for long */
        fixture_start(&f, NULL);
        host_publish(f.h, "net/1", &f.net);
        atexit(leave);
    }
    if (n == 0)
        return 0;
    fixture_ask(&f, &ways[bytes[0] & 7], bytes + 1, n - 1, answer, sizeof(answer));
    if (answer[0] && strncmp(answer, "HTTP/1.1 ", 9) != 0)
        abort();
    for (int i = 0; i < 100 && mem_open; i++)
        ev_run(ev_default_loop(0), EVRUN_NOWAIT);
    if (mem_open || host_counter(f.www, "connections"))
        abort();
    return 0;
}
