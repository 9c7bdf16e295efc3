# What an ordinary user may try against root's daemon, beside what test-rights.sh has.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs" "$HERE/control.py"
export PYTHONPATH=$T/bin
PY=/usr/bin/python3 # every user may run it
mkdir -m 777 "$T/open"
spfs_mount
make_workers
cd "$T/open"

# What goes to a unix socket does not come from root.
mkfifo -m 666 "$M/a"
$PY - "$T/open/sock" > from << 'PY' &
import os, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1) # (before anybody connects)
s.listen()
c = s.accept()[0]
print(*struct.unpack("iII", c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1:])
data, anc, *_ = c.recvmsg(100, 100)
print(any(0 in struct.unpack("iII", a[2])[1:] for a in anc), data.decode())
PY
peer=$!
wait_until 30 socket_listens "$T/open/sock"
as_user spfs sink "$M/a" "unix:$T/open/sock" > /dev/null
echo hello > "$M/a"
wait $peer
[ "$(head -n 2 from)" = "65534 65534
False hello" ] || fail "who sends: $(cat from)"

# A write takes the set-user-ID bit off, as the writer's own would. (A file each: a sink holds its own until it has ended.)
for how in append=1 fd; do
	mkfifo -m 666 "$M/$how"
	echo old > "suid.$how"
	chmod 4777 "suid.$how"
	if [ $how = fd ]; then as_user sh -c "exec spfs sink '$M/$how' --fd 3 3<> 'suid.$how'" > /dev/null
	else as_user spfs sink "$M/$how" "file:$T/open/suid.$how?$how" > /dev/null; fi
	echo evil > "$M/$how"
	wait_until 30 grep -q evil "suid.$how"
	[ "$(stat -c %a "suid.$how")" = 777 ] || fail "$how: still $(stat -c %a "suid.$how")"
done

# Names make no lines of the log, and do not steer the terminal that shows it.
evil=$(printf 'x\n2026-01-01 00:00:00 forged\033[31m\302\233')
mkfifo -m 666 "$M/$evil"
refuse 'No such file' as_user spfs source "$M/$evil" file:/missing
refuse 'not supported' setfattr -n spfs.nonsense -v x "$M/$evil"
log_has 'x?2026-01-01 00:00:00 forged?\[31m?'
log_written
if LC_ALL=C grep -q "$(printf '^2026-01-01\|[\001-\037]\|\302\233')" "$LOG"; then fail "forged: $(cat -v "$LOG")"; fi

# A descriptor of a file system that hangs: its closings do not eat the daemon's threads, and hold up nobody else.
mkdir "$T/hang"
spfsd -o log="$T/log2" "$T/hang"
hung=$(M=$T/hang daemons)
$PY - "$M" "$T/hang" "$hung" "$DAEMON" << 'PY' || fail "a hung file system"
import os, select, signal, sys
from control import Control
m, hang, hung, daemon = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
fd = os.open(hang + "/handle", os.O_CREAT | os.O_WRONLY, 0o666)
os.kill(hung, signal.SIGSTOP)
told, tell = os.pipe()
if os.fork() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    c = Control(m)
    texts = [c.ask({"op": "ports", "channel": "a"}, [fd])["error"] for _ in range(300)]
    assert texts[0] == "a descriptor is of use to attach and enter only", texts[0]
    assert texts[-1] == "too many descriptors are still being closed", texts[-1]
    assert "ports" in Control(m).ask({"op": "ports", "channel": "a"})
    os.write(tell, b"well")
    os._exit(0)
os.close(tell)
try:
    ready = select.select([told], [], [], 60)[0]
    threads = len(os.listdir("/proc/%s/task" % daemon))
    # Root's are taken.
    Control(m).refused("EINVAL", {"op": "ports", "channel": "a"}, [os.open("/dev/null", os.O_RDONLY)])
finally:
    os.kill(hung, signal.SIGCONT)
assert ready and os.read(told, 4) == b"well"
assert threads < 100, threads
PY
wait_until 30 daemon_has close -eq 0
wait_until 30 umount "$T/hang" # (as umount_it)
wait_until 30 gone "$hung"

# Who asked has gone, and its number is another's, whose names mean something else: told apart from the connection.
# (where nobody else takes a number, or is given one that has just been somebody's)
if [ -w /proc/sys/kernel/ns_last_pid ]; then
	echo inside > file
	mkdir "$T/alone"
	# shellcheck disable=SC2016 # the inner shell's
	unshare --pid --fork --kill-child --mount-proc --propagation private bash -ec '
		spfsd -f -o log="$1/log3" "$1/alone" & daemon=$!
		until mountpoint -q "$1/alone"; do sleep 0.02; done
		mkfifo -m 666 "$1/alone/a"
		/usr/bin/python3 - "$1/alone" "$1/open/file"
		umount "$1/alone"
		wait $daemon' - "$T" << 'PY'
import ctypes, os, signal, sys
from control import Control
m, path = sys.argv[1:]
CLONE_NEWNS = 0x20000
told, tell = os.pipe()
done, tell_done = os.pipe()
pid = os.fork()
if pid == 0: # sees other mounts; leaves its connection to a child
    if ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        os._exit(1)
    c = Control(m)
    c.refused("EXDEV", {"op": "attach", "channel": "a", "dir": "source", "uri": "file:" + path})
    if os.fork() == 0:
        os.close(tell)
        assert os.read(told, 1) == b"x"
        c.refused("EXDEV", {"op": "attach", "channel": "a", "dir": "source", "uri": "file:" + path})
        os.write(tell_done, b"x")
        os._exit(0)
    os._exit(0)
os.close(tell_done)
assert os.waitpid(pid, 0)[1] == 0
for _ in range(1000): # until one has the number
    with open("/proc/sys/kernel/ns_last_pid", "w") as f:
        f.write(str(pid - 1))
    other = os.fork()
    if other == 0:
        if os.getpid() == pid:
            signal.pause()
        os._exit(0)
    if other == pid:
        break
    os.waitpid(other, 0)
assert other == pid, "the number is not to be had"
os.write(tell, b"x")
assert os.read(done, 1) == b"x"
os.kill(other, signal.SIGKILL)
PY
	[ "$(grep -c 'names mean something else' "$T/log3")" = 2 ] || fail "not refused twice"
fi
finish
