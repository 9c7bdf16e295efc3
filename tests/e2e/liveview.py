"""
liveview.py bytes|packets NAME: NAME is a channel with the taps NAME.disk, which is being recorded, and NAME.view, which is
drop-old. Writes records with numbers in them, stops to look at the view for as long as most of them need, and
checks what it has then: old records that were in its ring, one gap, and the newest up to the last one. What is read, lost
and waiting adds up to what was written. Says the expected stream on stdout.
"""
import json, os, select, struct, subprocess, sys

MIB = 1 << 20
DEPTH = RING = CHUNK = MIB
kind, name = sys.argv[1:]
packets = kind == "packets"
scale = 1 if packets else 4


def record(number):
    size = 16 + number * 2654435761 % 4081 if packets else 1000
    return (struct.pack("<QQ", number, size) + bytes([number % 251]) * size)[:size]


class Writer:
    def __init__(self):
        self.fd = os.open(name, os.O_WRONLY | os.O_NONBLOCK)
        self.number = self.bytes = 0
        self.starts = []
        self.poll = select.poll()
        self.poll.register(self.fd, select.POLLOUT)

    def write(self, until, between):
        while self.bytes < until:
            data = record(self.number)
            try:
                n = os.write(self.fd, data)
            except BlockingIOError:
                self.poll.poll(20)
                between()
                continue
            assert n == len(data), "a record was taken in part"
            self.starts.append(self.bytes)
            self.number += 1
            self.bytes += n
            sys.stdout.buffer.write(data)
            if self.number % 16 == 0:
                between()


class View:
    def __init__(self):
        self.fd = os.open(name + ".view", os.O_RDONLY | os.O_NONBLOCK)
        self.rest = b""
        self.bytes = 0
        self.numbers = []
        self.end = False

    def take(self, data):
        number, size = struct.unpack("<QQ", data[:16])
        assert data == record(number), f"record {number} is torn: {len(data)} bytes"
        assert not self.numbers or number > self.numbers[-1], f"{number} after {self.numbers[-1]}"
        self.numbers.append(number)

    def read(self):
        """What there is; whether there was anything."""
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return False
        self.end = not data
        self.bytes += len(data)
        if packets:
            if data:
                self.take(data)
            return bool(data)
        data = self.rest + data
        whole = len(data) // 1000 * 1000
        for at in range(0, whole, 1000):
            self.take(data[at:at + 1000])
        self.rest = data[whole:]
        return len(data) > len(self.rest) or not self.end


def stats():
    s = json.loads(subprocess.check_output(["spfs", "stat", "--json", name]))
    return s, next(t for t in s["taps"] if t["name"].endswith(".view"))


def same_by_attribute(tap):
    plain = json.loads(os.getxattr(name + ".view", "spfs.stats"))
    plain = next(t for t in plain["taps"] if t["name"].endswith(".view"))
    assert (plain["lost"], plain["drops"]) == (tap["lost"], tap["drops"]), (plain, tap)


def settle(w, view, reads):
    """Until all that was written has gone by, and where the view reads, into it."""
    while True:
        while reads and view.read():
            pass
        s, tap = stats()
        if s["bytes_in"] == w.bytes and s["waiting"] == 0 and not (reads and tap["waiting"]):
            break
        select.select([], [], [], 0.01)
    assert view.bytes + tap["lost"] + tap["waiting"] == w.bytes, (view.bytes, tap, w.bytes)
    same_by_attribute(tap)
    return tap


w, view = Writer(), View()
w.write(2 * scale * MIB, view.read)
before = settle(w, view, True)
assert not view.rest, "a record in part"

seen = len(view.numbers)
w.write(10 * scale * MIB, lambda: None) # the view stalls
tap = settle(w, view, False)
lost = tap["lost"] - before["lost"]
assert lost >= w.bytes - view.bytes - before["lost"] - RING - DEPTH - 2 * CHUNK and lost > 0, (lost, tap)
assert tap["drops"] > before["drops"], tap

settle(w, view, True)
after = view.numbers[seen:]
gaps = [i for i in range(1, len(after)) if after[i] != after[i - 1] + 1]
assert after[0] == (view.numbers[seen - 1] + 1 if seen else 0), "what was in the ring is not what comes next"
assert len(gaps) == 1, f"{len(gaps)} gaps"
old, new = after[:gaps[0]], after[gaps[0]:]
assert sum(len(record(n)) for n in old) <= RING + CHUNK, f"{len(old)} old records"
assert w.bytes - w.starts[new[0]] <= DEPTH + CHUNK, f"{w.bytes - w.starts[new[0]]} bytes behind"
assert new[-1] == w.number - 1, "the newest is missing"
assert sum(len(record(n)) for n in range(old[-1] + 1, new[0])) == lost, "the loss is not what the stats say"

w.write(12 * scale * MIB, view.read) # the view goes on
settle(w, view, True)
os.close(w.fd)
p = select.poll()
p.register(view.fd, select.POLLIN)
while not view.end:
    p.poll(5000)
    view.read()
assert not view.rest and view.numbers[-1] == w.number - 1, "the end is missing"
_, tap = stats()
assert view.bytes + tap["lost"] == w.bytes, (view.bytes, tap, w.bytes)
print(f"{kind}: {w.bytes} bytes, {tap['lost']} lost in {tap['drops']} drops", file=sys.stderr)
