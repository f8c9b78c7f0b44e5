"""The AWS CLI, as the developer guide's Anywhere workflow uses it."""

import json
import subprocess
import unittest

from programs import PATIENCE, WORK, GameLift


class AwsCli(unittest.TestCase):
    def aws(self, local, *arguments):
        return subprocess.run(
            [WORK / "venv" / "bin" / "aws", "gamelift", *arguments, "--output", "json"],
            env=local.environment(), capture_output=True, text=True, timeout=PATIENCE,
        )

    def test_the_workflow_of_the_developer_guide(self):
        with GameLift() as local:
            def run(*arguments):
                done = self.aws(local, *arguments)
                self.assertEqual(done.returncode, 0, done.stderr)
                return json.loads(done.stdout)

            run("create-location", "--location-name", "custom-location-1")
            fleet = run(
                "create-fleet", "--name", "LaptopFleet", "--compute-type", "ANYWHERE",
                "--locations", "Location=custom-location-1",
            )["FleetAttributes"]["FleetId"]
            run(
                "register-compute", "--compute-name", "DevLaptop", "--fleet-id", fleet,
                "--ip-address", "10.1.2.3", "--location", "custom-location-1",
            )
            token = run("get-compute-auth-token", "--fleet-id", fleet, "--compute-name", "DevLaptop")
            self.assertEqual(token["ComputeName"], "DevLaptop")
            refused = self.aws(
                local, "create-game-session", "--fleet-id", fleet, "--location", "custom-location-1",
                "--maximum-player-session-count", "2",
            )
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("FleetCapacityExceededException", refused.stderr)
