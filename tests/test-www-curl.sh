#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# www on host sockets with a real client: files, ranges, conditions, pipelining, many and slow connections, the end.
set -u
command -v curl >/dev/null || { echo "skipped: no curl"; exit 77; }
run=${UNIK_BUILD:-.}/tests/www-run
work=$(mktemp -d) || exit 99
mkdir "$work/root" "$work/root/sub"
mkfifo "$work/stdin"
trap 'exec 7>&- 9>&-; [ -n "${server:-}" ] && kill "$server" 2>/dev/null; wait; rm -rf "$work"' EXIT
passed=0 failed=0
check() { # NAME EXPECTED FOUND
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)); echo "FAIL: $1: expected '$2', found '$3'"
    fi
}

echo '<p>hello' >"$work/root/index.html"
echo 'sub' >"$work/root/sub/index.html"
head -c 1024 /dev/urandom >"$work/root/1k.bin"
head -c 30000000 /dev/urandom >"$work/root/big.bin"

"$run" -n max-connections=400 "root=$work/root" max-connections=300 \
    head-timeout=3600 idle-timeout=3600 write-timeout=3600 <"$work/stdin" >"$work/out" 2>"$work/log" &
server=$!
exec 7>"$work/stdin"
# port FILE: of the server that says it there
port() {
    for _ in $(seq 6000); do grep -q '^port' "$1" && break; sleep 0.05; done
    sed -n 's/^port //p' "$1"
}
port=$(port "$work/out")
[ -n "$port" ] || { echo "the server did not start:"; cat "$work/log"; exit 1; }
url=http://127.0.0.1:$port
code() { curl -s -m 600 -o /dev/null -w '%{http_code}' "$@"; }

check "index" "<p>hello" "$(curl -s -m 600 "$url/")"
check "type" "text/html; charset=utf-8" "$(curl -s -m 600 -o /dev/null -w '%{content_type}' "$url/")"
check "redirect" "sub" "$(curl -s -m 600 -L "$url/sub")"
check "not found" 404 "$(code "$url/none")"
check "post" 405 "$(code -d x=y "$url/")"
check "large post" 413 "$(head -c 3000000 /dev/zero | code -H 'Expect:' --data-binary @- "$url/")"
check "put with expectation" 405 "$(head -c 3000 /dev/zero |
    code -T - -H 'Transfer-Encoding:' -H 'Content-Length: 3000' -H 'Expect: 100-continue' "$url/x")"
check "head" "200 0" "$(curl -s -m 600 -I -o /dev/null -w '%{http_code} %{size_download}' "$url/big.bin")"
check "traversal" 400 "$(code --path-as-is "$url/../../etc/passwd")"
curl -s -m 600 -o "$work/got" "$url/big.bin"
check "large file" "" "$(cmp "$work/got" "$work/root/big.bin" 2>&1)"
check "range" "$(tail -c +1001 "$work/root/big.bin" | head -c 5000 | cksum)" \
    "$(curl -s -m 600 -r 1000-5999 "$url/big.bin" | cksum)"
check "range at the end" "$(tail -c 77 "$work/root/1k.bin" | cksum)" "$(curl -s -m 600 -r -77 "$url/1k.bin" | cksum)"
check "range code" 206 "$(code -r 0-0 "$url/1k.bin")"
check "range beyond" 416 "$(code -r 5000- "$url/1k.bin")"
head -c 12345678 "$work/root/big.bin" >"$work/part"
curl -s -m 600 -C - -o "$work/part" "$url/big.bin"
check "resume" "" "$(cmp "$work/part" "$work/root/big.bin" 2>&1)"
tag=$(curl -s -m 600 -I "$url/1k.bin" | tr -d '\r' | sed -n 's/^ETag: //p')
check "if-none-match" 304 "$(code -H "If-None-Match: $tag" "$url/1k.bin")"
check "if-none-match, other" 200 "$(code -H 'If-None-Match: "x"' "$url/1k.bin")"
check "time condition" 304 "$(code -z "$work/root/1k.bin" "$url/1k.bin")"
check "keep-alive" "200 200 1" "$(curl -s -m 600 -o /dev/null -o /dev/null -w '%{http_code} ' "$url/" "$url/1k.bin")$(
    curl -sv -m 600 -o /dev/null -o /dev/null "$url/" "$url/1k.bin" 2>&1 | grep -c 'Re-using existing connection')"
check "HTTP/1.0" "<p>hello" "$(curl -s -m 600 -0 "$url/")"

# Three requests in one piece, and the end of input: three answers, in order, then the end.
exec 8<>"/dev/tcp/127.0.0.1/$port"
printf '%s HTTP/1.1\r\nHost: h\r\n%s\r\n' 'GET /' '' 'GET /none' '' 'GET /sub/' $'Connection: close\r\n' >&8
check "pipeline" "200 404 200" "$(timeout 600 cat <&8 |
    tr -d '\r' | sed -n 's/^HTTP\/1.1 \([0-9]*\).*/\1/p' | paste -sd' ')"
exec 8>&-

# A head that never ends: 408 after the deadline, of a server for this alone.
mkfifo "$work/stdin2"
"$run" "root=$work/root" head-timeout=1s <"$work/stdin2" >"$work/out2" 2>>"$work/log" 7>&- &
hasty=$!
exec 9>"$work/stdin2" 8<>"/dev/tcp/127.0.0.1/$(port "$work/out2")"
printf 'GET / HTTP/1.1\r\nHo' >&8
check "slow head" "HTTP/1.1 408 Request Timeout" "$(timeout 600 head -n 1 <&8 | tr -d '\r')"
exec 8>&- 9>&-
wait "$hasty"
check "exit code of that server" 0 $?

# A peer that does not read yet holds nobody up, and gets everything in the end.
exec 8<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /big.bin HTTP/1.0\r\n\r\n' >&8
IFS= read -r first <&8
check "a slow peer" "HTTP/1.1 200 OK" "${first%?}"
check "beside a slow peer" 200 "$(code "$url/1k.bin")"
while IFS= read -r line <&8 && [ "$line" != $'\r' ]; do :; done
check "slow peer" "" "$(cmp - "$work/root/big.bin" <&8 2>&1)"
exec 8>&-

# 200 at a time.
urls=(); for _ in $(seq 200); do urls+=(-o /dev/null "$url/1k.bin"); done
check "200 connections" "200 times 200" "$(
    curl -s -m 600 -Z --parallel-immediate --parallel-max 200 -w '%{http_code}\n' "${urls[@]}" 2>/dev/null | sort |
        uniq -c | awk '{ print $1 " times " $2 }')"

# An answer under way ends before the program does.
curl -s -m 600 --limit-rate 15M -o "$work/last" "$url/big.bin" &
last=$!
sleep 0.3
exec 7>&-
wait "$last"
check "the last answer" "" "$(cmp "$work/last" "$work/root/big.bin" 2>&1)"
wait "$server"
check "exit code" 0 $?
server=
check "connections left" 0 "$(sed -n 's/^www.connections //p' "$work/out")"
check "sockets left" 0 "$(sed -n 's/^net-sockets.connections //p' "$work/out")"
check "truncated" 0 "$(sed -n 's/^www.truncated //p' "$work/out")"
[ "$failed" = 0 ] || cat "$work/log"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
