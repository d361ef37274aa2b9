#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# certificates.sh DIR: an authority, and certificates of it for server.test (ECDSA, and RSA), one of addresses, an expired one, another authority's, and
# one that signed itself. chain.pem: certificates to send along, which nobody needs. Made afresh for each run: no key is kept anywhere.
set -eu
cd "$1"
ec() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null ||
       openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
authority() { ec "$1.key"; openssl req -new -x509 -key "$1.key" -subj "/CN=$1" -days 30 -out "$1.pem" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null; }
# signed NAME DAYS AUTHORITY [NAMES]: NAME.key is there already
signed() {
    openssl req -new -key "$1.key" -subj /CN=server.test -out "$1.csr" 2>/dev/null
    printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "${4-DNS:server.test,DNS:*.wild.test}" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA "$3.pem" -CAkey "$3.key" -CAcreateserial -days "$2" -extfile "$1.ext" -out "$1.pem" 2>/dev/null
}
authority ca; authority other-ca
ec server.key; signed server 30 ca
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null; signed rsa 30 ca
cp server.key address.key; signed address 30 ca DNS:192.0.2.9,DNS:*.0.2.8,IP:192.0.2.1,IP:2001:db8::1
cp server.key expired.key; signed expired -1 ca
cp server.key foreign.key; signed foreign 30 other-ca
ec alone.key; openssl req -new -x509 -key alone.key -subj /CN=server.test -days 30 -out alone.pem -addext subjectAltName=DNS:server.test 2>/dev/null
cat other-ca.pem ca.pem other-ca.pem >chain.pem
printf 'no certificate\n' >junk.pem
