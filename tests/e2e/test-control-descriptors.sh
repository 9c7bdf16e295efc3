# What comes with messages of the control socket is closed where nobody else waits for it.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs" "$HERE/control.py"
export PYTHONPATH=$T/bin
PY=/usr/bin/python3 # every user may run it
spfs_mount
make_workers
mkfifo -m 666 "$M/a"
fds=$(daemon_fds)

# others_go_on WHAT: what root does meanwhile takes no time, and another user is served.
cat > "$T/bin/hostile.py" << 'PY'
import array, os, socket, sys, time
from control import Control
m, what = sys.argv[1:]
LINGER = 20

def lingering():
    """A descriptor whose last close takes LINGER seconds."""
    server = socket.create_server(("127.0.0.1", 0))
    s = socket.create_connection(server.getsockname())
    peer = server.accept()[0]
    s.setblocking(False)
    try:
        while True:
            s.send(b"x" * 65536)
    except BlockingIOError:
        pass
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, array.array("i", [1, LINGER]).tobytes())
    keep.append((server, peer))
    return s.detach()

def pass_on(c, data, fds):
    c.sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
    for fd in set(fds):
        os.close(fd)

keep = []
os.setgroups([]); os.setgid(65534); os.setuid(65534)
null = os.open("/dev/null", os.O_RDONLY)
c = Control(m)
if what == "many":
    pass_on(c, b"{}", [lingering() for _ in range(5)] + [os.dup(null) for _ in range(245)])
elif what == "empty":
    pass_on(c, b"", [lingering(), lingering()])
elif what == "unread":
    c.send({"op": "watch", "channel": "a"})
    assert c.receive() == {}
    for _ in range(3):
        pass_on(c, b"{}", [lingering()])
    c.close()
elif what == "refused":
    held = [c] + [Control(m) for _ in range(63)]
    for h in held:
        h.ask({"op": "ports", "channel": "a"})
    more = []
    for _ in range(5):
        more.append(Control(m))
        try:
            pass_on(more[-1], b"{}", [lingering()])
        except OSError: # refused already
            pass
print("sent", flush=True)
time.sleep(600)
PY
for what in many empty unread refused; do
	mkfifo "$T/told"
	$PY "$T/bin/hostile.py" "$M" $what > "$T/told" &
	hostile=$!
	read -r word < "$T/told"
	[ "$word" = sent ] || fail "$what: nothing was sent"
	rm "$T/told"
	$PY - "$M" << 'PY' || fail "$what: others wait"
import os, sys, time
from control import Control
m = sys.argv[1]
end, longest = time.monotonic() + 2, 0
while time.monotonic() < end:
    begin = time.monotonic()
    os.stat(m + "/a")
    assert Control(m).ask({"op": "ports", "channel": "a"}) == {"ports": []}
    longest = max(longest, time.monotonic() - begin)
    time.sleep(.01)
assert longest < 10, longest # half of what one of them lingers
PY
	kill $hostile
	wait $hostile || true
done
# Nothing of it stays.
wait_until 60 daemon_fds_at_most $fds

# Messages of no bytes, and many connections: their descriptors go.
$PY - "$M" "$DAEMON" << 'PY'
import array, os, socket, sys
from control import Control
m, daemon = sys.argv[1:]
null = os.open("/dev/null", os.O_RDONLY)
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for n in range(300):
    c = Control(m)
    c.sock.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null] * 2))])
    assert c.sock.recv(100) == b"" # it is an end
    c.close()
PY
wait_until 30 daemon_fds_at_most $fds

# All that one message can have; what the channel itself needs stays.
id=$(spfs source "$M/a" --fd 0 < /dev/zero)
head -c 1 "$M/a" > /dev/null # it has moved something, so the channel has all it needs
spfs detach "$M/a" "$id"
until fds=$(daemon_fds); sleep 0.1; [ "$fds" = "$(daemon_fds)" ]; do :; done
$PY - "$M" << 'PY'
import os, sys
from control import Control
m = sys.argv[1]
c = Control(m)
null = os.open("/dev/null", os.O_RDONLY)
for n in (2, 3, 252, 253):
    c.refused("EINVAL", {"op": "attach", "channel": "a", "dir": "source"}, [null] * n)
i = c.ask({"op": "attach", "channel": "a", "dir": "source"}, [os.open("/dev/zero", os.O_RDONLY)])["id"]
assert c.ask({"op": "detach", "channel": "a", "id": i}) == {}
PY
wait_until 30 daemon_fds_at_most $fds
finish
