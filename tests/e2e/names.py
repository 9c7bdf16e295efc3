#!/usr/bin/python3
"""What names and attributes do, told line by line, so that two file systems can be compared: names.py FOLDER.

Everything is made in FOLDER, of FIFOs and folders, and nothing in a line depends on where it is, on numbers of inodes or
on the time. As root, what permissions refuse is asked as an ordinary user (65534), in a child.
"""
import ctypes
import errno
import fcntl
import os
import stat
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4
UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2
USER = 65534


def tell(what, result):
    print("%s: %s" % (what, result), flush=True)


def word(call, *args, **kwargs):
    """What the call comes to, as a word."""
    try:
        result = call(*args, **kwargs)
    except OSError as e:
        return errno.errorcode[e.errno]
    return "ok" if result is None else result


def say(what, call, *args, **kwargs):
    tell(what, word(call, *args, **kwargs))


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def rename2(old, new, flags):
    checked(libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags))


class Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("nsec", ctypes.c_long)]


def utimens(path, atime, mtime, flags=0):
    times = (Timespec * 2)(Timespec(*atime), Timespec(*mtime))
    checked(libc.utimensat(AT_FDCWD, os.fsencode(path), times, flags))


def opened(path, flags, mode=0o644):
    os.close(os.open(path, flags, mode))


def fifo(path, mode=0o644):
    os.mkfifo(path)
    os.chmod(path, mode)


def nlink(path):
    return os.stat(path).st_nlink


def fnlink(fd):
    return os.fstat(fd).st_nlink


def times_moved(what, call, *paths):
    """Which of a, m, c of each path has moved by the call, and whether it succeeded."""
    def look():
        told = []
        for p in paths:
            st = os.lstat(p) if isinstance(p, str) else os.fstat(p)
            told.append((st.st_atime_ns, st.st_mtime_ns, st.st_ctime_ns))
        return told
    before = look()
    time.sleep(0.02)  # the kernel's own clock of files is a coarse one
    result = word(call)
    moved = []
    for old, new in zip(before, look()):
        moved.append("".join(n for n, a, b in zip("amc", old, new) if a != b) or "-")
    tell(what, "%s %s" % (result, " ".join(moved)))


def as_user(*groups):
    """Runs the function as an ordinary user where this is root, and tells its lines in their order."""
    def run(function):
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups(list(groups))
                os.setresgid(USER, USER, USER)
                os.setresuid(USER, USER, USER)
                function()
                sys.stdout.flush()
            except BaseException as e:  # a line that the other file system does not have
                print("%s: %r" % (function.__name__, e), flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
    return run


def names():
    fifo("a")
    os.mkdir("d")
    long = "n" * 255
    say("mkfifo of 255 bytes", os.mkfifo, long)
    say("mkfifo of 256 bytes", os.mkfifo, long + "n")
    say("mkdir of 256 bytes", os.mkdir, long + "n")
    say("stat of 256 bytes", os.stat, long + "n")
    say("unlink of 256 bytes", os.unlink, long + "n")
    say("rename to 256 bytes", os.rename, "a", long + "n")
    say("rename from 256 bytes", os.rename, long + "n", "a")
    say("link to 256 bytes", os.link, "a", long + "n")
    say("open of 256 bytes", opened, long + "n", os.O_WRONLY | os.O_CREAT)
    say("stat of a long path", lambda: os.stat("d/" * 2048 + "x") and None)
    os.unlink(long)
    for call, name in ((os.mkfifo, "mkfifo"), (os.mkdir, "mkdir")):
        for at in ("a", "d", ".", "..", "none/x", "a/x", "d/none/x", "", "new/"):
            if (call, at) != (os.mkdir, "new/"):
                say("%s %s" % (name, at or "nothing"), call, at)
    say("mkdir new/", os.mkdir, "new/")
    for call, name in ((os.unlink, "unlink"), (os.rmdir, "rmdir")):
        for at in ("d", "d/", "a/", "none", "a/x", ".", "..", "d/.", "d/..", "", "none/x"):
            if (name, at.rstrip("/")) == ("rmdir", "d"):
                continue
            say("%s %s" % (name, at or "nothing"), call, at)
    say("rmdir of a FIFO", os.rmdir, "a")
    fifo("d/x")
    say("rmdir not empty", os.rmdir, "d")
    os.unlink("d/x")
    say("rmdir empty", os.rmdir, "d")
    say("unlink", os.unlink, "a")
    say("rmdir new", os.rmdir, "new")
    say("backslash, space, newline, 0xff", os.mkfifo, b"\\ \n\xff")
    os.unlink(b"\\ \n\xff")


def links():
    fifo("a")
    os.mkdir("d")
    say("link of a folder", os.link, "d", "e")
    say("link of nothing", os.link, "none", "e")
    say("link over a name", os.link, "a", "d")
    say("link to itself", os.link, "a", "a")
    say("link into none", os.link, "a", "none/x")
    say("link below a FIFO", os.link, "a", "a/x")
    times_moved("link", lambda: os.link("a", "b"), "a", ".")
    tell("nlink after link", "%d %d %s" % (nlink("a"), nlink("b"), os.path.samefile("a", "b")))
    times_moved("unlink of a link", lambda: os.unlink("b"), "a", ".")
    tell("nlink after unlink", nlink("a"))
    fd = os.open("a", os.O_PATH)
    os.unlink("a")
    tell("nlink of a name that is gone", fnlink(fd))
    os.close(fd)
    os.rmdir("d")


def renames():
    os.makedirs("d/e")
    os.mkdir("f")
    fifo("a")
    fifo("b")
    say("rename of nothing", os.rename, "none", "x")
    say("rename to nowhere", os.rename, "a", "none/x")
    say("rename below a FIFO", os.rename, "a", "b/x")
    say("rename folder below itself", os.rename, "d", "d/e/x")
    say("rename folder to itself's child", os.rename, "d/e", "d")
    say("rename folder over not empty", os.rename, "f", "d")
    say("rename folder over FIFO", os.rename, "f", "a")
    say("rename FIFO over folder", os.rename, "a", "f")
    say("rename FIFO over its parent", os.rename, "d/e", "d")
    say("rename .", os.rename, ".", "x")
    say("rename to .", os.rename, "d", ".")
    say("rename ..", os.rename, "..", "x")
    say("rename to itself", os.rename, "a", "a")
    say("rename FIFO with a slash", os.rename, "a/", "x")
    say("rename FIFO to a slash", os.rename, "a", "x/")
    fd = os.open("b", os.O_PATH)
    ino = os.stat("a").st_ino
    say("rename over", os.rename, "a", "b")
    tell("nlink of what was replaced", "%d, moved %s" % (fnlink(fd), os.stat("b").st_ino == ino))
    os.close(fd)
    fd = os.open("f", os.O_RDONLY)
    say("rename folder over empty", os.rename, "d/e", "f")
    tell("nlink of a folder that was replaced", fnlink(fd))
    say("make in a folder that was replaced", lambda: os.mkfifo("x", dir_fd=fd))
    say("list a folder that was replaced", lambda: os.listdir(fd))
    os.close(fd)
    tell("nlink of folders", "%d %d %d" % (nlink("."), nlink("d"), nlink("f")))
    os.rename("f", "d/f")
    tell("nlink once one has moved", "%d %d" % (nlink("."), nlink("d")))
    tell(".. of what has moved", os.stat("d/f/..").st_ino == os.stat("d").st_ino)
    say("rename2 with an unknown flag", rename2, "b", "c", 64)
    say("rename2 noreplace of nothing", rename2, "none", "c", NOREPLACE)
    say("rename2 noreplace over itself", rename2, "b", "b", NOREPLACE)
    say("rename2 noreplace over a folder", rename2, "b", "d", NOREPLACE)
    say("rename2 noreplace and exchange", rename2, "b", "d", NOREPLACE | EXCHANGE)
    say("rename2 noreplace", rename2, "b", "c", NOREPLACE)
    say("rename2 exchange with nothing", rename2, "c", "none", EXCHANGE)
    say("rename2 exchange with a child", rename2, "d", "d/f", EXCHANGE)
    ino, other = os.stat("c").st_ino, os.stat("d").st_ino
    say("rename2 exchange", rename2, "c", "d", EXCHANGE)
    tell("exchanged", (os.stat("d").st_ino, os.stat("c").st_ino) == (ino, other))
    tell("nlink when exchanged", "%d %d" % (nlink("."), nlink("c")))
    say("rename2 exchange back", rename2, "c", "d", EXCHANGE)
    fifo("d/x")
    ino, other = os.stat("c").st_ino, os.stat("d/x").st_ino
    times_moved("rename2 exchange of FIFOs", lambda: rename2("c", "d/x", EXCHANGE), ".", "d")
    tell("exchanged FIFOs", (os.stat("d/x").st_ino, os.stat("c").st_ino) == (ino, other))
    say("rename2 exchange folders", rename2, "d/f", "d", EXCHANGE)
    os.mkdir("g")
    say("rename2 exchange folders of two", rename2, "d/f", "g", EXCHANGE)
    say("rename2 exchange with itself", rename2, "g", "g", EXCHANGE)
    os.rmdir("g")
    os.unlink("d/x")
    os.rmdir("d/f")
    times_moved("rename in a folder", lambda: os.rename("c", "e"), ".")
    times_moved("rename between folders", lambda: os.rename("e", "d/e"), ".", "d")
    st = os.stat("d/e").st_ctime_ns
    time.sleep(0.02)
    os.rename("d/e", "e")
    tell("rename moves ctime", os.stat("e").st_ctime_ns > st)
    st = os.stat("d").st_ctime_ns
    time.sleep(0.02)
    os.rename("d", "h")
    tell("rename moves a folder's ctime", os.stat("h").st_ctime_ns > st)
    os.rmdir("h")
    os.unlink("e")


def folders():
    os.mkdir("d")
    tell("nlink of an empty folder", nlink("d"))
    tell("nlink of the parent", nlink("."))
    os.mkdir("d/e")
    fifo("d/x")
    tell("nlink with a folder and a FIFO", nlink("d"))
    tell(". and ..", sorted(name for name in ("." , "..") if os.stat("d/" + name).st_ino ==
                            os.stat("d" if name == "." else ".").st_ino))
    fd = os.open("d/e", os.O_RDONLY)
    times_moved("rmdir", lambda: os.rmdir("d/e"), "d", ".", fd)
    tell("nlink of a removed folder", fnlink(fd))
    say("mkfifo in a removed folder", lambda: os.mkfifo("x", dir_fd=fd))
    say("mkdir in a removed folder", lambda: os.mkdir("x", dir_fd=fd))
    say("open in a removed folder", lambda: os.close(os.open("x", os.O_WRONLY | os.O_CREAT, dir_fd=fd)))
    say("rename into a removed folder", lambda: os.rename("d/x", "x", dst_dir_fd=fd))
    say("link into a removed folder", lambda: os.link("d/x", "x", dst_dir_fd=fd))
    say("stat in a removed folder", lambda: os.stat("x", dir_fd=fd) and None)
    say("list a removed folder", lambda: os.listdir(fd))
    say("fchmod of a removed folder", os.fchmod, fd, 0o700)
    tell("nlink of a removed folder again", fnlink(fd))
    os.close(fd)
    times_moved("mkfifo", lambda: os.mkfifo("d/y"), "d", ".")
    times_moved("mkdir", lambda: os.mkdir("d/z"), "d", ".")
    times_moved("open to create", lambda: opened("d/w", os.O_WRONLY | os.O_CREAT), "d", ".")
    times_moved("open of what is there", lambda: opened("d/x", os.O_RDWR | os.O_CREAT), "d")
    times_moved("mknod of a regular file", lambda: os.mknod("d/v", stat.S_IFREG | 0o600), "d", ".")
    say("mknod of a regular file again", os.mknod, "d/v", stat.S_IFREG | 0o600)
    times_moved("unlink", lambda: os.unlink("d/y"), "d", ".")
    times_moved("a refused mkfifo", lambda: os.mkfifo("d/x"), "d", ".")
    times_moved("a refused rmdir", lambda: os.rmdir("d"), "d", ".")
    for name in os.listdir("d"):
        (os.rmdir if name == "z" else os.unlink)("d/" + name)
    os.rmdir("d")


def listings():
    os.mkdir("d")
    fd = os.open("d", os.O_RDONLY)
    fifo("d/late")
    tell("made once the empty folder is open", os.listdir(fd))
    fifo("d/later")
    os.lseek(fd, 0, os.SEEK_SET)
    tell("made once it was listed", sorted(os.listdir(fd)))
    os.unlink("d/late")
    os.unlink("d/later")
    os.lseek(fd, 0, os.SEEK_SET)
    tell("empty again", os.listdir(fd))
    os.close(fd)
    many = 3000
    for i in range(many):
        os.mkfifo("d/n%d" % i)
    seen = 0
    with os.scandir("d") as entries:
        for e in entries:
            os.unlink(e.path)
            seen += 1
    tell("removed while listed", "%d, left %d" % (seen, len(os.listdir("d"))))
    for i in range(many):
        os.mkfifo("d/n%d" % i)
    seen = set()
    count = 0
    with os.scandir("d") as entries:
        for e in entries:
            os.rename(e.path, "d/r%d" % count)
            count += 1
            seen.add(e.inode())
            if count > 5 * many:
                break
    tell("renamed while listed", "ends %s, all %s" % (count < 5 * many, len(seen) == many))
    seen = 0
    with os.scandir("d") as entries:
        for e in entries:
            if not e.name.startswith("again"):
                os.mkfifo("d/again%d" % seen)
            seen += 1
            if seen > 5 * many:
                break
    tell("made while listed", "ends %s" % (seen < 5 * many))
    types = set()
    with os.scandir("d") as entries:
        for e in entries:
            types.add(e.inode() == e.stat(follow_symlinks=False).st_ino and not e.is_file(follow_symlinks=False))
            os.unlink(e.path)
    tell("inode and type as listed", types)
    seek()
    say("rmdir", os.rmdir, "d")


def seek():
    """telldir(3), seekdir(3), also to what is gone."""
    libc.opendir.restype = ctypes.c_void_p
    libc.readdir.restype = ctypes.c_void_p
    libc.telldir.restype = ctypes.c_long
    for name in "abcdef":
        os.mkfifo("d/" + name)
    d = ctypes.c_void_p(libc.opendir(b"d"))
    places, order = [], []
    while True:
        places.append(libc.telldir(d))
        entry = libc.readdir(d)
        if not entry:
            break
        order.append(ctypes.string_at(entry + 19))
    tell("readdir", sorted(order))
    again = []
    for place in reversed(places[:-1]):
        libc.seekdir(d, ctypes.c_long(place))
        again.append(ctypes.string_at(libc.readdir(d) + 19))
    tell("seekdir", again == order[::-1])
    libc.seekdir(d, ctypes.c_long(places[3]))
    os.unlink(b"d/" + order[3])
    os.unlink(b"d/" + order[2])
    libc.seekdir(d, ctypes.c_long(places[3]))
    tell("seekdir to what is gone", ctypes.string_at(libc.readdir(d) + 19) == order[4])
    libc.closedir(d)
    for name in os.listdir("d"):
        os.unlink("d/" + name)


def opens():
    fifo("a")
    os.mkdir("d")
    say("O_EXCL on what is there", opened, "a", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    say("O_EXCL on a folder", opened, "d", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    say("O_EXCL", opened, "x", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    say("O_DIRECTORY and O_CREAT on a folder", opened, "d", os.O_RDONLY | os.O_CREAT | os.O_DIRECTORY)
    say("O_DIRECTORY and O_CREAT on nothing", opened, "none", os.O_RDONLY | os.O_CREAT | os.O_DIRECTORY)
    say("O_DIRECTORY on a FIFO", opened, "a", os.O_RDONLY | os.O_DIRECTORY)
    say("O_CREAT on a folder", opened, "d", os.O_RDONLY | os.O_CREAT)
    say("O_CREAT with a slash", opened, "y/", os.O_RDONLY | os.O_CREAT)
    say("a folder for writing", opened, "d", os.O_WRONLY)
    say("a folder truncated", opened, "d", os.O_RDONLY | os.O_TRUNC)
    say("below a FIFO", opened, "a/x", os.O_RDONLY | os.O_CREAT)
    say("nothing", opened, "none", os.O_RDONLY)
    say("a FIFO, nobody reads", opened, "a", os.O_WRONLY | os.O_NONBLOCK)
    say("a FIFO for reading", opened, "a", os.O_RDONLY | os.O_NONBLOCK)
    say("a FIFO truncated", opened, "a", os.O_RDWR | os.O_TRUNC)
    say("truncate of a FIFO", os.truncate, "a", 0)
    say("truncate of a folder", os.truncate, "d", 0)
    say("O_NOFOLLOW", opened, "a", os.O_RDWR | os.O_NOFOLLOW)
    os.unlink("x")
    os.unlink("a")
    os.rmdir("d")


def created():
    """A file that is made by open(2), while it is open and once it is gone."""
    fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
    st = os.fstat(fd)
    tell("fstat", "%s %o %d %d" % (stat.S_ISREG(st.st_mode), st.st_mode & 0o7777, st.st_nlink, st.st_size))
    say("fchmod", os.fchmod, fd, 0o600)
    tell("chmod is seen by name", "%o" % (os.stat("f").st_mode & 0o7777))
    st = os.fstat(fd)
    tell("fstat and stat", (st.st_ino, st.st_dev) == (os.stat("f").st_ino, os.stat("f").st_dev))
    say("futimens", os.utime, fd, (1, 2))
    tell("times", "%d %d" % (os.stat("f").st_atime, os.stat("f").st_mtime))
    say("rename while open", os.rename, "f", "g")
    say("unlink while open", os.unlink, "g")
    tell("nlink once it is gone", fnlink(fd))
    say("write once it is gone", os.write, fd, b"hello")
    say("fstat once it is gone", lambda: stat.S_ISREG(os.fstat(fd).st_mode))
    say("close", os.close, fd)
    bad = []
    for i in range(300):
        fd = os.open("t%d" % i, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.unlink("t%d" % i)
        result = word(os.write, fd, b"hello")
        if result != 5:
            bad.append(result)
        os.close(fd)
    tell("write after unlink", bad)
    say("mknod of a regular file", os.mknod, "r", stat.S_IFREG | 0o640)
    tell("its mode", "%o" % (os.stat("r").st_mode & 0o7777))
    say("unlink of it", os.unlink, "r")
    tell("left", os.listdir("."))


def modes():
    fifo("a")
    os.mkdir("d")
    for mode in (0, 0o777, 0o644, 0o4755, 0o2755, 0o1755, 0o7777):
        os.chmod("a", mode)
        os.chmod("d", mode)
        tell("chmod %o" % mode, "%o %o" % (os.stat("a").st_mode & 0o7777, os.stat("d").st_mode & 0o7777))
    os.chmod("d", 0o755)
    os.chmod("a", 0o644)
    for umask in (0, 0o27, 0o777):
        old = os.umask(umask)
        os.mkfifo("u", 0o666)
        os.mkdir("v", 0o777)
        os.close(os.open("w", os.O_WRONLY | os.O_CREAT, 0o666))
        os.umask(old)
        tell("umask %o" % umask, " ".join("%o" % (os.stat(n).st_mode & 0o7777) for n in "uvw"))
        os.unlink("u")
        os.rmdir("v")
        os.unlink("w")
    os.mkfifo("s", 0o4666)
    tell("mkfifo with 4666", "%o" % (os.stat("s").st_mode & 0o7777))
    os.unlink("s")
    times_moved("chmod", lambda: os.chmod("a", 0o600), "a", ".")
    say("chmod of nothing", os.chmod, "none", 0o600)
    times_moved("chown to nobody new", lambda: os.chown("a", -1, -1), "a")
    times_moved("chown to oneself", lambda: os.chown("a", os.getuid(), os.getgid()), "a")
    os.chmod("d", 0o2755)
    os.mkfifo("d/x")
    os.mkdir("d/y")
    tell("below setgid", "%o %o" % (os.stat("d/x").st_mode & 0o7777, os.stat("d/y").st_mode & 0o7777))
    os.unlink("d/x")
    os.rmdir("d/y")
    os.unlink("a")
    os.rmdir("d")


def times():
    fifo("a")
    os.mkdir("d")
    for name in "ad":
        utimens(name, (1, 111), (2, 222))
        st = os.stat(name)
        tell("utimens %s" % name, "%d %d" % (st.st_atime_ns, st.st_mtime_ns))
        utimens(name, (0, UTIME_OMIT), (3, 333))
        st = os.stat(name)
        tell("utimens omit a", "%d %d" % (st.st_atime_ns, st.st_mtime_ns))
        utimens(name, (4, 444), (0, UTIME_OMIT))
        st = os.stat(name)
        tell("utimens omit m", "%d %d" % (st.st_atime_ns, st.st_mtime_ns))
        times_moved("utimens omit both", lambda: utimens(name, (0, UTIME_OMIT), (0, UTIME_OMIT)), name)
        times_moved("utimens now", lambda: utimens(name, (0, UTIME_NOW), (0, UTIME_OMIT)), name)
        times_moved("utimens both now", lambda: utimens(name, (0, UTIME_NOW), (0, UTIME_NOW)), name)
        say("utimens of nonsense", utimens, name, (0, 2000000000), (0, 0))
        say("utimens before 1970", utimens, name, (-5, 0), (-6, 0))
        tell("before 1970", "%d %d" % (os.stat(name).st_atime, os.stat(name).st_mtime))
        say("utimens in 2100", utimens, name, (4102444800, 0), (4102444801, 999999999))
        tell("in 2100", "%d" % os.stat(name).st_mtime_ns)
    say("utimens of nothing", utimens, "none", (1, 1), (2, 2))
    os.unlink("a")
    os.rmdir("d")


def kinds():
    say("symlink over a name", lambda: os.symlink("a", "."))
    say("readlink of a folder", os.readlink, ".")
    fifo("a")
    say("readlink of a FIFO", os.readlink, "a")
    say("symlink over a FIFO", os.symlink, "x", "a")
    say("symlink into none", os.symlink, "x", "none/x")
    say("mknod of a socket over a FIFO", os.mknod, "a", stat.S_IFSOCK | 0o600)
    say("mknod of a folder", os.mknod, "dd", stat.S_IFDIR | 0o600)
    say("lseek of a FIFO", lambda: os.lseek(os.open("a", os.O_RDWR), 0, os.SEEK_SET))
    fd = os.open(".", os.O_RDONLY)
    say("read of a folder", os.read, fd, 1)
    say("fsync of a folder", os.fsync, fd)
    say("flock of a folder", fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    say("ftruncate of a folder", os.ftruncate, fd, 0)
    os.close(fd)
    os.unlink("a")


def permissions():
    os.chmod(".", 0o755)
    for name, mode in (("open", 0o777), ("closed", 0o700), ("blind", 0o711), ("list", 0o744), ("sticky", 0o1777),
                       ("group", 0o2777)):
        os.mkdir(name)
        os.chmod(name, mode)
        fifo(name + "/root", 0o644)
        fifo(name + "/all", 0o666)
        os.mkdir(name + "/folder")
        os.chmod(name + "/folder", 0o777)
    os.chown("group", 0, 1234)
    fifo("sticky/theirs")
    os.chown("sticky/theirs", USER, USER)
    fifo("open/mine", 0o666)
    os.chown("open/mine", USER, USER)
    fifo("open/secret", 0o600)

    @as_user()
    def others():
        for name in ("open", "closed", "blind", "list", "sticky"):
            say("user: mkfifo %s/x" % name, os.mkfifo, name + "/x")
            say("user: mkdir %s/y" % name, os.mkdir, name + "/y")
            say("user: create %s/z" % name, opened, name + "/z", os.O_WRONLY | os.O_CREAT)
            say("user: stat %s/root" % name, lambda: os.stat(name + "/root") and None)
            say("user: list %s" % name, lambda: len(os.listdir(name)) > 1)
            say("user: open %s/root for writing" % name, opened, name + "/root", os.O_RDWR | os.O_NONBLOCK)
            say("user: open %s/all" % name, opened, name + "/all", os.O_RDWR | os.O_NONBLOCK)
            say("user: open %s/all to create" % name, opened, name + "/all", os.O_RDWR | os.O_CREAT)
            say("user: rename %s/all over root" % name, os.rename, name + "/all", name + "/root")
            say("user: rename %s/folder" % name, os.rename, name + "/folder", name + "/moved")
            say("user: rmdir %s/moved" % name, os.rmdir, name + "/moved")
            say("user: unlink %s/root" % name, os.unlink, name + "/root")
            say("user: chmod %s" % name, os.chmod, name, 0o777)
            say("user: exchange %s/x" % name, rename2, name + "/x", name + "/y", EXCHANGE)
        say("user: unlink sticky/theirs", os.unlink, "sticky/theirs")
        say("user: mkfifo group/x", os.mkfifo, "group/x")
        say("user: mkdir group/y", os.mkdir, "group/y")
        tell("user: group of them", "%d %d" % (os.stat("group/x").st_gid, os.stat("group/y").st_gid))
        say("user: chmod 2777 of it", os.chmod, "group/x", 0o2777)
        tell("user: mode of it", "%o" % (os.stat("group/x").st_mode & 0o7777))
        say("user: chown to root", os.chown, "open/mine", 0, -1)
        say("user: chgrp to another", os.chown, "open/mine", -1, 1234)
        say("user: chgrp to one's own", os.chown, "open/mine", -1, USER)
        say("user: chmod of one's own", os.chmod, "open/mine", 0o4666)
        say("user: chmod of another's", os.chmod, "open/secret", 0o666)
        say("user: times of another's", utimens, "open/secret", (1, 1), (1, 1))
        say("user: now for another's", utimens, "open/secret", (0, UTIME_NOW), (0, UTIME_NOW))
        say("user: now for what may be written", utimens, "sticky/all", (0, UTIME_NOW), (0, UTIME_NOW))
        say("user: times of what may be written", utimens, "sticky/all", (1, 1), (1, 1))
        say("user: open of a secret", opened, "open/secret", os.O_RDONLY | os.O_NONBLOCK)
        say("user: access of a secret", lambda: os.access("open/secret", os.R_OK))
        say("user: mknod of a device", os.mknod, "open/dev", stat.S_IFCHR | 0o600, os.makedev(1, 3))

    os.chmod("open/mine", 0o6755)
    os.chown("open/mine", 0, 0)
    tell("chown by root clears", "%o" % (os.stat("open/mine").st_mode & 0o7777))
    for where, folders_, files in os.walk(".", topdown=False):
        for name in files:
            os.unlink(os.path.join(where, name))
        for name in folders_:
            os.rmdir(os.path.join(where, name))


def main():
    os.chdir(sys.argv[1])
    os.umask(0o22)
    for group in (names, links, renames, folders, listings, opens, created, modes, times, kinds):
        tell("----", group.__name__)
        group()
    if os.geteuid() == 0:
        tell("----", "permissions")
        permissions()
    tell("left", os.listdir("."))


main()
