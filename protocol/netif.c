/* SPDX-License-Identifier: BSD-2-Clause */
/* protocol/netif.c - ring entries of a network interface. From the other domain, all of them: every bit pattern decodes to some
 * value, and the caller checks what it means. */
#include <errno.h>
#include <string.h>

#include "protocol/cursor.h"
#include "protocol/netif.h"

#define EXTRA_MORE 1            /* flag of an extra entry */

void netif_encode_tx_request(uint8_t entry[NETIF_TX_ENTRY], const struct netif_tx_request *r)
{
    struct writer w;

    writer_init(&w, entry, NETIF_TX_ENTRY);
    writer_u32(&w, r->ref);
    writer_u16(&w, r->offset);
    writer_u16(&w, r->flags);
    writer_u16(&w, r->id);
    writer_u16(&w, r->size);
}

void netif_decode_tx_request(const uint8_t entry[NETIF_TX_ENTRY], struct netif_tx_request *r)
{
    struct reader in;

    reader_init(&in, entry, NETIF_TX_ENTRY);
    r->ref = reader_u32(&in);
    r->offset = reader_u16(&in);
    r->flags = reader_u16(&in);
    r->id = reader_u16(&in);
    r->size = reader_u16(&in);
}

void netif_encode_tx_response(uint8_t entry[NETIF_TX_ENTRY], const struct netif_tx_response *r)
{
    struct writer w;

    writer_init(&w, entry, NETIF_TX_ENTRY);
    writer_u16(&w, r->id);
    writer_u16(&w, (uint16_t)r->status);
    writer_zeros(&w, 8);
}

void netif_decode_tx_response(const uint8_t entry[NETIF_TX_ENTRY], struct netif_tx_response *r)
{
    struct reader in;

    reader_init(&in, entry, NETIF_TX_ENTRY);
    r->id = reader_u16(&in);
    r->status = (int16_t)reader_u16(&in);
}

void netif_encode_rx_request(uint8_t entry[NETIF_RX_ENTRY], const struct netif_rx_request *r)
{
    struct writer w;

    writer_init(&w, entry, NETIF_RX_ENTRY);
    writer_u16(&w, r->id);
    writer_u16(&w, 0);
    writer_u32(&w, r->ref);
}

void netif_decode_rx_request(const uint8_t entry[NETIF_RX_ENTRY], struct netif_rx_request *r)
{
    struct reader in;

    reader_init(&in, entry, NETIF_RX_ENTRY);
    r->id = reader_u16(&in);
    reader_skip(&in, 2);
    r->ref = reader_u32(&in);
}

void netif_encode_rx_response(uint8_t entry[NETIF_RX_ENTRY], const struct netif_rx_response *r)
{
    struct writer w;

    writer_init(&w, entry, NETIF_RX_ENTRY);
    writer_u16(&w, r->id);
    writer_u16(&w, r->offset);
    writer_u16(&w, r->flags);
    writer_u16(&w, (uint16_t)r->status);
}

void netif_decode_rx_response(const uint8_t entry[NETIF_RX_ENTRY], struct netif_rx_response *r)
{
    struct reader in;

    reader_init(&in, entry, NETIF_RX_ENTRY);
    r->id = reader_u16(&in);
    r->offset = reader_u16(&in);
    r->flags = reader_u16(&in);
    r->status = (int16_t)reader_u16(&in);
}

void netif_encode_extra(uint8_t entry[NETIF_RX_ENTRY], const struct netif_extra *x)
{
    struct writer w;

    writer_init(&w, entry, NETIF_RX_ENTRY);
    writer_u8(&w, x->type);
    writer_u8(&w, x->more ? EXTRA_MORE : 0);
    writer_u16(&w, x->gso_size);
    writer_u8(&w, x->gso_type);
    writer_zeros(&w, 3);                /* padding, features */
}

int netif_decode_extra(const uint8_t entry[NETIF_RX_ENTRY], struct netif_extra *x)
{
    struct reader in;

    reader_init(&in, entry, NETIF_RX_ENTRY);
    *x = (struct netif_extra){ .type = reader_u8(&in), .more = (reader_u8(&in) & EXTRA_MORE) != 0 };
    if (x->type < NETIF_EXTRA_GSO || x->type > NETIF_EXTRA_XDP)
        return -EINVAL;
    if (x->type != NETIF_EXTRA_GSO)
        return 0;
    x->gso_size = reader_u16(&in);
    x->gso_type = reader_u8(&in);
    return x->gso_size && (x->gso_type == NETIF_GSO_TCP4 || x->gso_type == NETIF_GSO_TCP6) ? 0 : -EINVAL;
}

int netif_number(const char *value, size_t len, uint32_t most, uint32_t *out)
{
    uint64_t n = 0;

    if (len == 0 || len > 10)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return -EINVAL;
        n = n * 10 + (uint64_t)(value[i] - '0');
    }
    if (n > most)
        return -EINVAL;
    *out = (uint32_t)n;
    return 0;
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) & 15 : -1;
}

int netif_mac(const char *value, size_t len, uint8_t mac[6])
{
    uint8_t got[6], any = 0;

    if (len != 17)
        return -EINVAL;
    for (size_t i = 0; i < 6; i++) {
        int high = hex(value[3 * i]), low = hex(value[3 * i + 1]);

        if (high < 0 || low < 0 || (i < 5 && value[3 * i + 2] != ':'))
            return -EINVAL;
        got[i] = (uint8_t)(high << 4 | low);
        any |= got[i];
    }
    if (!any || (got[0] & 1))
        return -EINVAL;
    memcpy(mac, got, 6);
    return 0;
}
