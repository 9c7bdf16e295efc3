# Who has fewer rights than his user id says gets no more of them from the daemon.
. "$(dirname "$0")/harness.sh"
need_root "to be root without its rights"
programs_for_all "$BUILD/cmd/spfs"
spfs_mount
cd "$T"

# Root without capabilities, and root of a user namespace of its own: both are user 0 and nothing else.
bare() { setpriv --bounding-set -all --inh-caps -all --ambient-caps -all "$@"; }
inner() { unshare -U --map-root-user "$@"; }
echo secret > secret
chown 65534:65534 secret
chmod 600 secret
echo own > own
mkfifo -m 600 "$M/theirs"
chown 65534:65534 "$M/theirs"
mkfifo -m 600 "$M/mine"
as_user true
for who in bare inner; do
	! $who cat secret 2> /dev/null || fail "$who: this is no test"
	for way in command attribute; do
		attach() { # attach NAME DIR URI
			if [ $way = command ]; then echo spfs "$2" "$M/$1" "$3"; else echo setfattr -n "spfs.$2" -v "$3" "$M/$1"; fi
		}
		refuse 'Permission denied' $who $(attach mine source "file:$T/secret")
		refuse 'Permission denied' $who $(attach mine sink "file:$T/secret?append=1")
		refuse 'Permission denied\|no right' $who $(attach theirs source "file:$T/own")
		refuse 'Permission denied\|no right' $who $(attach theirs sink "file:$T/new")
		# What belongs to user 0 is still its own.
		# shellcheck disable=SC2091 # it says a command
		$who $(attach mine source "file:$T/own") > /dev/null
	done
	for c in ports watch; do refuse 'no right' $who timeout 10 spfs $c "$M/theirs"; done
	refuse 'no right' $who spfs set "$M/theirs" size=128K
	$who cat "$M/.spfs/stats.json" | jq -e 'any(.channels[]; .channel == "/theirs") | not' > /dev/null || fail "$who: sees theirs"
	$who cat "$M/.spfs/stats.json" | jq -e 'any(.channels[]; .channel == "/mine")' > /dev/null || fail "$who: does not see mine"
done
# Root with its rights may all of it.
spfs source "$M/theirs" "file:$T/secret" > /dev/null
jq -e 'any(.channels[]; .channel == "/theirs")' < "$M/.spfs/stats.json" > /dev/null || fail "root does not see theirs"

# A tap is for who owns the channel or may write it. Where the kernel lets others link, because of fs.protected_hardlinks or
# of a capability, the daemon does not.
owner() { setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps +fowner --ambient-caps +fowner "$@"; }
mkdir -m 777 "$M/dir"
mkfifo -m 600 "$M/dir/a"
mkfifo -m 644 "$M/dir/b"
mkfifo -m 666 "$M/dir/c"
for c in a b; do
	refuse 'not permitted' owner ln "$M/dir/$c" "$M/dir/tap$c"
	[ "$(stat -c %h "$M/dir/$c")" = 1 ] || fail "$c has a tap"
done
owner ln "$M/dir/c" "$M/dir/tapc"
as_user mkfifo -m 400 "$M/dir/own"
as_user ln "$M/dir/own" "$M/dir/tapown"
ln "$M/dir/own" "$M/dir/taproot"

# One that may be confined to fewer paths than its user may open is asked for a descriptor.
mkfifo -m 666 "$M/c"
confined() { setpriv --no-new-privs "$@"; }
for way in source sink; do
	refuse "may be confined.*pass a descriptor: spfs $way --fd" confined spfs $way "$M/c" "file:$T/own"
done
refuse 'cross-device' confined setfattr -n spfs.source -v "file:$T/own" "$M/c"
log_has 'may be confined'
confined spfs source "$M/c" --fd 0 < own > /dev/null
confined spfs sink "$M/c" --fd 1 >> out
wait_until 20 grep -q own out
finish
