/* SPDX-License-Identifier: BSD-2-Clause */
/* plugins/net-lwip/keys.c - the addresses that dom0 gives through QubesDB. From dom0: trusted, but checked: what cannot be used is
 * named in the log, once for each value, and waited for. Keys: core-admin, qubes/vm/mix/net.py; core-agent-linux, network/setup-ip. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"

static const char *const watched[] = {
    "/qubes-ip", "/qubes-gateway", "/qubes-primary-dns", "/qubes-secondary-dns", "/qubes-ip6", "/qubes-gateway6",
    "/net-config/", "/qubes-service/disable-default-route", "/qubes-service/disable-dns-server"
};
#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static struct unik_qubesdb_watch *watches[WATCHED];
static char complained[WATCHED][80];    /* the bad value that was last told of, by key */

static void on_key(const char *path, const char *value, size_t len, void *arg)
{
    struct stack *n = arg;

    (void)path, (void)value, (void)len;
    n->reconfigure = true;              /* several keys change together: they are read once, at the end of the turn */
}

void keys_watch(struct stack *n)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (n->db->watch(n->db, n->ctx, watched[i], UNIK_QUBESDB_NOW, on_key, n, &watches[i]) < 0) {
            unik_error(n->ctx, "%s cannot be watched", watched[i]);
            watches[i] = NULL;
        }
}

void keys_unwatch(struct stack *n)
{
    for (size_t i = 0; i < WATCHED; i++) {
        if (watches[i])
            n->db->unwatch(n->db, watches[i]);
        watches[i] = NULL;
    }
}

/* A value that can't be used is told of when it is new. */
static void complain(struct stack *n, size_t key, const char *path, const char *value, const char *what)
{
    char now[sizeof(complained[0])];

    snprintf(now, sizeof(now), "%s", value);
    if (strcmp(complained[key], now) == 0)
        return;
    memcpy(complained[key], now, sizeof(now));
    unik_warn(n->ctx, "%s = \"%s\": not %s", path, now, what);
}

/* The address at a key of ours, or at the one that replaces it for our card. False: neither is there, or it is no address. */
static bool address(struct stack *n, size_t key, const char *override, bool v6, ip_addr_t *to)
{
    const char *path = watched[key], *value = NULL;
    char own[UNIK_QUBESDB_PATH_MAX + 1];
    const uint8_t *mac = n->netif.hwaddr;

    if (override) {
        snprintf(own, sizeof(own), "/net-config/%02x:%02x:%02x:%02x:%02x:%02x/%s", mac[0], mac[1], mac[2], mac[3], mac[4],
                 mac[5], override);
        value = n->db->read(n->db, own, NULL);
        if (value)
            path = own;
    }
    if (!value)
        value = n->db->read(n->db, path, NULL);
    if (!value || !*value) {
        complained[key][0] = 0;
        return false;
    }
    if (!text_address(value, to) || !IP_IS_V6(to) == v6 || !(text_roles(to) & ADMIT_OWN)) {
        complain(n, key, path, value, v6 ? "an IPv6 address" : "an IPv4 address");
        return false;
    }
    complained[key][0] = 0;
    return true;
}

static bool set(struct stack *n, size_t key)
{
    const char *value = n->db->read(n->db, watched[key], NULL);

    return value && strcmp(value, "1") == 0;
}

void keys_read4(struct stack *n, struct stack_addresses *to)
{
    ip_addr_t a;

    if (!address(n, 0, "ip", false, &a))
        return;
    to->have4 = true;
    ip4_addr_copy(to->address, *ip_2_ip4(&a));
    IP4_ADDR(&to->netmask, 255, 255, 255, 255);         /* whatever /qubes-netmask says: everything is behind the gateway */
    if (!set(n, 7) && address(n, 1, "gateway", false, &a))
        ip4_addr_copy(to->gateway, *ip_2_ip4(&a));
    for (size_t key = 2; key <= 3 && !set(n, 8); key++) {
        if (address(n, key, NULL, false, &a)) {
            to->dns[to->n_dns++] = a;
        } else if (key == 2 && !n->db->read(n->db, watched[2], NULL) && !ip4_addr_isany_val(to->gateway)) {
            ip_addr_copy_from_ip4(to->dns[to->n_dns], to->gateway);    /* as the Linux agent does */
            to->n_dns++;
        }
    }
}

void keys_read6(struct stack *n, struct stack_addresses *to)
{
    ip_addr_t a;

    if (!address(n, 4, "ip6", true, &a))
        return;
    to->have6 = true;
    ip6_addr_copy(to->address6, *ip_2_ip6(&a));
    if (!set(n, 7) && address(n, 5, "gateway6", true, &a))
        ip6_addr_copy(to->gateway6, *ip_2_ip6(&a));
}
