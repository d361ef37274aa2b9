# Windows: every pixel arrives through grants; 200 resizes, and daemons that restart or die with three windows open, lose none.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv
doit() { for l in "$@"; do echo "$l"; done | d gui call w.Do; }
does() { is "$1" test "$(doit "$1")" = ok; }
seen() {
    d gui gui screenshot $1 /tmp/seen.ppm 2>/dev/null && d gui call w.Picture+$1 </dev/null >/tmp/drawn.ppm && cmp -s /tmp/seen.ppm /tmp/drawn.ppm
}
shows() { is "${2:-window $1} is what its app drew, byte for byte" until_true 60 seen $1; }
all_three() { seen 1 && seen 2 && seen 3; }
left() { echo "$(grants $id) mapped, $(counter gui vchan-xen shared_pages) shared, $(event_channels $id) event channels, $(nodes $id) nodes"; }

guest gui "-o gui.retry-max=50ms -o qrexec.retry-max=50ms -o qubesdb.retry=50ms -o qubesdb.retry-max=50ms" 192 || bad "xl create"
dom0_for $id gui
is "connected" ready gui
is "the GUI agent connects" d gui wait --seconds 60 gui
does 'open 1 301 203 title=one'; shows 1
does 'rect 1 13 17 40 50 0x123456'; shows 1 "after a small damage, window 1"
does 'open 2 90 70 title=two'; does 'open 3 123 45 menu parent=1 at=9,9 title=three'; is "three windows" until_true 60 all_three
d gui gui type 1 'Hi' && d gui gui click 1 5 6
is "keys and mouse arrive" until_true 60 eval 'doit events >>/tmp/happened; grep -q "1 key down 31 0x69 \"i\"" /tmp/happened && grep -q "1 button up 1 at 5,6" /tmp/happened'
case $kind in
image-*) does 'open 4 1920 1080 title=large'; shows 4 "a window of 1920 x 1080, 2025 grants,"; does 'close 4' ;;
esac

before=$(settled left) t=$(now) i=0
while [ $i -lt 200 ]; do
    d gui gui resize 1 $((200 + i * 37 % 301)) $((150 + i * 53 % 151)) || break
    [ $((i % 20)) != 19 ] || until_true 60 seen 1 || break
    i=$((i + 1))
done
is "200 resizes" test $i = 200
note "$(awk -v s="$(since $t)" 'BEGIN { printf "%.0f", s * 5 }') ms each"
d gui gui resize 1 301 203; shows 1
is "no echo of a size is owed" test -z "$(d gui gui list | grep owes)"
after=$(settled left)
is "before and after: $before" test "$before" = "$after" || note "after: $after"

i=0
while [ $i -lt 20 ]; do        # every fifth time it is killed, with all of dom0's daemons; the kernel unmaps
    if [ $((i % 5)) = 4 ]; then
        eval "kill -9 \$dom0_gui"; eval "wait \$dom0_gui" 2>/dev/null
        dom0_for $id gui; ready gui || break
    else
        d gui restart --seconds 0 gui
    fi
    d gui wait --seconds 60 gui && until_true 60 all_three || break
    i=$((i + 1))
done
is "20 restarts of the daemon: three windows, byte for byte, each time" test $i = 20
after=$(settled left)
is "before and after: $before" test "$before" = "$after" || note "after: $after"
does 'close 1'; does 'close 2'; does 'close 3'; settled left >/dev/null
is "all windows closed: no page is shared, none is mapped but those of channels" \
    test "$(counter gui vchan-xen shared_pages)" = 0 -a "$(grants $id)" -lt "${before%% *}"
is "no violation" d gui status --strict >/dev/null
rm -f /tmp/seen.ppm /tmp/drawn.ppm /tmp/happened
