#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# http.sh - requests a second of www against nginx with one worker, in turns, by the same client on the loopback.
#
#   make bench-http      needs nginx (NGINX=PATH); takes wrk if it is there (WRK=PATH), else bench/http-load
#
# Files of 1 KiB, 16 KiB and 1 MiB, keep-alive. nginx runs from a folder of its own, without a log, with its cache of
# open files on (it checks them as often as www does), and is stopped at the end.
set -u
build=${UNIK_BUILD:-.}
seconds=${SECONDS_EACH:-3} rounds=${ROUNDS:-3} connections=${CONNECTIONS:-32}
nginx=${NGINX:-$(PATH=$PATH:/usr/sbin command -v nginx)} wrk=${WRK:-$(command -v wrk)}
[ -n "$nginx" ] || { echo "skipped: no nginx"; exit 77; }
work=$(mktemp -d) || exit 99
chmod 755 "$work"
mkdir "$work/root" "$work/logs"
mkfifo "$work/stdin"
pids=()
trap 'exec 7>&-; for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done; wait; rm -rf "$work"' EXIT
head -c 1024 /dev/urandom >"$work/root/1k"
head -c 16384 /dev/urandom >"$work/root/16k"
head -c 1048576 /dev/urandom >"$work/root/1m"

"$build/tests/www-run" "root=$work/root" <"$work/stdin" >"$work/out" 2>"$work/log" &
pids+=($!)
exec 7>"$work/stdin"
for _ in $(seq 100); do grep -q '^port' "$work/out" && break; sleep 0.05; done
ours=$(sed -n 's/^port //p' "$work/out")
[ -n "$ours" ] || { cat "$work/log"; exit 1; }
theirs=$((ours + 1))
cat >"$work/nginx.conf" <<END
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/logs/error.log;
events { worker_connections 1024; multi_accept on; }
http {
    access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; server_tokens off;
    open_file_cache max=1000; open_file_cache_valid 1s; default_type application/octet-stream;
    client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u;
    scgi_temp_path $work/s;
    server { listen 127.0.0.1:$theirs; root $work/root; }
}
END
env -u NGINX "$nginx" -p "$work" -e "$work/logs/error.log" -c "$work/nginx.conf" &
pids+=($!)
sleep 0.5

ask() { # PORT PATH
    if [ -n "$wrk" ]; then
        "$wrk" -t1 -c"$connections" -d"${seconds}s" "http://127.0.0.1:$1/$2" | sed -n 's/^Requests\/sec: *//p'
    else
        "$build/bench/http-load" "$1" "/$2" "$connections" "$seconds"
    fi
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

client=http-load; [ -z "$wrk" ] || client=wrk
echo "requests a second over $connections connections, median of $rounds turns ($client)"
for file in 1k 16k 1m; do
    : >"$work/a"; : >"$work/b.txt"
    for _ in $(seq "$rounds"); do
        ask "$theirs" "$file" >>"$work/b.txt" || exit 1
        ask "$ours" "$file" >>"$work/a" || exit 1
    done
    awk -v f="$file" -v a="$(median <"$work/a")" -v b="$(median <"$work/b.txt")" \
        'BEGIN { printf "%-4s www %9.0f   nginx %9.0f   ratio %.2f\n", f, a, b, a / b }'
done
