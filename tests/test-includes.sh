#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The architecture, as the sources have it: who includes whom, that each public header stands alone, how long files are, and
# what a plugin exports. Before the real tree it checks a small bad one, in which each rule is broken once.
set -u
source=${UNIK_SOURCE:-$(dirname "$0")/..} build=${UNIK_BUILD:-$source} CC=${CC:-cc} CXX=${CXX:-c++}
work=$(mktemp -d) || exit 99; trap 'rm -rf "$work"' EXIT
export LC_ALL=C
violations=0
violation() { violations=$((violations + 1)); echo "$*"; }

# Headers without input, output or memory; what else public headers need; what apps must not know.
pure=' errno.h inttypes.h limits.h stdalign.h stdarg.h stdbool.h stddef.h stdint.h string.h '
public="$pure stdio.h stdlib.h sys/types.h sys/uio.h ev.h "
transport='^(lib)?(xen|vchan|qubes)'

# may FOLDER FILE: may sources of the folder include the file of ours?
may() {
    case $1 in
    include) [[ $2 == include/* ]] ;;
    protocol) [[ $2 == protocol/* ]] ;;
    supervisor) [[ $2 == include/* || $2 == supervisor/* ]] ;;
    plugins/*) [[ $2 == include/* || $2 == protocol/* || $2 == "$1"/* ]] ;;
    apps/*) [[ $2 == include/* || $2 == "$1"/* ]] ;;
    tools) [[ $2 == include/* || $2 == protocol/* || $2 == tools/* || $2 == supervisor/options.h || $2 == boot/image.h ]] ;;
    boot) [[ $2 == boot/* ]] ;;
    esac
}

# may_system FOLDER HEADER: the same for a header that is not ours.
may_system() {
    case $1 in
    include) [[ $public == *" $2 "* ]] ;;
    protocol) [[ $pure == *" $2 "* ]] ;;
    apps/*) [[ ! $2 =~ $transport ]] ;;
    *) true ;;
    esac
}

# to: the file of ours that an include line means; empty for one of the system's. Without a process for each of the thousands of lines.
ours() {
    local dir part
    for dir in "${1%/*}/" '' include/; do
        [ -e "$dir$2" ] || continue
        to=
        for part in ${dir//\// } ${2//\// }; do
            case $part in
            .) ;;
            ..) [[ $to == */* ]] && to=${to%/*} || to= ;;
            *) to=${to:+$to/}$part ;;
            esac
        done
        return
    done
    to=
}

# dir: the folder whose rules hold for a file
folder() {
    dir=${1%%/*}
    case $1 in
    plugins/*/* | apps/*/*) dir=${1#*/}; dir=${1%%/*}/${dir%%/*} ;;
    esac
}

check_includes() {
    local from line rest what to dir found=0
    while IFS=: read -r from line rest; do
        [[ $rest =~ include[[:space:]]*[\<\"]([^\>\"]+)[\>\"] ]] || { violation "$from:$line: unreadable: $rest"; continue; }
        what=${BASH_REMATCH[1]} found=$((found + 1))
        folder "$from"
        ours "$from" "$what"
        if [ -n "$to" ]; then
            may "$dir" "$to" || violation "$from:$line: $dir may not include $to"
        elif [ "$what" != config.h ] || [ "$dir" = include ] || [ "$dir" = protocol ]; then
            may_system "$dir" "$what" || violation "$from:$line: $dir may not include <$what>"
        fi
    done < <(find include protocol supervisor plugins apps tools boot -name '*.[ch]' -print0 2>/dev/null |
             xargs -0 grep -HnE '^[[:space:]]*#[[:space:]]*include')
    [ "$found" -gt 0 ] || violation "no includes found in $PWD"
}

# alone COMPILER LANGUAGE STANDARD HEADER: the header, twice, and nothing else.
alone() {
    printf '#include <%s>\n#include <%s>\nextern int nothing;\n' "$4" "$4" |
        $1 -x "$2" "-std=$3" -pedantic-errors -Wall -Wextra -Werror -fsyntax-only -Iinclude - >"$work/said" 2>&1 && return
    violation "include/$4: does not compile alone as $3:"
    sed 's/^/    /' "$work/said"
}

check_headers() {
    local h n found=0
    while read -r h; do
        found=$((found + 1))
        n=$(wc -l <"include/$h")
        [ "$n" -lt 200 ] || violation "include/$h: $n lines: a public header stays under 200"
        alone "$CC" c c11 "$h"
        [ "$have_cxx" = no ] || alone "$CXX" c++ c++11 "$h"
    done < <(find include -name '*.h' | cut -d/ -f2- | sort)
    [ "$found" -gt 0 ] || violation "no public headers found in $PWD"
}

check_sizes() {
    local f n
    while read -r n f; do
        [ "$n" -le 1000 ] || violation "$f: $n lines: a file has one idea, and at most 1000"
    done < <(find include protocol supervisor plugins apps tools boot tests bench scripts -type f \
                 \( -name '*.[chS]' -o -name '*.sh' \) -exec wc -l '{}' \; 2>/dev/null)
}

# What a plugin exports: its own symbol and no other.
check_exports() {
    local so want got found=0
    for so in "$1"/plugins/.libs/*.so "$1"/apps/.libs/*.so; do
        [ -e "$so" ] || continue
        found=$((found + 1))
        want=unik_plugin_$(basename "$so" .so | tr - _)
        got=$(nm -D --defined-only "$so" | awk '{ print $NF }' | sort | paste -sd' ')
        [ "$got" = "$want" ] || violation "$so: exports \"$got\", not \"$want\""
    done
    [ "$found" -gt 0 ] || violation "no plugins found in $1"
}

have_cxx=yes
echo 'int x;' | $CXX -x c++ -fsyntax-only - 2>/dev/null || { have_cxx=no; echo "left out: headers as C++ (no C++ compiler)"; }

# ---- a bad tree: each of these lines must be found, and no other ----
bad=$work/bad
mkdir -p "$bad"/{include/unik,protocol,supervisor,plugins/{a,b,.libs},apps/{a,.libs},tools/t}
put() { mkdir -p "$(dirname "$bad/$1")"; printf '%b' "$2" >"$bad/$1"; }
put include/unik/good.h '#include <stdint.h>\n#include <unik/other.h>\n'
put include/unik/other.h 'struct other;\n'
put protocol/good.c '#include <string.h>\n#include "protocol/p.h"\n'
put protocol/p.h ''
put supervisor/good.c '#include <unik/other.h>\n#include "supervisor/s.h"\n#include <dlfcn.h>\n'
put supervisor/s.h ''
put supervisor/options.h ''
put plugins/a/good.c '#include "a.h"\n#include "plugins/a/a.h"\n#include "protocol/p.h"\n#include <unik/good.h>\n#include <xenstore.h>\n'
put plugins/a/a.h ''
put apps/a/good.c '#include <unik/other.h>\n#include <http_parser.h>\n#include "config.h"\n'
put tools/t/good.c '#include "tools/t/t.h"\n#include "supervisor/options.h"\n#include "protocol/p.h"\n#include "boot/image.h"\n'
put tools/t/t.h ''
put boot/image.h '#include <xen/xen.h>\n#include "boot/kernel.h"\n'
put boot/kernel.h ''
put boot/bad.c '#include "protocol/p.h"\n#include <unik/other.h>\n'
put include/unik/bad1.h '#include "protocol/p.h"\n'
put include/unik/bad2.h '#include <xenstore.h>\n'
put protocol/bad.c '#include <unik/other.h>\n#include <stdio.h>\n  #  include "../plugins/a/a.h"\n#include "config.h"\n'
put supervisor/bad.c '#include "protocol/p.h"\n#include "plugins/a/a.h"\n'
put plugins/b/bad.c '#include "plugins/a/a.h"\n#include "../a/a.h"\n#include "supervisor/s.h"\n#include <protocol/p.h>\n#include MACRO\n'
put apps/a/bad.c '#include "protocol/p.h"\n#include <libxenvchan.h>\n#include "plugins/a/a.h"\n'
put tools/t/bad.c '#include "supervisor/s.h"\n#include "plugins/a/a.h"\n#include "boot/kernel.h"\n'
cd "$bad" || exit 99
check_includes >"$work/found"
sort >"$work/want" <<'END'
apps/a/bad.c:1: apps/a may not include protocol/p.h
apps/a/bad.c:2: apps/a may not include <libxenvchan.h>
apps/a/bad.c:3: apps/a may not include plugins/a/a.h
boot/bad.c:1: boot may not include protocol/p.h
boot/bad.c:2: boot may not include include/unik/other.h
include/unik/bad1.h:1: include may not include protocol/p.h
include/unik/bad2.h:1: include may not include <xenstore.h>
plugins/b/bad.c:1: plugins/b may not include plugins/a/a.h
plugins/b/bad.c:2: plugins/b may not include plugins/a/a.h
plugins/b/bad.c:3: plugins/b may not include supervisor/s.h
plugins/b/bad.c:5: unreadable: #include MACRO
protocol/bad.c:1: protocol may not include include/unik/other.h
protocol/bad.c:2: protocol may not include <stdio.h>
protocol/bad.c:3: protocol may not include plugins/a/a.h
protocol/bad.c:4: protocol may not include <config.h>
supervisor/bad.c:1: supervisor may not include protocol/p.h
supervisor/bad.c:2: supervisor may not include plugins/a/a.h
tools/t/bad.c:1: tools may not include supervisor/s.h
tools/t/bad.c:2: tools may not include plugins/a/a.h
tools/t/bad.c:3: tools may not include boot/kernel.h
END
misses=0
same() { diff "$work/want" <(sort "$work/found") && return; echo "FAIL: $1: the bad tree is not seen as it is"; misses=1; }
same includes

rm -r include/unik/*
put include/unik/good.h '#ifndef GOOD\n#define GOOD\n#include <stdint.h>\nstatic inline uint8_t f(void) { return 1; }\n#endif\n'
put include/unik/bad1.h 'static inline uint8_t f(void) { return 1; }\n'
put include/unik/bad2.h 'int class_of(int class);\n'
put include/unik/bad3.h 'struct { int a; ; } x;\n'
for ((i = 0; i < 200; i++)); do echo; done >include/unik/long.h
for ((i = 0; i < 1001; i++)); do echo; done >protocol/long.c
for ((i = 0; i < 1000; i++)); do echo; done >protocol/good.c
{ check_headers; check_sizes; } | grep -v '^    ' >"$work/found"
{ for h in bad1 bad3; do echo "include/unik/$h.h: does not compile alone as c11:"; done
  [ $have_cxx = no ] || for h in bad1 bad2 bad3; do echo "include/unik/$h.h: does not compile alone as c++11:"; done
  echo "include/unik/long.h: 200 lines: a public header stays under 200"
  echo "protocol/long.c: 1001 lines: a file has one idea, and at most 1000"; } | sort >"$work/want"
same "headers and sizes"

library() { echo "$2" | $CC -x c -shared -fPIC -o "$1" - || misses=1; }
library plugins/.libs/a-b.so 'const int unik_plugin_a_b = 1; static int hidden = 1; int *unik(void); __attribute__((visibility("hidden"))) int *unik(void) { return &hidden; }'
library plugins/.libs/two.so 'const int unik_plugin_two = 1, other = 1;'
library apps/.libs/wrong.so 'const int unik_plugin_right = 1;'
check_exports . >"$work/found"
sort >"$work/want" <<'END'
./apps/.libs/wrong.so: exports "unik_plugin_right", not "unik_plugin_wrong"
./plugins/.libs/two.so: exports "other unik_plugin_two", not "unik_plugin_two"
END
same exports
mkdir "$work/empty" && cd "$work/empty" || exit 99
{ check_includes; check_headers; check_exports .; } 2>/dev/null >"$work/found"
printf 'no %s\n' "includes found in $PWD" "plugins found in ." "public headers found in $PWD" >"$work/want"
same "an empty tree"

# ---- the real one ----
violations=0
cd "$source" || exit 99
check_includes
check_headers
check_sizes
check_exports "$build"
echo "$violations violations"
[ $violations = 0 ] && [ $misses = 0 ]
