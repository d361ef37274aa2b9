# The back end is in another domain than dom0, which is killed and replaced, as a network VM of Qubes that is restarted.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv
driver() {
    cat >/tmp/$1.cfg <<CFG
name = "$1"
type = "pv"
kernel = "/share/vmlinux"
ramdisk = "/share/driver.cpio"
extra = "console=hvc0 quiet"
memory = 160
vcpus = 1
driver_domain = 1
on_crash = "destroy"
CFG
    xl create -q /tmp/$1.cfg && until_true 180 said $1 'driver: ready'
}
is "a backend domain" driver driver1
guest_vif=mac=00:16:3e:5e:6c:00,ip=10.137.0.7,backend=driver1 net_guest client 7 "-o netfront.retry=100ms" || bad "xl create"
dom0_for $id client --qubesdb /tmp/keys.client
is "connected to dom0" ready client || return
printf 'GET /1k HTTP/1.0\r\n\r\n' >/tmp/get
fetch() { timeout 20 /share/unik-dom0 call --state /tmp/dom0.client probe.Connect+10.137.255.254+8080 </tmp/get | tail -c 1024 >/tmp/page; cmp /tmp/page /share/1k; }
is "connected to its back end" until_true 60 said client "connected to domain $(xl domid driver1)"
is "a page from the backend domain" until_true 60 fetch
downs() { [ "$(counter client netfront disconnects)" = $1 ]; }
for n in 2 3; do
    xl destroy driver$((n - 1))
    is "backend domain $((n - 1)) killed: the link goes down" until_true 60 downs $((n - 1))
    is "the guest answers" test "$(echo x | d client call probe.Echo)" = x
    driver driver$n || bad "xl create driver$n"
    xl network-detach client 0 2>/dev/null
    xl network-attach client mac=00:16:3e:5e:6c:00 ip=10.137.0.7 backend=driver$n
    is "backend domain $n: connected" until_true 60 said client "connected to domain $(xl domid driver$n)"
    is "a page from it" until_true 60 fetch
done
is "no rule broken" test "$(counter client netfront bad_peer)" = 0
rm -f /tmp/get /tmp/page
