# From xl create to the app: next to a Linux PV guest with the same program, and to the smallest PV guest that there can be.
# guests: image-pv image-pvh
# created KIND PROGRAM TEXT: seconds from xl create to that text on its console
created() {
    local t=$(now) at
    as $1 program_guest $2 boot || { echo 999; return; }
    at=$(line boot "$3") || at=999
    xl destroy boot
    awk -v a=$t -v b=$at 'BEGIN { printf "%.2f\n", b - a }'
}
rm -f /tmp/boot.*
created image-pv floor 'floor: here' >/dev/null      # xl and the files in memory
for i in 1 2 3 4 5; do
    created image-pv floor 'floor: here' >>/tmp/boot.floor
    created $kind guest '[probe] ready' >>/tmp/boot.image
    [ $i -gt 2 ] || created linux-pv guest '[probe] ready' >>/tmp/boot.linux
done
best() { sort -n /tmp/boot.$1 | head -n 1; }
note "$(best image) s to the app, a Linux PV guest $(best linux) s, the floor $(best floor) s: $(awk -v i=$(best image) -v l=$(best linux) \
    -v f=$(best floor) 'BEGIN { printf "%.1f times faster than Linux, %.2f times the floor", l / i, i / f }') (the best of 5, 2, 5)"
note "image: $(tr '\n' ' ' </tmp/boot.image)floor: $(tr '\n' ' ' </tmp/boot.floor)linux: $(tr '\n' ' ' </tmp/boot.linux)"
is "each came" test "$(cat /tmp/boot.floor /tmp/boot.image /tmp/boot.linux | awk '$1 < 90' | wc -l)" = 12
is "before the Linux guest" awk -v i=$(best image) -v l=$(best linux) 'BEGIN { exit !(i < l) }'
