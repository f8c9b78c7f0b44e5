"""boto3 speaks AWS JSON 1.1."""

import datetime
import json
import unittest
import urllib.error
import urllib.request

from programs import GameLift


class Boto3(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.local = GameLift()
        cls.addClassCleanup(cls.local.stop)
        cls.aws = cls.local.boto3()
        cls.fleet = cls.local.line["fleetId"]
        cls.location = cls.local.line["location"]

    def refused(self, name, call, **parameters):
        with self.assertRaises(getattr(self.aws.exceptions, name)) as caught:
            call(**parameters)
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        return caught.exception.response["Error"]["Message"]

    def test_the_anywhere_workflow_of_the_developer_guide(self):
        made = self.aws.create_location(LocationName="custom-desk")["Location"]
        self.assertRegex(made["LocationArn"], r"^arn:aws:gamelift:us-west-2:\d{12}:location/custom-desk$")
        made = self.aws.create_fleet(
            Name="desk", ComputeType="ANYWHERE", Locations=[{"Location": "custom-desk"}],
            AnywhereConfiguration={"Cost": "0.25"},
        )["FleetAttributes"]
        fleet = made["FleetId"]
        self.assertEqual(made["Status"], "ACTIVE")
        self.assertIsInstance(made["CreationTime"], datetime.datetime)
        compute = self.aws.register_compute(
            FleetId=made["FleetArn"], ComputeName="desk-1", IpAddress="10.1.2.3", Location="custom-desk"
        )["Compute"]
        self.assertEqual(compute["ComputeStatus"], "Active")
        self.assertEqual(compute["GameLiftServiceSdkEndpoint"], self.local.line["sdkEndpoint"])
        token = self.aws.get_compute_auth_token(FleetId=fleet, ComputeName="desk-1")
        self.assertGreater(token["ExpirationTimestamp"], datetime.datetime.now(datetime.timezone.utc))
        self.assertEqual(self.aws.describe_compute(FleetId=fleet, ComputeName="desk-1")["Compute"], compute)
        self.assertEqual(self.aws.list_compute(FleetId=fleet)["ComputeList"], [compute])
        self.assertIn(fleet, self.aws.list_fleets()["FleetIds"])
        attributes = self.aws.describe_fleet_attributes(FleetIds=[fleet])["FleetAttributes"]
        self.assertEqual(attributes[0]["AnywhereConfiguration"], {"Cost": "0.25"})
        names = [it["LocationName"] for it in self.aws.list_locations(Filters=["CUSTOM"])["Locations"]]
        self.assertIn("custom-desk", names)
        self.assertIn(
            f"Unable to reserve a process on fleet {fleet}",
            self.refused(
                "FleetCapacityExceededException", self.aws.create_game_session,
                FleetId=fleet, Location="custom-desk", MaximumPlayerSessionCount=2,
            ),
        )

    def test_errors_are_typed_and_name_field_rule_and_value(self):
        unknown = "fleet-00000000-0000-4000-8000-000000000000"
        self.refused("NotFoundException", self.aws.describe_compute, FleetId=unknown, ComputeName="laptop")
        self.refused("NotFoundException", self.aws.describe_compute, FleetId=self.fleet, ComputeName="nobody")
        self.refused("InvalidRequestException", self.aws.list_compute, FleetId=unknown)
        self.refused("ConflictException", self.aws.create_location, LocationName=self.location)
        message = self.refused("InvalidRequestException", self.aws.create_location, LocationName="desk under the lamp")
        self.assertIn("locationName", message)
        self.assertIn("desk under the lamp", message)
        self.refused(
            "InvalidRequestException", self.aws.create_game_session, FleetId=self.fleet, MaximumPlayerSessionCount=2
        )
        self.refused("InvalidRequestException", self.aws.describe_game_sessions, FleetId=self.fleet, NextToken="nonsense")

    def test_an_operation_that_is_not_there_says_so(self):
        from botocore.exceptions import ClientError

        with self.assertRaises(ClientError) as caught:
            self.aws.list_builds()
        self.assertEqual(caught.exception.response["Error"]["Code"], "UnknownOperationException")
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 404)

    def post(self, body: bytes, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.local.api, body, headers, method="POST")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.exception as answer:
            return answer.code, json.loads(answer.read())["__type"]

    def test_what_is_no_request_gets_a_clear_error(self):
        target, json_11 = "GameLift.ListFleets", "application/x-amz-json-1.1"
        self.assertEqual(self.post(b"{}", Content_Type=json_11), (404, "UnknownOperationException"))
        self.assertEqual(
            self.post(b"no json", Content_Type=json_11, X_Amz_Target=target), (400, "SerializationException")
        )
        self.assertEqual(self.post(b"[]", Content_Type=json_11, X_Amz_Target=target), (400, "SerializationException"))

    def test_it_stops_cleanly(self):
        self.assertEqual(GameLift().stop(), 0)


if __name__ == "__main__":
    unittest.main()
