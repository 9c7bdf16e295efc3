# A channel is given away while its ring is to be given a size, and whoever has it now wants another: both are answered, once
# those are through that they wait for.
. "$(dirname "$0")/harness.sh"
need_root "to give something away"
programs_for_all "$BUILD"/cmd/spfs "$BUILD"/tests/e2e/{hanging-file,lock-holder}
holders=()
systems=()
at_end() {
	kill -9 "${systems[@]}" 2> /dev/null
	umount -l "$T/first.h" "$T/given.h" 2> /dev/null
}

spfs_mount
cd "$M"
chmod 777 "$M"
as_user mkfifo -m 666 first given
exec 5<> first 6<> given
for ring in first given; do
	echo x > $ring
	mkdir "$T/$ring.h"
	hanging-file "$T/$ring.h" > "$T/$ring.said" & systems+=($!)
	wait_until 20 grep -q mounted "$T/$ring.said"
	setpriv --reuid=65534 --regid=65534 --clear-groups lock-holder read "$T/$ring.h/page" $ring > "$T/holder" 2>&1 &
	holders+=($!)
	reads() { grep -q pipe_read "/proc/$!/stack"; }
	wait_until 20 reads
done
let_ring_go() { # Until now its holder has waited for a page.
	local device
	device=$(awk -v at="$T/$1.h" '$5 == at { print $3 }' /proc/self/mountinfo)
	echo 1 > "/sys/fs/fuse/connections/${device#*:}/abort"
}

waiting() { [ "$(cat "/proc/$DAEMON/task/"*/stat | grep -c '^[0-9]* ([^)]*) D ')" -ge "$1" ]; }
spfs set first size=128K > /dev/null 2>&1 & one=$!
wait_until 20 waiting 1
spfs set first size=256K > /dev/null 2>&1 & two=$!
sleep 0.2 # (nobody can tell that it waits behind the first)
spfs set given size=128K > "$T/his" 2>&1 & his=$!
sleep 0.2
chown 0 given
spfs set given size=256K > /dev/null 2>&1 & roots=$!
sleep 0.2
let_ring_go first
wait $one || true
wait $two || true
let_ring_go given
wait $his || fail "he is not answered as he should be: $(cat "$T/his")"
wait $roots || true
wait "${holders[@]}" "${systems[@]}" || true
exec 5>&- 6>&-
umount -l "$T/first.h" "$T/given.h"
cd /
finish
