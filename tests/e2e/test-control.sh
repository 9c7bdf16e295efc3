# The control socket: rubbish, silence, descriptors, rights, and ends in the middle of it all.
. "$(dirname "$0")/harness.sh"
programs_for_all "$BUILD/cmd/spfs" "$HERE/control.py"
export PYTHONPATH=$T/bin
PY=/usr/bin/python3 # every user may run it

spfs_mount
make_workers
mkfifo "$M/a"
mkdir "$M/sub"
fds=$(daemon_fds)
calm() { wait_until 30 daemon_fds_at_most $fds; }

# The socket is the daemon's: others make none, and do not take it away.
[ -S "$M/.spfs/control" ] || fail "no socket"
refuse 'not permitted' $PY -c "import socket; socket.socket(socket.AF_UNIX).bind('$M/.spfs/other')"
refuse 'in use' $PY -c "import socket; socket.socket(socket.AF_UNIX).bind('$M/.spfs/control')"
refuse 'not permitted' rm -f "$M/.spfs/control"
refuse 'not permitted' chmod 0 "$M/.spfs/control"
refuse 'not permitted' mv "$M/.spfs/control" "$M/x"
refuse 'No such attr' getfattr -n spfs.ports "$M/.spfs/control"

# Rubbish, each answered, by one line of the log too.
$PY - "$M" << 'PY'
import json, sys
from control import Control
m = sys.argv[1]
c = Control(m)
for rubbish in (b"x", b"\0", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b"{\"op\": 1}", b"[" * 16000, b"{\"op\":" * 2000,
                b'{"op": "ports", "op": "wait"}', b'{"op": "ports", "channel": "a\\u0000b"}',
                {"op": "nonsense"}, {"op": "ports"}, {"op": "ports", "channel": 1}, {"op": "ports", "channel": "a", "more": 1},
                {"op": "wait", "channel": "a"}, {"op": "wait", "channel": "a", "id": "1"},
                {"op": "wait", "channel": "a", "id": 1.5}, {"op": "wait", "channel": "a", "id": -1},
                {"op": "wait", "channel": "a", "id": 1 << 40}, {"op": "wait", "channel": "a", "id": 1, "timeout": 1 << 60},
                {"op": "detach", "channel": "a", "id": 0}, {"op": "detach", "channel": "a", "id": 1 << 70},
                {"op": "attach", "channel": "a", "dir": "source"}, {"op": "attach", "channel": "a", "dir": "x", "uri": "file:/"},
                {"op": "attach", "channel": "a", "dir": "source", "uri": ""},
                {"op": "attach", "channel": "a", "dir": "source", "uri": "file:relative"},
                {"op": "attach", "channel": "a", "dir": "source", "uri": "nonsense:/x"},
                {"op": "attach", "channel": "a", "dir": "source", "uri": "file:\nline"},
                {"op": "ports", "channel": ""}, {"op": "ports", "channel": "/"}, {"op": "ports", "channel": "."}):
    c.refused("EINVAL", rubbish)
for path, errno in (("b", "ENOENT"), (".spfs/control", "ENOENT"), (".spfs/fifos/1", "ENOENT"), ("a/b", "ENOTDIR"), ("sub", "EISDIR"),
                    ("..", "EINVAL"), ("../a", "EXDEV"), ("sub/../../a", "EXDEV"), ("x" * 300, "ENAMETOOLONG"),
                    ("new\nline", "ENOENT")):
    c.refused(errno, {"op": "ports", "channel": path})
c.refused("E2BIG", b"x" * 20000)
c.refused("ENOENT", {"op": "wait", "channel": "a", "id": 1})
c.refused("ENOENT", {"op": "detach", "channel": "/a", "id": 1})
for path in ("a", "/a", "//a", "./a", "sub/../a", "sub/.//../a"):
    assert c.ask({"op": "ports", "channel": path}) == {"ports": []}, path
c.sock.send(b"") # is an end
assert c.sock.recv(100) == b""
PY
log_written
[ "$(grep -c 'nonsense:/x' "$LOG")" = 1 ] || fail "not one line"
if grep -q '^line' "$LOG"; then fail "a name breaks a line of the log"; fi
calm

# Descriptors: none stays where it is of no use.
mkfifo "$T/fifo"
$PY - "$M" "$T" << 'PY'
import os, sys
from control import Control
m, t = sys.argv[1:]
c = Control(m)
null = os.open("/dev/null", os.O_RDWR)
attach = {"op": "attach", "channel": "a", "dir": "source"}
sink = dict(attach, dir="sink")
for n in (2, 3, 10, 250):
    c.refused("EINVAL", attach, [null] * n)
    c.refused("EINVAL", b"x", [null] * n)
c.refused("EINVAL", {"op": "ports", "channel": "a"}, [null])
c.refused("EINVAL", dict(attach, uri="file:/dev/null"), [null])
c.refused("EINVAL", b"x" , [null])
c.refused("E2BIG", b"x" * 20000, [null])
c.refused("EBADF", attach, [os.open(t, os.O_PATH)])
c.refused("EBADF", attach, [os.open("/dev/null", os.O_WRONLY)])
c.refused("EBADF", sink, [os.open("/dev/null", os.O_RDONLY)])
c.refused("ELOOP", attach, [os.open(m + "/a", os.O_RDWR)])
c.refused("ELOOP", attach, [os.open(m, os.O_RDONLY)])
# The creator's handle, whose close the daemon itself is told of: it must not wait for itself.
for i, send in enumerate((lambda fd: c.refused("ELOOP", sink, [fd]), lambda fd: c.refused("EINVAL", b"x", [fd, fd]),
                          lambda fd: c.refused("EINVAL", {"op": "ports", "channel": "a"}, [fd]))):
    name = m + "/handle%d" % i
    fd = os.open(name, os.O_CREAT | os.O_WRONLY)
    send(fd)
    os.close(fd)
    os.unlink(name)
fd = os.open(m + "/handle", os.O_CREAT | os.O_WRONLY)
unread = Control(m)
unread.send({"op": "ports", "channel": "a"})
for _ in range(3):
    unread.send({"op": "ports", "channel": "a"}, [fd])
os.close(fd)
unread.close()
os.unlink(m + "/handle")
c.refused("ENOENT", dict(attach, channel="none"), [null])
# One that says nothing, and is listed, waited for and taken off again.
fifo = os.open(t + "/fifo", os.O_RDWR)
i = c.ask(attach, [fifo])["id"]
ports = c.ask({"op": "ports", "channel": "a"})["ports"]
assert [(p["id"], p["dir"], p["uri"], p["name"]) for p in ports] == [(i, "source", "fd", "/a")], ports
assert c.ask({"op": "wait", "channel": "a", "id": i, "timeout": 50})["port"]["state"] == "running"
assert c.ask({"op": "detach", "channel": "a", "id": i}) == {}
c.refused("ENOENT", {"op": "detach", "channel": "a", "id": i})
PY
calm

# Clients that say nothing, do not listen, or go in the middle.
$PY - "$M" << 'PY'
import os, socket, subprocess, sys, time
from control import Control
m = sys.argv[1]
attach = {"op": "attach", "channel": "a", "dir": "source", "uri": "tcp-listen:127.0.0.1:0"}
silent = [Control(m) for _ in range(64)]
late = Control(m)
assert late.receive()["errno"] == "EUSERS"
assert late.sock.recv(100) == b""
for _ in range(20): # who asks at once is told as well, whoever of the two is first
    said = subprocess.run(["spfs", "ports", m + "/a"], capture_output=True, text=True)
    assert said.returncode and "too many connections" in said.stderr, said
os.stat(m + "/a")
assert silent[0].ask({"op": "ports", "channel": "a"}) == {"ports": []}
if os.getuid() == 0: # another user is not held up by them
    pid = os.fork()
    if pid == 0:
        os.setgid(65534); os.setgroups([]); os.setuid(65534)
        Control(m).refused("ENOENT", {"op": "ports", "channel": "none"})
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
for c in silent[1:]:
    c.close()
c = silent[0]
end = time.time() + 60
while True: # they are gone soon
    others = []
    try:
        others = [Control(m) for _ in range(11)]
        if all(o.ask({"op": "ports", "channel": "a"}) == {"ports": []} for o in others):
            break
    except (ConnectionError, ValueError):
        pass
    for o in others:
        o.close()
    assert time.time() < end
other, *waiting = others
# Requests without an ear for the answers: the socket's buffer ends it.
other.sock.setblocking(False)
try:
    for _ in range(100000):
        other.send({"op": "nonsense"})
except BlockingIOError:
    pass # the daemon waits with reading until an answer is taken, or has hung up
except ConnectionError:
    pass
other.close()
# Several who wait for one port, some of whom go.
i = c.ask(attach)["id"]
for w in waiting:
    w.send({"op": "wait", "channel": "a", "id": i})
while any(w.unread() for w in waiting):
    time.sleep(0.001)
for w in waiting[:5]:
    w.close()
assert c.ask({"op": "detach", "channel": "a", "id": i}) == {}
for w in waiting[5:]:
    answer = w.receive()
    assert answer["errno"] == "ENOENT" and "detached" in answer["error"], answer
# A request right behind another is answered after it.
c.send({"op": "wait", "channel": "a", "id": i})
c.send({"op": "ports", "channel": "a"})
assert c.receive()["errno"] == "ENOENT"
assert c.receive() == {"ports": []}
PY
calm
rm "$M/a"

# The commands.
mkfifo "$M/a"
head -c 1000000 /dev/urandom > "$T/in"
cd "$T"
timeout 20 cat "$M/a" > out &
reader=$!
[ "$(timeout 20 spfs source "$M/a" file:in --wait)" = 1 ] || fail "spfs source --wait"
[ "$(timeout 20 spfs source "$M/a" --fd 0 --progress < in 2> "$T/progress")" = 2 ] || fail "spfs source --fd"
grep -q '^descriptor 0: .*/s$' "$T/progress" || fail "no plain last line: $(cat "$T/progress")"
kill $reader 2> /dev/null || true
wait || true
# Interrupted while it waits: the port goes on, and how to end it is said.
mkfifo "$M/w"
for signal in INT TERM; do
	rm -f "$T/id"
	env --default-signal=INT spfs sink "$M/w" file:sunk --wait > "$T/id" 2> "$T/said" &
	waiting=$!
	wait_until 30 test -s "$T/id"
	kill -$signal $waiting
	if wait $waiting; then fail "interrupted, and well"; else status=$?; fi
	[ $status = $((128 + $(kill -l $signal))) ] || fail "status $status of $signal"
	grep -qF "sink $(cat "$T/id") goes on, and 'spfs detach $M/w $(cat "$T/id")' ends it" "$T/said" || fail "$(cat "$T/said")"
	spfs ports --json "$M/w" | jq -e '.[] | select(.id == '"$(cat "$T/id")"').state == "running"' > /dev/null ||
		fail "it does not go on: $(spfs ports "$M/w")"
	spfs detach "$M/w" "$(cat "$T/id")"
done
rm "$M/w"
refuse 'No such file' spfs source "$M/a" file:missing --wait
refuse 'not a splice channel' spfs source /etc/passwd file:in
refuse 'a folder' spfs source "$M/sub" file:in
refuse 'Usage' spfs source "$M/a"
refuse 'Usage' spfs sink "$M/a" file:x --fd 0
refuse 'number of a descriptor' spfs source "$M/a" --fd x
refuse 'Bad file descriptor' spfs source "$M/a" --fd 99
refuse 'no such port' spfs detach "$M/a" 4000000000
refuse "port's number" spfs detach "$M/a" x
spfs detach "$M/a" x 2> /dev/null && fail "well" || [ $? = 2 ] || fail "spfs detach: $?"
refuse 'No space left' sh -c "spfs ports '$M/a' > /dev/full"
mkfifo "$M/ü"
LC_ALL=C.UTF-8 spfs stat "$M/ü" | grep -q "$M/ü" || fail "ü: $(spfs stat "$M/ü")"
rm "$M/ü"
for c in source sink ports detach; do spfs $c --help | grep -q "Usage: spfs $c" || fail "$c --help"; done
# What was written gets where it shall, although the channel has no name any more: here to a peer that takes it later.
mkfifo "$M/k" "$T/go"
python3 - "$T/sock" "$T/go" > kept << 'PY' &
import shutil, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
peer = s.accept()[0]
open(sys.argv[2]).read()
shutil.copyfileobj(peer.makefile("rb"), sys.stdout.buffer)
PY
peer=$!
wait_until 30 socket_listens "$T/sock"
spfs sink "$M/k" "unix:$T/sock" > /dev/null
cat in > "$M/k"
rm "$M/k"
timeout 20 spfs quota "$M" > /dev/null # (the name has gone for the worker as well)
timeout 30 sh -c ': > go'
wait $peer
cmp in kept
id=$(spfs source "$M/a" tcp-listen:127.0.0.1:0)
spfs ports "$M/a" | grep -q "^ *$id source .*tcp-listen" || fail "ports: $(spfs ports "$M/a")"
spfs ports --json "$M" | jq -e ".[] | select(.id == $id) | .dir == \"source\" and .mount == \"$M\"" > /dev/null ||
	fail "ports --json"
getfattr --only-values -n spfs.ports "$M/a" | jq -e ".[] | select(.id == $id)" > /dev/null || fail "spfs.ports"
getfattr -d -m - "$M/a" | grep -q '^spfs.ports=' || fail "spfs.ports is not listed"
if getfattr -d -m - "$M/a" | grep -q '^spfs.\(source\|sink\|detach\)'; then fail "what is only set is listed"; fi
refuse 'No such attr' getfattr -n spfs.source "$M/a"
setfattr -n spfs.detach -v "$id" "$M/a"
refuse 'No such file' setfattr -n spfs.detach -v "$id" "$M/a"
for rubbish in '' x -1 0 1x ' 1' 99999999999999999999; do
	refuse 'Invalid argument' setfattr -n spfs.detach -v "$rubbish" "$M/a"
done
refuse 'Invalid argument' setfattr -n spfs.source -v nonsense "$M/a"
log_has 'source nonsense'
cd /

# Who may do what, as another user.
if is_root; then
	mkfifo -m 600 "$M/mine"
	mkfifo -m 622 "$M/writable"
	mkfifo -m 644 "$M/readable"
	mkdir -m 700 "$M/private"
	mkfifo -m 666 "$M/private/p"
	id=$(spfs source "$M/readable" tcp-listen:127.0.0.1:0)
	as_user $PY - "$M" "$id" << 'PY'
import sys
from control import Control
m, i = sys.argv[1], int(sys.argv[2])
c = Control(m)
def attach(name, way):
    return {"op": "attach", "channel": name, "dir": way, "uri": "tcp-listen:127.0.0.1:0"}
for name, way in (("mine", "source"), ("mine", "sink"), ("writable", "sink"), ("readable", "source"), ("private/p", "source")):
    c.refused("EACCES", attach(name, way))
for op in ("ports", "wait", "detach"):
    for name in ("mine", "private/p"):
        c.refused("EACCES" if op != "detach" or "/" in name else "ENOENT",
                  {"op": op, "channel": name} if op == "ports" else {"op": op, "channel": name, "id": 1})
c.refused("EACCES", {"op": "detach", "channel": "readable", "id": i})
assert c.ask({"op": "ports", "channel": "readable"})["ports"][0]["id"] == i
own = c.ask(attach("writable", "source"))["id"]
assert c.ask({"op": "detach", "channel": "writable", "id": own}) == {}
own = c.ask(attach("readable", "sink"))["id"]
assert c.ask({"op": "detach", "channel": "readable", "id": own}) == {}
PY
	log_has 'no right to write the channel'
	log_has 'no right to read the channel'
	log_has 'no right to detach the port'
fi

# The daemon goes while others wait for it; they do not make the mount busy.
for how in TERM umount; do
	[ -n "$DAEMON" ] || { spfs_mount; mkfifo "$M/a"; }
	pids=
	rm -f "$T/silent" "$T"/id?
	for i in 1 2 3; do
		timeout 90 spfs source "$M/a" tcp-listen:127.0.0.1:0 --wait > "$T/id$i" 2> "$T/err$i" &
		pids="$pids $!"
	done
	timeout 90 $PY -c "from control import Control; c = Control('$M'); c.sock.settimeout(None); open('$T/silent', 'w'); c.sock.recv(1)" &
	silent=$!
	wait_until 30 [ -e "$T/silent" ]
	for i in 1 2 3; do wait_until 30 [ -s "$T/id$i" ]; done
	if [ $how = TERM ]; then kill "$DAEMON"; else umount_it; fi
	wait_until 30 gone "$DAEMON"
	! mounted || fail "mounted after $how"
	DAEMON=
	for p in $pids; do
		if wait $p; then fail "a port that never ended has ended well"; fi
	done
	grep -q 'the daemon has ended' "$T/err1" || fail "$(cat "$T/err1")"
	wait $silent || fail "the silent client was left waiting"
done
spfs_mount

# Killed in the middle of requests, and begun anew.
mkfifo "$M/a"
{
	for i in $(seq 20); do
		timeout -s KILL 0.$((RANDOM % 9))3 spfs source "$M/a" tcp-listen:127.0.0.1:0 --wait &
	done
	wait || true
} 2> /dev/null # what the shell says of the killed
spfs ports "$M/a" > /dev/null
finish
