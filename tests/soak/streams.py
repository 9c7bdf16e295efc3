"""
What goes through channels, and how it is known to be right: every stream is words of 8 bytes that count up, each with the
number of its writer above. A write is whole words, so a reader that sees half a word, one twice, or not the next one where
nothing may be dropped, has found a fault.
"""
import array, errno, os, random, time

from children import Numbers, Over, words
from control import Control

WRITER = 1 << 40 # the words of one writer are fewer
READ = 1 << 16

# Of what is made or opened while descriptors or memory are short; it is tried again.
SHORT = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EDQUOT, errno.ENOBUFS}


over = Numbers("over") # the round is


class Wrong(Exception):
    pass


def fail(text):
    raise Wrong(text)


def patiently(call, *args, also=()):
    """Once it is granted; what lies between is not worth a word."""
    while True:
        try:
            return call(*args)
        except OSError as e:
            if e.errno not in SHORT and e.errno not in also:
                raise
        if over["over"]:
            raise Over
        time.sleep(0.02)


def gone(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def change(path, settings):
    """By the control socket: a tap's attributes cannot be written through its mode."""
    mount, folder, name = path.rsplit("/", 2)
    control = patiently(Control, mount)
    answer = control.ask({"op": "set", "channel": f"/{folder}/{name}", "settings": settings})
    control.close()
    if "errno" in answer:
        raise OSError(getattr(errno, answer["errno"]), answer["error"])


def make(channel, taps, settings={}):
    """A channel with taps, all anew. @settings: of the taps."""
    for path in taps, [channel]:
        for p in path:
            gone(p)
    patiently(os.mkfifo, channel, 0o666)
    for tap in taps:
        patiently(os.link, channel, tap)
        if settings:
            patiently(change, tap, settings)


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def write(path, writer, numbers, seed, pace=0, large=16384):
    """Until the round is over: then numbers["written"] is all that there was. @pace: bytes a second at most; 0: any."""
    rng = random.Random(seed)
    fd = patiently(os.open, path, os.O_WRONLY, also={errno.ENXIO})
    n, began = 0, time.monotonic()
    while not over["over"]:
        count = rng.choice((1, 7, 64, 512, 512, large))
        # (a write up to PIPE_BUF is whole even where its writer is killed)
        write_all(fd, words(writer * WRITER + n, count))
        n += count
        numbers["written"] = n
        ahead = n * 8 / pace - (time.monotonic() - began) if pace else 0
        if ahead > 0:
            time.sleep(ahead)
    os.close(fd)


class Reader:
    """What has come so far of a stream, as @numbers have it: the words of writer `writer` up to `next`."""

    def __init__(self, numbers, lossy):
        self.numbers = numbers
        self.lossy = lossy
        self.resumed = True # the last one may have had one read more than it told of

    def take(self, data):
        n = self.numbers
        if len(data) % 8:
            fail(f"{len(data)} bytes: a word is cut")
        got = array.array("Q", data)
        at = 0
        while at < len(got):
            writer, first = divmod(got[at], WRITER)
            count = min(len(got) - at, self.run(got, at))
            due = n["next"] if writer == n["writer"] else 0
            most = due + (READ // 8 if self.resumed else 0)
            if writer < n["writer"] or first < due or (first > most and not self.lossy):
                fail(f"word {first} of writer {writer}, where {due} of {n['writer']} was due")
            n["next"] = first + count
            n["writer"] = writer
            n["words"] += count
            self.resumed = False
            at += count

    def run(self, got, at):
        """How many words count up from the one at @at on."""
        low, high = 1, len(got) - at
        if got[at + high - 1] - got[at] == high - 1 and got[at:] == array.array("Q", range(got[at], got[at] + high)):
            return high
        while low < high and got[at + low] - got[at] == low:
            low += 1
        return low


def read(path, numbers, lossy, pause=0):
    """One stream after another, until the round is over, or it is killed."""
    reader = Reader(numbers, lossy)
    while not over["over"]:
        fd = patiently(os.open, path, os.O_RDONLY, also={errno.EACCES})
        while data := os.read(fd, READ):
            reader.take(data)
            if pause:
                time.sleep(pause)
        os.close(fd)


def read_once(path, numbers):
    """One stream from its first word to its end: nothing is missing."""
    fd = patiently(os.open, path, os.O_RDONLY)
    reader = Reader(numbers, False)
    reader.resumed = False
    while data := os.read(fd, READ):
        reader.take(data)
    os.close(fd)
