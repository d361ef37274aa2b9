# A VM whose netvm is "none": the image made as the README says, without a vif. The session is there.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
program_guest shipped shipped || bad "xl create"
printf '%s\n' '/name shipped' '/type AppVM' '/default-user user' >/tmp/keys
dom0_for $id shipped --qubesdb /tmp/keys
is "connected" ready shipped
echo user >/tmp/user
is "qubes.WaitForSession" d shipped call --timeout 60 qubes.WaitForSession </tmp/user
d shipped call www.Get+index.html </dev/null >/tmp/page
is "a page by qrexec" cmp -s /tmp/page /share/site/index.html
d shipped call unik.Status </dev/null >/tmp/status
is "it says that there is no network" grep -q '^net-lwip: starting .*no link' /tmp/status
xl shutdown shipped
is "powers off when told" ended_by 0 shipped
rm -f /tmp/page /tmp/user /tmp/status /tmp/keys
