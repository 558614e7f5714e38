"""nfs-ganesha seen through `nfs-client-sim record`: what clients of it say becomes traces for the conformance suites."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import ganesha
import servers

EXPORT = "export"
ABSENCE_SECONDS = 1


def recorder():
    """The program that records."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", servers.REPOSITORY / "target"))
    program = pathlib.Path(os.environ.get("SIM_BIN", target / "debug" / "nfs-client-sim"))
    if not os.access(program, os.X_OK):
        sys.exit(f"record-traces: no recorder at {program}: build it first")
    return program.resolve()


def title():
    """What the server calls itself."""
    told = subprocess.run(["ganesha.nfsd", "-v"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return f"nfs-ganesha {told.split()[-1].removeprefix('V')}"


class Recorded:
    """A server with an empty export, seen through the recorder."""

    def __init__(self, folder, program, file, header, *flags):
        server = ganesha.Ganesha(folder, [EXPORT])  # a new one: it would remember what was in its export before
        server.start()
        self.server, self.port = server, servers.free_port()
        command = [program, "record", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--upstream", f"127.0.0.1:{server.port}", "--out", file, "--directory", f"/{EXPORT}"]
        command += [word for name, text in header.items() for word in (f"--{name}", text)]
        command += flags
        self.recorder = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        if not self.recorder.stderr.readline():  # it says when it listens
            sys.exit(f"record-traces: the recorder ended at its start, status {self.recorder.wait()}")

    name = property(lambda self: self.server.name)
    process = property(lambda self: self.server.process)

    def start(self):
        """Starts the server again, after so long an absence that the recorder has noticed it."""
        time.sleep(ABSENCE_SECONDS)
        self.server.start()

    def stop(self):
        """Stops the server."""
        return self.server.stop()

    def close(self):
        """Ends the recording and the server; an error when the recording is not whole."""
        self.recorder.send_signal(signal.SIGTERM)
        status = self.recorder.wait(30)
        self.server.stop()
        if status != 0:
            sys.exit(f"record-traces: the recorder ended with status {status}")
