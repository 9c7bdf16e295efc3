# ENOSYS as an answer would make the kernel think that the daemon does not know such requests at all: what a user's program or
# file system says is none for the mount.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
. "$HERE/hanging.sh"
need_root "to take a file system away"
programs_for_all "$BUILD/tests/e2e/hanging-file"
mkdir -m 755 "$T/programs"
printf '#!/bin/sh\necho "error ENOSYS it says" >&3\nexec sleep 1000\n' > "$T/programs/spfs-port-say"
chmod 755 "$T/programs/spfs-port-say"
hanging_begin
spfs_mount -o programs="$T/programs"
cd "$M"
mkfifo c
for uri in say:x "file:$T/h/enosys"; do
	refuse "Operation not supported" setfattr -n spfs.sink -v "$uri" c
	source_of c "file:/dev/null" || fail "after $uri nothing can be attached"
	wait_until 20 state c "$(ports c | jq 'map(.id) | max')" done
done
log_has "it says"
cd /
hanging_fail
finish
