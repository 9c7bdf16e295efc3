# A daemon that has no memory is told of, and what the others have is listed.
. "$(dirname "$0")/harness.sh"
sanitized && exit 77 # has a calloc(3) of its own
spfs_mount
name=among-others-$$
mkfifo "$M/$name"
mkdir "$T/poor"
NO_MEMORY=$T/none LD_PRELOAD="$BUILD/tests/e2e/libno-memory.so" spfsd -f -o log="$LOG.poor" "$T/poor" & poor=$!
at_end() { ! mountpoint -q "$T/poor" || umount -l "$T/poor" 2> /dev/null || fusermount3 -uz "$T/poor"; }
wait_until 30 mountpoint -q "$T/poor"
: > "$T/none"
for c in "ls -i 0" stat ports "top -b -n 1"; do
	spfs $c > "$T/out" 2> "$T/err" || true
	[ "$c" = ports ] || grep -q "$name" "$T/out" || fail "$c: the others are not listed: $(cat "$T/out" "$T/err")"
	case $c in
	top*) ;; # (says what it cannot look at where there is but one)
	*) grep -qF "$T/poor: Cannot allocate memory" "$T/err" || fail "$c: $(cat "$T/err")" ;;
	esac
done
rm "$T/none"
leave() { umount "$T/poor" || fusermount3 -u "$T/poor"; }
wait_until 30 leave # (another test's spfs may look at it just now)
wait "$poor" || fail "ended with $?"
finish
