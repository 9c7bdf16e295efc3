# Quotas: one user's is used up, another goes on, and everything held is given back.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else"
programs_for_all "$BUILD/cmd/spfs"
alice() { setpriv --reuid=4001 --regid=4001 --clear-groups "$@"; }
bob() { setpriv --reuid=4002 --regid=4002 --clear-groups "$@"; }
spfs_mount
cd "$M"
chmod 777 .
mkdir -m 777 "$T/out"
used() { spfs quota --json . | jq -r ".[] | select(.uid == $1) | .used"; }
is_used() { [ "$(used "$1")" = "$2" ]; }

# Who sees what
alice mkfifo a
bob mkfifo b
alice spfs tee a at
bob spfs tee b bt
[ "$(alice spfs quota --json . | jq -c '[.[].uid]')" = '[4001]' ] || fail "$(alice spfs quota --json .)"
spfs quota --json . | jq -e 'map(.uid) | contains([4001, 4002])' > /dev/null || fail "$(spfs quota --json .)"
spfs quota --json . | jq -e '.[] | select(.uid == 4001) | .limit == 1073741824' > /dev/null || fail "no preset"
spfs quota --json . | jq -e '.[] | select(.uid == 0) | .limit == null' > /dev/null || fail "root has a limit"
alice spfs quota . | grep -q '^4001 .*1.0G' || fail "$(alice spfs quota .)"

# What a tap costs is charged when it is made, a depth when it is set; less is always possible.
before=$(used 4001)
[ "$before" -gt 0 ] || fail "a tap costs nothing"
alice spfs set at depth=16M
[ "$(used 4001)" -gt "$before" ] || fail "depth costs nothing"
setfattr -n spfs.quota -v 24M .
alice spfs quota . | grep -q '24M' || fail "the new limit does not hold: $(alice spfs quota .)"
refuse 'quota' alice spfs set at depth=64M
log_has '/at: set depth: the quota'
refuse 'quota' alice spfs set a replay=64M
spfs get --json at | jq -e '.depth == 16777216' > /dev/null || fail "$(spfs get at)"
if alice timeout 20 setfattr -n spfs.replay -v 64M a 2> "$T/err"; then fail "a replay beyond the quota"; fi
grep -qi 'quota' "$T/err" || fail "$(cat "$T/err")"

# Until it is used up: taps, sinks on the origin and on files. The other user is not hindered.
n=0
while alice spfs tee a "more$n" 2> "$T/err"; do
	n=$((n + 1))
	[ $n -lt 64 ] || fail "without end"
done
grep -qi quota "$T/err" || fail "$(cat "$T/err")"
n=0
while id=$(alice spfs sink at "file:$T/out/f$n" 2> "$T/err"); do
	n=$((n + 1))
	[ $n -lt 64 ] || fail "without end"
done
grep -qi quota "$T/err" || fail "$(cat "$T/err")"
if alice spfs sink a "file:$T/out/origin" 2> "$T/err"; then fail "a sink beyond the quota"; fi
grep -qi quota "$T/err" || fail "$(cat "$T/err")"
[ "$(used 4001)" -le $((24 << 20)) ] || fail "$(spfs quota .)"
bob spfs set bt depth=8M
bob spfs tee b bt2
bob spfs sink b "file:$T/out/bob" > /dev/null
spfs tee a roots # root has none
bob timeout 20 dd status=none if=/dev/zero of=b bs=1M count=1 conv=notrunc &
dd status=none if=bt of=/dev/null & dd status=none if=bt2 of=/dev/null
wait

# A lower limit takes nothing away that is held.
setfattr -n spfs.quota -v 1M .
[ "$(used 4001)" -gt $((1 << 20)) ] || fail "taken away"
alice spfs set at depth=1M
refuse 'quota' alice spfs set at depth=2M

# Everything is given back.
alice rm at more* a
rm roots
bob rm bt bt2 b
for u in 4001 4002 0; do wait_until 30 is_used $u 0; done
cd /
finish
