# Sources and sinks on sockets, with real peers.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
make_workers
cd "$M"
fds=$(daemon_fds)
head -c 30000001 /dev/urandom > "$T/in"

# serve PORT FILE [ADDRESS]: a peer that receives one stream, and listens already; its pid is in $peer
serve_soon() {
	timeout 60 socat -u "TCP-LISTEN:$1,bind=${3:-$HOST},reuseaddr" "CREATE:$2" &
	peer=$!
}
serve() {
	serve_soon "$@"
	wait_until 30 listening "$1" "${3:-$HOST}"
}

# File -> channel -> 2 taps -> file and TCP.
tcp=$(free_port)
serve $tcp "$T/net"
mkfifo c
ln c r1
ln c r2
sink_of r1 "file:$T/disk"
sink_of r2 "tcp:$HOST:$tcp"
source_of c "file:$T/in"
wait $peer
wait_until 30 state c 1 done
wait_until 30 state c 2 done
same "$T/in" "$T/disk" "$T/net"
[ "$(port c 2 .copies)" = 0 ] && [ "$(port c 2 .bytes)" = 30000001 ] || fail "$(ports c)"
rm c r1 r2

# TCP in -> tee -> file and TCP out.
tcp=$(free_port)
out=$(free_port)
serve $out "$T/net"
mkfifo c
ln c r1
ln c r2
sink_of r1 "file:$T/disk"
sink_of r2 "tcp:$HOST:$out"
source_of c "tcp-listen:$HOST:$tcp"
state c 3 listening || fail "$(ports c)"
timeout 60 socat -u "OPEN:$T/in" "TCP:$HOST:$tcp"
wait $peer
wait_until 30 state c 1 done
wait_until 30 state c 2 done
same "$T/in" "$T/disk" "$T/net"
# The next connection is the next stream.
sink_of r1 "file:$T/next"
echo next | timeout 30 socat -u - "TCP:$HOST:$tcp"
wait_until 30 state c 4 done
[ "$(cat "$T/next")" = next ] || fail "next stream"
[ "$(timeout 20 cat r2)" = next ] || fail "next stream of r2"
setfattr -n spfs.detach -v 3 c
! listening $tcp || fail "still listening"
rm c r1 r2

# Connecting as a source; IPv6; a name.
if tcp=$(free_port ::1 2> /dev/null); then
	timeout 60 socat -u "OPEN:$T/in" "TCP6-LISTEN:$tcp,bind=[::1],reuseaddr" &
	wait_until 30 listening $tcp '[::1]'
	from="[::1]:$tcp"
else # no IPv6 here
	tcp=$(free_port)
	timeout 60 socat -u "OPEN:$T/in" "TCP-LISTEN:$tcp,bind=$HOST,reuseaddr" &
	wait_until 30 listening $tcp
	from=$HOST:$tcp
fi
mkfifo c
source_of c "tcp:$from"
timeout 60 cat c | cmp - "$T/in" || fail "tcp source"
wait_until 30 state c 1 done
tcp=$(free_port 127.0.0.1)
serve $tcp "$T/net" 127.0.0.1
name=localhost
getent hosts $name > /dev/null || name=127.0.0.1 # (no /etc/hosts here)
sink_of c "tcp:$name:$tcp"
echo by name > c
wait $peer
[ "$(cat "$T/net")" = 'by name' ] || fail "by name"
rm c

# Unix sockets, both ways and both ends.
mkfifo c
sink_of c "unix-listen:$T/s1"
timeout 60 socat -u "UNIX:$T/s1" "CREATE:$T/unix" &
has_a_client() { [ "$(port c 1 .connected)" = 1 ]; }
wait_until 30 has_a_client
source_of c "file:$T/in"
wait $!
same "$T/in" "$T/unix"
timeout 60 socat -u "UNIX-LISTEN:$T/s2" "CREATE:$T/unix2" &
wait_until 30 socket_listens "$T/s2"
mkfifo d
sink_of d "unix:$T/s2"
source_of d "file:$T/in"
wait $!
same "$T/in" "$T/unix2"
# A socket that nobody listens on any more is replaced.
setfattr -n spfs.detach -v 1 c
sink_of c "unix-listen:$T/s1"
refuse 'Address already in use' sink_of d "unix-listen:$T/s1"
rm c d

# Header and file to a web client, which sends a request that nobody reads.
printf 'HTTP/1.0 200 OK\r\nContent-Length: 30000001\r\n\r\n' > page
source_of page "file:$T/in"
tcp=$(free_port)
sink_of page "tcp-listen:$HOST:$tcp"
timeout 60 curl -s "http://$HOST:$tcp/" -o "$T/page"
same "$T/in" "$T/page"
rm page

# A real web server as the peer of a source.
tcp=$(free_port)
timeout 60 python3 -m http.server --bind $HOST --directory "$T" $tcp > "$T/web.log" 2>&1 &
server=$!
wait_until 30 listening $tcp
mkfifo c
exec 4<> "/dev/tcp/$HOST/$tcp"
printf 'GET /in HTTP/1.0\r\n\r\n' >&4
spfs source c --fd 4
exec 4>&-
timeout 60 cat c | tail -c 30000001 | cmp - "$T/in" || fail "web server"
kill $server
wait $server || true
rm c

# A peer that goes away in mid-stream: the port fails, and the rest is there for the next sink.
mkfifo c
ln c r
tcp=$(free_port)
timeout 60 sh -c "socat -u TCP-LISTEN:$tcp,bind=$HOST,reuseaddr - | head -c 1000000 > '$T/first'" &
wait_until 30 listening $tcp
sink_of r "tcp:$HOST:$tcp"
source_of c "file:$T/in"
wait $!
wait_until 20 state c 1 failed
[ "$(stat -c %s "$T/first")" = 1000000 ] || fail "first part"
moved=$(port c 1 .bytes)
sink_of r "file:$T/rest"
wait_until 20 state c 3 done
tail -c +$((moved + 1)) "$T/in" | cmp - "$T/rest" || fail "the rest"
rm c r

# With ?retry= it connects again.
mkfifo c
ln c r
tcp=$(free_port)
serve $tcp "$T/net"
sink_of r "tcp:$HOST:$tcp?retry=1"
exec 4> c
head -c 5000000 "$T/in" >&4
kill $peer
wait $peer || true
head -c 500000 "$T/in" >&4
wait_until 30 state c 1 retrying
[ "$(port c 1 .errno)" != null ] || fail "no reason"
serve_soon $tcp "$T/net2" 4>&- # (it listens for one: who connects again may be there before anybody looks)
wait_until 30 state c 1 running
exec 4>&-
wait $peer
wait_until 30 state c 1 done
[ -s "$T/net2" ] || fail "nothing after the retry"
rm c r

# What cannot be: at once, with a reason.
mkfifo c
refuse 'Connection refused' setfattr -n spfs.sink c -v "tcp:$HOST:$(free_port)"
refuse 'No such file' setfattr -n spfs.sink c -v "unix:$T/none"
refuse 'Invalid argument' setfattr -n spfs.sink c -v 'tcp:127.0.0.1'
refuse 'out of range' setfattr -n spfs.sink c -v 'tcp:127.0.0.1:99999'
refuse 'out of range' setfattr -n spfs.sink c -v 'tcp:127.0.0.1:1?retry=99999999999'
log_has 'Connection refused'
# A peer that never answers stalls nobody else, and can be given up.
timeout 60 python3 -c "
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind('$T/full'); s.listen(0)
held = [socket.socket(socket.AF_UNIX) for _ in range(3)]
for h in held:
    h.setblocking(False)
    try: h.connect('$T/full')
    except BlockingIOError: pass
print('full', flush=True)
time.sleep(60)" > "$T/filler" &
filler=$!
wait_until 30 grep -q full "$T/filler"
setfattr -n spfs.sink -v "unix:$T/full" c &
hanging=$!
wait_until 20 daemon_has open -eq 1
mkfifo other
echo works > new
[ "$(timeout 20 cat new)" = works ] || fail "others are stalled"
! gone $hanging || fail "it did not hang"
kill $hanging
wait $hanging && fail "interrupted" || true
[ "$(ports c)" = '[]' ] || fail "a port is left: $(ports c)"
kill $filler
wait $filler || true

wait_until 30 daemon_fds_at_most $fds
cd /
finish
