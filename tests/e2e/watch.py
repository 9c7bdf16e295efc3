"""A watcher that does not read until it has lost events.  watch.py MOUNT"""
import json, os, socket, sys, time

mount = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(mount + "/.spfs/control")
s.settimeout(20)
s.send(json.dumps({"op": "watch", "channel": "/cam"}).encode())
assert json.loads(s.recv(65536)) == {}

total = 0
rounds = 600
for i in range(rounds):
    w = os.open(mount + "/cam", os.O_WRONLY)
    os.write(w, b"x")
    os.close(w)
    time.sleep(0.002)

seen = lost = 0
while not lost:
    event = json.loads(s.recv(65536))
    if event["event"] == "lost":
        lost = event["count"]
    else:
        seen += 1
assert lost > 0 and seen > 0, (seen, lost)
# And it goes on.
w = os.open(mount + "/cam", os.O_WRONLY)
os.write(w, b"x")
while True:
    event = json.loads(s.recv(65536))
    if event["event"] == "open" and event.get("side") == "writer":
        break
os.close(w)
