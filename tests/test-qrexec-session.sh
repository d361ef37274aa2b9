#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A VM whose netvm is "none" is an ordinary VM: with a network plugin that has no card, and without /qubes-ip, the session is there,
# services that wait for it run, and the VM is announced.
. "$(dirname "$0")/e2e/lib.sh"

net=$UNIK_BUILD/plugins/.libs/net-lwip.so
[ -f "$net" ] || { echo "skipped: net-lwip was not built"; exit 77; }
service p.Waits 'echo "ran"'
printf 'wait-for-session = true\n' >p.Waits             # its config: config-path is this folder
mkdir services; printf '#!/bin/sh\necho asked >>"%s/announced"\n' "$work" >services/qubes.FeaturesRequest
chmod 755 services/qubes.FeaturesRequest

printf '%s\n' '/name work' '/type AppVM' '/default-user user' >keys
dom0 --services "$work/services" --qubesdb keys
guest 1 "announce = yes" "[tap]" "socket = $work/no-card" "[net-lwip]"
call qubes.WaitForSession <<<"user"; same "qubes.WaitForSession" 0 $rc
call p.Waits </dev/null; same "a service that waits for the session" "0 ran" "$rc $(cat out)"
until_true test -s announced; same "it is announced" asked "$(cat announced)"
same "a feature in QubesDB" 1 "$(ask qubesdb read /features-request/qrexec)"
same "why the network is not there" 1 "$(report 1 | grep -c '^net-lwip: starting.*network card has no link')"
grep -q '\.\.\. but net-lwip: the network card has no link' guest1.log; same "the log says it" 0 $?
end_guest 1; same "the guest ends in order" 0 $rc
verdict
