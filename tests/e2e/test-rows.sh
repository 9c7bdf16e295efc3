# Each setting changed while data flows: nothing is lost, doubled or reordered, unless the policy says drop.
. "$(dirname "$0")/harness.sh"
ROWS="/usr/bin/python3 $HERE/rows.py"
spfs_mount
cd "$M"
SIZE=$((48 << 20))
mkfifo c
for t in a b dropping; do spfs tee c $t; done
spfs set c eof=never
timeout 100 $ROWS check $SIZE < a > "$T/a" 2>&1 &
readers=$!
# one that comes and goes: of its tap nothing is lost by that
(for _ in $(seq 12); do timeout 100 head -c 1M b; done; timeout 100 cat b) | $ROWS check $SIZE > "$T/b" 2>&1 &
readers+=" $!"
timeout 100 cat dropping > "$T/d" &
dropper=$!
$ROWS change "$M" c "$T/over" size=4K,64K,256K,1M replay=0,5000,64K,3M rate=0,50M,20M stable=0,1 eof=never \
	a:size=4K,64K,1M a:depth=0,4K,100K,1M,64M a:idle=keep a:rate=0,300M \
	b:size=8K,1M b:depth=0,1M,20M b:policy=block \
	dropping:policy=drop-old,drop-new,block dropping:idle=keep,discard dropping:depth=0,64K,8M dropping:size=4K,1M \
	dropping:rate=0,20M,500M > "$T/changes" 2>&1 &
changer=$!
# (two of three streams, and then the last once there have been so many changes)
timeout 100 $ROWS write c $SIZE 3 "$T/changes" || fail "fewer changes than that while data flows: $(cat "$T/changes")"
touch "$T/over" # (one that is killed may have asked for something that is done later)
wait $changer || fail "$(cat "$T/changes")"
for t in a b dropping; do spfs set $t rate=0; done
kill -0 $dropper || fail "never is over"
spfs set c rate=0 eof=last-writer
for p in $readers; do wait $p || fail "$(cat "$T/a" "$T/b")"; done
wait $dropper
lost=$(spfs stat --json c | jq '.taps[] | select(.name == "/dropping").lost')
[ "$($ROWS gaps $SIZE < "$T/d")" = "$lost" ] || fail "lost $($ROWS gaps $SIZE < "$T/d"), the stats say $lost"
[ "$(spfs stat --json c | jq '[.taps[:2][].lost] | add')" = 0 ] || fail "$(spfs stat c)"
cd /
finish
