# A deep tap uses the descriptors up: its channel waits or drops, the others do not notice, and read, it goes on.
. "$(dirname "$0")/harness.sh"
need_root "a daemon whose pipes have no limit but descriptors"
(ulimit -n 256 && exec spfsd -o log="$LOG",workers=1 "$M")
DAEMON=$(find_daemon)
cd "$M"
waiting() { spfs stat --json deep | jq ".taps[$1].waiting"; }
stuck() { grep -q '/deep: .*waits: Too many open files' "$LOG"; }
mkfifo deep small
spfs tee deep tap
spfs set tap depth=1G
spfs tee small s
seq -f "%0999.0f" 200000 > "$T/in"
timeout 60 cat "$T/in" > deep &
writer=$!
wait_until 20 stuck
! gone $writer || fail "no limit"
[ "$(waiting 0)" -gt 30000000 ] || fail "it holds only $(waiting 0) bytes"

# Others of the same worker: what was there, and something new.
for _ in 1 2 3; do
	head -c 5000000 "$T/in" > "$T/part"
	timeout 20 cat s > "$T/out" &
	reader=$!
	timeout 20 dd status=none if="$T/part" of=small bs=64K conv=notrunc
	wait $reader
	same "$T/part" "$T/out"
	mkfifo new
	timeout 20 ln new n || fail "no room for a small thing"
	echo fine > new
	[ "$(timeout 20 cat n)" = fine ] || fail "not fine"
	rm new n
	timeout 30 sh -c 'echo fine > created'
	[ "$(timeout 20 cat created)" = fine ] || fail "not fine when created"
	rm created
done
log_written
[ "$(grep -c 'Too many open files' "$LOG")" -lt 10 ] || fail "the log is full of it"

# Read, it goes on.
timeout 60 cat tap > "$T/out" || fail "does not recover"
wait $writer
same "$T/in" "$T/out"
rm "$T/out"

# One that drops does not hold back its writer, nor the tap beside it.
for policy in drop-old drop-new; do
	rm tap
	spfs tee deep tap
	spfs tee deep keep
	spfs set tap depth=1G policy=$policy
	timeout 60 cat keep > "$T/out" &
	reader=$!
	timeout 60 dd status=none if="$T/in" of=deep bs=64K conv=notrunc || fail "$policy holds back"
	wait $reader
	same "$T/in" "$T/out"
	spfs stat --json deep | jq -e '.bytes_in as $in | .taps[] | select(.name == "/tap") |
		.lost > 0 and .waiting > 30000000' > /dev/null || fail "$policy: $(spfs stat deep)"
	timeout 60 cat tap > "$T/out"
	[ $(($(stat -c %s "$T/out") + $(spfs stat --json deep | jq '.taps[] | select(.name == "/tap").lost'))) = \
		"$(stat -c %s "$T/in")" ] || fail "$policy: read and lost do not add up"
	if [ $policy = drop-old ]; then tail -c 10M "$T/in" | cmp - <(tail -c 10M "$T/out")
	else head -c 10M "$T/in" | cmp - <(head -c 10M "$T/out"); fi || fail "$policy: not those"
	rm keep "$T/out"
done

# A replay that is deeper than that is what there is room for; a new tap that would need as many again is refused.
rm deep tap
mkfifo live
spfs set live replay=1G
spfs tee live view
timeout 60 cat view > "$T/out" &
timeout 60 dd status=none if="$T/in" of=live bs=64K conv=notrunc || fail "the replay holds back"
wait $!
same "$T/in" "$T/out"
refuse 'Too many open files' spfs tee live late
spfs set live replay=16M
spfs tee live late
timeout 60 cat late > "$T/out"
[ "$(stat -c %s "$T/out")" -gt $(((16 << 20) - 65536)) ] || fail "the replay has $(stat -c %s "$T/out") bytes"
tail -c "$(stat -c %s "$T/out")" "$T/in" > "$T/part"
same "$T/part" "$T/out"
cd /
finish
