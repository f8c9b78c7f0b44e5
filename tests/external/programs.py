"""Starts our programs and talks to them. Everything listens on loopback, on free ports."""

import http.server
import json
import os
import queue
import re
import shutil
import subprocess
import threading
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
WORK = HERE / ".work"
ROOT = HERE.parent.parent
PATIENCE = 30  # seconds that anything may take; all of it takes milliseconds


def target() -> Path:
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT, check=True, capture_output=True
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "debug"


class GameLift:
    """`gamelift-local up --json`."""

    def __init__(self, *flags: str):
        any_port = [flag for name in ("--api", "--sdk", "--sdk-tls", "--admin") for flag in (name, "127.0.0.1:0")]
        self.ca = WORK / f"ca-{os.getpid()}-{id(self)}.pem"
        command = [target() / "gamelift-local", "up", "--json", "--ca-out", self.ca, *any_port, *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.line = json.loads(self.process.stdout.readline())
        self.api = self.line["apiEndpoint"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self) -> int:
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.ca.unlink(missing_ok=True)
        return code

    def boto3(self):
        import boto3

        return boto3.client(
            "gamelift",
            endpoint_url=self.api,
            region_name="us-west-2",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def environment(self) -> dict:
        """What a shell would export to use it."""
        return {
            **os.environ,
            "AWS_ENDPOINT_URL_GAMELIFT": self.api,
            "AWS_REGION": "us-west-2",
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }


class SampleServers:
    """`sample-server` processes on the default compute, all with one certificate."""

    def __init__(self, local: GameLift, count: int):
        certificate = WORK / f"certificate-{os.getpid()}-{id(self)}"
        made = subprocess.run(
            [target() / "sample-server", "cert", "--out", certificate], check=True, capture_output=True, text=True
        )
        self.fingerprint = re.search(r"\b[0-9a-f]{64}\b", made.stdout + made.stderr).group()
        self.certificate = certificate
        environment = {
            **os.environ,
            "GAMELIFT_SDK_WEBSOCKET_URL": local.line["sdkEndpoint"],
            "GAMELIFT_SDK_FLEET_ID": local.line["fleetId"],
            "GAMELIFT_SDK_HOST_ID": local.line["computeName"],
            "GAMELIFT_SDK_AUTH_TOKEN": local.line["authToken"],
            "GAMELIFT_SDK_PROCESS_ID": "ManagedResource",
            "RUST_LOG": "error",
        }
        command = [target() / "sample-server", "--cert", certificate / "cert.pem", "--key", certificate / "key.pem"]
        self.processes = [
            subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(count)
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(PATIENCE)
        shutil.rmtree(self.certificate)

    def join(self, address: str, player_session_id: str) -> dict:
        """A player who comes, plays for a moment and leaves."""
        done = subprocess.run(
            [
                target() / "sample-client", "join", "--address", address, "--player-session-id", player_session_id,
                "--fingerprint", self.fingerprint, "--seconds", "1", "--json",
            ],
            capture_output=True, text=True, timeout=PATIENCE,
        )
        if done.returncode != 0:
            raise AssertionError(f"the player was not let in: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class Backend:
    """`backend --json`, with a table in memory unless a flag says otherwise."""

    def __init__(self, game_lift: str = "http://127.0.0.1:9", *flags: str, listen: str = "127.0.0.1:0"):
        command = [target() / "backend", "--json", "--listen", listen, "--game-lift", game_lift, *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.line = json.loads(self.process.stdout.readline())
        self.url = self.line["endpoint"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def cognito(self):
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config

        return boto3.client(
            "cognito-identity",
            endpoint_url=self.url,
            region_name=self.line["region"],
            config=Config(signature_version=UNSIGNED),
        )

    def credentials(self) -> dict:
        """Those of a new player."""
        cognito = self.cognito()
        identity = cognito.get_id(IdentityPoolId=self.line["identityPool"])["IdentityId"]
        return cognito.get_credentials_for_identity(IdentityId=identity)["Credentials"]


class SnsSubscriber:
    """An HTTP endpoint that confirms its subscription and keeps what it is sent."""

    def __init__(self):
        self.notifications = queue.Queue()
        keep = self.notifications.put

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if body["Type"] == "SubscriptionConfirmation":
                    # Not before the answer: the service waits for it.
                    threading.Thread(target=urllib.request.urlopen, args=[body["SubscribeURL"]]).start()
                elif body["Type"] == "Notification":
                    keep(json.loads(body["Message"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def until(self, kind: str) -> dict:
        """The next event of this type."""
        while True:
            event = self.notifications.get(timeout=PATIENCE)
            if event["detail"]["type"] == kind:
                return event


class RemoteControl:
    """A game server driven in JSON lines."""

    def __init__(self, *flags: str, env: dict | None = None):
        command = [target() / "examples" / "remote_control", *flags]
        environment = {**os.environ, **(env or {})}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.lines = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()

    def until(self, wanted) -> dict:
        """The next line, seen already or still to come, that is wanted."""
        for index, line in enumerate(self.seen):
            if wanted(line):
                return self.seen.pop(index)
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line is None:
                raise EOFError(f"remote_control ended; it had said {self.seen}")
            if wanted(line):
                return line
            self.seen.append(line)

    def result(self, op: str) -> dict:
        return self.until(lambda line: line["event"] == "result" and line["op"] == op)

    def callback(self, name: str) -> dict:
        return self.until(lambda line: line["event"] == "callback" and line["name"] == name)

    def command(self, command: str) -> dict:
        """Runs one command and gives its result."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.result(command.split()[0])

    def exit(self) -> int:
        return self.process.wait(PATIENCE)
