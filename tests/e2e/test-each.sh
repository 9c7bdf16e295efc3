# A broadcast name: each who opens it has a tap of his own, as long as he reads.
. "$(dirname "$0")/harness.sh"
spfs_mount
make_workers
cd "$M"
readers() { spfs stat --json "$1" | jq '[.taps[] | select(.each) | .readers] | add'; }
has_readers() { [ "$(readers "$1")" = "$2" ]; }
as_before() { [ "$(daemon_fds)" -le "$fds" ]; }
head -c 5000003 /dev/urandom > "$T/in"

mkfifo c
spfs tee c all --each
fds=$(daemon_fds)
[ "$(stat -c %A c)" = p-w------- ] && [ "$(stat -c %A all)" = pr--r--r-- ] || fail "modes: $(ls -l)"
[ c -ef all ] || fail "-ef"
[ "$(getfattr --only-values -n spfs.each all)" = /c ] || fail "spfs.each"
[ "$(getfattr --only-values -n spfs.taps all)" = '["/all"]' ] || fail "spfs.taps"
refuse 'exists already' spfs tee c all --each

# Everybody has everything.
for i in 1 2 3; do timeout 60 cat all > "$T/out$i" & done
wait_until 30 has_readers c 3
spfs ls --interval 0 . | grep -q 'all .*each of 3 readers' || fail "ls: $(spfs ls --interval 0 .)"
spfs graph --format dot . | grep 'dashed.*/all' || fail "graph"
cat "$T/in" > c
wait
same "$T/in" "$T"/out?
wait_until 30 has_readers c 0

# Nobody reads: what is written waits, and its writer stays; the first who comes has it.
echo early > c
exec 4> c
echo later >&4
timeout 20 head -n 2 all > "$T/out1"
[ "$(cat "$T/out1")" = $'early\nlater' ] || fail "what waited: $(cat "$T/out1")"
wait_until 30 has_readers c 0
echo on >&4 # (no SIGPIPE: the last reader has gone in mid-stream)
exec 4>&-
[ "$(timeout 20 cat all)" = on ] || fail "the next reader"

# One reader after the other, however soon the next writer comes: what they miss is counted.
mkfifo quick
spfs tee quick one --each
(for i in $(seq 150); do timeout 60 sh -c "echo line $i > quick"; done) & writer=$!
(until [ -e "$T/enough" ]; do timeout 60 cat one; done) > "$T/out1" & reader=$!
wait $writer
touch "$T/enough"
echo last > quick # (to who reads yet; else it waits)
wait $reader
all_counted() {
	spfs stat --json quick |
		jq -e '.taps[0].readers == 0 and .bytes_in == .taps[0].bytes_out + .taps[0].lost' > /dev/null
}
wait_until 30 all_counted
[ "$(stat -c %s "$T/out1")" = "$(spfs stat --json quick | jq '.taps[0].bytes_out')" ] ||
	fail "not what the readers have: $(spfs stat --json quick), $(stat -c %s "$T/out1")"
rm quick one

# A reader who is killed, one who is stopped, and one who goes on.
timeout 60 cat all > /dev/null &
killed=$!
timeout 60 cat all > "$T/out1" &
reader=$!
timeout 60 sleep 60 < all &
stopped=$!
wait_until 30 has_readers c 3
cat "$T/in" > c &
writer=$!
wait_until 30 sh -c "[ \$(spfs stat --json c | jq '.taps[0].waiting') -gt 1000000 ]"
kill -9 $(family $killed)
wait_until 30 has_readers c 2
gone $writer && fail "the writer did not wait for a reader that does not read"
kill -9 $(family $stopped)
wait $writer $reader
same "$T/in" "$T/out1"
wait $killed $stopped 2> /dev/null || true

# However it is opened, there is no false end; who stays has the next stream as well; poll(2).
timeout 60 python3 - << 'PY'
import os, select, time
for round in range(50):
    fd = os.open("all", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert os.read(fd, 10) != b"", "a false end"
    except BlockingIOError:
        pass
    os.close(fd)
fd = os.open("all", os.O_RDONLY | os.O_NONBLOCK)
poll = select.poll()
poll.register(fd, select.POLLIN)
for stream in (b"one", b"two"):
    w = os.open("c", os.O_WRONLY)
    os.write(w, stream)
    while not poll.poll(20000)[0][1] & select.POLLIN:
        time.sleep(0.01) # (it still tells of the end before)
    assert os.read(fd, 10) == stream
    if stream == b"one":
        try:
            assert os.read(fd, 10) != b"", "an end in mid-stream"
        except BlockingIOError:
            pass
    os.close(w)
    assert poll.poll(20000)[0][1] & (select.POLLIN | select.POLLHUP)
    assert os.read(fd, 10) == b"", "no end"
    time.sleep(0.05) # (looked for, meanwhile, whether the reader has left)
# A second opening is another tap.
a, b = open("all", "rb"), open("all", "rb")
with open("c", "wb") as w:
    w.write(b"both")
assert a.read() == b.read() == b"both"
PY
timeout 60 tail -n +1 -f all > "$T/out1" &
tail=$!
wait_until 30 has_readers c 1
echo line > c
wait_until 30 grep -q line "$T/out1"
kill $(family $tail)
wait $tail 2> /dev/null || true

# Who stops between looking up and opening comes in all the same.
timeout 60 python3 - << 'PY'
import os, threading, time
path = os.open("all", os.O_PATH)
time.sleep(1.5)
done = []
def read():
    with open(f"/proc/self/fd/{path}", "rb") as f:
        done.append(f.read())
t = threading.Thread(target=read)
t.start()
deadline = time.time() + 30
while time.time() < deadline and os.popen("spfs stat --json c | jq '.taps[0].readers'").read().strip() != "1":
    time.sleep(0.05)
with open("c", "wb") as w:
    w.write(b"late")
t.join(20)
assert done == [b"late"], done
PY

# Looking is no opening, and leaves nothing.
wait_until 30 as_before
timeout 100 python3 - << 'PY'
import os
for i in range(10000):
    os.stat("all")
PY
ls -l > /dev/null
wait_until 30 as_before
has_readers c 0 || fail "who only looks is no reader"

# Renamed, linked, removed; the origin as well.
mkdir sub
mv all sub/all
timeout 30 cat sub/all > "$T/out1" &
reader=$!
wait_until 30 has_readers c 1
ln sub/all tap
[ "$(getfattr --only-values -n spfs.taps sub/all)" = '["/sub/all","/tap"]' ] || fail "spfs.taps"
refuse 'No such attribute' getfattr -n spfs.each tap
echo both > c
wait $reader
[ "$(cat "$T/out1")" = both ] && [ "$(timeout 20 cat tap)" = both ] || fail "a tap beside it"
rm tap
spfs set sub/all depth=64K policy=drop-old
[ "$(spfs get --json sub/all depth policy | jq -c .)" = '{"depth":65536,"policy":"drop-old"}' ] || fail "settings"
refuse 'attach it to the channel' spfs sink sub/all file:"$T/x"
timeout 30 sleep 30 < sub/all &
stopped=$!
wait_until 30 has_readers c 1
timeout 60 cat "$T/in" > c # (it does not wait)
[ "$(spfs stat --json c | jq '.taps[0].lost')" -gt 1000000 ] || fail "nothing lost"
kill $(family $stopped)
wait $stopped 2> /dev/null || true
wait_until 30 sh -c "[ \$(spfs stat --json c | jq .waiting) = 0 ]" # else the rest of it is replayed as well
spfs set c replay=1M
timeout 30 sh -c 'echo replayed > c'
[ "$(timeout 30 cat sub/all)" = replayed ] || fail "replay"
timeout 30 cat sub/all > "$T/out1" &
reader=$!
timeout 30 cat sub/all > "$T/out2" &
wait $reader $!
same "$T/out1" "$T/out2"
exec 4> c
timeout 30 cat sub/all > "$T/out1" 4>&- &
reader=$!
wait_until 30 has_readers c 1
rm c
echo last >&4
exec 4>&-
wait $reader
tail -n 1 "$T/out1" | grep -qx last || fail "after the origin went"
[ "$(timeout 20 tail -n 1 sub/all)" = last ] || [ -z "$(timeout 20 cat sub/all)" ] || fail "no end for ever"
rm sub/all
wait_until 30 as_before

# A name that goes takes its readers with it, each with what he has.
mkfifo c
spfs tee c all --each
timeout 30 cat all > "$T/out1" &
reader=$!
wait_until 30 has_readers c 1
exec 4> c
echo some >&4
wait_until 30 grep -q some "$T/out1"
rm all
wait $reader
exec 4>&-
rm c
wait_until 30 as_before

# Messages.
mkfifo c
spfs set c packets=1
spfs tee c all --each
timeout 30 cat all > "$T/out1" &
timeout 30 cat all > "$T/out2" &
wait_until 30 has_readers c 2
printf abc > c
wait
[ "$(cat "$T/out1" "$T/out2")" = abcabc ] || fail "messages"
rm all c

# A program that looks first, and opens then.
mkfifo c
spfs tee c all --each
if command -v ffmpeg > /dev/null; then
	timeout 60 ffmpeg -v error -re -f lavfi -i testsrc=size=160x120:rate=25 -t 8 -c:v mpeg2video -f mpegts -y pipe:1 > c &
	timeout 60 ffmpeg -v error -i all -t 1 -f rawvideo -y "$T/raw1" 2> /dev/null &
	reader=$!
	timeout 60 ffmpeg -v error -i all -t 1 -f rawvideo -y "$T/raw2" 2> /dev/null
	wait
	[ -s "$T/raw1" ] && [ -s "$T/raw2" ] || fail "ffmpeg"
fi
rm all c

# The daemon can go while it is read: that is the end for who reads.
mkfifo c
spfs tee c all --each
timeout 60 cat all > "$T/out1" &
reader=$!
wait_until 30 has_readers c 1
echo bye > c 2> /dev/null &
wait_until 30 grep -q bye "$T/out1"
wait
timeout 60 cat all > "$T/out1" &
reader=$!
wait_until 30 has_readers c 1
cd /
kill "$DAEMON"
wait $reader || true
wait_until 30 gone "$DAEMON"
DAEMON=
finish
