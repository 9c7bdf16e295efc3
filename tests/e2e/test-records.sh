# Where streams are cut: whole writes, records of so many bytes, lines; by replay, by new taps, by drops.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
is() { [ "$(spfs stat --json c | jq "$1")" = "$2" ]; }
line() { printf '%0699d\n' "$1"; } # (one write)

# Whole writes: three of 700 bytes, of which 1000 are replayed.
mkfifo c
spfs tee c t
spfs set t idle=discard
spfs set c replay=1000
exec 4> c
for i in 1 2 3; do line $i >&4; done
wait_until 20 is '.bytes_in' 2100
spfs tee c late
read -r first < late
[ "${#first}" = 699 ] || fail "the first line is ${#first} long"
exec 4>&-
rm late t c

# Records inside larger writes.
mkfifo c
spfs set c record=188
[ "$(getfattr --only-values -n spfs.record c)" = 188 ] || fail "record"
spfs set c replay=100000
spfs tee c t
spfs set t idle=discard
exec 4> c
/usr/bin/python3 -c 'import sys
for i in range(20000): sys.stdout.buffer.write(b"G%07d" % i + b"." * 180)' | dd bs=64K iflag=fullblock status=none >&4
wait_until 20 is '.bytes_in' 3760000
spfs tee c late
timeout 20 cat late > "$T/late" 4>&- &
reader=$!
exec 4>&-
wait $reader
[ $(($(stat -c %s "$T/late") % 188)) = 0 ] && [ "$(stat -c %s "$T/late")" -gt 99000 ] || fail "$(stat -c %s "$T/late")"
[ "$(head -c 1 "$T/late")" = G ] || fail "it begins within a record"
rm late t c

# Lines, of a reader that lags: what it gets are lines, and not all.
mkfifo c
spfs set c record=line
[ "$(spfs get --json c | jq -r .record)" = line ] || fail "record"
spfs tee c t
spfs set t policy=drop-old size=64K depth=100K
exec 7> c
exec 5< t # (a reader is let in as soon as there is a writer)
seq 1000000 1200000 | dd bs=50000 iflag=fullblock status=none >&7
exec 7>&-
wait_until 20 is '.bytes_in' 1600008
exec 6< t 5<&-
cat <&6 > "$T/lines"
exec 6>&-
grep -qvxE '1[0-9]{6}' "$T/lines" && fail "a line was cut: $(grep -vxE '1[0-9]{6}' "$T/lines" | head -2)"
sort -cun "$T/lines"
[ "$(wc -l < "$T/lines")" -lt 200001 ] || fail "nothing was dropped"
[ "$(tail -n 1 "$T/lines")" = 1200000 ] || fail "the newest is not there"
rm t c

# Rubbish.
mkfifo c
spfs set c record=lines 2> "$T/why" && fail "rubbish"
grep -q 'line' "$T/why" || fail "$(cat "$T/why")"
spfs set c record=2M 2> "$T/why" && fail "too large"
spfs tee c t
setfattr -n spfs.record -v 1 t 2> "$T/why" && fail "of a tap"
rm t c
cd /
finish
