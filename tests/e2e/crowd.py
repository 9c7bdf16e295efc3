"""
crowd.py DIR PLAIN AIO: that many writers of creating handles, PLAIN by write(2) and AIO by io_submit(2) with
O_DIRECT, each of SIZE bytes that tell it from the others. Says "pid name" of each, then waits for them; exits 0
if all of them have written everything, or were killed.
"""
import ctypes, mmap, os, signal, struct, sys

SIZE = 100 * 4096

def data(number):
    return struct.pack("<I", number) * (SIZE // 4)

def by_write(name, number):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT)
    left = memoryview(data(number))
    while left:
        left = left[os.write(fd, left):]

def by_aio(name, number):
    libc = ctypes.CDLL(None, use_errno=True)
    setup, submit, getevents = 206, 209, 208
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
    ctx = ctypes.c_ulong(0)
    assert libc.syscall(setup, 4, ctypes.byref(ctx)) == 0
    page = mmap.mmap(-1, SIZE)
    page.write(data(number))
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    iocb = ctypes.create_string_buffer(struct.pack("<QIIHhIQQqQII", 0, 0, 0, 1, 0, fd, at, SIZE, 0, 0, 0, 0))
    assert libc.syscall(submit, ctx, 1, (ctypes.c_void_p * 1)(ctypes.addressof(iocb))) == 1
    event = (ctypes.c_uint64 * 4)()
    assert libc.syscall(getevents, ctx, 1, 1, event, None) == 1
    assert event[2] == SIZE, event[2]

def main():
    os.chdir(sys.argv[1])
    plain, aio = int(sys.argv[2]), int(sys.argv[3])
    pids = []
    for number in range(plain + aio):
        name = "crowd%d" % number
        pid = os.fork()
        if pid == 0:
            (by_write if number < plain else by_aio)(name, number)
            os._exit(0)
        pids.append(pid)
        print(pid, name, flush=True)
    bad = 0
    for pid in pids:
        status = os.waitpid(pid, 0)[1]
        bad += status not in (0, signal.SIGKILL)
    sys.exit(bad > 0)

if __name__ == "__main__":
    main()
