#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The kernel's one stack is never too small: a guard page lies below it, but Xen ends a PV guest that touches it without a word of
# ours. So the deepest way through the kernel is added up from what the compiler says of each function (gcc -fcallgraph-info=su).
# Pessimistic: a call through a pointer may lead anywhere, LEVELS of them lie one in the other, and at the deepest point there
# is a crash, and another one while that is reported. Recursion is refused but for epolls in epolls, and so are frames of no bound.
set -eu
# a system call's table, an operation of a file (epoll's), one of a file in it, of an epoll in it, and of the machine
LEVELS=5
cd "${UNIK_BUILD:-.}/boot"
for o in unik_kernel-*.o; do
    [ "$o" = unik_kernel-start.o ] || [ -e "${o%.o}.ci" ] || { echo "compiled without -fcallgraph-info: not by gcc, or before"; exit 77; }
done
size=$(nm unik-kernel | awk '/ kernel_stack_guard$/ { print $1 } / kernel_stack_top$/ { print $1 }' | sort |
       { read -r low; read -r high; echo $((0x${high#ffffffff} - 0x${low#ffffffff} - 4096)); })
[ "$size" -gt 0 ]
awk -v levels=$LEVELS -v size="$size" '
function name(key,    s) { s = $0; sub(".*" key ": \"", "", s); sub("\".*", "", s); return s }
function fail(what) { print "FAIL: " what; bad = 1 }
/^node: / && match($0, /[0-9]+ bytes \(/) {
    f = name("title"); own[f] = substr($0, RSTART, RLENGTH) + 0
    if (!/bytes \((static|dynamic,bounded)\)/) fail(f ": a frame of no bound")
}
/^edge: / {
    f = name("sourcename"); to = name("targetname")
    if (to == "__indirect_call") indirect[f] = 1
    else if (to ~ /^(panic|panic_at|program_crashed|program_starved|program_ended|power)$/) crashes[f] = 1       # do not return
    else if (!((f, to) in seen)) { seen[f, to] = 1; callees[f] = callees[f] " " to; callers[to] = callers[to] " " f }
}
# The deepest way from f, with at most k calls through pointers in it; path[f, k] says where it goes on.
function deep(f, k,    n, i, to, d, best) {
    if ((f, k) in memo) return memo[f, k]
    if (busy[f, k]++) { if (f != "file_ready") fail("recursion: " f); return 0 }
    n = split(callees[f], to, " ")
    for (i = 1; i <= n; i++) if ((d = deep(to[i], k)) > best) { best = d; path[f, k] = to[i] " " k }
    if (indirect[f] && k > 0 && (d = anywhere(k - 1)) > best) { best = d; path[f, k] = where[k - 1] " " k - 1 }
    busy[f, k] = 0
    return memo[f, k] = own[f] + best
}
function anywhere(k,    f, d, best) {
    if (k in any) return any[k]
    for (f in own) if (!at_start(f) && (d = deep(f, k)) > best) { best = d; where[k] = f }
    return any[k] = best
}
# Only the start leads there.
function at_start(f,    n, i, from) {
    if (f in start) return start[f]
    if (f ~ /^(pv_start|pvh_start|kernel_main|linux_start)$/) return start[f] = 1
    start[f] = 0
    n = split(callers[f], from, " ")
    for (i = 1; i <= n; i++) if (!at_start(from[i])) return 0
    return start[f] = n > 0
}
function way(f, k,    s, p) {
    for (s = f; (f, k) in path; s = s " > " f) { split(path[f, k], p, " "); f = p[1]; k = p[2] }
    return s
}
function root(f,    d) {
    if (!(f in own)) fail("no function " f)
    d = deep(f, levels)
    if (d > worst) { worst = d; at = way(f, levels) }
}
END {
    split("pv_start pvh_start trap trap_event trap_syscall pvh_event_trap", r, " "); for (i in r) root(r[i])
    split("panic panic_at program_crashed program_starved program_ended", r, " "); for (i in r) if ((d = deep(r[i], 1)) > crash) crash = d
    frames = 3 * 200 + own["trap"] + own["nmi"]     # struct frame, of the entry, of an event in machine_idle(), of an NMI
    frames += own["file_ready"] + own["epoll_ready"]        # once more: epoll.c has two storeys
    total = frames + worst + 2 * crash
    printf "%d bytes at most of %d: frames %d, the deepest way %d, a crash and another %d\n  %s\n", total, size, frames, worst, 2 * crash, at
    if (total > size) fail("the stack is too small")
    if ((d = 200 + own["trap"] + deep("nmi", 0)) > 4096) fail("an NMI takes " d " bytes of its own stack")
    if ((d = 200 + own["trap"] + crash) > 4096) fail("a double fault takes " d " bytes of its own stack")
    exit bad
}' unik_kernel-*.ci vdso/unik_kernel-*.ci
