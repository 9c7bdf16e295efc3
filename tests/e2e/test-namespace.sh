# Names, folders, attributes.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"

mkdir -p a/b/c
mkfifo a/b/c/x
refuse 'not empty' rmdir a/b
[ "$(stat -c %h a)" = 3 ] || fail "a folder's nlink"
mv a/b/c/x a/x
rmdir a/b/c
mv a/b d
rmdir d
[ "$(find . -mindepth 1 | sort | tr '\n' ' ')" = './a ./a/x ' ] || fail "find: $(find .)"

# rename
mkfifo p q
ino=$(stat -c %i p)
mv p q
[ "$(stat -c %i q)" = "$ino" ] && [ ! -e p ] || fail "rename over a name"
python3 - << 'PY'
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def rename(old, new, flags):
    return 0 if libc.renameat2(-100, old, -100, new, flags) == 0 else ctypes.get_errno()
os.mkfifo("r")
assert rename(b"q", b"r", 1) == errno.EEXIST
assert rename(b"q", b"s", 1) == 0
ino = os.stat("r").st_ino
assert rename(b"s", b"r", 2) == 0
assert os.stat("s").st_ino == ino
assert rename(b"s", b"r", 4) == errno.EINVAL
assert rename(b"s", b".spfs", 2) == errno.EPERM
assert rename(b"s", b"q", 0) == 0
os.mkdir("dir"); os.mkdir("other")
for old, new, want in ((b"q", b"dir", errno.EISDIR), (b"dir", b"q", errno.ENOTDIR)):
    got = rename(old, new, 0)
    assert got == want, (old, new, got)
assert rename(b"dir", b"other", 0) == 0
os.rmdir("other")
PY

# attributes
ln q q2
[ "$(stat -c '%h' q) $(stat -c '%h' q2)" = '2 2' ] && [ q -ef q2 ] || fail "nlink"
chmod 640 r
[ "$(stat -c %a r)" = 640 ] || fail chmod
touch -d '2001-02-03 04:05:06.789' r
[ "$(date -r r '+%F %T.%3N')" = '2001-02-03 04:05:06.789' ] || fail "times"
if is_root; then
	chown 65534:65534 r
	[ "$(stat -c %u:%g r)" = 65534:65534 ] || fail chown
fi
stat -f . > /dev/null
df . > /dev/null
long=$(printf '%0255d' 0)
mkfifo "$long"
rm "$long"
refuse 'too long' mkfifo "${long}0"
odd=$'new\nline and \xc3\xa9'
mkfifo "$odd"
ln "$odd" "$odd 2"
spfs stat "$M" > /dev/null
rm "$odd" "$odd 2"

# what a channel is not
refuse 'not permitted' ln -s q symbolic
log_has 'symlink symbolic'
refuse 'not permitted' python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
log_has 'mknod sock'
if is_root; then refuse 'not permitted' mknod dev c 1 3; fi
rm -r ./*
[ -z "$(ls -A)" ] || fail "not empty: $(ls -A)"

# 100,000 channels
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON/status"; }
mkdir many
before=$(rss)
echo "RSS of the daemon before: $before KiB"
python3 - << 'PY'
import os
for i in range(100000):
    os.mkfifo("many/channel-%d" % i)
assert len(os.listdir("many")) == 100000
PY
echo "RSS with 100,000 channels: $(rss) KiB"
# What their statistics took while they were made, for this test or for a look at every mount, goes back to the system.
cat .spfs/stats.json > /dev/null
few_kib() { [ $(($(rss) - before)) -lt 200000 ]; }
if ! sanitized; then
	[ $before -lt 12288 ] || fail "more than 12 MiB at the start"
	wait_until 30 few_kib || fail "more than 2 KiB a channel: $(rss) KiB"
fi
# To look on in a large folder takes no longer than in a small one.
mkdir few
(cd few && for i in $(seq 100); do echo $i; done | xargs mkfifo)
ticks() { awk '{ print $14 + $15 }' "/proc/$DAEMON/stat"; }
seeks() { # what 5000 of them cost the daemon
	local before
	before=$(ticks)
	python3 - "$1" "$2" << 'PY'
import ctypes, random, sys
libc = ctypes.CDLL(None)
libc.opendir.restype = ctypes.c_void_p
d = ctypes.c_void_p(libc.opendir(sys.argv[1].encode()))
random.seed(1)
for _ in range(5000):
    libc.seekdir(d, ctypes.c_long(random.randrange(3, int(sys.argv[2]))))
    assert libc.readdir(d)
PY
	echo $(($(ticks) - before))
}
python3 -c 'import os
with os.scandir("few") as d: next(d)'
# (what another test's look at every mount costs it meanwhile is none of that)
seeks_are_fast() {
	small=$(seeks few 50)
	large=$(seeks many 100000)
	echo "5000 seeks: $small ticks with 100 names, $large with 100,000"
	[ $large -lt $((10 * small + 50)) ]
}
sanitized || wait_until 60 seeks_are_fast
rm -r few many
[ -z "$(ls)" ] || fail "not empty"

cd /
finish
