#!/usr/bin/env python3
"""Makes exclusive-1 to exclusive-50 with O_EXCL in the current folder as soon as the file GO is there, while another
client does the same, and prints how many of them it was the one to make.

usage: race.py GO
"""

import os
import sys
import time

WAIT_SECONDS = 60


def made(name):
    """Whether this process made the file."""
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        return True
    except FileExistsError:
        return False


give_up = time.monotonic() + WAIT_SECONDS
while not os.path.exists(sys.argv[1]) and time.monotonic() < give_up:
    time.sleep(0.01)
print(sum(made(f"exclusive-{number}") for number in range(1, 51)))
