# Every tap gets the whole stream.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
head -c 20000003 /dev/urandom > "$T/in"
fds=$(daemon_fds)

for taps in 1 2 3 16 64; do
	mkfifo c
	size=20000003
	[ $taps -lt 16 ] || size=3000001
	head -c $size "$T/in" > "$T/part"
	pids=
	for i in $(seq $taps); do
		ln c r$i
		timeout 120 dd status=none bs=$((1 + RANDOM % 3 * 40000 + 777 * i)) if=r$i of="$T/out$i" &
		pids="$pids $!"
	done
	[ "$(stat -c %h c)" = $((taps + 1)) ] || fail "nlink"
	timeout 120 dd status=none bs=$((100 + RANDOM * 5)) if="$T/part" of=c conv=notrunc
	for p in $pids; do wait $p; done
	for i in $(seq $taps); do same "$T/part" "$T/out$i"; rm r$i "$T/out$i"; done
	rm c
done

# The bits of a teed channel's names.
mkfifo c
ln c r1
[ "$(stat -c %A c)" = p-w------- ] && [ "$(stat -c %A r1)" = pr--r--r-- ] || fail "modes: $(ls -l)"
[ c -ef r1 ] || fail "-ef"

# A tap of a tap, elsewhere, renamed; durable; the next reader goes on where the last stopped.
mkdir sub
ln r1 sub/r2
mv sub/r2 moved
printf '1234567890' > c
[ "$(timeout 20 head -c 4 r1)" = 1234 ] || fail "first reader"
[ "$(timeout 20 cat r1)" = 567890 ] || fail "second reader"
[ "$(timeout 20 cat moved)" = 1234567890 ] || fail "renamed tap"
# The next stream, and an empty one.
echo next > c
[ "$(timeout 20 cat r1)" = next ] && [ "$(timeout 20 cat moved)" = next ] || fail "next stream"
timeout 30 cat r1 > "$T/empty" &
timeout 30 sh -c ': > c'
wait $!
[ ! -s "$T/empty" ] || fail "an empty stream"
rm moved

# A full tap holds the writer back until it is read, or removed.
ln c r2
timeout 100 sh -c "cat $T/in > c" &
writer=$!
timeout 100 cat r1 > "$T/out1" &
reader=$!
wait_until 30 sh -c "[ \$(spfs stat --json c | jq '.taps[1].waiting') -gt 1000000 ]"
kill -0 $writer || fail "the writer did not wait"
rm r2
wait $writer $reader
same "$T/in" "$T/out1"

# Records of several writers stay whole in every tap.
ln c r2
pids=
for r in r1 r2; do
	timeout 100 "$BUILD/tests/e2e/records" check 512 4 20000 < $r &
	pids="$pids $!"
done
exec 4> c
for w in 0 1 2 3; do
	timeout 100 "$BUILD/tests/e2e/records" write $w 20000 512 >&4 &
	pids="$pids $!"
done
exec 4>&-
for p in $pids; do wait $p; done

# Taps that come and go while it flows: what one has begins at a record and has no gap.
timeout 100 sh -c "'$BUILD/tests/e2e/records' write 0 200000 256 > c" &
writer=$!
timeout 100 "$BUILD/tests/e2e/records" check 256 1 200000 < r1 &
reader=$!
timeout 100 cat r2 > /dev/null &
pids=$!
for i in $(seq 30); do
	ln c late$i
	# (the stream may have ended before the tap was made: then it waits for the next)
	timeout 30 head -c 25600 late$i > "$T/late" || gone $writer
	rm late$i
	python3 - "$T/late" << 'PY'
import struct, sys
data = open(sys.argv[1], "rb").read()
numbers = [struct.unpack_from("<II", data, i)[1] for i in range(0, len(data) - 255, 256)]
assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True, numbers[:5]
PY
	gone $writer && break
done
wait $writer $reader $pids

# The origin goes: its writers finish, its taps drain, then it is the end for ever.
exec 4> c
echo last >&4
rm c
echo more >&4
exec 4>&-
[ "$(timeout 20 cat r1)" = $'last\nmore' ] || fail "after the origin went"
[ -z "$(timeout 20 cat r1)" ] || fail "no end for ever"
refuse 'No such file' ln r1 r3
rm r1 r2
wait_until 30 daemon_fds_at_most $fds

# Who may do what.
if is_root; then
	mkfifo -m 666 c
	ln c r
	refuse 'Permission denied' as_user timeout 20 cat c
	refuse 'Permission denied' as_user timeout 20 sh -c 'echo > r'
	exec 4> c
	timeout 100 cat c > /dev/null &
	wait_until 20 sh -c '[ $(spfs stat --json c | jq .foreign_readers) -gt 0 ]'
	for look in stat "ls -i 0" "top -b -n 1"; do
		spfs $look c | grep -q 'FOREIGN READER, [a-z]' || fail "$look: $(spfs $look c)"
	done
	kill $!
	wait || true
	exec 4>&-
	wait_until 30 grep -q 'beside its taps' "$LOG"
	log_has 'beside its taps'
fi
cd /
finish
