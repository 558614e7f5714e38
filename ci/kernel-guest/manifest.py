#!/usr/bin/env python3
"""Prints what the bucket should hold, from the reference trees on the guest's RAM disk.

usage: manifest.py FOLDER

Lines `sha256 size key`. A symbolic link is an object whose bytes are its target. An empty folder is a line with `-` for
the checksum and a key that ends in `/`. FOLDER/both stands for `old/` and `new/`, FOLDER/once for `once/`.
"""

import hashlib
import os
import sys


def rows(root):
    """The lines of one tree, keys relative to it."""
    for folder, folders, files in os.walk(root):
        for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                data = os.fsencode(os.readlink(path))
            else:
                with open(path, "rb") as file:
                    data = file.read()
            yield hashlib.sha256(data).hexdigest(), len(data), os.path.relpath(path, root)
        if not folders and not files:
            yield "-", 0, os.path.relpath(folder, root) + "/"


def main():
    """Prints all three trees."""
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    for tree, prefixes in (("both", ("old", "new")), ("once", ("once",))):
        for checksum, size, key in rows(os.path.join(sys.argv[1], tree)):
            for prefix in prefixes:
                print(checksum, size, f"{prefix}/{key}")


main()
