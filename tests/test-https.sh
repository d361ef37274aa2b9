#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
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
log = "*:info, tls:debug"
stop-timeout = 50s
[net-sockets]
address = 127.0.0.1
[tls]
certificate = keys/server.pem
key = keys/server.key
handshake-timeout = 600s
[www]
root = site
port = $http
head-timeout = 3600
idle-timeout = 3600
write-timeout = 3600
tls-port = $https
END
begin() {
    "$supervisor" -c https.conf >>https.log 2>&1 & others+=($!); server=$!
    until_true grep -q "port $https, https" https.log || { cat https.log; exit 1; }
}
begin
get() { curl -s --max-time 600 --cacert keys/ca.pem --resolve "server.test:$https:127.0.0.1" "$@"; }

# ---- curl ----
same "a page" hello "$(get "https://server.test:$https/")"
same "the same without TLS" hello "$(curl -s --max-time 600 "http://127.0.0.1:$http/")"
get "https://server.test:$https/big" -o got; same "3 MB intact" "$(sum <site/big)" "$(sum <got)"
same "two on one connection" "hello 1 hello 0" "$(get -w '%{num_connects}\n' "https://server.test:$https/" "https://server.test:$https/" | xargs)"
get --resolve "other.test:$https:127.0.0.1" "https://other.test:$https/" >/dev/null; same "another name: curl does not believe it" 60 $?
for i in 1 2 3 4 5 6 7 8; do get "https://server.test:$https/big" -o "got$i" & jobs[$i]=$!; done
for i in 1 2 3 4 5 6 7 8; do wait "${jobs[$i]}"; done
same "eight at once" "$(sum <site/big)" "$(for i in 1 2 3 4 5 6 7 8; do sum <"got$i"; done | sort -u)"

# ---- openssl ----
client() { openssl s_client -connect "127.0.0.1:$https" -servername server.test -CAfile keys/ca.pem "$@" 2>&1; }
request='GET / HTTP/1.1\r\nHost: server.test\r\nConnection: close\r\n\r\n'
for version in tls1_3 tls1_2; do
    printf "$request" | client -$version -ign_eof >said
    same "$version: s_client believes it" 1 "$(grep -c 'Verify return code: 0 (ok)' said)"
    same "$version: s_client is served" 1 "$(grep -cx hello said)"
    same "$version: forward secrecy, sealed" 1 "$(grep -cE 'New, TLSv1.(2, Cipher is ECDHE-ECDSA-|3, Cipher is TLS_)(AES_?(128|256)[-_]GCM|CHACHA20)' said)"
    for cipher in AES_128_GCM_SHA256 AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256; do
        case $version in
        tls1_3) printf "$request" | client -tls1_3 -ciphersuites "TLS_$cipher" -ign_eof >said ;;
        *) name=${cipher/AES_/AES}; name=${name/_SHA256_/}; name=${name//_/-}
            printf "$request" | client -tls1_2 -cipher "ECDHE-ECDSA-${name/1305-SHA256/1305}" -ign_eof >said ;;
        esac
        same "$version: $cipher" 1 "$(grep -cx hello said)"
    done
    groups="X25519 P-256 P-384"; [ $version = tls1_3 ] || groups="X25519:P-256 P-256 P-384:P-256"  # the certificate's is among them
    for group in $groups; do
        printf "$request" | client -$version -groups "$group" -ign_eof >said; same "$version: $group" 1 "$(grep -cx hello said)"
    done
    # a ClientHello of many records: a long list of protocols makes it longer than one may be
    printf "$request" | client -$version -max_send_frag 512 -split_send_frag 512 -alpn "$(printf 'protocol-%d,' $(seq 100))http/1.1" -ign_eof >said
    same "$version: small records" 1 "$(grep -cx hello said)"
    rm -f session; printf "$request" | client -$version -sess_out session -ign_eof >said
    [ ! -e session ] || printf "$request" | client -$version -sess_in session -ign_eof >said
    same "$version: no session is taken up again" "0 1" "$(grep -c '^Reused' said) $(grep -cx hello said)"
done
# groups that only the second ClientHello has a share of
printf "$request" | client -tls1_3 -groups P-521:P-384 -ign_eof >said; same "asked for another share" 1 "$(grep -cx hello said)"
for weak in "-tls1_1 -cipher ALL:@SECLEVEL=0" "-tls1_2 -cipher AES128-SHA" "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA" "-tls1_3 -groups P-521"; do
    # shellcheck disable=SC2086
    printf "$request" | client $weak >said
    same "refused: $weak" 0 "$(grep -c '^hello' said)"
    case $weak in -tls1_1*) why='alert protocol version' ;; *) why='alert handshake failure' ;; esac
    same "told: $why" 1 "$(grep -ic "$why" said)"
done

# new keys in mid-connection: the library has none to offer
for keys in k K; do
    { echo $keys; until_true grep -q 'SSL alert' said; } | client -tls1_3 >said
    same "KeyUpdate ($keys): told" 1 "$(grep -c 'alert unexpected message' said | sed 's/^[1-9].*/1/')"
done
same "KeyUpdate: why" 2 "$(grep -c 'connection of .*KeyUpdate' https.log)"

# ---- who does not speak TLS ----
same "HTTP to the https port" 0 "$(curl -s --max-time 600 "http://127.0.0.1:$https/" | wc -c)"
exec 5<>"/dev/tcp/127.0.0.1/$https"; head -c 3000 /dev/urandom >&5 2>/dev/null
exec 6<>"/dev/tcp/127.0.0.1/$https"             # says nothing
same "meanwhile" hello "$(get "https://server.test:$https/")"
exec 5>&- 6>&-
kill -TERM "$server"; wait "$server"; same "end" 0 $?
# a server that does not wait for long, for this one alone
sed -i 's/^handshake-timeout.*/handshake-timeout = 1s/' https.conf; : >https.log; begin
exec 6<>"/dev/tcp/127.0.0.1/$https"
said=$(timeout 600 cat <&6 | wc -c; exit "${PIPESTATUS[0]}"); same "who says nothing is sent away" "0 0" "$? $said"
exec 6>&-
kill -TERM "$server"; wait "$server"; same "the end of that" 0 $?

# ---- as a client ----
fetch() { printf 'GET / HTTP/1.0\r\n\r\n' | "$UNIK_BUILD/tests/tls/fetch" 127.0.0.1 "$port" "$@" >fetched 2>fetch.log; rc=$?; }
# serve CERTIFICATE OPTION...: an s_server, until the next one
serve() {
    local name=$1; shift
    [ -z "${far:-}" ] || { kill "$far"; wait "$far" 2>/dev/null; }
    port=$(free_port 21600)
    openssl s_server -accept "127.0.0.1:$port" -cert "keys/$name.pem" -key "keys/$name.key" -www "$@" >far.log 2>&1 & far=$!; others+=($!)
    until_true grep -q ^ACCEPT far.log
}
for version in 3 2; do
    for name in server rsa; do
        serve $name -tls1_$version
        fetch server.test keys/ca.pem; same "from s_server, TLS 1.$version, $name" "0 1" "$rc $(grep -c "^New, TLSv1.$version" fetched)"
    done
    fetch server.test. keys/ca.pem; same "a name with its dot" 0 "$rc"
    fetch other.test keys/ca.pem; same "not its name" "1 0" "$rc $(wc -c <fetched)"
    same "it is told" 1 "$(grep -c 'alert bad certificate' far.log)"
    fetch server.test keys/other-ca.pem; same "not our authority" "1 0" "$rc $(wc -c <fetched)"
    same "why" 1 "$(grep -c 'not correctly signed by the trusted CA' fetch.log)"
    same "it is told so" 1 "$(grep -c 'alert unknown ca' far.log)"
    serve rsa -tls1_$version -max_send_frag 512 -split_send_frag 512 -cert_chain keys/chain.pem
    fetch server.test keys/ca.pem; same "small records, TLS 1.$version" "0 1" "$rc $(grep -c "^New, TLSv1.$version" fetched)"
    serve expired -tls1_$version
    fetch server.test keys/ca.pem; same "expired" "1 0 1" "$rc $(wc -c <fetched) $(grep -c 'expired' fetch.log)"
    same "it is told that it expired" 1 "$(grep -c 'alert certificate expired' far.log)"
    serve alone -tls1_$version
    fetch server.test keys/ca.pem; same "signed by itself" "1 0" "$rc $(wc -c <fetched)"
    fetch server.test keys/alone.pem; same "signed by itself, and known" "0 1" "$rc $(grep -c "^New, TLSv1.$version" fetched)"
    serve server -tls1_$version -cipher AES128-SHA -ciphersuites TLS_AES_128_CCM_SHA256
    fetch server.test keys/ca.pem; same "no cipher in common, TLS 1.$version" "1 1" "$rc $(grep -c 'handshake with .*alert 40' fetch.log)"
done
kill "$far"; wait "$far" 2>/dev/null; port=$(free_port 21600); : >far.log
{ until_true grep -q '^GET' far.log; echo k; until_true grep -q 'SSL alert' far.log; } |
    openssl s_server -accept "127.0.0.1:$port" -cert keys/server.pem -key keys/server.key -tls1_3 >far.log 2>&1 & far=$!; others+=($!)
until_true grep -q ^ACCEPT far.log
fetch server.test keys/ca.pem; same "KeyUpdate from s_server" "1 1" "$rc $(grep -c 'connection with .*KeyUpdate' fetch.log)"
until_true grep -q 'alert unexpected message' far.log; same "it is told" 0 $?
if grep -q '^MBEDTLS_DIR = /' "$UNIK_BUILD/Makefile"; then     # a system's 3.6.6 does not take it
    serve rsa -tls1_2 -sigalgs rsa_pss_rsae_sha256
    fetch server.test keys/ca.pem; same "from s_server, TLS 1.2, RSA-PSS" "0 1" "$rc $(grep -c '^New, TLSv1.2' fetched)"
fi
serve rsa -tls1_1 -cipher ALL:@SECLEVEL=0
fetch server.test keys/ca.pem; same "TLS 1.1: refused" "1 0" "$rc $(wc -c <fetched)"
verdict
