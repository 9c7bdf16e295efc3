# Whoever starts a program without standard input, output or error gets what others get: nothing that it opens has their
# numbers, where something would be read, written or put over it.
. "$(dirname "$0")/harness.sh"

without() { # DESCRIPTORS COMMAND...: for a while at most, with these closed
	local fd fds=$1
	shift
	(
		for fd in $fds; do eval "exec $fd>&-"; done
		exec timeout 60 "$@"
	)
}
serves() { # FDS: nothing but /dev/null is there; and it says in its log what it is to say
	local fd
	for fd in $1; do
		[ "$(readlink "/proc/$DAEMON/fd/$fd")" = /dev/null ] ||
			fail "descriptor $fd of '$1' is $(readlink "/proc/$DAEMON/fd/$fd")"
	done
	mkfifo "$M/a"
	refuse 'not supported' setfattr -n spfs.nonsense -v x "$M/a"
}
logged() {
	log_has 'serving'
	log_has 'a: spfs.nonsense'
	log_has 'is unmounted'
	rm "$LOG"
}

for fds in 0 1 2 '0 1' '1 2' '0 1 2'; do
	without "$fds" spfsd -o log="$LOG" "$M" || fail "status $? without $fds"
	DAEMON=$(find_daemon)
	serves '0 1 2'
	spfs_unmount
	logged

	without "$fds" spfsd "$M" || fail "status $? without $fds, with syslog"
	DAEMON=$(find_daemon)
	serves '0 1 2'
	spfs_unmount

	without "$fds" spfsd -f -o log="$LOG" "$M" 2> "$T/error" & starter=$!
	wait_until 60 mounted
	wait_until 60 test -S "$M/.spfs/control"
	DAEMON=$(find_daemon)
	serves "$fds"
	spfs_unmount
	wait $starter || fail "status $? without $fds, in the foreground"
	logged
	case $fds in
	*2*) [ ! -s "$T/error" ] || fail "whose is this: $(cat "$T/error")" ;;
	*) grep -q 'spfs.nonsense' "$T/error" || fail "standard error says nothing without $fds" ;;
	esac

	# A start that fails does so in all cases, and is told of where there is somebody to tell.
	! without "$fds" spfsd "$T/missing" 2> "$T/error" || fail "it starts where there is no folder, without $fds"
	[ "${fds%2}" != "$fds" ] || grep -q 'No such file' "$T/error" || fail "no reason without $fds"
done

# The helper of mount(8) is a script.
mkdir "$T/bin" "$T/sbin"
cp "$BUILD/cmd/spfsd" "$T/bin"
cp "$BUILD/cmd/mount.fuse.spfs" "$T/sbin"
for fds in 0 1 2 '0 1 2'; do
	without "$fds" "$T/sbin/mount.fuse.spfs" label "$M" -o "log=$LOG" || fail "mount.fuse.spfs: status $? without $fds"
	[ "$(findmnt -no SOURCE "$M")" = label ] || fail "the mount's source: $(findmnt -no SOURCE "$M")"
	DAEMON=$(find_daemon)
	serves '0 1 2'
	spfs_unmount
	logged
done

# spfs says nothing to whom it is not for, and passes nothing of its own in place of what its caller does not have.
spfs_mount
mkfifo "$M/a"
refuse 'output: Bad file descriptor' without 1 spfs ls "$M"
without 0 spfs ls "$M" | grep -q a || fail "spfs ls without standard input"
without '0 2' spfs ls "$M" | grep -q a || fail "spfs ls without standard error"
for way in sink source; do
	for fd in 0 3 4 5; do
		refuse "descriptor $fd: Bad file descriptor" without "$fd" spfs $way "$M/a" --fd $fd
	done
	refuse 'descriptor 0: Bad file descriptor' without '0 1' spfs $way "$M/a" --fd 0
done
[ "$(spfs ports --json "$M/a" | jq length)" = 0 ] || fail "there is a port: $(spfs ports "$M/a")"
finish
