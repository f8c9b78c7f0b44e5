"""From two tickets to a game, by boto3 and by the AWS CLI, with real game servers and players."""

import json
import subprocess
import time
import unittest

from programs import PATIENCE, WORK, GameLift, SampleServers, SnsSubscriber


class Boto3:
    """Matchmaking as a Lambda function in Python does it."""

    def __init__(self, local):
        self.client = local.boto3()

    def start(self, ticket, player, skill):
        attributes = {"skill": {"N": skill}}
        return self.client.start_matchmaking(
            ConfigurationName="default", TicketId=ticket, Players=[{"PlayerId": player, "PlayerAttributes": attributes}]
        )["MatchmakingTicket"]

    def describe(self, tickets):
        return self.client.describe_matchmaking(TicketIds=tickets)["TicketList"]


class AwsCli:
    """The same by hand."""

    def __init__(self, local):
        self.local = local

    def run(self, *arguments):
        done = subprocess.run(
            [WORK / "venv" / "bin" / "aws", "gamelift", *arguments, "--output", "json"],
            env=self.local.environment(), capture_output=True, text=True, timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, ticket, player, skill):
        players = f"PlayerId={player},PlayerAttributes={{skill={{N={skill}}}}}"
        return self.run(
            "start-matchmaking", "--configuration-name", "default", "--ticket-id", ticket, "--players", players
        )["MatchmakingTicket"]

    def describe(self, tickets):
        return self.run("describe-matchmaking", "--ticket-ids", *tickets)["TicketList"]


class Matchmaking(unittest.TestCase):
    def matched(self, aws):
        """Tickets of two players, COMPLETED."""
        for ticket, player, skill in [("ticket-1", "ada", 20), ("ticket-2", "bob", 25)]:
            self.assertEqual(aws.start(ticket, player, skill)["Status"], "QUEUED")
        deadline = time.monotonic() + PATIENCE
        while True:
            tickets = aws.describe(["ticket-1", "ticket-2"])
            if all(ticket["Status"] == "COMPLETED" for ticket in tickets):
                return tickets
            self.assertLess(time.monotonic(), deadline, tickets)
            time.sleep(0.1)

    def story(self, client):
        events = WORK / f"events-{client.__name__}.jsonl"
        events.unlink(missing_ok=True)
        with SnsSubscriber() as sns, GameLift("--events", str(events), "--sns-subscriber", sns.url) as local:
            with SampleServers(local, 2) as servers:
                tickets = self.matched(client(local))
                connections = [ticket["GameSessionConnectionInfo"] for ticket in tickets]
                # API reference, MatchedPlayerSessions: those of the ticket's own players.
                matched = [seat for it in connections for seat in it.pop("MatchedPlayerSessions")]
                seats = {seat["PlayerId"]: seat["PlayerSessionId"] for seat in matched}
                self.assertEqual(connections[0], connections[1], "both players are sent to the same game session")
                connection = connections[0]
                self.assertEqual(sorted(seats), ["ada", "bob"])
                self.assertEqual({ticket["Players"][0]["Team"] for ticket in tickets}, {"red", "blue"})
                for seat in seats.values():
                    servers.join(f"{connection['IpAddress']}:{connection['Port']}", seat)

                # The same story from all three sides.
                told = sns.until("MatchmakingSucceeded")
                written = [json.loads(line) for line in events.read_text().splitlines()]
                self.assertIn(told, written)
                self.assertEqual(
                    [event["detail"]["type"] for event in written],
                    [
                        "MatchmakingSearching", "MatchmakingSearching", "PotentialMatchCreated",
                        "PlacementFulfilled", "MatchmakingSucceeded",
                    ],
                )
                info = told["detail"]["gameSessionInfo"]
                self.assertEqual(info["gameSessionArn"], connection["GameSessionArn"])
                self.assertEqual((info["ipAddress"], info["port"]), (connection["IpAddress"], connection["Port"]))
                self.assertEqual({it["playerId"]: it["playerSessionId"] for it in info["players"]}, seats)
                self.assertEqual(
                    {ticket["ticketId"] for ticket in told["detail"]["tickets"]}, {"ticket-1", "ticket-2"}
                )
        events.unlink()

    def test_boto3_finds_two_players_a_game_that_they_can_play(self):
        self.story(Boto3)

    def test_the_aws_cli_finds_two_players_a_game_that_they_can_play(self):
        self.story(AwsCli)

    def test_what_cannot_be_matched_gets_the_errors_of_the_service(self):
        with GameLift() as local:
            aws = local.boto3()
            exceptions = aws.exceptions

            def refused(error, call, **parameters):
                with self.assertRaises(error) as caught:
                    call(**parameters)
                return caught.exception.response["Error"]["Message"]

            player = {"PlayerId": "ada"}
            refused(exceptions.NotFoundException, aws.start_matchmaking, ConfigurationName="nowhere", Players=[player])
            crowd = [{"PlayerId": f"player-{number}"} for number in range(11)]
            refused(exceptions.InvalidRequestException, aws.start_matchmaking, ConfigurationName="default", Players=crowd)
            text = [{"PlayerId": "ada", "PlayerAttributes": {"skill": {"S": "high"}}}]
            message = refused(
                exceptions.InvalidRequestException, aws.start_matchmaking, ConfigurationName="default", Players=text
            )
            self.assertIn("skill", message)
            refused(exceptions.NotFoundException, aws.stop_matchmaking, TicketId="nobody")
            body = json.dumps({"ruleLanguageVersion": "1.0", "teams": [{"name": "red", "minPlayers": 2, "maxPlayers": 1}]})
            message = refused(exceptions.InvalidRequestException, aws.validate_matchmaking_rule_set, RuleSetBody=body)
            self.assertIn("minPlayers", message)


if __name__ == "__main__":
    unittest.main()
