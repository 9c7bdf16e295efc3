# Readers who come and go on a broadcast name, each begins with a replay, and is full at once: nobody else misses a byte.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else" # whose taps drop what is too much
spfs_mount
cd "$M"
mkfifo c
spfs set c replay=64K
spfs tee c all --each
spfs set all depth=0
readers() { spfs stat --json c | jq '[.taps[] | select(.each) | .readers] | add'; }
has_readers() { [ "$(readers)" -ge "$1" ]; }

# (the last line may be cut, for its writer is killed)
timeout 150 awk 'bad { print bad; exit } NR > 1 && $1 != last + 1 { bad = last " and then " $1 } { last = $1 }' all \
	> "$T/wrong" & steady=$!
wait_until 30 has_readers 1
seq -f %015.0f 1000000000 | dd obs=64K status=none > c & writer=$! # (large chunks go as they are)
pids=
for _ in 1 2 3; do
	# (as often as there is time for)
	as_user timeout 90 bash -c 'for i in $(seq 1500); do [ $SECONDS -lt 40 ] || break; head -c 100000 all > /dev/null || exit; done' &
	pids="$pids $!"
done
for p in $pids; do wait $p || fail "a reader got nothing"; done
kill $writer
wait $writer 2> /dev/null || true
wait $steady || fail "the steady reader waits"
[ ! -s "$T/wrong" ] || fail "wrong: $(cat "$T/wrong")"
cd /
finish
