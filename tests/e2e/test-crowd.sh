# Hundreds of parked writes: everything else is served, nothing is lost, and the killed leave nothing.
. "$(dirname "$0")/harness.sh"
here=$(dirname "$(realpath "$0")")
spfs_mount
cd "$M"
PLAIN=250 AIO=30 # more than the background requests that a connection may have
fds=$(daemon_fds)

# How many requests the kernel waits for, or nothing where it does not tell.
waiting() {
	unshare -m --propagation private sh -c "mount -t fusectl none /sys/fs/fuse/connections &&
		cat /sys/fs/fuse/connections/$(stat -c %d "$M")/waiting" 2> /dev/null || true
}
before=$(waiting)

crowd() {
	rm -f "$T/crowd"
	python3 "$here/crowd.py" "$M" $PLAIN $AIO > "$T/crowd" &
	crowd=$!
	wait_until 30 all_parked
}
all_parked() {
	[ "$(wc -l < "$T/crowd")" = $((PLAIN + AIO)) ] || return 1
	local p
	for p in $(cut -d' ' -f1 "$T/crowd"); do grep -q 'request_wait\|fuse' "/proc/$p/wchan" || return 1; done
}
quick() { timeout 5 "$@" || fail "not served: $*"; }

crowd
[ -z "$before" ] || [ "$(waiting)" -ge $((PLAIN + AIO)) ] || fail "not parked: $(waiting)"
for i in 1 2 3; do
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
quick python3 -B - $PLAIN $AIO << PY
import sys
sys.path.insert(0, "$here")
import crowd
for number in range(int(sys.argv[1]) + int(sys.argv[2])):
    with open("crowd%d" % number, "rb") as f:
        assert f.read() == crowd.data(number), number
PY
wait $crowd || fail "a writer failed"
rm crowd*
wait_until 10 sh -c "[ \$(ls /proc/$DAEMON/fd | wc -l) -le $fds ]"

# Killed, all at once: none is left waiting, here or there; what they had written is still to be had.
crowd
kill -9 $(cut -d' ' -f1 "$T/crowd")
wait_until 10 gone $crowd
wait $crowd || fail "not killed"
quick python3 -B - $PLAIN $AIO << PY
import sys
sys.path.insert(0, "$here")
import crowd
for number in range(int(sys.argv[1]) + int(sys.argv[2])):
    with open("crowd%d" % number, "rb") as f:
        got = f.read()
    assert got and crowd.data(number).startswith(got), number
PY
rm crowd*
nobody_waits() { [ "$(waiting)" = "$before" ]; }
wait_until 10 nobody_waits
wait_until 10 sh -c "[ \$(ls /proc/$DAEMON/fd | wc -l) -le $fds ]"

cd /
finish
