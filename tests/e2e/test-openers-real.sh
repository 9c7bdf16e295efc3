# mpd and rsyslogd, as Debian has them, write a channel with two taps: both open it for reading as well.
. "$(dirname "$0")/harness.sh"
export PATH=$PATH:/usr/sbin
programs_for_all "$BUILD"/cmd/spfs{,d}
spfs_mount
chmod 777 "$M"
stat_of() { spfs stat --json "$1" | jq -r "$2"; }
none_lost() { [ "$(stat_of "$1" '[.taps[].lost] | add')" = 0 ] || fail "$(spfs stat "$1")"; }
become() { if is_root; then exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$T" "$@"; else exec "$@"; fi; }
as() { (become "$@"); }

# ---- mpd: a user of its own, whose output opens the channel for reading before it opens it for writing
mkdir -m 777 "$T/mpd" "$T/mpd/music" "$T/mpd/lists"
python3 - "$T/mpd/music/ramp.wav" << 'PY'
import struct, sys, wave
with wave.open(sys.argv[1], "wb") as w: # a ramp: each frame tells its place
    w.setnchannels(2), w.setsampwidth(2), w.setframerate(44100)
    w.writeframes(b"".join(struct.pack("<HH", i & 0x7fff, i >> 15) for i in range(44100 * 20)))
PY
cat > "$T/mpd/conf" << CONF
music_directory "$T/mpd/music"
playlist_directory "$T/mpd/lists"
db_file "$T/mpd/db"
bind_to_address "$T/mpd/socket"
replaygain "off"
mixer_type "none"
audio_output {
	type "fifo"
	name "channel"
	path "$M/music"
	format "44100:16:2"
}
CONF
as mkfifo "$M/music"
as ln "$M/music" "$M/living"
as ln "$M/music" "$M/kitchen"

mpd_do() { printf '%s\n' "$@" close | timeout 20 socat -t 20 - "UNIX-CONNECT:$T/mpd/socket"; }
mpd_start() {
	rm -f "$T/mpd/socket"
	become mpd --no-daemon --stdout "$T/mpd/conf" > "$T/mpd/log" 2>&1 &
	mpd=$!
	wait_until 30 test -S "$T/mpd/socket"
	wait_until 30 sh -c "printf 'status\nclose\n' | timeout 20 socat -t 20 - UNIX-CONNECT:$T/mpd/socket | grep -q ^OK"
}
mpd_plays() { mpd_do clear update > /dev/null; wait_until 20 mpd_has_music; mpd_do 'add ramp.wav' play > "$T/mpd/said"; }
mpd_has_music() { mpd_do listall | grep -q ramp.wav; }
mpd_end() { # at once: one that ends in order reads what is in the FIFO just then, which the taps miss
	kill -9 "$mpd"
	wait "$mpd" || true
}
wrote() { [ "$(stat_of "$M/music" .bytes_in)" -gt "$1" ]; }

# Without the right to read it, it does not start.
refuse 'for reading: Permission denied' as timeout 60 mpd --no-daemon --stdout "$T/mpd/conf"

# Each tap has all of it, in order, also beyond mpd's end and new start in mid-stream.
as spfs set "$M/music" readers=allow
become timeout 100 cat "$M/living" > "$T/living.1" & living=$!
become timeout 100 cat "$M/kitchen" > "$T/kitchen.1" & kitchen=$!
mpd_start
mpd_plays
wait_until 30 wrote 300000
[ "$(stat_of "$M/music" .foreign_readers)" = 0 ] || fail "$(spfs stat "$M/music")"
mpd_end
wait $living $kitchen # an end of file
same "$T/living.1" "$T/kitchen.1"
become timeout 100 cat "$M/living" > "$T/living.2" & living=$!
become timeout 100 cat "$M/kitchen" > "$T/kitchen.2" & kitchen=$!
before=$(stat_of "$M/music" .bytes_in)
mpd_start
mpd_plays
wait_until 30 wrote $((before + 300000))
mpd_end
wait $living $kitchen
same "$T/living.2" "$T/kitchen.2"
python3 - "$T/living.1" "$T/living.2" << 'PY'
import struct, sys
for path in sys.argv[1:]:
    data = open(path, "rb").read()
    assert len(data) > 300000, (path, len(data))
    places = [(a | b << 15) for a, b in struct.iter_unpack("<HH", data[:len(data) // 4 * 4])]
    assert places == list(range(len(places))), path
PY
none_lost "$M/music"
log_written
! grep -q 'beside its taps' "$LOG" || fail "mpd was told of"

# ---- rsyslogd: opens it for both, and never reads
cat > "$T/rsyslog.conf" << CONF
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="$T/mpd/devlog" CreatePath="off")
module(load="builtin:ompipe")
template(name="line" type="string" string="%msg%\\n")
:msg, contains, "tapped" action(type="ompipe" Pipe="$M/syslog" template="line")
:msg, contains, "tapped" action(type="omfile" File="$T/mpd/log.file" template="line")
:msg, contains, "filed" action(type="omfile" File="$M/filed" template="line")
CONF
for ch in syslog filed; do
	as mkfifo "$M/$ch"
	as ln "$M/$ch" "$M/$ch.1"
	as ln "$M/$ch" "$M/$ch.2"
	as spfs set "$M/$ch" readers=allow
done
become rsyslogd -n -f "$T/rsyslog.conf" -i "$T/mpd/rsyslog.pid" > "$T/mpd/rsyslog.log" 2>&1 & rsyslog=$!
wait_until 30 test -S "$T/mpd/devlog"
say() { logger -u "$T/mpd/devlog" --socket-errors=on "$@"; }
for i in $(seq 200); do say "tapped $i"; done
for i in $(seq 200); do say "filed $i"; done
lines() { timeout 60 head -n 200 "$1"; }
for tap in syslog.1 syslog.2; do
	lines "$M/$tap" | sed 's/^ //' | cmp - <(seq -f 'tapped %g' 200) || fail "$tap"
done
for tap in filed.1 filed.2; do
	lines "$M/$tap" | sed 's/^ //' | cmp - <(seq -f 'filed %g' 200) || fail "$tap"
done
none_lost "$M/syslog"
wait_until 20 sh -c "[ \$(spfs stat --json $M/syslog | jq .readers) = 1 ]" # it does have it open for reading
spfs stat "$M/syslog" | grep -q FOREIGN && fail "$(spfs stat "$M/syslog")"
kill $rsyslog
wait $rsyslog || true
log_written
! grep -q 'beside its taps' "$LOG" || fail "rsyslogd was told of"
finish
