"""
What the tests of settings read and write: a stream of 8-byte counters, and the control socket.

rows.py write NAME BYTES [STREAMS [FILE]]: counters up to BYTES, in so many streams one after the other; the last once
FILE says fifty
rows.py check BYTES: reads stdin; nothing lost, doubled or reordered
rows.py gaps BYTES: the same, but it may lose from a multiple of 8 on; says how much it has lost
rows.py change MOUNT CHANNEL FILE KEY=V,V... (TAP:KEY=V,V...): sets them in turns, by attribute and by message, until there is FILE
"""
import array, os, random, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
BLOCK = 1 << 16


def counters(at, end):
    return array.array("Q", range(at // 8, end // 8)).tobytes()


def write(name, size, streams="1", gate=None):
    size, at = int(size), 0
    for i in range(int(streams)):
        while gate and i == int(streams) - 1 and "fifty" not in open(gate).read():
            time.sleep(0.01)
        fd = os.open(name, os.O_WRONLY)
        end = size * (i + 1) // int(streams) // 8 * 8
        while at < end:
            part = memoryview(counters(at, min(at + BLOCK, end)))
            at += len(part)
            while part:
                part = part[os.write(fd, part):]
        os.close(fd)


def blocks():
    rest = b""
    while True:
        data = os.read(0, 1 << 20)
        if not data:
            assert not rest, "cut"
            return
        data = rest + data
        rest = data[len(data) // 8 * 8:]
        yield array.array("Q", data[:len(data) // 8 * 8])


def check(size):
    at = 0
    for numbers in blocks():
        assert numbers == array.array("Q", range(at, at + len(numbers))), f"not in order after byte {at * 8}"
        at += len(numbers)
    assert at * 8 == int(size), f"{at * 8} bytes of {size}"


def gaps(size):
    at = lost = 0
    for numbers in blocks():
        for n in numbers:
            assert n >= at, f"{n} after {at}"
            lost += n - at
            at = n + 1
    print(lost * 8 + int(size) - at * 8)


def change(mount, channel, over, *rows):
    from control import Control
    c = Control(mount)
    done = 0
    while not os.path.exists(over):
        row, values = random.choice(rows).split("=")
        tap, key = row.split(":") if ":" in row else (channel, row)
        value = random.choice(values.split(","))
        # (an ordinary user may not set attributes of a tap, which is shown read-only)
        if os.getuid() or random.random() < 0.5:
            answer = c.ask({"op": "set", "channel": "/" + tap, "settings": {key: value}})
            assert answer.get("errno", "EBUSY") == "EBUSY" and (key == "size" or not answer), (row, value, answer)
        else:
            try:
                os.setxattr(f"{mount}/{tap}", "spfs." + key, value.encode())
            except OSError as e:
                assert e.errno == 16 and key == "size", (row, value, e)
        done += 1
        if done == 50:
            print("fifty", flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
