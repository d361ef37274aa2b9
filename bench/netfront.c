/* SPDX-License-Identifier: BSD-2-Clause */
/* netfront - what a frame costs in netfront's rings, each way: make bench-netfront. The other end is played in the same process and does
 * the least that a back end must, so its cost is in the figures too; the copy out of and into the pages is the front end's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "bench/rings.h"

#define ROUNDS 40
#define BATCH 64                /* frames between two looks of the other end */

static double out(size_t size, unsigned frames)
{
    struct unik_nic_offloads o = { .flags = size > 1514 ? UNIK_NIC_TSO4 : UNIK_NIC_SUM, .mss = size > 1514 ? 1448 : 0,
                                   .sum_start = 34, .sum_offset = 16 };
    struct iovec parts[2] = { { data, 54 }, { data + 54, size - 54 } };
    const char *why;
    double begin = now();

    for (unsigned i = 0; i < frames; i++)
        while (nf_tx_send(&tx, &limits, &o, parts, 2) < 0) {
            nf_tx_publish(&tx);
            rings_answer(NULL);
            if (nf_tx_reap(&tx, &why) < 0)
                abort();
        }
    nf_tx_publish(&tx);
    rings_answer(NULL);
    nf_tx_reap(&tx, &why);
    return (now() - begin) / frames;
}

static double in(size_t size, unsigned frames)
{
    double begin = now();
    unsigned done = 0;

    while (done < frames) {
        uint32_t at = *index_of(rx_ring, NETIF_RSP_PROD);
        struct rx_frame *f;
        const char *why;

        for (unsigned i = 0; i < BATCH; i++)
            for (size_t left = size; left;) {
                size_t n = left < NETIF_PAGE ? left : NETIF_PAGE;
                struct netif_rx_response a = { .status = (int16_t)n };

                left -= n;
                a.flags = left ? NETIF_RX_MORE : 0;
                netif_encode_rx_response(rx_ring + NETIF_RING_ENTRIES + (at++ & 255) * NETIF_RX_ENTRY, &a);
                if (at - rx.ring.rsp_cons > 230 && !left)
                    i = BATCH;
            }
        __atomic_store_n(index_of(rx_ring, NETIF_RSP_PROD), at, __ATOMIC_RELEASE);
        while (nf_rx_poll(&rx, &f, &why) == 1) {
            nf_rx_release(&rx, f);
            done++;
        }
        nf_rx_post(&rx);
    }
    return (now() - begin) / done;
}

/* Bytes in a page that the peer can write to are copied before anybody relies on them. The other way were to end the grant of each
 * page before its bytes are looked at, and to grant another one for the next frame. With gntalloc that is an ioctl and an munmap to end it, and
 * an ioctl, an mmap and the first touch to have another; the two ioctls and the hypervisor's work are left out here. */
static void pages_shared(void)
{
    double copied = 1, renewed = 1;

    for (unsigned k = 0; k < ROUNDS; k++) {
        double begin = now(), t;

        for (unsigned i = 0; i < 1000; i++) {
            memcpy(tx_pages + i % 256 * 4096, rx_pages + (i * 7) % 256 * 4096, 4096);
            __asm__ volatile("" : : : "memory");
        }
        t = (now() - begin) / 1000;
        copied = t < copied ? t : copied;
        begin = now();
        for (unsigned i = 0; i < 1000; i++) {
            uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            if (page == MAP_FAILED)
                abort();
            *page = 1;
            munmap(page, 4096);
        }
        t = (now() - begin) / 1000;
        renewed = t < renewed ? t : renewed;
    }
    printf("a page that the peer can write to: copied in %.0f ns; taken from it and another one granted in more than %.0f ns\n",
           copied * 1e9, renewed * 1e9);
}

int main(void)
{
    static const size_t sizes[] = { 60, 1514, 65226 };

    rings_begin();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        double best_out = 1, best_in = 1;
        unsigned frames = sizes[i] > 1514 ? 2000 : 50000;

        for (unsigned k = 0; k < ROUNDS; k++) {
            double o = out(sizes[i], frames), n = in(sizes[i], frames);

            best_out = o < best_out ? o : best_out;
            best_in = n < best_in ? n : best_in;
        }
        printf("%5zu bytes: out %6.0f ns, in %6.0f ns a frame (best of %d runs)\n", sizes[i], best_out * 1e9, best_in * 1e9, ROUNDS);
    }
    pages_shared();
    return 0;
}
