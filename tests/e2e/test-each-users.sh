# A broadcast name of several users: who may only read has his own copy, on his account, and holds nobody back.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
need_root "to be several users"
programs_for_all "$BUILD"/cmd/spfs
ulimit -n "$(ulimit -Hn)"
spfs_mount -o allow_other
cd "$M"
readers() { spfs stat --json "$1" | jq '[.taps[] | select(.each) | .readers] | add'; }
has_readers() { [ "$(readers "$1")" = "$2" ]; }
account() { jq ".users[] | select(.uid == 65534) | .$1" .spfs/stats.json; }
owes_nothing() { [ "$(account used)" = 0 ] && [ "$(account descriptors)" = 0 ]; }
as_before() { [ "$(daemon_fds)" -le "$fds" ]; }
head -c 20000003 /dev/urandom > "$T/in"

mkfifo -m 644 c
spfs tee c all --each
fds=$(daemon_fds)

# He may neither write nor make a tap, but read; the owner's reader gets everything, and he what he can take.
refuse 'not permitted\|denied' as_user ln c mine
refuse 'denied' as_user sh -c 'echo > all'
as_user timeout 60 sh -c 'exec 9< all; exec sleep 60' &
slow=$!
as_user timeout 60 cat all > "$T/nobody" &
reads=$!
timeout 60 cat all > "$T/owner" &
owner=$!
wait_until 30 has_readers c 3
[ "$(account used)" -gt 0 ] && [ "$(account descriptors)" -gt 0 ] || fail "not charged"
timeout 60 cat "$T/in" > c
wait $owner $reads
same "$T/in" "$T/owner"
[ "$(spfs stat --json c | jq '.taps[0].lost')" -gt 1000000 ] || fail "the slow reader lost nothing"
kill $(family $slow)
wait $slow 2> /dev/null || true
wait_until 30 has_readers c 0
wait_until 30 owes_nothing

# Unless the name's policy says so.
spfs set all policy=block
as_user timeout 60 sh -c 'exec 9< all; exec sleep 60' &
slow=$!
wait_until 30 has_readers c 1
timeout 60 cat "$T/in" > c &
writer=$!
wait_until 30 sh -c "[ \$(spfs stat --json c | jq '.taps[0].waiting') -gt 1000000 ]"
gone $writer && fail "the writer did not wait"
kill $(family $slow)
wait $slow 2> /dev/null || true
timeout 60 cat all > /dev/null
wait $writer

# Who may not read the name may not, and who may not write cannot make one.
chmod 600 all
refuse 'denied' as_user timeout 20 cat all
chmod 644 all
refuse 'no right to write' as_user spfs tee c theirs --each

# A user's limits hold, also as soon as they are lowered, whatever was made ahead for him; looking again and again takes no
# more of them than they allow, and nobody else's.
for _ in 1 2 3 4 5; do
	setfattr -n spfs.quota -v 1G .
	timeout 60 python3 - << 'PY'
import errno, os, time
looked, looks = os.pipe()
lowered, lowers = os.pipe()
pid = os.fork()
if pid == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    def read(deadline):
        while True:
            try:
                return os.open("all", os.O_RDONLY | os.O_NONBLOCK)
            except OSError as e:
                if e.errno != errno.EDQUOT or time.time() > deadline:
                    return None
            time.sleep(0.05)
    for fd in [os.open("all", os.O_PATH) for i in range(8)]:
        os.close(fd)
    os.write(looks, b"x")
    os.read(lowered, 1)
    fds = [read(time.time() + 20)]
    while fds[-1] is not None and len(fds) < 10:
        fds.append(read(time.time() + 0.2))
    fds.pop()
    if not 1 <= len(fds) <= 2: # (each is charged 2 MiB)
        os._exit(1 + len(fds))
    os.close(fds.pop())
    os._exit(0 if read(time.time() + 20) is not None else 1)
os.close(looks)
os.read(looked, 1)
os.setxattr(".", "spfs.quota", b"5M")
os.write(lowers, b"x")
status = os.waitpid(pid, 0)[1]
assert status == 0, "the quota: %d" % (status >> 8)
PY
done
log_has 'has used up the quota'
setfattr -n spfs.quota -v 1G .
wait_until 30 owes_nothing
wait_until 30 as_before

# Thousands of looks by one user, while another's are answered at once; then nothing is left.
as_user timeout 100 python3 - << 'PY' &
import os
for i in range(10000):
    os.stat("all")
PY
looks=$!
timeout 60 python3 - << 'PY'
import os, time
took = []
for i in range(200):
    t = time.time()
    os.stat("all")
    took.append(time.time() - t)
    time.sleep(0.002)
assert sorted(took)[190] < 2, sorted(took)[190:] # (a few may have waited for a processor)
PY
wait $looks
wait_until 30 owes_nothing
wait_until 30 as_before

# A thousand at once.
spfs set all policy=block depth=0 size=64K
timeout 150 python3 - << 'PY'
import os, resource, select, subprocess, threading, json
n = 1000
resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
fds = [os.open("all", os.O_RDONLY | os.O_NONBLOCK) for i in range(n)]
stat = lambda: json.loads(subprocess.check_output(["spfs", "stat", "--json", "c"]))["taps"][0]["readers"]
while stat() != n:
    pass
data = os.urandom(200000)
def write():
    with open("c", "wb") as f:
        f.write(data)
w = threading.Thread(target=write)
w.start()
got = {fd: b"" for fd in fds}
poll = select.poll()
for fd in fds:
    poll.register(fd, select.POLLIN)
left = set(fds)
while left:
    for fd, what in poll.poll(60000):
        try:
            part = os.read(fd, 65536)
        except BlockingIOError:
            continue
        if part:
            got[fd] += part
        else:
            left.discard(fd)
            poll.unregister(fd)
w.join()
assert all(got[fd] == data for fd in fds)
PY
wait_until 30 has_readers c 0
wait_until 30 as_before
cd /
finish
