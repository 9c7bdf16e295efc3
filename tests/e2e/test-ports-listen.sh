# Listening sinks: every client has a copy of its own, and a slow one holds nobody back for good.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
make_workers
cd "$M"
fds=$(daemon_fds)
head -c 20000003 /dev/urandom > "$T/in"
sum=$(sha256sum < "$T/in" | cut -d' ' -f1)
connected() { [ "$(port "$1" "$2" .connected)" = "$3" ]; }

# 50 clients, one of them stalled: on the channel itself, and on a tap of it.
for name in c r; do
	mkfifo c
	ln c r
	[ $name = r ] || rm r
	tcp=$(free_port)
	sink_of $name "tcp-listen:$HOST:$tcp?grace=15" # seconds; who reads is not that late, whatever runs beside this test
	state c 1 listening || fail "$(ports c)"
	timeout 100 python3 "$HERE/clients.py" $HOST $tcp 49 "$sum" > "$T/clients" < /dev/null &
	clients=$!
	wait_until 30 connected c 1 50
	source_of c "file:$T/in"
	wait $clients || fail "clients: $(cat "$T/clients")"
	grep -q 'all have it' "$T/clients"
	[ "$(port c 1 .disconnected)" = 1 ] && [ "$(port c 1 .clients)" = 50 ] || fail "$(ports c)"
	[ "$(port c 1 .lost)" -gt 0 ] || fail "its loss is not counted: $(ports c)"
	log_has 'too slow'
	state c 1 listening || fail "$(ports c)"
	rm -f c r
	wait_until 30 daemon_fds_at_most $((fds + 1))
done

# A client that loses chunks rather than holding others back: what it lost is counted to the byte.
mkfifo c "$T/go"
ln c r
tcp=$(free_port)
sink_of c "tcp-listen:$HOST:$tcp?slow=drop"
timeout 60 python3 "$HERE/clients.py" $HOST $tcp 0 "$sum" > "$T/clients" < "$T/go" &
clients=$!
exec 5> "$T/go"
wait_until 30 connected c 1 1
timeout 60 sha256sum < r > "$T/sum" 5>&- &
reader=$!
source_of c "file:$T/in"
wait $reader
grep -q "$sum" "$T/sum" || fail "the tap beside"
exec 5>&-
wait $clients
got=$(sed -n 's/^bytes //p' "$T/clients")
[ "$got" -lt 20000003 ] || fail "nothing was dropped"
wait_until 30 connected c 1 0
[ $((got + $(port c 1 .lost))) = 20000003 ] || fail "got $got, $(ports c)"
rm c r

# A stream that is over before its client is served.
: > "$T/nothing"
mkfifo c
tcp=$(free_port)
source_of c "file:$T/nothing"
wait_until 30 state c 1 done
sink_of c "tcp-listen:$HOST:$tcp?slow=drop"
[ -z "$(timeout 30 socat -u "TCP:$HOST:$tcp" -)" ] || fail "data out of nothing"
rm c

# block: the slow client has it all.
mkfifo c
tcp=$(free_port)
sink_of c "tcp-listen:$HOST:$tcp?slow=block"
timeout 60 socat -u "TCP:$HOST:$tcp" - | (sleep 2; cat) | cmp - "$T/in" &
client=$!
wait_until 30 connected c 1 1
source_of c "file:$T/in"
wait $client || fail "a slow client that may block"
rm c

# Clients that come and go in mid-stream; while nobody is there, the channel waits.
mkfifo c
tcp=$(free_port)
sink_of c "tcp-listen:$HOST:$tcp"
source_of c file:/dev/zero
for i in $(seq 5); do timeout 20 socat -u "TCP:$HOST:$tcp" - | head -c 100000 > /dev/null || true; done
wait_until 30 connected c 1 0
exec 4<> c
setfattr -n spfs.detach -v 2 c
timeout 20 socat -u "TCP:$HOST:$tcp" - 4>&- > "$T/last" &
client=$!
wait_until 30 connected c 1 1
echo the end >&4
exec 4>&-
wait $client || fail "the last client has no end of the stream"
[ "$(tr -d '\0' < "$T/last")" = 'the end' ] || fail "the last client"

# Detached with a client on it: the client sees the end.
timeout 20 socat -u "TCP:$HOST:$tcp" - > /dev/null &
client=$!
wait_until 30 connected c 1 1
setfattr -n spfs.detach -v 1 c
wait $client || true
! listening $tcp || fail "still listening"
rm c

# A listening source takes connections one by one: each is a stream.
mkfifo c
ln c r
tcp=$(free_port)
source_of c "tcp-listen:$HOST:$tcp"
for i in 1 2 3; do
	echo $i | timeout 30 socat -u - "TCP:$HOST:$tcp"
	[ "$(timeout 30 cat r)" = $i ] || fail "stream $i"
done
[ "$(port c 1 .clients)" = 3 ] || fail "$(ports c)"
rm c r
wait_until 30 daemon_fds_at_most $fds
cd /
finish
