# What the kernel costs a program, next to a Linux PV guest: a null system call, a page fault, a clock, epoll, a vchan's echo; idle CPU.
# SPDX-License-Identifier: BSD-2-Clause
# guests: image-pv
rm -f /tmp/figures.*
for k in linux-pv $kind linux-pv $kind; do      # in turn; the best counts
    as $k program_guest figures figures || bad "$k: xl create"
    line figures 'figures: all' >/dev/null; grep '^figure ' $consoles/guest-figures.log >>/tmp/figures.${k%-*}
    xl destroy figures 2>/dev/null; until_true 60 gone figures
done
sort -k2,2 -k3,3n /tmp/figures.linux >/tmp/figures.1; sort -k2,2 -k3,3n /tmp/figures.image >/tmp/figures.2
note "$(awk '
    FNR == NR { if (!($2 in linux)) linux[$2] = $3; next }
    !done[$2]++ { printf "%s%s %.1f us, Linux PV %.1f us: %.2f", n++ ? "; " : "", $2, $3 / 1000, linux[$2] / 1000, $3 / linux[$2] }
    ' /tmp/figures.1 /tmp/figures.2)"
is "all figures" test "$(cat /tmp/figures.1 /tmp/figures.2 | grep -c '^figure [a-z]* [0-9]')" = 16

as linux-pv program_guest vchan-peer theirs "echo 0 7 4096"; theirs=$id
program_guest vchan-peer ours "echo 0 7 4096"; ours=$id
is "both listen" until_true 60 said theirs listening && until_true 60 said ours listening
rm -f /tmp/echo
for i in 1 2 3 4; do
    for who in theirs ours; do echo $who $(/share/vchan-peer measure $(eval echo \$$who) 7 2000000) >>/tmp/echo; done
done
note "vchan echo, 4 kB rings: $(awk '
    { if (!($1 in trip) || $2 < trip[$1]) trip[$1] = $2; if ($3 > bulk[$1]) bulk[$1] = $3 }
    END { printf "%s MB/s, Linux PV %s MB/s: %.2f; round trip %s us, Linux PV %s us: %.2f", bulk["ours"], bulk["theirs"],
              bulk["ours"] / bulk["theirs"], trip["ours"], trip["theirs"], trip["ours"] / trip["theirs"] }' /tmp/echo)"
is "echoes" test "$(awk 'NF == 3' /tmp/echo | wc -l)" = 8
clean_up

guest idle || bad "xl create"
dom0_for $id idle
is "connected" ready idle
cpu() { xl list idle | awk 'NR == 2 { print $6 }'; }
settled cpu >/dev/null; a=$(cpu); sleep 20; b=$(cpu)
note "idle: $(awk -v a=$a -v b=$b 'BEGIN { printf "%.1f", b - a }') s of CPU in 20 s"
is "idle" awk -v a=$a -v b=$b 'BEGIN { exit !(b - a <= 0.2) }'
