"""How much of a daemon's time is that of the thread that serves the mount, whatever else this machine has to do."""


def used(path):
    """CPU time in ticks."""
    fields = open("/proc/%s/stat" % path).read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class Serving:
    """From now on."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.thread = "%s/task/%s" % (daemon, daemon)
        self.before = used(self.thread), used(daemon)

    def ticks(self):
        """Of that thread, and of all."""
        return used(self.thread) - self.before[0], used(self.daemon) - self.before[1]
