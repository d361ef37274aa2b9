# The web server as one file, made as the README says: small, serves its files, stops when told.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
size=$(stat -c %s /share/www.xen)
is "www.xen: $((size / 1024)) KiB, at most 2 MiB" test $size -le 2097152
program_guest www www || bad "xl create"
dom0_for $id www
is "connected" ready www
d www call www.Get+index.html </dev/null >/tmp/page
is "a page by qrexec" cmp -s /tmp/page /share/site/index.html
t=$(now); n=0
while [ $n -lt 50 ] && d www call www.Get+style.css </dev/null | cmp -s - /share/site/style.css; do n=$((n + 1)); done
is "50 times" test $n = 50
xl shutdown www
is "powers off when told" ended_by 0 www
is "no violation" d www status --strict
rm -f /tmp/page
