"""A game server on our SDK against our GameLift, over ws and over wss, with boto3 as the client."""

import unittest
from urllib.parse import urlparse

from programs import GameLift, RemoteControl
from trouble import Proxy


class FullFlow(unittest.TestCase):
    def flags(self, local, scheme):
        line = local.line
        url = line["sdkEndpoint" if scheme == "ws" else "sdkTlsEndpoint"]
        return ["--ws-url", url, "--fleet", line["fleetId"], "--host", line["computeName"], "--token", line["authToken"]]

    def full_flow(self, scheme, *flags, env=None):
        with GameLift() as local:
            flags = [flag.replace("{ca}", str(local.ca)) for flag in flags]
            env = {name: value.replace("{ca}", str(local.ca)) for name, value in (env or {}).items()}
            with RemoteControl(*self.flags(local, scheme), *flags, env=env) as server:
                self.play(local, server)

    def play(self, local, server):
        aws = local.boto3()
        for op in ("init", "ready"):
            self.assertTrue(server.result(op)["ok"], op)
        server.callback("OnHealthCheck")
        created = self.create(aws, local)
        started = server.callback("OnStartGameSession")["data"]
        self.assertEqual(started["GameSessionId"], created["GameSessionId"])
        self.assertEqual((started["Name"], started["GameProperties"]), ("duel", {"map": "dust"}))
        self.assertTrue(server.result("activate")["ok"])
        self.assertEqual(server.command("session-id")["data"]["GameSessionId"], created["GameSessionId"])
        described = aws.describe_game_sessions(GameSessionId=created["GameSessionId"])["GameSessions"][0]
        self.assertEqual((described["Status"], described["Port"]), ("ACTIVE", 7777))

        ada = aws.create_player_session(GameSessionId=created["GameSessionId"], PlayerId="ada")["PlayerSession"]
        self.assertTrue(server.command(f"accept {ada['PlayerSessionId']}")["ok"])
        again = server.command(f"accept {ada['PlayerSessionId']}")
        self.assertFalse(again["ok"])
        self.assertEqual(again["error"]["type"], "BadRequest")
        self.assertEqual(server.command("accept psess-never-given-out")["error"]["type"], "NotFound")
        self.assertEqual(server.command("accept psess-\t7")["error"]["type"], "InvalidInput")
        page = server.command('describe {"PlayerSessionStatusFilter":"ACTIVE"}')["data"]["PlayerSessions"]
        self.assertEqual([it["PlayerId"] for it in page], ["ada"])
        self.assertTrue(server.command("policy DENY_ALL")["ok"])
        with self.assertRaises(aws.exceptions.InvalidGameSessionStatusException):
            aws.create_player_session(GameSessionId=created["GameSessionId"], PlayerId="bob")
        self.assertTrue(server.command(f"remove {ada['PlayerSessionId']}")["ok"])
        self.assertEqual(server.command("activate")["error"]["type"], "NoGameSession")
        self.assertFalse(server.command('backfill {"MatchmakingConfigurationArn":"arn:none"}')["ok"])
        self.assertEqual(server.command('creds {"RoleArn":"arn:aws:iam::123456789012:role/r"}')["ok"], False)
        self.assertEqual(server.command("termination-time")["error"]["type"], "NotTerminating")

        aws.terminate_game_session(
            GameSessionId=created["GameSessionId"], TerminationMode="TRIGGER_ON_PROCESS_TERMINATE"
        )
        self.assertGreater(server.callback("OnProcessTerminate")["data"]["TerminationTime"], 1_600_000_000_000)
        self.assertTrue(server.command("ending")["ok"])
        described = aws.describe_game_sessions(GameSessionId=created["GameSessionId"])["GameSessions"][0]
        self.assertEqual(described["Status"], "TERMINATED")
        self.assertTrue(server.command("quit")["ok"])
        self.assertEqual(server.exit(), 0)

    def create(self, aws, local):
        """Once the first heartbeat has arrived; it is on its way."""
        for attempt in range(200):
            try:
                return aws.create_game_session(
                    FleetId=local.line["fleetId"], Location=local.line["location"], MaximumPlayerSessionCount=2,
                    Name="duel", GameProperties=[{"Key": "map", "Value": "dust"}],
                )["GameSession"]
            except aws.exceptions.FleetCapacityExceededException:
                continue
        self.fail("no process became available")

    def test_over_ws(self):
        self.full_flow("ws")

    def test_over_wss_with_a_ca_file(self):
        self.full_flow("wss", "--ca", "{ca}")

    def test_over_wss_with_ssl_cert_file(self):
        self.full_flow("wss", env={"SSL_CERT_FILE": "{ca}"})

    def test_from_the_environment(self):
        with GameLift() as local:
            line = local.line
            env = {
                "GAMELIFT_SDK_WEBSOCKET_URL": line["sdkEndpoint"],
                "GAMELIFT_SDK_FLEET_ID": line["fleetId"],
                "GAMELIFT_SDK_HOST_ID": line["computeName"],
                "GAMELIFT_SDK_AUTH_TOKEN": line["authToken"],
                "GAMELIFT_SDK_PROCESS_ID": "from-the-environment",
            }
            with RemoteControl("--from-env", env=env) as server:
                self.play(local, server)

    def test_resets_close_1000_and_an_outage_lose_no_session_and_no_player(self):
        with GameLift() as local:
            endpoint = urlparse(local.line["sdkEndpoint"])
            proxy = Proxy(endpoint.hostname, endpoint.port)
            flags = self.flags(local, "ws")
            flags[1] = f"ws://127.0.0.1:{proxy.port}"
            aws = local.boto3()
            with RemoteControl(*flags) as server:
                proxy.knock()
                server.callback("OnHealthCheck")
                session = self.create(aws, local)["GameSessionId"]
                self.assertTrue(server.result("activate")["ok"])

                def join(player):
                    reserved = aws.create_player_session(GameSessionId=session, PlayerId=player)["PlayerSession"]
                    accepted = server.command(f"accept {reserved['PlayerSessionId']}")
                    self.assertTrue(accepted["ok"], accepted)
                    self.assertTrue(server.command(f"remove {reserved['PlayerSessionId']}")["ok"])

                join("before")
                for trouble in (proxy.reset, proxy.say_goodbye):
                    trouble()
                    proxy.knock()
                    join(trouble.__name__)
                proxy.open = False
                proxy.reset()
                proxy.knock()
                waiting = aws.create_player_session(GameSessionId=session, PlayerId="patient")["PlayerSession"]
                server.process.stdin.write(f"bg accept {waiting['PlayerSessionId']}\n")
                server.process.stdin.flush()
                proxy.knock()
                proxy.open = True
                accepted = server.result("accept")
                self.assertTrue(accepted["ok"], accepted)
                described = aws.describe_game_sessions(GameSessionId=session)["GameSessions"][0]
                self.assertEqual((described["Status"], described["CurrentPlayerSessionCount"]), ("ACTIVE", 1))

    def test_an_untrusted_certificate_is_refused(self):
        with GameLift() as local, RemoteControl(*self.flags(local, "wss")) as server:
            failed = server.result("init")
            self.assertFalse(failed["ok"])
            self.assertIn("TLS", failed["error"]["text"])

    def test_a_wrong_token_an_unknown_fleet_and_an_unknown_compute_are_refused_at_once(self):
        with GameLift() as local:
            flags = self.flags(local, "ws")
            for name, wrong in (("--token", "wrong"), ("--fleet", "fleet-unknown"), ("--host", "nobody")):
                changed = list(flags)
                changed[changed.index(name) + 1] = wrong
                with RemoteControl(*changed) as server:
                    failed = server.result("init")
                    self.assertFalse(failed["ok"], name)
                    self.assertIn("HTTP 4", failed["error"]["text"], name)
                    self.assertLess(failed["ms"], 5_000, name)
                    self.assertNotIn(local.line["authToken"], failed["error"]["text"])


if __name__ == "__main__":
    unittest.main()
