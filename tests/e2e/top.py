"""Drives spfs top on a pseudo-terminal.  top.py DAEMON-PID ARGUMENT..."""
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

CLEAR = b"\x1b[H\x1b[2J"
daemon, arguments = int(sys.argv[1]), sys.argv[2:]
os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")


def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Top:
    def __init__(self, rows=24, columns=80):
        self.master, self.slave = pty.openpty()
        size(self.master, rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in 0, 1, 2:
                os.dup2(self.slave, fd)
            os.close(self.master)
            os.execvp("spfs", ["spfs", "top", "-d", "0.2", *arguments])
        self.raw = b""

    def read(self, seconds=0.1):
        if select.select([self.master], [], [], seconds)[0]:
            self.raw += os.read(self.master, 65536)

    def text(self):
        """What was written since the screen was cleared, without the terminal's sequences."""
        raw = self.raw[max(self.raw.rfind(CLEAR), 0):]
        text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>78M]", b" ", raw)
        return text.decode(errors="replace")

    def expect(self, *patterns, seconds=60):
        end = time.monotonic() + seconds
        while CLEAR not in self.raw or not all(re.search(p, self.text(), re.S) for p in patterns):
            assert os.waitpid(self.pid, os.WNOHANG)[0] == 0, f"spfs top has ended: {self.text()[-2000:]!r}"
            assert time.monotonic() < end, f"no {patterns} in {self.text()[-4000:]!r}"
            self.read()
        return self

    def press(self, keys):
        """Keys, and ^L: the screen is cleared and drawn anew after them."""
        self.raw = b""
        os.write(self.master, keys + b"\x0c")
        return self

    def look(self, keys=b""):
        """Keys, and time to draw something."""
        os.write(self.master, keys)
        self.read(0.15)
        while select.select([self.master], [], [], 0)[0]:
            self.read(0)

    def resize(self, rows, columns):
        size(self.master, rows, columns)
        return self.press(b"")

    def end(self, status=0):
        limit = time.monotonic() + 60
        while True:
            pid, got = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            assert time.monotonic() < limit, "spfs top does not end"
            self.read(0.05)
        while select.select([self.master], [], [], 0)[0]:
            self.read(0)
        assert os.waitstatus_to_exitcode(got) == status, f"status {got}: {self.text()[-500:]!r}"
        assert self.raw.rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h"), "the screen is not given back"
        assert termios.tcgetattr(self.slave) == self.before, "the terminal is not as it was"
        os.close(self.master)
        os.close(self.slave)


t = Top()
t.expect("spfs top", "NAME", "FILL", "PEERS", "cam", "r1", "plain", "-> file:", r"F1 Help")
assert "\x1b]0;owned" not in t.raw.decode(errors="replace"), "a name's sequence reached the terminal"
t.expect(r"bad\?\]0;owned\?")
t.expect("grüße")
t.press(b"h").expect("Keys", "refreshes")
t.press(b"q").expect("NAME")
t.press(b"/plain\r").expect("Filter: plain", "plain", r"^(?!.*r1)")  # (what was on its way had r1 yet)
t.press(b"/\x1b").expect("r1")
t.press(b"\x1bOH").press(b"\x1bORcam\r\r").expect("bytes_in", "taps 1")  # Home, F3: search, Enter: details
t.press(b"\x1b[6~\x1bOB\x1bOA\x1b[5~").expect("bytes_in")
t.press(b"\x1b").expect("NAME")
t.press(b" ").expect("PAUSED")
t.press(b" ").expect("F1 Help")
t.press(b"s0.3\r").expect("NAME")
t.press(b"dx\r").expect("NAME")
t.press(b"t").expect(" /r1 ", "/r2 -> file:")
t.press(b"t>>>>>>>>>>>><<rI\x1b[17~").expect("NAME")
t.press(b"\x1bOF\x1bOA\x1bOF\x1b[6~\x1b[5~\x1bOB\x1bOA").expect("NAME")
for rows, columns in (10, 40), (4, 20), (3, 12), (2, 5), (1, 1), (1, 200), (60, 1), (50, 250):
    t.resize(rows, columns)
    for keys in b"", b"h", b"\x1bOB\x1bOF", b"q", b"\r", b"q", b"/x", b"\x1b", b"t", b"t":
        t.look(keys)
t.resize(24, 80)
t.press(b"").expect("NAME", "STATE|WAIT")
os.write(t.master, b"q")
t.end()

for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT:
    t = Top()
    t.expect("NAME", "cam")
    os.kill(t.pid, number)
    t.end()

t = Top()
t.expect("NAME", "cam")
os.kill(daemon, signal.SIGKILL)
t.expect("the daemon has ended")
t.press(b"hq\r\x1b").expect("the daemon has ended")
os.write(t.master, b"q")
t.end()
