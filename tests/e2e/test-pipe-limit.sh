# A user beyond fs.pipe-user-pages-soft is told of that, and not of descriptors alone.
ANY_USER=1
. "$(dirname "$0")/harness.sh"
need_root "to be a user with pipes of his own"
programs_for_all "$BUILD"/cmd/spfs{,d}
chmod 1777 "$T"
# A user of this run's own: the pages are counted for all that he runs.
user=$((20000 + $$ % 40000))
(cat /etc/passwd; echo "spfs-pipes:x:$user:$user::/:/bin/sh") > "$T/passwd"
mount --bind "$T/passwd" /etc/passwd # fusermount3 asks for its name
as() { setpriv --reuid=$user --regid=65534 --clear-groups "$@"; }
chown $user "$M"

# So many pages are promised, and none is used.
mkfifo -m 666 "$T/held"
setpriv --reuid=$user --regid=65534 --clear-groups /usr/bin/python3 - "$T/held" << 'PY' &
import fcntl, os, sys, time
F_SETPIPE_SZ = 1031
held = []
try:
    while len(held) < 300:
        held.append(os.pipe())
        fcntl.fcntl(held[-1][1], F_SETPIPE_SZ, 1 << 20)
except PermissionError:
    pass
os.close(os.open(sys.argv[1], os.O_WRONLY))
time.sleep(600)
PY
holder=$!
timeout 20 cat "$T/held"
as bash -c "ulimit -n 256 && exec spfsd -o log='$LOG' '$M'"
DAEMON=$(find_daemon)
mounted || fail "not mounted"
as mkfifo "$M/a"
as ln "$M/a" "$M/t"
as spfs set "$M/t" depth=256M
as timeout 60 sh -c "head -c 20000000 /dev/zero > '$M/a'" &
writer=$!
wait_until 30 grep -q 'a pipe holds 8192 bytes instead of 1048576: user .* has used up fs.pipe-user-pages-soft' "$LOG"
limit=$(sysctl -n fs.pipe-user-pages-soft)
wait_until 30 grep -q "/a: .*: Too many open files, for fs.pipe-user-pages-soft is used up ($limit pages)" "$LOG"
log_has "a pipe holds 8192 bytes instead of 1048576: user .* has used up fs.pipe-user-pages-soft ($limit pages"
# Nothing is lost by it.
[ "$(as timeout 60 cat "$M/t" | wc -c)" = 20000000 ] || fail "bytes are lost"
wait $writer
kill $holder
wait $holder || true
# (not by umount(8): a thread sanitizer's thread keeps a user's daemon from a view of its own, so that it is busy)
kill "$DAEMON"
wait_until 30 gone "$DAEMON"
DAEMON=
finish
