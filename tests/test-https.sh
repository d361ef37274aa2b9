#!/bin/bash
# https with the real supervisor: www behind the tls plugin against curl and openssl s_client, and the plugin's client against
# openssl s_server. What is old, weak, cut off or not TLS is refused, and everybody else is served meanwhile.
. "${UNIK_SOURCE:-.}/tests/e2e/lib.sh"
source=$(cd "$UNIK_SOURCE" && pwd)
command -v openssl >/dev/null && command -v curl >/dev/null || { echo "skipped: no openssl or no curl"; exit 77; }
[ -e "$UNIK_BUILD/tests/tls/fetch" ] && [ -e "$UNIK_BUILD/apps/.libs/www.so" ] || { echo "skipped: built without tls or www"; exit 77; }
free_port() { local p; for p in $(seq "$1" $(($1 + 200))); do (: <"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }; done; }
mkdir site keys; "$source/tests/tls/certificates.sh" keys
head -c 3000000 /dev/urandom >site/big; echo hello >site/index.html
http=$(free_port 21000) https=$(free_port 21300)
cat >https.conf <<END
target = unix
[net-sockets]
address = 127.0.0.1
[tls]
certificate = keys/server.pem
key = keys/server.key
handshake-timeout = 5s
[www]
root = site
port = $http
tls-port = $https
END
"$supervisor" -c https.conf >https.log 2>&1 & others+=($!); server=$!
until_true grep -q "port $https, https" https.log || { cat https.log; exit 1; }
get() { curl -s --max-time 60 --cacert keys/ca.pem --resolve "server.test:$https:127.0.0.1" "$@"; }

# ---- curl ----
same "a page" hello "$(get "https://server.test:$https/")"
same "the same without TLS" hello "$(curl -s --max-time 60 "http://127.0.0.1:$http/")"
get "https://server.test:$https/big" -o got; same "3 MB intact" "$(sum <site/big)" "$(sum <got)"
same "two on one connection" "hello 1 hello 0" "$(get -w '%{num_connects}\n' "https://server.test:$https/" "https://server.test:$https/" | xargs)"
get --resolve "other.test:$https:127.0.0.1" "https://other.test:$https/" >/dev/null; same "another name: curl does not believe it" 60 $?
for i in 1 2 3 4 5 6 7 8; do get "https://server.test:$https/big" -o "got$i" & jobs[$i]=$!; done
for i in 1 2 3 4 5 6 7 8; do wait "${jobs[$i]}"; done
same "eight at once" "$(sum <site/big)" "$(for i in 1 2 3 4 5 6 7 8; do sum <"got$i"; done | sort -u)"

# ---- openssl ----
client() { openssl s_client -connect "127.0.0.1:$https" -servername server.test -CAfile keys/ca.pem "$@" 2>&1; }
request='GET / HTTP/1.1\r\nHost: server.test\r\nConnection: close\r\n\r\n'
printf "$request" | client -ign_eof >said
same "s_client believes it" 1 "$(grep -c 'Verify return code: 0 (ok)' said)"
same "s_client is served" 1 "$(grep -cx hello said)"
same "TLS 1.2 with forward secrecy" 1 "$(grep -cE 'New, TLSv1.2, Cipher is ECDHE-ECDSA-(AES(128|256)-GCM|CHACHA20)' said)"
for weak in "-tls1_1 -cipher ALL:@SECLEVEL=0" "-tls1_2 -cipher AES128-SHA" "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA"; do
    # shellcheck disable=SC2086
    printf "$request" | client $weak >said
    same "refused: $weak" 0 "$(grep -c '^hello' said)"
done
printf "$request" | client -tls1_2 -sess_out session -ign_eof >said
printf "$request" | client -tls1_2 -sess_in session -ign_eof >said
same "a session is taken up again" "1 1" "$(grep -c '^Reused, TLSv1.2' said) $(grep -cx hello said)"

# ---- who does not speak TLS ----
same "HTTP to the https port" 0 "$(curl -s --max-time 20 "http://127.0.0.1:$https/" | wc -c)"
exec 5<>"/dev/tcp/127.0.0.1/$https"; head -c 3000 /dev/urandom >&5 2>/dev/null
exec 6<>"/dev/tcp/127.0.0.1/$https"             # says nothing
same "meanwhile" hello "$(get "https://server.test:$https/")"
same "who says nothing is sent away" 0 "$(timeout 40 cat <&6 | wc -c)"
exec 5>&- 6>&-
kill -TERM "$server"; wait "$server"; same "end" 0 $?

# ---- as a client ----
port=$(free_port 21600)
openssl s_server -accept "127.0.0.1:$port" -cert keys/rsa.pem -key keys/rsa.key -www -quiet >/dev/null 2>&1 & others+=($!)
until_true eval "(: </dev/tcp/127.0.0.1/$port) 2>/dev/null"
fetch() { printf 'GET / HTTP/1.0\r\n\r\n' | "$UNIK_BUILD/tests/tls/fetch" 127.0.0.1 "$port" "$@" >fetched 2>fetch.log; rc=$?; }
fetch server.test keys/ca.pem; same "from s_server" "0 1" "$rc $(grep -c '^New, TLSv1.2' fetched)"
fetch other.test keys/ca.pem; same "not its name" "1 0" "$rc $(wc -c <fetched)"
fetch server.test keys/other-ca.pem; same "not our authority" "1 0" "$rc $(wc -c <fetched)"
same "why" 1 "$(grep -c 'not correctly signed by the trusted CA' fetch.log)"
verdict
