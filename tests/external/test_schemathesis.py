"""The backend against its own description: schemathesis makes requests of it, right and wrong, and looks at each answer."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from programs import HERE, WORK, Backend, GameLift

# Of each kind for each operation, and chains of them: some 2,000 requests in all.
EXAMPLES = 25
SECONDS = 90
# What must have been reached, or the run says nothing.
REACHED = {
    "POST / 200", "POST /v1/auth/token 200", "HEAD /openapi.json 200", "GET /readyz 204", "POST /events/sns 400",
    "POST /v1/matchmaking/tickets 202", "POST /v1/matchmaking/tickets 400", "POST /v1/matchmaking/tickets 409",
    "POST /v1/matchmaking/tickets 422", "GET /v1/matchmaking/tickets/{ticketId} 200",
    "GET /v1/matchmaking/tickets/{ticketId} 404", "GET /v1/matchmaking/tickets/current 200",
    "DELETE /v1/matchmaking/tickets/{ticketId} 404", "POST /v1/matchmaking/tickets/{ticketId}/acceptance 409",
    "POST /v1/sessions 202", "GET /v1/sessions/current 404", "POST /v1/party/invites 201", "GET /v1/locations 200",
    "GET /v1/players/me 200", "GET /v1/websocket 400", "GET /requestmatchmaking 200", "GET /requestmatchstatus 200",
    "POST /start_game 202", "POST /get_game_connection 404",
}


class Description(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.local = cls.enterClassContext(GameLift())
        gamelift = cls.local.boto3()
        fleets = gamelift.describe_fleet_attributes(FleetIds=[cls.local.line["fleetId"]])
        fleet = fleets["FleetAttributes"][0]["FleetArn"]
        gamelift.create_game_session_queue(Name="private", Destinations=[{"DestinationArn": fleet}])

    def run_against(self, sign: str, *flags: str) -> set[str]:
        """What was answered, by method, path and status."""
        seen = WORK / f"schemathesis-{os.getpid()}.json"
        self.addCleanup(seen.unlink, missing_ok=True)
        limits = ("--calls-per-second", "1000000", "--identities-per-minute", "1000000")
        with Backend(self.local.api, "--queue", "private", *limits) as backend:
            done = subprocess.run(
                [
                    Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run",
                    f"{backend.url}/openapi.json", "--seed", "1", "--generation-deterministic", "--no-color",
                    "--max-examples", str(EXAMPLES), "--continue-on-failure",
                    "--warnings", "off", *flags,
                ],
                env={
                    **os.environ, "BACKEND": json.dumps(backend.line), "SIGN": sign, "SEEN": str(seen),
                    "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
                },
                cwd=WORK, capture_output=True, text=True, timeout=SECONDS,
            )
            # It has answered all that; it must still answer.
            self.assertTrue(backend.credentials())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return set(json.loads(seen.read_text()))

    def test_each_answer_is_described_and_none_is_a_failure_of_the_server(self):
        seen = self.run_against("1")
        self.assertEqual(REACHED - seen, set(), sorted(seen))

    def test_without_a_signature_nobody_is_let_in(self):
        seen = self.run_against("0", "--phases", "examples,coverage,fuzzing")
        self.assertIn("GET /v1/players/me 403", seen)


if __name__ == "__main__":
    unittest.main()
