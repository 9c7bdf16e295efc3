#!/bin/bash
# A start that may have so many processes and threads, and no more: it serves, or says why and is gone. The user has none
# beside, so that each number stops it at another step.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
need_root "a user of whom nothing else runs"

programs_for_all "$BUILD"/cmd/spfs{,d}
chmod 1777 "$T"
! sanitized || export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" # (it makes a process of its own)
user=9 # (news, whom fusermount3 must know by name; no other test is that user)
chown $user "$M"
alone() { ! pgrep -u $user > "$T/left"; }
over() { gone "$DAEMON" || grep -q serving "$T/said"; }
serving=
for ((n = 1; n < 40; n++)); do
	setpriv --reuid=$user --regid=65534 --clear-groups prlimit --nproc=$n spfsd -f -o workers=2 "$M" 2> "$T/said" & DAEMON=$!
	wait_until 10 over
	! grep -q serving "$T/said" || serving=1
	[ -z "$serving" ] || break
	[ -s "$T/said" ] || fail "$n processes: not a word"
	status=0
	wait "$DAEMON" || status=$?
	[ $status = 1 ] || fail "$n processes: status $status"
	wait_until 10 no_daemon
	! mounted || fail "$n processes: the mount is left"
	wait_until 10 alone
done
[ -n "$serving" ] || fail "it never starts"
kill "$DAEMON"
wait "$DAEMON" || fail "status $?"
DAEMON=
! mounted || fail "the mount is left"
finish
