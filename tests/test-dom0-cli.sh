#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# unik-dom0's command line: every mistake ends with 2, says what is wrong and where to read more, and starts nothing.
set -u
unik_dom0=${UNIK_BUILD:-.}/tools/unik-dom0/unik-dom0
work=$(mktemp -d) || exit 99; trap 'rm -rf "$work"' EXIT
failed=0
unset UNIK_DOM0_STATE

# wrong TEXT ARGS...: exit 2, TEXT on stderr, nothing on stdout
wrong() {
    local text=$1 code; shift
    "$unik_dom0" "$@" >"$work/out" 2>"$work/err" </dev/null; code=$?
    if [ $code != 2 ] || [ -s "$work/out" ] || ! grep -qF -- "$text" "$work/err" || ! grep -q usage: "$work/err"; then
        failed=$((failed + 1)); echo "FAIL: unik-dom0 $*: exit $code, expected 2 and \"$text\"; got:"; cat "$work/err"
    fi
}
# right CODE TEXT ARGS...: that exit code, TEXT on stdout or stderr
right() {
    local want=$1 text=$2 code; shift 2
    "$unik_dom0" "$@" >"$work/out" 2>&1 </dev/null; code=$?
    if [ $code != "$want" ] || ! grep -qF -- "$text" <(cat "$work/out"; echo); then
        failed=$((failed + 1)); echo "FAIL: unik-dom0 $*: exit $code, expected $want and \"$text\"; got:"
        cat "$work/out"
    fi
}

wrong 'which command?'
wrong 'frobnicate: no such command' frobnicate
wrong '--state DIR is missing' start
wrong '--state DIR is missing' status
wrong '--domid x: expected' start --state "$work/s" --domid x
wrong '--domid 0: expected' start --state "$work/s" --domid 0
wrong '--protocol 5: expected' start --state "$work/s" --protocol 5
wrong '--transport tcp: expected' start --state "$work/s" --transport tcp
wrong '--log loud: expected' start --state "$work/s" --log loud
wrong '--fault nonsense: no such fault' start --state "$work/s" --fault nonsense
wrong '--fault restart=-1' start --state "$work/s" --fault restart=-1
wrong '--fault refuse-all=3' start --state "$work/s" --fault refuse-all=3
wrong '--fault drop-control-after' start --state "$work/s" --fault drop-control-after
wrong 'xTIMES' start --state "$work/s" --fault drop-control-after=3y
wrong '--hosts: without --net' start --state "$work/s" --hosts /etc/hosts
wrong '--net: a VM under Xen' start --state "$work/s" --net --transport xen
wrong 'net: something is missing' net --state "$work/s"
wrong 'net exec: which command?' net --state "$work/s" exec
wrong 'net: unplug: not one' net --state "$work/s" unplug
wrong '--deadline 0: expected' start --state "$work/s" --deadline 0
wrong 'a/b: not a name for a VM' start --state "$work/s" --name a/b
wrong 'dom0: not a name for a VM' start --state "$work/s" --name dom0
wrong 'two VMs have domid 2' start --state "$work/s" --vm domid=2,name=a --vm domid=2,name=b
wrong '--vm needs domid=N' start --state "$work/s" --vm name=a
wrong 'colour=red' start --state "$work/s" --vm domid=2,colour=red
wrong 'extra: unexpected' start --state "$work/s" extra
wrong 'something is missing' call --state "$work/s"
wrong 'not SERVICE' call --state "$work/s" 'two words'
wrong 'too many words' exec --state "$work/s" a b
wrong 'does not take' exec --state "$work/s" --strict a
wrong 'expected seconds' exec --state "$work/s" --timeout soon a
wrong 'expected read, write, rm, list or watch' qubesdb --state "$work/s" look /x
wrong 'expected PATH VALUE' qubesdb --state "$work/s" write /x
wrong 'expected PATH' qubesdb --state "$work/s" read
wrong 'not one of those' wait --state "$work/s" windows
wrong 'no such command' gui --state "$work/s" paint
wrong 'gui list: expected no words' gui --state "$work/s" list x
wrong 'gui click: expected WINDOW X Y [BUTTON]' gui --state "$work/s" click 1 2
wrong 'gui resize: expected' gui --state "$work/s" resize 1 2
wrong 'a.gif: expected FILE.png or FILE.ppm' gui --state "$work/s" screenshot 1 a.gif
wrong '.ppm: expected FILE.png' gui --state "$work/s" screenshot 1 .ppm
wrong '--gui-protocol 1.3: expected' start --state "$work/s" --gui-protocol 1.3
wrong '--gui-protocol 1.9: expected' start --state "$work/s" --gui-protocol 1.9
wrong '--screen 0x5: expected' start --state "$work/s" --screen 0x5
wrong '--screen 800: expected' start --state "$work/s" --screen 800
wrong '--clipboard 255: expected' start --state "$work/s" --clipboard 255
wrong 'not one of those' restart --state "$work/s" xenstore
[ -e "$work/s" ] && { failed=$((failed + 1)); echo "FAIL: a mistake left $work/s behind"; }

right 0 'unik-dom0 qubesdb' --help
right 0 'unik-dom0 qubesdb' start --help
right 0 'drop-data-after=N' --help
right 0 'unik-dom0 ' --version
right 1 'No such file' status --state "$work/none"
right 125 'No such file' exec --state "$work/none" user:true
printf '/name work\nname work\n/x/ y\n' >"$work/keys"
printf 'one two\na b dom0\n' >"$work/policy"
right 1 "$work/keys:2: not a path" start --state "$work/t" --qubesdb "$work/keys"
right 1 "$work/keys:3: not a path" start --state "$work/t" --qubesdb "$work/keys"
right 1 "$work/policy:1: expected" start --state "$work/t" --policy "$work/policy"
right 1 "$work/policy:2: expected" start --state "$work/t" --policy "$work/policy"
right 1 'No such file' start --state "$work/t" --qubesdb "$work/nothing"
right 1 'No such file' start --state "$work/none/deep"
[ -e /dev/xen/xenbus ] || [ -e /proc/xen/xenbus ] || right 1 'transport xen: ' start --state "$work/t" --transport xen

# Every option is in the help and in the manual page.
source=${UNIK_SOURCE:-$(dirname "$0")/..}
"$unik_dom0" --help >"$work/help"
options=$(grep -oh '{ "[a-z-]*", [a-z]*_argument' "$source"/tools/unik-dom0/{start,client}.c | cut -d '"' -f 2 |
    sort -u)
[ "$(echo "$options" | wc -l)" -gt 15 ] || { failed=$((failed + 1)); echo "FAIL: found too few options: $options"; }
for o in $options; do
    grep -q -- "--$o\b" "$work/help" && grep -q -- "Fl -$o\b" "$source/man/unik-dom0.1" && continue
    failed=$((failed + 1)); echo "FAIL: --$o is not in --help, or not in the manual"
done
sed -n '/^FAULT/,/^$/s/^  \([a-z0-9-]*\).*/\1/p' "$work/help" | while read -r f; do
    grep -q "^\.It Cm.*\b$f\b" "$source/man/unik-dom0.1" || echo "$f"
done >"$work/missing"
[ -s "$work/missing" ] && { failed=$((failed + 1)); echo "FAIL: faults that the manual lacks: $(cat "$work/missing")"; }

grep -o '{ "[a-z]*", [0-9], [0-9],' "$source/tools/unik-dom0/gui-client.c" | cut -d '"' -f 2 | while read -r c; do
    grep -q -- "|*\b$c\b" "$work/help" && grep -q "Cm $c\b" "$source/man/unik-dom0.1" || echo "$c"
done >"$work/missing"
[ -s "$work/missing" ] && { failed=$((failed + 1)); echo "FAIL: gui commands that help or manual lack: $(cat "$work/missing")"; }

# A folder serves one dom0 at a time. Who waits for it may come before it.
right 1 'No such file' wait --state "$work/t" --seconds 0.1 dom0
"$unik_dom0" wait --state "$work/t" --seconds 600 dom0 & waiter=$!
"$unik_dom0" start --state "$work/t" >"$work/ready" 2>/dev/null & pid=$!
wait $waiter || { failed=$((failed + 1)); echo "FAIL: wait dom0 ended with $?"; }
right 1 'in use by another one' start --state "$work/t"
right 2 'no such fault' fault --state "$work/t" nonsense
right 0 '' stop --state "$work/t"
wait $pid || { failed=$((failed + 1)); echo "FAIL: start ended with $?"; }
# A long path.
deep=$work/$(printf 'd%.0s' $(seq 120)); mkdir "$deep"
"$unik_dom0" start --state "$deep" --vchan-dir "$work/v" >"$work/ready" 2>/dev/null & pid=$!
for _ in $(seq 6000); do grep -q ready "$work/ready" && break; sleep 0.01; done
right 0 'violations: 0' status --state "$deep"
kill $pid; wait $pid || { failed=$((failed + 1)); echo "FAIL: start in a long path ended with $?"; }
echo "$failed failed"
[ "$failed" = 0 ]
