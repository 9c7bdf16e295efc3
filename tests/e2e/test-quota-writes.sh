# What waits in writes to creating handles, and what these leave behind, is charged: one user comes to an end, others go on.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else"
programs_for_all "$HERE/writes.py"
spfs_mount -o allow_other
cd "$M"
chmod 777 .
mkdir -m 777 in
used() { spfs quota --json . | jq -r ".[] | select(.uid == $1) | .used"; }
is_used() { [ "$(used "$1")" = "$2" ]; }
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }

# writers USER COUNT: so many at once, each of more than fits; says how many wait and how many were refused, and holds them
writers() {
	hold_until_told as "$1" /usr/bin/python3 "$T/bin/writes.py" in "$2"
	read -r WAIT REFUSED <<< "$REPLY"
}
let_go() {
	tell_holder || fail "a writer was told something else"
	find in -mindepth 1 -delete
}

# Eleven have room, each with its ring of 64K.
setfattr -n spfs.quota -v 12M .
writers 4001 40
echo "$WAIT wait, $REFUSED refused, $(used 4001) used"
[ "$WAIT" -ge 5 ] && [ "$REFUSED" -ge 20 ] || fail "$WAIT wait, $REFUSED were refused"
[ "$(used 4001)" -ge $((WAIT << 20)) ] && [ "$(used 4001)" -le $((12 << 20)) ] || fail "used: $(used 4001)"
log_has 'in/w[0-9]*: user 4001 .*bytes'
echo hi > roots
as 4002 bash -c 'echo ho > in/bobs' || fail "another user cannot write"
[ "$(timeout 20 cat roots in/bobs)" = $'hi\nho' ] || fail "what they wrote"
let_go
rm roots
for u in 4001 4002 0; do wait_until 30 is_used $u 0; done

# Root has no limit.
writers 0 20
[ "$WAIT $REFUSED" = '20 0' ] || fail "root: $WAIT wait, $REFUSED were refused"
let_go
wait_until 30 is_used 0 0

# What is kept for a reader is charged until he has had it, or it is gone.
n=0
while as 4001 bash -c "echo x > in/k$n" 2> /dev/null; do
	n=$((n + 1))
	[ $n -lt 400 ] || fail "kept without end"
done
echo "$n are kept, $(used 4001) used"
[ $n -ge 100 ] || fail "$n are kept"
# (what no more fits in is the write, or the ring if that is made later)
log_has 'in/k[0-9]*: .*\(of 12582912 bytes\|quota exceeded\)'
[ "$(timeout 20 cat in/k0)" = x ] || fail "what was kept"
wait_until 30 as 4001 bash -c 'echo y > in/more'
rm in/*
wait_until 30 is_used 4001 0
cd /
finish
