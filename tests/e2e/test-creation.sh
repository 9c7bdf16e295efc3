# Every way to make a channel, and what the creating handle writes.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
head -c 3000001 /dev/urandom > "$T/in"

n=0
is_fifo() { case $(ls -lF "$1") in prw*"|") ;; *) fail "$1 is no FIFO: $(ls -lF "$1")" ;; esac; }

mkfifo fifo && is_fifo fifo
touch touched && is_fifo touched

for how in 'cat @ >' 'dd status=none if=@ of=' 'dd status=none bs=1M if=@ of=' 'dd status=none bs=511 if=@ of=' \
	'cp @ ' 'cp --sparse=always @ '; do
	name=new$((++n))
	timeout 60 sh -c "${how/@/$T/in}$name" &
	writer=$!
	wait_until 20 test -e $name
	is_fifo $name
	timeout 60 cat $name > "$T/out"
	wait $writer
	same "$T/in" "$T/out"
done

# One byte at a time, and a hole.
head -c 3000 "$T/in" > "$T/small"
timeout 30 dd status=none bs=1 if="$T/small" of=bytes
timeout 30 cat bytes | cmp - "$T/small"
truncate -s 100000 "$T/hole" && echo end >> "$T/hole"
timeout 30 cp --sparse=always "$T/hole" holed &
wait_until 20 test -e holed
timeout 30 cat holed | cmp - "$T/hole"
wait $!

# What is written first waits for the reader, who then sees the end.
timeout 20 sh -c 'echo hi > new'
[ "$(timeout 20 cat new)" = hi ] || fail "hi"

# Once it is closed nobody reads, so who opens for writing waits for a reader, as with any FIFO.
mkdir w
/usr/bin/python3 "$HERE/waiting_writers.py" w 40 || fail "a writer came through to nobody"
rmdir w

# A full channel holds the writer back, and costs nothing meanwhile.
cat "$T/in" > full &
writer=$!
wait_until 20 test -e full
wait_until 20 grep -q '^State:.S\|^State:.D' /proc/$writer/status
ticks() { awk '{ print $14 + $15 }' "/proc/$DAEMON/stat"; }
idle() { # for a span of 50 ticks in which nothing may happen
	local before
	before=$(ticks)
	sleep 0.5
	[ $(($(ticks) - before)) -le 3 ]
}
wait_until 30 idle
kill -0 $writer || fail "the writer did not wait"
timeout 20 cat full | cmp - "$T/in"
wait $writer

# Ctrl-C of one that waits.
cat "$T/in" > stuck &
writer=$!
wait_until 20 test -e stuck
wait_until 20 grep -q 'request_wait\|fuse' /proc/$writer/wchan
kill -INT $writer
kill -TERM $writer
wait_until 20 gone $writer
wait $writer || true
rm stuck

# Without blocking, with poll, and for reading and writing.
timeout 60 python3 - << 'PY'
import errno, os, select
fd = os.open("nonblock", os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK)
total = 0
poll = select.poll()
poll.register(fd, select.POLLOUT)
assert poll.poll(0), "writable at first"
while poll.poll(500): # (it is full once the daemon has moved what it can; if it were told writable for ever, the time is over)
    try:
        total += os.write(fd, b"x" * 60000)
    except OSError as e:
        assert e.errno == errno.EAGAIN, e
assert total > 0
rd = os.open("nonblock", os.O_RDONLY)
got = 0
while got < total:
    got += len(os.read(rd, 65536))
assert poll.poll(20000), "not told of the room"
os.close(fd)
assert os.read(rd, 1) == b"", "no end of file"
both = os.open("both", os.O_RDWR | os.O_CREAT)
os.write(both, b"there and back")
assert os.read(both, 100) == b"there and back"
try:
    os.pwrite(both, b"x", 0)
    raise SystemExit("wrote behind the end")
except OSError as e:
    assert e.errno == errno.ESPIPE, e
PY
exec 3<> shell
echo line >&3
[ "$(timeout 20 head -n 1 shell)" = line ] || fail "exec 3<>"
exec 3>&-

cd /
finish
