# Many read the files of .spfs while channels come and go, and when the daemon ends.
. "$(dirname "$0")/harness.sh"
spfs_mount
chmod 777 "$M"
mkdir -m 700 "$M/closed"
for i in $(seq 300); do
	mkfifo "$M/$i"
	[ $((i % 10)) != 0 ] || ln "$M/$i" "$M/closed/t$i"
done
crowd() {
	local f end=$((SECONDS + 4))
	while [ $SECONDS -lt $end ]; do
		for f in stats.json metrics topology.dot; do
			"$@" cat "$M/.spfs/$f" > /dev/null || return
		done
		jq -e '.channels | length > 290' "$M/.spfs/stats.json" > /dev/null || return
	done
}
pids=
for i in 1 2 3; do
	crowd & pids+=" $!"
	if is_root; then crowd as_user & pids+=" $!"; fi
done
while kill -0 $! 2> /dev/null; do
	mkfifo "$M/x"
	ln "$M/x" "$M/y"
	mv "$M/y" "$M/closed/y"
	rm "$M/x" "$M/closed/y"
done
for p in $pids; do wait "$p" || fail "a reader in the crowd"; done

# The daemon ends while they ask, and is not held by what they had open before.
for i in 1 2 3; do
	while cat "$M/.spfs/stats.json"; do :; done > /dev/null 2>&1 & pids=$!
done
kill -TERM "$DAEMON"
wait_until 30 gone "$DAEMON"
DAEMON=
wait
finish
