# What stat(2) says of when data came and was read, and who relies on it: tail -F, find -mmin, make.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
mtime() { stat -c %.9Y "$1"; }
atime() { stat -c %.9X "$1"; }
later() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'; }
old='2001-02-03 04:05:06.000000007'

mkfifo c
ln c r
ln c r2
touch -d "$old" c
for name in c r r2; do
	[ "$(mtime $name)" = "$(date -d "$old" +%s.%N)" ] || fail "$name was set, and has $(mtime $name)"
done

# It moves with the data, of a tap without a reader too; and each time, however soon. What has been set before is over.
last=0
for i in 1 2 3 4 5; do
	before=$(date +%s.%N)
	timeout 20 sh -c 'echo > c'
	wait_until 20 sh -c "[ \$(spfs stat --json c | jq '.taps[1].waiting') = $i ]"
	for name in c r r2; do
		later "$(mtime $name)" "$last" || fail "$name stays at $last"
		later "$(mtime $name)" "$(awk -v t="$before" 'BEGIN { printf "%.9f", t - 0.02 }')" || fail "$name is old"
	done
	last=$(mtime c)
	later "$(mtime r)" "$last" && last=$(mtime r)
	later "$(mtime r2)" "$last" && last=$(mtime r2)
done
[ "$(find . -maxdepth 1 -name 'r*' -mmin -1 | wc -l)" = 2 ] || fail "find -mmin"
[ "$(stat -c %Z c)" -ge "$(stat -c %Y c)" ] || fail "a change of the data is one of the inode"
touch -d "$old" r
[ "$(mtime r)" = "$(date -d "$old" +%s.%N)" ] || fail "set again, it has $(mtime r)"
# What is set holds until data moves, and no longer, however close that is.
timeout 60 python3 - << 'PY'
import os, time
fd = os.open("c", os.O_WRONLY)
for i in range(200):
    os.utime("c", ns=(7, 7))
    assert os.stat("c").st_mtime_ns == 7 and os.stat("r").st_mtime_ns == 7
    os.write(fd, b".")
    end = time.monotonic() + 20
    while 7 in (os.stat("c").st_mtime_ns, os.stat("r").st_mtime_ns):
        assert time.monotonic() < end, "data came, and the time stays"
PY

# The reading of a tap is its own.
sleep 0.02
was=$(atime r) was2=$(atime r2)
timeout 20 cat r > /dev/null
wait_until 20 sh -c "awk -v a=\$(stat -c %.9X r) -v b=$was 'BEGIN { exit !(a > b) }'"
[ "$(atime r2)" = "$was2" ] || fail "nobody has read it"
timeout 20 cat r2 > /dev/null

# A reader that keeps up is seen as well.
timeout 60 bash -c 'while echo; do sleep 0.05; done > c' & writer=$!
timeout 60 cat r > /dev/null & reader=$!
wait_until 20 sh -c '[ $(spfs stat --json c | jq ".taps[0].readers") = 1 ]'
was=$(atime r)
wait_until 20 sh -c "awk -v a=\$(stat -c %.9X r) -v b=$was 'BEGIN { exit !(a > b + 0.9) }'"
kill $writer
wait $writer $reader || true
timeout 20 cat r2 > /dev/null

# make makes what depends on a channel when something has come, and only then.
printf 'made: %s/r\n\techo made >> made\n' "$M" > "$T/Makefile"
made() { make -s -C "$T" > /dev/null; }
made
made
[ "$(wc -l < "$T/made")" = 1 ] || fail "made for nothing"
sleep 0.02
timeout 20 sh -c 'echo > c'
wait_until 20 sh -c "make -s -C $T; [ \$(wc -l < $T/made) = 2 ]"
timeout 20 cat r > /dev/null
timeout 20 cat r2 > /dev/null

# tail -F polls, and reads what has changed: it shows the lines of writers that come one after another, of a broadcast name
# as of a tap.
all_is_read() { spfs stat --json c | jq -e '.taps[] | select(.each) | .readers == 1'; }
spfs tee c all --each
for name in r all; do
	timeout 100 tail -F $name > "$T/tail" 2> /dev/null & tail=$!
	[ $name = r ] || wait_until 20 all_is_read
	for i in 1 2 3; do
		timeout 20 sh -c "echo line $i > c"
		wait_until 20 grep -qx "line $i" "$T/tail"
	done
	# ... and of writers between two of its looks
	for i in 4 5 6; do timeout 20 sh -c "echo line $i > c"; done
	wait_until 20 grep -qx "line 6" "$T/tail"
	kill $(family $tail)
	wait $tail || true
	[ "$(cat "$T/tail")" = "$(seq -f 'line %g' 6)" ] || fail "tail: $(cat "$T/tail")"
done

# A broadcast name's times move while somebody reads it.
timeout 100 cat all > /dev/null & reader=$!
wait_until 20 all_is_read
exec 4> c
last=$(mtime all) was=$(atime all)
for i in 1 2 3; do
	echo >&4
	wait_until 20 sh -c "[ \$(stat -c %.9Y all) != $last ]"
	later "$(mtime all)" "$last" || fail "all stays at $last"
	last=$(mtime all)
done
later "$(mtime all)" "$(awk -v t="$(mtime c)" 'BEGIN { printf "%.9f", t - 5 }')" || fail "all is old"
exec 4>&-
wait $reader
wait_until 20 sh -c "[ \$(stat -c %.9X all) != $was ]"
later "$(atime all)" "$was" || fail "all was read"
touch -d "$old" all
[ "$(mtime all)" = "$(date -d "$old" +%s.%N)" ] || fail "set, all has $(mtime all)"
rm all

# Messages, too.
mkfifo p
ln p pr
spfs set p packets=1
touch -d "$old" p
timeout 20 sh -c 'echo > p'
wait_until 20 sh -c '[ $(stat -c %Y p) -gt 1000000000 ]'
later "$(mtime p)" 1400000000 || fail "messages: $(mtime p)"
later "$(mtime pr)" 1400000000 || fail "messages: $(mtime pr)"

# A channel without taps is the kernel's, which keeps no times of it: neither does it tell, nor knows.
mkfifo plain
was=$(mtime plain)
timeout 20 cat plain > /dev/null & reader=$!
timeout 20 sh -c 'sleep 0.02; echo > plain'
wait $reader
[ "$(mtime plain)" = "$was" ] || echo "this kernel keeps times of a FIFO: $was, $(mtime plain)"
cd /
finish
