# Ten thousand random operations of two users; afterwards the accounts read zero and every descriptor is given back.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else"
SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
echo "seed $SEED"
spfs_mount
make_workers
for u in 4001 4002; do
	mkdir -m 777 "$M/u$u"
	make_workers "$M/u$u" setpriv --reuid=$u --regid=$u --clear-groups
	mkfifo "$M/u$u/warm" # what stays once it has been made
	spfs tee "$M/u$u/warm" "$M/u$u/up"
	echo warm > "$M/u$u/warm"
	[ "$(timeout 20 cat "$M/u$u/up")" = warm ] || fail "cold"
	rm "$M/u$u/up" "$M/u$u/warm"
done
setfattr -n spfs.quota -v 400M "$M"
head -c 300000 /dev/urandom > "$T/in"
chmod 1777 "$T"
chmod 644 "$T/in"

pipes() { (find "/proc/$DAEMON/fd" -lname 'pipe:*' 2> /dev/null || true) | wc -l; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON/status"; }
nothing_used() { spfs quota --json "$M" | jq -e 'map(.used) | add == 0' > /dev/null; }
given_back() { [ "$(daemon_fds)" -le "$fds" ] && [ "$(pipes)" -le "$pipes" ]; }
fds=$(daemon_fds)
pipes=$(pipes)
before=$(rss)
timeout 100 /usr/bin/python3 "$HERE/random_operations.py" "$M" "$T" 10000 "$SEED" > "$T/done" || fail "seed $SEED"
cat "$T/done"
wait_until 20 nothing_used
wait_until 20 given_back
most=32768
! sanitized || most=524288 # what is freed waits there
[ $(($(rss) - before)) -lt $most ] || fail "it has grown from $before to $(rss) KiB"
finish
