#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The apps with windows, from end to end: dom0 calls ask, the user (unik-dom0 gui) types or clicks, the answer comes back;
# status shows what the VM does; all without a complaint of the strict GUI daemon.
. "$(dirname "$0")/e2e/lib.sh"
[ -e "$UNIK_BUILD/apps/.libs/ask.so" ] || { echo "skipped: ask was not built"; exit 77; }

gui() { ask gui --seconds 600 "$@"; }
answered() { wait "$caller"; rc=$?; }
# The list is the daemon's: what the app has done reaches it a little later.
no_window() { ! gui list | grep -q "title \"$1\""; }
asks() {
    until_true no_window 'dom0 asks'
    "$unik_dom0" call --timeout 600 "ask.$1" <<<"$2" >out 2>err & caller=$!; others+=("$caller")
    gui wait 'dom0 asks' >/dev/null
}

dom0 --screen 1280x800
guest 1 '[gui]' 'mode = serve' '[ask]' 'quiet = 50ms' '[status]' 'width = 640' 'height = 480' 'every = 200ms'
ask wait --seconds 600 gui >/dev/null
same "the GUI daemon is served" 0 $?
gui wait status >/dev/null
same "status is there" 0 $?

quiet() { sleep 0.3; }          # the user looks before typing
asks Line 'Your name?'
quiet; gui type 'dom0 asks' 'Grace Hopper'; gui key 'dom0 asks' Return
answered; same "a line" "0 Grace Hopper" "$rc $(cat out)"
asks YesNo 'Delete all?'
quiet; gui screenshot 'dom0 asks' ask.png >/dev/null; same "a picture of it" 0 $?
gui key 'dom0 asks' Return
answered; same "Enter is no at first" "1 no" "$rc $(cat out)"
asks YesNo 'Delete all?'
quiet; gui key 'dom0 asks' Tab; gui key 'dom0 asks' Return
answered; same "Tab and Enter is yes" "0 yes" "$rc $(cat out)"
asks Secret 'Passphrase?'
quiet; gui type 'dom0 asks' 'Xyzzy1'; gui key 'dom0 asks' Escape
answered; same "Escape is cancelled" "1 " "$rc $(cat out)"
asks Secret 'Passphrase?'
gui close 'dom0 asks'
answered; same "closed is cancelled" "1 " "$rc $(cat out)"
asks Line 'The daemon restarts meanwhile:'
ask restart gui >/dev/null; ask wait --seconds 600 gui >/dev/null
gui wait 'dom0 asks' >/dev/null; same "the question is there again after the GUI daemon's restart" 0 $?
quiet; gui type 'dom0 asks' 'still here'; gui key 'dom0 asks' Return
answered; same "and answered" "0 still here" "$rc $(cat out)"

gui screenshot status status.png >/dev/null; same "a picture of status" 0 $?
gui close status; until_true no_window status; same "status closed" 0 $?
call status.Show </dev/null; same "status.Show" 0 $rc
gui wait status >/dev/null; same "brings it back" 0 $?
[ -z "${UNIK_KEEP_PICTURES-}" ] || cp ./*.png "$UNIK_KEEP_PICTURES"
same "violations" 0 "$(violations)"
verdict
