# An ordinary user's daemon, through fusermount3.
ANY_USER=1
. "$(dirname "$0")/harness.sh"

user=
if is_root; then
	user=as_user
	programs_for_all "$BUILD"/cmd/spfs{,d}
	chown -R 65534:65534 "$T"
fi

# Who waits for the end of what is said waits for the start alone. What comes to every process of the daemon, as from a
# terminal, takes from it nothing that it needs for its end.
start() {
	$user spfsd -o log="$LOG" "$M" 2>&1 | timeout 60 cat || fail "its start does not end"
	DAEMON=$(find_daemon)
	kill -s HUP $(daemons)
	kill -s USR1 $(daemons)
}

start
# A ring that somebody has open has its size set on their descriptor, where the daemon may; else the log says so.
granted=$($user bash -euc "
	cd '$M'
	mkfifo plain
	exec 4<> plain
	spfs set plain size=1M
	/usr/bin/python3 -c 'import fcntl; print(fcntl.fcntl(4, 1032))'
	rm plain")
[ "$granted" = 1048576 ] || log_has 'rings that they have open keep their size'
$user bash -euc "
	cd '$M'
	mkfifo a
	ln a r1
	ln a r2
	(echo hello; head -c 500000 /dev/zero) > a &
	timeout 30 cat r1 | cksum > '$T/1'
	timeout 30 cat r2 | cksum > '$T/2'
	wait
	echo x > new
	timeout 30 cat new | grep -qx x
	echo kept > a
	# a port by the control socket, which is found in the namespace of the user
	head -c 1000 /dev/zero > '$T/file'
	id=\$(spfs source new 'file:$T/file')
	spfs ports new | grep -q 'source.*$T/file'
	spfs detach new \$id
"
same "$T/1" "$T/2"
[ "$(cut -d' ' -f2 "$T/1")" = 500006 ] || fail "wrong length: $(cat "$T/1")"

ways='TERM fusermount'
# Where a user may have no namespace, what the daemon holds keeps the mount busy.
log_written
! grep -q 'no user namespace' "$LOG" || ways=TERM
for how in $ways; do
	if [ $how = TERM ]; then kill "$DAEMON"; else wait_until 30 $user fusermount3 -u "$M"; fi
	wait_until 30 gone "$DAEMON"
	wait_until 30 sh -c "! grep -q ' $M fuse.spfs ' /proc/mounts"
	start
	$user bash -euc "cd '$M'; mkfifo a; ln a r; echo kept > a"
done

kill -9 "$DAEMON"
wait_until 30 gone "$DAEMON"
start
[ -z "$($user ls "$M")" ] || fail "not empty after a kill"
$user fusermount3 -u -z "$M"
[ "$ways" != TERM ] || kill $DAEMON 2> /dev/null || true
wait_until 30 gone "$DAEMON"
DAEMON=
finish
