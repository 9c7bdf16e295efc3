# Sources and sinks on files: order, ends, failures, and nothing lost.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
truncate -s 60M "$T/huge"
ulimit -S -f 50000
spfs_mount
make_workers
cd "$M"
fds=$(daemon_fds)
head -c 30000001 /dev/urandom > "$T/in"

# One file to a tap with a sink and a tap with a reader.
mkfifo c
ln c r1
ln c r2
sink_of r1 "file:$T/out1"
timeout 60 cat r2 > "$T/out2" &
source_of c "file:$T/in"
wait $!
wait_until 30 state c 1 done
wait_until 30 state c 2 done
same "$T/in" "$T/out1" "$T/out2"
[ "$(port c 1 .bytes)" = 30000001 ] && [ "$(port c 2 .bytes)" = 30000001 ] || fail "bytes: $(ports c)"
[ "$(port c 2 .pages_ref)" -ge 7324 ] && [ "$(port c 2 .copies)" = 0 ] || fail "pages: $(ports c)"
[ "$(stat -c %a "$T/out1")" = 644 ] || fail "mode of a new file"
rm c r1 r2

# To an ordinary reader of a channel without taps; then nothing is left of it.
mkfifo c
source_of c "file:$T/in"
timeout 60 cat c | cmp - "$T/in" || fail "without taps"
wait_until 30 state c 1 done
# A reader that comes late gets all of it, then the end.
source_of c "file:$T/in?offset=1M&length=10"
wait_until 30 state c 2 done
[ "$(timeout 20 cat c | base64)" = "$(tail -c +1048577 "$T/in" | head -c 10 | base64)" ] || fail "a part"
rm c

# The order of the attaching is the order of the bytes; a header that is written goes before a file.
printf 'header\n' > c
printf 'one\n' > "$T/one"
printf 'two\n' > "$T/two"
source_of c "file:$T/one"
source_of c "file:$T/two"
[ "$(timeout 20 cat c)" = $'header\none\ntwo' ] || fail "order"
printf 'header\n' > d
source_of d "file:$T/one"
sink_of d "file:$T/three"
wait_until 20 state d 2 done
[ "$(cat "$T/three")" = $'header\none' ] || fail "header and file into a file: $(cat "$T/three")"
# Append; and a file that is replaced.
sink_of d "file:$T/three?append=1"
timeout 20 sh -c 'echo more > d'
wait_until 20 state d 3 done
[ "$(cat "$T/three")" = $'header\none\nmore' ] || fail "append: $(cat "$T/three")"
# What others append meanwhile is not overwritten.
sink_of d "file:$T/three?append=1"
exec 4> d
echo mine >&4
wait_until 20 grep -q mine "$T/three"
echo theirs >> "$T/three"
echo mine again >&4
exec 4>&-
wait_until 20 state d 4 done
[ "$(tail -n 3 "$T/three")" = $'mine\ntheirs\nmine again' ] || fail "append: $(cat "$T/three")"
sink_of d "file:$T/three"
timeout 20 sh -c 'echo new > d'
wait_until 20 state d 5 done
[ "$(cat "$T/three")" = new ] || fail "replace"
sink_of d "file:$T/four?create=0600"
timeout 20 sh -c 'echo secret > d'
wait_until 20 state d 6 done
[ "$(stat -c %a "$T/four")" = 600 ] || fail "create"
rm c d

# A sink on the origin beside taps has a copy of its own.
mkfifo c
ln c r
sink_of c "file:$T/own"
timeout 20 cat r > "$T/tap" &
timeout 20 cp "$T/in" c
wait $!
wait_until 30 state c 1 done
same "$T/in" "$T/own" "$T/tap"
rm c r

# A writer and a source at once: whole chunks of each.
mkfifo c
ln c r
timeout 30 cat r > "$T/mixed" &
reader=$!
exec 4> c
source_of c "file:$T/in"
for i in $(seq 1000); do printf 'line %06d\n' $i >&4; done
wait_until 20 state c 1 done
exec 4>&-
wait $reader
[ "$(stat -c %s "$T/mixed")" = $((30000001 + 12000)) ] || fail "mixed: size"
[ "$(grep -aoE 'line [0-9]{6}' "$T/mixed" | sort -u | wc -l)" -ge 1000 ] || fail "mixed: lines"
rm c r

# Holes, an empty file, a file that grows, one that shrinks, one that is longer than asked for.
mkfifo c
truncate -s 20M "$T/hole"
source_of c "file:$T/hole"
timeout 20 cat c | cmp - "$T/hole" || fail "hole"
: > "$T/nothing"
source_of c "file:$T/nothing"
wait_until 30 state c 2 done
[ -z "$(timeout 20 cat c)" ] || fail "an empty file"
source_of c "file:$T/nothing"
sink_of c "file:$T/nothing2"
wait_until 30 state c 4 done
cp "$T/in" "$T/grows"
source_of c "file:$T/grows"
echo grown >> "$T/grows"
timeout 20 cat c | cmp - "$T/grows" || fail "a file that grows"
cp "$T/in" "$T/shrinks"
source_of c "file:$T/shrinks"
truncate -s 10M "$T/shrinks"
timeout 20 cat c > "$T/shrunk"
wait_until 30 state c 6 failed
[ "$(port c 6 .errno)" = ENODATA ] || fail "shrunk: $(port c 6 .errno)"
log_has 'before its end when it was attached'
source_of c "file:$T/one?length=1M"
timeout 20 cat c > "$T/short"
wait_until 30 state c 7 failed
rm c

# poll(2) on the channel of a regular file: readable once the first page is there, also when it must be read.
cp "$T/in" "$T/cold"
sync "$T/cold"
python3 - "$T/cold" << 'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
PY
mkfifo c
python3 - "$T/cold" << 'PY'
import os, select, sys
fd = os.open("c", os.O_RDONLY | os.O_NONBLOCK)
p = select.poll()
p.register(fd, select.POLLIN)
assert p.poll(50) == [], "readable before there is a source"
os.setxattr("c", "spfs.source", f"file:{sys.argv[1]}".encode())
data = b""
while True:
    assert p.poll(10000), "no event"
    part = os.read(fd, 1 << 20)
    if not part:
        break
    data += part
assert data == open(sys.argv[1], "rb").read()
PY
rm c

# A source that is detached half-way ends its stream; what was on its way arrives.
mkfifo c
source_of c "file:$T/in"
exec 5< c
head -c 1000 <&5 > "$T/part"
setfattr -n spfs.detach -v 1 c
timeout 30 cat <&5 >> "$T/part"
exec 5<&-
cmp -n "$(stat -c %s "$T/part")" "$T/part" "$T/in" || fail "detached: not the beginning"
[ "$(ports c)" = '[]' ] || fail "still listed: $(ports c)"
refuse 'No such file' setfattr -n spfs.detach -v 1 c
rm c

# A sink that is detached leaves what it has not written, for the next one.
mkfifo c
ln c r
mkfifo "$T/slow"
exec 6<> "$T/slow"
sink_of r "file:$T/slow"
head -c 3000000 "$T/in" > c &
head -c 100000 <&6 > "$T/joined"
spfs detach r 1
python3 -c 'import os
os.set_blocking(6, False)
try:
    while True: os.write(1, os.read(6, 65536))
except BlockingIOError: pass' >> "$T/joined"
exec 6>&-
timeout 30 cat r >> "$T/joined"
wait
head -c 3000000 "$T/in" | cmp - "$T/joined" || fail "detached sink"
rm c r

if is_root; then
	# A full disk: the sink fails, its data waits for another one, on a tap and on the origin.
	mkdir "$T/small"
	mount -t tmpfs -o size=5m tmpfs "$T/small"
	for name in r c; do
		mkfifo c
		[ $name = c ] || ln c r
		sink_of $name "file:$T/small/out?on-error=hold"
		timeout 60 sh -c "cat '$T/in' > c" &
		writer=$!
		wait_until 20 state c 1 failed
		[ "$(port c 1 .errno)" = ENOSPC ] || fail "$(port c 1 .errno)"
		log_has 'No space left'
		cp "$T/small/out" "$T/first"
		rm "$T/small/out"
		sink_of $name "file:$T/second"
		wait $writer
		wait_until 20 state c 2 done
		cat "$T/first" "$T/second" | cmp - "$T/in" || fail "after a full disk, on $name"
		rm -f c r
	done
	umount "$T/small"
fi

# A file that grows too large for the daemon.
mkfifo c
sink_of c "file:$T/large"
source_of c "file:$T/huge"
wait_until 30 state c 1 failed
[ "$(port c 1 .errno)" = EFBIG ] && [ "$(port c 1 .bytes)" = 51200000 ] || fail "$(ports c)"
cmp -n 51200000 "$T/large" "$T/huge" || fail "before a limit"
rm c

# Devices.
mkfifo c
source_of c 'file:/dev/zero'
[ "$(timeout 30 head -c 5000000 c | tr -d '\0' | wc -c)" = 0 ] || fail "/dev/zero"
setfattr -n spfs.detach -v 1 c
timeout 20 cat c > /dev/null || true
sink_of c file:/dev/null
timeout 20 sh -c "cat '$T/in' > c"
wait_until 20 state c 2 done
rm c

# No faster than it should be: on the origin, and on a tap.
mkfifo c
ln c r
head -c 1500000 /dev/urandom > "$T/paced"
for name in c r; do
	sink_of $name "file:$T/paced-$name?rate=1M"
	before=$EPOCHREALTIME
	timeout 20 sh -c "cat '$T/paced' > c"
	if [ $name = c ]; then cat r > /dev/null; fi
	wait_until 30 cmp "$T/paced" "$T/paced-$name"
	took=$(((${EPOCHREALTIME/./} - ${before/./}) / 1000))
	[ $took -ge 1000 ] || fail "1.5 MB at 1 MiB/s took $took ms"
	if [ $name = c ]; then wait_until 20 state c 1 done; fi
done
[ "$(getfattr --only-values -n spfs.rate r)" = 1048576 ] || fail "the tap's rate"
rm c r

# What cannot be.
mkfifo c
ln c r
refuse 'No such file' source_of c "file:$T/none"
refuse 'Invalid argument' source_of c "file:relative"
refuse 'Invalid argument' source_of c "nothing:$T/in"
refuse 'Invalid argument' source_of c "file:$T/in?size=3"
refuse 'Is a directory' source_of c "file:$T"
refuse 'Invalid argument\|Permission denied' source_of r "file:$T/in"
refuse 'Invalid cross-device link' source_of c "file:$M/r"
refuse 'Invalid argument' setfattr -n spfs.detach -v x c
log_has 'open .*none: No such file'
rm c r
wait_until 30 daemon_fds_at_most $fds
cd /
finish
