"""The AWS SDK for JavaScript, which speaks AWS JSON 1.1."""

import json
import shutil
import subprocess
import unittest

from programs import PATIENCE, WORK, GameLift

SCRIPT = """
import { GameLift, FleetCapacityExceededException } from "@aws-sdk/client-gamelift";
const aws = new GameLift({
  endpoint: process.argv[2], region: "us-west-2", credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
const said = {};
await aws.createLocation({ LocationName: "custom-desk" });
const { FleetAttributes } = await aws.createFleet({
  Name: "desk", ComputeType: "ANYWHERE", Locations: [{ Location: "custom-desk" }],
});
said.status = FleetAttributes.Status;
said.isDate = FleetAttributes.CreationTime instanceof Date;
const FleetId = FleetAttributes.FleetId;
await aws.registerCompute({ FleetId, ComputeName: "desk-1", IpAddress: "10.1.2.3", Location: "custom-desk" });
said.token = (await aws.getComputeAuthToken({ FleetId, ComputeName: "desk-1" })).AuthToken.length;
try {
  await aws.createGameSession({ FleetId, Location: "custom-desk", MaximumPlayerSessionCount: 2 });
} catch (error) {
  said.typed = error instanceof FleetCapacityExceededException;
  said.message = error.message;
}
console.log(JSON.stringify(said));
"""


@unittest.skipUnless(shutil.which("node"), "node is not installed")
class JavaScript(unittest.TestCase):
    def test_results_and_typed_errors(self):
        script = WORK / "gamelift.mjs"
        script.write_text(SCRIPT)
        with GameLift() as local:
            done = subprocess.run(
                ["node", script, local.api], cwd=WORK, capture_output=True, text=True, timeout=PATIENCE
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual((said["status"], said["isDate"], said["token"], said["typed"]), ("ACTIVE", True, 36, True))
        self.assertIn("Unable to reserve a process on fleet", said["message"])
