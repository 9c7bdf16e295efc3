# A camera into a channel, recorded by one tap and watched by another. (Of the driver vivid: see test-camera.c.)
. "$(dirname "$0")/../e2e/harness.sh"

# 113 pages hold a frame.
SIZE=$((640 * 360 * 2))
PAGES=113

# The device of a vivid card.
device() { basename "$(dirname "$(grep -lx "$1-vid-cap" /sys/class/video4linux/*/name)")"; }

port() { getfattr --absolute-names --only-values -n spfs.ports "$M/ch" | jq -r ".[] | select(.uri | startswith(\"$1\")) | $2"; }

# is PORT KEY VALUE
is() {
	local found
	found=$(port "$1" ".$2")
	[ "$found" = "$3" ] || fail "$1: $2 is $found, not $3"
}

state() { [ "$(port "$1" .state)" = "$2" ]; }

attach() { setfattr -n "spfs.$1" -v "$2" "$3"; }

# The frames of a file: whole, no two alike, one picture below the counter. Prints their sums.
frames() {
	python3 - "$1" $SIZE <<- 'PY'
	import hashlib, sys
	data, size = open(sys.argv[1], "rb").read(), int(sys.argv[2])
	assert len(data) % size == 0, f"{len(data)} bytes are no whole frames"
	frames = [data[i:i + size] for i in range(0, len(data), size)]
	assert len(set(frames)) == len(frames), "a frame came twice"
	assert len({f[size // 2:] for f in frames}) == 1, "a frame is torn"
	print(*(hashlib.md5(f).hexdigest() for f in frames), sep="\n")
	PY
}

# What a viewer sees, as sums.
watch() {
	timeout 60 ffmpeg -loglevel error -nostdin -f rawvideo -pixel_format yuyv422 -video_size 640x360 -i "$1" \
		-fps_mode passthrough -f framemd5 - | sed -n 's/^0,.*, *//p'
}

channel() {
	mkfifo ch
	ln ch rec
	ln ch view
}

spfs_mount
cd "$M"

# vmalloc: by reference; dma-contig: copied, and it says so.
for card in vivid-000 vivid-001; do
	dev=/dev/$(device $card)
	channel
	attach sink "file:$T/rec?create=0644" rec
	watch view > "$T/seen" &
	attach source "v4l2:$dev?width=640&height=360&format=YUYV&fps=30&frames=30" ch
	wait $!
	wait_until 20 state file: done
	is v4l2: state done
	is v4l2: format "640x360 YUYV 30 fps"
	is v4l2: frames 30
	is v4l2: bytes $((30 * SIZE))
	if [ $card = vivid-000 ]; then
		is v4l2: how userptr
		is v4l2: pages_ref $((30 * PAGES))
		is v4l2: copies 0
	else
		is v4l2: how mmap
		is v4l2: pages_ref 0
	fi
	frames "$T/rec" > "$T/recorded"
	[ "$(wc -l < "$T/recorded")" = 30 ] || fail "$(wc -l < "$T/recorded") frames"
	same "$T/recorded" "$T/seen"
	rm ch rec view "$T/rec"
done

# A tap that nobody reads: the camera waits, frames are lost between frames, and never a part of one.
dev=/dev/$(device vivid-000)
channel
timeout 60 cat rec > "$T/rec" &
reader=$!
attach source "v4l2:$dev?width=640&height=360&format=YUYV&fps=30&frames=60" ch
wait_until 30 test -s "$T/rec"
sleep 2 # a time in which the camera makes more than the taps and its buffers hold
timeout 60 cat view > "$T/view"
wait $reader
same "$T/rec" "$T/view"
[ "$(frames "$T/rec" | wc -l)" = 60 ] || fail "frames"
[ "$(port v4l2: .dropped)" -gt 0 ] || fail "nothing was dropped"
rm ch rec view

# Detached: the frame goes out whole, then the stream ends. A second camera follows the first.
channel
timeout 60 cat view > /dev/null &
reader=$!
timeout 60 cat rec > "$T/rec" &
attach source "v4l2:$dev?width=640&height=360&format=YUYV&fps=30" ch
wait_until 20 sh -c "[ \$(stat -c %s $T/rec) -gt $((3 * SIZE)) ]"
setfattr -n spfs.detach -v "$(port v4l2: .id)" ch
wait $! $reader
[ "$(frames "$T/rec" | wc -l)" -ge 3 ] || fail "frames"

# Detached while nobody reads: it is answered, the device is free, and its last frame goes out whole before the next.
rm rec view ch
mkfifo ch
ln ch view
attach source "v4l2:$dev?width=640&height=360&format=YUYV&fps=30" ch
sleep 2 # a time in which the camera makes more than the tap and the channel hold
timeout 20 spfs detach ch "$(port v4l2: .id)"
[ "$(port v4l2: .id)" = '' ] || fail "it is still there"
attach source "v4l2:$dev?width=640&height=360&format=YUYV&fps=30&frames=3" ch
timeout 60 cat view > "$T/rec"
[ "$(python3 -c 'import os, sys; print(os.path.getsize(sys.argv[1]) % int(sys.argv[2]))' "$T/rec" $SIZE)" = 0 ] ||
	fail "no whole frames"
[ "$(port v4l2: .frames)" = 3 ] || fail "the next camera"
rm view
ln ch rec
ln ch view

# Refused, with the reason in the log.
refuse 'Invalid argument' attach source "v4l2:$dev?width=641" ch
log_has 'offers 640x'
refuse 'Inappropriate ioctl' attach source v4l2:/dev/null ch
chmod 666 ch
refuse 'Permission denied' as_user setfattr -n spfs.source -v "v4l2:$dev" ch

# Unplugged: the stream ends, after a whole frame, and the port says why.
dev=/dev/$(device vivid-004)
timeout 60 cat view > /dev/null &
reader=$!
timeout 60 cat rec > "$T/rec" &
attach source "v4l2:$dev?width=640&height=360&format=YUYV&fps=30" ch
wait_until 20 test -s "$T/rec"
v4l2-ctl -d "$dev" --set-ctrl disconnect=0
wait $! $reader
is v4l2:$dev errno ENODEV
frames "$T/rec" > /dev/null
cd /
finish
