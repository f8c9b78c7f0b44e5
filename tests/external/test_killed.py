"""kill -9 of the backend at every step of a match, and in the midst of requests: no ticket is lost, and none is doubled."""

import json
import shutil
import socket
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid

from programs import PATIENCE, WORK, Backend, GameLift, SampleServers

STEPS = ["an identity", "a ticket", "the other ticket", "both seats"]
# Milliseconds from the beginning of a request to the end of the process: before, during and after its writes.
DELAYS = [0, 2, 4, 6, 8, 10, 13, 16, 20, 30, 60]
# The backend asks GameLift about a ticket that it has heard nothing of for 30 s.
RECONCILED = 45


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mortal:
    """A backend on a file and always on the same port, that can be killed and started again."""

    def __init__(self, local: GameLift):
        self.folder = WORK / f"killed-{uuid.uuid4()}"
        self.folder.mkdir()
        self.address = f"127.0.0.1:{free_port()}"
        self.flags = ["--table", str(self.folder / "table.db"), "--sns-origin", local.line["adminEndpoint"]]
        self.api = local.api
        self.backend = self.begin()

    def begin(self):
        return Backend(self.api, *self.flags, listen=self.address)

    def kill(self):
        self.backend.process.kill()
        self.backend.process.wait(PATIENCE)
        self.backend.process.stdout.close()

    def restart(self):
        self.kill()
        self.backend = self.begin()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.backend.__exit__()
        shutil.rmtree(self.folder)


class Player:
    def __init__(self, mortal: Mortal):
        self.mortal = mortal
        self.key = str(uuid.uuid4())
        self.keys = mortal.backend.credentials()

    def ask(self, method, path, body=None, headers=None):
        """A signed request, as (status, body)."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        keys = Credentials(self.keys["AccessKeyId"], self.keys["SecretKey"], self.keys["SessionToken"])
        backend = self.mortal.backend
        data = b"" if body is None else json.dumps(body).encode()
        request = AWSRequest(method=method, url=backend.url + path, data=data, headers=headers or {})
        SigV4Auth(keys, "execute-api", backend.line["region"]).add_auth(request)
        request = request.prepare()
        ask = urllib.request.Request(request.url, data=data or None, headers=dict(request.headers), method=method)
        try:
            with urllib.request.urlopen(ask, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def start(self):
        headers = {"content-type": "application/json", "idempotency-key": self.key}
        return self.ask("POST", "/v1/matchmaking/tickets", {}, headers)

    def current(self):
        return self.ask("GET", "/v1/matchmaking/tickets/current")

    def until(self, wanted, seconds=RECONCILED):
        """The ticket, once its status is one of these."""
        deadline = time.monotonic() + seconds
        while True:
            status, ticket = self.current()
            if status == 200 and ticket["status"] in wanted:
                return ticket
            if time.monotonic() > deadline:
                raise AssertionError(f"no ticket is {wanted}: {status} {ticket}")
            time.sleep(1.1)  # the gateway lets a player ask once a second


class Killed(unittest.TestCase):
    def subscribe(self, local, mortal):
        """What happened before a subscription is confirmed is not delivered."""
        admin = local.line["adminEndpoint"]
        body = json.dumps({"endpoint": f"http://{mortal.address}/events/sns"}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{admin}/subscriptions", body, method="POST")).close()
        deadline = time.monotonic() + PATIENCE
        while True:
            with urllib.request.urlopen(f"{admin}/subscriptions") as answer:
                if json.load(answer)["subscriptions"][-1]["state"] == "confirmed":
                    return
            self.assertLess(time.monotonic(), deadline, "the backend did not confirm")
            time.sleep(0.1)

    def known_to_gamelift(self, local):
        with urllib.request.urlopen(f"{local.line['adminEndpoint']}/tickets") as answer:
            return sorted(ticket["ticketId"] for ticket in json.load(answer)["tickets"])

    def match(self, killed_after):
        def step(name):
            if name == killed_after:
                mortal.restart()

        with GameLift() as local, SampleServers(local, 2), Mortal(local) as mortal:
            self.subscribe(local, mortal)
            ada = Player(mortal)
            step("an identity")
            status, first = ada.start()
            self.assertEqual(status, 202, first)
            step("a ticket")
            status, again = ada.start()
            self.assertEqual((status, again["ticketId"]), (200, first["ticketId"]), "the same key, the same ticket")
            bob = Player(mortal)
            self.assertEqual(bob.start()[0], 202)
            step("the other ticket")
            tickets = [player.until(["SUCCEEDED"]) for player in (ada, bob)]
            step("both seats")
            kept = [player.until(["SUCCEEDED"]) for player in (ada, bob)]
            self.assertEqual([it["connection"] for it in kept], [it["connection"] for it in tickets])
            sessions = {it["connection"]["gameSessionId"] for it in tickets}
            seats = {it["connection"]["playerSessionId"] for it in tickets}
            self.assertEqual((len(sessions), len(seats)), (1, 2), "one game session, a seat for each")
            self.assertEqual(self.known_to_gamelift(local), sorted(it["ticketId"] for it in tickets))

    def test_a_match_outlives_the_backend_at_every_step(self):
        for step in STEPS:
            with self.subTest(killed_after=step):
                self.match(step)

    def test_a_start_that_is_cut_short_is_one_ticket_or_none(self):
        with GameLift() as local, Mortal(local) as mortal:
            self.subscribe(local, mortal)
            players = []
            for delay in DELAYS:
                player = Player(mortal)
                players.append(player)
                # Whatever it is answered, if anything.
                request = threading.Thread(target=self.ignored, args=[player.start])
                request.start()
                time.sleep(delay / 1000)
                mortal.restart()
                request.join(PATIENCE)
            for player in players:
                # The same key finds what there is, or makes it.
                status, ticket = player.start()
                self.assertIn(status, (200, 202), ticket)
                player.ticket_id = ticket["ticketId"]
            ends = ["SEARCHING", "PLACING", "SUCCEEDED", "FAILED", "TIMED_OUT"]
            tickets = [player.until(ends) for player in players]
            self.assertEqual([it["ticketId"] for it in tickets], [player.ticket_id for player in players])
            # GameLift has each once, but for those that never came so far; their players are told so.
            known = self.known_to_gamelift(local)
            self.assertEqual(len(known), len(set(known)))
            lost = {it["ticketId"] for it in tickets} - set(known)
            self.assertEqual(set(known) - {it["ticketId"] for it in tickets}, set(), "nobody's ticket")
            self.assertEqual({it["status"] for it in tickets if it["ticketId"] in lost} - {"FAILED"}, set())

    def ignored(self, call):
        try:
            call()
        except (OSError, ValueError):
            pass  # cut short, as it should be


if __name__ == "__main__":
    unittest.main()
