# What a caller sees is looked at where it takes nobody else's time, however many mounts that is.
. "$(dirname "$0")/harness.sh"
need_root "to mount"
programs_for_all "$BUILD/cmd/spfs" "$HERE"/{control,serving}.py
export PYTHONPATH=$T/bin
spfs_mount
mkfifo -m 666 "$M/a"
mkdir "$T/at"
for i in $(seq 20); do mkdir "$T/at/$i"; done

# In a namespace of its own, with 4,000 mounts, and 16 connections that ask again and again, until there is $T/enough.
mkfifo -m 666 "$T/ready"
unshare -m --propagation private bash -c '
	for d in "$1"/*; do mount -t tmpfs none "$d"; done
	mkdir "$1"/{1..20}/{1..200}
	for d in "$1"/*/*; do echo "$d"; done > "$1.list"
	exec timeout 150 /usr/bin/python3 - "$2" "$1.list" "$3" "$4"
' - "$T/at" "$M" "$T/ready" "$T/enough" << 'PY' &
import ctypes, os, select, sys
from control import Control
m, names, ready, enough = sys.argv[1:]
libc = ctypes.CDLL(None)
for name in open(names).read().split():
    assert libc.mount(b"/etc", name.encode(), None, 4096, None) == 0 # MS_BIND
os.setgroups([]); os.setgid(65534); os.setuid(65534)
all = [Control(m) for _ in range(16)]
ask = {"op": "attach", "channel": "a", "dir": "source", "uri": "file:/etc/hostname"}
for c in all:
    c.refused("EXDEV", ask)
open_poll = select.poll()
for c in all:
    open_poll.register(c.sock, select.POLLIN)
    c.send(ask)
by_fd = {c.sock.fileno(): c for c in all}
libc.close(os.open(ready, os.O_WRONLY))
while not os.path.exists(enough):
    for fd, _ in open_poll.poll(1000):
        assert by_fd[fd].receive()["errno"] in ("EXDEV", "EUSERS")
        by_fd[fd].send(ask)
PY
asking=$!
timeout 60 cat "$T/ready"
# The time is that of other threads than the one that serves the mount, whatever else this machine has to do.
timeout 100 /usr/bin/python3 - "$M" "$DAEMON" << 'PY' || fail "others wait"
import os, sys, time
from serving import Serving
m, daemon = sys.argv[1:]
serving = Serving(daemon)
all = []
end = time.monotonic() + 2
while time.monotonic() < end or serving.ticks()[1] <= 20:
    begin = time.monotonic()
    os.stat(m + "/a")
    all.append(time.monotonic() - begin)
    time.sleep(.005)
mine, whole = serving.ticks()
all.sort()
print("stat: median %.4f s, longest %.4f s; %d of %d ticks" % (all[len(all) // 2], all[-1], mine, whole))
assert mine < whole / 2, (mine, whole)
PY
touch "$T/enough"
wait $asking || fail "who has many mounts"
finish
