# Folders deeper than a path is long: refused where they are made; moved there, they cost no more than others.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
mkdir top
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON/status"; }
for i in $(seq 200); do mkfifo "top/m$i" && echo; done > /dev/null
before=$(rss)
timeout 120 /usr/bin/python3 "$HERE/deep.py" "$M/top" 20000 || fail "deep.py"
# Channels with taps, moved to the bottom and used there.
/usr/bin/python3 - << 'PY' || fail "channels at the bottom"
import os
at = os.open("top", os.O_RDONLY)
last = sorted((n for n in os.listdir(at) if n.startswith("deep")))[-1]
down = os.open(last, os.O_RDONLY, dir_fd=at)
os.mkdir("moved", dir_fd=at)
for i in range(1, 201):
    os.rename("m%d" % i, "moved/m%d" % i, src_dir_fd=at, dst_dir_fd=at)
while True:
    try:
        below = os.open("d", os.O_RDONLY, dir_fd=down)
    except FileNotFoundError:
        break
    os.close(down)
    down = below
try:
    os.rename("moved", "moved", src_dir_fd=at, dst_dir_fd=down)
    raise SystemExit("a folder was moved to where its own path is too long")
except OSError as e:
    assert e.errno == 36, e
for i in range(1, 201):
    os.link("moved/m%d" % i, "moved/t%d" % i, src_dir_fd=at, dst_dir_fd=at)
    out = os.open("moved/t%d" % i, os.O_RDONLY | os.O_NONBLOCK, dir_fd=at)
    w = os.open("moved/m%d" % i, os.O_WRONLY, dir_fd=at)
    os.write(w, b"x")
    os.close(w)
    os.close(out)
PY
spfs ls "$M" > /dev/null
jq -e '.channels | length == 201' .spfs/stats.json > /dev/null || fail "stats.json: $(jq '.channels | length' .spfs/stats.json)"
echo "RSS: $before KiB before, $(rss) KiB with $(find top -maxdepth 1 | wc -l) names and 20,000 folders"
sanitized || [ $(($(rss) - before)) -lt 40000 ] || fail "that much memory: $(rss) KiB"
timeout 60 rm -r top
cd /
finish
