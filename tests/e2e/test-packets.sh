# A packet channel: each write is a message, whole in every tap, or refused.
. "$(dirname "$0")/harness.sh"
spfs_mount

mkfifo "$M/ch"
setfattr -n spfs.packets -v 1 "$M/ch"
ln "$M/ch" "$M/r1"
ln "$M/ch" "$M/r2"
[ -f "$M/ch" ] && [ -p "$M/r1" ] || fail "$(ls -l "$M")"
[ "$(stat -c %h%i "$M/ch")" = "$(stat -c %h%i "$M/r1")" ] || fail "another inode"
[ "$(spfs get --json "$M/ch" packets | jq .packets)" = 1 ] || fail "spfs.packets"

# Several writers at once: whole, in order of each, in both taps; both readers see the end.
"$BUILD/tests/e2e/messages" read 4 2500 < "$M/r1" > "$T/one" 2>&1 &
one=$!
"$BUILD/tests/e2e/messages" read 4 2500 < "$M/r2" > "$T/two" 2>&1 &
two=$!
exec 7> "$M/ch" # one stream for all
writers=
for w in 0 1 2 3; do
	timeout 60 "$BUILD/tests/e2e/messages" write $w 2500 > "$M/ch" 7>&- &
	writers+=" $!"
done
for w in $writers; do wait $w; done
one_writer() { spfs stat --json "$M/ch" | jq -e ".writers == 1"; }
wait_until 20 one_writer > /dev/null
exec 7>&-
wait $one || fail "r1: $(cat "$T/one")"
wait $two || fail "r2: $(cat "$T/two")"

# What does not fit into a message is refused, and nothing of it comes.
cd "$M"
timeout 100 python3 - << 'PY'
import errno, fcntl, json, os, select, subprocess
r1, r2 = (os.open(n, os.O_RDONLY | os.O_NONBLOCK) for n in ("r1", "r2"))
w = os.open("ch", os.O_WRONLY | os.O_TRUNC)

def next_message(fd, timeout=20000):
    p = select.poll()
    p.register(fd, select.POLLIN)
    return os.read(fd, 65536) if p.poll(timeout) else None

def refused(err, call, *args):
    try:
        n = call(*args)
    except OSError as e:
        assert e.errno == err, (e, args and len(args))
    else:
        raise SystemExit(f"went well: {n}")

for size in (4097, 65537, 131073, 1 << 20, (1 << 20) + 1, 3 << 20):
    refused(errno.EMSGSIZE, os.write, w, b"x" * size)
refused(errno.EMSGSIZE, os.writev, w, [b"x" * 3000] * 2)
refused(errno.ESPIPE, os.pwrite, w, b"x", 7)
refused(errno.ESPIPE, os.lseek, w, 0, os.SEEK_END)
assert os.write(w, b"") == 0
os.ftruncate(w, 100)
assert os.fstat(w).st_size == 0
assert os.writev(w, [b"a", b"bc"] * 60) == 180
for fd in (r1, r2):
    assert next_message(fd) == b"abc" * 60
# More pages than a request has room for: what the call returns is one message, and nothing more comes.
n = os.writev(w, [b"%05d" % i for i in range(600)])
assert 1280 <= n < 3000, n
for fd in (r1, r2):
    assert next_message(fd) == b"".join(b"%05d" % i for i in range(600))[:n]
os.write(w, b"last")
for fd in (r1, r2):
    assert next_message(fd) == b"last"

for flags in (os.O_RDWR, os.O_RDWR | os.O_APPEND):
    refused(errno.EACCES, os.open, "ch", flags)

# Who reads it has an empty file, and is nobody to the stream.
e = os.open("ch", os.O_RDONLY)
assert os.read(e, 100) == b"" and os.pread(e, 100, 5) == b"" and os.fstat(e).st_size == 0
p = select.poll()
p.register(e, select.POLLIN)
assert p.poll(0)
refused(errno.EBADF, os.write, e, b"x")
refused(errno.EINVAL, os.ftruncate, e, 5)
os.close(e)

# To append is the same, also switched on meanwhile, and whoever asks for the size in between.
a = os.open("ch", os.O_WRONLY | os.O_APPEND)
said = [b"%d" % i * 700 for i in range(10)]
for i, text in enumerate(said):
    if i == 5:
        assert os.fstat(a).st_size == 0
    if i == 8:
        fcntl.fcntl(w, fcntl.F_SETFL, os.O_APPEND)
    assert os.write(w if i > 7 else a, text) == len(text)
    for fd in (r1, r2):
        assert next_message(fd) == text, i
fcntl.fcntl(w, fcntl.F_SETFL, 0)
for size in (4097, 1 << 20, 3 << 20):
    refused(errno.EMSGSIZE, os.write, a, b"x" * size)
os.write(w, b"after")
assert next_message(r1) == next_message(r2) == b"after"
os.close(a)

# Without blocking: all or nothing, and poll tells of the room.
n = os.open("ch", os.O_WRONLY | os.O_NONBLOCK)
sent = 0
held = False # by a tap that is full: before that the worker may only be late
p = select.poll()
p.register(n, select.POLLOUT)
while True:
    assert sent < 100000, "it is never full"
    try:
        assert os.write(n, b"%06d" % sent + b"." * 994) == 1000
        sent += 1
    except BlockingIOError:
        if held:
            break
        held = json.loads(subprocess.check_output(["spfs", "stat", "--json", "ch"]))["held_by"] is not None
assert sent > 300 and not p.poll(0), sent
refused(errno.EBUSY, os.setxattr, "ch", "spfs.packets", b"0")
for fd in (r1, r2):
    for i in range(sent - 300):
        assert next_message(fd) == b"%06d" % i + b"." * 994, i
assert p.poll(20000), "not told of the room"
for fd in (r1, r2):
    for i in range(sent - 300, sent):
        assert next_message(fd) == b"%06d" % i + b"." * 994, i
os.close(n)
os.close(w)
for fd in (r1, r2):
    assert next_message(fd) == b"", "no end"
PY
cd /

# What logs: a shell, Python's logging, many at once; each line is a message of its own.
timeout 60 "$BUILD/tests/e2e/messages" read 3 1000 < "$M/r1" > "$T/one" 2>&1 &
one=$!
spfs set "$M/r2" policy=drop-old
exec 7>> "$M/ch"
writers=
for w in 0 1 2; do
	timeout 60 "$BUILD/tests/e2e/messages" write $w 1000 >> "$M/ch" 7>&- &
	writers+=" $!"
done
for w in $writers; do wait $w; done
exec 7>&-
wait $one || fail "appended: $(cat "$T/one")"
timeout 30 python3 - "$M/ch" << 'PY' || fail "logging.FileHandler"
import logging, sys
logging.basicConfig(handlers=[logging.FileHandler(sys.argv[1])], format="%(message)s")
logging.warning("from logging")
logging.warning("again")
PY
timeout 20 sh -c 'for i in 1 2; do dd bs=9999 count=1 status=none; done' < "$M/r1" > "$T/lines"
[ "$(cat "$T/lines")" = $'from logging\nagain' ] || fail "logging: $(cat "$T/lines")"

# nginx, whose log is the channel: a message for each access.
if nginx=$(PATH=$PATH:/usr/sbin command -v nginx); then
	cat > "$T/nginx" << NGINX
daemon off;
worker_processes 1;
pid $T/nginx.pid;
error_log stderr;
events {}
http {
	access_log $M/ch;
	client_body_temp_path $T/body; proxy_temp_path $T/proxy; fastcgi_temp_path $T/fastcgi;
	uwsgi_temp_path $T/uwsgi; scgi_temp_path $T/scgi;
	server { listen unix:$T/web; return 200 "\n"; }
}
NGINX
	timeout 60 "$nginx" -c "$T/nginx" 2> "$T/nginx.log" &
	web=$!
	wait_until 20 socket_listens "$T/web"
	for i in 1 2 3; do timeout 20 curl -sS --unix-socket "$T/web" "http://web/$i" > /dev/null; done
	for i in 1 2 3; do
		timeout 20 dd bs=9999 count=1 status=none < "$M/r1" > "$T/lines"
		grep -qx ".*GET /$i .*" "$T/lines" && [ "$(wc -l < "$T/lines")" = 1 ] || fail "nginx: $(cat "$T/lines")"
	done
	kill $web
	wait $web || fail "nginx: $(cat "$T/nginx.log")"
	fi

# A full ring parks its writers; each dies at once.
sleep 1000 < "$M/r1" &
sleep 1000 < "$M/r2" &
timeout 60 "$BUILD/tests/e2e/messages" write 0 100000 > "$M/ch" &
parked() { grep -q 'request_wait\|fuse' "/proc/$(tr -d ' ' < /proc/$1/task/$1/children)/wchan"; }
first=$!
wait_until 30 parked $first
timeout 60 "$BUILD/tests/e2e/messages" write 1 100000 > "$M/ch" &
second=$!
wait_until 30 parked $second
full() { spfs stat --json "$M/ch" | jq -e .held_by; }
wait_until 30 full > /dev/null
for w in $second $first; do
	child=$(cat /proc/$w/task/$w/children)
	kill -9 $child
	wait_until 30 gone $child
	wait $w || true
done

# Linked, moved, listed and removed while it is open.
exec 7> "$M/ch"
mv "$M/ch" "$M/moved"
ls -l "$M" > /dev/null
[ -f "$M/moved" ] && [ ! -e "$M/ch" ] || fail "mv"
rm "$M/moved" "$M/r1" "$M/r2"
[ -z "$(ls "$M")" ] || fail "left: $(ls "$M")"
exec 7>&-

# A source has no messages; sinks do. The switch wants nobody there.
mkfifo "$M/p"
setfattr -n spfs.packets -v 1 "$M/p"
spfs ls -i 0 "$M" | grep -q 'p ' || fail "not listed: $(spfs ls -i 0 "$M")"
spfs stat "$M/p" | grep -q idle || fail "no stat"
echo data > "$T/file"
refuse 'no messages' spfs source "$M/p" "file:$T/file"
spfs sink "$M/p" "file:$T/out"
refuse 'busy' setfattr -n spfs.packets -v 0 "$M/p"
echo to a file > "$M/p"
wait_until 20 grep -q 'to a file' "$T/out"
log_has 'packet channel'
rm "$M/p"

# A sink that goes from file to file cuts between messages, whatever the records of a stream of bytes were.
for record in 0 10 line; do
	mkfifo "$M/q"
	spfs set "$M/q" record=$record packets=1
	mkdir "$T/r"
	spfs sink "$M/q" "file:$T/r/%Y?rotate=4K" > /dev/null
	exec 5> "$M/q"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		head -c 1233 /dev/zero >&5
		moved() { [ "$(cat "$T/r/"* | wc -c)" = $((1233 * i)) ]; }
		wait_until 20 moved
	done
	[ "$(find "$T/r" -size +0 | wc -l)" -gt 2 ] || fail "record=$record: $(ls -l "$T/r")"
	for f in "$T/r/"*; do
		[ $(($(stat -c %s "$f") % 1233)) = 0 ] || fail "record=$record: within a message: $(ls -l "$T/r")"
	done
	exec 5>&-
	ended() { [ "$(spfs ports --json "$M/q" | jq -r '.[].state')" = done ]; }
	wait_until 20 ended
	rm -r "$T/r" "$M/q"
done

# A switch under the hands of those who wait in open: they get through, and nothing into the messages.
mkfifo "$M/w"
(echo early > "$M/w") 2> /dev/null &
early=$!
wait_until 20 grep -q 'wait_for_partner\|fifo_open' /proc/$early/wchan
setfattr -n spfs.packets -v 1 "$M/w"
wait_until 20 gone $early
wait $early || true
ln "$M/w" "$M/t"
echo late > "$M/w"
[ "$(timeout 20 cat "$M/t")" = late ] || fail "something else came before"
setfattr -n spfs.packets -v 0 "$M/w"
[ -p "$M/w" ] || fail "no FIFO again"
echo bytes > "$M/w"
[ "$(timeout 20 cat "$M/t")" = bytes ] || fail "bytes again"
refuse 'Invalid argument' setfattr -n spfs.packets -v yes "$M/w"
refuse 'Numerical result' setfattr -n spfs.packets -v 2 "$M/w"

for p in $(jobs -p); do kill $p 2> /dev/null || true; done
wait
finish
