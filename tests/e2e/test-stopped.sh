# The daemon is stopped (SIGSTOP) and goes on, over and over, while files are read and written: none of them fails. What is
# interrupted within splice(2) comes back from io_uring as an error that user space never sees (ERESTARTSYS).
. "$(dirname "$0")/harness.sh"
spfs_mount
head -c 40000000 /dev/urandom > "$T/in"

stop_and_go() {
	while :; do
		kill -STOP "$DAEMON"
		kill -CONT "$DAEMON"
	done
}

for round in 1 2 3; do
	mkfifo "$M/c$round"
	taps=()
	for i in 1 2 3 4; do
		ln "$M/c$round" "$M/t$round$i"
		taps+=("$M/t$round$i")
		spfs sink "$M/t$round$i" "file:$T/out$i" --wait > /dev/null & sinks[i]=$!
	done
	wait_until 30 sh -c "[ \"\$(spfs ports --json ${taps[*]} | grep -c running)\" -ge 4 ]"
	stop_and_go & going=$!
	failed=
	spfs source "$M/c$round" "file:$T/in" --wait > /dev/null || failed=source
	for i in 1 2 3 4; do
		wait "${sinks[i]}" || failed="$failed sink$i"
	done
	kill $going
	wait $going 2> /dev/null || :
	kill -CONT "$DAEMON"
	[ -z "$failed" ] || fail "failed: $failed"
	for i in 1 2 3 4; do
		cmp "$T/in" "$T/out$i"
		rm "$T/out$i"
	done
done
finish
