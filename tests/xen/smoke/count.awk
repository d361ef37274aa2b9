# SPDX-License-Identifier: BSD-2-Clause
# words, sorted by hand: no sort without a second process
{ for (i = 1; i <= NF; i++) seen[$i]++; chars += length($0) + 1 }
END {
    for (w in seen) if (seen[w] > most || (seen[w] == most && w < best)) { most = seen[w]; best = w }
    printf "%d lines, %d characters, most often \"%s\", %d times, %.4f of all lines\n", NR, chars, best, most, most / NR
}
