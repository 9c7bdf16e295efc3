"""Processes of the soak, and what they share: a page of numbers each, by which they tell of themselves also when killed."""
import array, ctypes, mmap, os, signal, sys, time, traceback


class Numbers:
    """64-bit numbers that a process and its children share."""

    def __init__(self, *names):
        self.places = {name: i for i, name in enumerate(names)}
        self.memory = mmap.mmap(-1, 8 * len(names))

    def place(self, name):
        return slice(8 * self.places[name], 8 * self.places[name] + 8)

    def __getitem__(self, name):
        return int.from_bytes(self.memory[self.place(name)], "little")

    def __setitem__(self, name, value):
        self.memory[self.place(name)] = value.to_bytes(8, "little")


def become(uid):
    if uid and os.geteuid() == 0:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Over(Exception):
    """There is no more time for what was to be done."""


class Child:
    """Runs call(*args) as @uid. What goes wrong there is printed, and its status is 1."""

    def __init__(self, name, uid, call, *args):
        self.name = name
        self.status = None
        self.stopped = False
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid:
            return
        try:
            die_with_parent()
            for s in signal.SIGINT, signal.SIGTERM:
                signal.signal(s, signal.SIG_DFL)
            become(uid)
            call(*args)
            os._exit(0)
        except Over:
            os._exit(0)
        except BaseException:
            sys.stderr.write(f"{name} (process {os.getpid()}):\n{traceback.format_exc()}")
            sys.stderr.flush()
            os._exit(1)

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self, seconds):
        """Whether it has ended by then."""
        end = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def signal(self, number):
        if not self.ended():
            os.kill(self.pid, number)
            self.stopped = number == signal.SIGSTOP or (self.stopped and number != signal.SIGCONT)

    def kill(self):
        self.signal(signal.SIGKILL)

    def where(self):
        """What each of its threads waits for."""
        lines = []
        for task in sorted(os.listdir(f"/proc/{self.pid}/task")):
            for name in "comm", "wchan", "stack":
                try:
                    with open(f"/proc/{self.pid}/task/{task}/{name}") as f:
                        lines.append(f"{task} {name}: {f.read().strip()}")
                except OSError:
                    pass
        return "\n".join(lines)


def words(first, count):
    """@count words that count up from @first, as they are in a stream."""
    return array.array("Q", range(first, first + count)).tobytes()
