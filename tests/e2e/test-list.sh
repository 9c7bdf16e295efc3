# What spfs lists of a mount: from one file of it, for who may see it, below a folder, and with hostile names.
if [ "$(id -u)" = 0 ] && [ -z "${SPFS_NAMESPACE:-}" ]; then
	# "Every mount" is ours alone in a namespace without the other tests' mounts.
	export SPFS_NAMESPACE=1
	exec unshare -m --propagation private bash -c \
		'awk "\$3 == \"fuse.spfs\" { print \$2 }" /proc/mounts | xargs -r umount -l; exec bash "$0"' "$0"
fi
. "$(dirname "$0")/harness.sh"
spfs_mount
cd "$M"
mkdir -p sub/deep other
mkfifo a sub/b sub/deep/c other/d late
ln other/d sub/tap # one channel of two folders
ln late sub/deep/orphan
rm late
# has OPTIONS PATTERN COMMAND...: whether it says that; it is let to its end
has() {
	local options=$1 pattern=$2
	shift 2
	"$@" > "$T/has" && grep -q$options -- "$pattern" "$T/has"
}
names() { jq -c '[.[].channel] | sort' <<< "$1"; }

# ---- below a folder, by the name of a channel or of a tap, and everything
tree() { LC_ALL=C.UTF-8 spfs ls -i 0 "$1" | sed 1,2d | tr -dc 'a-z()/ \n' | awk '{ print $1 }' | xargs; }
[ "$(tree .)" = "a other d /sub/tap sub b deep c orphan /sub/deep/orphan" ] || fail "$(tree .)"
[ "$(tree sub)" = "other d /sub/tap sub b deep c orphan /sub/deep/orphan" ] || fail "$(tree sub)"
has F 'orphan (origin gone)' spfs ls -i 0 sub || fail "$(spfs ls -i 0 sub)"
[ "$(names "$(spfs stat --json sub/deep)")" = '[null,"/sub/deep/c"]' ] || fail "$(spfs stat --json sub/deep)"
[ "$(names "$(spfs stat --json .)")" = '[null,"/a","/other/d","/sub/b","/sub/deep/c"]' ] || fail "$(spfs stat --json .)"
has w d spfs ls -i 0 sub/tap || fail "a channel by its tap: $(spfs ls -i 0 sub/tap)"
[ "$(spfs ls -i 0 sub/tap other/d sub | grep -cw d)" = 1 ] || fail "told of twice: $(spfs ls -i 0 sub/tap other/d sub)"
[ "$(spfs stat --json sub | jq -c '.[0] | keys')" = "$(spfs stat --json a | jq -c keys)" ] ||
	fail "a listed channel is not as one asked for: $(spfs stat --json sub | jq -c '.[0] | keys')"
refuse 'No such file' spfs ls none
refuse 'not a splice channel' spfs ls .spfs/version
refuse 'not a splice channel' spfs stat .spfs/version
if spfs ls -i 0 none a > "$T/ls" 2> /dev/null; then fail "a missing name is no failure"; fi
grep -qw a "$T/ls" || fail "what is there is not listed: $(cat "$T/ls")"

# ---- rates of less than the second for which a look-up gets the same file
while :; do head -c 20000 /dev/zero; sleep 0.02; done > a &
cat a > /dev/null &
ln a tapped
cat tapped > /dev/null &
flows() { has E 'a +[0-9.]+[KM] ' spfs ls -i 0.2 a; }
wait_until 30 flows
draws() { has E 'label="[1-9][0-9.]*[KM]/s"' spfs graph -i 0.2 -T dot .; }
wait_until 30 draws
kill %1 %2 %3
rm tapped

# ---- hostile names
python3 - << 'P'
import os
for name in b"new\nline", b"\x1b]0;owned\x07", b"\xff\xfe", b"%s%n", "\u202ereversed".encode(), b"..." + b"x" * 252, b"a" * 255:
    os.mkdir(b"h" + name[:254])
    os.mkfifo(b"h" + name[:254] + b"/in")
    os.mkfifo(name)
os.mkdir("cut")
os.chdir("cut")
for i in range(20):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
os.mkfifo("end")
P
for c in "ls -i 0" "stat" "ports" "top -b -n 1 -d 0.1"; do
	spfs $c . > "$T/out"
	if grep -q $'\e\|\u202e' "$T/out"; then fail "spfs $c: a name steers the terminal"; fi
done
has w end spfs ls -i 0 . || fail "a long path is not listed"
for d in h*; do
	[ "$(spfs stat --json "$d" | jq length)" = 1 ] || fail "$d: $(spfs stat "$d")"
	has w in spfs ls -i 0 "$d/in" || fail "$d/in: $(spfs ls -i 0 "$d/in")"
	spfs stat "$d/in" > /dev/null
done
if spfs stat "$M/no"$'\e'"ne" > "$T/out" 2>&1 || grep -q $'\e' "$T/out"; then fail "a complaint steers the terminal"; fi

# ---- one file, not an attribute of each channel
if ! sanitized && command -v strace > /dev/null; then # LeakSanitizer cannot be traced
	for i in $(seq 200); do echo many$i; done | xargs mkfifo
	for c in "ls -i 0" stat ports "top -b -n 1 -d 0.1"; do
		strace -f -o "$T/calls" spfs $c . > /dev/null
		[ "$(wc -l < "$T/calls")" -lt 1000 ] || fail "spfs $c: $(wc -l < "$T/calls") system calls"
	done
	rm many*
fi
rm -r cut
cd /
[ "$(id -u)" = 0 ] || { finish; exit; }

# ---- for whom
mkdir "$T/bin"
cp "$BUILD/cmd/spfs" "$T/bin"
chmod -R go+rX "$T" "$M"
user() { as_user "$T/bin/spfs" "$@"; }
mkfifo -m 600 "$M/private"
mkfifo -m 622 "$M/letters"
mkfifo -m 666 "$M/sub/shared"
ln "$M/sub/shared" "$M/sub/shared-tap"
mkdir -m 700 "$M/closed"
mkfifo -m 666 "$M/closed/in"
for c in "ls -i 0" stat ports "top -b -n 1 -d 0.1" "graph -i 0 -T dot"; do
	user $c "$M" > "$T/out" 2> "$T/err" || fail "$c: $(cat "$T/err")"
	! [ -s "$T/err" ] || fail "$c: $(cat "$T/err")"
	if grep -q 'private\|closed/in' "$T/out"; then fail "$c tells what is private: $(cat "$T/out")"; fi
	[ "$c" = ports ] || grep -q letters "$T/out" || fail "$c does not tell who may write: $(cat "$T/out")"
done
refuse 'Permission denied' user stat "$M/private"
refuse 'Permission denied' user ls -i 0 "$M/private"
refuse 'Permission denied' user ls -i 0 "$M/closed"
has F shared-tap user stat "$M/sub/shared" || fail "an origin that can only be written"
user stat --json "$M/sub/shared" | jq -e 'has("taps") and (has("settings") | not)' > /dev/null ||
	fail "$(user stat --json "$M/sub/shared")"

# ---- several mounts, one of them a part of another, one dead
[ "$(spfs stat --json | jq -c '[.[].mount] | unique')" = "[\"$M\"]" ] || fail "every mount: $(spfs stat)"
mkdir "$T/second" "$T/part" "$T/whole" "$T/p p"
spfsd -o log="$T/log2" "$T/second"
mkfifo "$T/second/e"
mount --bind "$M" "$T/whole"
mount --bind "$M/sub" "$T/p p"
[ "$(spfs stat --json | jq -c '[.[].mount] | unique')" = "[\"$M\",\"$T/second\"]" ] || fail "two mounts: $(spfs stat)"
[ "$(spfs ls -i 0 | grep -cw shared-tap)" = 1 ] || fail "the same channel twice: $(spfs ls -i 0)"
[ "$(names "$(spfs stat --json "$T/p p/deep")")" = '[null,"/sub/deep/c"]' ] || fail "$(spfs stat --json "$T/p p/deep")"
spfs set "$T/p p/shared-tap" depth=64K || fail "a tap in a part of the mount"
[ "$(spfs get --json "$M/sub/shared-tap" depth | jq .depth)" = 65536 ] || fail "another tap than was meant"
umount "$T/p p" "$T/whole"

second=$(pgrep -f "^spfsd -o log=$T/log2 ")
kill -9 $second
wait_until 30 gone $second
for c in "ls -i 0" stat ports; do
	if spfs $c > "$T/out" 2> "$T/err"; then fail "$c: a dead mount is no failure"; fi
	[ "$(cat "$T/err")" = "spfs ${c%% *}: $T/second: the daemon has ended" ] || fail "$c: $(cat "$T/err")"
	[ "$c" = ports ] || grep -q shared-tap "$T/out" || fail "$c: the living mount is not listed: $(cat "$T/out")"
	refuse 'the daemon has ended' spfs $c "$T/second"
done
refuse 'the daemon has ended' spfs graph -i 0 -T dot "$T/second"
umount -l "$T/second"
finish
