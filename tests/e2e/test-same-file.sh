# A second sink to a file that one writes is refused before it empties it, by whatever name; those that append may be many.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
cd "$T"
why="another sink writes to this file"
mkfifo "$M/c" "$M/d"
spfs sink "$M/c" "file:$T/out" > /dev/null
exec 5> "$M/c"
echo recorded >&5
wait_until 20 test -s out
ln out hard
ln -s out soft
for name in out hard soft ./out; do
	refuse "$why" spfs sink "$M/d" "file:$T/$name"
	refuse "$why" spfs sink "$M/d" "file:$T/$name?append=1"
done
refuse "$why" spfs sink "$M/d" --fd 3 3<> out
refuse "$why" spfs sink "$M/d" --fd 3 3>> out
[ "$(cat out)" = recorded ] || fail "who is refused has emptied it"
echo on >&5
exec 5>&-
wait_until 20 state "$M/c" 1 done
[ "$(cat out)" = "recorded
on" ] || fail "the first one does not go on"

# Once it has ended, or was detached, or has failed, there is room for another; and so after a refusal.
spfs sink "$M/c" "file:$T/hard" > /dev/null
[ ! -s out ] || fail "it was not emptied"
spfs detach "$M/c" 2
id=$(spfs sink "$M/d" --fd 3 3> other)
refuse "$why" spfs sink "$M/c" "file:$T/other"
spfs detach "$M/d" "$id"
spfs sink "$M/c" "file:$T/other" > /dev/null
for x in c d; do spfs sink "$M/$x" "file:$T/both?append=1" > /dev/null; done
refuse "$why" spfs sink "$M/d" "file:$T/both"
for x in c d; do spfs sink "$M/$x" file:/dev/null > /dev/null; done
finish
