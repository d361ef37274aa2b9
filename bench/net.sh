#!/bin/bash
# net.sh - the VM's own TCP/IP (net-lwip over a TAP) against the kernel's (over a veth pair), by the same client in the same
# network namespace; and what a packet costs.
#
#   make bench-net       as root; needs nginx, wrk and iproute2
#
# The server has core 0 and the client core 1, turns alternate, and the median counts.
set -u
build=$(cd "${UNIK_BUILD:-.}" && pwd) source=$(cd "${UNIK_SOURCE:-$(dirname "$0")/..}" && pwd)
seconds=${SECONDS_EACH:-3} rounds=${ROUNDS:-3} connections=${CONNECTIONS:-32}
nginx=${NGINX:-$(PATH=$PATH:/usr/sbin command -v nginx)} wrk=${WRK:-$(command -v wrk)}
[ -n "$nginx" ] && [ -n "$wrk" ] && [ "$(id -u)" = 0 ] && [ -e "$build/plugins/.libs/net-lwip.so" ] ||
    { echo "skipped: needs root, nginx, wrk and net-lwip"; exit 77; }
work=$(mktemp -d) || exit 99
chmod 755 "$work"; mkdir "$work/root" "$work/logs" "$work/vchan"
export UNIK_DOM0_STATE=$work/dom0 VCHAN_SOCKET_DIR=$work/vchan UNIK_PLUGIN_PATH=$build/plugins/.libs:$build/apps/.libs
dom0=$build/tools/unik-dom0/unik-dom0 pids=()
trap 'for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done; wait; rm -rf "$work"' EXIT
for f in 1:1k 16:16k 1024:1m 102400:100m; do head -c "${f%%:*}K" /dev/urandom >"$work/root/${f##*:}"; done
net() { "$dom0" net exec "$@"; }
until_true() { for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; echo "not in time: $*"; exit 1; }

# ---- ours: over the TAP ----
"$dom0" start --domid 5 --net >"$work/dom0.out" 2>"$work/dom0.log" & pids+=($!)
until_true grep -q ^ready "$work/dom0.out"
apps="[www]
root = $work/root
port = 80
[probe]
echo-port = 7
discard-port = 9"
printf 'target = qubes\nlog = "*:warning"\n[vchan-socket]\ndomid = 5\n[qubesdb]\n[qrexec]\nmode = serve\n[tap]\nsocket = %s\n[net-lwip]\n%s\n' \
    "$VCHAN_SOCKET_DIR/tap.5" "$apps" >"$work/vm.conf"
taskset -c 0 "$build/unik-supervisor" -c "$work/vm.conf" >"$work/vm.log" 2>&1 & pids+=($!); vm=$!
ours=10.137.0.5

# ---- the kernel's: another namespace behind a veth pair ----
ours_ns=$(net readlink /proc/self/ns/net) own_ns=$(readlink /proc/self/ns/net)
"$dom0" net exec unshare -n sleep 100000 & pids+=($!); other=$!     # exec all the way: this is the sleep's own number
away() { local ns; ns=$(readlink "/proc/$other/ns/net"); [ -n "$ns" ] && [ "$ns" != "$ours_ns" ] && [ "$ns" != "$own_ns" ]; }
until_true away
net ip link add v0 type veth peer name v1 netns "$other" || exit 1
net ip addr add 10.137.9.1/24 dev v0; net ip link set v0 up
inside() { nsenter -t "$other" -n "$@"; }
inside ip link set lo up; inside ip addr add 10.137.9.2/24 dev v1; inside ip link set v1 up
cat >"$work/nginx.conf" <<END
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/logs/error.log;
events { worker_connections 1024; multi_accept on; }
http {
    access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; server_tokens off;
    open_file_cache max=1000; open_file_cache_valid 1s; default_type application/octet-stream;
    client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u;
    scgi_temp_path $work/s;
    server { listen 10.137.9.2:80; root $work/root; }
}
END
nsenter -t "$other" -n env -u NGINX taskset -c 0 "$nginx" -p "$work" -e "$work/logs/error.log" -c "$work/nginx.conf" & pids+=($!)
printf 'target = unix\nlog = "*:warning"\n[net-sockets]\n[www]\nroot = %s\nport = 8080\nqrexec = no\n[probe]\necho-port = 7\ndiscard-port = 9\n' \
    "$work/root" >"$work/kernel.conf"
nsenter -t "$other" -n taskset -c 0 "$build/unik-supervisor" -c "$work/kernel.conf" >"$work/kernel.log" 2>&1 & pids+=($!)
theirs=10.137.9.2
for u in "http://$ours/1k" "http://$theirs/1k" "http://$theirs:8080/1k"; do until_true net curl -sf -o /dev/null --max-time 2 "$u"; done

# ---- measuring ----
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ask() { net taskset -c 1 "$wrk" -t1 -c"$connections" -d"${seconds}s" "$1" | sed -n 's/^Requests\/sec: *//p'; }
# turns NAME FORMAT COMMAND-A... -- COMMAND-B...: medians and their ratio
turns() {
    local name=$1 unit=$2 a=() b=(); shift 2
    while [ "$1" != -- ]; do a+=("$1"); shift; done
    shift; b=("$@")
    : >"$work/a"; : >"$work/b.txt"
    for _ in $(seq "$rounds"); do "${b[@]}" >>"$work/b.txt"; "${a[@]}" >>"$work/a"; done
    awk -v n="$name" -v u="$unit" -v a="$(median <"$work/a")" -v b="$(median <"$work/b.txt")" \
        'BEGIN { printf "%-44s %10.0f   kernel %10.0f %s   ratio %.2f\n", n, a, b, u, b ? a / b : 0 }'
}
get() { net taskset -c 1 curl -s -o /dev/null --max-time 60 -w '%{speed_download}\n' "$1" | awk '{ print $1 / 1048576 }'; }
put() { # ADDRESS: MiB/s into discard
    net taskset -c 1 bash -c 'exec 5<>/dev/tcp/$0/9; t=${EPOCHREALTIME/./}; head -c 200M /dev/zero >&5
        t=$((${EPOCHREALTIME/./} - t)); echo $((200 * 1000000 / t))' "$1"
}
cpu() { awk '{ print $14, $15 }' "/proc/$1/stat"; }
frames() { "$dom0" call unik.Status </dev/null | awk '/^net-lwip:/ { on = 1 } on && /frames_(in|out):/ { n += $2 } /^[a-z]/ && !/^net-lwip/ { on = 0 } END { print n }'; }
# cost NAME COMMAND...: CPU of the VM for each frame
cost() {
    local name=$1 f0 c0 f1 c1; shift
    f0=$(frames) c0=$(cpu "$vm"); "$@" >"$work/rate"; c1=$(cpu "$vm") f1=$(frames)
    echo "$f0 $c0 $f1 $c1 $(cat "$work/rate")" | awk -v n="$name" -v hz="$(getconf CLK_TCK)" \
        '{ f = $4 - $1; printf "%-44s %10.0f a second; a frame costs %.2f us in the process, %.2f us in the kernel\n", n, $7, ($5 - $2) / hz * 1e6 / f, ($6 - $3) / hz * 1e6 / f }'
}

echo "own TCP/IP over a TAP against the kernel's over veth, median of $rounds turns"
for f in 1k 16k 1m; do turns "HTTP $f against nginx, $connections connections" req/s ask "http://$ours/$f" -- ask "http://$theirs/$f"; done
turns "HTTP 1k, the same www on both" req/s ask "http://$ours/1k" -- ask "http://$theirs:8080/1k"
turns "out: 100 MiB by HTTP against nginx" MiB/s get "http://$ours/100m" -- get "http://$theirs/100m"
turns "in: 200 MiB into probe's discard on both" MiB/s put $ours -- put $theirs
turns "UDP echo, 64 bytes, probe on both" echo/s net taskset -c 1 "$build/bench/udp-load" $ours 7 64 "$seconds" -- \
    net taskset -c 1 "$build/bench/udp-load" $theirs 7 64 "$seconds"
cost "UDP echo, 64 bytes" net taskset -c 1 "$build/bench/udp-load" $ours 7 64 "$seconds"
cost "HTTP 1k" ask "http://$ours/1k"
