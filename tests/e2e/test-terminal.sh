# Nothing of a user's making steers the terminal that shows it, and programs get it whole, whatever bytes it has.
. "$(dirname "$0")/harness.sh"
spfs_mount
# Escape, a C1 control as UTF-8 and as a byte, DEL, a direction, no width, a tag, a line's end, quotes, what is no UTF-8,
# and a character that stands for a byte elsewhere.
BAD=$'e\x1b[31m\xc2\x9b31m\x9b31m\x7f\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xf3\xa0\x81\x81\n\t"\\&<\xff\xfe\xee\xbe\x80\xc3\xa9'
mkdir "$M/$BAD"
C=$M/$BAD/c$BAD
mkfifo "$C"
ln "$C" "$M/$BAD/t$BAD"
mkdir "$T/$BAD"
cd "$T/$BAD"
echo x > "in$BAD"

cat > "$T/fit.py" << 'PY'
import sys, unicodedata
what, data = sys.argv[1], sys.stdin.buffer.read()
text = data.decode() # must be UTF-8
text = "\n".join(line.lstrip("\t") for line in text.split("\n"))
if "\\" in what: # of which nothing is left but the name of the file
    what = ascii(what)
for c in text:
    bad = unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and c != "\n"
    assert not bad and not 0xef80 <= ord(c) <= 0xefff, (what, c, text)
PY
# fit WHAT COMMAND...: all that it says, well or not
fit() {
	local what=$1
	shift
	timeout 20 "$@" > "$T/said" 2>&1 < /dev/null || true
	/usr/bin/python3 "$T/fit.py" "$what" < "$T/said" || fail "$what: $(cat -v "$T/said")"
}
said() { grep -q -- "$1" "$T/said" || fail "'$1' is not said: $(cat -v "$T/said")"; }

id=$(timeout 20 spfs source "$C" --fd 0 < /dev/zero)
setfattr -n spfs.sink -v "file:$T/$BAD/out%20x" "$M/$BAD/t$BAD" || true # nor in a URI
for f in metrics stats.json topology.dot config; do
	fit $f cat "$M/.spfs/$f"
	[ -s "$T/said" ] || fail "$f is empty"
done
for c in ls stat ports top\ -bn1 graph\ --format=dot quota; do
	fit "$c" spfs $c "$M"
	fit "$c" spfs $c "$M/$BAD"
	fit "$c" spfs $c "$C"
	fit "$c" spfs $c "$M/none$BAD"
done
for c in stat ports quota get; do
	fit "$c --json" spfs $c --json "$M"
	fit "$c --json" spfs $c --json "$C"
done
fit get spfs get "$C"
for wrong in "x$BAD" "x$BAD=1" "depth=$BAD" "size=$BAD" "$BAD=$BAD" "--x$BAD" "-$BAD"; do
	fit 'set' spfs set "$C" "$wrong"
	[ -s "$T/said" ] || fail "nothing is said"
	fit 'set' spfs set "$M" "$wrong"
done
for way in source sink; do
	fit $way spfs $way "$C" "file:none/$BAD"
	fit $way spfs $way "$C" "$BAD:x"
	fit $way spfs $way "$C" "file:x?$BAD=1"
	fit $way spfs $way "$M/none$BAD" "file:in$BAD"
	fit $way spfs $way "$C" --fd "$BAD"
done
fit detach spfs detach "$C" "$BAD"
fit detach spfs detach "$C" 99
fit tee spfs tee "$C" "none/$BAD"
fit tee spfs tee "$M/none$BAD" "x$BAD"
fit reload spfs reload "$M/none$BAD"
fit "$BAD" spfs "$BAD"
fit top spfs top "--$BAD"
fit source spfs source "$C" "file:in$BAD" --wait --progress &
source=$!
timeout 100 cat "$M/$BAD/t$BAD" > /dev/null &
reader=$!
timeout 20 spfs detach "$C" "$id"
wait $source
drained() { spfs stat --json "$C" | jq -e '[.waiting, .taps[].waiting] | add == 0' > /dev/null; }
wait_until 20 drained # (else there may be no room for what follows)
kill $reader 2> /dev/null || true
wait $reader || true
for a in spfs.taps spfs.ports spfs.stats; do fit $a getfattr --only-values -n $a "$C"; done

# What happens to it, too.
timeout 100 spfs watch --count 3 "$C" > "$T/events" &
watch=$!
wait_until 20 test -s "$T/events" # the state, as of now
ln "$C" "$M/$BAD/u$BAD"
timeout 20 sh -c 'echo x > "$1"' - "$C"
echo x > in
spfs source "$C" "file:in" > /dev/null
wait $watch
fit events cat "$T/events"
[ "$(wc -l < "$T/events")" = 4 ] || fail "not the state and three events: $(cat "$T/events")"

# Programs get the bytes: what is not UTF-8 is U+EF00 and the byte.
/usr/bin/python3 - "$M" "$C" << 'PY'
import json, os, subprocess, sys
m, c = (os.fsencode(a) for a in sys.argv[1:])
def name(text):
    out, rest = b"", text
    for ch in rest:
        out += bytes([ord(ch) - 0xef00]) if 0xef80 <= ord(ch) <= 0xefff else ch.encode()
    return out
path = c[len(m):]
stats = json.load(open(m + b"/.spfs/stats.json"))
assert [name(ch["channel"]) for ch in stats["channels"]] == [path], stats
assert sorted(name(t["name"]) for t in stats["channels"][0]["taps"]) == sorted(
    os.path.dirname(path) + b"/" + n for n in os.listdir(os.path.dirname(c)) if n[:1] in (b"t", b"u"))
one = json.loads(subprocess.run(["spfs", "stat", "--json", c], stdout=subprocess.PIPE, check=True).stdout)
assert name(one["channel"]) == path
taps = json.loads(os.getxattr(c, "spfs.taps"))
assert sorted(map(name, taps)) == sorted(name(t["name"]) for t in stats["channels"][0]["taps"])
ports = json.loads(subprocess.run(["spfs", "ports", "--json", c], stdout=subprocess.PIPE, check=True).stdout)
assert ports and all(name(p["name"]) == path for p in ports), ports
PY
# Metrics are what Prometheus takes: three escapes, one sample a line.
/usr/bin/python3 - "$M/.spfs/metrics" << 'PY'
import re, sys
for line in open(sys.argv[1], encoding="utf-8").read().split("\n"):
    if line and line[0] != "#":
        assert re.fullmatch(r'[a-z_]+(\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)*\})? [-0-9.e+]+', line), line
PY
grep -qF '\\x1b[31m\\x9b31m\\x9b31m\\x7f\\u202e' "$M/.spfs/metrics" || fail "metrics: $(grep -m1 channel= "$M/.spfs/metrics")"
if [ -n "$(type -P dot)" ]; then dot -Tsvg < "$M/.spfs/topology.dot" > /dev/null; fi
log_written
LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$LOG" && fail "the log: $(cat -v "$LOG")"
finish
