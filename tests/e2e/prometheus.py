"""Checks the text format of Prometheus on standard input: its grammar, and what would have a scrape refused."""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?|NaN|[+-]Inf)")
HELP = re.compile(rf"# HELP ({NAME}) \S.*")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge)")

text = sys.stdin.buffer.read().decode()
assert text.endswith("\n")
helped, types, samples, current = set(), {}, set(), None
for line in text.split("\n")[:-1]:
    if m := HELP.fullmatch(line):
        assert m[1] not in helped, line
        helped.add(m[1])
    elif m := TYPE.fullmatch(line):
        assert m[1] in helped and m[1] not in types, line
        assert (m[2] == "counter") == m[1].endswith("_total"), line
        types[m[1]] = m[2]
        current = m[1]
    else:
        m = SAMPLE.fullmatch(line)
        assert m, line
        assert m[1] == current, f"apart from its metric: {line}"
        labels = re.findall(r"([a-zA-Z0-9_]+)=", re.sub(r'"(?:[^"\\]|\\.)*"', "", m[2] or ""))
        assert len(labels) == len(set(labels)), line
        assert (m[1], m[2]) not in samples, f"twice: {line}"
        samples.add((m[1], m[2]))
assert samples
