# What one user may have of nodes and descriptors: however they are taken, others go on, and all of it comes back.
. "$(dirname "$0")/harness.sh"
need_root "to be somebody else"
ulimit -n 2000
spfs_mount -o allow_other
cd "$M"
chmod 777 .
mkdir -m 777 in
alice() { setpriv --reuid=4001 --regid=4001 --clear-groups "$@"; }
of() { spfs quota --json . | jq -r ".[] | select(.uid == $1) | .$2"; }
is() { [ "$(of "$1" "$2")" = "$3" ]; }

# take KIND USER: says how many of that kind, and holds them until let_go
take() {
	hold_until_told /usr/bin/python3 "$HERE/accounts.py" in "$1" "$2"
	read -r COUNT ERROR <<< "$REPLY"
}
let_go() {
	tell_holder
	find in -mindepth 1 -delete
}
others_go_on() {
	timeout 20 mkfifo roots || fail "$1: root cannot make a channel"
	timeout 20 ln roots roots2 || fail "$1: root cannot make a tap"
	echo hi > rootfile || fail "$1: root cannot create"
	setpriv --reuid=4009 --regid=4009 --clear-groups timeout 20 bash -c 'echo ho > bobs' || fail "$1: another user cannot create"
	[ "$(timeout 20 head -c 3 rootfile) $(timeout 20 head -c 3 bobs)" = 'hi ho' ] || fail "$1: what was created"
	rm roots roots2 rootfile bobs
}

# By descriptors.
for kind in handle unlinked kept tap; do
	take $kind 4001
	echo "$kind: $COUNT $ERROR"
	[ "$ERROR" = EDQUOT ] || fail "$kind: $COUNT, then $ERROR"
	[ "$(of 4001 descriptors)" -le 500 ] || fail "$kind: $(spfs quota .)"
	[ "$(daemon_fds)" -le 600 ] || fail "$kind: $(daemon_fds) descriptors are open"
	others_go_on $kind
	let_go
	wait_until 30 is 4001 descriptors 0
	wait_until 30 is 4001 nodes 0
	wait_until 30 is 4001 used 0
done
log_has 'user 4001 has 500 of 500 descriptors'

# Channels without an end cost a descriptor each.
cd /
spfs_unmount
printf '[defaults]\neof = never\nsize = 4K\n[nodes]\ndefault = 1000\n4003 = 50\n@4004 = 70\n' > "$T/conf"
spfs_mount -o allow_other,config="$T/conf"
cd "$M"
chmod 777 .
mkdir -m 777 in
take channel 4001
echo "without end: $COUNT $ERROR"
[ "$ERROR $((COUNT <= 500))" = 'EDQUOT 1' ] || fail "channels without an end: $COUNT $ERROR"
others_go_on "without end"
let_go
wait_until 30 is 4001 descriptors 0

# All users together leave some to root.
users='4010 4011 4012 4013 4014'
mkfifo "$T/hold"
exec 8<> "$T/hold"
for u in $users; do
	mkdir -m 777 "in/$u"
	/usr/bin/python3 "$HERE/accounts.py" "in/$u" channel "$u" < "$T/hold" > "$T/$u" 8>&- &
done
for u in $users; do wait_until 50 grep -q . "$T/$u"; done
cat $(printf "$T/%s " $users)
[ "$(spfs quota --json . | jq 'map(select(.uid != 0).descriptors) | add')" -le 1686 ] || fail "$(spfs quota .)"
mkfifo roots || fail "root cannot make a channel any more"
ln roots roots2 || fail "root cannot make a tap any more"
kill $(jobs -p)
wait || :
exec 8>&-
rm -r ./*
wait_until 30 is 4012 descriptors 0

# By nodes: names, folders, and what has lost its name.
setfattr -n spfs.descriptors -v 0 .
spfs get . | grep -q 'nodes.*1000' || fail "$(spfs get .)"
mkdir -m 777 in
for kind in folder path; do
	take $kind 4001
	[ "$COUNT $ERROR" = '1000 EDQUOT' ] || fail "$kind: $COUNT $ERROR"
	log_has 'user 4001 has 1000 of 1000 nodes'
	others_go_on $kind
	[ "$(alice stat -f -c %d .)" = 0 ] || fail "nodes are left: $(alice stat -f .)"
	let_go
	wait_until 30 is 4001 nodes 0
done
take folder 4003
[ "$COUNT $ERROR" = '50 EDQUOT' ] || fail "a user's own rule: $COUNT $ERROR"
let_go
take folder 4004
[ "$COUNT $ERROR" = '70 EDQUOT' ] || fail "a group's rule: $COUNT $ERROR"
let_go
[ "$(alice stat -f -c %d .)" = 1000 ] || fail "df -i: $(alice stat -f .)"
[ "$(stat -f -c %d .)" -gt 1000 ] || fail "df -i of root: $(stat -f .)"
spfs set . nodes=20
take folder 4001
[ "$COUNT $ERROR" = '20 EDQUOT' ] || fail "set nodes: $COUNT $ERROR"
grep -q '^spfs_user_nodes{user="4001"} 20$\|^spfs_user_nodes{.*"4001".*} 20$' .spfs/metrics || fail "$(grep user_nodes .spfs/metrics)"
jq -e '.users[] | select(.uid == 4001) | .nodes == 20 and .nodes_limit == 20' .spfs/stats.json > /dev/null || fail "stats.json"
spfs quota . | grep -q '^4001 .* 20 *20 ' || fail "$(spfs quota .)"
let_go
cd /
finish
