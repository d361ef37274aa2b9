/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/net-dns.c - the name server at 10.139.1.1 and 10.139.1.2: VMs by their names, what a file of hosts says, and
 * for the rest the machine's own name server is asked. Questions are *from a VM*. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/dns.h"
#include "tools/unik-dom0/db.h"
#include "tools/unik-dom0/net-inside.h"
#include "tools/unik-dom0/net.h"

#define ASKS_MAX 64                     /* questions that were passed on and are not answered yet */
#define ASK_SECONDS 5
#define HOSTS_MAX 1024
#define RESOLV_CONF "/etc/resolv.conf"

struct host {
    char name[DNS_NAME_MAX];
    struct netlink_ip ip;
};

/* One question on its way: a socket of its own, so that its port is one more thing that a forger would have to know. */
struct ask {
    struct net_dns *dns;
    bool used;
    int to;                             /* the socket that it came to */
    struct sockaddr_in from;
    uint16_t id, ours;
    ev_io io;
    ev_timer timer;
};

struct net_dns {
    struct dom0 *dom0;
    ev_io ios[NET_DNS_MAX];
    size_t n;
    struct sockaddr_storage upstream;   /* ss_family 0: none */
    struct host *hosts;
    size_t n_hosts;
    struct ask asks[ASKS_MAX];
    unsigned long asked, known, passed, refused;
};

/* ---- who is known ---- */

/* 0 if nobody has the name; else 1 + how many addresses of that type. */
static size_t look_up(const struct net_dns *dns, const struct dns_question *q, struct dns_address out[DNS_ANSWERS_MAX])
{
    int family = q->type == DNS_A ? AF_INET : q->type == DNS_AAAA ? AF_INET6 : 0;
    struct netlink_ip ip;
    size_t n = 0;
    bool known = false;

    for (size_t i = 0; i < dns->dom0->n_vms; i++) {
        const struct store_entry *e;

        if (strcasecmp(dns->dom0->vms[i]->name, q->name) != 0)
            continue;
        known = true;
        e = store_get(db_store(dns->dom0->vms[i]), family == AF_INET6 ? "/qubes-ip6" : "/qubes-ip");
        if (e && netlink_ip(e->value, &ip) == 0 && ip.family == family && n < DNS_ANSWERS_MAX) {
            out[n].size = family == AF_INET ? 4 : 16;
            memcpy(out[n++].bytes, ip.bytes, 16);
        }
    }
    for (size_t i = 0; i < dns->n_hosts; i++) {
        const struct host *h = &dns->hosts[i];

        if (strcasecmp(h->name, q->name) != 0)
            continue;
        known = true;
        if (h->ip.family == family && n < DNS_ANSWERS_MAX) {
            out[n].size = family == AF_INET ? 4 : 16;
            memcpy(out[n++].bytes, h->ip.bytes, 16);
        }
    }
    return known ? 1 + n : 0;
}

static int load_hosts(struct net_dns *dns, const char *file, struct unik_text *why)
{
    FILE *f = fopen(file, "re");
    char line[1024], *save, *word;
    struct host h;

    if (!f) {
        unik_text_add(why, "unik-dom0: --hosts %s: %s\n", file, strerror(errno));
        return -errno;
    }
    dns->hosts = calloc(HOSTS_MAX, sizeof(*dns->hosts));
    while (dns->hosts && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "#\r\n")] = 0;
        word = strtok_r(line, " \t", &save);
        if (!word || netlink_ip(word, &h.ip) < 0)
            continue;
        while ((word = strtok_r(NULL, " \t", &save)) && dns->n_hosts < HOSTS_MAX) {
            snprintf(h.name, sizeof(h.name), "%.*s", DNS_NAME_MAX - 1, word);
            dns->hosts[dns->n_hosts++] = h;
        }
    }
    fclose(f);
    return dns->hosts ? 0 : -ENOMEM;
}

/* ---- passing on ---- */

static void find_upstream(struct net_dns *dns)
{
    FILE *f = fopen(RESOLV_CONF, "re");
    char line[512], text[128];
    struct netlink_ip ip;

    while (f && !dns->upstream.ss_family && fgets(line, sizeof(line), f)) {
        if (sscanf(line, " nameserver %127s", text) != 1 || netlink_ip(text, &ip) < 0)
            continue;
        if (ip.family == AF_INET) {
            struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(53) };

            memcpy(&a.sin_addr, ip.bytes, 4);
            memcpy(&dns->upstream, &a, sizeof(a));
        } else {
            struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(53) };

            memcpy(&a.sin6_addr, ip.bytes, 16);
            memcpy(&dns->upstream, &a, sizeof(a));
        }
    }
    if (f)
        fclose(f);
}

static void forget(struct ask *a)
{
    if (!a->used)
        return;
    ev_io_stop(a->dns->dom0->loop, &a->io);
    ev_timer_stop(a->dns->dom0->loop, &a->timer);
    close(a->io.fd);
    a->used = false;
}

static void on_late(struct ev_loop *loop, ev_timer *t, int revents)
{
    (void)loop, (void)revents;
    forget(t->data);                    /* the VM asks again, or gives up, as with any name server */
}

static void on_answer(struct ev_loop *loop, ev_io *w, int revents)
{
    struct ask *a = w->data;
    uint8_t message[DNS_MESSAGE_MAX];
    ssize_t n = recv(w->fd, message, sizeof(message), MSG_TRUNC);

    (void)loop, (void)revents;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n >= 0 && (n < DNS_HEADER || n > (ssize_t)sizeof(message) || dns_id(message) != a->ours || !dns_is_answer(message)))
        return;                         /* not to this question: the right one may still come */
    if (n > 0) {
        dns_set_id(message, a->id);
        sendto(a->to, message, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&a->from, sizeof(a->from));
    }
    forget(a);
}

static bool pass_on(struct net_dns *dns, int to, const struct sockaddr_in *from, uint8_t *message, size_t n)
{
    struct ask *a = dns->asks;
    int fd;

    while (a < dns->asks + ASKS_MAX && a->used)
        a++;
    if (a == dns->asks + ASKS_MAX || !dns->upstream.ss_family)
        return false;
    fd = socket(dns->upstream.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    *a = (struct ask){ .dns = dns, .used = true, .to = to, .from = *from, .id = dns_id(message) };
    ev_io_init(&a->io, on_answer, fd, EV_READ);
    ev_timer_init(&a->timer, on_late, ASK_SECONDS, 0);
    a->io.data = a->timer.data = a;
    if (getrandom(&a->ours, sizeof(a->ours), 0) != sizeof(a->ours))
        a->ours = a->id;
    dns_set_id(message, a->ours);
    if (connect(fd, (struct sockaddr *)&dns->upstream, sizeof(dns->upstream)) < 0 || send(fd, message, n, MSG_NOSIGNAL) < 0) {
        dns_set_id(message, a->id);
        forget(a);
        return false;
    }
    ev_io_start(dns->dom0->loop, &a->io);
    ev_timer_start(dns->dom0->loop, &a->timer);
    return true;
}

/* ---- questions ---- */

static void answer(struct net_dns *dns, int fd, const struct sockaddr_in *from, uint8_t *message, size_t n)
{
    struct dns_address addresses[DNS_ANSWERS_MAX];
    uint8_t out[DNS_MESSAGE_MAX];
    struct dns_question q;
    size_t known;
    int k;

    dns->asked++;
    if (dns_decode_question(message, n, &q) < 0) {
        dns->refused++;
        return;
    }
    known = look_up(dns, &q, addresses);
    if (!known && pass_on(dns, fd, from, message, n)) {
        dns->passed++;
        return;
    }
    if (known)
        dns->known++;
    else
        dns->refused++;
    k = dns_encode_answer(message, &q, known ? DNS_OK : DNS_SERVER_FAILURE, addresses, known ? known - 1 : 0, out, sizeof(out));
    if (k > 0)
        sendto(fd, out, (size_t)k, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)from, sizeof(*from));
}

static void on_question(struct ev_loop *loop, ev_io *w, int revents)
{
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    uint8_t message[DNS_MESSAGE_MAX];
    ssize_t n = recvfrom(w->fd, message, sizeof(message), MSG_DONTWAIT, (struct sockaddr *)&from, &len);

    (void)loop, (void)revents;
    if (n >= 0)
        answer(w->data, w->fd, &from, message, (size_t)n);
}

int net_dns_start(struct net_dns **out, struct dom0 *d, const int *fds, size_t n, const char *hosts, struct unik_text *why)
{
    struct net_dns *dns = calloc(1, sizeof(*dns));

    if (!dns) {
        for (size_t i = 0; i < n; i++)
            close(fds[i]);
        return -ENOMEM;
    }
    *out = dns;
    dns->dom0 = d;
    for (; dns->n < n; dns->n++) {
        ev_io_init(&dns->ios[dns->n], on_question, fds[dns->n], EV_READ);
        dns->ios[dns->n].data = dns;
        ev_io_start(d->loop, &dns->ios[dns->n]);
    }
    find_upstream(dns);
    return hosts ? load_hosts(dns, hosts, why) : 0;
}

void net_dns_stop(struct net_dns *dns)
{
    if (!dns)
        return;
    for (size_t i = 0; i < ASKS_MAX; i++)
        forget(&dns->asks[i]);
    for (size_t i = 0; i < dns->n; i++) {
        ev_io_stop(dns->dom0->loop, &dns->ios[i]);
        close(dns->ios[i].fd);
    }
    free(dns->hosts);
    free(dns);
}

void net_dns_status(const struct net_dns *dns, struct unik_text *out)
{
    if (dns)
        unik_text_add(out, "names: %lu asked, %lu known here, %lu passed on, %lu refused\n", dns->asked, dns->known,
                      dns->passed, dns->refused);
}
