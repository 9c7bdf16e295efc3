# Readers of every kind, and killed at any moment.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
head -c 30000001 /dev/urandom > "$T/in"
mkfifo c
kinds="select poll epoll edge splice file tee"
for r in cat dd pv $kinds; do ln c $r; done
pids=
timeout 100 cat cat > "$T/cat" & pids="$pids $!"
timeout 100 dd status=none bs=12345 if=dd of="$T/dd" & pids="$pids $!"
timeout 100 pv -q pv > "$T/pv" & pids="$pids $!"
for kind in $kinds; do
	timeout 100 python3 - $kind "$T/$kind" << 'PY' &
import ctypes, os, select, sys
kind, out = sys.argv[1], os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
libc = ctypes.CDLL(None, use_errno=True)
wait = None
if kind == "select":
    wait = lambda fd: select.select([fd], [], [], 60)[0]
elif kind == "poll":
    poll = select.poll()
    wait = lambda fd: (poll.register(fd, select.POLLIN), poll.poll(60000))[1]
elif kind in ("epoll", "edge"):
    epoll = select.epoll()
    wait = lambda fd: epoll.poll(60)
fd = os.open(kind, os.O_RDONLY | (os.O_NONBLOCK if wait else 0))
if wait:
    if kind in ("epoll", "edge"):
        epoll.register(fd, select.EPOLLIN | (select.EPOLLET if kind == "edge" else 0))
    began = ended = False
    while not ended:
        assert wait(fd), "nothing came"
        # An edge is told once: all that is there has to be read.
        while True:
            try:
                data = os.read(fd, 50000)
            except BlockingIOError:
                break
            if not data:
                ended = began
                break
            began = True
            os.write(out, data)
            if kind != "edge":
                break
elif kind == "splice":
    rd, wr = os.pipe()
    while (n := libc.splice(fd, None, wr, None, 65536, 0)) > 0:
        os.write(out, os.read(rd, n))
    assert n == 0
elif kind == "file":
    while (n := libc.splice(fd, None, out, None, 1 << 20, 0)) > 0:
        pass
    assert n == 0
else:
    rd, wr = os.pipe()
    while (n := libc.tee(fd, wr, 65536, 0)) > 0:
        copy = os.read(rd, n)
        assert os.read(fd, n) == copy
        os.write(out, copy)
    assert n == 0
PY
	pids="$pids $!"
done
timeout 100 sh -c "cat $T/in > c"
for p in $pids; do wait $p; done
same "$T/in" "$T"/{cat,dd,pv,select,poll,epoll,edge,splice,file,tee}
for r in dd pv $kinds; do rm $r; done
[ -z "$(timeout 1 head -c 10 cat)" ] || fail "data out of nowhere"

# A reader killed in mid-stream: its successors get the rest, the other tap everything.
mv cat r1
ln c r2
timeout 100 sh -c "cat $T/in > c" &
writer=$!
timeout 100 cat r2 > "$T/out2" &
reader=$!
: > "$T/out1"
victims=0
# (until the other tap has all: what this one does not take when it is full waits in the origin)
while ! gone $writer || ! gone $reader; do
	# Reads from the pipe and writes in one thread: a kill loses at most what it held.
	cat r1 > /dev/null &
	victim=$!
	sleep 0.0$((RANDOM % 10)) # any moment will do
	kill -9 $victim 2> /dev/null || true
	wait $victim 2> /dev/null || true
	victims=$((victims + 1))
done
echo "$victims readers killed"
wait $writer
wait $reader
same "$T/in" "$T/out2"
# What the last victim left, if anything, goes with its tap.
rm r1
ln c r1

# A writer killed in mid-stream: its readers get what it wrote, then the end.
before=$(spfs stat --json c | jq .bytes_in) # (of the streams before: one that is killed before it opens is none)
cat /dev/zero > c &
writer=$!
timeout 100 cat r1 | wc -c > "$T/1" &
pids=$!
timeout 100 cat r2 | wc -c > "$T/2" &
pids="$pids $!"
wait_until 60 sh -c "[ \$(spfs stat --json c | jq .bytes_in) -gt $((before + 40000000)) ]"
kill -9 $writer
wait $writer || true
for p in $pids; do wait $p; done
same "$T/1" "$T/2"

# A reader that follows.
(echo one; exec sleep 1000) > c &
writer=$!
timeout 100 tail -f r1 > "$T/tail" &
follower=$!
timeout 20 head -n 1 r2 | grep -qx one
kill $writer
wait $writer || true
wait_until 20 grep -qx one "$T/tail"
kill $follower 2> /dev/null || true
wait $follower || true

cd /
finish
