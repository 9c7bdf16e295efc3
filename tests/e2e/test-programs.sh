# Ports that are programs (spfs-port(7)): every byte both ways, with the rights of who asks and no others; and programs that
# fail, hang, are killed or talk rubbish, which harm their own port alone.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
mkdir -m 755 "$T/programs"
# program NAME: its text comes from standard input.
program() {
	{ echo '#!/bin/sh'; cat; } > "$T/programs/spfs-port-$1"
	chmod 755 "$T/programs/spfs-port-$1"
}
program copy << 'END'
case $1 in
sink) exec > "$2"; echo ready >&3; exec cat ;;
source) exec < "$2"; echo ready >&3; exec cat ;;
esac
END
program at << 'END'
case $2 in
early) echo 'one thing' >&2; printf 'it \033[2Jis so\n' >&2; exit 3 ;;
word) echo 'error ECONNREFUSED nobody is at home' >&3; exec sleep 1000 ;;
odd) echo 'error nothing that has a number' >&3; exec sleep 1000 ;;
quits) exit 0 ;;
never) exec sleep 1000 ;;
few) echo ready >&3; head -c 5 > /dev/null; exit "$(echo "$3" | cut -d= -f2)" ;;
deaf) trap '' TERM; echo ready >&3; while :; do sleep 1000; done ;;
family) sleep 1000 & echo ready >&3; sleep 1000 ;;
late) echo ready >&3; cat > /dev/null; echo 'the end is wrong' >&2; exit 9 ;;
told) echo ready >&3; cat > /dev/null; echo 'error ENOSPC no room over there' >&3 ;;
rubbish) printf 'how %s\nhow x y\nbytes -1\nbytes 99999999999999999999\ntake\nready now\n\n\nerr\0or\nhow fine\nready\n' \
	"$(head -c 5000 /dev/zero | tr '\0' x)" >&3; echo how fine >&3; echo ready >&3; cat > /dev/null ;;
spam) echo ready >&3; while :; do echo a line that says nothing >&2; echo nothing >&3; done ;;
source) echo ready >&3; while echo x; do sleep 0.01; done ;;
half) echo ready >&3; head -c 100000 /dev/zero; exit 5 ;;
esac
END
cat > "$T/programs/spfs-port-hand" << 'END'
#!/usr/bin/python3
"""hand:HOST:PORT?then=...: connects, and hands the connection over."""
import os, socket, sys
words = socket.socket(fileno=3)
host, port = sys.argv[2].split(":")
then = sys.argv[3].split("=")[1]
if then == "folder":
    socket.send_fds(words, [b"take"], [os.open("/proc/self/status", os.O_RDWR if sys.argv[1] == "none" else os.O_RDONLY)])
elif then == "wrong":
    socket.send_fds(words, [b"take"], [os.open("/dev/null", os.O_RDONLY)])
else:
    s = socket.create_connection((host, int(port)))
    socket.send_fds(words, [b"how handed\ntake"], [s.fileno()])
    if then == "waits":
        if words.recv(100) == b"end\n":
            s.sendall(b"goodbye")
    elif then == "dies":
        words.recv(100)
        sys.exit(6)
END
chmod 755 "$T/programs/spfs-port-hand"
program look << 'END'
exec > "$2" 2>&1 < /dev/null
shift 2
echo "args $*"
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|SigBlk)' /proc/self/status
echo "here $(pwd) mask $(umask) core $(ulimit -c) files $(ulimit -n)"
env | cut -d= -f1 | sort | tr '\n' ' '
echo
for fd in /proc/$$/fd/[0-9]; do readlink "$fd" | sed 's/:.*//'; done | tr '\n' ' '
ps -o pid=,pgid=,sid= -p $$ | tr -s ' ' '\n' | sort -u | grep -c .
echo fails >&3
exit 1
END
chmod 644 "$T/programs/spfs-port-look" # (not yet)
spfs_mount -o programs="$T/programs"
make_workers
cd "$M"
fds=$(daemon_fds)
head -c 5000001 /dev/urandom > "$T/in"
programs_of() { pgrep -P "$DAEMON" -c || :; }
no_programs() { [ "$(programs_of)" = 0 ]; }

# Both ways.
mkfifo c
sink_of c "copy:$T/out%20it"
cp "$T/in" c
wait_until 20 state c 1 done
cmp "$T/in" "$T/out it"
[ "$(port c 1 .bytes)" = 5000001 ] || fail "$(ports c)"
[ "$(port c 1 .how)" = program ] || fail "$(ports c)"
source_of c "copy:$T/in"
timeout 20 cat c | cmp - "$T/in"
wait_until 20 state c 2 done
wait_until 20 no_programs

# What cannot begin: at once, with a reason that no terminal minds; nothing is left of it.
mkfifo d
refuse "at: exit status 3: it ?\[2Jis so" spfs sink d at:early
refuse "nobody is at home" spfs sink d at:word
refuse "nothing that has a number" spfs sink d at:odd
refuse "at: ended before it was ready" spfs sink d at:quits
refuse "at: not ready within 1 s" spfs sink d "at:never?timeout=1"
refuse "'timeout': 'x' is not" spfs sink d "at:never?timeout=x"
refuse "it begins with none of .*file: .*copy:" spfs sink d none:x
refuse "it begins with none of" spfs sink d ../programs/spfs-port-copy:x
refuse "it begins with none of" spfs sink d look:x # nobody may run it
refuse "'%' without two" spfs sink d "copy:%zz"
[ "$(ports d)" = '[]' ] || fail "$(ports d)"
wait_until 20 no_programs
log_has "d: sink at:early: at: exit status 3"
# One that is given up goes.
timeout -k 1 2 spfs sink d at:never && fail "it never was ready" || :
wait_until 20 no_programs

# What fails later: the port says why. What it has not read is not lost: the next sink begins there.
spfs sink d "at:few?exit=4&on-error=hold" > /dev/null
head -c 700000 "$T/in" > d
wait_until 20 state d 1 failed
[ "$(port d 1 .error)" = "at: exit status 4" ] || fail "$(ports d)"
moved=$(port d 1 .bytes)
spfs sink d "copy:$T/rest" > /dev/null
wait_until 20 state d 2 done
cmp <(head -c 700000 "$T/in" | tail -c +$((moved + 1))) "$T/rest" || fail "the rest, from $moved on"
ln d d.tap
spfs sink d.tap "at:few?exit=0" > /dev/null
head -c 600000 "$T/in" > d
wait_until 20 state d 3 failed
port d 3 .error | grep -q "it has ended before its stream" || fail "$(ports d)"
head -c 600000 "$T/in" | tail -c +$(($(port d 3 .bytes) + 1)) > "$T/rest"
timeout 20 cat d.tap | cmp - "$T/rest" || fail "the rest of the tap"
# And so where it is taken away.
spfs sink d.tap at:deaf > /dev/null
head -c 400000 "$T/in" > d
timeout 20 spfs detach d 4
cmp <(timeout 20 head -c 400000 d.tap) <(head -c 400000 "$T/in") || fail "what one that was detached had not read"
rm d.tap
# (By default it goes. One write, which the ring holds: what comes once that has failed has no reader.)
spfs sink d "at:few?exit=4" > /dev/null
dd if="$T/in" of=d bs=64K count=1 status=none
wait_until 20 state d 5 failed
all_told() { [ "$(port d 5 '.bytes + .lost')" = 65536 ]; }
wait_until 20 all_told || fail "$(ports d)"
spfs sink d at:late > /dev/null
echo x > d
wait_until 20 state d 6 failed
[ "$(port d 6 .error)" = "at: exit status 9: the end is wrong" ] || fail "$(ports d)"
spfs sink d at:told > /dev/null
echo x > d
wait_until 20 state d 7 failed
[ "$(port d 7 .error)" = "no room over there" ] && [ "$(port d 7 .errno)" = ENOSPC ] || fail "$(ports d)"
spfs source d at:half > /dev/null
[ "$(timeout 20 cat d | wc -c)" = 100000 ] || fail "what it had written before it failed"
wait_until 20 state d 8 failed
[ "$(port d 8 .error)" = "at: exit status 5" ] || fail "$(ports d)"
rm d

# A connection that is handed over is the daemon's to fill, whether its program goes or stays; it may have a last word.
peer_of() { # peer_of FILE: receives one connection
	timeout 60 socat -u "TCP-LISTEN:$tcp,bind=$HOST,reuseaddr" "CREATE:$1" & peer=$!
	wait_until 30 listening "$tcp"
}
mkfifo h
tcp=$(free_port)
for then in goes waits; do
	peer_of "$T/net"
	spfs sink h "hand:$HOST:$tcp?then=$then" > "$T/id"
	cp "$T/in" h
	id=$(tr -dc 0-9 < "$T/id")
	wait_until 30 state h "$id" done
	wait $peer
	[ $then = goes ] && cmp "$T/in" "$T/net" || cmp <(cat "$T/in"; printf goodbye) "$T/net" || fail "what came of $then"
	[ "$(port h "$id" .how) $(port h "$id" .bytes) $(port h "$id" .copies)" = "handed 5000001 0" ] || fail "$(ports h)"
done
peer_of "$T/net"
spfs sink h "hand:$HOST:$tcp?then=dies" > /dev/null
echo x > h
wait_until 20 state h 3 failed
[ "$(port h 3 .error)" = "hand: exit status 6" ] || fail "$(ports h)"
wait $peer || :
refuse "not open for writing" spfs sink h "hand:$HOST:$tcp?then=wrong"
refuse "a file of proc" spfs source h "hand:$HOST:$tcp?then=folder"
[ "$(ports h | jq length)" = 3 ] || fail "$(ports h)"
rm h
wait_until 20 no_programs

# Killed in the middle; and again with ?retry=.
mkfifo k
spfs source k at:source > /dev/null
timeout 20 head -c 10 k > /dev/null
kill -9 "$(pgrep -P "$DAEMON")"
wait_until 20 state k 1 failed
[ "$(port k 1 .error)" = "at: killed by signal 9" ] || fail "$(ports k)"
spfs sink k "at:family?on-error=retry&retry=1" > /dev/null
first=$(pgrep -P "$DAEMON")
kill -9 "$first"
again() { [ -n "$(pgrep -P "$DAEMON")" ] && [ "$(pgrep -P "$DAEMON")" != "$first" ] && state k 2 running; }
wait_until 20 again
spfs detach k 2
wait_until 20 no_programs
wait_until 20 sh -c "! pgrep -s $first > /dev/null" # what it had started

# Those that do not want to end do; those that talk without end are heard now and then.
spfs sink k at:deaf > /dev/null
timeout 20 spfs detach k 3 || fail "who does not hear SIGTERM"
spfs sink k at:spam > /dev/null
spfs sink k at:rubbish > /dev/null
[ "$(port k 5 .how)" = fine ] || fail "$(ports k)"
kill -STOP "$(pgrep -P "$DAEMON" -f "spfs-port-at sink rubbish")"
mkfifo other
sink_of other "copy:$T/other"
cp "$T/in" other
wait_until 20 cmp "$T/in" "$T/other"
timeout 20 spfs detach k 4
timeout 20 spfs detach k 5 || fail "one that is stopped"
rm k other
wait_until 20 no_programs

# As who asks.
chmod 755 "$T/programs/spfs-port-look"
chmod 777 "$T"
look() { # look WHO...: as which command
	local file=$T/look.$#
	refuse "look: exit status 1" "$@" spfs sink c "look:$file?first=a%20b&policy=block&second=%26" >&2
	cat "$file"
}
chmod 666 c
as=()
if is_root; then
	programs_for_all "$BUILD/cmd/spfs"
	as=(setpriv --reuid=65534 --regid=65534 '--groups=4,20')
fi
look "${as[@]}" > "$T/seen"
cat "$T/seen"
grep -qx 'args first=a b second=&' "$T/seen" || fail "the arguments"
grep -q '^NoNewPrivs:.1$' "$T/seen" || fail "new privileges"
for set in Inh Prm Eff Amb; do
	grep -q "^Cap$set:.0*$" "$T/seen" || fail "capabilities"
done
grep -q '^SigBlk:.0*$' "$T/seen" || fail "signals"
grep -qx 'here / mask 0022 core 0 files 1024' "$T/seen" || fail "where it is"
! grep -E 'DISPLAY|SPFS_BUILD|SSH|BUILD' "$T/seen" || fail "the daemon's environment"
grep -qx '.*pipe .*socket.*1' "$T/seen" || grep -q socket "$T/seen" || fail "descriptors"
if is_root; then
	grep -qP '^Uid:\t65534\t65534\t65534\t65534$' "$T/seen" || fail "the user"
	grep -qP '^Gid:\t65534\t65534\t65534\t65534$' "$T/seen" || fail "the group"
	grep -qP '^Groups:\t4 20 ' "$T/seen" || fail "the groups"
	grep -q '^CapBnd:.0*$' "$T/seen" || fail "the bounding set"
	look > "$T/seen"
	grep -q '^CapEff:.0*$' "$T/seen" || fail "root's has capabilities"
	# Where he may not write, and what he may not have.
	install -m 600 /dev/null "$T/roots"
	refuse "Permission denied" "${as[@]}" spfs sink c "copy:$T/roots"
	# So many of one user, and of others all the same.
	mkfifo -m 666 n
	for _ in $(seq 64); do "${as[@]}" spfs sink n at:never\?timeout=150 & done
	few() { [ "$(programs_of)" -ge 64 ]; }
	wait_until 60 few
	refuse "too many" "${as[@]}" spfs sink n at:family
	spfs sink n at:family > /dev/null || fail "another is refused"
	spfs detach n 1
	pkill -P "$DAEMON"
	wait $(jobs -p) || :
	wait_until 60 no_programs
	rm n
fi
rm c

wait_until 30 daemon_fds_at_most $fds
# They go with the daemon.
mkfifo e
spfs sink e at:deaf > /dev/null
spfs sink e at:family > /dev/null
left=$(pgrep -P "$DAEMON")
cd /
spfs_unmount
for pid in $left; do
	wait_until 30 gone "$pid"
	wait_until 30 sh -c "! pgrep -s $pid > /dev/null"
done
finish
