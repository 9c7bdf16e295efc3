# Sources and sinks have the rights of who attaches them, and a hanging one holds up nobody else.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs"
spfs_mount
make_workers
cd "$T"

# refused_once ERROR TEXT COMMAND...: another user is refused with ERROR, by one line of the log, which has TEXT
refused_once() {
	local error=$1 text=$2 before
	shift 2
	log_written
	before=$(wc -l < "$LOG")
	refuse "$error" as_user timeout 20 "$@"
	wait_until 20 sh -c "[ \$(wc -l < '$LOG') -gt $before ]"
	log_written
	[ $(($(wc -l < "$LOG") - before)) = 1 ] || fail "not one line for: $*: $(tail -n +$((before + 1)) "$LOG")"
	tail -n 1 "$LOG" | grep -q -- "$text" || fail "$(tail -n 1 "$LOG") does not say '$text'"
}

mkfifo -m 666 "$M/c"
echo secret > secret
chmod 600 secret
mkdir -m 755 rootdir
mkdir -m 700 private
echo hidden > private/file
chmod 644 private/file
/usr/bin/python3 -c "
import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('$PWD/private/sock'); s.listen(); time.sleep(1000)" &
server=$!
wait_until 30 socket_listens "$PWD/private/sock"
chmod 666 private/sock
for way in command attribute; do
	attach() { # attach DIR URI
		if [ $way = command ]; then echo spfs "$1" "$M/c" "$2"; else echo setfattr -n "spfs.$1" -v "$2" "$M/c"; fi
	}
	refused_once 'Permission denied' secret $(attach source "file:$T/secret")
	refused_once 'Permission denied' secret $(attach sink "file:$T/secret")
	refused_once 'Permission denied' rootdir $(attach sink "file:$T/rootdir/new")
	[ -z "$(ls rootdir)" ] || fail "a file was made"
	refused_once 'Permission denied' private $(attach source "file:$T/private/file")
	refused_once 'Permission denied' private $(attach source "unix:$T/private/sock")
	refused_once 'Permission denied' private $(attach sink "unix:$T/private/sock")
	refused_once 'Permission denied' rootdir $(attach source "unix-listen:$T/rootdir/sock")
	privileged=$(($(cat /proc/sys/net/ipv4/ip_unprivileged_port_start) - 1))
	if [ $privileged -gt 0 ]; then
		refused_once 'Permission denied' "$privileged" $(attach source "tcp-listen:127.0.0.1:$privileged")
		refused_once 'Permission denied' "$privileged" $(attach sink "tcp-listen:127.0.0.1:$privileged")
	fi
	# Root may, and so may who has the right by a supplementary group alone.
	# shellcheck disable=SC2091 # it says a command
	$(attach source "file:$T/secret") > /dev/null
	chgrp 4711 secret
	chmod 640 secret
	setpriv --reuid=65534 --regid=65534 --groups=4711 $(attach source "file:$T/secret") > /dev/null
	chown root:root secret
	chmod 600 secret
done
kill $server
wait $server || true
[ "$(cat secret)" = secret ] || fail "the secret was written"

# The daemon's rights are not lent by the way of a link, or of its own files.
ln -s "$T/secret" link
refused_once 'Permission denied' link spfs source "$M/c" "file:$T/link"
refused_once 'Permission denied' log spfs sink "$M/c" "file:$LOG?append=1"
refused_once 'Permission denied' mem spfs source "$M/c" "file:/proc/$DAEMON/mem"
refused_once 'Permission denied' fifos spfs source "$M/c" "file:$M/.spfs/fifos/0000000000000001"
refused_once '.' 'channel\|mount' spfs source "$M/c" "file:$M/c"

# Only who may write a channel may attach a source, only who may read it a sink.
mkfifo -m 622 "$M/writable"
mkfifo -m 644 "$M/readable"
echo open > open
refused_once 'no right to write' readable spfs source "$M/readable" file:open
refused_once 'no right to read' writable spfs sink "$M/writable" "file:$T/bin/new"
refused_once 'Permission denied' writable setfattr -n spfs.sink -v "file:$T/bin/new" "$M/writable"
refuse 'Permission denied' as_user setfattr -n spfs.source -v "file:$T/open" "$M/readable" # by the kernel
refuse 'Permission denied' as_user getfattr -n spfs.ports "$M/writable"
as_user spfs ports "$M/writable" > /dev/null

# The owner of a channel with taps: the kernel shows and wants what the names show, the command what they are.
mkdir -m 777 "$M/dir" out
as_user mkfifo "$M/dir/o"
as_user ln "$M/dir/o" "$M/dir/t"
refuse 'Permission denied' as_user setfattr -n spfs.sink -v "file:$T/out/f" "$M/dir/t"
id=$(as_user spfs sink "$M/dir/t" "file:$T/out/f")
[ "$(stat -c %u out/f)" = 65534 ] || fail "the file is not its owner's"
as_user spfs detach "$M/dir/t" "$id"
refuse 'attached to the origin' as_user spfs source "$M/dir/t" file:open
refuse 'Invalid argument' setfattr -n spfs.source -v "file:$T/open" "$M/dir/t"

# Where names mean something else, only a descriptor goes.
refuse 'pass a descriptor' unshare -m spfs source "$M/c" "file:$T/open"
unshare -m spfs source "$M/c" --fd 0 < open > /dev/null

# A FIFO without a peer stalls who wants it, and nobody else, until it is interrupted.
mkfifo hang
mkfifo "$M/other" "$M/gone"
wait_until 30 daemon_has open -eq 0
env --default-signal=INT spfs source "$M/gone" "file:$T/hang" --wait 2> err &
hanging=$!
wait_until 30 daemon_has open -eq 1
timeout 20 ln "$M/other" "$M/other2"
timeout 20 rm "$M/other2"
timeout 20 mkfifo "$M/more"
timeout 20 ls -l "$M" > /dev/null
timeout 20 spfs ports "$M/gone" > /dev/null
timeout 20 spfs source "$M/other" file:open > /dev/null
timeout 20 rm "$M/gone" # even this
! gone $hanging || fail "it does not hang: $(cat err)"
kill -INT $hanging
if wait $hanging; then fail "interrupted, and well"; fi
wait_until 30 grep -q '/.*: source file:.*/hang: .*[Ii]nterrupted' "$LOG"
wait_until 30 daemon_has open -eq 0

# The same by attribute; uninterrupted, it is not for ever.
mkfifo "$M/gone"
env --default-signal=INT setfattr -n spfs.source -v "file:$T/hang" "$M/gone" 2> err &
hanging=$!
wait_until 30 daemon_has open -eq 1
timeout 20 spfs source "$M/other" file:open > /dev/null
kill -INT $hanging
status=0
wait $hanging || status=$?
[ $status = 130 ] || grep -q 'timed out' err || fail "interrupted, and status $status" # (it may have been late with that)
timeout 20 rm "$M/gone"
refuse 'timed out' timeout 100 setfattr -n spfs.sink -v "file:$T/hang" "$M/other"
log_has 'takes too long for an attribute'

# Its name goes meanwhile: nothing is attached. Then the daemon goes meanwhile.
wait_until 30 daemon_has open -eq 0
mkfifo "$M/gone"
timeout 100 spfs source "$M/gone" "file:$T/hang" 2> err &
hanging=$!
wait_until 30 daemon_has open -eq 1
rm "$M/gone"
timeout 20 sh -c ": > hang" # the peer has come
if wait $hanging; then fail "attached to what is gone"; fi
grep -q 'the name has gone' err || fail "$(cat err)"
wait_until 30 daemon_has open -eq 0
timeout 100 spfs source "$M/other" "file:$T/hang" 2> err &
hanging=$!
wait_until 30 daemon_has open -eq 1
timeout 100 setfattr -n spfs.source -v "file:$T/hang" "$M/c" 2> err2 &
setting=$!
wait_until 30 daemon_has open -eq 2
kill "$DAEMON"
wait_until 30 gone "$DAEMON"
DAEMON=
for p in $hanging $setting; do
	if wait $p; then fail "attached to a daemon that is gone"; fi
done
! mounted || fail "mounted"
finish
