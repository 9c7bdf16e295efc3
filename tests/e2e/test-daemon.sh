# The daemon's start and end.
. "$(dirname "$0")/harness.sh"

spfsd -h | grep -q 'usage: spfsd' || fail "-h"
spfsd -V | grep -q '^spfsd [0-9]' || fail "-V"
refuse 'where to' spfsd
refuse 'too much' spfsd a b
refuse 'No such file' spfsd "$T/missing"
touch "$T/file"
refuse 'Not a directory' spfsd "$T/file"
refuse 'workers' spfsd -o workers=0 "$M"
refuse 'unknown option' spfsd -o no_such_option "$M"
! mounted || fail "an option mistake left a mount"

spfs_mount
stat "$M" > /dev/null
refuse 'serves this mount point already' spfsd "$M"
[ "$(spfsd "$M" 2>&1 | wc -l)" = 1 ] || fail "more than one line"

# Every way to end it, idle and while a tap holds data.
end_by() {
	"$@"
	wait_until 30 gone "$DAEMON"
	! mounted || fail "mounted after: $*"
	DAEMON=
}
for how in umount 'fusermount3 -u' TERM INT; do
	for state in idle holding; do
		[ -n "$DAEMON" ] || spfs_mount
		if [ $state = holding ]; then
			mkfifo "$M/a"
			ln "$M/a" "$M/r"
			timeout 30 sh -c "echo kept > $M/a"
			wait_until 20 sh -c "spfs stat --json $M/a | grep -q '\"waiting\": 5'"
		fi
		case $how in
		TERM | INT) end_by kill -s $how "$DAEMON" ;;
		*) end_by wait_until 30 $how "$M" ;; # (as umount_it)
		esac
	done
done

# A stream under way when the mount goes: everybody is let go.
spfs_mount
mkfifo "$M/a"
ln "$M/a" "$M/r"
timeout 60 cat "$M/r" > /dev/null &
reader=$!
timeout 60 sh -c "cat /dev/zero > $M/a" 2> /dev/null &
writer=$!
timeout 60 sh -c "cat /dev/zero > $M/created" 2> /dev/null &
parked=$!
wait_until 20 sh -c "[ \$(spfs stat --json $M/a | jq .bytes_in) -gt 1000000 ]"
wait_until 20 [ -e "$M/created" ] # later, it would be made in the folder below
end_by kill "$DAEMON"
for p in $reader $writer $parked; do
	wait $p && continue
	[ $? -ne 124 ] || fail "a user's process was left waiting"
done

# Killed: who has a pipe open gets what is in it; the next daemon cleans up.
spfs_mount
mkfifo "$M/a"
ln "$M/a" "$M/r"
timeout 30 sh -c "echo kept > $M/a"
wait_until 20 sh -c "spfs stat --json $M/a | grep -q '\"waiting\": 5'"
exec 5< "$M/r"
wait_until 20 sh -c "spfs stat --json $M/a | grep -q '\"bytes_out\": 5'"
kill -9 "$DAEMON"
wait_until 20 gone "$DAEMON"
# (not by cat, which asks the dead file system about its descriptor first)
read -r -t 10 -u 5 line && [ "$line" = kept ] || fail "the pipe lost its bytes"
exec 5<&-
refuse 'not connected' ls "$M"
for c in get quota reload watch graph ls stat ports; do
	refuse 'the daemon has ended' spfs $c "$M"
done
spfs_mount
log_has 'cleaning up'
[ -z "$(ls "$M")" ] || fail "not empty"
mkfifo "$M/b"

finish
