# The command line of spfs: --help of each command and the pages agree, -h and version answer, and the exit status tells a
# wrong line (2) from what failed (1).
. "$(dirname "$0")/harness.sh"
here=$(dirname "$(realpath "$0")")
commands=$(spfs help | awk '/^    / { print $1 }')
[ "$(wc -w <<< "$commands")" -ge 14 ] || fail "commands: $commands"

[ "$(spfs version)" = "$(spfs --version)" ] && [ "$(spfs version)" = "$(spfs -V)" ] || fail "spfs version"
[ "$(spfs help)" = "$(spfs --help)" ] && [ "$(spfs help)" = "$(spfs -h)" ] || fail "spfs help"
for c in $commands; do
	spfs $c --help | grep -q "^Usage: spfs $c" || fail "spfs $c --help"
	[ "$(spfs $c --help)" = "$(spfs $c -h)" ] && [ "$(spfs $c -h)" = "$(spfs help $c)" ] || fail "spfs $c -h"
	[ "$(spfs $c --version)" = "$(spfs version)" ] || fail "spfs $c --version"
done
refuse 'No space left' sh -c 'spfs ls --help > /dev/full'

for c in $commands; do spfs $c --help > "$T/help.$c"; done
python3 - "$here/../../cmd/man/spfs.1" "$T" $commands << 'P'
import re, sys
page, folder, commands = open(sys.argv[1]).read(), sys.argv[2], sys.argv[3:]
COMMON = {"h", "?", "help", "usage", "V", "version"}
# what the page says of each command: the last item of its name, to the next command's
items = {m[1]: m.start() for m in re.finditer(r"^\.It Cm (\w+)\b.*$", page, re.M) if m[1] in commands + ["help"]}
starts = sorted(items.values()) + [len(page)]
for c in commands:
    assert c in items, f"the page does not know spfs {c}"
    told = page[items[c]:starts[starts.index(items[c]) + 1]]
    help = open(f"{folder}/help.{c}").read()
    if c == "source":  # the kinds of ports are told of in the same order everywhere
        kinds = re.findall(r"([a-z][a-z0-9-]*):[A-Z]", re.search(r" URI: ([^;]+);", re.sub(r"\s+", " ", help))[1])
        assert kinds == re.findall(r"^\.Cm ([\w-]+) : Ns", told, re.M), kinds
        config = open(sys.argv[1].replace("spfs.1", "spfs.conf.5")).read()
        assert f"\n.Cm {' , '.join(kinds)}\n" in config, kinds
    told = set(re.findall(r"(?:Fl|,) -(\w+)", told)) | set(re.findall(r"Fl (\w)\b", told))
    # "Fl wp": several letters in one
    told |= set("".join(re.findall(r"Fl ([a-zA-Z]{2,})\b", page[items[c]:page.index("\n", items[c])])))
    has = set(re.findall(r"^ +-(\w)\b", help, re.M)) | set(re.findall(r" --([\w-]+)", help))
    assert re.search(r"^\.Cm (\w+ \| )?" + c + r"\b", page, re.M), f"spfs {c} is not in the synopsis"
    if c == "sink":  # the page says: in the same way
        has -= {"fd", "wait", "progress"}
        told -= {"fd"}
    assert has - COMMON == told - COMMON, f"spfs {c}: help {sorted(has - COMMON)}, page {sorted(told - COMMON)}"
P

status() {
	local expected=$1 got=0
	shift
	"$@" > "$T/out" 2> "$T/err" < /dev/null || got=$?
	[ $got = $expected ] || fail "$*: status $got instead of $expected: $(cat "$T/err")"
	[ $got = 0 ] || [ -s "$T/err" ] || fail "$*: does not say why"
	[ $got = 0 ] || [ ! -s "$T/out" ] || fail "$*: $(cat "$T/out")"
}
status 2 spfs
status 2 spfs nonsense
status 2 spfs help nonsense
for c in $commands; do
	status 2 spfs $c --nonsense
	status 2 spfs $c -z
done
for c in tee source sink detach set get flush reload graph watch; do status 2 spfs $c; done
for wrong in "tee a" "tee a b c" "source a" "source a b c" "source a b --fd 0" "sink a --fd x" "detach a" "detach a x" \
	"detach a 0" "set a" "set a b" "set a =b" "quota a b" "reload a b" "graph a b" "graph -T" "ls -i" "ls -i x" "ls -i nan" \
	"ls -i -1" "graph -i 3601 a" "top -d 0" "top -n 0" "top -n -1" "top -n 99999999999999999999" "watch a b" "watch a -t 0" \
	"watch a -n x"; do
	status 2 spfs $wrong
done
for c in stat ls ports "graph -i 0" "get" "quota" "reload" "top -b -n 1" watch; do
	status 1 spfs $c "$T/missing"
	status 1 spfs $c /
done
status 1 spfs tee "$T/missing" x
status 1 spfs set "$T/missing" depth=1M
finish
