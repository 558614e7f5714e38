"""The servers that the kernel checks run against: the gateway on its embedded store, and on MinIO in a container."""

import os
import pathlib
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time

from s3 import S3

VERSIONS = ["4.0", "4.1", "4.2"]
START_SECONDS = 60
STOP_SECONDS = 60
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
IMAGE = "minio/minio:RELEASE.2025-02-28T09-55-16Z"


def free_port():
    """A TCP port of 127.0.0.1 that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for_port(port, process=None):
    """Waits until something listens on 127.0.0.1:port; an error when process ended instead."""
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        if process is not None and process.poll() is not None:
            sys.exit(f"the server ended at its start, status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on port {port} after {START_SECONDS} s")


class Gateway:
    """The gateway as a process; subclasses say how it is called."""

    def __init__(self, program, folder):
        self.program, self.folder, self.port, self.process = program, pathlib.Path(folder), free_port(), None

    def arguments(self):
        """The command line after the program's name."""
        raise NotImplementedError

    def start(self):
        """Starts it and waits until it listens. Its log goes to a file in the folder."""
        with open(self.folder / "gateway.log", "ab") as log, open(self.folder / "gateway.out", "wb") as out:
            self.process = subprocess.Popen([self.program, *self.arguments()], stdout=out, stderr=log)
        try:
            wait_for_port(self.port, self.process)
        except SystemExit:
            sys.stderr.write((self.folder / "gateway.log").read_text(errors="replace")[-2000:])
            raise

    def stop(self):
        """Stops it as an operator would; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return f"killed: it had not stopped after {STOP_SECONDS} s"


class Embedded(Gateway):
    """The gateway with its own store, in one process."""

    name = "embedded"
    store = None

    def arguments(self):
        return ["demo", "--dir", self.folder / "demo", "--bind", f"127.0.0.1:{self.port}", "--lease-seconds", "10"]

    def start(self):
        super().start()
        give_up = time.monotonic() + START_SECONDS
        told = {}
        while not {"endpoint", "access-key", "secret-key"} <= told.keys():
            if time.monotonic() > give_up:
                sys.exit(f"demo did not print endpoint and keys, but {told}")
            time.sleep(0.05)
            lines = (self.folder / "gateway.out").read_text().splitlines()
            told = dict(line.split(": ", 1) for line in lines if ": " in line)
        self.store = S3(told["endpoint"].strip(), told["access-key"].strip(), told["secret-key"].strip())

    def close(self):
        """Nothing is left to end."""


class Minio(Gateway):
    """The gateway before MinIO in a container."""

    name = "minio"

    def __init__(self, program, folder):
        super().__init__(program, folder)
        keys = secrets.token_hex(8), secrets.token_hex(16)
        for line in subprocess.check_output([REPOSITORY / "ci/minio-image.sh"], text=True).splitlines():
            word, _, assignment = line.partition(" ")
            if word == "export":
                name, _, value = assignment.partition("=")
                os.environ[name] = shlex.split(value)[0]
        self.container = docker(
            *("run", "-d", "--rm", "-p", "127.0.0.1::9000"),
            *("-e", f"MINIO_ROOT_USER={keys[0]}", "-e", f"MINIO_ROOT_PASSWORD={keys[1]}", IMAGE, "server", "/data"),
        )
        self.endpoint, self.keys = "http://" + docker("port", self.container, "9000/tcp"), keys
        self.store = S3(self.endpoint, *keys)
        self.wait_until_ready()

    def wait_until_ready(self):
        """Waits until MinIO answers: its port is open before."""
        give_up = time.monotonic() + START_SECONDS
        while True:
            try:
                if self.store.request("GET", "/minio/health/ready")[0] == 200:
                    return
            except OSError:
                pass
            if time.monotonic() > give_up:
                self.close()
                sys.exit("MinIO did not become ready")
            time.sleep(0.2)

    def arguments(self):
        return [
            *("--bind", f"127.0.0.1:{self.port}", "--endpoint", self.endpoint, "--region", "us-east-1"),
            *("--access-key", self.keys[0], "--secret-key", self.keys[1]),
            *("--state-dir", self.folder / "state", "--lease-seconds", "10"),
        ]

    def close(self):
        """Ends the container."""
        docker("rm", "-f", "-v", self.container)


def docker(*arguments):
    """The output of a docker command."""
    return subprocess.check_output(["docker", *arguments], text=True, stderr=subprocess.DEVNULL).strip()
