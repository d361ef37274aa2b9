/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/unik-dom0/net.h - the network of the VMs: `start --net`.
 *
 *   net.c         what is made, keys, status, end      net-inside.c  the process in the namespace; netlink.c its tools
 *   net-offer.c   the TAPs' other ends, for the VMs    net-dns.c     names asked by VMs
 *   net-exec.c    `net exec`: a command of the user's in the namespace
 *
 * The namespace has no way out: what is in it are the VMs, and the commands of `net exec`.
 */
#ifndef UNIK_DOM0_NET_H
#define UNIK_DOM0_NET_H

#include "tools/unik-dom0/dom0.h"

struct net;
struct net_offer;
struct net_dns;

/* After all VMs are there, before the loop runs: writes the keys of the network that a VM does not have yet, builds the
 * namespace that fits the keys, and serves it. state: where resolv.conf goes for `net exec`; dir: where the sockets of the TAPs go;
 * hosts: see net_dns_start(). 0 or a negative errno, with lines in why. */
int net_start(struct dom0 *d, const char *state, const char *dir, const char *hosts, struct unik_text *why);
void net_stop(struct dom0 *d);
void net_status(struct vm *vm, struct unik_text *out);
/* The process in the namespace; 0 without a network. */
int net_pid(struct dom0 *d);
/* Plug the VM's cable, or pull it. 0 or -ENOENT. */
int net_plug(struct vm *vm, bool in);
/* Has somebody the VM's end of it? */
bool net_linked(struct vm *vm);

/* net-offer.c: DIR/tap.DOMID, from where a VM takes its end of the cable: one byte comes with a descriptor, and the
 * connection is the cable: at its end the link is down. */
int net_offer_start(struct net_offer **out, struct vm *vm, const char *dir, int tap);
void net_offer_stop(struct net_offer *o);
void net_offer_plug(struct net_offer *o, bool in);
/* "no link", "link", "pulled" */
const char *net_offer_state(const struct net_offer *o);
bool net_offer_linked(const struct net_offer *o);

/* net-dns.c: answers for the VMs and for hosts (a file in the form of /etc/hosts, or NULL), and asks the machine's own
 * name server for the rest. Takes the sockets. */
int net_dns_start(struct net_dns **out, struct dom0 *d, const int *fds, size_t n, const char *hosts, struct unik_text *why);
void net_dns_stop(struct net_dns *dns);
void net_dns_status(const struct net_dns *dns, struct unik_text *out);

/* net-exec.c: never returns if it works; else an exit code. */
int net_exec(int pid, const char *state, char **argv);

#endif
