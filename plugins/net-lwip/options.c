/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/options.c - TCP options are looked at before lwIP does: lwIP 2.2.1 (tcp_parseopt) reads the length of an option also
 * when the header ends before it. */
#include "stack.h"

#include "arch/hooks.h"

/* Each option of a segment, *from the network*, lies within the header. The first opt1len bytes follow hdr, the others are at opt2. */
err_t net_lwip_segment(struct tcp_pcb *pcb, struct tcp_hdr *hdr, u16_t optlen, u16_t opt1len, u8_t *opt2, struct pbuf *p)
{
    const u8_t *opt1 = (const u8_t *)(hdr + 1);

    (void)pcb, (void)p;
#define OPTION(i) ((i) < opt1len ? opt1[i] : opt2[(i) - opt1len])
    for (unsigned i = 0, n; i < optlen && OPTION(i) != 0; i += n) {
        n = OPTION(i) == 1 ? 1 : i + 1 < optlen ? OPTION(i + 1) : 0;
        if (n == 0 || (n == 1 && OPTION(i) != 1) || n > optlen - i)
            return ERR_VAL;
    }
    return ERR_OK;
}
