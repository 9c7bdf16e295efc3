"""What is done to the users' processes, to the daemon and to the machine meanwhile, and undone again."""
import signal, time

SYSCTLS = "/proc/sys/fs/"


class Events:
    """The part of the soak that does it."""

    def event(self, rng):
        events = [(self.kill_somebody, 10), (self.stop_somebody, 10), (self.let_go_on, 10), (self.kill_chaos, 2),
                  (self.stop_daemon, 1)]
        if self.args.sysctls:
            events.append((self.few_pages, 1))
            events.append((self.few_files, 1))
        event = rng.choices([e for e, _ in events], [w for _, w in events])[0]
        event(rng)
        self.counts[event.__name__.replace("_", " ")] += 1

    def kill_somebody(self, rng):
        victim = rng.choice(self.victims)[0]
        if victim:
            victim.kill()

    def stop_somebody(self, rng):
        running = [c for c in self.stoppable + [v[0] for v in self.victims if v[0]] if not c.ended()]
        if running:
            rng.choice(running).signal(signal.SIGSTOP)

    def let_go_on(self, rng):
        for c in self.children:
            if c.stopped:
                c.signal(signal.SIGCONT)

    def kill_chaos(self, rng):
        for child, _ in self.chaoses.values():
            child.kill()

    def for_a_while(self, seconds, undo):
        self.undo.append((time.monotonic() + seconds, undo))

    def stop_daemon(self, rng):
        self.daemon.stop()
        self.for_a_while(rng.uniform(0.05, 2), self.daemon_goes_on)

    def daemon_goes_on(self):
        self.daemon.go_on()
        self.went_on = time.monotonic()

    def sysctl(self, rng, name, value):
        with open(SYSCTLS + name) as f:
            old = f.read()
        with open(SYSCTLS + name, "w") as f:
            f.write(str(value))

        def back():
            with open(SYSCTLS + name, "w") as f:
                f.write(old)
        self.for_a_while(rng.uniform(0.2, 3), back)

    def few_pages(self, rng):
        self.sysctl(rng, "pipe-user-pages-" + rng.choice(("soft", "hard")), rng.choice((16, 256, 1024)))

    def few_files(self, rng):
        with open(SYSCTLS + "file-nr") as f:
            used = int(f.read().split()[0])
        self.sysctl(rng, "file-max", used + 20)

    def undo_due(self, everything=False):
        # (the last change of one thing is undone first)
        for item in [i for i in reversed(self.undo) if everything or i[0] <= time.monotonic()]:
            item[1]()
            self.undo.remove(item)
