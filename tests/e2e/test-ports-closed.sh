# Who is told that a port has ended, or is detached, finds its descriptor closed: a listening socket's address is free,
# a file system can be unmounted.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
make_workers
cd "$M"
rounds=${SPFS_ROUNDS:-100}
fds=$(daemon_fds)

# A port's number: the last one's.
last() { ports "$1" | jq 'map(.id) | max'; }

mkfifo c
tcp=$(free_port)
left=0
for i in $(seq "$rounds"); do
	sink_of c "tcp-listen:$HOST:$tcp" || fail "round $i: the address is in use"
	setfattr -n spfs.detach -v "$i" c
	! listening "$tcp" || left=$((left + 1))
done
[ $left = 0 ] || fail "still listening: $left of $rounds"

# Without a look in between, by the command and by the attribute.
for i in $(seq "$rounds"); do
	id=$(spfs sink c "tcp-listen:$HOST:$tcp") || fail "round $i: the address is in use"
	spfs detach c "$id"
	sink_of c "tcp-listen:$HOST:$tcp" || fail "round $i: the address is in use"
	setfattr -n spfs.detach -v "$(last c)" c
done
rm c

# A file system that a sink was on. Only root mounts one.
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/fs"
	echo 'some data' > "$T/in"
	for i in $(seq "$rounds"); do
		mount -t tmpfs -o size=1G spfs-test "$T/fs"
		mkfifo c
		source_of c "file:$T/in"
		timeout 20 spfs sink --wait c "file:$T/fs/out" > "$T/said" || fail "round $i: $(cat "$T/said")"
		[ "$(cat "$T/fs/out")" = 'some data' ] || fail "round $i: the sink has not all of it"
		umount "$T/fs" || fail "round $i: busy after the end"
		rm c
	done

	# Detached while its disk is at work.
	mkfifo c
	source_of c file:/dev/zero
	for i in $(seq "$rounds"); do
		mount -t tmpfs -o size=1G spfs-test "$T/fs"
		sink_of c "file:$T/fs/out"
		wait_until 30 test -s "$T/fs/out"
		if [ $((i % 2)) = 0 ]; then spfs detach c $((i + 1)); else setfattr -n spfs.detach -v $((i + 1)) c; fi
		umount "$T/fs" || fail "round $i: busy after it was detached"
	done
	rm c

	# Refused: by what the descriptor is, by what the name is, and by the worker.
	mkfifo c
	ln c tap
	for i in $(seq "$rounds"); do
		mount -t tmpfs -o size=1G spfs-test "$T/fs"
		echo data > "$T/fs/in"
		refuse 'not open for writing' spfs sink c --fd 0 < "$T/fs/in"
		umount "$T/fs" || fail "round $i: busy after a descriptor was refused"
		mount -t tmpfs -o size=1G spfs-test "$T/fs"
		echo data > "$T/fs/in"
		refuse 'this name is a tap' spfs source tap --fd 0 < "$T/fs/in"
		umount "$T/fs" || fail "round $i: busy after a name was refused"
		mount -t tmpfs -o size=1G spfs-test "$T/fs"
		refuse 'nothing that has a stream' spfs source c --fd 0 < "$T/fs"
		umount "$T/fs" || fail "round $i: busy after the worker has refused"
	done
	rm tap c
fi
wait_until 30 daemon_fds_at_most $fds
cd /
finish
