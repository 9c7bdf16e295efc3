# Sourced by every end-to-end test: a mount of its own, and a look at what is left behind.
#
#   $M the mount point, $T a scratch folder, $LOG the daemon's log, $DAEMON its pid
#
# A test ends with `finish`; it fails at the first command that fails, at a sanitizer's word in the
# log, and where the daemon leaves a mount, a process or a descriptor. Where it is nothing without root's rights it says
# need_root, and is skipped for others; where a part of it is, it asks is_root. Tests with one of these two words have the
# label `root`, and scripts/test runs them by sudo as well.
#
# One that sets ANY_USER first has, as root, a mount namespace of its own in which every user may use /dev/fuse.
set -Eeuo pipefail

is_root() { [ "$(id -u)" = 0 ]; }
as_user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

if [ -n "${ANY_USER:-}" ] && [ -z "${SPFS_NAMESPACE:-}" ] && is_root; then
	SPFS_NAMESPACE=1 exec unshare -m --propagation private bash "$0" "$@"
fi
trap 'echo "FAIL: line $LINENO: $BASH_COMMAND" >&2' ERR

[ -e /dev/fuse ] || { echo "FAIL: there is no /dev/fuse here" >&2; exit 1; }

BUILD=${SPFS_BUILD:?}
HERE=$(cd "$(dirname "$0")" && pwd)
PATH=$BUILD/cmd:$PATH
T=$(mktemp -d "${TMPDIR:-/tmp}/spfs-test.XXXXXX")
chmod 755 "$T"
if is_root && ! as_user test -x "$T"; then # the folder for temporary files is root's alone
	rmdir "$T"
	T=$(mktemp -d /tmp/spfs-test.XXXXXX)
	chmod 755 "$T"
fi
M=$T/m
LOG=$T/log
DAEMON=
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:log_path=$T/sanitizer TSAN_OPTIONS=${TSAN_OPTIONS:-}:log_path=$T/sanitizer
export UBSAN_OPTIONS=print_stacktrace=1:log_path=$T/sanitizer
export PYTHONDONTWRITEBYTECODE=1 # beside the tests, and perhaps as root
mkdir "$M"

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# ctest is told so by the status (SKIP_RETURN_CODE)
skip() {
	echo "skipped: $*"
	exit 77
}

need_root() { is_root || skip "needs root: $*"; }

# programs_for_all FILE...: copies that every user may run, first in PATH; the build's own folder may be root's alone.
programs_for_all() {
	mkdir -p "$T/bin"
	cp "$@" "$T/bin"
	chmod -R go+rX "$T/bin"
	PATH=$T/bin:${PATH#"$T/bin:"}
}

# wait_until SECONDS COMMAND...: until it succeeds. The time is for a machine that has a lot else to do.
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@" 2> /dev/null; do
		[ $SECONDS -lt $end ] || fail "waited in vain for: $*"
		sleep 0.02
	done
}

# A path is there before anybody listens.
socket_listens() { grep -q " 00010000 .* $1\$" /proc/net/unix; } # socket_listens PATH, as who listens has named it
mounted() { grep -q " $M fuse.spfs " /proc/mounts; }
gone() { ! kill -0 "$1" 2> /dev/null || grep -q '^State:.Z' "/proc/$1/status"; }
sanitized() { grep -q "^SPFS_SANITIZE:.*=." "$BUILD/CMakeCache.txt"; }
# (But for what it just looks at in /proc: there it does so for everybody who asks about every mount.)
daemon_fds() { { find "/proc/$DAEMON/fd" -type l ! -lname '/proc*' 2> /dev/null || :; } | wc -l; }
daemon_fds_at_most() { [ "$(daemon_fds)" -le "$1" ]; }

# Every process of this mount's daemon: its arguments end with the mount point. Only an spfsd is asked for
# its arguments: of a process that waits in mmap(2) of a handle they cannot be read (nor by pgrep or ps).
daemons() {
	local p comm
	for p in /proc/[0-9]*; do
		{ read -r comm < "$p/comm"; } 2> /dev/null || continue
		[ "$comm" = spfsd ] || continue
		[ "$(tr '\0' '\n' < "$p/cmdline" 2> /dev/null | tail -n 1)" != "$M" ] || echo "${p#/proc/}"
	done
}

# The one that has threads, unlike the helper that unmounts for an ordinary user.
find_daemon() {
	local p
	for p in $(daemons); do
		if [ "$(ls "/proc/$p/task" 2> /dev/null | wc -l)" -gt 1 ] &&
			[ "$(cat "/proc/$(awk '/^PPid/ { print $2 }' "/proc/$p/status")/comm")" != spfsd ]; then echo "$p"; fi
	done
}

no_daemon() { [ -z "$(daemons)" ]; }

spfs_mount() {
	spfsd -o log="$LOG" "$@" "$M"
	DAEMON=$(find_daemon)
	[ -n "$DAEMON" ] || fail "no daemon"
}

# daemon_threads [KIND]: the daemon's, but for the kernel's own in it (io_uring), or those of a kind (spfsd.8). Most come
# and go: who compares the number of all compares with some that are just about to end.
daemon_threads() { cat "/proc/$DAEMON/task/"*/comm 2> /dev/null | grep -c "^spfsd${1:+-$1}" || :; }
daemon_has() { test "$(daemon_threads "$1")" "${@:2}"; } # daemon_has open -le 7

# make_workers [FOLDER COMMAND...]: all that the daemon's own user may have, or that of the user whom COMMAND makes, who may
# write FOLDER: for who counts threads or descriptors. Else they come when they are needed; and they stay a while.
make_workers() {
	local i fds dir=${1:-$M}
	shift || :
	for i in 1 2 3 4; do
		"$@" mkfifo -m 600 "$dir/.private$i"
		"$@" mkfifo -m 644 "$dir/.public$i"
		"$@" ln "$dir/.private$i" "$dir/.private$i.tap"
		"$@" ln "$dir/.public$i" "$dir/.public$i.tap"
	done
	"$@" rm "$dir"/.private* "$dir"/.public*
	until fds=$(daemon_fds); sleep 0.1; [ "$fds" = "$(daemon_fds)" ]; do :; done
}

# (another test's spfs may look at every mount just now)
umount_it() { wait_until 30 umount "$M"; }

spfs_unmount() {
	umount_it
	wait_until 30 gone "$DAEMON"
	DAEMON=
}

same() {
	local first=$1
	shift
	for f in "$@"; do cmp "$first" "$f" || fail "$f differs from $first"; done
}

# refuse TEXT COMMAND...: it must fail, and say TEXT
refuse() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then fail "went well: $*"; fi
	grep -q "$text" <<< "$out" || fail "$*: '$out' does not say '$text'"
}

# Soon: what is done may be seen before the line that says so.
log_has() {
	local end=$((SECONDS + 20))
	until grep -q -- "$1" "$LOG"; do
		[ $SECONDS -lt $end ] || fail "the log does not say '$1'"
		sleep 0.02
	done
}

# What was said is in the log: the thread that writes it, which is woken by each line, sleeps.
log_written() {
	local task
	for task in "/proc/$DAEMON/task/"*; do
		[ "$(cat "$task/comm" 2> /dev/null)" != spfsd-log ] || wait_until 20 grep -q '^State:.S' "$task/status"
	done
}

# under_load start|end ROUNDS: of load.py, with 1 and 4 workers, by root where this is root's, and by an ordinary user.
# ROUNDS and SEED come from the environment as well, for a longer look.
under_load() {
	local users workers user
	users=$(id -u)
	! sanitized || export SANITIZED=1
	if is_root; then
		users='0 65534'
		programs_for_all "$BUILD"/cmd/spfs{,d}
		chmod 1777 "$T"
	fi
	for user in $users; do
		for workers in 1 4; do
			/usr/bin/python3 "$HERE/load.py" "$1" "$T" "$2" $workers $user || fail "the $1 under load"
		done
	done
	rm -rf "$M"
	mkdir "$M"
}

# hold_until_told COMMAND...: it goes on until its input ends; the line that it has said first is in $REPLY
hold_until_told() {
	coproc HOLDER { "$@"; }
	read -r -u "${HOLDER[0]}" || fail "no answer: $*"
	eval "exec 9>&${HOLDER[1]}"
}
# Ends that, and returns its status.
tell_holder() {
	local pid=$HOLDER_PID
	exec 9>&-
	eval "exec ${HOLDER[1]}>&-"
	wait "$pid"
}

# A process and all that came from it.
family() {
	local child
	local -a children
	read -rd '' -a children < <(cat "/proc/$1/task/"*/children 2> /dev/null) || :
	for child in "${children[@]}"; do family "$child"; done
	echo "$1"
}

# What the daemon is at, for whoever has to find out why a test failed: what it dumps goes to its log.
tell_daemon() {
	local task
	[ -n "$DAEMON" ] && [ -e "/proc/$DAEMON/fd" ] || return
	kill -USR1 "$DAEMON"
	sleep 0.5
	echo "--- threads of the daemon"
	for task in "/proc/$DAEMON/task/"*; do echo "$(cat "$task/comm") $(cat "$task/wchan")"; done | sort | uniq -c
	echo "--- its descriptors"
	find "/proc/$DAEMON/fd" -type l -printf '%f %l\n' | sort -n | head -n 100
}

cleanup() {
	local status=$?
	trap - EXIT ERR
	set +e
	[ $status = 0 ] || [ $status = 77 ] || tell_daemon >&2 2> /dev/null
	! declare -F at_end > /dev/null || at_end # what a test itself has to take away, however it ends
	for p in $(jobs -p); do kill -9 $(family $p) 2> /dev/null; done
	[ -n "$DAEMON" ] && kill -9 "$DAEMON" 2> /dev/null
	mounted && umount -l "$M"
	if [ $status -ne 0 ] && [ $status -ne 77 ] && [ -e "$LOG" ]; then
		echo "--- log" >&2
		cat "$LOG" >&2
	fi
	if compgen -G "$T/sanitizer*" > /dev/null; then
		cat "$T"/sanitizer* >&2
		status=1
	fi
	rm -rf "$T"
	exit $status
}
trap cleanup EXIT

if [ -n "${SPFS_NAMESPACE:-}" ]; then
	mknod -m 666 "$T/fuse" c 10 229
	mount --bind "$T/fuse" /dev/fuse
fi

# The last line of a test: the daemon goes, and nothing is left.
finish() {
	[ -z "$DAEMON" ] || spfs_unmount
	! mounted || fail "a mount is left"
	wait_until 20 no_daemon
	echo ok
}
