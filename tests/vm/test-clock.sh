# A sink that rotates by the clock, while that is set: on, and back by hours and a year. (Where nobody else needs the time.)
. "$(dirname "$0")/../e2e/harness.sh"
[ -d /run/vm ] || skip "sets the clock: for the guest alone"
spfs_mount
cd "$T"
mkdir r
export TZ=UTC
files() { find r -type f | sort -V | xargs; }
put() { # put TEXT NAME: it goes into the file NAME
	echo "$1" >&5
	has() { grep -qsx "$1" "r/$2"; }
	wait_until 20 has "$1" "$2"
}

date -s '2026-05-01 10:10:00' > /dev/null
mkfifo "$M/c"
spfs sink "$M/c" "file:$T/r/%m%d-%H?rotate=1h" > /dev/null
exec 5> "$M/c"
put one 0501-10
date -s '2026-05-01 13:05:00' > /dev/null
put on 0501-13
date -s '2026-05-01 13:59:58' > /dev/null
after_the_hour() { [ "$(date +%H)" = 14 ]; }
wait_until 20 after_the_hour
put hour 0501-14

# Back: what comes goes on in the file that there is until the next hour begins.
date -s '2026-05-01 08:10:00' > /dev/null
put back 0501-14
date -s '2026-05-01 08:59:58' > /dev/null
after_the_hour() { [ "$(date +%H)" = 09 ]; }
wait_until 20 after_the_hour
put again 0501-09
date -s '2025-05-01 08:59:57' > /dev/null
put year 0501-09
wait_until 20 after_the_hour
put last 0501-09.1
exec 5>&-
[ "$(files)" = "r/0501-09 r/0501-09.1 r/0501-10 r/0501-13 r/0501-14" ] || fail "$(files)"
[ "$(xargs cat <<< "$(files)" | sort | xargs)" = "again back hour last on one year" ] || fail "lost or twice"
rm "$M/c"
finish
