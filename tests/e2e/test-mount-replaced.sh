# What is mounted in the daemon's place is not taken for its own mount, though the kernel gives it the same number.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
need_root "to mount"

id_of() { awk -v p="$M" '$5 == p { id = $1 } END { print id }' /proc/self/mountinfo; }
reused=0
for what in tmpfs spfs; do
	for i in $(seq 8); do
		spfs_mount
		old=$DAEMON
		id=$(id_of)
		kill -STOP "$old" # it looks at the table only when the other is there
		umount -l "$M"
		if [ $what = tmpfs ]; then mount -t tmpfs none "$M"; else spfsd -o log="$T/other" "$M"; fi
		[ "$(id_of)" != "$id" ] || reused=$((reused + 1))
		if [ $what = tmpfs ]; then touch "$M/there"; else mkfifo "$M/there"; fi
		kill -CONT "$old"
		if [ $((i % 2)) = 0 ]; then kill "$old" 2> /dev/null || gone "$old"; fi
		wait_until 30 gone "$old"
		[ -e "$M/there" ] || fail "the other one's mount has gone"
		umount_it
		DAEMON=
		wait_until 20 no_daemon
	done
done
[ $reused -gt 0 ] || echo "the kernel gave no number twice: this was no test"

# Mounted over it: that stays, and what is below is as the log says.
spfs_mount
mount -t tmpfs none "$M"
touch "$M/there"
kill "$DAEMON"
wait_until 20 gone "$DAEMON"
DAEMON=
[ -e "$M/there" ] || fail "what was mounted over it has gone"
log_has 'something else is mounted over it'
umount_it
umount_it
finish
