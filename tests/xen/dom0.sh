# SPDX-License-Identifier: BSD-2-Clause
# dom0.sh - what the checks share, in the lab's dom0 (busybox sh).
# A check is a file checks/NAME.sh; its first line says what holds, a line "# guests: ..." with which kinds of guest it is run
# if nobody asks for others. It calls ok "what" or bad "what" for each of its lines. $kind is the kind of guest it is run with:
#   linux-pv linux-pvh    a Linux kernel and a ramdisk of the static supervisor
#   image-pv image-pvh    the same program, config and plugins as one file made by unik-image
passed=0 failed=0
consoles=/var/log/xen/console
export UNIK_DOM0_STATE=

now() { read -r up _ </proc/uptime; echo "$up"; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }
ok() { passed=$((passed + 1)); echo "ok   $check/$kind: $*"; }
bad() {
    failed=$((failed + 1)); echo "FAIL $check/$kind: $*"
    for f in $consoles/guest-*.log /tmp/dom0.*.log; do      # those of this check
        [ "$f" -nt /tmp/check ] && { echo "--- $f"; tail -n 15 "$f"; } | sed 's/^/      /'; done
}
note() { echo "note $check/$kind: $*"; }
# is WHAT CONDITION...: a line from a test
is() { local what=$1; shift; if "$@"; then ok "$what"; else bad "$what"; fi; }

# $more: more lines for the guests' configs; the last word on a key counts
more=
# guest NAME [WORDS] [MEMORY] [KERNEL WORDS]: create a guest of this kind that runs the supervisor with these words more; its domid
# is in $id.
guest() { create "$1" guest "$2" "$3" "$4"; }
# program_guest PROGRAM NAME [WORDS] [MEMORY]: one that runs another program of the lab, /PROGRAM of the ramdisk, or
# PROGRAM.xen, with PROGRAM.cpio as ramdisk if there is one
program_guest() { create "$2" "$1" "$3" "$4"; }

# net_guest NAME N [WORDS] [MEMORY]: one with a network card, the network's programs, and the addresses that Qubes would give to the VM
# of that number; $a4 and $a6 are these, /tmp/keys.NAME the QubesDB keys. The bridge is the provider: one address for all, by routes.
net_guest() {
    a4=10.137.0.$2 a6=fd09:24ef:4179::a89:$2
    if ! ip addr show dev xenbr0 | grep -q 10.137.255.254; then
        ip link set xenbr0 down; ip link set xenbr0 address fe:ff:ff:ff:ff:ff; ip link set xenbr0 up
        ip addr add 10.137.255.254/32 dev xenbr0; ip addr add 10.139.1.1/32 dev xenbr0
        ip -6 addr add fd09:24ef:4179::a89:fffe/128 dev xenbr0
    fi
    ip route replace $a4/32 dev xenbr0; ip -6 route replace $a6/128 dev xenbr0
    printf '%s\n' "/qubes-ip $a4" "/qubes-netmask 255.255.255.255" "/qubes-gateway 10.137.255.254" "/qubes-primary-dns 10.139.1.1" \
        "/qubes-secondary-dns 10.139.1.2" "/qubes-ip6 $a6" "/qubes-gateway6 fd09:24ef:4179::a89:fffe" >/tmp/keys.$1
    case $kind in linux-*) set -- "$1" "$2" "-c /etc/net.conf $3" "$4" ;; esac
    local guest_vif=${guest_vif-mac=00:16:3e:5e:6c:0$2,bridge=xenbr0}
    create $1 net "$3" "$4"
}

# Qubes gives its VMs xen_privcmd.unrestricted too: without it a Linux guest may not ask the hypervisor whether another domain
# lives. What Qubes passes by default is passed to images as well: they must not mind.
create() {
    local name=$1 program=$2 words=$3 memory=$4 before=$5 rdinit= kernel extra on_reboot=destroy
    rm -f $consoles/guest-$name.log /var/log/xen/xl-$name.log*
    [ $program = guest ] || rdinit=" rdinit=/${program##*/}"
    case $kind in
    linux-*)
        kernel='kernel = "/share/vmlinux"
ramdisk = "/share/linux.cpio"'
        extra="console=hvc0 quiet xen_privcmd.unrestricted$rdinit -- $words" memory=${memory:-192} ;;
    *)
        case $program in /*) ;; *) program=/share/$program ;; esac
        kernel="kernel = \"$program.xen\""
        [ ! -f $program.cpio ] || kernel="$kernel
ramdisk = \"$program.cpio\""
        extra="root=/dev/mapper/dmroot ro nomodeset console=hvc0 rd_NO_PLYMOUTH$rdinit $before -- $words" memory=${memory:-32} ;;
    esac
    # a triple fault is a reboot to Xen, and the kernel can say nothing of it: bury() has a look
    [ $check != dead ] || on_reboot=preserve
    # QEMU sometimes loses XCR0 of a nested guest (lab): AVX is an invalid opcode then, in whatever program uses it
    [ ${kind#*-} = pv ] || kernel="$kernel
cpuid = \"host,avx=0\""
    cat >/tmp/$name.cfg <<CFG
name = "$name"
type = "${kind#*-}"
$kernel
extra = "$extra"
memory = $memory
vcpus = 1
vif = [${guest_vif:+ '$guest_vif' }]
on_reboot = "$on_reboot"
on_crash = "destroy"
$more
CFG
    xl create -q /tmp/$name.cfg || return 1
    id=$(xl domid $name 2>/dev/null)    # none: it has done its work already
    # for tests/xen/run, which reads in the hypervisor's log how a domain ended
    echo "domain $check/$kind ${id:-$(sed -n 's/.*(domid \([0-9]*\)).*/\1/p' /var/log/xen/xl-$name.log 2>/dev/null | tail -n 1)}"
    return 0
}
# as KIND COMMAND...: for a comparison
as() { local kind=$1; shift; "$@"; }
# ended_by REASON NAME: did the domain end so (0 power off, 1 reboot, 3 crash), as xl's own log of that domain has it?
ended_by() { until_true 60 gone $2 && grep -q "reason code $1" /var/log/xen/xl-$2.log; }
# line NAME TEXT [SECONDS]: when was this on its console, as now() counts?
line() { /share/line $consoles/guest-$1.log "$2" ${3:-180}; }

# dom0_for ID NAME [ARGS...]: unik-dom0 for that guest; state in /tmp/dom0.NAME
dom0_for() {
    local domid=$1 name=$2; shift 2
    mkdir -p /tmp/dom0.$name
    /share/unik-dom0 start --transport xen --state /tmp/dom0.$name --domid $domid --name $name \
        --deadline 120 --connect-timeout 120 "$@" >/tmp/dom0.$name.log 2>&1 &
    eval "dom0_$name=$!"
    dom0_names="$dom0_names $name"
    until_true 60 grep -q '^ready' /tmp/dom0.$name.log
}
d() { local name=$1 command=$2; shift 2; /share/unik-dom0 $command --state /tmp/dom0.$name "$@"; }
ready() { d "$1" wait --seconds "${2:-120}" qrexec && d "$1" wait --seconds 60 qubesdb; }

# until_true SECONDS COMMAND...
until_true() {
    local end n=$(($1 * 10)); shift
    until "$@" 2>/dev/null; do n=$((n - 1)); [ $n -gt 0 ] || return 1; usleep 100000; done
}
# settled COMMAND...: what it prints, once that has been the same for two seconds
settled() {
    local new last same=0 n=0
    new=$("$@")
    while [ $same -lt 4 ] && [ $n -lt 120 ]; do
        usleep 500000; last=$new new=$("$@") n=$((n + 1))
        [ "$new" = "$last" ] && same=$((same + 1)) || same=0
    done
    echo "$new"
}
said() { grep -q -e "$2" $consoles/guest-$1.log; }
address_in_kernel() { awk -v name=$1 '$3 == name { print $1 }' /share/kernel.names; }
# bury NAME: an image that has died, and is kept: the last exceptions of its kernel to /tmp/last.NAME, and it goes
bury() {
    xl list "$1" 2>/dev/null | awk 'NR == 2 { exit !($5 ~ /s/) }' || return 1
    /share/lacking "$(xl domid "$1")" past "$(address_in_kernel past)" >/tmp/last.$1
    xl destroy "$1"
}
gone() { ! xl domid "$1" >/dev/null 2>&1 || { [ $check = dead ] && bury "$1"; }; }

# is_value WHAT WANTED FOUND: a line from a comparison, which says what was found instead
is_value() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: wanted \"$2\", found \"$3\""; fi; }
# a counter of the guest: counter NAME plugin counter. A report that did not come is no counter: it says how the call ended.
counter() {
    d $1 call unik.Status </dev/null >/tmp/report.$1 2>&1 || { echo "no report, exit $?: $(head -n 1 /tmp/report.$1)"; return 1; }
    counter_in /tmp/report.$1 $2 $3
}
counter_in() { awk -v p="$2:" -v c="$3:" '/^[a-z]/ { in_it = $1 == p } in_it && $1 == c { print $2 }' "$1"; }
event_channels() { lsevtchn "$1" 2>/dev/null | wc -l; }
nodes() { xenstore-ls "/local/domain/$1/${2:-data}" 2>/dev/null | wc -l; }
# grant entries of a domain that somebody has mapped or may map, as the hypervisor counts them
grants() { xl debug-keys g; usleep 300000; xl dmesg -c | awk -v d="d$1 " 'index($0, "grant-table for remote d" '"$1"') { on = 1 } /WARNING|no active grant/ { on = 0 } on && /\[0x/ { n++ } END { print n + 0 }'; }

clean_up() {
    local n g
    for n in $dom0_names; do eval "kill \$dom0_$n 2>/dev/null; wait \$dom0_$n 2>/dev/null"; done
    dom0_names=
    for g in $(xl list | awk 'NR > 2 { print $2 }'); do xl destroy $g; done
    rm -rf /tmp/dom0.*
}
run_check() {
    check=$1 kind=$2
    local check_began=$(now)
    : >/tmp/check
    . /share/checks/$check.sh
    clean_up
    note "took $(since $check_began) s"
}
finish_checks() { echo "checks: $passed passed, $failed failed"; [ $failed = 0 ]; }
