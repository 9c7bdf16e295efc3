# Replay, to the byte or by whole messages; streams that have no end until they are told to; nobody reading, nothing kept.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
head -c 20000003 /dev/urandom > "$T/in"
number() { spfs stat --json c | jq "$1"; }
is() { [ "$(number "$1")" = "$2" ]; }

# To the byte, where each is a record, of one byte and of many pipes, in the middle of a stream and after it.
mkfifo c
spfs set c record=1
spfs tee c t
spfs set t idle=discard
for n in 1 5000 65536 4567891 16777216; do
	spfs set c replay=$n
	exec 4> c
	cat "$T/in" >&4
	wait_until 30 is '.waiting' 0
	spfs tee c middle
	timeout 20 cat middle > "$T/middle" 4>&- &
	reader=$!
	printf more >&4
	exec 4>&-
	wait $reader
	(tail -c $n "$T/in"; printf more) > "$T/expected"
	same "$T/expected" "$T/middle"
	spfs tee c after
	timeout 20 cat after > "$T/after"
	tail -c $n "$T/expected" > "$T/tail"
	same "$T/tail" "$T/after"
	rm middle after
done
# Less keeps the newest; none keeps nothing: a tap waits for the next stream.
spfs set c replay=1000
spfs tee c after
tail -c 1000 "$T/expected" > "$T/tail"
timeout 20 cat after > "$T/after"
same "$T/tail" "$T/after"
rm after
spfs set c replay=0
spfs tee c after
timeout 20 cat after > "$T/after" &
reader=$!
echo next > c
wait $reader
[ "$(cat "$T/after")" = next ] || fail "something is replayed"
rm after t c

# Discarded while nobody reads: the writer is not held back, all of it is counted, and who comes gets what comes.
mkfifo c
spfs tee c t
spfs set t idle=discard
timeout 20 cat "$T/in" > c
wait_until 30 is '.streams' 1 # (what has come is not all, as long as it may go on)
wait_until 30 is '.taps[0] | .lost + .waiting' 20000003
[ "$(number '.taps[0].drops')" -gt 0 ] || fail "no drops"
timeout 20 cat t > "$T/out" &
reader=$!
in_open() { grep -q 'wait_for_partner\|fifo_open' "/proc/$(cat /proc/$1/task/$1/children | tr -d ' ')/wchan"; }
wait_until 30 in_open $reader
echo live > c
wait $reader
[ "$(cat "$T/out")" = live ] || fail "$(head -c 100 "$T/out")"
rm t c

# Without an end, across three writers; then it ends.
mkfifo c
spfs tee c t
spfs tee c u
spfs set c eof=never
timeout 60 cat t > "$T/t" &
first=$!
for i in 1 2 3; do timeout 20 cat "$T/in" > c & writer=$!
	[ $i -gt 1 ] || { timeout 60 cat u > "$T/u" & second=$!; }
	wait $writer
done
wait_until 30 is '.bytes_in' 60000009
wait_until 30 is '.waiting' 0
! gone $first && ! gone $second || fail "it has ended"
[ "$(number '.streams')" = 0 ] || fail "streams"
spfs set c eof=last-writer
wait $first
wait $second
cat "$T/in" "$T/in" "$T/in" > "$T/expected"
same "$T/expected" "$T/t" "$T/u"
rm t u c

# Messages: the newest whole ones that fit.
mkfifo c
spfs set c packets=1
spfs tee c t
spfs set c replay=10000
timeout 30 /usr/bin/python3 - << 'PY'
import json, os, subprocess
messages = [b"%04d" % i + b"." * (i * 37 % 4000) for i in range(500)]
t = os.open("t", os.O_RDONLY | os.O_NONBLOCK)
w = os.open("c", os.O_WRONLY)
for m in messages:
    os.write(w, m)
    try:
        os.read(t, 1 << 20)
    except BlockingIOError:
        pass
while json.loads(subprocess.check_output(["spfs", "stat", "--json", "c"]))["waiting"]:
    pass
subprocess.check_call(["spfs", "tee", "c", "late"])
late = os.open("late", os.O_RDONLY)
os.write(w, b"last")
os.close(w)
got = []
while m := os.read(late, 1 << 20):
    got.append(m)
assert got.pop() == b"last"
assert got and got == messages[-len(got):], [len(m) for m in got]
fits = sum(map(len, got))
assert fits <= 10000 < fits + len(messages[-len(got) - 1]), (fits, len(got))
PY
cd /
finish
