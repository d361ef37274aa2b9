#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# net.sh - the VM's own TCP/IP (net-lwip over a TAP) against the kernel's (over a veth pair), by the same client in the same
# network namespace; and what a packet costs.
#
#   make bench-net       as root; needs nginx, wrk and iproute2
#   ONLY=bulk            lines with that word; FIFO=1: before other work of the machine, for figures that mean something on a busy one
#
# The server has core 0 and the client core 1, turns alternate, and the median counts. The line below a ratio shows where the time went:
# who was busy, frames and their size, system calls and wake-ups.
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
discard-port = 9
chargen-port = 19"
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
nsenter -t "$other" -n env -u NGINX taskset -c 0 "$nginx" -p "$work" -e "$work/logs/error.log" -c "$work/nginx.conf" & pids+=($!); master=$!
printf 'target = unix\nlog = "*:warning"\n[net-sockets]\n[www]\nroot = %s\nport = 8080\nqrexec = no\n[probe]\necho-port = 7\ndiscard-port = 9\nchargen-port = 19\n' \
    "$work/root" >"$work/kernel.conf"
nsenter -t "$other" -n taskset -c 0 "$build/unik-supervisor" -c "$work/kernel.conf" >"$work/kernel.log" 2>&1 & pids+=($!); kernel=$!
theirs=10.137.9.2
for u in "http://$ours/1k" "http://$theirs/1k" "http://$theirs:8080/1k"; do until_true net curl -sf -o /dev/null --max-time 2 "$u"; done

worker=$(pgrep -P "$master" | head -n 1)
fifo=()
if [ "${FIFO:-0}" = 1 ]; then
    fifo=(chrt -f 5)
    for p in "$vm" "$kernel" "$worker"; do chrt -f -p 5 "$p"; done
fi

# ---- measuring ----
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
client() { net "${fifo[@]}" taskset -c 1 "$@"; }
ask() { client "$wrk" -t1 -c"$connections" -d"${seconds}s" "$1" | sed -n 's/^Requests\/sec: *//p'; }
get() { client curl -s --max-time 60 -w "%{speed_download}\n" -o /dev/null "$1" -o /dev/null "$1" -o /dev/null "$1" -o /dev/null "$1" -o /dev/null "$1" | awk '{ t += 1048576 / $1 } END { print NR / t }'; }
bulk() { client "$build/bench/tcp-load" "$@"; }
echoes() { client "$build/bench/udp-load" "$1" 7 64 "$seconds"; }
# what a process has used: ticks in user and kernel, wake-ups, reads and writes
used() {
    awk '{ print $14, $15 }' "/proc/$1/stat"
    awk '/^voluntary/ { print $2 }' "/proc/$1/status"
    awk '/^sysc/ { n += $2 } END { print n + 0 }' "/proc/$1/io"
}
counted() { # frames and bytes of the VM's card
    "$dom0" call unik.Status </dev/null | awk '/^[a-z]/ { on = /^tap:/ } on { sub(":", "", $1); v[$1] = $2 }
        END { print v["frames_in"], v["frames_out"], v["bytes_in"], v["bytes_out"] }'
}
# run A|B PID COMMAND...: one turn; adds the rate to $work/A, and "seconds, client's user and kernel, before, after" to $work/A.used
run() {
    local side=$1 pid=$2 before after c0="" c1="" TIMEFORMAT='%R %U %S'; shift 2
    [ "$side" = B ] || c0=$(counted)
    before=$(used "$pid")
    { time "$@" >>"$work/$side" 2>/dev/null; } 2>"$work/time"
    after=$(used "$pid")
    [ "$side" = B ] || c1=$(counted)
    echo "$(cat "$work/time")" $before $after $c0 $c1 >>"$work/$side.used"
}
# turns NAME UNIT PID COMMAND-A... -- COMMAND-B...: medians, their ratio, and what limits each; PID: who serves B
turns() {
    local name=$1 unit=$2 pid=$3 a=() b=(); shift 3
    [[ "$name" == *"${ONLY:-}"* ]] || return
    while [ "$1" != -- ]; do a+=("$1"); shift; done
    shift; b=("$@")
    rm -f "$work"/[AB] "$work"/[AB].used
    for _ in $(seq "$rounds"); do run B "$pid" "${b[@]}"; run A "$vm" "${a[@]}"; done
    awk -v n="$name" -v u="$unit" -v a="$(median <"$work/A")" -v b="$(median <"$work/B")" \
        'BEGIN { printf "%-46s %9.0f   kernel %9.0f %s   ratio %.2f\n", n, a, b, u, b ? a / b : 0 }'
    awk -v hz="$(getconf CLK_TCK)" '{
            s = FILENAME ~ /A.used$/ ? "A" : "B"
            t[s] += $1; c[s] += $2 + $3; u[s] += $8 - $4; k[s] += $9 - $5; w[s] += $10 - $6; r[s] += $11 - $7
            in_frames += $16 - $12; out_frames += $17 - $13; in_bytes += $18 - $14; out_bytes += $19 - $15
        } END {
            for (i = 1; i <= 2; i++) {
                s = substr("AB", i, 1)
                printf "    %-6s server %3.0f %% busy (user %.0f, kernel %.0f), client %3.0f %%; each second %.0f wake-ups, %.0f reads and writes\n",
                    s == "A" ? "own:" : "kernel:", (u[s] + k[s]) / hz / t[s] * 100, u[s] / hz / t[s] * 100, k[s] / hz / t[s] * 100,
                    c[s] / t[s] * 100, w[s] / t[s], r[s] / t[s]
            }
            f = in_frames + out_frames
            if (f)
                printf "           frames of %.0f bytes in, %.0f out; a frame: %.2f us of user, %.2f us of kernel, %.2f wake-ups\n",
                    in_frames ? in_bytes / in_frames : 0, out_frames ? out_bytes / out_frames : 0,
                    u["A"] / hz * 1e6 / f, k["A"] / hz * 1e6 / f, w["A"] / f
        }' "$work/A.used" "$work/B.used"
}

echo "own TCP/IP over a TAP against the kernel's over veth, median of $rounds turns"
for f in 1k 16k 1m; do turns "HTTP $f against nginx, $connections connections" req/s "$worker" ask "http://$ours/$f" -- ask "http://$theirs/$f"; done
turns "HTTP 1k, the same www on both" req/s "$kernel" ask "http://$ours/1k" -- ask "http://$theirs:8080/1k"
turns "HTTP 1m, the same www on both" req/s "$kernel" ask "http://$ours/1m" -- ask "http://$theirs:8080/1m"
turns "out: 5 times 100 MiB by HTTP against nginx" MiB/s "$worker" get "http://$ours/100m" -- get "http://$theirs/100m"
turns "bulk out: 1 GiB from chargen, probe on both" MiB/s "$kernel" bulk out $ours 19 1024 -- bulk out $theirs 19 1024
turns "bulk in: 1 GiB into discard, probe on both" MiB/s "$kernel" bulk in $ours 9 1024 -- bulk in $theirs 9 1024
turns "... 100 MiB in writes of 4 KiB" MiB/s "$kernel" bulk in $ours 9 100 4096 -- bulk in $theirs 9 100 4096
turns "UDP echo, 64 bytes, probe on both" echo/s "$kernel" echoes $ours -- echoes $theirs
