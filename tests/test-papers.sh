#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each file that is written here says its licence, in a line of the form that its kind has, near its head; the papers are there. Before
# the real tree it checks a small bad one.
set -u
source=${UNIK_SOURCE:-$(dirname "$0")/..}
work=$(mktemp -d) || exit 99; trap 'rm -rf "$work"' EXIT
export LC_ALL=C
violations=0
violation() { violations=$((violations + 1)); echo "$*"; }

# What says nothing: papers, what tools make, and data that a line would spoil.
exempt='^(.*[.]md|LICENSE|[.]gitignore|config[.]h[.]in|tests/fuzz/corpus/.*|tests/lwip/flows/.*[.]pcap|tests/www/smuggling[.]txt|.*[.]png|apps/www/site/.*)$'
near=60     # lines: a script that prints its own head as help has it behind that

# All names; in an archive, where git knows none, those that tell by their kind that they were written.
names() {
    local all; all=$(git ls-files 2>/dev/null)
    [ -z "$all" ] || { echo "$all"; return; }
    find . \( -path ./build -o -path ./build-aux -o -path ./m4 -o -name autom4te.cache -o -name '_*' -o -name conftest\* \) -prune -o -type f \
        \( -name '*.[chS]' -o -name '*.sh' -o -name '*.mk' -o -name '*.am' -o -name configure.ac -o -name '*.[1-8]' -o -name '*.ld' \
        -o -name '*.in' -o -name '*.conf' -o -name '*.awk' \) ! -name Makefile.in ! -name static-table.c -print | cut -c3-
}

check_lines() {
    local f line first found=0
    line='SPDX-License-Identifier: BSD-2-Clause'
    while read -r f; do
        [[ ! $f =~ $exempt && -s $f ]] || continue
        found=$((found + 1))
        IFS= read -r first <"$f"
        case $f in
        *.[chS] | *.ld) [ "$first" = "/* $line */" ] ;;
        *.[1-8]) [ "$first" = ".\\\" $line" ] ;;
        *.ac) [ "$first" = "dnl $line" ] ;;
        *) head -n "$near" "$f" | grep -qxF "# $line" ;;
        esac || violation "$f: no line \"$line\" in its place"
    done < <(names)
    [ "$found" -gt 0 ] || violation "no files found in $PWD"
}

check_papers() {
    local f
    for f in LICENSE THIRD-PARTY.md SECURITY.md CHANGES.md HACKING.md; do
        [ -s "$f" ] || violation "there is no $f"
    done
}

# ---- a bad tree: each of these lines must be found, and no other ----
bad=$work/bad; mkdir -p "$bad"/{a,tests/fuzz/corpus/x,build}
put() { printf '%b' "$2" >"$bad/$1"; }
put a/good.c '/* SPDX-License-Identifier: BSD-2-Clause */\nint x;\n'
put a/good.sh '#!/bin/sh\n# SPDX-License-Identifier: BSD-2-Clause\n'
put a/good.1 '.\\" SPDX-License-Identifier: BSD-2-Clause\n'
put a/late.c 'int x;\n/* SPDX-License-Identifier: BSD-2-Clause */\n'
put a/other.mk '# SPDX-License-Identifier: GPL-3.0-only\n'
put a/none.conf 'x = 1\n'
put a/c.S '# SPDX-License-Identifier: BSD-2-Clause\n'
put tests/fuzz/corpus/x/data.conf 'x'
put build/made.c 'int x;\n'
put README.md 'x\n'
for f in LICENSE THIRD-PARTY.md SECURITY.md HACKING.md; do put $f 'x\n'; done
cd "$bad" || exit 99
{ check_lines; check_papers; } | sort >"$work/found"
{ for f in a/c.S a/late.c a/none.conf a/other.mk; do echo "$f: no line \"SPDX-License-Identifier: BSD-2-Clause\" in its place"; done
  echo "there is no CHANGES.md"; } | sort >"$work/want"
misses=0
diff "$work/want" "$work/found" || { echo "FAIL: the bad tree is not seen as it is"; misses=1; }

# ---- the real one ----
violations=0
cd "$source" || exit 99
check_lines
check_papers
echo "$violations violations"
[ $violations = 0 ] && [ $misses = 0 ]
