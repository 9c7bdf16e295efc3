# What was sent on a connection of TCP and has not come to the peer's kernel when that fails is counted as lost, to the byte.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
cd "$M"
head -c 8000000 /dev/urandom > "$T/in"
# about, of the channel and all its ports
lost() { spfs stat "$1" | awk 'NR == 1 { while ($++i != "LOST"); next } $1 ~ "/c$" { print $i }'; }

stalled() { # stalled listen|connect ...: begins the peer
	coproc PEER { timeout 100 python3 "$HERE/stalled_peer.py" "$@"; }
	read -r -u "${PEER[0]}" _ || fail "no peer"
}

# Whether the connection stands, with something not acknowledged, and all that has come to the peer is.
seen=
stands() { # stands PORT CHANNEL
	local rows unacked received before=$seen
	rows=$(ss -Hint "dst $HOST:$1 or src $HOST:$1")
	unacked=$(awk '$3 > 0 && /^ESTAB/ { print $3 }' <<< "$rows")
	received=$(grep -o 'bytes_received:[0-9]*' <<< "$rows" | cut -d: -f2)
	seen="$unacked $received $(port "$2" 1 .bytes)"
	[ -n "$unacked" ] && [ -n "$received" ] && [ "$seen" = "$before" ] &&
		[ "$seen" = "$unacked $received $((unacked + received))" ]
}

# reset: the peer goes; $got is what has come to it.
reset() {
	local peer=$PEER_PID out
	exec {out}<&"${PEER[0]}"
	eval "exec ${PEER[1]}>&-"
	read -r -u "$out" got || fail "the peer does not tell"
	exec {out}<&-
	wait "$peer" || fail "the peer"
}

# A sink that connects again, or is held, on a tap; and what its peers have and what is lost is all of it.
for option in retry=1 on-error=hold; do
	mkfifo c
	ln c r
	spfs set r depth=16M
	tcp=$(free_port)
	stalled listen $HOST $tcp
	sink_of r "tcp:$HOST:$tcp?$option"
	timeout 60 cp "$T/in" c
	wait_until 30 stands $tcp c
	[ "$(port c 1 .lost)" = 0 ] || fail "too early: $(ports c)"
	reset
	state=failed
	[ $option != retry=1 ] || state=retrying
	wait_until 30 state c 1 $state
	missed=$(port c 1 .lost)
	[ "$missed" -gt 0 ] || fail "nothing is lost: $(ports c)"
	[ $((got + missed)) = "$(port c 1 .bytes)" ] || fail "got $got, $(ports c)"
	[[ $(lost c) =~ ^[1-9] ]] || fail "the table: $(spfs stat c)"
	grep -q "^spfs_port_lost_bytes_total{.*} $missed\$" .spfs/metrics || fail "the metrics: $(grep lost .spfs/metrics)"
	log_has "port 1 lost $missed bytes, which its peer had not acknowledged"
	if [ $option = retry=1 ]; then
		timeout 60 socat -u "TCP-LISTEN:$tcp,bind=$HOST,reuseaddr" "CREATE:$T/rest" & peer=$!
		wait $peer
		wait_until 30 state c 1 done
	else
		sink_of r "file:$T/rest"
		wait_until 30 state c 2 done
	fi
	[ $((got + missed + $(stat -c %s "$T/rest"))) = 8000000 ] || fail "got $got, $(stat -c %s "$T/rest"), $(ports c)"
	tail -c +$((got + missed + 1)) "$T/in" | cmp - "$T/rest" || fail "the rest"
	rm r
	rm c
done

# A listening sink's client: with what was dropped for it.
mkfifo c
tcp=$(free_port)
sink_of c "tcp-listen:$HOST:$tcp?slow=drop"
stalled connect $HOST $tcp
wait_until 30 state c 1 running
timeout 60 cp "$T/in" c
wait_until 30 stands $tcp c
reset
wait_until 30 state c 1 listening
[ $((got + $(port c 1 .lost))) = 8000000 ] || fail "got $got, $(ports c)"
rm c

# Of a peer that is none of TCP nobody can tell.
mkfifo c
ln c r
stalled listen "$T/socket"
sink_of r "unix:$T/socket?retry=1"
timeout 60 cp "$T/in" c & writer=$!
wait_until 30 sh -c "[ \$(spfs ports --json '$M/c' | jq '.[0].bytes') -gt 10000 ]"
reset
wait_until 30 state c 1 retrying
[ "$(port c 1 .lost)" = 0 ] || fail "$(ports c)"
kill $writer
wait $writer || true
rm r
rm c
cd /
finish
