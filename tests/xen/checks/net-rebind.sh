# dom0's driver lets go of a guest's card and takes it again, in place, several times: the guest comes back each time.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv
net_guest card 6 || bad "xl create"
dom0_for $id card --qubesdb /tmp/keys.card
is "connected to dom0" ready card 90 || return
up() { until_true 60 ping -c 1 -W 1 $a4; }
links() { counter card netfront connects; }
is "ping" up
driver=/sys/bus/xen-backend/drivers/vif node=/local/domain/0/backend/vif/$id/0
n=0
while [ $n -lt 3 ]; do
    before=$(links)
    echo vif-$id-0 >$driver/unbind; usleep 300000
    echo vif-$id-0 >$driver/bind; usleep 300000
    # elsewhere udev does that, as it does at a card's first time
    XENBUS_PATH=$node vif=vif$id.0 /etc/xen/scripts/vif-bridge online
    up || break
    [ "$(links)" -gt "$before" ] || break
    n=$((n + 1))
done
is "bound again, 3 times" test $n = 3
[ $n = 3 ] || { xenstore-ls /local/domain/$id/device/vif; xenstore-ls /local/domain/0/backend/vif/$id; }
is "no rule broken" test "$(counter card netfront bad_peer)" = 0
note "reminders: $(counter card netfront reminders)"
xl shutdown card
is "powers off when told" until_true 60 gone card
