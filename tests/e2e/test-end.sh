# The daemon's end, orderly and not, while many streams run.
. "$(dirname "$0")/harness.sh"
STREAMS=16
pids=

# Endless streams to two taps each, and a parked write; none of these processes may be left waiting.
run_streams() {
	local i r
	pids=
	for i in $(seq $STREAMS); do
		mkfifo "$M/c$i"
		for r in a b; do
			ln "$M/c$i" "$M/$r$i"
			timeout 90 cat "$M/$r$i" > /dev/null 2>&1 & pids="$pids $!"
		done
		timeout 90 pv -qL 20m /dev/zero > "$M/c$i" 2> /dev/null & pids="$pids $!"
	done
	timeout 90 sh -c "cat /dev/zero > $M/parked" 2> /dev/null & pids="$pids $!"
	wait_until 40 all_flow
}
all_flow() {
	[ "$(spfs stat --json "$M" | jq '[.[] | select(.bytes_in > 500000)] | length')" = $STREAMS ]
}
nobody_waits() {
	local p
	for p in $pids; do
		wait $p || [ $? -ne 124 ] || fail "a user's process was left waiting after: $1"
	done
	pids=
}

for how in TERM INT 'umount -l'; do
	spfs_mount
	run_streams
	exec 9< "$M" # nobody will tell of its close
	# What users have open makes it busy: they lose nothing by a mistake.
	refuse busy umount "$M"
	all_flow || fail "a refused umount stopped a stream"
	case $how in
	umount*) umount -l "$M" ;;
	*) kill -s $how "$DAEMON" ;;
	esac
	wait_until 30 gone "$DAEMON"
	! mounted || fail "mounted after $how"
	DAEMON=
	nobody_waits "$how"
	exec 9<&-
done

# The mount goes also where its connection was aborted before. What somebody else has mounted over it stays.
abort_connection() {
	local fuse=/sys/fs/fuse/connections n
	n=$(awk -v m="$M" '$5 == m { sub(".*:", "", $3); print $3 }' /proc/self/mountinfo)
	[ -e $fuse/$n/abort ] || { mkdir "$T/fuse-control" && mount -t fusectl none "$T/fuse-control" && fuse=$T/fuse-control; }
	echo 1 > "$fuse/$n/abort"
	! mountpoint -q "$T/fuse-control" || umount "$T/fuse-control"
}
mounts_here() { awk -v m="$M" '$5 == m { n++ } END { print n + 0 }' /proc/self/mountinfo; }
if is_root; then
	spfs_mount
	abort_connection
	wait_until 30 gone "$DAEMON"
	[ "$(mounts_here)" = 0 ] || fail "mounted after its connection was aborted"
	spfs_mount
	mount -t tmpfs none "$M"
	touch "$M/theirs"
	kill "$DAEMON"
	wait_until 30 gone "$DAEMON"
	DAEMON=
	[ -e "$M/theirs" ] || fail "what was mounted over it is gone"
	log_has 'mounted over it'
	umount_it
	umount_it
	[ "$(mounts_here)" = 0 ] || fail "still mounted"
fi

# Killed: what is in their pipes is the readers', a writer is told, and the next daemon cleans up.
# (an ordinary user has 64 MiB of pipes, with all that runs beside this test: rings beyond that are too small)
streams=16
is_root || streams=3
spfs_mount
timeout 50 python3 - "$M" "$DAEMON" $streams << 'PY'
import errno, json, os, signal, subprocess, sys, time
mount, daemon, streams = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.chdir(mount)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
readers, writers, handles = [], [], []
for i in range(streams):
    os.mkfifo("c%d" % i)
    for r in "ab":
        os.link("c%d" % i, "%s%d" % (r, i))
        readers.append((i, os.open("%s%d" % (r, i), os.O_RDONLY | os.O_NONBLOCK)))
    writers.append(os.open("c%d" % i, os.O_WRONLY | os.O_NONBLOCK))
    handles.append(os.open("h%d" % i, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK))

def stream(i, start, length):
    return bytes((i * 31 + j) % 251 for j in range(start, start + length))

for i, fd in enumerate(writers):
    data, done = stream(i, 0, 30000), 0
    while done < len(data):
        done += os.write(fd, data[done:done + 7000])
for i, fd in enumerate(handles):
    assert os.write(fd, stream(i, 0, 5000)) == 5000
kept = [os.open("h%d" % i, os.O_RDONLY) for i in range(streams)]

def arrived():
    got = json.loads(subprocess.run(["spfs", "stat", "--json", mount], stdout=subprocess.PIPE, check=True).stdout)
    taps = [tap for channel in got for tap in channel["taps"]]
    return len(taps) == 2 * streams and all(tap["bytes_out"] == 30000 for tap in taps)
end = time.monotonic() + 20
while not arrived():
    assert time.monotonic() < end, "never arrived"
    time.sleep(0.02)

os.kill(daemon, signal.SIGKILL)
while os.path.exists("/proc/%d" % daemon):
    assert time.monotonic() < end + 10, "not dead"
    time.sleep(0.02)

def drain(fd):
    data = b""
    os.set_blocking(fd, True)
    while more := os.read(fd, 65536):
        data += more
    return data

for i, fd in readers:
    assert drain(fd) == stream(i, 0, 30000), "tap of c%d" % i
for i, fd in enumerate(kept):
    assert drain(fd) == stream(i, 0, 5000), "h%d" % i
for fd in writers:
    try:
        os.write(fd, b"x")
        sys.exit("wrote to nobody")
    except BrokenPipeError:
        pass
for fd in handles:
    try:
        os.write(fd, b"x")
        sys.exit("wrote to nobody")
    except OSError as e:
        assert e.errno in (errno.ENOTCONN, errno.ECONNABORTED), e
for call in (lambda: os.stat("c0"), lambda: os.listdir("."), lambda: os.mkfifo("new"), lambda: os.open("c0", os.O_RDONLY)):
    try:
        call()
        sys.exit("the dead file system answers")
    except OSError as e:
        assert e.errno in (errno.ENOTCONN, errno.ECONNABORTED), e

# The next one, while everything of the last is still open.
os.chdir("/")
subprocess.run(["spfsd", mount], check=True)
assert os.listdir(mount) == []
os.chdir(mount)
os.mkfifo("c")
os.link("c", "r")
with open("c", "w") as f:
    f.write("again")
with open("r") as f:
    assert f.read() == "again"
os.chdir("/")
PY
DAEMON=$(find_daemon)
finish
