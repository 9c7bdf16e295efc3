# Programs that open the origin for reading too, to be spared EPIPE (readers=allow): mpd's fifo output, rsyslog's ompipe,
# exec 3<>. What they really read is counted in the taps, and nothing else.
. "$(dirname "$0")/harness.sh"
programs_for_all "$BUILD"/cmd/spfs{,d}
spfs_mount
cd "$M"
# The modes are for who is not root, so that is who opens.
if is_root; then
	chmod 777 "$M"
	chmod 777 "$T"
	as() { as_user "$@"; }
else
	as() { "$@"; }
fi
stat_of() { spfs stat --json "$1" | jq -r "$2"; }
stat_is() { [ "$(stat_of "$1" "$2")" = "$3" ]; }

# By default the origin is for writers alone, and while a channel has no taps for readers as well.
umask 022
as mkfifo c
as ln c r
as ln c r2
[ "$(getfattr --only-values -n spfs.readers c)" = deny ] || fail "the default"
refuse 'ermission denied' as timeout 20 bash -c 'exec 3<> c'
refuse 'not deny or allow' as spfs set c readers=some
refuse 'belongs to' as spfs set r readers=allow
refuse 'Invalid argument' setfattr -n spfs.readers -v allow .
as spfs set c readers=allow
[ "$(stat -c %a c)" = 644 ] || fail "allowed: $(stat -c %a c)"
as spfs set c readers=deny
[ "$(stat -c %a c)" = 200 ] || fail "denied again: $(stat -c %a c)"
as setfattr -n spfs.readers -v allow c
jq -e '.. | objects | select(.channel? == "/c") | .settings.readers == "allow"' .spfs/stats.json > /dev/null

# Who opens it so and reads nothing takes nothing, and is nobody to be told of.
as mkfifo go
timeout 60 cat r > "$T/r" & reader=$!
as timeout 60 bash -c 'exec 3<> c; for i in 1 2 3; do echo $i >&3; done; read -t 20 < go' & writer=$!
wait_until 20 stat_is c '.taps[1].waiting' 6
wait_until 20 stat_is c '.readers' 1
stat_is c .foreign_readers 0 || fail "a foreign reader"
spfs stat c | grep -q FOREIGN && fail "$(spfs stat c)"
timeout 20 sh -c 'echo > go'
wait $writer $reader
[ "$(cat "$T/r")" = $'1\n2\n3' ] || fail "a tap: $(cat "$T/r")"
[ "$(timeout 20 cat r2)" = $'1\n2\n3' ] || fail "the other tap"
[ "$(stat_of c '[.taps[].lost] | add')" = 0 ] || fail "$(spfs stat c)"
log_written
! grep -q 'beside its taps' "$LOG" || fail "it was told of"

# What is read there is missing in every tap. One is full, so what comes then waits to be seen.
spfs set r depth=0 size=4K
spfs set r2 depth=64M policy=drop-new
as mkfifo go-4096 go-300000 # (a reader who comes while the last writer is still leaving sees the end)
as timeout 60 bash -c 'exec 3<> c; for n in 4096 300000; do head -c $n /dev/zero >&3; read -t 20 < go-$n; done' & writer=$!
wait_until 20 stat_is c .bytes_in 4102
timeout 20 sh -c 'echo > go-4096'
wait_until 20 stat_is c .waiting 300000
sleep 0.1 # (the daemon looks each 20 ms: of two answers later than that one is later than a look)
for i in 1 2; do stat_is c .waiting 300000 || fail "$(spfs stat c)"; done
timeout 20 head -c 10000 c > /dev/null
wait_until 20 stat_is c '.taps[0].lost' 10000
stat_is c '.taps[1].lost' 10000 || fail "lost: $(spfs stat c)"
timeout 20 cat r > "$T/r" & reader=$!
wait_until 20 stat_is c .bytes_in 294102
timeout 20 sh -c 'echo > go-300000'
wait $writer $reader
[ "$(stat -c %s "$T/r")" = 294096 ] || fail "$(stat -c %s "$T/r") bytes"
stat_is c '.taps[0].lost' 10000 || fail "lost: $(spfs stat c)"
as rm c r r2 go*

refuse_writing() {
	refuse 'ermission denied' timeout 20 sh -c "echo x > $1"
	refuse 'ermission denied' timeout 20 sh -c "echo x >> $1"
	refuse 'ermission denied' timeout 20 bash -c "exec 3<> $1"
}

# A tap is written by nobody, root neither, whom no mode stops: with a reader there or without, and nothing gets in.
mkfifo c
ln c r
for reader in no yes; do
	[ $reader = no ] || { timeout 150 cat r > "$T/r" & reader=$!; }
	refuse_writing r
	timeout 60 python3 - << 'PY'
import os, stat
def refused(*how):
    try:
        os.close(os.open(*how))
    except PermissionError:
        return
    assert False, how
for i in range(2000):
    refused("r", os.O_WRONLY | os.O_NONBLOCK)
path = os.open("r", os.O_PATH)
refused("/proc/self/fd/%d" % path, os.O_RDWR)
os.close(os.open("r", os.O_RDONLY | os.O_NONBLOCK)) # reading is as it was, and so is looking
assert stat.S_ISFIFO(os.stat("r").st_mode)
PY
done
timeout 20 sh -c 'echo through the channel > c'
wait $reader
[ "$(cat "$T/r")" = "through the channel" ] || fail "a tap: $(cat "$T/r")"
! is_root || log_has '/r: is a tap'

# So is a broadcast name, each time that it is found anew.
spfs tee c all --each
for reader in no yes; do
	[ $reader = no ] || { timeout 150 cat all > "$T/all" & reader=$!; }
	refuse_writing all
	timeout 60 python3 - << 'PY'
import os, stat, threading, time
def refused(*how):
    try:
        os.close(os.open(*how))
    except PermissionError:
        return
    assert False, how
for i in range(2000):
    refused("all", os.O_RDWR | os.O_NONBLOCK)
    if i % 10 == 0:
        time.sleep(0.003) # (a spare is made meanwhile, or none is there any more)
    if i % 100 == 0:
        os.stat("all")
others = [threading.Thread(target=lambda: [refused("all", os.O_RDWR | os.O_NONBLOCK) for i in range(300)]) for j in range(4)]
for t in others:
    t.start()
for t in others:
    t.join()
path = os.open("all", os.O_PATH)
deadline = time.time() + 4 # (it is let go, and held again)
while time.time() < deadline:
    refused("/proc/self/fd/%d" % path, os.O_RDWR | os.O_NONBLOCK)
os.close(os.open("all", os.O_RDONLY | os.O_NONBLOCK))
assert stat.S_ISFIFO(os.stat("all").st_mode)
PY
done
wait_until 20 stat_is c '.taps[] | select(.each) | .readers' 1
timeout 20 sh -c 'echo through the channel > c'
wait $reader
[ "$(cat "$T/all")" = "through the channel" ] || fail "a broadcast: $(cat "$T/all")"
! is_root || log_has '/all: is a tap'
rm c r all

# By default for a whole mount.
cd /
spfs_unmount
printf '[defaults]\nreaders = allow\n' > "$T/conf"
spfs_mount -c "$T/conf"
cd "$M"
mkfifo c
ln c r
[ "$(stat -c %a r)" = 444 ] || fail "a tap's mode: $(stat -c %a r)"
[ "$(stat -c %a c)" = 644 ] || fail "the mode by default: $(stat -c %a c)"
rm c r

cd /
finish
