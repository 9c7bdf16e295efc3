# A user who has used up the pipe pages (fs.pipe-user-pages-soft): new pipes are small, streams are right.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
need_root "to use up the pages of a user who runs no other test"
# A user of this run's own: the pages are counted for all that he runs.
id=$((20000 + $$ % 40000))
become="setpriv --reuid=$id --regid=$id --clear-groups"
user() { $become "$@"; }
(cat /etc/passwd; echo spfs-pages:x:$id:$id::/:/bin/sh) > "$T/passwd"
mount --bind "$T/passwd" /etc/passwd # fusermount3 asks for its name
chown -R $id:$id "$T"
programs_for_all "$BUILD"/cmd/spfs{,d} "$BUILD/tests/e2e/records"
PATH=$T/bin:/usr/bin:/bin:$PATH # no python that is root's alone
head -c 1500007 /dev/urandom > "$T/in"

start() {
	user spfsd -o log="$LOG" "$M"
	DAEMON=$(find_daemon)
}
use_up() {
	rm -f "$T/used"
	$become python3 - "$T/used" << 'PY' > /dev/null &
import fcntl, os, signal, sys
pipes = [os.pipe()]
size = lambda: fcntl.fcntl(pipes[-1][0], fcntl.F_GETPIPE_SZ)
while size() >= 65536:
    try:
        fcntl.fcntl(pipes[-1][0], fcntl.F_SETPIPE_SZ, 1 << 20)
    except PermissionError:
        pass
    pipes.append(os.pipe())
open(sys.argv[1], "w").close()
signal.pause()
PY
	hog=$!
	wait_until 20 test -e "$T/used"
}

for first in start use_up; do
	$first
	[ $first = use_up ] || use_up
	[ $first = start ] || start
	user bash -euc '
		cd "$1"
		mkfifo c
		for r in r1 r2 r3; do ln c $r; timeout 30 cat $r > "$2/$r" & done
		timeout 30 dd status=none bs=12345 if="$2/in" of=c conv=notrunc
		wait
		for r in r1 r2 r3; do cmp "$2/in" "$2/$r"; done

		# whole records of two writers
		rm r3
		for r in r1 r2; do timeout 30 records check 4096 2 500 < $r & pids="${pids-} $!"; done
		exec 4> c
		for w in 0 1; do timeout 30 records write $w 500 4096 >&4 & pids="$pids $!"; done
		exec 4>&-
		for p in $pids; do wait $p; done

		# a creating handle
		timeout 30 sh -c "cat $2/in > new" &
		until [ -e new ]; do sleep 0.01; done
		timeout 30 cat new | cmp - "$2/in"
		wait

		# Full, they say how small they are: the ring and the depth; what is queued beyond the ring needs many small
		# pipes.
		timeout 60 python3 - $3 << "PY" || { spfs stat --json c; false; }
import json, os, subprocess, sys, time
# (what a daemon that was there before has let go of since, it may have again)
most = (2 << 20) - (sys.argv[1] == "use_up")
def full(c):
    return c["size"] <= 65536 and len(c["taps"]) == 2 and all(
        1 << 20 < t["size"] <= most and 1 << 20 <= t["waiting"] <= t["size"] + 65536 for t in c["taps"])
fd = os.open("c", os.O_WRONLY | os.O_NONBLOCK)
while True:
    try:
        os.write(fd, b"x" * 512)
    except BlockingIOError:
        if full(json.loads(subprocess.check_output(["spfs", "stat", "--json", "c"]))):
            break
        time.sleep(0.01)
PY
	' - "$M" "$T" $first || fail "a stream with few pages, $first first"
	kill $hog
	wait $hog || true
	kill "$DAEMON"
	wait_until 30 gone "$DAEMON"
	DAEMON=
done
finish
