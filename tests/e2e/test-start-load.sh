# The daemon's start while others use the mount as soon as it is there; told to end meanwhile; and when it cannot go on.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
under_load start "${ROUNDS:-10}"

# setxattr(2) asks with the root's lock held, which the daemon needs: a queue of them does not keep it from its start.
if is_root; then
	timeout 100 /usr/bin/python3 -c '
import errno, os, sys, time
for _ in range(29):
    if not os.fork():
        break
while (" " + sys.argv[1] + " ") not in open("/proc/self/mountinfo").read():
    time.sleep(0.01)
while True:
    try:
        os.setxattr(sys.argv[1], "user.spfs.x", b"1")
    except OSError as e:
        if e.errno != errno.EAGAIN:
            break
try:
    while True:
        os.wait()
except ChildProcessError:
    pass' "$M" &
	holders=$!
	all_hold() { [ "$(family $holders | wc -l)" -gt 30 ]; }
	wait_until 30 all_hold
	began=$(date +%s)
	timeout 60 spfsd -o workers=1,log="$LOG" "$M" || fail "no start"
	took=$(($(date +%s) - began))
	wait $holders || fail "they are left waiting" # (until then they keep it busy)
	DAEMON=$(find_daemon)
	[ $took -lt 10 ] || fail "the start took $took s"
	spfs_unmount
fi
finish
