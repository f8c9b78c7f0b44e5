"""The backend's table on another implementation of DynamoDB: the same Rust tests against moto's.

moto 5.2.5 differs where the tests say so: its ClientRequestToken is not idempotent. It does not delete what has expired, which is
how DynamoDB looks for a while, too.
"""

import os
import socket
import subprocess
import time
import unittest

from programs import PATIENCE, ROOT, WORK


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Moto:
    """`moto_server` on a free port."""

    def __enter__(self):
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        log = open(WORK / "moto.log", "w")
        self.process = subprocess.Popen(
            [WORK / "venv" / "bin" / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=log, stderr=subprocess.STDOUT,
        )
        log.close()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return self
            except OSError:
                assert self.process.poll() is None, (WORK / "moto.log").read_text()
                assert time.monotonic() < deadline, "moto_server does not listen"
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)


class Store(unittest.TestCase):
    def test_the_tables_conditions_hold_on_moto(self):
        with Moto() as moto:
            done = subprocess.run(
                ["cargo", "test", "--quiet", "-p", "backend", "--test", "store"],
                cwd=ROOT, env={**os.environ, "BACKEND_TEST_DYNAMODB": moto.endpoint}, capture_output=True, text=True,
            )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("0 failed", done.stdout)
