# Nobody fills the log: a line has a length, and there are so many of a kind and a user.
. "$(dirname "$0")/harness.sh"
programs_for_all "$BUILD/cmd/spfs" "$HERE/control.py"
export PYTHONPATH=$T/bin
spfs_mount
mkdir -m 777 "$M/d"
mkfifo -m 666 "$M/d/a"

# All that a user can have refused, thousands of times.
cat > "$T/bin/refused.py" << 'PY'
import os, socket, sys
from control import Control
m = sys.argv[1]
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
deep = m + "/d"
try: # so long a path as the mount takes
    for _ in range(14):
        deep += "/" + "n" * 250
        os.mkdir(deep)
except OSError:
    deep = os.path.dirname(deep)
os.mkfifo(deep + "/f")
os.mkfifo(m + "/d/gone")
fd = os.open(m + "/d/gone", os.O_RDWR)
os.unlink(m + "/d/gone")
def gone(f, *args):
    try:
        f(*args)
    except OSError:
        return
    raise AssertionError((f, args))
control = Control(m)
for i in range(3000):
    gone(os.setxattr, deep + "/f", "spfs.nonsense", b"x")
    gone(os.setxattr, deep + "/f", "spfs.policy", b"x" * 300)
    gone(os.setxattr, m + "/d/a", "spfs.source", b"nonsense:")
    gone(os.setxattr, m + "/d/a", "spfs.detach", b"x")
    gone(os.removexattr, m + "/d/a", "spfs.tee")
    gone(os.setxattr, m, "spfs.nonsense", b"x")
    gone(os.link, "/proc/self/fd/%d" % fd, m + "/d/tap%d" % i)
    gone(os.symlink, "x", m + "/d/s")
    gone(os.mknod, m + "/d/n", 0o140666)
    control.refused("EINVAL", b"x")
    control.refused("ENOENT", {"op": "ports", "channel": "none"})
PY
/usr/bin/python3 "$T/bin/refused.py" "$M"
log_written
size=$(stat -c %s "$LOG")
[ "$size" -lt 500000 ] || fail "the log has $size bytes"
[ "$(awk 'length > m { m = length } END { print m }' "$LOG")" -lt 1100 ] || fail "a long line"
log_has 'bytes ...\]'
# It says how many were left out, by itself.
wait_until 30 grep -q 'more lines like this: ' "$LOG"
# Another user, as the administrator, is heard.
if is_root; then
	refuse 'not supported' setfattr -n spfs.nonsense -v x "$M/d/a"
	log_has 'd/a: spfs.nonsense' # (the other user's are of other names)
fi
kill -USR1 "$DAEMON"
wait_until 20 grep -q 'channels are asked' "$LOG"
spfs_unmount

# What has created a channel can be without a way to write it, here for want of descriptors. Where nothing is written,
# nothing is lost and nothing is said; else it is said once.
rm "$LOG"
(ulimit -n 160 && exec spfsd -o log="$LOG" "$M")
DAEMON=$(find_daemon)
/usr/bin/python3 - "$M" "$LOG" "$DAEMON" << 'PY'
import errno, os, sys, time
m, log, daemon = sys.argv[1:]
def is_writer(task):
    try:
        return "(spfsd-log)" in open(task).read()
    except (FileNotFoundError, ProcessLookupError): # others come and go
        return False
tasks = ["/proc/%s/task/%s/stat" % (daemon, t) for t in os.listdir("/proc/%s/task" % daemon)]
writer, = filter(is_writer, tasks)
def lines():
    while ") S " not in open(writer).read(): # it sleeps once it has written what was said
        time.sleep(0.02)
    return sum(b"descriptors" not in l for l in open(log, "rb"))
before = lines()
held = []
for i in range(300):
    try:
        held.append(os.open(m + "/x%d" % i, os.O_CREAT | os.O_WRONLY))
    except OSError as e:
        assert e.errno == errno.EMFILE, e
assert len(held) >= 100, len(held)
assert lines() == before, open(log).read()
refused = 0
for fd in held[::-1][:3]:
    for _ in range(5):
        try:
            os.write(fd, b"x")
        except OSError as e:
            refused += 1
assert lines() == before + refused // 5, (lines(), before, refused)
print("refused writes:", refused)
PY
finish
