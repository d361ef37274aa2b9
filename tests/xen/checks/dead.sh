# How a kernel dies: what it says when something in itself is broken, and what is found in its memory when it could say nothing.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
begin() {
    guest dead || bad "xl create"
    dom0_for $id dead
    is "connected" ready dead
}
begin
at=$(address_in_kernel trap_syscall)
is "an instruction of the kernel is spoilt" /share/lacking $id code $at
d dead call --timeout 1 probe.Echo </dev/null >/dev/null 2>&1
is "a crash" ended_by 3 dead
is "the report" until_true 60 said dead "crash of the kernel: invalid instruction in the kernel"
is "its last exceptions, this one first" until_true 60 said dead "exception 6 error 0 rip $at rsp "
is "and 15 before" until_true 60 eval '[ "$(grep -c "exception [0-9]* error" $consoles/guest-dead.log)" = 16 ]'
clean_up
[ $kind = image-pvh ] || return 0   # Xen itself takes the exceptions of a PV guest
begin
is "nobody takes its exceptions" /share/lacking $id gates $(address_in_kernel idt)
d dead call --timeout 1 probe.Echo </dev/null >/dev/null 2>&1
is "a triple fault, which Xen takes for a reboot" ended_by 1 dead
is "it could say nothing" eval '! said dead "crash of the kernel"'
is "16 exceptions in its memory" test "$(grep -c '^exception [0-9]* error' /tmp/last.dead)" = 16
is "page faults of the program among them, with CR2" grep -q '^exception 14 error [0-9a-f]* rip [0-9a-f]* rsp [0-9a-f]* cr2 [1-9a-f]' /tmp/last.dead
note "the newest: $(head -n 1 /tmp/last.dead)"
