"""The daemon that is soaked: its start, its end, and what it has."""
import os, re, resource, signal, subprocess, time

from children import become
from streams import fail


class Daemon:
    def __init__(self, program, mount, log, uid, options, limits):
        """@limits: of setrlimit(2); nobody can change them from without, for the daemon's ids are of two users."""
        def prepare():
            for which, limit in limits.items():
                resource.setrlimit(which, (limit, limit))
            become(uid)
        with open(log, "a") as out:
            self.process = subprocess.Popen([program, "-f", "-c", "/dev/null", "-o", options, mount], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, preexec_fn=prepare)
        self.pid = self.process.pid
        self.stopped_since = None
        self.stopped = 0.0 # seconds in all

    def alive(self):
        return self.process.poll() is None

    def status(self, key):
        with open(f"/proc/{self.pid}/status") as f:
            found = re.search(rf"^{key}:\s+(\d+)", f.read(), re.M)
        if not found: # a zombie has none
            fail(f"the daemon has ended with {self.process.wait()}")
        return int(found.group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        """But for the kernel's own, which io_uring(7) keeps for what may wait for a disk."""
        count = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/comm") as f:
                    count += not f.read().startswith("iou-")
            except OSError: # it has just ended
                pass
        return count

    def has(self):
        return {"RSS": self.status("VmRSS"), "descriptors": self.descriptors(), "threads": self.threads()}

    def stop(self):
        self.stopped_since = time.monotonic()
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        if self.stopped_since:
            self.stopped += time.monotonic() - self.stopped_since
            self.stopped_since = None
            self.process.send_signal(signal.SIGCONT)
