#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the sources say about documents holds: each named document is there, and so is each section. One form: doc/protocol/qrexec.md, 5
# (also "..., 2, 3 and 9", "..., 5 to 7", "..., 10 (a)"), all of it on one line. Where a folder's header says "Sections in brackets are
# those of doc/NAME.md", [5] is a reference too. In a document, a section of its own is §5, and a file of ours stands `so`. Before the
# real tree it checks a small bad one, in which each rule is broken once.
set -u
source=${UNIK_SOURCE:-$(dirname "$0")/..}
work=$(mktemp -d) || exit 99; trap 'rm -rf "$work"' EXIT
export LC_ALL=C
violations=0
violation() { violations=$((violations + 1)); echo "$*"; }

# Everything that is written by hand, one name a line.
sources() {
    find . \( -name .git -o -path ./build -o -name autom4te.cache -o -path ./build-aux -o -path ./m4 -o -name corpus \) -prune -o -type f \
        \( -name '*.[chS]' -o -name '*.sh' -o -name '*.mk' -o -name '*.am' -o -name '*.ac' -o -name '*.[1-8]' -o -name '*.in' -o -name '*.md' \
        -o -path './scripts/*' -o -path './tests/xen/*' \) ! -name Makefile.in ! -name config.h.in ! -name test-references.sh -print | cut -c3- | sort
}

# "doc/NAME.md SECTION" for each section there is: its number stands at the start of a heading.
sections() {
    find doc -name '*.md' -exec awk '/^##+ [0-9]+(\.[0-9]+)*[. ]/ { sub(/\.$/, "", $2); print FILENAME, $2 }' {} + 2>/dev/null
}

# FILE:LINE:DOCUMENT:SECTIONS of each reference; SECTIONS may be empty. What is not of the one form is FILE:LINE:?:TEXT.
references() {
    xargs grep -HnE '\.md' /dev/null | awk '
        { match($0, /^[^:]+:[0-9]+:/); from = substr($0, 1, RLENGTH); rest = substr($0, RLENGTH + 1) }
        { while (match(rest, /[A-Za-z0-9_.*\/@{}$+-]*\.md/)) {
              before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : ""
              name = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
              if (name ~ /[*${}]|NAME/ || rest ~ /^[A-Za-z0-9_]/) continue
              if (name !~ /^doc\//) { if (before != "(") print from (name ~ /^([a-z]+\/)?[A-Z-]+\.md$/ ? name ":" : "?:" name); continue }
              n = ""
              if (match(rest, /^, [0-9]+(\.[0-9]+)*( \(?[a-z]\)?([^a-z]|$))?((, | and | to )[0-9]+(\.[0-9]+)*)*/)) {
                  n = substr(rest, 3, RLENGTH - 2); rest = substr(rest, RLENGTH + 1)
                  gsub(/\([a-z]\)|[^0-9. ]/, " ", n)
              } else if (rest ~ /^(,? ?§| [0-9]|,[0-9])/ || (rest ~ /^,$/)) { print from "?:" name substr(rest, 1, 8); continue }
              print from name ":" n
          } }'
}

check_references() {
    local from line name numbers n found=0
    sections >"$work/sections"
    while IFS=: read -r from line name numbers; do
        found=$((found + 1))
        [ "$name" != '?' ] || { violation "$from:$line: \"$numbers\" is not of the form doc/NAME.md, 5"; continue; }
        [ -e "$name" ] || { violation "$from:$line: there is no $name"; continue; }
        for n in $numbers; do
            n=${n%.}; [ -n "$n" ] || continue
            grep -qxF "$name $n" "$work/sections" || violation "$from:$line: $name has no section $n"
        done
    done < <(sources | references)
    [ "$found" -gt 0 ] || violation "no references found in $PWD"
}

# [5] in a folder whose header says so; §5 in a document.
check_short() {
    local header dir doc from line n
    while IFS=: read -r header line; do
        dir=$(dirname "$header")
        doc=$(grep -o 'those of doc/[a-z/-]*\.md' "$header" | sed 's/those of //')
        while IFS=: read -r from line n; do
            grep -qxF "$doc ${n//[][ ]/}" "$work/sections" || violation "$from:$line: $doc has no section ${n//[][ ]/}"
        done < <(grep -HnoE ' \[[0-9]+(\.[0-9]+)*\]' "$dir"/*.[ch])
    done < <(find . -path ./build -prune -o -name '*.h' -exec grep -H 'are those of doc/' {} + | cut -c3- | cut -d: -f1,2)
    while IFS=: read -r from line n; do
        grep -qxF "$from ${n#§}" "$work/sections" || violation "$from:$line: it has no section ${n#§}"
    done < <(find doc -name '*.md' -exec grep -HnoE '§[0-9]+(\.[0-9]+)*' {} +)
}

# Files of ours that a document names: `protocol/gui.c`
check_files() {
    local from line name
    while IFS=: read -r from line name; do
        name=${name//\`/}
        [[ $name == *NAME* || -e $name ]] || violation "$from:$line: there is no $name"
    done < <(find doc ./*.md -name '*.md' -exec grep -HnoE \
        '`(include|protocol|supervisor|plugins|apps|boot|tools|conf|man|scripts|tests|bench)/[A-Za-z0-9_./-]*`' {} + 2>/dev/null | sed 's,^\./,,')
}

# ---- a bad tree: each of these lines must be found, and no other ----
bad=$work/bad
mkdir -p "$bad"/{doc/protocol,plugins/p,build}
put() { printf '%b' "$2" >"$bad/$1"; }
put doc/protocol/x.md '# X\n## 1. One\n§1 and §2.1\n### 2.1 Two one\n## 10. Ten\n§3\n`plugins/p/p.h`, `plugins/p/no.c`, [X](doc/x.md)\n'
put README.md 'doc/protocol/x.md\n'
put build/not.c 'gone.md\n'
put plugins/p/good.c '/* doc/protocol/x.md, 1; doc/protocol/x.md, 10 (a) and 2.1; doc/protocol/x.md, 1 to 10. README.md */\nint a = b[7];\n'
put plugins/p/p.h '/* Sections in brackets are those of doc/protocol/x.md. */\n#define A 1 /* so [1] */\n#define B 1 /* and so [4] */\n'
put plugins/p/bad.c '/* doc/protocol/x.md, 3 */\n/* doc/protocol/x.md, 1, 10 and 2 */\n/* doc/protocol/y.md, 1 */\n/* x.md, 1 */\n/* protocol/x.md 1 */\n/* doc/protocol/x.md 1 */\n/* doc/protocol/x.md,\n * 1 */\n/* doc/protocol/x.md §1 */\n/* NOTES.md */\n'
cd "$bad" || exit 99
{ check_references; check_short; check_files; } | sort >"$work/found"
sort >"$work/want" <<'END_OF_LIST'
doc/protocol/x.md:6: it has no section 3
doc/protocol/x.md:7: there is no doc/x.md
doc/protocol/x.md:7: there is no plugins/p/no.c
plugins/p/bad.c:1: doc/protocol/x.md has no section 3
plugins/p/bad.c:2: doc/protocol/x.md has no section 2
plugins/p/bad.c:3: there is no doc/protocol/y.md
plugins/p/bad.c:4: "x.md" is not of the form doc/NAME.md, 5
plugins/p/bad.c:5: "protocol/x.md" is not of the form doc/NAME.md, 5
plugins/p/bad.c:6: "doc/protocol/x.md 1 */" is not of the form doc/NAME.md, 5
plugins/p/bad.c:7: "doc/protocol/x.md," is not of the form doc/NAME.md, 5
plugins/p/bad.c:9: "doc/protocol/x.md §1 */" is not of the form doc/NAME.md, 5
plugins/p/bad.c:10: there is no NOTES.md
plugins/p/p.h:3: doc/protocol/x.md has no section 4
END_OF_LIST
misses=0
diff "$work/want" "$work/found" || { echo "FAIL: the bad tree is not seen as it is"; misses=1; }
rm -r "${bad:?}"/*
check_references >"$work/found"
echo "no references found in $PWD" | diff - "$work/found" || { echo "FAIL: an empty tree"; misses=1; }

# ---- the real one ----
violations=0
cd "$source" || exit 99
check_references
check_short
check_files
echo "$violations violations"
[ $violations = 0 ] && [ $misses = 0 ]
