#!/bin/bash
# vm.sh BUILD: what the VM costs by itself, next to unik-dom0 over sockets: the start, an idle minute, memory.
# Prints figures; nothing here fails on a slow machine.
set -eu
build=$(cd "${1:-build/gcc}" && pwd)
cd "$(dirname "$(readlink -f "$0")")/.."
work=$(mktemp -d) vm= dom0=
end() { [ -z "$vm" ] || kill "$vm" 2>/dev/null || :; [ -z "$dom0" ] || kill "$dom0" 2>/dev/null || :; wait 2>/dev/null || :; rm -rf "$work"; }
trap end EXIT
export UNIK_DOM0_STATE=$work/dom0 VCHAN_SOCKET_DIR=$work/vchan VCHAN_DOMAIN=5
mkdir -p "$UNIK_DOM0_STATE" "$VCHAN_SOCKET_DIR"
sed '/^\[net-sockets\]/,$d' conf/qubes.conf >"$work/vm.conf"
printf '[hello]\nevery = 0\n' >>"$work/vm.conf"
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
"$build/tools/unik-dom0/unik-dom0" start --domid 5 --name vm >"$work/dom0.log" 2>&1 & dom0=$!
for _ in $(seq 50); do grep -q '^ready' "$work/dom0.log" && break; sleep 0.1; done

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
sleep 3
switches() { awk '/^voluntary/ { print $2 }' "/proc/$vm/status"; }
cpu() { awk '{ print $14 + $15 }' "/proc/$vm/stat"; }
a=$(switches) c=$(cpu); sleep 60; b=$(switches)
echo "idle: $((b - a)) wake-ups in a minute, $(($(cpu) - c)) clock ticks of CPU"
awk '/^Private/ { n += $2 } END { printf "memory, idle: %d KiB private\n", n }' "/proc/$vm/smaps_rollup"
