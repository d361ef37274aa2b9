# From xl create to the app: next to a Linux PV guest with the same program, and to the smallest PV guest that there can be.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv image-pvh
# config NAME KIND PROGRAM: how it is created
config() {
    as $2 program_guest $3 boot || bad "$1: xl create"
    mv /tmp/boot.cfg /tmp/config.$1
    xl destroy boot; until_true 60 gone boot
}
# created NAME TEXT: seconds from xl create to that text on its console, which is looked at all the while, to /tmp/boot.NAME
created() {
    local t line
    rm -f $consoles/guest-boot.log
    line boot "$2" >/tmp/at & line=$!
    t=$(now)
    xl create -q /tmp/config.$1
    wait $line || echo 999 >/tmp/at
    awk -v a=$t '{ printf "%.2f\n", $1 - a }' /tmp/at >>/tmp/boot.$1
    xl destroy boot
}
# The Linux guest is the same whatever the kind of image: the figures of the first kind serve the next.
rm -f /tmp/boot.floor /tmp/boot.image; linux=3
[ ! -f /tmp/boot.linux ] || linux=0
config floor image-pv floor
config image $kind guest
config linux linux-pv guest
for i in 1 2 3 4 5; do
    created floor 'floor: here'
    created image '[probe] ready'
    [ $i -gt $linux ] || created linux '[probe] ready'
done
best() { sort -n /tmp/boot.$1 | head -n 1; }
middle() { sort -n /tmp/boot.$1 | awk '{ t[NR] = $1 } END { print t[(NR + 1) / 2] }'; }
compared() {    # WHICH
    note "$1: $($1 image) s to the app, a Linux PV guest $($1 linux) s, the floor $($1 floor) s: $(awk -v i=$($1 image) -v l=$($1 linux) \
        -v f=$($1 floor) 'BEGIN { printf "%.1f times faster than Linux, %.2f times the floor", l / i, i / f }')"
}
compared best; compared middle
note "image: $(tr '\n' ' ' </tmp/boot.image)floor: $(tr '\n' ' ' </tmp/boot.floor)linux: $(tr '\n' ' ' </tmp/boot.linux)"
is "each came" test "$(cat /tmp/boot.floor /tmp/boot.image /tmp/boot.linux | awk '$1 < 90' | wc -l)" = 13
is "before the Linux guest" awk -v i=$(best image) -v l=$(best linux) 'BEGIN { exit !(i < l) }'
rm -f /tmp/config.* /tmp/at
