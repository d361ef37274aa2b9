#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# vm.sh [--image] BUILD: what the VM costs by itself, with the config as it is shipped and a network, next to unik-dom0 over sockets: the
# start, an idle minute, memory. --image: the idle minute of an image under Xen instead (tests/xen/run net-idle).
# The network needs root or user namespaces; without, it says so and leaves it out. Prints figures; nothing here fails on a slow machine.
set -eu
image=; [ "${1:-}" != --image ] || { image=yes; shift; }
build=$(cd "${1:-build/gcc}" && pwd)
cd "$(dirname "$(readlink -f "$0")")/.."
if [ -n "$image" ]; then UNIK_BUILD=$build exec tests/xen/run --guest image-pv --guest image-pvh net-idle; fi
work=$(mktemp -d) vm= dom0=
end() { [ -z "$vm" ] || kill "$vm" 2>/dev/null || :; [ -z "$dom0" ] || kill "$dom0" 2>/dev/null || :; wait 2>/dev/null || :; rm -rf "$work"; }
trap end EXIT
export UNIK_DOM0_STATE=$work/dom0 VCHAN_SOCKET_DIR=$work/vchan VCHAN_DOMAIN=5
mkdir -p "$UNIK_DOM0_STATE" "$VCHAN_SOCKET_DIR"
cp conf/qubes.conf "$work/vm.conf"
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
start_dom0() {
    "$build/tools/unik-dom0/unik-dom0" start --domid 5 --name vm "$@" >"$work/dom0.log" 2>&1 & dom0=$!
    for _ in $(seq 100); do grep -q '^ready' "$work/dom0.log" && return; kill -0 $dom0 2>/dev/null || break; sleep 0.1; done
    return 1
}
network="a network"
start_dom0 --net || { network="no network (it could not be made: $(tail -n 1 "$work/dom0.log"))"; start_dom0; }

one_start() {   # program: milliseconds from main() to qrexec and QubesDB shaken hands, as it says itself; own time on a CPU
    "$1" -c "$work/vm.conf" 2>"$work/vm.log" & vm=$!
    for _ in $(seq 100); do grep -q 'supervisor\] ready' "$work/vm.log" && break; sleep 0.05; done
    echo "$(sed -n 's/.*supervisor\] ready: .* in \([0-9.]*\) ms/\1/p' "$work/vm.log") $(awk '{ print $1 / 1e6 }' "/proc/$vm/schedstat")"
    kill "$vm"; wait "$vm" || :; vm=
}
for p in unik-supervisor unik-supervisor-static; do
    [ -x "$build/$p" ] || continue
    for _ in $(seq 15); do one_start "$build/$p"; sleep 0.1; done >"$work/starts"
    echo "start, $p: qrexec and QubesDB ready after $(cut -d' ' -f1 "$work/starts" | median) ms, of which" \
        "$(cut -d' ' -f2 "$work/starts" | median) ms own time (exec and linking included; medians of 15)"
done

"$build/unik-supervisor" -c "$work/vm.conf" 2>"$work/vm.log" & vm=$!
d() { "$build/tools/unik-dom0/unik-dom0" "$@"; }
d wait --seconds 30 qrexec >/dev/null
if [ "$network" = "a network" ]; then   # used once, and then left alone
    d wait --seconds 30 net >/dev/null
    d net exec bash -c 'exec 3<>/dev/tcp/10.137.0.5/80; printf "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" >&3; cat <&3 >/dev/null'
fi
switches() { awk '/^voluntary/ { print $2 }' "/proc/$vm/status"; }
cpu() { awk '{ print $14 + $15 }' "/proc/$vm/stat"; }
# The kernel of the other end says a few things of its own accord at first (router solicitations, up to a minute), and TIME-WAIT lasts 30 s.
for _ in $(seq 30); do a=$(switches); sleep 5; [ "$(switches)" -gt "$a" ] || break; done
for minute in 1 2 3; do
    a=$(switches) c=$(cpu); sleep 60; b=$(switches)
    echo "idle, the shipped config with $network, minute $minute: $((b - a)) wake-ups, $(($(cpu) - c)) clock ticks of CPU"
done
awk '/^Private/ { n += $2 } END { printf "memory, idle: %d KiB private\n", n }' "/proc/$vm/smaps_rollup"
