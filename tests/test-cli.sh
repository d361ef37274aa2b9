#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# unik-supervisor as a user meets it: exit codes, every mistake with its place, real .so files good and bad, signals.
set -u
program=$UNIK_BUILD/unik-supervisor
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
passed=0 failed=0
ok() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAIL: $*"; sed 's/^/    /' out; }
# expect NAME RC PATTERN... : the last run's exit code, and lines it must have printed
run() { "$program" "$@" >out 2>&1; rc=$?; }
expect() {
    local name=$1 want=$2 p; shift 2
    [ "$rc" = "$want" ] || { bad "$name: exit $rc, expected $want"; return; }
    for p in "$@"; do grep -q -e "$p" out || { bad "$name: no line with \"$p\""; return; }; done
    ok
}

cat >good.conf <<'END'
target = unix
[hello]
text = good day
every = 50ms
END
run -c good.conf --check; expect "check" 0 '^ok: 1 plugins'
run --version; expect "version" 0 '^unik-supervisor [0-9]'
for library in lwIP mbedTLS; do        # compiled with us, if its plugin is there
    case $library in lwIP) plugin=net-lwip ;; mbedTLS) plugin=tls ;; esac
    [ ! -e "$UNIK_BUILD/plugins/.libs/$plugin.so" ] || { run --version; expect "version of $library" 0 "^$library [23]\."
        run --describe $plugin; expect "version of $plugin's library" 0 "^\[$plugin\] 1, $library [23]\."; }
done
run --help; expect "help" 0 'usage:'
run; expect "nothing given" 2 'usage:'
run -c good.conf extra; expect "extra word" 2 'usage:'
run --unheard-of; expect "unknown option" 2 'usage:'
run -c missing.conf; expect "missing file" 2 'missing.conf: cannot be read: No such file'
run --describe hello; expect "describe" 0 '^\[hello\]' 'how often' 'default 1m' 'counter said'
run --describe nothing; expect "describe nothing" 2 'no plugin nothing'
run --describe supervisor; expect "describe supervisor" 0 'drain-timeout' 'on-failure'
run -c good.conf -o hello.every=soon --check; expect "bad -o" 2 '^-o: every = soon: expected a time'
run -c good.conf -o hello.txt=1 --check; expect "unknown -o" 2 '^-o: hello has no key txt'
run -c good.conf --log loud --check; expect "bad --log" 2 'loud: expected source:level'
run -o target=unix -o hello.text=x --check; expect "no file, only -o" 0 '^ok: 1'

cat >bad.conf <<'END'
target = mars
[hello]
every = soon
txt = 4
not a line
[nosuch]
END
run -c bad.conf
expect "all mistakes" 2 '^bad.conf:1: target = mars: expected qubes or unix' '^bad.conf:3: every = soon' \
    '^bad.conf:4: hello has no key txt' '^bad.conf:5: expected' '^bad.conf:6: no plugin nosuch'

# shared objects that are not what they should be
for t in "notso:text" "nosymbol:int x;" \
    "magic:#include <unik/plugin.h>
     UNIK_PLUGIN(magic) = { .magic = 1, .abi = UNIK_ABI_MAJOR, .size = sizeof(struct unik_plugin), .name = \"magic\" };" \
    "abi:#include <unik/plugin.h>
     UNIK_PLUGIN(abi) = { .magic = UNIK_PLUGIN_MAGIC, .abi = 77, .size = sizeof(struct unik_plugin), .name = \"abi\" };" \
    "name:#include <unik/plugin.h>
     UNIK_PLUGIN(name) = { UNIK_PLUGIN_HEAD, .name = \"other\" };" \
    "callback:#include <unik/plugin.h>
     UNIK_PLUGIN(callback) = { UNIK_PLUGIN_HEAD, .name = \"callback\", .version = \"1\", .summary = \"s\", .targets = 3 };"; do
    n=${t%%:*}
    if [ "$n" = notso ]; then echo "${t#*:}" >notso.so
    else echo "${t#*:}" >"$n.c"
        ${CC:-cc} -shared -fPIC -I"$UNIK_SOURCE/include" -o "$n.so" "$n.c" || exit 99
    fi
    { echo "target = unix"; echo "[$n]"; } >"$n.conf"
done
export UNIK_PLUGIN_PATH=$work:$UNIK_PLUGIN_PATH
run -c notso.conf; expect "not a shared object" 2 'notso.so: '
run -c nosymbol.conf; expect "no symbol" 2 'nosymbol.so: not a plugin: no symbol unik_plugin_nosymbol'
run -c magic.conf; expect "wrong magic" 2 'magic.so: not a plugin: magic is 0x1, expected 0x4b494e55'
run -c abi.conf; expect "wrong ABI" 2 'made for ABI 77, this program has ABI 2'
run -c name.conf; expect "wrong name" 2 'calls itself other, expected name'
run -c callback.conf; expect "missing callback" 2 'callback.so: no start()'

# signals; HUP loads a rebuilt app
wait_for() { for _ in $(seq 1200); do grep -q -e "$1" out && return 0; sleep 0.05; done; bad "no \"$1\""; return 1; }
sed "s/UNIK_PLUGIN(hello)/UNIK_PLUGIN(mine)/; s/\"hello\"/\"mine\"/; s/Hello, world!/first/" \
    "$UNIK_SOURCE/apps/hello/hello.c" >mine.c
build() { ${CC:-cc} -shared -fPIC -I"$UNIK_SOURCE/include" -o mine.so.new mine.c -lev && mv mine.so.new mine.so; }
build || exit 99
printf 'target = unix\n[mine]\nevery = 50ms\n' >mine.conf
"$program" -c mine.conf >out 2>&1 & pid=$!
wait_for 'INF \[mine\] first' && ok
kill -USR1 $pid; wait_for 'mine: ready for' && ok
sed -i 's/"first"/"second"/' mine.c; build || exit 99
kill -HUP $pid; wait_for 'INF \[mine\] second' && ok
kill -TERM $pid; wait $pid; rc=$?
expect "SIGTERM" 0 'stopping: SIGTERM' 'INF \[supervisor\] stopped'
"$program" -c good.conf >out 2>&1 & pid=$!
wait_for 'good day' && kill -INT $pid; wait $pid; rc=$?
expect "SIGINT" 0 'stopping: SIGINT'

# the reload of an app: whatever the file has become, the program goes on and says what is wrong, and mended it runs again
app() { cat >mine.c; build || exit 99; }
again() { : >seen; kill -HUP $pid; wait_for "$1" && ok; : >out; }
"$program" -c mine.conf >>out 2>&1 & pid=$!
wait_for 'INF \[mine\] second' && ok; : >out
cp mine.c good.c; cp mine.so good.so
head -c 6000 good.so >mine.so; again 'mine.so: cut short'
: >mine.so; again 'mine.so: empty'
head -c 40 good.so >mine.so; again 'mine.so: not a shared object'
# damaged inside: the linker would end in a signal
{ head -c 64 good.so; head -c $(($(stat -c %s good.so) - 64 - 3000)) /dev/zero; tail -c 3000 good.so; } >mine.so
again 'could not be loaded again: mend it and send SIGHUP'
for from in 512 1024 2048; do
    cp good.so mine.so; head -c 512 /dev/urandom | dd of=mine.so bs=1 seek=$from conv=notrunc 2>/dev/null
    kill -HUP $pid; wait_for 'could not be loaded again\|INF \[mine\] second' && ok; : >out
done
app <good.c; again 'INF \[mine\] second'
# in its place, while it runs
cat /dev/null >mine.so; sleep 0.2; : >out; wait_for 'INF \[mine\] second' && ok
sed 's/\.start = /.needs = (const char *const[]){ "none\/1", NULL }, .start = /' good.c | app
again 'mine needs none/1, and no plugin here provides it'
sed 's/UNIK_APP/0/' good.c | app; again 'mine is no app any more'
app <good.c; again 'INF \[mine\] second'
# an app that leaves its timer active: freed, in its own memory, freed within something, and in a stop() that takes a while
leaves='mine\] stopped and left behind active watchers: timer 1$'
sed '/ev_timer_stop/d' good.c | app; again 'INF \[mine\] second'
sed '/ev_timer_stop/d; /free(ctx->data)/d; s/ev_timer \*timer = calloc.*/static ev_timer one, *timer = \&one;/' good.c | app; again "$leaves"
wait_for 'INF \[mine\] second' && ok
sed '/ev_timer_stop/d; s/sizeof(\*timer)/sizeof(*timer) + 64/; s/^    if (!timer)/    timer += 1;\n&/; s/free(ctx->data)/free((ev_timer *)ctx->data - 1)/' good.c | app
again "$leaves"; wait_for 'INF \[mine\] second' && ok
sed '/ev_timer_stop/d; s/^static void stop/static void late(int revents, void *arg)\n{\n    (void)revents;\n    unik_stopped(arg);\n}\n\n&/
    s/ev_timer \*timer = calloc.*/static ev_timer one, *timer = \&one;/; s/free(ctx->data);/ev_once(ctx->loop, -1, 0, 0.2, late, ctx);/; /^    unik_stopped(ctx);/d' good.c | app
again "$leaves"; wait_for 'INF \[mine\] second' && ok
app <good.c; again "$leaves"; wait_for 'INF \[mine\] second' && ok
kill -TERM $pid; wait $pid; rc=$?; [ $rc = 0 ] && ok || bad "exit $rc after reloads"

# mistakes of a plugin that the host can see
mistake() { sed "$2" good.c | app; "$program" -c mine.conf >out 2>&1 & pid=$!; wait_for "$1" && ok; kill -TERM $pid; wait $pid; rc=$?
    [ $rc = 0 ] && ok || bad "exit $rc: $1"; }
mistake 'mine\] failed: ready without having published thing/1' 's/\.start = /.provides = (const char *const[]){ "thing\/1", NULL }, .start = /'
mistake 'mine\] failed: start() returned 22' 's/^    unik_ready(ctx);/&\n    if (ctx) return 22;/'
mistake 'not ready after 10 s: it does not say what' 's/^    unik_ready(ctx);//'

# a callback that takes long is told under its plugin's name
sed 's/^#include <unik\/plugin.h>/&\n#include <unistd.h>/; s/^    unik_ready(ctx);/&\n    usleep(300000);/; s/^    unik_info(/    usleep(200000);\n&/' good.c | app
grep -c usleep mine.c >/dev/null || bad "hello.c has changed"
"$program" -c mine.conf -o slow-callback=100ms >out 2>&1 & pid=$!
wait_for 'WRN \[mine\] slow: start() took [0-9]' && ok
wait_for 'WRN \[mine\] slow: a callback took [0-9]' && ok
kill -TERM $pid; wait $pid
app <good.c

# --describe goes on behind an object that would kill it
cp good.so bad.so; { head -c 64 good.so; head -c $(($(stat -c %s good.so) - 64 - 3000)) /dev/zero; tail -c 3000 good.so; } >damaged.so
head -c 5000 good.so >cut.so
run --describe; expect "describe with damaged files" 0 '^\[mine\]' '^\[hello\]'
run --describe cut; expect "describe a cut one" 2 'cut.so: cut short'

# what is inherited: descriptors, signals, file mode, limits
status_of() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"; }
until_ready() { for _ in $(seq 600); do grep -q 'ready: 1 plugins' out && return 0; sleep 0.05; done; bad "not ready"; return 1; }
(umask 077; exec env --ignore-signal=CHLD,HUP,TERM --block-signal=TERM,CHLD,USR1 "$program" -c good.conf >out 2>&1) & pid=$!
until_ready && ok
[ "$(status_of Umask)" = 0022 ] && ok || bad "umask $(status_of Umask)"
[ "$(status_of SigBlk)" = 0000000000000000 ] && ok || bad "blocked: $(status_of SigBlk)"
[ $((0x$(status_of SigIgn) & 0x11001)) = $((0x1000)) ] && ok || bad "ignored: $(status_of SigIgn)"
kill -USR1 $pid; wait_for 'hello: ready for' && ok
kill -TERM $pid; wait $pid; rc=$?; expect "TERM was ignored and blocked" 0
(ulimit -n 32; exec "$program" -c good.conf >out 2>&1) & pid=$!
until_ready; kill -TERM $pid; wait $pid; rc=$?; expect "few descriptors" 0 'may open 32 files'
"$program" -c good.conf 0<&- 1>&- 2>&- & pid=$!
for _ in $(seq 600); do [ -e /proc/$pid/fd/3 ] && break; sleep 0.05; done
for fd in 0 1 2; do
    [ "$(readlink /proc/$pid/fd/$fd)" = /dev/null ] && ok || bad "descriptor $fd is $(readlink /proc/$pid/fd/$fd)"
done
kill -TERM $pid; wait $pid; rc=$?; [ $rc = 0 ] && ok || bad "exit $rc without descriptors 0 to 2"
printf 'log = "*:info, helo:debug"\n[hello]\n' >typo.conf
run -c typo.conf --check; expect "misspelled log source" 2 '^typo.conf:1: log = .*helo: no plugin of that name'

# a reader of stderr that never reads must not stop it
mkfifo pipe
sleep 5 <pipe & reader=$!
"$program" -c good.conf -o hello.every=1ms --log '*:debug' 2>pipe >out & pid=$!
sleep 1; kill -TERM $pid; wait $pid; rc=$?
kill $reader 2>/dev/null
expect "stderr that nobody reads" 0

echo "test-cli: $passed passed, $failed failed"
[ "$failed" = 0 ]
