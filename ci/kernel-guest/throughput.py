#!/usr/bin/env python3
"""Times large and small files on an NFSv4.2 mount in a kernel guest, as a program there sees them.

usage: throughput.py PORT BUCKET ROUND LARGE_BYTES FILES SMALL_BYTES STREAMS

The server is at 127.0.0.1:PORT. The bucket must hold what is read: `guest got ROUND`, and `guest got ROUND N` for each
N below FILES. What is written is called `guest written` instead of `guest got`. Small files go in STREAMS threads.

Prints a line `WHAT SECONDS` for each of large-write (to fsync and close), large-read, small-write (to close) and
small-read. Exit status: that of `run`; 77 where no guest can run.
"""

import concurrent.futures
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SECONDS_MAX = 900
PIECE_BYTES = 1 << 20
# In the guest: mounts, then becomes this program again. $0 is this file.
IN_GUEST = '. "${0%/*}/lib.sh"; nfs_mount "/$BUCKET" $mounted && exec "$PYTHON" "$0" --mounted $mounted "$@"'


def timed(what, work):
    """Runs work and prints how long it took."""
    begun = time.monotonic()
    work()
    print(what, f"{time.monotonic() - begun:.6f}", flush=True)


def write(path, size, sync):
    """Writes a file in large pieces, and makes it durable if asked to; closing it does so too."""
    piece = os.urandom(min(size, PIECE_BYTES))
    with open(path, "wb", buffering=0) as file:
        for at in range(0, size, len(piece)):
            file.write(piece[: size - at])
        if sync:
            os.fsync(file.fileno())


def read(path, size):
    """Reads a file in large pieces; an error when it has another size."""
    with open(path, "rb", buffering=0) as file:
        got = 0
        while piece := file.read(PIECE_BYTES):
            got += len(piece)
    if got != size:
        sys.exit(f"{path}: {got} bytes, should be {size}")


def in_guest(folder, round_, large, files, small, streams):
    """Times everything on the mount."""

    def many(work, name, *rest):
        with concurrent.futures.ThreadPoolExecutor(streams) as pool:
            list(pool.map(lambda number: work(f"{folder}/guest {name} {round_} {number}", small, *rest), range(files)))

    timed("large-write", lambda: write(f"{folder}/guest written {round_}", large, True))
    timed("large-read", lambda: read(f"{folder}/guest got {round_}", large))
    timed("small-write", lambda: many(write, "written", False))
    timed("small-read", lambda: many(read, "got"))


def main():
    """Boots the guest; there, times."""
    if sys.argv[1:2] == ["--mounted"]:
        folder, *numbers = sys.argv[2:]
        in_guest(folder, *map(int, numbers))
        return
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    port, bucket, *numbers = sys.argv[1:]
    variables = ["env", "VERS=4.2", f"BUCKET={bucket}", f"PYTHON={sys.executable}"]
    program = [*variables, "sh", "-c", IN_GUEST, str(HERE / "throughput.py"), *numbers]
    os.execv(HERE / "run", ["run", "-p", port, "-t", str(SECONDS_MAX), *program])


main()
