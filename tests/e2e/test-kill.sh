# Readers and writers killed with -9 in the middle of a stream, again and again: nobody else misses a byte.
. "$(dirname "$0")/harness.sh"
spfs_mount
make_workers
cd "$M"
fds=$(daemon_fds)
mkfifo c
for r in r1 r2 r3; do ln c $r; done
timeout 280 python3 - "$T" 200 << 'PY'
import os, random, signal, sys, time

scratch, rounds = sys.argv[1], int(sys.argv[2])
seed = random.randrange(1 << 32)
print("seed", seed, flush=True)
rng = random.Random(seed)
SIZE = 3000017
stream = rng.randbytes(SIZE)
endless = stream * 4 # more than may be on its way from a writer to a reader

def child(call, *args):
    seed = rng.randrange(1 << 32)
    pid = os.fork()
    if pid == 0:
        random.seed(seed)
        call(*args)
        os._exit(0)
    return pid

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def keep(tap, out):
    fd, to = os.open(tap, os.O_RDONLY), os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    while data := os.read(fd, random.randint(1, 100000)):
        os.write(to, data)

def read_and_die(tap, most):
    fd = os.open(tap, os.O_RDONLY)
    while most:
        data = os.read(fd, min(most, random.randint(1, 70000)))
        if not data:
            os._exit(3) # an end that is none
        most -= len(data)
    die()

def read_slowly(tap):
    fd = os.open(tap, os.O_RDONLY)
    got = 0
    while got < SIZE - 100000: # the rest is the successor's, however late the kill comes
        got += len(os.read(fd, 4096))
        time.sleep(0.001)
    signal.pause()

def write(most, then):
    fd = os.open("c", os.O_WRONLY)
    done = 0
    largest = random.choice((4000, 70000, 1000000))
    while done < most:
        done += os.write(fd, endless[done:min(most, done + random.randint(1, largest))])
    then()

def finish(pid, killed=False):
    status = os.waitpid(pid, 0)[1]
    assert status == (signal.SIGKILL if killed else 0), status

def output(tap):
    with open("%s/%s" % (scratch, tap), "rb") as f:
        return f.read()

def reader(tap):
    return child(keep, tap, "%s/%s" % (scratch, tap))

def whole(taps, pids, want):
    for tap, pid in zip(taps, pids):
        finish(pid)
        assert output(tap) == want, "%s has %d bytes, not %d" % (tap, len(output(tap)), len(want))

for n in range(rounds):
    how = ("reader dies", "reader is killed", "writer dies", "writer is killed")[n % 4]
    some = rng.randint(1, rng.choice((5000, SIZE - 100000))) # (a short stream is over before its beginning is told)
    moment = rng.random() * 0.03
    try:
        if how.startswith("reader"):
            others = [reader("r1"), reader("r2")]
            victim = child(read_and_die, "r3", some) if how == "reader dies" else child(read_slowly, "r3")
            writer = child(write, SIZE, os.getpid)
            if how == "reader is killed":
                time.sleep(moment)
                os.kill(victim, signal.SIGKILL)
            finish(victim, True)
            successor = reader("r3")
            finish(writer)
            whole(("r1", "r2"), others, stream)
            finish(successor)
            rest = output("r3")
            assert stream.endswith(rest) and rest, "the successor has other bytes"
            assert how == "reader is killed" or len(rest) == SIZE - some, (len(rest), SIZE - some)
        else:
            taps = "r1", "r2", "r3"
            readers = [reader(tap) for tap in taps]
            # (who is killed stays until then, however late that comes)
            writer = child(write, some, die) if how == "writer dies" else child(write, len(endless), signal.pause)
            if how == "writer is killed":
                # (not before a reader has a part of it: the readers would wait for the next)
                while not os.path.exists("%s/r1" % scratch) or os.path.getsize("%s/r1" % scratch) < some:
                    assert os.waitpid(readers[0], os.WNOHANG) == (0, 0), "the reader has ended"
                    time.sleep(0.0001)
                os.kill(writer, signal.SIGKILL)
                finish(writer, True)
                finish(readers[0])
                first = output("r1")
                assert some <= len(first) <= len(endless) and endless.startswith(first), len(first)
                whole(taps[1:], readers[1:], first)
            else:
                finish(writer, True)
                whole(taps, readers, stream[:some])
        for tap in "r1", "r2", "r3":
            if os.path.exists("%s/%s" % (scratch, tap)):
                os.unlink("%s/%s" % (scratch, tap))
    except AssertionError as e:
        sys.exit("round %d, %s: %s" % (n, how, e))
PY
rm c r1 r2 r3
wait_until 30 daemon_fds_at_most $fds
cd /
finish
