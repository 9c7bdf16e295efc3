# Hundreds of parked writes: everything else is served, nothing is lost, and the killed leave nothing.
. "$(dirname "$0")/harness.sh"
spfs_mount
make_workers
cd "$M"
PLAIN=250 AIO=30 # more than the background requests that a connection may have
fds=$(daemon_fds)

# How many requests the kernel waits for, or nothing where it does not tell.
waiting() {
	unshare -m --propagation private sh -c "mount -t fusectl none /sys/fs/fuse/connections
		cat /sys/fs/fuse/connections/$(stat -c %d "$M")/waiting" 2> /dev/null || true
}
before=$(waiting)

crowd() {
	rm -f "$T/crowd"
	python3 "$HERE/crowd.py" "$M" $PLAIN $AIO > "$T/crowd" &
	crowd=$!
	wait_until 30 all_parked
}
all_parked() {
	[ "$(wc -l < "$T/crowd")" = $((PLAIN + AIO)) ] || return 1
	local p
	while read -r p _; do grep -q 'request_wait\|fuse' "/proc/$p/wchan" || return 1; done < "$T/crowd"
}
quick() { timeout 20 "$@" || fail "not served: $*"; }

crowd
parked() { [ -z "$before" ] || [ "$(waiting)" -ge $((PLAIN + AIO)) ]; }
wait_until 30 parked
for _ in 1 2 3; do
	[ "$(quick ls | wc -l)" = $((PLAIN + AIO)) ] || fail "ls"
	quick stat crowd0 > /dev/null
	quick mkfifo side
	quick ln side tap
	quick sh -c "echo through > side"
	[ "$(quick cat tap)" = through ] || fail "a stream"
	quick sh -c "echo kept > new"
	# Its end is told by a RELEASE.
	[ "$(quick cat new)" = kept ] || fail "a handle"
	quick spfs stat --json side > /dev/null
	quick rm side tap new
done

# Every one is answered, in full.
timeout 50 python3 -B - $PLAIN $AIO << PY
import sys
sys.path.insert(0, "$HERE")
import crowd
for number in range(int(sys.argv[1]) + int(sys.argv[2])):
    with open("crowd%d" % number, "rb") as f:
        assert f.read() == crowd.data(number), number
PY
wait $crowd || fail "a writer failed"
rm crowd*
wait_until 30 daemon_fds_at_most $fds

# Killed, all at once: none is left waiting, here or there; what they had written is still to be had.
crowd
wait_until 30 parked
quick mkfifo side # behind what they have asked for, so the daemon, and the worker, have come to it
quick ln side tap
quick rm side tap
kill -9 $(cut -d' ' -f1 "$T/crowd")
wait_until 30 gone $crowd
wait $crowd || fail "not killed"
timeout 50 python3 -B - $PLAIN $AIO << PY
import sys
sys.path.insert(0, "$HERE")
import crowd
for number in range(int(sys.argv[1]) + int(sys.argv[2])):
    with open("crowd%d" % number, "rb") as f:
        got = f.read()
    assert got and crowd.data(number).startswith(got), number
PY
rm crowd*
nobody_waits() { [ "$(waiting)" = "${before:+0}" ]; }
wait_until 30 nobody_waits
wait_until 30 daemon_fds_at_most $fds

# Faults on private mappings of handles: reads that wait for somebody to write.
rm "$T/crowd"
python3 - > "$T/crowd" << 'PY' &
import mmap, os, time
def wchan(pid):
    with open("/proc/%d/wchan" % pid) as f:
        return f.read()
def map_and_read(fd):
    page = mmap.mmap(fd, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    os._exit(page[0])
pids = []
for i in range(30):
    fd = os.open("mapped%d" % i, os.O_RDWR | os.O_CREAT)
    os.ftruncate(fd, 4096)
    assert os.read(fd, 4096) == bytes(4096)
    pids.append(os.fork())
    if pids[-1] == 0:
        map_and_read(fd)
# Who maps what another's fault is reading waits with its address space locked: its arguments cannot be read.
while not any(word in wchan(pids[-1]) for word in ("request_wait", "folio", "fuse")):
    time.sleep(0.01)
second = os.fork()
if second == 0:
    map_and_read(fd)
while not any(word in wchan(second) for word in ("folio", "lock_page", "wait_on_page")):
    time.sleep(0.01)
for pid in pids + [second]:
    print(pid, flush=True)
while True:
    time.sleep(1)
PY
crowd=$!
all_fault() {
	[ "$(wc -l < "$T/crowd")" = 31 ] || return 1
	local p
	while read -r p; do grep -q 'folio\|request_wait\|fuse' "/proc/$p/wchan" || return 1; done < "$T/crowd"
}
wait_until 20 all_fault
quick sh -c "echo kept > new"
[ "$(quick cat new)" = kept ] || fail "a handle while mappings wait"
quick spfs stat --json "$M" > /dev/null
export -f daemons find_daemon
export M
[ "$(quick bash -c find_daemon)" = "$DAEMON" ] || fail "the harness does not find the daemon"
mapfile -t pids < "$T/crowd"
kill -9 $crowd "${pids[@]}"
for p in "${pids[@]}"; do wait_until 30 gone $p; done
wait $crowd || true
wait_until 30 nobody_waits
rm mapped* new

cd /
finish
