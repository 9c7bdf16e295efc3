# One user leaves behind more connections that cannot be closed than anything is bounded by: with descriptors in them whose
# last close lingers, or waits for a lock in the kernel. Others are served all the while, the daemon does not grow, it gets
# all of it back, and it ends when it is told to.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/hanging.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs" "$BUILD/tests/e2e/hanging-file" "$HERE"/{control,departing}.py
PY=/usr/bin/python3 # every user may run it

hostile=
begin() {
	spfsd -f -o log="$LOG" "$M" & foreground=$!
	wait_until 30 mounted
	wait_until 30 test -S "$M/.spfs/control"
	DAEMON=$foreground
	mkfifo -m 666 "$M/a"
	mkfifo "$M/roots"
	ln "$M/roots" "$M/roots.tap"
	make_workers
	fds=$(daemon_fds) threads=$(daemon_threads) most_fds=0 most_threads=0 most_closing=0 slowest=0 asked=0
	page=
	if [ "$1" = held ]; then
		hanging_begin
		page=$T/h/page
	fi
	# (no pipe to read: it would be in every process of the hostile one's)
	PYTHONPATH=$T/bin $PY "$T/bin/departing.py" "$M" "$1" "$page" > "$T/told" 2>&1 & hostile=$!
}

# What root does with the socket is done, and so it is for another user, while what lingers does so for ten minutes.
others_go_on() {
	local began=${EPOCHREALTIME/./} took
	timeout 20 spfs stat "$M/roots" > /dev/null || fail "spfs stat"
	timeout 20 spfs set "$M/roots.tap" depth=2M || fail "spfs set"
	timeout 20 spfs quota "$M" > /dev/null || fail "spfs quota"
	timeout 20 setpriv --reuid=65533 --regid=65533 --clear-groups spfs get "$M/a" > /dev/null || fail "another user"
	took=$(((${EPOCHREALTIME/./} - began) / 1000))
	[ $took -le $slowest ] || slowest=$took
	asked=$((asked + 1))
}

look() {
	local n
	n=$(daemon_fds)
	[ "$n" -le $most_fds ] || most_fds=$n
	n=$(daemon_threads)
	[ "$n" -le $most_threads ] || most_threads=$n
	n=$(daemon_threads close)
	[ "$n" -le $most_closing ] || most_closing=$n
}

look_closing() { # (they begin once the daemon comes to it)
	look
	[ $most_closing -ge 64 ]
}

told() { grep -q "$1" "$T/told"; }

attacked() {
	local end=$((SECONDS + 60))
	until told sent; do
		[ $SECONDS -lt $end ] || fail "not all was sent: $(cat "$T/told")"
		others_go_on
		look
	done
	wait_until 20 look_closing || fail "it is no attack"
	others_go_on
	look
	echo "$1: descriptors $fds, at most $most_fds; threads $threads, at most $most_threads;" \
		"$asked times asked, at most $slowest ms"
	# A thread for 64 closings and 64 who are served; what they have open; and the pair in flight.
	[ $most_threads -le $((threads + 160)) ] || fail "too many threads"
	[ $most_fds -le $((fds + 400)) ] || fail "too many descriptors"
}

# What they wait for comes to an end.
over() {
	kill -9 "$hostile"
	[ -z "$hanging" ] || hanging_fail
	wait "$hostile" || true
}

for how in linger held; do
	begin $how
	attacked $how
	over
	wait_until 60 daemon_fds_at_most $fds
	wait_until 30 daemon_has close -eq 0
	wait_until 30 daemon_has errand -eq 0
	others_go_on
	kill -TERM "$DAEMON"
	wait "$foreground" || fail "$how: it ends with $?"
	DAEMON=

	# In the middle of it.
	begin $how
	wait_until 30 told closing
	others_go_on
	wait_until 30 daemon_has close -ge 64
	began=$SECONDS
	kill -TERM "$DAEMON"
	wait_until 60 sh -c "! grep -q ' $M fuse.spfs ' /proc/mounts"
	if [ $how = held ]; then # who waits in the kernel stays, dead, for as long as that
		sanitized || wait_until 60 gone "$DAEMON" # (one that looks for leaks wants to stop those first)
		over
	fi
	wait "$foreground" || fail "$how, in the middle: it ends with $?"
	[ $((SECONDS - began)) -le 60 ] || fail "$how: the end took $((SECONDS - began)) s"
	[ $how = held ] || over
	DAEMON=
done
finish
