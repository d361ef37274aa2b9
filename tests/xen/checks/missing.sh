# What a domain may lack at its start: randomness, xenstore, a console, memory, the end of its file. It says so and crashes.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
again() {   # the same domain, not running yet
    clean_up
    rm -f $consoles/guest-lacks.log /var/log/xen/xl-lacks.log*
    xl create -q -p /tmp/lacks.cfg && id=$(xl domid lacks)
}
guest lacks "" "" kernel.random=seed || bad "xl create"
is "no randomness: a crash" ended_by 3 lacks
is "no randomness: a line says so" until_true 60 said lacks 'no randomness: none from the processor'
again || bad "xl create"
xenstore-write /local/domain/$id/data/random-seed "$(head -c 64 /dev/urandom | base64 | tr -d '\n')"
xl unpause lacks
dom0_for $id lacks
is "with a seed in xenstore: connected" ready lacks
is "the seed is gone from there" sh -c "! xenstore-exists /local/domain/$id/data/random-seed"
is "and it answers" test "$(echo x | d lacks call probe.Echo)" = x

again && /share/lacking $id store || bad "xenstore is still there"
xl unpause lacks
is "no xenstore: a crash" ended_by 3 lacks
is "no xenstore: a line says so" until_true 60 said lacks 'the domain has no xenstore'
again && /share/lacking $id console || bad "the console is still there"
xl set-parameters guest_loglvl=all; xl dmesg -c >/dev/null
xl unpause lacks
is "no console: a crash" ended_by 3 lacks
[ $kind = image-pv ] && seen='rax: 6f736e6f63206f6e' || seen='no console'
xl dmesg >/tmp/log; xl set-parameters guest_loglvl=info
is "no console: Xen's log tells" grep -q "$seen" /tmp/log
clean_up

head -c 600000 /share/guest.xen >/tmp/cut.xen
program_guest /tmp/cut lacks
is "a file that is cut short: a crash" ended_by 3 lacks
is "a file that is cut short: a line says so" until_true 60 said lacks 'the image is unusable: .*is the file whole'
clean_up
rm -f /tmp/log /tmp/cut.xen
