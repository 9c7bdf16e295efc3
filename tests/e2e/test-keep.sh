# keep=1: a channel stays when its origin is removed, and who makes that name again writes to its taps.
. "$(dirname "$0")/harness.sh"
programs_for_all "$BUILD"/cmd/spfs{,d}
printf '[channel declared]\nmode = 0666\nowner = root\n[tap declared.tap]\nchannel = declared\n' > "$T/conf"
is_root || sed -i "s/^owner = root/owner = $(id -un)/" "$T/conf"
spfs_mount -c "$T/conf"
cd "$M"
said() { timeout 20 sh -c "echo $2 > $1"; }
reads() { [ "$(timeout 20 cat "$1")" = "$2" ] || fail "$1 has not '$2'"; }

# Without it the taps are at their end for ever.
mkfifo c
ln c r
rm c
mkfifo c
said c lost & writer=$!
[ -z "$(timeout 20 cat r)" ] || fail "it was not kept"
timeout 20 cat c > /dev/null
wait $writer
rm c r

# However the name comes back: with its taps, settings, mode and number.
mkfifo -m 640 c
ln c r
mkdir dir
ln c dir/r2
spfs set c keep=1 replay=64K
[ "$(getfattr --only-values -n spfs.keep c)" = 1 ] || fail "the setting"
ino=$(stat -c %i c)
again() {
	[ "$(stat -c %i c)" = "$ino" ] || fail "$1: not the channel that was"
	[ "$(stat -c '%a %h' r)" = '440 3' ] || fail "$1: $(stat -c '%a %h' r)"
	[ "$(getfattr --only-values -n spfs.replay c)" = 65536 ] || fail "$1: its settings"
	said c "$1"
	reads r "$1"
	reads dir/r2 "$1"
	ln c late
	[ "$(timeout 20 tail -n 1 late)" = "$1" ] || fail "$1: its replay"
	rm late
}
for how in 'mkfifo c' 'touch c' 'echo by.handle > c' 'python3 -c "import os; os.mknod(\"c\", 0o100600)"' \
	'mkfifo other; mv other c' 'mkfifo other; mv dir/../other ./c'; do
	rm c
	[ ! -e c ] || fail "it is there"
	[ "$(stat -c %h r)" = 2 ] || fail "a link too many"
	eval "$how"
	[ "$how" != 'echo by.handle > c' ] || { reads r by.handle; reads dir/r2 by.handle; }
	again "${how//[^a-z]/-}"
done
mkfifo other # onto the origin itself
mv other c
again onto
refuse 'File exists' mkfifo c
[ "$(spfs stat --json c | jq -r .channel)" = /c ] || fail "$(spfs stat --json c)"

# Who writes meanwhile finishes, and the next one follows; a reader sees the ends between them.
exec 4> c
echo one >&4
rm c
echo two >&4
[ "$(getfattr --only-values -n spfs.tee r)" = /c ] || fail "the way back: $(getfattr -n spfs.tee r)"
ln r more # a kept channel takes taps
exec 4>&-
reads r $'one\ntwo'
(timeout 20 cat r > "$T/next") & reader=$!
mkfifo c
said c three
wait $reader
[ "$(cat "$T/next")" = three ] || fail "the next stream: $(cat "$T/next")"
reads dir/r2 $'one\ntwo\nthree'
rm more

# A program that makes its FIFO anew each time, and is killed.
for i in 1 2 3 4 5; do
	(timeout 30 bash -c "rm -f c; mkfifo c; exec 5> c; echo $i >&5; kill -9 \$\$" || :) 2> /dev/null
	reads r $i
	reads dir/r2 $i
done

# Its ends: all taps gone; keep=0; its folder.
rm c r
rm dir/r2
mkfifo c
[ "$(stat -c %i c)" != "$ino" ] || fail "kept without taps"
ln c r
spfs set c keep=1
spfs set c keep=0
rm c
mkfifo c
[ -z "$(timeout 20 cat r)" ] || fail "kept, though it was not to be"
rm c r
mkfifo dir/c
ln dir/c r
spfs set dir/c keep=1
rm dir/c
rmdir dir
[ -z "$(timeout 20 cat r)" ] || fail "kept, though its folder is gone"
rm r

# A rename takes the channel along, and only who has no taps of his own gives way.
mkfifo c
ln c r
spfs set c keep=1
mv c d
mkfifo c
[ "$(stat -c %h c)" = 1 ] || fail "it has left"
rm c
said d moved
reads r moved
mv d c
rm c
mkfifo own
ln own own.r
mv own c
[ "$(stat -c %h c)" = 2 ] || fail "its own taps"
said c own
reads own.r own
rm c # the place is not free for that one: it is gone, and the other channel is still kept
mkfifo c
said c kept
reads r kept
rm c r own.r

# Messages.
mkfifo c
ln c r
spfs set c packets=1 keep=1
rm c
touch c
[ "$(stat -c %F c)" != fifo ] || fail "messages no more"
said c message
reads r message
rm c r

# Declared channels always; also for a reload.
rm declared
[ ! -e declared ] || fail "declared is there"
mkfifo declared
said declared again
reads declared.tap again
[ "$(stat -c %a declared.tap)" = 444 ] || fail "a declared mode"
rm declared
spfs reload . | grep -q 'declared is there again' || fail "a reload"
said declared reloaded
reads declared.tap reloaded
rm declared.tap declared
mkfifo declared
[ "$(stat -c %a declared)" = 666 ] || fail "a declared channel is kept without taps, too"

# Who may have it.
if is_root; then
	chmod 777 .
	bob() { as_user "$@"; }
	alice() { setpriv --reuid=65533 --regid=65533 --clear-groups "$@"; }
	alice mkfifo -m 622 c
	alice ln c r
	refuse 'keep: only' bob spfs set c keep=1
	alice spfs set c keep=1
	bob rm c
	bob sh -c 'umask 0; mkfifo c' # who may write it
	[ "$(stat -c '%u %h' c)" = '65533 2' ] || fail "$(stat -c '%u %h' c)"
	alice chmod 644 c
	alice chmod 600 c
	bob rm c
	bob sh -c 'umask 0; mkfifo c'
	[ "$(stat -c '%u %h' c)" = '65534 1' ] || fail "another's: $(stat -c '%u %h' c)"
	log_has 'is kept for the taps of user 65533'
	refuse 'File exists' alice mkfifo c
	bob rm c
	alice mkfifo c
	[ "$(stat -c '%u %h' c)" = '65533 2' ] || fail "alice has it back: $(stat -c '%u %h' c)"
	rm c r
fi

# Nothing of it is left, and an unmount with kept channels is one as any other.
come_and_go() {
	mkfifo c
	ln c r
	spfs set c keep=1
	rm c
	mkfifo c
	rm c r
}
for i in 1 2 3 4; do come_and_go; done # (workers come)
fds=$(daemon_fds)
for i in $(seq 20); do come_and_go; done
wait_until 30 daemon_fds_at_most $((fds + 4))
mkfifo c
ln c r
spfs set c keep=1
rm c
cd /
finish
