# Nonsense from a peer, in ring indexes, in the shared page, in xenstore: the channel is dropped with a reason, the guest lives.
# SPDX-License-Identifier: BSD-2-Clause
# guests: linux-pv image-pv image-pvh
guest garbage || bad "xl create"
dom0_for $id garbage
is "connected" ready garbage
for what in prod cons orders all; do
    /share/vchan-peer garbage $id 7 $what
    is "$what: the guest answers" test "$(echo $what | d garbage call probe.Echo)" = $what
    is "$what: and serves the next one" /share/vchan-peer measure $id 7 1000
done
is "a line says why" until_true 60 said garbage 'vecho\] ended: .*bad\|vecho\] ended: .*index'

# as client: what another domain says of its channel
peer="/local/domain/0/data/vchan/$id"
i=0
for pair in "0 0" "-1 -1" "abc def" "99999999999999999999 1" "4294967295 4294967295" "8 4095" " 1" "$(head -c 1500 /dev/zero | tr '\000' 9) 1"; do
    i=$((i + 1))
    xenstore-write $peer/513/ring-ref "${pair% *}" $peer/513/event-channel "${pair#* }"
    xenstore-chmod -r $peer/513 n0 r$id 2>/dev/null
    usleep 50000; xenstore-rm $peer/513
done
is "nonsense in xenstore: the guest answers" test "$(echo $i | d garbage call probe.Echo)" = $i
# (not "suspend": the guest's kernel obeys that one)
for word in "" crash nonsense "$(head -c 900 /dev/zero | tr '\000' x)"; do
    xenstore-write /local/domain/$id/control/shutdown "$word"; usleep 50000
done
is "unknown words in control/shutdown: the guest answers" test "$(echo $i | d garbage call probe.Echo)" = $i
is "no violation" d garbage status --strict
