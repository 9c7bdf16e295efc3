# A deep tap without a reader: the data waits by reference, in pipes that are all given back.
. "$(dirname "$0")/harness.sh"
need_root "a daemon whose pipes have no limit in all"
spfs_mount
make_workers
cd "$M"
SIZE=$((256 << 20))
truncate -s $SIZE "$T/in"
for at in 0 1 100 200 255; do head -c 5000 /dev/urandom | dd status=none of="$T/in" bs=1M seek=$at conv=notrunc; done
pipes() { (find "/proc/$DAEMON/fd" -lname 'pipe:*' 2> /dev/null || true) | wc -l; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON/status"; }
no_more_than() { [ "$(pipes)" -le "$1" ]; }
waiting() { spfs stat --json c | jq '.taps[0].waiting'; }
is_waiting() { [ "$(waiting)" = "$1" ]; }
mkfifo c
spfs tee c t
spfs set t depth=256M
echo warm > c
[ "$(timeout 20 cat t)" = warm ] || fail "cold"
wait_until 20 sh -c "spfs stat --json c | jq -e '.taps[0].state == \"idle\"' > /dev/null"
before=$(pipes)
fds=$(daemon_fds)
rss=$(rss)
most=8192
! sanitized || most=65536 # of their shadow
timeout 60 cat "$T/in" > c || fail "the writer was held back"
wait_until 20 is_waiting $SIZE
[ $(($(rss) - rss)) -lt $most ] || fail "the daemon has grown by $(($(rss) - rss)) KiB"
[ "$(pipes)" -gt $((before + 200)) ] || fail "not in pipes: $(pipes)"
# Less depth takes nothing away.
spfs set t depth=0
[ "$(waiting)" = $SIZE ] || fail "taken away: $(waiting)"
timeout 60 cat t > "$T/out"
same "$T/in" "$T/out"
wait_until 30 no_more_than "$before"
wait_until 30 daemon_fds_at_most $fds

# Removed in the middle, they are given back as well.
spfs set t depth=1G
timeout 60 cat "$T/in" > c
wait_until 20 is_waiting $SIZE
rm t
wait_until 30 no_more_than "$before"

# What the quota does not allow is refused when it is asked for, and nothing else is changed by it.
# More than the machine's memory is refused to everybody.
mkfifo big
spfs tee big deep
for setting in depth=1T depth=1023G; do refuse 'memory' spfs set deep $setting; done
refuse 'memory' spfs set big replay=1T
[ "$(spfs get --json deep | jq .depth)" = 1048576 ] || fail "$(spfs get deep)"
rm big deep
programs_for_all "$BUILD/cmd/spfs"
chmod 777 .
setfattr -n spfs.quota -v 16M .
as_user mkfifo mine
as_user spfs tee mine tap
as_user spfs set tap depth=8M
refuse 'quota' as_user spfs set tap depth=16M
refuse 'quota' as_user spfs set tap size=2M depth=1T
refuse 'quota' as_user spfs set mine replay=8M
as_user spfs tee mine another
refuse 'quota' as_user spfs set another depth=8M
rm another
[ "$(spfs get --json tap | jq .depth)" = 8388608 ] || fail "$(spfs get tap)"
head -c 8000000 "$T/in" > "$T/part"
timeout 20 dd status=none if="$T/part" of=mine bs=64K conv=notrunc || fail "refused in the middle"
timeout 20 cat tap > "$T/out"
same "$T/part" "$T/out"
cd /
finish
