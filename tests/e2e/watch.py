"""A watcher that does not read until it has lost events.  watch.py MOUNT"""
import json, os, select, socket, sys, time

mount = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(mount + "/.spfs/control")
s.settimeout(20)
s.send(json.dumps({"op": "watch", "channel": "/cam"}).encode())
assert json.loads(s.recv(65536)) == {}

lost = seen = 0
while not lost: # so many that they cannot all wait for it; the kernel says how many that is
    for i in range(600):
        w = os.open(mount + "/cam", os.O_WRONLY)
        os.write(w, b"x")
        os.close(w)
        time.sleep(0.002)
    while select.select([s], [], [], 1)[0]:
        event = json.loads(s.recv(65536))
        if event["event"] == "lost":
            lost += event["count"]
        else:
            seen += 1
assert seen > 0, seen
# And it goes on.
w = os.open(mount + "/cam", os.O_WRONLY)
os.write(w, b"x")
while True:
    event = json.loads(s.recv(65536))
    if event["event"] == "open" and event.get("side") == "writer":
        break
os.close(w)
