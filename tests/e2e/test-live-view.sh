# A live view beside a recorder: the view stalls and loses, which is counted; the recording is complete.
. "$(dirname "$0")/harness.sh"
. "$(dirname "$0")/ports.sh"
spfs_mount
cd "$M"
for kind in bytes packets; do
	for recorder in cat sink; do
		mkfifo c
		[ $kind = bytes ] || spfs set c packets=1
		spfs tee c c.disk
		spfs tee c c.view
		spfs set c.view policy=drop-old
		if [ $recorder = cat ]; then
			timeout 60 cat c.disk > "$T/disk" &
			port=
		else
			port=$(spfs sink c.disk "file:$T/disk")
		fi
		timeout 60 /usr/bin/python3 "$HERE/liveview.py" $kind c > "$T/written" || fail "$kind, $recorder"
		if [ $recorder = cat ]; then wait $!; else
			wait_until 30 state c $port done
		fi
		same "$T/written" "$T/disk"
		rm -f c c.disk c.view "$T/disk" "$T/written"
	done
done
cd /
finish
