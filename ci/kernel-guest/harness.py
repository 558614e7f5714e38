"""The host's side of the kernel checks: seeds a bucket, boots the guests, answers what they ask for, and afterwards
compares the bucket, byte for byte, with what the guest says it should hold.

A server under test is an object with:
    name                what the result lines call it
    store               where its objects can be looked at: make_bucket, put_all and objects, as in s3.py
    start() stop()      as often as wanted; the same state is found again; stop returns the exit status
    port                of NFS on 127.0.0.1
    process             the subprocess.Popen of the last start
"""

import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
MANY = "many"  # the bucket of 10,000 objects in one prefix
GUEST_SECONDS = 420
UPLOAD_SECONDS = 30  # how long after the guest's end the bucket may take to become what it should be
CANNOT_RUN = 77


class Results:
    """Counts and prints the lines of the checks."""

    def __init__(self):
        self.passed, self.failures = 0, []

    def add(self, name, why=None):
        """Records one check; why tells that and how it failed."""
        if why is None:
            self.passed += 1
            print(f"ok {name}", flush=True)
        else:
            self.failures.append(f"FAIL {name}: {why}")
            print(self.failures[-1], flush=True)

    def close(self):
        """Repeats what failed, prints the closing line, returns the exit status."""
        if self.failures:
            print("", *self.failures, sep="\n")
        print(f"{self.passed} passed, {len(self.failures)} failed")
        return 1 if self.failures or not self.passed else 0


def checks():
    """The names of all checks: mappings of story/check for those run on both sides, and for those run once."""
    found = {"same": [], "once": []}
    for file in sorted((HERE / "checks").glob("*.sh")):
        for kind, name in re.findall(r"^(same|once) (\w+)$", file.read_text(), re.MULTILINE):
            found[kind].append(f"{file.stem}/{name}")
    return found


def few_files(source):
    """The files that every check starts with."""
    return {
        "a": b"alpha\n",
        "b": b"beta, and a little more of it\n",
        "empty": b"",
        "m": source.randbytes(100_000),
        "d/e/f": b"deep\n",
        "d/g": b"gamma\n",
        "d/two words": b"two\n",
        "d/\u00fcn\u00ef %41+&?*~": b"special\n",
    }


def numbered(count):
    """Many small files."""
    return {f"object-{number:05}": b"object %d\n" % number for number in range(count)}


def seeds():
    """What is put into the bucket beforehand: mappings of path to bytes, for the checks run on both sides and once."""
    source = random.Random(4)
    few = few_files(source)
    large = {"large": source.randbytes(20 << 20)}
    special = {
        "20-rename/mv_of_200": numbered(200),
        "30-truncate-overwrite/overwrite_large": large,
        "30-truncate-overwrite/truncate_large": large,
        "50-links-unlink/rm_r_of_2000_existing": numbered(2000),
    }
    names = checks()
    both = {f"{name}/{path}": data for name in names["same"] for path, data in few.items()}
    once = {
        f"{name}/seeded/{path}": data for name in names["once"] for path, data in special.get(name, few).items()
    }
    return both, once


def write_tree(folder, files):
    """Writes a mapping of path to bytes below folder."""
    for path, data in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


class Run:
    """One run of all checks against a server, with one minor version."""

    def __init__(self, server, version, results):
        self.server, self.version, self.results = server, version, results
        self.label = f"{server.name}-{version}"
        self.bucket = "v" + version.replace(".", "")
        self.share = pathlib.Path(tempfile.mkdtemp(prefix="kernel-checks."))
        self.guests = []

    def go(self):
        """Runs everything and records the results."""
        began = time.monotonic()
        try:
            self.server.start()
            self.seed()
            self.boot("guest.sh")
            self.attend()
            self.verify()
        finally:
            self.end_guests()
            status = self.server.stop()
            shutil.rmtree(self.share, ignore_errors=True)
        self.results.add(f"{self.label}/stops", None if status == 0 else f"exit status {status}")
        print(f"# {self.label}: {time.monotonic() - began:.0f} s", flush=True)

    def seed(self):
        """Fills the bucket, and the share with the same files."""
        both, once = seeds()
        write_tree(self.share / "both", both)
        write_tree(self.share / "once", {p: d for p, d in once.items() if "rm_r_of_2000_existing" not in p})
        store = self.server.store
        store.make_bucket(self.bucket)
        store.put_all(self.bucket, {f"old/{path}": data for path, data in both.items()})
        store.put_all(self.bucket, {f"once/{path}": data for path, data in once.items()})

    def attend(self):
        """Answers the guests until the last has ended."""
        while any(process.poll() is None for process, _ in self.guests):
            if self.server.process.poll() is not None:
                self.results.add(f"{self.label}/server", f"it died, status {self.server.process.returncode}")
                self.end_guests()
            self.answer()
            time.sleep(0.05)
        for _, reader in self.guests:
            reader.join()

    def end_guests(self):
        """Ends the guests that still run."""
        for process, reader in self.guests:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
            reader.join()

    def boot_peer(self):
        """Starts the second client."""
        self.boot("peer.sh")

    def boot(self, script, *arguments):
        """Starts a guest; its lines go to the results as they come."""
        environment = [
            f"VERS={self.version}",
            f"BUCKET={self.bucket}",
            f"SHARE={self.share}",
            f"PYTHON={os.path.realpath(sys.executable)}",
        ]
        process = subprocess.Popen(
            [HERE / "run", "-p", str(self.server.port), "-w", self.share, "-t", str(GUEST_SECONDS), "-M", "768"]
            + ["env", *environment, HERE / script, *arguments],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        reader = threading.Thread(target=self.read_lines, args=(script, process))
        reader.start()
        self.guests.append((process, reader))

    def read_lines(self, script, process):
        """Records a guest's lines, and that it came to its end."""
        closed = False
        for line in process.stdout:
            line = line.decode(errors="replace").rstrip()
            if line.startswith("ok "):
                self.results.add(f"{self.label}/{line[3:]}")
            elif line.startswith("FAIL "):
                name, _, why = line[5:].partition(": ")
                self.results.add(f"{self.label}/{name}", why)
            elif re.fullmatch(r"\d+ passed, \d+ failed", line):
                closed = True
            else:
                print(f"# {line}", flush=True)
        self.results.add(f"{self.label}/{script}-ends", None if closed else "the guest did not come to its end")

    def answer(self):
        """Does what a guest has asked for, and tells it."""
        for asked in self.share.glob("ask.*"):
            word = asked.name.removeprefix("ask.")
            asked.unlink()
            if word == "restart":
                status = self.server.stop()
                self.results.add(f"{self.label}/restart-stops", None if status == 0 else f"exit status {status}")
                self.server.start()
            elif word == "peer":
                self.boot_peer()
            (self.share / f"done.{word}").touch()

    def verify(self):
        """Compares the bucket with the guest's manifest, check by check."""
        manifest = self.share / "manifest"
        if not manifest.exists():
            self.results.add(f"{self.label}/bucket", "the guest left no manifest")
            return
        expected, folders = {}, {"old/", "new/", "once/"}
        for line in manifest.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            checksum, size, key = line.split(" ", 2)
            expected[key] = (hashlib.sha256(b"").hexdigest(), 0) if checksum == "-" else (checksum, int(size))
            parts = key.split("/")[:-1]
            folders.update("/".join(parts[: i + 1]) + "/" for i in range(len(parts)))
        give_up = time.monotonic() + UPLOAD_SECONDS
        while True:
            wrong = self.differences(expected, folders)
            if not wrong or time.monotonic() > give_up:
                break
            time.sleep(0.5)
        for group in sorted({self.group(key) for key in expected} | set(wrong)):
            why = wrong.get(group)
            self.results.add(f"{self.label}/bucket/{group}", why and "; ".join(sorted(why)[:5]))

    @staticmethod
    def group(key):
        """The check that a key belongs to."""
        return "/".join(key.split("/")[:3])

    def differences(self, expected, folders):
        """What is wrong in the bucket, by check. A folder's marker may be there where the folder should be."""
        wrong, found = {}, self.server.store.objects(self.bucket)
        for key in expected.keys() | found.keys():
            if key not in found:
                why = f"{key} is missing"
            elif key not in expected and key not in folders:
                why = f"{key} should not be there"
            elif key in expected and found[key] != expected[key]:
                why = f"{key} has {found[key][1]} bytes, {found[key][0][:12]}; should be {expected[key][1]}, {expected[key][0][:12]}"
            else:
                continue
            wrong.setdefault(self.group(key), []).append(why)
        return wrong


def set_up():
    """Fetches the guest. Where none can run this ends the program: with status 0, but in CI as a failure."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is ended
    done = subprocess.run([HERE / "run", "--setup"], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == CANNOT_RUN:
        print(f"skipped: {done.stderr.strip().splitlines()[-1]}")
        sys.exit(1 if in_ci() else 0)
    if done.returncode != 0:
        sys.exit(done.stderr)


def in_ci():
    """Whether nothing may be skipped."""
    return os.environ.get("CI") == "true"


def run_all(server, versions, results):
    """All checks against one server, for each minor version."""
    try:
        server.start()
        server.store.make_bucket(MANY)
        server.store.put_all(MANY, {f"prefix/{name}": data for name, data in numbered(10_000).items()})
    finally:
        server.stop()
    for version in versions:
        Run(server, version, results).go()
