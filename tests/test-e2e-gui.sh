#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Windows, end to end: an app draws and is told what the user does; unik-dom0 shows it, as strict as qubes-guid; daemons and
# guests go and come back; the picture is the app's in the end, byte for byte.
E2E_SECONDS=${E2E_SECONDS:-400}
. "$(dirname "$0")/e2e/lib.sh"

window_app=$UNIK_BUILD/tests/e2e/.libs/window-app.so
gui() { ask gui "$@"; }
# doit LINE...: what the app answers, one word a line
doit() { printf '%s\n' "$@" >lines; "$unik_dom0" call --user "$me" --timeout 600 w.Do <lines 2>err; }
# does LINE: the app can; fails ERROR LINE: it cannot, and says why
does() { same "$1" ok "$(doit "$1")"; }
fails() { same "$2" "$1" "$(doit "$2")"; }
# The user sees what the app drew. A window that is not there yet has no picture.
seen() { gui screenshot "$1" seen.ppm 2>/dev/null && "$unik_dom0" call --user "$me" "w.Picture+$1" >drawn.ppm && cmp -s seen.ppm drawn.ppm; }
shows() { until_true seen "$1"; same "${2:-window $1} is what its app drew" 0 $?; }
# The app's numbers of windows and those on the wire are the same here: the agent counts from 1 and reuses none.
events() { doit events | grep -v '^ok$'; }
happened() { events >>happened; grep -qxF -- "$1" happened; }
# told LINE: it happens, soon
told() { until_true happened "$1" >/dev/null; same "told \"$1\"" 0 $?; }
listed() { gui list | grep -q -- "$1"; }
lists() { until_true listed "$1"; same "dom0 lists $1" 0 $?; }
no_windows() { [ -z "$(gui list)" ]; }
windows() { ask status | sed -n 's/^gui: .* \([0-9]*\) windows.*/\1/p'; }

dom0 --screen 1920x1080
guest 1 '[gui]' 'mode = serve' 'retry-max = 50ms' '[window-app]' "file = $window_app"
ask wait --seconds 600 gui; same "the agent connects" 0 $?

# ---- drawing ----
does 'open 1 300 200 title=first'
gui --seconds 600 wait first; same "a window appears" 0 $?
shows 1
for r in '0 0 1 1' '299 199 1 1' '-5 -5 10 10' '290 190 50 50' '1000 1000 5 5' '7 9 100 3'; do does "rect 1 $r 0x123456"; done
shows 1 "after small damages, window 1"
printf 'rect 1 %d %d 2 2 %d\n' $(for i in {1..300}; do echo $((i * 7 % 300)) $((i * 11 % 200)) $((i * 4099)); done) >many
call w.Do <many; same "300 damages at once" 300 "$(grep -c ok out)"
shows 1 "after 300 damages, window 1"
does 'title 1 a new title'; lists 'title "a new title"'

# ---- the user ----
gui type 1 'Az 1'; told '1 key down 38 0x41 "A" modifiers 1'; told '1 key up 38 0x41 "" modifiers 1'
grep -q '1 key down 65 0x20 " " modifiers 0' happened; same "a blank" 0 $?
gui key 1 Tab; told '1 key down 23 0xff09 "" modifiers 0'
gui key 1 ctrl+shift+F5; told '1 key down 71 0xffc2 "" modifiers 5'
gui click 1 30 40 3; told '1 button down 3 at 30,40'; told '1 button up 3 at 30,40'
grep -qx '1 motion 30,40' happened && grep -qx '1 pointer in' happened && grep -qx '1 focus in' happened
same "pointer and focus before" 0 $?
gui close 1; told '1 close'
gui minimise 1; told '1 state 4'; gui restore 1; told '1 state 0'

# ---- sizes ----
gui resize 1 640 480; told '1 resize 640x480'; shows 1 "after a resize, window 1"
for i in {1..40}; do gui resize 1 $((200 + i * 9 % 100)) $((100 + i * 7 % 90)); done
shows 1 "after 40 resizes, window 1"; lists '^0x1 shown 260x110'
same "no echo is owed" "" "$(gui list | grep owes)"
gui move 1 5 6; lists 'at 5,6'
does 'resize 1 123 45'; told '1 resize 123x45'; shows 1 "after its own resize, window 1"; lists '123x45 at 5,6'
does 'state 1 1 0'; told '1 resize 1920x1080'; told '1 state 1'; shows 1 "fullscreen, window 1"
does 'state 1 0 1'; shows 1 "and back, window 1"; lists '123x45 at 5,6'

# ---- what cannot be ----
fails 'Invalid argument' 'open 2 0 10'; fails 'Invalid argument' 'open 2 10 -1'; fails 'Invalid argument' 'open 2 16385 1'
fails 'Invalid argument' 'open 2 1 6145'; fails 'Invalid argument' 'resize 1 0 0'; fails 'Invalid argument' 'resize 1 70000 5'
fails 'Invalid argument' 'state 1 3 1'; fails 'Invalid argument' 'cursor 1 0x300'
fails 'Invalid argument' "title 1 $(printf 'x%.0s' {1..128})"; fails 'Message too long' 'clip-size 256001'
shows 1 "after all that, window 1"

# ---- kinds of windows ----
does 'open 2 100 80 menu parent=1 at=10,10 title=menu'; lists ', menu, of 0x1,'; shows 2 menu
does 'open 3 64 64 docked title=icon'; told '3 resize 24x24'; shows 3 icon
does 'open 4 50 60 hidden title=later'; lists '^0x4 hidden'; does 'show 4 1'; shows 4 'what was hidden'
does 'show 4 0'; lists '^0x4 hidden'; does 'show 4 1'; shows 4 'what was hidden twice'
does 'close 3'; does 'close 4'; does 'close 2'
only_one() { [ "$(windows)" = 1 ]; }
until_true only_one; same "the others are gone" 0 $?

# ---- clipboard ----
does 'clip from the guest'; same "copy" 'from the guest' "$(gui copy 1)"
told '1 copy'
printf 'from dom0' >text; gui paste 1 <text; told '1 paste 9 "from dom0"'
does 'clip-size 64000'; same "64000 bytes" 64000 "$(gui copy 1 | wc -c)"
does 'clip-size 256000'; gui copy 1 >out 2>err; same "256000 are over dom0's limit" "1 0" "$? $(wc -c <out)"
head -c 256000 /dev/zero | tr '\0' y >text; gui paste 1 <text; told "1 paste 256000 \"$(head -c 40 text)\""

# ---- the daemon goes and comes back, at any moment ----
does 'open 5 90 70 title=fifth'; does 'open 6 60 61 title=sixth'
three() { [ "$(windows)" = 3 ] && seen 1 && seen 5 && seen 6; }
until_true three; same "three windows" 0 $?
ask restart --seconds 0.3 gui
does 'rect 5 3 3 20 20 0xff0000'; does 'resize 6 77 55'; does 'title 1 while away'     # while nobody looks
until_true three; same "a restart: three windows again" 0 $?
lists 'title "while away"'; lists '77x55'
for n in {1..25}; do
    ask fault "drop-gui-after=$n"; ask restart --seconds 0 gui
    doit "fill 5 $n" "resize 6 $((50 + n)) 55" >/dev/null
done
ask fault none; until_true three; same "a daemon that leaves after each of 25 messages: three windows again" 0 $?
ask fault half-gui; gui resize 1 150 140; shows 1 "halves of messages: window 1"; ask fault none
ask fault slow-gui=2000
for i in {1..20}; do doit "fill 1 $i" "rect 5 $i $i 9 9 $i" "resize 6 $((60 + i)) 50" >/dev/null; done
ask fault none; until_true three; same "a daemon that reads slowly: three windows" 0 $?

# ---- the guest goes and comes back ----
kill -HUP "${guest_pid[1]}"; until_true no_windows; same "SIGHUP: no windows are left" 0 $?
again() { [ "$(doit 'open 1 40 50 title=again')" = ok ]; }
until_true again; gui --seconds 600 wait again; same "the new app has its own" 0 $?
end_guest 1; same "the guest ends in order" 0 $rc
same "no file is left of its pages" "" "$(ls "$work/state/vchan/grants" 2>/dev/null)"
same "violations" 0 "$(violations)"
stop_dom0; same "dom0 ends without a violation" 0 $?

# ---- another domain has the screen ----
dom0 --screen 1920x1080; launch 1; connected 1; ask wait --seconds 600 gui
does 'open 1 300 200 title=first'; does 'open 2 90 70 title=second'
until_true seen 1; until_true seen 2; same "windows in dom0" 0 $?
"$unik_dom0" start --state "$work/gui" --vchan-dir "$work/state/vchan" --gui-domain 5 --screen 1001x700 >gui.out 2>>dom0.log & others+=($!)
until_true grep -qs '^ready' gui.out; gui_pid=$!
there() { "$unik_dom0" "$1" --state "$work/gui" "${@:2}"; }
seen_there() { there gui screenshot "$1" seen.ppm 2>/dev/null && "$unik_dom0" call --user "$me" "w.Picture+$1" >drawn.ppm && cmp -s seen.ppm drawn.ppm; }
same "not there yet" "unik-dom0: the VM's GUI agent is not connected" "$(there gui list 2>&1)"
ask qubesdb write /qubes-gui-domain-xid 5
there wait --seconds 600 gui; same "the agent connects to domain 5" 0 $?
until_true seen_there 1; same "the first window is there, as drawn" 0 $?
until_true seen_there 2; same "the second one too" 0 $?
same "and no longer in dom0" "unik-dom0: the VM's GUI agent is not connected" "$(gui list 2>&1)"
there gui resize 1 333 111; told '1 resize 333x111'; until_true seen_there 1; same "resized there" 0 $?
ask qubesdb write /qubes-gui-domain-xid 0; ask wait --seconds 600 gui
shows 1 "back in dom0, window 1"; shows 2 "back in dom0, window 2"; lists '333x111'
same "violations in both" "0 0" "$(violations) $(there status | awk '/^violations: / { n += $2 } END { print n + 0 }')"
kill $gui_pid; wait $gui_pid; same "domain 5 ends without a violation" 0 $?
end_guest 1; stop_dom0; same "so does dom0" "0 0" "$rc $?"

# ---- versions ----
for v in 1.4 1.5 1.6 1.7; do
    dom0 --gui-protocol $v; launch 1; connected 1; ask wait --seconds 600 gui
    does 'open 1 30 20 title=old'; gui --seconds 600 wait old; shows 1 "$v: window 1"
    gui resize 1 60 60; shows 1 "$v: after a resize, window 1"
    does 'open 2 30 20'; does 'close 1'; shows 2 "$v: window 2"
    ask restart --seconds 0 gui; until_true seen 2; same "$v: a restart" 0 $?
    same "$v: violations" 0 "$(violations)"
    end_guest 1; stop_dom0; same "$v: the end" "0 0" "$rc $?"
done
verdict
