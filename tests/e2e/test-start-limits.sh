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
# (whom fusermount3 must know by name; no other test is that user, nor this one beside itself)
user=$((100000 + $$))
{ cat /etc/passwd; echo "spfs-test-$$:x:$user:65534::/:/bin/sh"; } > "$T/passwd"
mount --bind "$T/passwd" /etc/passwd
alone() { ! pgrep -u $user > "$T/left"; }
over() { gone "$DAEMON" || grep -q serving "$T/said"; }

# begin_by UID WITH COMMAND...: it sets serving, or is gone; and is ended, with nothing left. WITH is said where that is not so.
begin_by() {
	local status=0
	chown "$1" "$M"
	rm -f "$T/said"
	setpriv --reuid="$1" --regid=65534 --clear-groups "${@:3}" spfsd -f -o workers=2 "$M" 2> "$T/said" &
	DAEMON=$!
	wait_until 30 over
	! grep -q serving "$T/said" || serving=1
	[ -n "$serving" ] || [ -s "$T/said" ] || fail "user $1, $2: not a word"
	[ -z "$serving" ] || kill "$DAEMON"
	wait "$DAEMON" || status=$?
	[ $status = $((!serving)) ] || fail "user $1, $2: status $status: $(cat "$T/said")"
	wait_until 30 no_daemon
	! grep " $M " /proc/mounts || fail "user $1, $2: the mount is left: $(cat "$T/said")"
	wait_until 30 alone
	DAEMON=
}

# start_with UID RESOURCE FIRST LAST: of so many each; with the last at most it serves.
start_with() {
	local n serving=
	for ((n = $3; n < $4 && !serving; n++)); do
		begin_by "$1" "$n of $2" prlimit "--$2=$n"
	done
	[ -n "$serving" ] || fail "user $1 never starts for $2: $(cat "$T/said")"
}
start_with $user nproc 1 40
# (a program that is linked dynamically needs a descriptor to begin with)
start_with $user nofile 5 120
start_with 0 nofile 5 120

# One of its processes cannot be had, and later ones can. (Without its type, libfuse would mount it at the second try.
# A sanitizer would have to be loaded before.)
if ! sanitized; then
	serving=
	for ((n = 1; n < 10 && !serving; n++)); do
		begin_by $user "without process $n" env FEW_FORKS=$n LD_PRELOAD="$T/libfew-forks.so"
	done
	[ -n "$serving" ] || fail "it never starts: $(cat "$T/said")"
fi
finish
