#!/bin/bash
# Where there is nothing to look at, spfs says so and ends with 1: no mount, or one whose daemon has been killed.
if [ "$(id -u)" = 0 ] && [ -z "${SPFS_NAMESPACE:-}" ]; then
	# What is done to every mount, such as reopen, is done to no other test's.
	export SPFS_NAMESPACE=1
	exec unshare -m --propagation private bash -c \
		'awk "\$3 == \"fuse.spfs\" { print \$2 }" /proc/mounts | xargs -r umount -l; exec bash "$0"' "$0"
fi
. "$(dirname "$0")/harness.sh"
spfs_mount

fails() { # STATUS TEXT COMMAND...
	local status=0 out
	out=$("${@:3}" 2>&1) || status=$?
	[ $status = "$1" ] || fail "${*:3}: status $status: $out"
	grep -qF -- "$2" <<< "$out" || fail "${*:3}: '$out' does not say '$2'"
}

mkfifo "$M/ch"
kill -9 "$DAEMON"
wait_until 30 gone "$DAEMON"
DAEMON=
for c in "ls -i 0" stat ports reopen "top -b -n 1"; do
	fails 1 "$M: the daemon has ended" spfs $c "$M"
	fails 1 "$M/ch: the daemon has ended" spfs $c "$M/ch"
	case $c in
	top*) ;;
	*) [ "$c" = reopen ] && ! is_root || fails 1 "$M: the daemon has ended" spfs $c ;; # among a user's others, perhaps
	esac
done
fails 1 "$M: the daemon has ended" spfs graph "$M"
fails 1 "$M/ch: the daemon has ended" spfs watch "$M/ch"
umount -l "$M"

for c in "ls -i 0" ls stat "stat --json" ports; do
	fails 1 "not a" spfs $c "$T"
done
if is_root; then
	# (in a namespace of mounts of its own)
	programs_for_all "$BUILD/cmd/spfs"
	for c in "ls -i 0" ls stat "stat --json" ports reopen "top -b -n 1"; do
		fails 1 "there is no mount of spfs" unshare -m bash -c '
			while path=$(awk "/ - fuse.spfs / { print \$5; exit }" /proc/self/mountinfo) && [ -n "$path" ]; do
				umount -l "$(printf "%b" "$path")"
			done
			spfs "$@"' - $c
	done
fi
finish
