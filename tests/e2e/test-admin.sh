# The files of .spfs: their sizes, all ways of reading them, what they tell to whom; and spfs graph.
. "$(dirname "$0")/harness.sh"
spfs_mount
chmod 755 "$M"
S=$M/.spfs
[ "$(ls "$S" | tr '\n' ' ')" = "config metrics stats.json topology.dot version " ] || fail "$(ls "$S")"
[ -z "$(ls "$M")" ] || fail "it is listed in the root"

# ---- what they hold, and every way to read it
[ "$(cat "$S/version")" = "$(spfs --version)" ] || fail "version"
grep -qx '\[defaults\]' "$S/config"
grep -qx 'policy = block' "$S/config"
mkfifo "$M/c"
ln "$M/c" "$M/t"
spfs sink "$M/t" file:"$T/out"
head -c 300000 /dev/urandom > "$M/c"
out() { [ "$(stat -c %s "$T/out")" = 300000 ]; }
wait_until 30 out
# (a file has its bytes before its port has counted them)
told() { jq -e '.channels | length == 1 and .[0].channel == "/c" and .[0].bytes_in == 300000
	and .[0].taps[0].name == "/t" and .[0].taps[0].settings.policy == "block" and .[0].settings.eof == "last-writer"
	and .[0].ports[0].dir == "sink" and .[0].ports[0].name == "/t" and .[0].ports[0].bytes == 300000' "$S/stats.json"; }
wait_until 30 told
jq -e '.version == "0.1.0" and .uptime > 0 and .engine.fds > 5 and .engine.fds <= .engine.fds_max' "$S/stats.json" > /dev/null
jq -e --arg m "$M" '.mount == $m' "$S/stats.json" > /dev/null
for f in config metrics stats.json topology.dot version; do
	for way in "cat $S/$f" "pv -q $S/$f" "dd status=none bs=100 if=$S/$f" "tail -c +1 $S/$f" "head -c 100000 $S/$f" \
		"cp $S/$f /dev/stdout" "sh -c 'pv -q < $S/$f | cat'"; do
		eval "$way" > "$T/text"
		[ -s "$T/text" ] || fail "$way: nothing"
		tail -c 1 "$T/text" | cmp - <(echo) || fail "$way: no end"
	done
	(exec 4< "$S/$f" && [ "$(stat -Lc %s /dev/fd/4)" = "$(wc -c <&4)" ]) || fail "$f: not its size"
	# shellcheck disable=SC2002 # what tail has no way to seek in
	cmp <(tail -c 5 "$S/$f") <(cat "$S/$f" | tail -c 5)
done
diff "$S/config" "$S/config"

# ---- nothing can be changed, not by root either
for f in config stats.json; do
	refuse 'Permission denied' sh -c "echo > $S/$f"
	refuse 'Permission denied' sh -c "echo >> $S/$f"
	refuse 'Permission denied' truncate -s 0 "$S/$f"
	refuse 'not permitted' rm -f "$S/$f"
	refuse 'not permitted' mv "$S/$f" "$M/x"
	refuse 'not permitted' mv "$M/t" "$S/$f"
	refuse 'not permitted' ln "$S/$f" "$M/x"
	refuse 'not permitted' chmod 600 "$S/$f"
	refuse 'No such attribute' getfattr -n spfs.stats "$S/$f"
	[ -z "$(getfattr -d -m - "$S/$f")" ] || fail "attributes"
done
refuse 'No such file' cat "$S/other"
refuse 'not permitted' touch "$S/other"

# ---- one open shows one text
mkfifo "$M/flow"
ln "$M/flow" "$M/keep"
cat "$M/keep" > /dev/null &
rm "$M/t" "$M/c"
timeout 100 python3 "$HERE/files.py" "$M"
wait

# ---- what is private is not told
mkfifo -m 600 "$M/private"
mkfifo -m 644 "$M/public"
mkfifo -m 622 "$M/letters"
mkdir -m 700 "$M/closed"
mkfifo -m 666 "$M/closed/in"
mkdir -m 711 "$M/open"
mkfifo -m 666 "$M/open/in"
for n in private public closed/in; do ln "$M/$n" "$M/$n-tap"; done
names() { jq -c '[.channels[].channel]' "$S/stats.json"; }
[ "$(names)" = '["/private","/public","/letters","/closed/in","/open/in"]' ] || fail "$(names)"
if is_root; then
	[ "$(as_user bash -c "jq -c '[.channels[].channel]' $S/stats.json")" = '["/public","/letters","/open/in"]' ] ||
		fail "$(as_user cat "$S/stats.json")"
	for f in stats.json metrics topology.dot; do
		cat "$S/$f" > "$T/root"
		as_user cat "$S/$f" > "$T/user"
		cat "$S/$f" > "$T/root2" # what the user was shown is not what root is
		grep -q private "$T/root"
		grep -q private "$T/root2"
		grep -q public "$T/user"
		if grep -qE 'private|closed' "$T/user"; then fail "$f tells what is private"; fi
	done
fi

# ---- hostile names
python3 - "$M" <<'P'
import os, sys
root = os.fsencode(sys.argv[1]) + b"/"
for name in b'q"]; x [label="', b"back\\slash\\", b"new\nline\ttab", b"\xff\xfe", b"\xff\xfd", b"&lt;&#1;<b>", b"\x01\x1f\x7f", \
        "é€\U0001f600\ufffe".encode(), b"}", b"a" * 255:
    os.mkfifo(root + name)
    os.link(root + name, root + b"tap" + name[:252])
P
cat "$S/metrics" > "$T/metrics"
python3 "$HERE/prometheus.py" < "$T/metrics"
if command -v promtool > /dev/null; then promtool check metrics < "$T/metrics"; fi
jq -e '.channels | length == 15' "$S/stats.json" > /dev/null
dot -Tsvg "$S/topology.dot" > "$T/topology.svg"
spfs graph -i 0.1 "$M" > "$T/graph.svg"
spfs graph -i 0 -T png -o "$T/graph.png" "$M/open"
file=$(head -c 4 "$T/graph.png" | tail -c 3)
[ "$file" = PNG ] || fail "no PNG"
spfs graph -i 0 -T dot "$M" | cmp - "$S/topology.dot"
python3 - "$T/topology.svg" "$T/graph.svg" <<'P'
import sys
import xml.etree.ElementTree as tree
for path in sys.argv[1:]:
    text = " ".join(e.text or "" for e in tree.parse(path).iter() if e.tag.endswith("text"))
    text = text.replace("\xa0", " ")
    for name in "/public", "/tapé€", '/q"]; x [label="', "/back\\slash\\", "/new\\x0aline\\x09tab", "/&lt;&#1;<b>", "/}":
        assert name in text, (name, text)
P
refuse 'not a mount of spfs' spfs graph -i 0 "$T"
refuse 'not installed' env PATH="$BUILD/cmd" spfs graph -i 0 "$M"
refuse 'Usage' spfs graph

# ---- a path as long as one can be
python3 -c '
import os, sys
os.chdir(sys.argv[1])
for i in range(20):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
os.mkfifo("end")
' "$M"
jq -e '.channels | map(.channel | select(endswith("/end"))) | length == 1 and (.[0] | length > 4000)' \
	"$S/stats.json" > /dev/null

# ---- many look-ups leave nothing behind
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON/status"; }
look() { python3 -c '
import sys, os
for i in range(int(sys.argv[2])):
    if os.fork() == 0:
        n = len(open(sys.argv[1], "rb").read())
        os._exit(n < 1000)
    assert os.wait()[1] == 0
' "$S/stats.json" "$1"; }
look 500
before=$(rss)
look 1500
sanitized || [ $(($(rss) - before)) -lt 4000 ] || fail "from $before to $(rss) KiB"
finish
