#!/usr/bin/env python3
"""fcntl byte-range locks, as the checks of 60-locks.sh need them.

usage: ranges.py processes FILE...         locks of two processes on each FILE: prints what was refused
       ranges.py hold FILE SIGNAL UNTIL    locks bytes 0-9 of FILE, makes the file SIGNAL, ends when UNTIL is there
       ranges.py try FILE                  fails unless bytes 5-14 are locked and bytes 20-29 are free
"""

import fcntl
import os
import sys
import time

WAIT_SECONDS = 60


def lock(file, start, length, kind=fcntl.LOCK_EX):
    """Whether the lock was granted at once."""
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB, length, start)
        return True
    except BlockingIOError:
        return False


def other(path, *tries):
    """Has a process of its own try locks, each (what, start, length, kind), and print what came of it."""
    pid = os.fork()
    if pid == 0:
        with open(path, "r+b") as file:
            print(*(f"{what}: {lock(file, start, length, kind)}" for what, start, length, kind in tries), flush=True)
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit("the other process failed")


def processes(paths):
    """This process locks, splits and downgrades; another one tries."""
    exclusive, shared = fcntl.LOCK_EX, fcntl.LOCK_SH
    for path in paths:
        with open(path, "a+b") as file:
            lock(file, 10, 20)
            other(
                path,
                ("before", 0, 10, exclusive),
                ("overlapping", 25, 10, exclusive),
                ("behind", 30, 0, exclusive),
                ("shared", 15, 1, shared),
            )
            fcntl.lockf(file, fcntl.LOCK_UN, 5, 15)  # leaves 10-14 and 20-29
            lock(file, 10, 5, shared)
            other(
                path,
                ("hole", 15, 5, exclusive),
                ("rest", 20, 1, exclusive),
                ("beside a reader", 10, 5, shared),
                ("against a reader", 10, 5, exclusive),
            )
        other(path, ("after close", 0, 0, exclusive))


def hold(path, signal, until):
    """Holds a lock between two events."""
    with open(path, "r+b") as file:
        held = lock(file, 0, 10)
        with open(signal, "w", encoding="ascii"):
            pass
        give_up = time.monotonic() + WAIT_SECONDS
        while not os.path.exists(until) and time.monotonic() < give_up:
            time.sleep(0.1)
    sys.exit(not held)


def attempt(path):
    """Tries beside another client that holds."""
    with open(path, "r+b") as file:
        overlapping, beside = lock(file, 5, 10), lock(file, 20, 10)
    print("overlapping", overlapping, "beside", beside)
    sys.exit(overlapping or not beside)


if __name__ == "__main__":
    mode, *arguments = sys.argv[1:]
    if mode == "processes":
        processes(arguments)
    elif mode == "hold":
        hold(*arguments)
    else:
        attempt(*arguments)
