# Sourced after harness.sh, by tests that have a file system at $T/h whose pages do not come (hanging-file.c).
hanging=
hanging_begin() {
	mkdir -p "$T/h"
	rm -f "$T/hanging" # what the last one said
	hanging-file "$T/h" > "$T/hanging" & hanging=$!
	wait_until 20 grep -q mounted "$T/hanging"
}

# Until its pages come to an error: whoever waits for one goes on. Its folder goes first, else who goes on with an opening might
# make a file in it. With nobody in it the file system is gone with its mount.
hanging_fail() {
	local device
	device=$(awk -v at="$T/h" '$5 == at { print $3 }' /proc/self/mountinfo)
	umount -l "$T/h"
	rmdir "$T/h"
	{ echo 1 > "/sys/fs/fuse/connections/${device#*:}/abort"; } 2> /dev/null || true
	wait "$hanging" || true
	hanging=
}

# Whether a thread of the process waits in the kernel for a lock or a page.
waits() { grep -qs '^[0-9]* ([^)]*) D ' "/proc/$1/task/"*/stat; }

# holds PID: it has said "now" in $T/holder, and waits for its page, with the lock
holds() { grep -q now "$T/holder" && { waits "$1" || grep -q request_wait "/proc/$1/wchan"; }; }

at_end() {
	[ -z "$hanging" ] || kill -9 "$hanging" 2> /dev/null
	umount -l "$T/h" 2> /dev/null
}
