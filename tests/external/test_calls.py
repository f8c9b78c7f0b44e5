"""The Anywhere workflow of the developer guide and a hundred more calls, through clients of three languages."""

import shutil
import unittest

import calls
import clients
from programs import GameLift, RemoteControl


class Workflow:
    """What every client does; subclasses say which client it is."""

    client = None

    def setUp(self):
        self.local = GameLift()
        self.addCleanup(self.local.stop)
        self.aws = self.client(self.local)
        self.addCleanup(self.aws.close)

    def run_calls(self, table, variables):
        for call in table:
            parameters = calls.fill(call.parameters, variables)
            with self.subTest(call.operation, parameters=parameters):
                if call.error:
                    with self.assertRaises(clients.Refused) as caught:
                        self.aws.call(call.operation, parameters)
                    self.assertEqual(caught.exception.code, call.error, caught.exception)
                    self.assertIn(calls.fill(call.text, variables), caught.exception.message)
                    continue
                result = self.aws.call(call.operation, parameters)
                for path, value in call.results.items():
                    self.assertEqual(calls.at(result, path), calls.fill(value, variables), path)
                variables.update({name: calls.at(result, path) for name, path in call.keeps.items()})

    def create(self, fleet, location):
        """Once the first heartbeat has arrived; it is on its way."""
        for attempt in range(200):
            try:
                return self.aws.call("CreateGameSession", {
                    "FleetId": fleet, "Location": location, "Name": "Debug's Session", "MaximumPlayerSessionCount": 2,
                })["GameSession"]
            except clients.Refused as refused:
                self.assertEqual(refused.code, "FleetCapacityExceededException", refused)
        self.fail("no process became available")

    def test_the_workflow_of_the_developer_guide_and_all_other_calls(self):
        call, location, compute = self.aws.call, "custom-location-1", "DevLaptop"
        made = call("CreateLocation", {"LocationName": location})["Location"]
        self.assertTrue(made["LocationArn"].endswith(f":location/{location}"))
        fleet = call("CreateFleet", {
            "Name": "LaptopFleet", "ComputeType": "ANYWHERE", "Locations": [{"Location": location}],
        })["FleetAttributes"]
        self.assertTrue(clients.is_moment(fleet["CreationTime"]))
        named = {"FleetId": fleet["FleetId"], "ComputeName": compute}
        registered = call("RegisterCompute", {**named, "IpAddress": "10.1.2.3", "Location": location})["Compute"]
        self.assertEqual(registered["ComputeStatus"], "Active")
        token = call("GetComputeAuthToken", named)["AuthToken"]
        flags = [
            "--ws-url", registered["GameLiftServiceSdkEndpoint"], "--fleet", fleet["FleetId"], "--host", compute,
            "--token", token,
        ]
        with RemoteControl(*flags) as server:
            server.callback("OnHealthCheck")
            session = self.create(fleet["FleetId"], location)["GameSessionId"]
            self.assertTrue(server.result("activate")["ok"])
            described = call("DescribeGameSessions", {"GameSessionId": session})["GameSessions"][0]
            self.assertEqual((described["Status"], described["Location"]), ("ACTIVE", location))
            player = call("CreatePlayerSession", {"GameSessionId": session, "PlayerId": "p1"})["PlayerSession"]
            self.assertTrue(server.command(f"accept {player['PlayerSessionId']}")["ok"])

            variables = {
                "location": location, "fleet": fleet["FleetId"], "fleet_arn": fleet["FleetArn"], "compute": compute,
                "session": session,
            }
            self.run_calls(calls.ALL, variables)
            updated = server.callback("OnUpdateGameSession")["data"]["GameSession"]
            self.assertEqual(updated["GameProperties"], {"map": "dust"})

            self.assertTrue(server.command(f"remove {player['PlayerSessionId']}")["ok"])
            self.assertTrue(server.command("ending")["ok"])
            described = call("DescribeGameSessions", {"GameSessionId": session})["GameSessions"][0]
            self.assertEqual(described["Status"], "TERMINATED")
            self.assertTrue(server.command("quit")["ok"])
            self.assertEqual(server.exit(), 0)
        call("DeregisterCompute", named)
        call("DeleteFleet", {"FleetId": fleet["FleetId"]})
        with self.assertRaises(clients.Refused) as caught:
            call("DeleteFleet", {"FleetId": fleet["FleetId"]})
        self.assertEqual(caught.exception.code, "InvalidFleetStatusException")


class ThroughBoto3(Workflow, unittest.TestCase):
    client = clients.Boto3


class ThroughBoto3OverCbor(Workflow, unittest.TestCase):
    client = clients.Boto3OverCbor


class ThroughTheAwsCli(Workflow, unittest.TestCase):
    client = clients.AwsCli


@unittest.skipUnless(shutil.which("node"), "node is not installed")
class ThroughJavaScript(Workflow, unittest.TestCase):
    client = clients.JavaScript


class Table(unittest.TestCase):
    def test_there_are_more_than_sixty_calls_and_many_are_errors(self):
        self.assertGreater(len(calls.ALL), 60)
        self.assertGreater(sum(call.error is not None for call in calls.ALL), 30)


if __name__ == "__main__":
    unittest.main()
