/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/net.c - the network of the VMs: a namespace that fits their keys, and keys that fit the namespace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/unik-dom0/db.h"
#include "tools/unik-dom0/net-inside.h"
#include "tools/unik-dom0/net.h"

#define VALUE_MAX 64

/* As dom0 numbers them (doc/protocol/network.md, 1): the VM by its number, the provider at the end of the range. */
#define GATEWAY "10.137.255.254"
#define GATEWAY6 "fd09:24ef:4179::a89:fffe"
static const char *const dns_text[NET_DNS_MAX] = { "10.139.1.1", "10.139.1.2" };

enum key { IP, NETMASK, GATEWAY_KEY, IP6, GATEWAY6_KEY, MAC, DNS_FIRST, DNS_SECOND, KEYS };
static const char *const paths[KEYS] = {
    [IP] = "/qubes-ip", [NETMASK] = "/qubes-netmask", [GATEWAY_KEY] = "/qubes-gateway", [IP6] = "/qubes-ip6",
    [GATEWAY6_KEY] = "/qubes-gateway6", [MAC] = "/qubes-mac", [DNS_FIRST] = "/qubes-primary-dns",
    [DNS_SECOND] = "/qubes-secondary-dns"
};

struct net {
    struct dom0 *dom0;
    struct net_plan plan;
    pid_t pid;
    int fd;                             /* the process inside stays as long as this is open */
    struct net_offer *offers[DOM0_VMS_MAX];
    struct net_dns *dns;
    ev_io gone;
};

/* ---- keys ---- */

/* The value that dom0 would give, whether or not the VM has one already. */
static void usual(int domid, enum key key, char value[VALUE_MAX])
{
    switch (key) {
    case IP: snprintf(value, VALUE_MAX, "10.137.%d.%d", (domid - 1) / 254, 1 + (domid - 1) % 254); break;
    case NETMASK: snprintf(value, VALUE_MAX, "255.255.255.255"); break;
    case GATEWAY_KEY: snprintf(value, VALUE_MAX, GATEWAY); break;
    case IP6: snprintf(value, VALUE_MAX, "fd09:24ef:4179::a89:%x", (unsigned)domid); break;
    case GATEWAY6_KEY: snprintf(value, VALUE_MAX, GATEWAY6); break;
    case MAC: snprintf(value, VALUE_MAX, "00:16:3e:5e:6c:00"); break;      /* of every VM */
    default: snprintf(value, VALUE_MAX, "%s", dns_text[key - DNS_FIRST]); break;
    }
}

/* What the VM is told: its own key if it has one that is an address, else the usual one. */
static void address(struct vm *vm, enum key key, struct netlink_ip *ip)
{
    const struct store_entry *e = store_get(db_store(vm), paths[key]);
    char value[VALUE_MAX];
    int family = key == IP6 || key == GATEWAY6_KEY ? AF_INET6 : AF_INET;

    if (e && netlink_ip(e->value, ip) == 0 && ip->family == family)
        return;
    usual(vm->domid, key, value);
    netlink_ip(value, ip);
}

static void plan_vif(struct vm *vm, struct net_plan_vif *v)
{
    const struct store_entry *e = store_get(db_store(vm), paths[MAC]);
    unsigned m[6];
    char value[VALUE_MAX];

    snprintf(v->name, sizeof(v->name), "vif%d.0", vm->domid);
    usual(vm->domid, MAC, value);
    if (!e || sscanf(e->value, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
        sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]);
    for (int i = 0; i < 6; i++)
        v->mac[i] = (uint8_t)m[i];
    address(vm, IP, &v->ip);
    address(vm, GATEWAY_KEY, &v->gateway);
    address(vm, IP6, &v->ip6);
    address(vm, GATEWAY6_KEY, &v->gateway6);
}

static void write_keys(struct vm *vm, bool ipv6)
{
    char value[VALUE_MAX];

    for (enum key k = 0; k < KEYS; k++) {
        if (store_get(db_store(vm), paths[k]) || (!ipv6 && (k == IP6 || k == GATEWAY6_KEY)))
            continue;
        usual(vm->domid, k, value);
        db_write(vm, paths[k], value);
    }
}

/* ---- the namespace ---- */

/* What the process inside has made; fds has room for all descriptors. */
static int hear(int fd, struct net_made *made, int *fds, size_t n)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE((DOM0_VMS_MAX + NET_DNS_MAX) * sizeof(int))];
    } control;
    struct iovec iov = { made, sizeof(*made) };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *h;
    ssize_t k;

    do
        k = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    while (k < 0 && errno == EINTR);
    if (k != sizeof(*made)) {
        snprintf(made->what, sizeof(made->what), "the process in the network namespace ended");
        return -EPIPE;
    }
    if (made->error < 0)
        return made->error;
    h = CMSG_FIRSTHDR(&m);
    if (!h || h->cmsg_len != CMSG_LEN(n * sizeof(int)))
        return -EPROTO;
    memcpy(fds, CMSG_DATA(h), n * sizeof(int));
    return 0;
}

static int go_inside(struct net *net, struct net_made *made, int *fds)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    fflush(stdout);
    net->pid = fork();
    if (net->pid == 0)
        net_inside(&net->plan, pair[1]);
    close(pair[1]);
    net->fd = pair[0];
    return net->pid < 0 ? -errno : hear(net->fd, made, fds, net->plan.n + NET_DNS_MAX);
}

static void on_gone(struct ev_loop *loop, ev_io *w, int revents)
{
    struct net *net = w->data;

    (void)revents;
    ev_io_stop(loop, w);
    dom0_log(net->dom0, UNIK_ERROR, "net", "the process in the network namespace was killed: net exec works no more");
}

/* For `net exec`. Its writes are small: what fails, fails at the end. */
static int resolv_conf(const char *state, struct unik_text *why)
{
    char path[4096];
    bool fits = snprintf(path, sizeof(path), "%s/resolv.conf", state) < (int)sizeof(path);
    FILE *f = fits ? fopen(path, "we") : NULL;
    int e = f ? 0 : fits ? -errno : -ENAMETOOLONG;

    for (size_t i = 0; f && i < NET_DNS_MAX; i++)
        fprintf(f, "nameserver %s\n", dns_text[i]);
    if (f && fclose(f) != 0)
        e = -errno;
    if (e < 0)
        unik_text_add(why, "unik-dom0: --net: %s: %s\n", path, strerror(-e));
    return e;
}

int net_start(struct dom0 *d, const char *state, const char *dir, const char *hosts, struct unik_text *why)
{
    struct net *net = calloc(1, sizeof(*net));
    struct net_made made = { 0 };
    int fds[DOM0_VMS_MAX + NET_DNS_MAX], e;

    if (!net)
        return -ENOMEM;
    d->net = net;
    net->dom0 = d;
    net->fd = -1;
    net->plan.n = d->n_vms;
    for (size_t i = 0; i < d->n_vms; i++)
        plan_vif(d->vms[i], &net->plan.vifs[i]);
    for (size_t i = 0; i < NET_DNS_MAX; i++)
        netlink_ip(dns_text[i], &net->plan.dns[i]);
    e = go_inside(net, &made, fds);
    if (e < 0) {
        unik_text_add(why, "unik-dom0: --net: %s: %s\n", made.what, strerror(-e));
        return e;
    }
    if (made.no_ipv6)
        dom0_log(d, UNIK_WARNING, "net", "this machine has no IPv6: the VMs get none");
    ev_io_init(&net->gone, on_gone, net->fd, EV_READ);
    net->gone.data = net;
    ev_io_start(d->loop, &net->gone);
    for (size_t i = 0; i < d->n_vms; i++) {
        write_keys(d->vms[i], !made.no_ipv6);
        e = e ? e : net_offer_start(&net->offers[i], d->vms[i], dir, fds[i]);
        if (!net->offers[i])
            close(fds[i]);
    }
    if (e < 0)
        unik_text_add(why, "unik-dom0: --net: %s: %s\n", dir, strerror(-e));
    if (e == 0)
        e = net_dns_start(&net->dns, d, fds + d->n_vms, NET_DNS_MAX, hosts, why);
    return e < 0 ? e : resolv_conf(state, why);
}

void net_stop(struct dom0 *d)
{
    struct net *net = d->net;

    if (!net)
        return;
    d->net = NULL;
    for (size_t i = 0; i < DOM0_VMS_MAX; i++)
        net_offer_stop(net->offers[i]);
    net_dns_stop(net->dns);
    ev_io_stop(d->loop, &net->gone);
    if (net->fd >= 0)
        close(net->fd);
    if (net->pid > 0)
        waitpid(net->pid, NULL, 0);
    free(net);
}

/* ---- what may be asked ---- */

static struct net_offer *offer_of(struct vm *vm)
{
    struct net *net = vm->dom0->net;

    for (size_t i = 0; net && i < vm->dom0->n_vms; i++)
        if (vm->dom0->vms[i] == vm)
            return net->offers[i];
    return NULL;
}

int net_pid(struct dom0 *d) { return d->net ? (int)d->net->pid : 0; }

int net_plug(struct vm *vm, bool in)
{
    struct net_offer *o = offer_of(vm);

    if (o)
        net_offer_plug(o, in);
    return o ? 0 : -ENOENT;
}

bool net_linked(struct vm *vm)
{
    const struct net_offer *o = offer_of(vm);

    return o && net_offer_linked(o);
}

void net_status(struct vm *vm, struct unik_text *out)
{
    const struct net_offer *o = offer_of(vm);

    if (!o)
        return;
    unik_text_add(out, "network: vif%d.0, %s\n", vm->domid, net_offer_state(o));
    net_dns_status(vm->dom0->net->dns, out);
}
