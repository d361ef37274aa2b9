# vchan next to a bare libxenvchan echo: round trip and throughput, in turn, the better of three each.
guest bare || bad "xl create"
sed -i 's|^extra = .*|extra = "console=hvc0 quiet rdinit=/vchan-peer -- echo 0 7 4096"|' /tmp/bare.cfg
xl destroy bare; xl create -q /tmp/bare.cfg; bare=$(xl domid bare)
guest ours; ours=$id
is "the bare one listens" until_true 60 said bare listening
is "ours listens" until_true 60 said ours 'vecho\] ready'
b_trip=999999 o_trip=999999 b_bulk=0 o_bulk=0
for i in 1 2 3; do
    for who in bare ours; do
        set -- $(/share/vchan-peer measure $(eval echo \$$who) 7 3000000) || bad "$who: broken"
        if [ $who = bare ]; then
            b_trip=$(awk -v a=$1 -v b=$b_trip 'BEGIN { print (a < b ? a : b) }'); b_bulk=$(awk -v a=$2 -v b=$b_bulk 'BEGIN { print (a > b ? a : b) }')
        else
            o_trip=$(awk -v a=$1 -v b=$o_trip 'BEGIN { print (a < b ? a : b) }'); o_bulk=$(awk -v a=$2 -v b=$o_bulk 'BEGIN { print (a > b ? a : b) }')
        fi
    done
done
note "round trip: bare $b_trip us, ours $o_trip us: $(awk -v a=$b_trip -v b=$o_trip 'BEGIN { printf "%.2f", a / b }')"
note "echo: bare $b_bulk MB/s, ours $o_bulk MB/s: $(awk -v a=$o_bulk -v b=$b_bulk 'BEGIN { printf "%.2f", a / b }')"
is "measured" test "$o_bulk" != 0
