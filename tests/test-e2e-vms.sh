#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two VMs at one dom0: calls that a VM makes, to dom0 and to the other VM, allowed and refused; both ways at once; and a VM that
# is killed in the middle. t.Call+VM.SERVICE is a VM's call out, which dom0 asks it for here.
. "$(dirname "$0")/e2e/lib.sh"

service p.Echo 'exec cat'
service p.Who 'echo "$QREXEC_REMOTE_DOMAIN asks for $QREXEC_SERVICE_FULL_NAME [$1]"'
mkdir services
printf '#!/bin/sh\nexec cat\n' >services/d.Echo
printf '#!/bin/sh\necho "$QREXEC_REMOTE_DOMAIN asks for $QREXEC_SERVICE_FULL_NAME [$1]"; exit "$1"\n' >services/d.Exit
chmod 755 services/*
cat >policy <<'END'
t.Denied    *           deny
d.Command   dom0        dom0:cat; echo "to $QREXEC_REMOTE_DOMAIN"
t.Echo      @default    allow:right
d.None      dom0        allow
t.Slow      *           allow
t.Fail      *           deny
t.Echo      *           allow
t.Sink      *           allow
t.Source    *           allow
t.Exit      *           allow
t.Err       *           allow
p.Echo      *           allow
p.Who       *           allow
t.Call      *           allow
d.Echo      dom0        allow
d.Exit      dom0        allow
END
seq -f %015.0f 0 624999 >lines          # 10,000,000 bytes

dom0 --policy policy --services services --default-user "$me" \
    --vm domid=1,name=left --vm domid=2,name=right
guest 1
guest 2
call --vm 1 t.Call+right.t.Echo <<<warm; call --vm 2 t.Call+left.t.Echo <<<warm
call --vm 1 t.Call+dom0.d.Echo <<<warm
remember 1; remember 2

# ---- to each other ----
for way in "1 right" "2 left"; do
    vm=${way% *} other=${way#* }
    for size in 0 1 65536 65537 10000000; do
        head -c $size lines >in
        for s in t.Echo p.Echo; do
            call --vm $vm "t.Call+$other.$s" <in
            cmp -s in out && [ $rc = 0 ]; same "to $other, $s, $size bytes" 0 $?
        done
        call --vm $vm "t.Call+$other.t.Sink" <in; same "to $other, in, $size bytes" "0 $size" "$rc $(cat out)"
        call --vm $vm "t.Call+$other.t.Source+$size" </dev/null
        cmp -s in out && [ $rc = 0 ]; same "to $other, out, $size bytes" 0 $?
    done
    call --vm $vm "t.Call+$other.t.Exit+77" </dev/null; same "exit code and stderr from $other" "77 exit 77" "$rc $(cat err)"
    head -c 300000 lines >in; call --vm $vm "t.Call+$other.t.Err" <in
    cmp -s in err && [ $rc = 0 ]; same "stderr from $other" 0 $?
    call --vm $vm "t.Call+$other.p.None" </dev/null; same "no rule for it in $other" 126 $rc
done
call --vm 1 t.Call+right.p.Who+x-y </dev/null; same "who asks" "left asks for p.Who+x-y [x-y]" "$(cat out)"
call --vm 1 t.Call+@default.t.Echo <<<"the default"; same "the default" "0 the default" "$rc $(cat out)"
# there and back, and back again: three calls in each VM, one in the other
call --vm 1 t.Call+right.t.Call+left.t.Call+right.t.Echo <lines
cmp -s lines out && [ $rc = 0 ]; same "through both and back" 0 $?

# ---- refused ----
refused=$(counter 1 qrexec calls_refused)
for s in right.t.Denied dom0.t.Denied right.t.None nowhere.t.Echo left.t.Echo right.t.Fail; do
    call --vm 1 "t.Call+$s" <lines; same "$s is refused" 126 $rc
done
same "refusals counted" 6 $(($(counter 1 qrexec calls_refused) - refused))

# ---- dom0 ----
for size in 0 1 65536 65537 10000000; do
    head -c $size lines >in
    call --vm 2 t.Call+dom0.d.Echo <in
    cmp -s in out && [ $rc = 0 ]; same "to dom0, $size bytes" 0 $?
done
call --vm 2 t.Call+dom0.d.Exit+42 </dev/null; same "exit code of dom0" "42 right asks for d.Exit+42 [42]" "$rc $(cat out)"
call --vm 2 t.Call+@adminvm.d.Command <<<"a command"; same "a command of dom0" $'a command\nto right' "$(cat out)"
call --vm 2 t.Call+dom0.d.None </dev/null; same "no such service in dom0" 127 $rc
nothing_left "calls out" 1; nothing_left "calls out" 2

# ---- many, both ways at once ----
pids=()
for ((i = 0; i < 40; i++)); do
    vm=$((i % 2 + 1)) other=right; [ $vm = 1 ] || other=left
    echo "this is $i" | "$unik_dom0" call --vm $vm --timeout 600 "t.Call+$other.t.Echo" >"out$i" 2>"err$i" & pids+=($!)
done
wrong=0
for ((i = 0; i < 40; i++)); do
    wait "${pids[i]}" && [ "$(cat "out$i")" = "this is $i" ] || { wrong=$((wrong + 1)); head -n 1 "err$i"; }
done
same "40 calls between the VMs, wrong" 0 $wrong
nothing_left "40 calls" 1; nothing_left "40 calls" 2

# ---- a reader that stops, and a caller that leaves, over two VMs ----
mkfifo gate; exec {gate}<>gate
"$unik_dom0" call --vm 1 t.Call+right.t.Source+10000000 </dev/null | { read -r _ <gate; sum; } >sum & slow=$!
"$unik_dom0" call --vm 1 t.Call+right.t.Slow </dev/zero & pid=$!
sleep 0.3
call --vm 1 t.Call+right.t.Echo <<<beside; same "a call beside them" "0 beside" "$rc $(cat out)"
kill $pid; wait $pid 2>/dev/null
echo >&"$gate"; wait $slow; same "the slow reader gets all" "$(sum <lines)" "$(cat sum)"
nothing_left "a reader that stopped" 1; nothing_left "a caller that left" 2

# ---- one is killed in the middle ----
same "violations so far" 0 "$(violations)"
running() { [ "$(report "$1" | sed -n 's/^  calls_running: //p')" = $(($2 + 1)) ]; }
begin() {       # begin FILE VM SERVICE: a call whose input goes on until the gate opens
    { cat lines; read -r _ <gate; } | { "$unik_dom0" call --vm "$2" "$3" >"$1" 2>"$1.err"; echo $? >"$1.rc"; } & pids+=($!)
}
victim() { kill -KILL "${guest_pid[$1]}"; wait "${guest_pid[$1]}" 2>/dev/null; }
pids=()
begin a 1 t.Call+right.t.Echo; begin b 1 t.Call+right.p.Echo; begin c 1 t.Call+right.t.Slow; begin d 2 t.Call+left.t.Echo
until_true running 1 7; same "calls run in the one" 0 $?
until_true running 2 5; same "and in the other" 0 $?
victim 2
printf '\n\n\n\n' >&"$gate"; wait "${pids[@]}"
for f in a b c; do same "call $f into the killed VM" 255 "$(cat $f.rc)"; done
same "a call from the killed VM" 255 "$(cat d.rc)"
nothing_left "the other VM was killed" 1
call --vm 1 t.Call+right.t.Echo <<<x; same "a call to a VM that is not there" 126 $rc
launch 2; connected 2; same "it is back" 0 $?
call --vm 1 t.Call+right.t.Echo <lines; cmp -s lines out && [ $rc = 0 ]; same "calls to it" 0 $?
call --vm 2 t.Call+left.t.Echo <lines; cmp -s lines out && [ $rc = 0 ]; same "calls from it" 0 $?
nothing_left "back again" 1

same "violations but a message cut in two" "" "$(grep VIOLATION dom0.log | grep -v "\[right\].*closed in the middle of a message")"
end_guest 1; same "the one ends in order" 0 $rc
end_guest 2; same "the other ends in order" 0 $rc
verdict
