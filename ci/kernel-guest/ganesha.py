"""nfs-ganesha on local folders: a server known to be right, which keeps the checks and the suites honest."""

import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import harness
import servers

CONFIGURATION = """
NFS_CORE_PARAM {{ NFS_Port = {port}; Bind_addr = 127.0.0.1; Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ Minor_Versions = 0, 1, 2; Lease_Lifetime = 10; Grace_Period = 10; Delegations = false;
         Only_Numeric_Owners = true; RecoveryBackend = fs; RecoveryRoot = {state}; }}
"""
EXPORT = """
EXPORT {{ Export_Id = {number}; Path = {path}; Pseudo = /{name}; Protocols = 4; Access_Type = RW;
          Squash = No_Root_Squash; SecType = sys; Transports = TCP; FSAL {{ Name = VFS; }} }}
"""


class Folders:
    """Folders in the place of buckets, files in the place of objects."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def make_bucket(self, bucket):
        """Makes the folder."""
        (self.root / bucket).mkdir(exist_ok=True)

    def put_all(self, bucket, objects):
        """Writes the files."""
        harness.write_tree(self.root / bucket, objects)

    def objects(self, bucket):
        """What S3 would hold, with a marker for every folder."""
        found, top = {}, self.root / bucket
        for folder, folders, files in os.walk(top):
            for name in files + folders:
                path = pathlib.Path(folder, name)
                if path.is_symlink():
                    data = os.fsencode(os.readlink(path))
                else:
                    data = b"" if path.is_dir() else path.read_bytes()
                key = str(path.relative_to(top)) + ("/" if path.is_dir() and not path.is_symlink() else "")
                found[key] = hashlib.sha256(data).hexdigest(), len(data)
        return found


class Ganesha:
    """nfs-ganesha, one export per folder."""

    name = "ganesha"

    def __init__(self, folder, buckets):
        self.folder, self.port, self.process = pathlib.Path(folder), servers.free_port(), None
        self.store = Folders(self.folder)
        (self.folder / "state").mkdir()
        text = CONFIGURATION.format(port=self.port, state=self.folder / "state")
        for number, name in enumerate(buckets, 1):
            self.store.make_bucket(name)
            text += EXPORT.format(number=number, path=self.folder / name, name=name)
        (self.folder / "configuration").write_text(text)

    def start(self):
        """Starts it and waits until it listens."""
        command = ["ganesha.nfsd", "-F", "-f", "configuration", "-L", "log", "-p", "pid", "-N", "EVENT"]
        self.process = subprocess.Popen(command, cwd=self.folder)
        servers.wait_for_port(self.port, self.process)

    def stop(self):
        """Stops it. Its exit status is not looked at: it is not the server under test."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return 0


def install():
    """Installs the server where it is missing; where that cannot be the program ends: in CI as a failure."""
    subprocess.run([servers.REPOSITORY / "ci/packages.sh", "nfs-ganesha", "nfs-ganesha-vfs"], check=True)
    if not shutil.which("ganesha.nfsd"):
        print("skipped: there is no nfs-ganesha", flush=True)
        sys.exit(1 if harness.in_ci() else 0)
