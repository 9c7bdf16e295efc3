#!/bin/bash
# A start that may have so many processes and threads, or descriptors, and no more: it serves, or says why and is gone. The
# user has no process beside, so that each number stops it at another step.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
need_root "a user of whom nothing else runs"

programs_for_all "$BUILD"/cmd/spfs{,d}
cp "$BUILD"/tests/e2e/libfew-forks.so "$T"
chmod 1777 "$T"
! sanitized || export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" # (it makes a process of its own)
user=9 # (news, whom fusermount3 must know by name; no other test is that user)
alone() { ! pgrep -u $user > "$T/left"; }
over() { gone "$DAEMON" || grep -q serving "$T/said"; }

# start_with UID RESOURCE FIRST LAST: of so many each; with the last at most it serves.
start_with() {
	local n status serving=
	chown "$1" "$M"
	for ((n = $3; n < $4 && !serving; n++)); do
		setpriv --reuid="$1" --regid=65534 --clear-groups prlimit "--$2=$n" spfsd -f -o workers=2 "$M" 2> "$T/said" &
		DAEMON=$!
		wait_until 10 over
		! grep -q serving "$T/said" || serving=1
		[ -n "$serving" ] || [ -s "$T/said" ] || fail "user $1, $n of $2: not a word"
		[ -z "$serving" ] || kill "$DAEMON"
		status=0
		wait "$DAEMON" || status=$?
		[ $status = $((!serving)) ] || fail "user $1, $n of $2: status $status: $(cat "$T/said")"
		wait_until 10 no_daemon
		! mounted || fail "user $1, $n of $2: the mount is left: $(cat "$T/said")"
		wait_until 10 alone
		DAEMON=
	done
	[ -n "$serving" ] || fail "user $1 never starts for $2: $(cat "$T/said")"
}
start_with $user nproc 1 40
# (a program that is linked dynamically needs a descriptor to begin with)
start_with $user nofile 5 120
start_with 0 nofile 5 120

# One of its processes cannot be had, and later ones can. (Without its type, libfuse would mount it at the second try.
# A sanitizer would have to be loaded before.)
serving=
for ((n = 1; n < 10 && !serving; n++)); do
	! sanitized || { serving=1; break; }
	chown $user "$M"
	setpriv --reuid=$user --regid=65534 --clear-groups env FEW_FORKS=$n LD_PRELOAD="$T/libfew-forks.so" \
		spfsd -f -o workers=2 "$M" 2> "$T/said" &
	DAEMON=$!
	wait_until 10 over
	! grep -q serving "$T/said" || serving=1
	[ -z "$serving" ] || kill "$DAEMON"
	status=0
	wait "$DAEMON" || status=$?
	[ $status = $((!serving)) ] || fail "without process $n: status $status: $(cat "$T/said")"
	wait_until 10 no_daemon
	! grep " $M " /proc/mounts || fail "without process $n: the mount is left: $(cat "$T/said")"
	DAEMON=
done
[ -n "$serving" ] || fail "it never starts: $(cat "$T/said")"
finish
