#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# unik-image as a user meets it: images of shipped plugins and of an app from elsewhere, what is in them, the same bytes again,
# and every mistake with a line that says what is wrong. The kernel is a stand-in; nothing is booted here.
set -u
parts=$UNIK_BUILD/image-parts program=$UNIK_BUILD/tools/unik-image/unik-image CC=${CC:-cc}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
if nm "$parts/main.a" | grep -q __asan; then echo "skipped: sanitizers do not go into a static program"; exit 77; fi
$CC -nostdlib -static -Wl,--build-id=none,-Ttext-segment=0xffffffff80100000 -o kernel "$UNIK_SOURCE/tests/xen/floor.S" || exit 99
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL: $*"; sed 's/^/    /' out; }
# run ARGS: with the stand-in kernel; expect NAME RC PATTERN...: its exit code, and lines it must have printed
export UNIK_IMAGE_PARTS=$parts
run() { bash "$program" --kernel kernel "$@" >out 2>&1; rc=$?; }
expect() {
    local name=$1 want=$2 p; shift 2
    [ "$rc" = "$want" ] || { bad "$name: exit $rc, expected $want"; return; }
    for p in "$@"; do grep -q -e "$p" out || { bad "$name: no line with \"$p\""; return; }; done
    ok
}
is() { local name=$1; shift; if "$@"; then ok; else bad "$name"; fi; }

printf 'target = qubes\n[vchan-socket]\n[qubesdb]\n[qrexec]\nmode = serve\n' >vm.conf
mkdir -p site/sub; echo hello >site/index.html; echo deep >site/sub/x; ln -s index.html site/link; printf '#!\n' >site/tool; chmod 755 site/tool

run -c vm.conf -o vm.xen --files site=/srv/www --option qrexec.mode=stub --keep-program vm.elf
expect "an image" 0 '^vm.xen: [0-9]* bytes; vm.cfg: xl create; vm.qubes: commands'
run --describe vm.xen
expect "--describe" 0 '^boots as: PV$' '^  *[0-9]*  kernel' '^  plugin qrexec 1' '^  plugin vchan-socket ' '^  -o qrexec.mode=stub$' \
    '  /etc/unik.conf$' '  /srv/www/index.html$' '  /srv/www/sub/x$' '  /srv/www/link -> index.html$' '  /srv/www/tool \*$'
is "only what the config names" test "$(grep -c '^  plugin' out)" = 3
run --cat vm.xen /etc/unik.conf; is "--cat" cmp -s out vm.conf
run --cat vm.xen /nothing; expect "--cat of nothing" 1 'vm.xen: no such file in it'
is "the program says what is built in" sh -c './vm.elf --describe qrexec | grep -q "from: built in"'
is "stripped" test "$(stat -c %s vm.xen)" -lt "$(($(stat -c %s vm.elf) + 200000))"
for line in 'name = "vm"' 'type = "pvh"' 'kernel = "vm.xen"' 'memory = 32' 'maxmem = 32' 'vcpus = 1'; do
    is "vm.cfg: $line" grep -qxF "$line" vm.cfg; done
for line in 'qvm-create --class StandaloneVM --label green --property netvm='"''"' vm' 'qvm-prefs vm kernel vm' 'qvm-prefs vm virt_mode pvh' \
    'qvm-prefs vm memory 32' 'qvm-prefs vm maxmem 0' 'qvm-features vm no-default-kernelopts 1' 'qvm-features vm qrexec 1' \
    "qvm-features vm gui ''"; do is "vm.qubes: $line" grep -qxF "$line" vm.qubes; done
is "vm.qubes is a script" sh -n vm.qubes
mkdir other; cp -r site other/; touch -d 2001-01-01 other/site/*; chmod 700 other/site
(cd other && umask 077 && mv ../vm.conf . && bash "$program" --kernel ../kernel -c vm.conf -o again.xen --files site=/srv/www \
    --option qrexec.mode=stub >../out 2>&1; mv vm.conf ..)
is "the same inputs elsewhere, the same bytes" cmp -s vm.xen other/again.xen
run -c vm.conf -o pv.xen --type pv --memory 8 --name my-vm
expect "type, memory, name" 0; is "pv.cfg" sh -c 'grep -qx "type = \"pv\"" pv.cfg && grep -qx "memory = 8" pv.cfg && grep -qx "name = \"my-vm\"" pv.cfg'
is "pv.qubes" sh -c 'grep -qx "qvm-prefs my-vm virt_mode pv" pv.qubes && grep -qx "qvm-prefs my-vm memory 8" pv.qubes'

if [ -x "$parts/unik-keyboard" ]; then
    run -c vm.conf -o keys.xen --keyboard de,fr+oss --keyboard us++ctrl:nocaps; expect "--keyboard" 0
    run --describe keys.xen
    expect "layouts are files" 0 '  /usr/share/unik/keyboard/de$' '  /usr/share/unik/keyboard/fr+oss$' '  /usr/share/unik/keyboard/us++ctrl:nocaps$'
    run -c vm.conf -o keys.xen --keyboard de,nowhere; expect "no such layout" 1 'unik-keyboard: nowhere: no such layout' '^unik-image: --keyboard: '
fi

# an app from elsewhere, as source of its own; and one that replaces a shipped one
sed 's/UNIK_PLUGIN(hello)/UNIK_PLUGIN(my_app)/; s/"hello"/"my-app"/; s/\.version = "[^"]*"/.version = "7"/' \
    "$UNIK_SOURCE/apps/hello/hello.c" >mine.c
sed 's/\.version = "[^"]*"/.version = "8"/' "$UNIK_SOURCE/apps/hello/hello.c" >hello.c
for f in mine hello; do $CC -std=gnu11 -O2 -fvisibility=hidden -I"$UNIK_SOURCE/include" -c $f.c || exit 99; done
ar rcD libmine.a mine.o
printf 'target = unix\n[my-app]\ntext = from my own\nevery = 50ms\n' >mine.conf
run -c mine.conf -o mine.xen --plugin mine.o --keep-program mine; expect "an app from elsewhere, as object" 0
./mine -c mine.conf >out 2>&1 & pid=$!
for _ in $(seq 200); do grep -q 'from my own' out && break; sleep 0.05; done
kill -TERM $pid; wait $pid; rc=$?; expect "and it runs" 0 'INF \[my-app\] from my own' 'stopped'
run -c mine.conf -o lib.xen --plugin libmine.a; expect "as archive" 0
run --describe lib.xen; expect "and it is in" 0 'plugin my-app 7'
printf 'target = unix\n[hello]\n' >hello.conf
run -c hello.conf -o hello.xen --plugin hello.o; run --describe hello.xen; expect "instead of a shipped one" 0 'plugin hello 8'

# what is wrong with a config is said before anything is linked, also where a plugin is given
slow() { printf '#!/bin/sh\ncase "$*" in *static-pie*) echo linked >>links ;; esac\nexec %s "$@"\n' "$CC" >slow; chmod +x slow; }
slow; rm -f links
printf 'target = unix\n[my-app]\ntxet = x\n[vchan-socket]\ndomid = x\n' >early.conf
for given in mine.o libmine.a; do
    CC=./slow run -c early.conf -o no.xen --plugin $given
    expect "mistakes early, $given" 1 '^early.conf:3: my-app has no key txet' '^early.conf:5: domid = x'
done
$CC -std=gnu11 -DLATER -I"$UNIK_SOURCE/include" -c -o later.o -x c - <<'END' || exit 99
#include <unik/plugin.h>
void only_in_the_program(void);
static int start(struct unik_ctx *ctx) { only_in_the_program(); unik_ready(ctx); return 0; }
static void stop(struct unik_ctx *ctx) { unik_stopped(ctx); }
UNIK_PLUGIN(my_app) = { UNIK_PLUGIN_HEAD, .name = "my-app", .version = "1", .summary = "x", .targets = UNIK_ON_ANY,
    .start = start, .stop = stop };
END
CC=./slow run -c early.conf -o no.xen --plugin later.o
expect "mistakes of others, where one is checked later" 1 '^unik-image: \[my-app\] is checked when' '^early.conf:5: domid = x'
is "nothing was linked" test ! -e links

# mistakes
run -c mine.conf -o no.xen; expect "its plugin forgotten" 1 '^unik-image: mine.conf: none of its plugins (my-app) is'
printf 'target = qubes\n[qrexec]\nmode = srve\n[vchan-socket]\n[nosuch]\n' >bad.conf
run -c bad.conf -o no.xen; expect "a bad config" 1 '^bad.conf:3: mode = srve' '^bad.conf:5: no plugin nosuch'
run -c none.conf -o no.xen; expect "no config" 1 'none.conf: cannot be read'
run -o no.xen; expect "no -c" 2 'no config given'
run -c vm.conf; expect "no -o" 2 'no output given'
run -c vm.conf -o; expect "no word" 2 'wants a word'
run -c vm.conf -o no.xen --unheard of; expect "unknown option" 2 'what is --unheard'
run -c vm.conf -o no.xen --plugin x.c; expect "a plugin that is source" 2 'x.c: an object'
run -c vm.conf -o no.xen --plugin x.o; expect "a plugin that is not there" 1 'x.o: cannot be read'
run -c vm.conf -o no.xen --option "a.b=c d"; expect "a space" 2 'without spaces'
run -c vm.conf -o no.xen --option a.b=c; expect "an option of no plugin" 1 '^-o: '
run -c vm.conf -o no.xen --files nowhere; expect "no files" 1 'nowhere: No such file'
run -c vm.conf -o no.xen --files site=srv; expect "a path without /" 2 'begins with /'
run -c vm.conf -o no.xen --files site=/a/../b; expect "a path that climbs" 1 '/a/../b'
run -c vm.conf -o no.xen --files /dev/null=/null; expect "a device" 1 'neither file, folder nor link'
run -c vm.conf -o no.xen --name '../x'; expect "a bad name" 2 '--name'
run -c vm.conf -o no.xen --type hvm; expect "a bad type" 2 'pv or pvh'
run -c vm.conf -o no.xen --memory 0; expect "bad memory" 2 'number of MiB'
run -c vm.conf -o no.xen --kernel vm.conf; expect "no kernel" 1 'vm.conf: not an ELF file'
run -c vm.conf -o no.xen --kernel nothing; expect "kernel missing" 1 'nothing: no kernel there'
run -c vm.conf -o /nowhere/no.xen; expect "nowhere to write" 1 '/nowhere/no.xen: No such file'
is "nothing left behind" test ! -e no.xen -a ! -e no.xen.new -a ! -e no.cfg
"$parts/unik-pack" --kernel kernel --program "$(command -v bash)" --output no.xen >out 2>&1; rc=$?; expect "a dynamic program" 1 'not linked statically'
head -c 100000 vm.xen >cut.xen; run --describe cut.xen; expect "a truncated image" 1 'cut.xen: cut off'
cp vm.xen hurt.xen; printf x | dd of=hurt.xen bs=1 seek=200000 conv=notrunc status=none
run --describe hurt.xen; expect "a damaged image" 1 'hurt.xen: its payload is damaged'
run --describe kernel; expect "no image" 1 'not made by unik-image'
UNIK_IMAGE_PARTS=/nowhere bash "$program" -c vm.conf -o no.xen >out 2>&1; rc=$?; expect "not installed" 1 'is unik installed'
run --help; expect "help" 0 '^unik-image -c CONFIG'
run --version; expect "version" 0 '^unik-image [0-9]'

# nothing that goes in is written over, by whatever name it is called
cp vm.conf mine.cfg; cp vm.conf mine.qubes; cp vm.conf real.conf; ln -s real.conf soft.cfg; ln real.conf hard.xen; cp mine.o also.o
sums() { (cd "$work" && find vm.conf mine.cfg mine.qubes real.conf also.o mine.o libmine.a kernel site -type f -exec md5sum {} + | sort); }
before=$(sums)
# spared NAME PATTERN ARGS...: refused at once, with a line
spared() {
    local name=$1 pattern=$2; shift 2
    run "$@"; expect "$name" 1 "^unik-image: .*$pattern"
    is "$name: all is as it was" test "$before" = "$(sums)"
}
spared "the config, by the image's own name" 'over vm.conf' -c vm.conf -o vm.conf
spared "the config, by that of the xl config" 'over mine.cfg' -c mine.cfg -o mine.xen
spared "the config, by that of the commands" 'over mine.qubes' -c mine.qubes -o mine.xen
spared "the config through a soft link" 'over real.conf' -c real.conf -o soft.xen
spared "the config through a hard link" 'over real.conf' -c real.conf -o hard.xen
spared "the config by another path" 'over vm.conf' -c vm.conf -o "site/../vm.conf"
spared "a plugin" 'over mine.o' -c mine.conf -o mine.o --plugin mine.o
spared "an archive" 'over libmine.a' -c mine.conf -o libmine.a --plugin libmine.a
spared "a plugin by --keep-program" 'over mine.o' -c mine.conf -o m.xen --plugin mine.o --keep-program mine.o
spared "the kernel" 'over kernel' -c vm.conf -o kernel
spared "a file that goes in" 'is in site' -c vm.conf -o site/index.html --files site=/srv
spared "one beside those that go in" 'is in site' -c vm.conf -o site/new.xen --files site=/srv
ln site/index.html outside.xen
spared "a hard link to one" 'a file of site' -c vm.conf -o outside.xen --files site=/srv
spared "the image and the program are one file" 'is the same file' -c vm.conf -o one.xen --keep-program one.xen
spared "the image and the program are one, by two names" 'is the same file' -c vm.conf -o one.xen --keep-program ./one.xen
is "a part of unik's own" sh -c '! bash "$1" --kernel kernel -c vm.conf -o "$2/main.a" >out 2>&1 && grep -q "of which the image is made" out' - "$program" "$parts"
# nor what is no file
mkdir folder.xen; mkfifo fifo.xen pipe.cfg; ln -s /dev/null null.xen
spared "a folder" 'is a folder' -c vm.conf -o folder.xen
spared "a folder with a slash" 'is a folder' -c vm.conf -o folder.xen/
spared "a fifo" 'not a file' -c vm.conf -o fifo.xen
spared "a fifo for the xl config" 'not a file' -c vm.conf -o pipe.xen
spared "a device" 'not a file' -c vm.conf -o null.xen
spared "a device for the program" 'not a file' -c vm.conf -o d.xen --keep-program null.xen
is "they are still there" test -d folder.xen -a -p fifo.xen -a -p pipe.cfg -a -c null.xen -a -L null.xen
ln -s target.xen link.xen
run -c vm.conf -o link.xen; expect "a link is followed" 0; is "and stays one" test -L link.xen -a -s target.xen
is "nothing half is left" test -z "$(find . -name '*.??????' -name '*.xen.*' -o -name '*.cfg.*' -o -name '*.qubes.*')"

# said before anything is linked: CC would fail
late() { local name=$1; shift; CC=/bin/false run "$@"; expect "$name, before it is linked" 1 "$pattern"; }
pattern='nowhere: No such file' late "no files" -c vm.conf -o no.xen --files nowhere
pattern='neither file, folder nor link' late "a device" -c vm.conf -o no.xen --files /dev/null=/null
pattern='not an ELF file' late "no kernel" -c vm.conf -o no.xen --kernel vm.conf
pattern='^bad.conf:3: mode = srve' late "a bad config" -c bad.conf -o no.xen
pattern='no such compiler' ; CC=/no/cc run -c vm.conf -o no.xen; expect "no compiler" 1 "$pattern"

# files that the config names
printf 'target = qubes\n[vchan-socket]\n[qrexec]\n# root = /not/this\nservice-path = "/srv/rpc:/srv/www"\nconfig-path = site ; here only\n' >names.conf
run -c names.conf -o names.xen --files site=/srv/www
expect "files that are not in the image" 0 '^unik-image: names.conf:5: service-path = /srv/rpc:/srv/www: there is no /srv/rpc in the image' \
    'names.conf:6: config-path = site: there is no /site in'
is "and no others" test "$(grep -c 'in the image' out)" = 2
run -c names.conf -o names.xen --files site=/srv/www --files site=/srv/rpc --option qrexec.config-path=/srv
expect "all there" 0; is "nothing is said, of files or of this machine" test "$(wc -l <out)" = 1
printf 'target = qubes\n[xenstore]\noptional = yes\n[vchan-xen]\noptional = yes\n[lifecycle]\noptional = yes\n[vchan-socket]\nfallback = yes\n' >here.conf
run -c here.conf -o here.xen
[ ! -e "$parts/plugin-xenstore.a" ] || { expect "what this machine has not" 0; is "is no fault of the image" test "$(wc -l <out)" = 1; }
"$parts/unik-pack" --describe vm.xen >/dev/full 2>out; rc=$?; expect "--describe on a full disk" 1 'No space left'
"$parts/unik-pack" --cat vm.xen /etc/unik.conf >/dev/full 2>out; rc=$?; expect "--cat on a full disk" 1 'No space left'

echo "test-unik-image: $passed passed, $failed failed"
[ "$failed" = 0 ]
