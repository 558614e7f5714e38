#!/usr/bin/env python3
"""Runs a guest in a network namespace whose only way out is a relay to one server port on this machine's loopback.

usage: relay.py PORT COMMAND [ARG...]

COMMAND runs in a network and a pid namespace of its own, with a device `tap0` that holds 10.213.7.1/30. Connections
to that address and PORT are relayed to 127.0.0.1:PORT out here. Nothing is configured on the host, and all processes
of the guest end with it, or with this one. Exit status is COMMAND's.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time

ADDRESS = "10.213.7.1"
SERVER_WAIT_SECONDS = 30  # how long a connection is held while nothing listens: a server that restarts
PIPE_BYTES = 1 << 20
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1


def run_guest(channel, port, command):
    """In the child: makes the namespace, hands its listening socket to the parent, becomes COMMAND."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if libc.unshare(CLONE_NEWNET) != 0:
        sys.exit(f"relay: no network namespace: {os.strerror(ctypes.get_errno())}")
    for words in (
        "link set lo up",
        "tuntap add tap0 mode tap",
        f"addr add {ADDRESS}/30 dev tap0",
        "link set tap0 up",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    with socket.create_server((ADDRESS, port), backlog=64) as listener:
        socket.send_fds(channel, [b"l"], [listener.fileno()])
    channel.close()
    # user-mode-linux leaves processes behind when it is killed, unless its pid namespace ends with it
    os.execvp("unshare", ["unshare", "--fork", "--pid", "--kill-child", "--", *command])


def connect(port):
    """A connection to the server, or None when none came to be in time."""
    give_up = time.monotonic() + SERVER_WAIT_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > give_up:
                return None
            time.sleep(0.05)


def pump(source, sink):
    """Moves bytes until either side ends, then ends both: RPC has no use for half a connection."""
    out_of, into = os.pipe()
    try:
        while count := os.splice(source.fileno(), into, PIPE_BYTES):
            while count:
                count -= os.splice(out_of, sink.fileno(), count)
    except OSError:
        pass
    finally:
        os.close(out_of)
        os.close(into)
        for side in (source, sink):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def relay(guest, port):
    """Serves one connection of the guest to its end."""
    with guest:
        server = connect(port)
        if server is None:
            print(f"relay: nothing listens on port {port}", file=sys.stderr, flush=True)
            return
        with server:
            for side in (guest, server):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=pump, args=(server, guest), daemon=True)
            back.start()
            pump(guest, server)
            back.join()


def accept(listener, port):
    """Serves the guest's connections, each in a thread."""
    while True:
        guest, _ = listener.accept()
        threading.Thread(target=relay, args=(guest, port), daemon=True).start()


def main():
    """Starts the guest, relays for it, ends with its status."""
    port, command = int(sys.argv[1]), sys.argv[2:]
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        run_guest(theirs, port, command)
    theirs.close()
    signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGKILL))
    _, sockets, *_ = socket.recv_fds(ours, 1, 1)
    if sockets:
        listener = socket.socket(fileno=sockets[0])
        threading.Thread(target=accept, args=(listener, port), daemon=True).start()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)


main()
