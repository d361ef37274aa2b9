# dom0.sh - what the checks share, in the lab's dom0 (busybox sh).
# A check is a file checks/NAME.sh; its first line says what holds. It calls ok "what" or bad "what" for each of its lines.
passed=0 failed=0
consoles=/var/log/xen/console
export UNIK_DOM0_STATE=

now() { read -r up _ </proc/uptime; echo "$up"; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }
ok() { passed=$((passed + 1)); echo "ok   $check: $*"; }
bad() {
    failed=$((failed + 1)); echo "FAIL $check: $*"
    for f in $consoles/guest-*.log /tmp/dom0.*.log; do [ -f "$f" ] && { echo "--- $f"; tail -n 15 "$f"; } | sed 's/^/      /'; done
}
note() { echo "note $check: $*"; }
# is WHAT CONDITION...: a line from a test
is() { local what=$1; shift; if "$@"; then ok "$what"; else bad "$what"; fi; }

# guest NAME [TYPE] [EXTRA]: create a guest; its domid is in $id. Qubes gives its VMs xen_privcmd.unrestricted too: without it
# a Linux guest may not ask the hypervisor whether another domain lives.
guest() {
    local name=$1 type=${2:-pv}
    rm -f $consoles/guest-$name.log
    cat >/tmp/$name.cfg <<CFG
name = "$name"
type = "$type"
kernel = "/share/vmlinux"
ramdisk = "/share/guest.cpio"
extra = "console=hvc0 quiet xen_privcmd.unrestricted -- $3"
memory = 192
vcpus = 1
on_reboot = "destroy"
on_crash = "destroy"
CFG
    xl create -q /tmp/$name.cfg || return 1
    id=$(xl domid $name)
}

# dom0_for ID NAME [ARGS...]: unik-dom0 for that guest; state in /tmp/dom0.NAME
dom0_for() {
    local domid=$1 name=$2; shift 2
    mkdir -p /tmp/dom0.$name
    /share/unik-dom0 start --transport xen --state /tmp/dom0.$name --domid $domid --name $name "$@" >/tmp/dom0.$name.log 2>&1 &
    eval "dom0_$name=$!"
    dom0_names="$dom0_names $name"
    until_true 10 test -S /tmp/dom0.$name/control || test -n "$(ls /tmp/dom0.$name)"
}
d() { local name=$1 command=$2; shift 2; /share/unik-dom0 $command --state /tmp/dom0.$name "$@"; }
ready() { d "$1" wait --seconds "${2:-60}" qrexec && d "$1" wait --seconds 20 qubesdb; }

# until_true SECONDS COMMAND...
until_true() {
    local end n=$(($1 * 10)); shift
    until "$@" 2>/dev/null; do n=$((n - 1)); [ $n -gt 0 ] || return 1; usleep 100000; done
}
said() { grep -q -e "$2" $consoles/guest-$1.log; }
gone() { ! xl domid "$1" >/dev/null 2>&1; }

# a counter of the guest: counter NAME plugin counter
counter() { d $1 call unik.Status </dev/null | awk -v p="$2:" -v c="$3:" '/^[a-z]/ { in_it = $1 == p } in_it && $1 == c { print $2 }'; }
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
    check=$1
    local t=$(now)
    . /share/checks/$check.sh
    clean_up
    note "$(since $t) s"
}
finish_checks() { echo "checks: $passed passed, $failed failed"; [ $failed = 0 ]; }
