# What an app's mistake does to an image: a report that names the function, the end that was asked for; and never a silent spin.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
# mistake SERVICE TEXT...: the guest dies of it with a crash, after lines with these texts
before=
mistake() {
    local service=$1 text all=; shift
    guest faults "" "" $before || bad "xl create"
    dom0_for $id faults
    ready faults || bad "$service: not connected"
    d faults call misdeed.$service </dev/null >/dev/null 2>&1
    is "$service: a crash" ended_by 3 faults
    for text in "$@"; do until_true 60 said faults "$text" || all="$all, no \"$text\""; done
    is "$service: the report$all" test -z "$all"
    sed -n 's/.*the program lies at \([0-9a-f]*\).*/\1/p' $consoles/guest-faults.log >>/tmp/places
    clean_up
}
rm -f /tmp/places
mistake Null misdeed_null
mistake Code misdeed_code
mistake Data 'tried to execute'
mistake Stack misdeed_stack
mistake Exit 'exit'
is "the program lies elsewhere each time: $(tr '\n' ' ' </tmp/places)" test $(wc -l </tmp/places)-$(sort -u /tmp/places | wc -l) = 4-4
rm -f /tmp/places; before=kernel.aslr=off
mistake Null misdeed_null
mistake Stack misdeed_stack
before=
is "kernel.aslr=off: in one place: $(sort -u /tmp/places)" test $(wc -l </tmp/places)-$(sort -u /tmp/places | wc -l) = 2-1
rm -f /tmp/places

# what the program's kernel refuses, and goes on
guest faults || bad "xl create"
dom0_for $id faults
is "connected" ready faults
is "an unknown system call: ENOSYS" test "$(d faults call misdeed.Syscall </dev/null | sort | uniq -c | tr -s ' ')" = " 3 call: ENOSYS"
is "and one line on the console" until_true 60 eval '[ "$(grep -c 9999 $consoles/guest-faults.log)" = 1 ]'
d faults call misdeed.Pointer </dev/null >/tmp/answers
is "bad pointers: EFAULT" test "$(grep -c 'EFAULT$' /tmp/answers)-$(wc -l </tmp/answers)" = 7-7
is "the guest answers" test "$(echo x | d faults call probe.Echo)" = x
d faults call misdeed.Memory </dev/null >/tmp/answers 2>/dev/null
if grep -q 'then no more' /tmp/answers; then
    is "memory taken to the end, $(cat /tmp/answers): the guest answers" test "$(echo x | d faults call probe.Echo)" = x
else
    is "memory taken to the end: a line says so" until_true 60 said faults 'out of memory'
    is "and it crashes" ended_by 3 faults
fi
clean_up
guest faults "" "" kernel.on-failure=restart || bad "xl create"
dom0_for $id faults
ready faults
d faults call misdeed.Null </dev/null >/dev/null 2>&1
is "kernel.on-failure=restart: it asks for a restart" ended_by 1 faults
clean_up
guest faults "" "" kernel.on-failure=restart || bad "xl create"
dom0_for $id faults
ready faults
d faults call misdeed.Lazy </dev/null >/dev/null 2>&1
is "out of memory in a system call: it asks for a restart" ended_by 1 faults
is "and a line says what it was" until_true 60 said faults 'the program crashed: out of memory: .* when system call 0 needed'
is "which is no crash of the kernel" eval '! grep -q "crash of the kernel" $consoles/guest-faults.log'
clean_up

# what cannot be booted says why
unusable() {    # WHAT TEXT: the domain has been created
    is "$1: a crash" ended_by 3 faults
    is "$1: a line says why" until_true 60 said faults "$2"
    clean_up
}
program_guest kernel faults; unusable "no payload" 'the image is unusable: no'
cp /share/guest.xen /tmp/hurt.xen; printf x | dd of=/tmp/hurt.xen bs=1 seek=400000 conv=notrunc 2>/dev/null
program_guest /tmp/hurt faults; unusable "a damaged payload" 'the image is unusable: its payload is damaged'
rm /tmp/hurt.xen
guest faults "" "" kernel.on-failure=never; unusable "a bad command line" 'bad command line'
guest faults "-o nosuch.key=1"; is "a bad option of the supervisor: it ends" until_true 60 gone faults
is "and says why" until_true 60 said faults 'no plugin nosuch'
