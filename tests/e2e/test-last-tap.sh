# What the last tap leaves goes as in a FIFO: with the writer gone nothing of its bytes is there for the next tap.
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
number() { spfs stat --json c | jq "$1"; }
is() { [ "$(number "$1")" = "$2" ]; }
mkfifo c
spfs tee c t
spfs set t size=4096 depth=0
head -c 3000000 /dev/zero > c &
writer=$!
wait_until 20 is '.waiting > 100000' true
kill $writer
wait $writer || true
rm t
wait_until 20 is '.lost > 100000' true # what went is counted
spfs tee c next
timeout 20 cat next > "$T/next" &
reader=$!
echo new > c
wait $reader
echo new | cmp -s - "$T/next" || fail "$(stat -c %s "$T/next") bytes"
rm next c
cd /
finish
