#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# unik-dom0 as a program among others: a start that is refused touches nothing of the one that runs, whatever the two share; what
# was left by one that was killed is in nobody's way; stop ends when all is released; every command whose output is lost says so.
set -u
unik_dom0=${UNIK_BUILD:-.}/tools/unik-dom0/unik-dom0
work=$(mktemp -d /tmp/dom0-XXXXXX) || exit 99
pids=()
trap 'kill -KILL "${pids[@]}" 2>/dev/null; wait; rm -rf "$work"' EXIT
passed=0 failed=0
unset VCHAN_SOCKET_DIR UNIK_DOM0_STATE UNIK_GRANT_DIR
# is NAME WANTED FOUND
is() { if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL: $1: wanted \"$2\", found \"$3\""; fi; }
# start STATE ARGS...: in the background; its number in $pid
start() { local s=$1; shift; "$unik_dom0" start --state "$work/$s" "$@" >"$work/$s.out" 2>"$work/$s.err" & pid=$!; pids+=($pid); }
up() { "$unik_dom0" wait --state "$work/$1" --seconds 600 dom0 || cat "$work/$1.err"; }
# everything there is, and which file it is: a socket that was made anew is another one
things() { (cd "$work" && find "$@" \( -type s -o -name '*.lock' -o -name lock \) -printf '%p %i\n' | LC_ALL=C sort); }
asked() { "$unik_dom0" qubesdb --state "$work/$1" read /name 2>&1; }
# refused NAME TEXT STATE ARGS...: ends with 1 and TEXT
refused() {
    local name=$1 text=$2 rc; shift 2
    start "$@"; wait $pid; rc=$?
    is "$name: is refused" "1 yes" "$rc $(grep -qF "$text" "$work/$1.err" && echo yes || cat "$work/$1.err")"
}

# ---- refused ----
start a --domid 1 --name one --vchan-dir "$work/v"; first=$pid; up a
before=$(things a v)
refused "the same folder" 'in use by another one' a --domid 1 --vchan-dir "$work/v"
refused "the same folder, other sockets" 'in use by another one' a --domid 9 --vchan-dir "$work/w"
refused "another folder over the same sockets" 'the sockets of domain 1: in use by another one' b --domid 1 --vchan-dir "$work/v"
ln -s v "$work/link"
refused "by another name" 'the sockets of domain 1: in use' c --domid 1 --vchan-dir "$work/link"
refused "one VM of two" 'the sockets of domain 1: in use' d --vchan-dir "$work/v" --vm domid=7 --vm domid=1
is "all is as it was" "$before" "$(things a v | grep -v 'dom0\.0\.7\.lock')"
is "and answers" one "$(asked a)"
start e --domid 2 --name two --vchan-dir "$work/v"; second=$pid; up e
is "another VM over the same folder is served" "one two" "$(asked a) $(asked e)"
kill $second; wait $second; is "and goes" 0 $?
is "leaving the first alone" "$before" "$(things a v | grep -v 'dom0\.0\.[27]\.lock')"

# ---- several at once: one of them ----
for i in 1 2 3 4 5 6; do start "race$i" --domid 3 --vchan-dir "$work/r"; racers[i]=$pid; done
for i in 1 2 3 4 5 6; do
    until grep -q '^ready' "$work/race$i.out" || ! kill -0 "${racers[i]}" 2>/dev/null; do sleep 0.02; done
done
is "six starts at once" 1 "$(cat "$work"/race*.out | grep -c '^ready')"
for i in 1 2 3 4 5 6; do ! grep -q '^ready' "$work/race$i.out" || is "the one serves" vm3 "$(asked "race$i")"; kill "${racers[i]}" 2>/dev/null; wait "${racers[i]}"; done

# ---- one that was killed ----
kill -KILL $first; wait $first 2>/dev/null
"$unik_dom0" status --state "$work/a" >"$work/out" 2>&1
is "a socket where nobody listens" "1 yes" "$? $(grep -q 'Connection refused' "$work/out" && echo yes)"
start a --domid 1 --name one --vchan-dir "$work/v"; first=$pid; up a
is "the next one has the folders" one "$(asked a)"

# ---- stop is over when all is released ----
wrong=0
for i in 1 2 3 4 5 6 7 8; do
    "$unik_dom0" stop --state "$work/a" || wrong=$((wrong + 1))
    start a --domid 1 --name one --vchan-dir "$work/v"
    up a || wrong=$((wrong + 1))
    grep -q '^ready' "$work/a.out" || wrong=$((wrong + 1))
done
is "stopped and started at once, wrong" 0 $wrong

# ---- output that is lost ----
d() { local c=$1; shift; "$unik_dom0" "$c" --state "$work/a" "$@"; }
for command in "--help" "--version"; do
    "$unik_dom0" $command >/dev/full 2>"$work/err"; is "$command on a full disk" "1 yes" "$? $(grep -q 'No space left' "$work/err" && echo yes)"
    "$unik_dom0" $command >&- 2>"$work/err"; is "$command, closed" "1 yes" "$? $(grep -q 'Bad file' "$work/err" && echo yes)"
done
for command in "qubesdb read /name" "qubesdb list" "qubesdb list /q" "status"; do
    # shellcheck disable=SC2086 # words
    d $command >/dev/full 2>"$work/err"; is "$command on a full disk" "1 yes" "$? $(grep -q 'No space left' "$work/err" && echo yes)"
    # shellcheck disable=SC2086
    d $command >&- 2>"$work/err"; is "$command, closed" "1 yes" "$? $(grep -q 'Bad file' "$work/err" && echo yes)"
done
d qubesdb write /x 1 >&-; is "what says nothing loses nothing" 0 $?
d qubesdb --count 1 watch /x >/dev/full 2>/dev/null & watcher=$!
until d status >/dev/null && d qubesdb write /x 2 && ! kill -0 $watcher 2>/dev/null; do sleep 0.05; done
wait $watcher; is "watch on a full disk" 1 $?
{ d qubesdb list; echo $? >"$work/rc"; } | head -c 1 >/dev/null
is "a reader that leaves" yes "$(case $(cat "$work/rc") in 0 | 141) echo yes ;; esac)"
start closed --domid 4 --vchan-dir "$work/x" >&-; "$unik_dom0" wait --state "$work/closed" --seconds 600 dom0
is "a dom0 without standard output serves" vm4 "$(asked closed)"
"$unik_dom0" stop --state "$work/closed"

echo "test-dom0-folders: $passed passed, $failed failed"
[ "$failed" = 0 ]
