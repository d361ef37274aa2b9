# words, sorted by hand: no sort without a second process
{ for (i = 1; i <= NF; i++) seen[$i]++; chars += length($0) + 1 }
END {
    for (w in seen) if (seen[w] > most || (seen[w] == most && w < best)) { most = seen[w]; best = w }
    printf "%d lines, %d characters, most often \"%s\", %d times; pi is about %.6f\n", NR, chars, best, most, atan2(0, -1)
}
