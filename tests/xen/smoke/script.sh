# SPDX-License-Identifier: BSD-2-Clause
# Only what the shell does itself: there is no second process.
count() { local n=0; while read -r line; do n=$((n + 1)); done <"$1"; echo "$1: $n lines"; }
count smoke/text
for w in one two three; do printf '%-6s|%04d|\n' "$w" ${#w}; done
case $((0x10 * 3)) in 48) echo forty-eight ;; *) echo wrong ;; esac
[ -f smoke/text ] && [ -d smoke ] && [ ! -e smoke/none ] && echo files are there
[ -x smoke/script.sh ] || echo not to be executed
for f in smoke/*; do echo "found $f"; done
cd smoke && count text && cd .. && echo and back
read -r first rest <smoke/text; echo "first word: $first"
set -- a 'b c' d; echo $# "$2"; shift 2; echo "$1"
trap 'echo the end' EXIT
