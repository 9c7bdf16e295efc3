#!/usr/bin/python3
"""Whether each room of lib/ and fs/ can be read in parts: structure.py BUILD, a folder in which all of it is built.

A file has LINES at most. And a circle of calls, files of one room each of which leads back to itself through all others,
has FILES at most: none of them is understood without the rest. What counts is a function of another file that code names, to
call it or to have it called; a row of a table names functions, and its file calls none of them.

Objects tell that: what they define, and the relocations of their code."""
import collections, glob, json, os, re, shlex, subprocess, sys

LINES = 320
FILES = 6


def tool(*command):
    env = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def rooms(build):
    """{room: {source: object}}; what is left of sources that are gone is none"""
    found = collections.defaultdict(dict)
    for unit in json.load(open(f"{build}/compile_commands.json")):
        source = os.path.relpath(unit["file"])
        if re.match(r"(lib|fs)/", source):
            words = shlex.split(unit["command"])
            output = words[words.index("-o") + 1]
            found[os.path.dirname(source)][source] = os.path.join(unit["directory"], output)
    return found


def calls(objects):
    """{(source, other source): the other's functions that it names}"""
    source_of = {o: s for s, o in objects.items()}
    home, found = {}, collections.defaultdict(set)
    for line in tool("nm", "-A", "-g", "--defined-only", *source_of):
        path, _, kind, name = re.match(r"(.*?):(\S*) (\S) (\S+)", line).groups()
        if kind in "TW":
            home[name] = source_of[path]
    assert home, f"no functions in {', '.join(objects)}"
    source, code = None, False
    for line in tool("readelf", "-rW", *source_of):
        words = line.split()
        if line.startswith("File: "):
            source = source_of.get(line[6:])
        elif line.startswith("Relocation section"):
            code = re.match(r"'\.rela?\.text\b", words[2])
        elif code and len(words) > 4 and home.get(words[4], source) != source:
            found[source, home[words[4]]].add(words[4])
    return found


def circles(found):
    """sets of files that all lead to each other, larger than FILES"""
    leads = collections.defaultdict(set)
    for a, b in found:
        leads[a].add(b)

    def reached(a):
        seen, todo = set(), [a]
        while todo:
            new = leads[todo.pop()] - seen
            seen |= new
            todo += new
        return seen

    reach = {a: reached(a) for a in list(leads)}
    every = {frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in reach}
    return [c for c in every if len(c) > FILES]


def main():
    wrong = 0
    for source in sorted(glob.glob("lib/*/*.[ch]") + glob.glob("fs/*/*.[ch]")):
        lines = sum(1 for _ in open(source))
        if lines > LINES:
            wrong = 1
            print(f"{source}: {lines} lines, more than {LINES}", file=sys.stderr)
    for room, objects in sorted(rooms(sys.argv[1]).items()):
        found = calls(objects) if len(objects) > 1 else {}  # (of a lone file readelf does not say the name)
        for circle in circles(found):
            wrong = 1
            print(f"{room}: a circle of calls through {len(circle)} files, more than {FILES}:", file=sys.stderr)
            for (a, b), names in sorted(found.items()):
                if {a, b} <= circle:
                    a, b = (os.path.basename(s) for s in (a, b))
                    print(f"    {a} -> {b}: {', '.join(sorted(names))}", file=sys.stderr)
    return wrong


sys.exit(main())
