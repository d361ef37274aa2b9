# vchan next to bare libxenvchan echoes, blocking and with poll(): round trip and throughput, in turn, the better of four each.
# SPDX-License-Identifier: BSD-2-Clause
# guests: linux-pv
bare() {
    program_guest vchan-peer $1 "$1 0 7 4096" || bad "xl create $1"
}
bare echo; id_echo=$id
bare poll; id_poll=$id
guest ours; id_ours=$id
is "the bare ones listen" until_true 60 said echo listening && until_true 60 said poll listening
is "ours listens" until_true 60 said ours 'vecho\] ready'
rm -f /tmp/speed
for i in 1 2 3 4; do
    for who in echo poll ours; do
        figures=$(/share/vchan-peer measure $(eval echo \$id_$who) 7 3000000) || bad "$who: broken"
        echo $who $figures >>/tmp/speed
    done
done
note "$(awk '
    { if (!($1 in trip) || $2 < trip[$1]) trip[$1] = $2; if ($3 > bulk[$1]) bulk[$1] = $3 }
    END {
        printf "round trip: bare %s us, bare with poll %s us, ours %s us: %.2f and %.2f of theirs; ", trip["echo"], trip["poll"],
            trip["ours"], trip["echo"] / trip["ours"], trip["poll"] / trip["ours"]
        printf "echo: %s, %s, %s MB/s: %.2f and %.2f", bulk["echo"], bulk["poll"], bulk["ours"], bulk["ours"] / bulk["echo"],
            bulk["ours"] / bulk["poll"]
    }' /tmp/speed)"
is "measured" test $(wc -l </tmp/speed) = 12
