# A rate: of a channel, of a tap that is read, of a tap with a file sink; never faster, and in small steps.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
cd "$M"
SIZE=2000000
head -c $SIZE /dev/urandom > "$T/in"
now() { date +%s%N; }

# took LEAST FROM: at least so many milliseconds since
took() {
	local ms=$((($(now) - $2) / 1000000))
	[ $ms -ge "$1" ] || fail "all that in $ms ms"
}

for where in channel tap sink; do
	mkfifo c
	spfs tee c t
	spfs tee c free
	timeout 60 cat free > "$T/free" &
	free=$!
	if [ $where = channel ]; then spfs set c rate=1000000; else spfs set t rate=1000000; fi
	start=$(now)
	if [ $where = sink ]; then
		id=$(spfs sink t "file:$T/out")
		timeout 60 dd status=none if="$T/in" of=c bs=64K conv=notrunc
		wait_until 30 state c "$id" done
	else
		timeout 60 dd status=none if="$T/in" of=c bs=64K conv=notrunc &
		writer=$!
		# One read takes no more than what has come since the last: a reader that is never late sees the steps.
		timeout 60 /usr/bin/python3 - t "$T/out" << 'PY'
import os, sys, time
fd, out = os.open(sys.argv[1], os.O_RDONLY), open(sys.argv[2], "wb")
# What a read takes has come since the one before took what there was, which was after that had begun.
before, begun = 0, time.monotonic()
while data := os.read(fd, 1 << 20):
    since = time.monotonic() - before
    assert len(data) <= 160 * 1024 + 1000000 * since, (len(data), since)
    out.write(data)
    before, begun = begun, time.monotonic()
PY
		wait $writer
	fi
	took 1500 "$start"
	wait $free
	same "$T/in" "$T/out" "$T/free"
	rm c t free "$T/out" "$T/free"
done

# A change holds at once: what would have taken minutes is over.
mkfifo c
spfs tee c t
spfs set t rate=10000
timeout 60 cat t > "$T/out" &
reader=$!
timeout 60 dd status=none if="$T/in" of=c bs=64K conv=notrunc
wait_until 30 test -s "$T/out"
gone $reader && fail "at once"
spfs set t rate=0
wait $reader
same "$T/in" "$T/out"

# A channel slower than its writer holds it back; the writer gives up, and what was taken arrives.
spfs set c rate=10000
timeout 60 cat t > "$T/out" &
reader=$!
exec 4> c # (so that there is a stream, however late dd comes to it)
timeout 2 dd status=none if=/dev/zero bs=4K count=1000000 >&4 && fail "not held back"
exec 4>&-
spfs set c rate=0
wait $reader
[ "$(stat -c %s "$T/out")" -lt 8000000 ] || fail "$(stat -c %s "$T/out") bytes in 2 seconds"
cd /
finish
