/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/config.c - where addresses come from, and setting them. Changes are applied while it runs: lwIP ends connections
 * whose address is gone, listeners go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/hooks.h"
#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"

#include "keys.h"

bool config_fixed_neighbour;
uint8_t config_neighbour[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };     /* what a Qubes provider answers to: xen-netback/interface.c */

static ip6_addr_t router6;
static bool have_router6;

const ip6_addr_t *net_lwip_gateway6(struct netif *netif, const ip6_addr_t *to)
{
    (void)netif, (void)to;
    return have_router6 ? &router6 : NULL;
}

bool config_mac(const char *text, uint8_t mac[6])
{
    unsigned b[6];
    char more;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &more) != 6 || strlen(text) != 17 ||
        (b[0] & 1))
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)b[i];
    return true;
}

/* "10.0.0.2/24", "fd00::2/64": the prefix is 32 or 128 without one. */
static bool parse_prefix(const char *text, bool v6, ip_addr_t *address, unsigned *bits)
{
    char copy[UNIK_NET_ADDRESS_MAX];
    char *slash, *end;
    unsigned long n;

    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return false;
    slash = strchr(copy, '/');
    *bits = v6 ? 128 : 32;
    if (slash) {
        *slash++ = 0;
        if (*slash < '0' || *slash > '9')
            return false;
        n = strtoul(slash, &end, 10);
        if (*end || n > *bits || n == 0)
            return false;
        *bits = (unsigned)n;
    }
    return text_address(copy, address) && !IP_IS_V6(address) == !v6 && (text_roles(address) & ADMIT_OWN);
}

/* A router's address. */
static bool parse_router(const char *text, bool v6, ip_addr_t *address)
{
    return text_address(text, address) && !IP_IS_V6(address) == !v6 && (text_roles(address) & ADMIT_OWN);
}

/* Up to DNS_MAX_SERVERS addresses with spaces or commas between them: how many, or -1. */
static int parse_dns(const char *text, ip_addr_t *to)
{
    char copy[200], *save = NULL;
    int n = 0;

    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return -1;
    for (char *word = strtok_r(copy, " ,", &save); word; word = strtok_r(NULL, " ,", &save))
        if (n == DNS_MAX_SERVERS || !text_address(word, &to[n]) || !(text_roles(&to[n++]) & ADMIT_OWN))
            return -1;
    return n;
}

static bool is(const char *text) { return text && *text; }

static int mode4(const struct stack_config *c, unsigned target)
{
    if (c->ipv4 != IPV4_AUTO)
        return c->ipv4;
    return is(c->address) ? IPV4_STATIC : target == UNIK_ON_QUBES ? IPV4_QUBESDB : IPV4_DHCP;
}

static int mode6(const struct stack_config *c, unsigned target)
{
    if (c->ipv6 != IPV6_AUTO)
        return c->ipv6;
    return is(c->address6) ? IPV6_STATIC : target == UNIK_ON_QUBES ? IPV6_QUBESDB : IPV6_OFF;
}

static int wrong(struct unik_ctx *ctx, const char *key, const char *value, const char *what)
{
    unik_error(ctx, "%s = %s: not %s", key, value, what);
    return -EINVAL;
}

int config_check(struct unik_ctx *ctx)
{
    const struct stack_config *c = ctx->config;
    ip_addr_t a, dns[DNS_MAX_SERVERS];
    unsigned bits;
    uint8_t mac[6];
    int e = 0;

    if (c->ipv4 == IPV4_HOST) {
        unik_error(ctx, "ipv4 = host: that is the plugin net-sockets; name [net-sockets] instead of [net-lwip]");
        return -EINVAL;
    }
    if (mode4(c, ctx->target) == IPV4_STATIC && !is(c->address)) {
        unik_error(ctx, "ipv4 = static: address is missing");
        e = -EINVAL;
    }
    if (mode6(c, ctx->target) == IPV6_STATIC && !is(c->address6)) {
        unik_error(ctx, "ipv6 = static: address6 is missing");
        e = -EINVAL;
    }
    if (is(c->address) && !parse_prefix(c->address, false, &a, &bits))
        e = wrong(ctx, "address", c->address, "an IPv4 address, or one with /BITS");
    if (is(c->address6) && !parse_prefix(c->address6, true, &a, &bits))
        e = wrong(ctx, "address6", c->address6, "an IPv6 address, or one with /BITS");
    if (is(c->gateway) && !parse_router(c->gateway, false, &a))
        e = wrong(ctx, "gateway", c->gateway, "an IPv4 address");
    if (is(c->gateway6) && !parse_router(c->gateway6, true, &a))
        e = wrong(ctx, "gateway6", c->gateway6, "an IPv6 address");
    if (is(c->dns) && parse_dns(c->dns, dns) < 0)
        e = wrong(ctx, "dns", c->dns, "one or two addresses");
    if (is(c->neighbour) && strcmp(c->neighbour, "ask") != 0 && !config_mac(c->neighbour, mac))
        e = wrong(ctx, "neighbour", c->neighbour, "a MAC address or \"ask\"");
    return e;
}

/* ---- what should be ---- */

static void read_static(struct stack *n, struct stack_addresses *to)
{
    const struct stack_config *c = n->config;
    unsigned bits;
    ip_addr_t a;

    if (n->ipv4 == IPV4_STATIC && parse_prefix(c->address, false, &a, &bits)) {
        to->have4 = true;
        ip4_addr_copy(to->address, *ip_2_ip4(&a));
        to->netmask.addr = lwip_htonl(0xffffffffu << (32 - bits));
        if (is(c->gateway) && parse_router(c->gateway, false, &a))
            ip4_addr_copy(to->gateway, *ip_2_ip4(&a));
    }
    if (n->ipv6 == IPV6_STATIC && parse_prefix(c->address6, true, &a, &bits)) {
        to->have6 = true;
        ip6_addr_copy(to->address6, *ip_2_ip6(&a));
        if (is(c->gateway6) && parse_router(c->gateway6, true, &a))
            ip6_addr_copy(to->gateway6, *ip_2_ip6(&a));
    }
}

/* The answer is *from the network*: an address that cannot be ours is none. */
static void read_dhcp(struct stack *n, struct stack_addresses *to)
{
    if (!dhcp_supplied_address(&n->netif) || !(text_roles(netif_ip_addr4(&n->netif)) & ADMIT_OWN))
        return;
    to->have4 = true;
    ip4_addr_copy(to->address, *netif_ip4_addr(&n->netif));
    ip4_addr_copy(to->netmask, *netif_ip4_netmask(&n->netif));
    ip4_addr_copy(to->gateway, *netif_ip4_gw(&n->netif));
    for (u8_t i = 0; i < DNS_MAX_SERVERS; i++)
        if (text_roles(dns_getserver(i)) & ADMIT_OWN)
            to->dns[to->n_dns++] = *dns_getserver(i);
}

static void read_all(struct stack *n, struct stack_addresses *to)
{
    int k;

    memset(to, 0, sizeof(*to));
    read_static(n, to);
    if (n->db && n->ipv4 == IPV4_QUBESDB)
        keys_read4(n, to);
    if (n->db && n->ipv6 == IPV6_QUBESDB)
        keys_read6(n, to);
    if (n->ipv4 == IPV4_DHCP)
        read_dhcp(n, to);
    if (is(n->config->dns) && (k = parse_dns(n->config->dns, to->dns)) >= 0)
        to->n_dns = (unsigned)k;
}

/* ---- making it so ---- */

static void say_one(struct stack *n, const ip_addr_t *address, const ip_addr_t *gateway)
{
    char own[UNIK_NET_ADDRESS_MAX], via[UNIK_NET_ADDRESS_MAX];

    text_plain(address, own);
    text_plain(gateway, via);
    unik_info(n->ctx, "address %s, gateway %s", own, ip_addr_isany(gateway) ? "none" : via);
}

static void say(struct stack *n, const struct stack_addresses *a)
{
    ip_addr_t address, gateway;

    if (a->have4) {
        ip_addr_copy_from_ip4(address, a->address);
        ip_addr_copy_from_ip4(gateway, a->gateway);
        say_one(n, &address, &gateway);
    }
    if (a->have6) {
        ip_addr_copy_from_ip6(address, a->address6);
        ip_addr_copy_from_ip6(gateway, a->gateway6);
        say_one(n, &address, &gateway);
    }
    if (!a->have4 && !a->have6)
        unik_info(n->ctx, "no address any more");
}

/* For admit.c: who we are now. */
static void tell_admit(struct stack *n)
{
    const struct stack_addresses *a = &n->now;
    struct admit_here *h = &n->here;
    u32_t host = ~a->netmask.addr;

    memset(h, 0, sizeof(*h));
    memcpy(h->mac, n->netif.hwaddr, 6);
    h->dhcp = n->ipv4 == IPV4_DHCP;
    h->have4 = a->have4;
    memcpy(h->address, &a->address.addr, 4);
    host = lwip_ntohl(host) > 1 ? a->address.addr | host : IPADDR_BROADCAST;    /* a network of one or two has none (RFC 3021) */
    memcpy(h->broadcast, &host, 4);
    for (u8_t i = 0; i < ADMIT_ADDRESSES6; i++) {
        h->have6[i] = ip6_addr_isvalid(netif_ip6_addr_state(&n->netif, i));
        memcpy(h->address6[i], netif_ip6_addr(&n->netif, i)->addr, 16);
    }
}

void config_apply(struct stack *n)
{
    struct netif *netif = &n->netif;
    struct stack_addresses to;

    read_all(n, &to);
    if (memcmp(&to, &n->now, sizeof(to)) == 0) {
        tell_admit(n);                  /* the card may have changed */
        return;
    }
    if (n->ipv4 != IPV4_DHCP)
        netif_set_addr(netif, &to.address, &to.netmask, &to.gateway);
    have_router6 = to.have6 && !ip6_addr_isany_val(to.gateway6);
    router6 = to.gateway6;
    if (to.have6 != n->now.have6 || memcmp(&to.address6, &n->now.address6, sizeof(to.address6)) != 0) {
        netif_ip6_addr_set(netif, 1, &to.address6);
        netif_ip6_addr_set_state(netif, 1, to.have6 ? IP6_ADDR_PREFERRED : IP6_ADDR_INVALID);
    }
    if (n->ipv4 != IPV4_DHCP || is(n->config->dns))
        for (u8_t i = 0; i < DNS_MAX_SERVERS; i++)
            dns_setserver(i, i < to.n_dns ? &to.dns[i] : NULL);
    n->now = to;
    n->changed = true;
    tell_admit(n);
    say(n, &to);
}

static void on_status(struct netif *netif)
{
    struct stack *n = netif->state;

    if (n->ipv4 == IPV4_DHCP)
        n->reconfigure = true;
}

void config_start(struct stack *n)
{
    const struct stack_config *c = n->config;

    n->ipv4 = mode4(c, n->ctx->target);
    n->ipv6 = mode6(c, n->ctx->target);
    config_fixed_neighbour = is(c->neighbour) ? strcmp(c->neighbour, "ask") != 0 : n->ipv4 == IPV4_QUBESDB || n->ipv6 == IPV6_QUBESDB;
    if (config_fixed_neighbour && is(c->neighbour))
        config_mac(c->neighbour, config_neighbour);
    netif_set_status_callback(&n->netif, on_status);
    n->reconfigure = true;
}

void config_db(struct stack *n, struct unik_qubesdb *db)
{
    if (n->db)
        keys_unwatch(n);
    n->db = db;
    if (db && (n->ipv4 == IPV4_QUBESDB || n->ipv6 == IPV6_QUBESDB)) {
        keys_watch(n);
        n->reconfigure = true;
    }
}

/* The card's MAC chooses the keys below /net-config; DHCP begins with a link, and asks again with a new one. */
void config_card(struct stack *n)
{
    if (n->link)
        netif_create_ip6_linklocal_address(&n->netif, 1);
    if (n->link && (n->now.have6 || n->ipv6 != IPV6_OFF))
        netif_ip6_addr_set_state(&n->netif, 0, IP6_ADDR_PREFERRED);
    else
        netif_ip6_addr_set_state(&n->netif, 0, IP6_ADDR_INVALID);
    if (n->link && n->ipv4 == IPV4_DHCP && !netif_dhcp_data(&n->netif) && dhcp_start(&n->netif) != ERR_OK)
        unik_error(n->ctx, "DHCP does not start: no memory");
    n->reconfigure = true;
}
