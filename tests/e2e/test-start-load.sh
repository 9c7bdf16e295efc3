# The daemon's start while others use the mount as soon as it is there; told to end meanwhile; and when it cannot go on.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
under_load start "${ROUNDS:-10}"

# setxattr(2) asks with the root's lock held, which the daemon needs: a queue of them does not keep it from its start.
children_of() { cat /proc/$1/task/*/children | tr ' ' '\n' | grep .; }
queue_for_root() {
	rm -f "$T/queue"
	timeout 100 python3 "$HERE/rootlock.py" "$M" > "$T/queue" &
	queue=$!
	wait_until 30 test -s "$T/queue"
}
if is_root; then
	queue_for_root
	began=$(date +%s)
	timeout 60 spfsd -o workers=1,log="$LOG" "$M" || fail "no start"
	took=$(($(date +%s) - began))
	wait $queue || fail "they are left waiting" # (until then they keep it busy)
	DAEMON=$(find_daemon)
	[ $took -lt 30 ] || fail "the start took $took s"
	spfs_unmount

	# Killed while it waits for the lock, it leaves nobody behind that waits for its answer, nor a thread that cannot go.
	for i in 1 2 3; do
		queue_for_root
		spfsd -f "$M" 2> "$T/said" & DAEMON=$!
		wait_until 30 mounted
		# Somebody waits for the lock on its behalf; or it was quicker than all of them.
		waits() { cat /proc/$DAEMON/task/*/stack $(children_of $DAEMON | sed 's|.*|/proc/&/stack|') | grep -q walk_component; }
		begun() { waits || grep -q serving "$T/said"; }
		wait_until 30 begun
		kill -9 "$DAEMON"
		wait "$DAEMON" || true
		wait_until 30 gone "$DAEMON"
		wait $queue || fail "round $i: they are left waiting"
		wait_until 30 umount "$M"
		DAEMON=
	done
fi
finish
