# With auto_unmount the mount goes with a daemon that is killed, and nothing else does.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
programs_for_all "$BUILD"/cmd/spfs{,d}
not_mounted() { ! mounted; }
end() { # end HOW
	kill "-$1" "$DAEMON"
	wait_until 20 gone "$DAEMON"
	DAEMON=
}
users=self
! is_root || users='self other'
for user in $users; do
	if [ $user = other ]; then
		chown 65534:65534 "$M"
		as_user touch "$T/log2" 2> /dev/null || { touch "$T/log2"; chown 65534 "$T/log2"; }
		LOG=$T/log2
	fi
	begin() {
		if [ $user = other ]; then as_user spfsd -o log="$LOG" "$@" "$M"; else spfsd -o log="$LOG" "$@" "$M"; fi
		DAEMON=$(find_daemon)
		mounted || fail "not mounted"
	}
	begin -o auto_unmount
	end KILL
	wait_until 20 not_mounted
	[ -d "$M" ] || fail "a dead mount"
	wait_until 20 no_daemon
	# Held open, it goes all the same.
	begin -o auto_unmount
	[ $user = other ] || exec 5< "$M"
	end KILL
	wait_until 20 not_mounted
	exec 5<&-
	# The ends that are no crash are as ever.
	begin -o auto_unmount
	end TERM
	! mounted || fail "mounted after SIGTERM"
	wait_until 20 no_daemon
	begin -o auto_unmount
	if [ $user = other ]; then as_user fusermount3 -uz "$M"; else fusermount3 -uz "$M" || umount "$M"; fi
	wait_until 20 gone "$DAEMON"
	DAEMON=
	wait_until 20 no_daemon
	# Without it the mount stays, and the next daemon cleans up.
	begin
	end KILL
	sleep .5
	mounted || fail "gone without auto_unmount"
	begin -o auto_unmount
	end KILL
	wait_until 20 not_mounted
done
# What is mounted over it, or took its place, is not its own.
if is_root; then
	spfs_mount -o auto_unmount
	mount -t tmpfs none "$M"
	touch "$M/there"
	end KILL
	wait_until 20 no_daemon
	[ -e "$M/there" ] || fail "what was mounted over it has gone"
	umount_it
	umount_it
	spfs_mount -o auto_unmount
	kill -STOP "$DAEMON"
	umount -l "$M"
	mount -t tmpfs none "$M"
	touch "$M/there"
	end KILL
	wait_until 20 no_daemon
	[ -e "$M/there" ] || fail "what took its place has gone"
	umount_it
fi
finish
