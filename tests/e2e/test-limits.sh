# The daemon runs out of descriptors; users without rights.
. "$(dirname "$0")/harness.sh"
(ulimit -n 160 && exec spfsd -o log="$LOG" "$M")
DAEMON=$(find_daemon)
cd "$M"
head -c 20000000 /dev/urandom > "$T/in"
mkfifo c
ln c r1
timeout 60 cat r1 > "$T/out" &
reader=$!
exec 4> c
head -c 10000000 "$T/in" >&4
[ "$(daemon_fds)" -lt 90 ] || fail "that many descriptors for one stream"
mkfifo more
made=0
for i in $(seq 200); do
	if ln more tap$i 2> "$T/err"; then made=$i; else break; fi
	timeout 30 sh -c "echo $i > more"
done
[ $made -lt 200 ] || fail "no limit"
grep -q 'Too many open files' "$T/err" || fail "$(cat "$T/err")"
log_has 'cannot make tap.*Too many open files'
# A handle that cannot have its pipe says so at its first write; the channel is there.
refuse 'Too many open files' timeout 30 dd status=none if="$T/in" bs=10 count=1 of=created
log_has '/created: cannot write what created it: Too many open files'
[ -p created ] || fail "no channel"
timeout 20 ls > /dev/null
# What runs goes on.
tail -c 10000000 "$T/in" >&4
exec 4>&-
wait $reader
same "$T/in" "$T/out"
# Given back, it works again.
rm tap*
wait_until 20 ln more again
echo fine > more
[ "$(timeout 20 cat again)" = fine ] || fail "not fine"
timeout 20 cat created > "$T/created" &
timeout 20 sh -c 'echo fine > created'
wait $!
grep -qx fine "$T/created" || fail "not what was written later"

if is_root; then
	chmod 755 .
	refuse 'Permission denied' as_user mkfifo x
	mkdir -m 777 shared
	as_user mkfifo shared/x
	mkfifo -m 600 shared/secret
	refuse 'Permission denied' as_user timeout 20 cat shared/secret
	mkdir -m 755 closed
	refuse 'Permission denied' as_user ln shared/x closed/x
	refuse 'Permission denied' as_user setfattr -n spfs.tee -v ../closed/x shared/x
	log_has 'no right to make a name there'
	as_user setfattr -n spfs.tee -v y shared/x
fi
cd /
finish
