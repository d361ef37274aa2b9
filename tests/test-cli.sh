#!/bin/bash
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
wait_for() { for _ in $(seq 200); do grep -q -e "$1" out && return 0; sleep 0.05; done; bad "no \"$1\""; return 1; }
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

# a reader of stderr that never reads must not stop it
mkfifo pipe
sleep 5 <pipe & reader=$!
"$program" -c good.conf -o hello.every=1ms --log '*:debug' 2>pipe >out & pid=$!
sleep 1; kill -TERM $pid; wait $pid; rc=$?
kill $reader 2>/dev/null
expect "stderr that nobody reads" 0

echo "test-cli: $passed passed, $failed failed"
[ "$failed" = 0 ]
