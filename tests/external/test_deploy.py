"""deploy/: the template as cfn-lint, sam and our own rule-set validator see it, the scripts as they run, the arithmetic as it is written."""

import contextlib
import copy
import io
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import template
from programs import PATIENCE, ROOT, WORK, GameLift, SampleServers, target

DEPLOY = ROOT / "deploy"
TOOLS = WORK / "venv-deploy" / "bin"
# sam loads all of the transform, and reads AWS's policies from its own package.
SAM_PATIENCE = 120


def run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=SAM_PATIENCE, **options)


def cfn_lint(path: Path) -> subprocess.CompletedProcess:
    return run(TOOLS / "cfn-lint", "--non-zero-exit-code", "informational", path)


def sam_validate(path: Path) -> subprocess.CompletedProcess:
    # It wants a Region and credentials before it looks at the file; it sends nothing.
    environment = {
        **os.environ,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }
    return run(TOOLS / "sam", "validate", "--template", path, env=environment)


class Template(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = template.PATH.read_text()
        cls.template = template.read(cls.text)

    def changed(self, old: str, new: str) -> Path:
        """A copy with a fault in it."""
        self.assertIn(old, self.text)
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        path = folder / "template.yaml"
        path.write_text(self.text.replace(old, new))
        return path

    def test_cfn_lint_finds_nothing(self):
        done = cfn_lint(template.PATH)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_cfn_lint_would_find_a_property_that_gamelift_does_not_have(self):
        done = cfn_lint(self.changed("BackfillMode: MANUAL", "BackfillMode: SOMETIMES"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("SOMETIMES", done.stdout)

    def test_sam_can_transform_it(self):
        done = sam_validate(template.PATH)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_sam_would_not_transform_an_authorizer_that_does_not_exist(self):
        # cfn-lint lets this pass.
        done = sam_validate(self.changed("DefaultAuthorizer: AWS_IAM", "DefaultAuthorizer: Nobody"))
        self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_rule_set_is_the_demos(self):
        (rule_set,) = template.resources(self.template, "AWS::GameLift::MatchmakingRuleSet").values()
        body = json.loads(rule_set["Properties"]["RuleSetBody"])
        self.assertEqual(body, json.loads((ROOT / "src" / "demo" / "arena.json").read_text()))

    def flexmatch(self, body: str) -> subprocess.CompletedProcess:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(body)
            file.flush()
            return run(target() / "flexmatch", "validate", "--json", file.name)

    def test_the_rule_set_is_valid(self):
        (rule_set,) = template.resources(self.template, "AWS::GameLift::MatchmakingRuleSet").values()
        body = rule_set["Properties"]["RuleSetBody"]
        done = self.flexmatch(body)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(json.loads(done.stdout)[0]["valid"])
        self.assertNotEqual(self.flexmatch(body.replace('"distance"', '"distant"')).returncode, 0)

    def test_a_ticket_waits_longer_than_the_last_expansion(self):
        (rule_set,) = template.resources(self.template, "AWS::GameLift::MatchmakingRuleSet").values()
        expansions = json.loads(rule_set["Properties"]["RuleSetBody"])["expansions"]
        last = max(step["waitTimeSeconds"] for expansion in expansions for step in expansion["steps"])
        self.assertGreater(self.template["Parameters"]["TicketTimeoutSeconds"]["MinValue"], last)

    def test_every_resource_says_why_it_is_there(self):
        self.assertEqual(list(template.reasons(self.text)), [])
        without = re.sub(r"^  # One function for all routes\.\n", "", self.text, flags=re.MULTILINE)
        self.assertEqual(list(template.reasons(without)), ["WebSocketIntegration: nobody says why"])

    def test_the_dashboard_is_json(self):
        (dashboard,) = template.resources(self.template, "AWS::CloudWatch::Dashboard").values()
        body, values = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
        names = set(re.findall(r"\$\{(\w+)\}", body))
        self.assertEqual(set(values) - names, set(), "named and not used")
        self.assertGreater(len(json.loads(body)["widgets"]), 0)

    def test_the_functions_are_told_what_the_readme_says(self):
        readme = (DEPLOY / "README.md").read_text()
        told = set(self.template["Globals"]["Function"]["Environment"]["Variables"])
        for function in template.resources(self.template, "AWS::Serverless::Function").values():
            told |= set(function["Properties"]["Environment"]["Variables"])
        written = set(re.findall(r"^\| `((?:BACKEND|AWS_LAMBDA|RUST)_\w+)`", readme, flags=re.MULTILINE))
        self.assertEqual(told, written)


def put(name, value, *path):
    """A fault: this value at this place of a resource."""

    def change(it):
        *way, last = path
        place = it["Resources"][name]["Properties"]
        for step in way:
            place = place[step]
        place[last] = value

    return change


def drop(name, *path):
    """A fault: nothing at this place of a resource; without a place, no such resource."""

    def change(it):
        if not path:
            del it["Resources"][name]
            return
        *way, last = path
        place = it["Resources"][name]["Properties"]
        for step in way:
            place = place[step]
        del place[last]

    return change


def also(name, statement):
    """A fault: one statement more."""

    def change(it):
        properties = it["Resources"][name]["Properties"]
        document = properties["Policies"][0]["PolicyDocument"] if "Policies" in properties else properties["PolicyDocument"]
        document["Statement"].append({"Sid": "More", "Effect": "Allow", **statement})

    return change


IN_REGION = {"StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}}}
OPERATION = {"x-amazon-apigateway-integration": {}}

# Each check, and faults that it is there to find.
CHECKS = {
    template.wildcard_actions: [
        also("ApiRole", {"Action": "gamelift:*", "Resource": "*", "Condition": IN_REGION}),
        also("ApiRole", {"Action": ["dynamodb:GetItem", "dynamodb:Describe*"], "Resource": "arn"}),
        also("ApiRole", {"NotAction": "iam:PassRole", "Resource": "arn"}),
        drop("ApiFunction", "Role"),
    ],
    template.wide_resources: [
        also("ApiRole", {"Action": "gamelift:StopMatchmaking", "Resource": "*"}),
        also("EventsRole", {"Action": "sqs:SendMessage", "Resource": ["arn", "*"]}),
    ],
    template.anybody: [
        also("MatchTopicPolicy", {"Principal": "*", "Action": "sns:Subscribe", "Resource": "arn"}),
        also("MatchTopicPolicy", {"Principal": {"AWS": "*"}, "Action": "sns:Subscribe", "Resource": "arn"}),
    ],
    template.trust_of_players: [
        drop("GuestRole", "AssumeRolePolicyDocument", "Statement", 0, "Condition"),
        drop("PlayerRole", "AssumeRolePolicyDocument", "Statement", 0, "Condition", "ForAnyValue:StringLike"),
    ],
    template.topic_policies: [
        drop("MatchTopicPolicy", "PolicyDocument", "Statement", 0, "Condition"),
        drop("MatchTopicPolicy", "PolicyDocument", "Statement", 0, "Condition", "StringEquals"),
        drop("PlacementTopicPolicy", "PolicyDocument", "Statement", 0, "Condition", "ArnLike"),
        drop("PlacementTopicPolicy"),
        drop("MatchTopic", "SignatureVersion"),
        drop("MatchTopic", "KmsMasterKeyId"),
    ],
    template.routes: [
        drop("RestApi", "DefinitionBody", "paths", "/v1/sessions/current"),
        drop("HttpApi", "DefinitionBody", "paths", "/v1/matchmaking/tickets/{ticketId}", "delete"),
        put("HttpApi", {"get": OPERATION}, "DefinitionBody", "paths", "/v1/players/all"),
        put("RestApi", [{"NONE": []}], "DefinitionBody", "paths", "/v1/sessions", "post", "security"),
        drop("RestApi", "DefinitionBody", "paths", "/v1/sessions", "post", "x-amazon-apigateway-integration"),
        drop("RestApi", "Auth", "DefaultAuthorizer"),
        drop("RestApi", "Auth", "InvokeRole"),
        drop("ApiFunction", "Environment", "Variables", "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"),
        put("HttpApi", "dev", "StageName"),
    ],
    template.player_calls: [
        lambda it: it["Resources"]["PlayerPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Resource"]["Fn::If"][1].pop(),
        lambda it: it["Resources"]["PlayerPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Resource"]["Fn::If"][2].append(
            {"Fn::Sub": "arn:${AWS::Partition}:execute-api:x:${HttpApi}/$default/GET/v1/*"}
        ),
        also("PlayerPolicy", {"Action": "gamelift:StartMatchmaking", "Resource": "*", "Condition": IN_REGION}),
    ],
    template.web_socket: [
        drop("DisconnectRoute"),
        put("ConnectRoute", "NONE", "AuthorizationType"),
        lambda it: it["Resources"]["WebSocketDeployment"]["DependsOn"].remove("ConnectRoute"),
    ],
    template.log_groups: [
        drop("EventsLogs", "RetentionInDays"),
        drop("ApiFunction", "LoggingConfig"),
        drop("WebSocketLogs"),
    ],
    template.functions: [
        lambda it: it["Globals"]["Function"].update(Runtime="provided.al2"),
        put("EventsFunction", {"Fn::GetAtt": ["ApiRole", "Arn"]}, "Role"),
        put("EventsFunction", "../target/lambda/events/bootstrap.zip", "CodeUri"),
    ],
    template.dead_letters: [
        drop("UndeliveredAlarm"),
        drop("UnhandledAlarm"),
        drop("MatchSubscription", "RedrivePolicy"),
        drop("EventsFunction", "EventInvokeConfig"),
        drop("QueueWaitAlarm", "AlarmActions"),
    ],
    template.table: [
        put("Table", "ttl", "TimeToLiveSpecification", "AttributeName"),
        drop("Table", "PointInTimeRecoverySpecification"),
        drop("Table", "SSESpecification"),
        put("Table", "pk", "KeySchema", 0, "AttributeName"),
        drop("Table", "OnDemandThroughput"),
    ],
    template.picture: [
        drop("ContainerFleet"),
        drop("Ec2Fleet"),
        drop("AnywhereFleet"),
        drop("RuleSet"),
        drop("MatchmakingConfiguration", "NotificationTarget"),
        put("Alias", {"Type": "TERMINAL", "Message": "closed"}, "RoutingStrategy"),
        lambda it: it["Outputs"].pop("ApiUrl"),
    ],
    template.parameters: [
        lambda it: it["Parameters"]["Game"].pop("Description"),
        lambda it: it["Parameters"]["Game"].pop("AllowedPattern"),
        lambda it: it["Parameters"]["Game"].update(Default="Arena"),
    ],
}


class Checks(unittest.TestCase):
    def test_the_template_passes_every_check(self):
        it = template.read()
        for check in CHECKS:
            with self.subTest(check.__name__):
                self.assertEqual(list(check(it)), [])

    def test_every_check_finds_the_faults_that_it_is_there_for(self):
        good = template.read()
        for check, faults in CHECKS.items():
            for number, fault in enumerate(faults):
                with self.subTest(check.__name__, fault=number):
                    bad = copy.deepcopy(good)
                    fault(bad)
                    self.assertNotEqual(list(check(bad)), [])

    def test_no_check_is_forgotten(self):
        there = {
            name
            for name, it in vars(template).items()
            if callable(it) and it.__module__ == "template" and name.islower() and not name.startswith("_")
        }
        helpers = {"read", "resources", "each", "documents", "statements", "refers_to", "reasons"}
        self.assertEqual(there - helpers, {check.__name__ for check in CHECKS})


# What a local backend does to its own table; the template makes the one on AWS.
LOCAL_ONLY = {"dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:UpdateTimeToLive"}
# A transaction is permitted by its parts.
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


def calls(source: Path) -> set[str]:
    """What the Rust under there asks of AWS, as IAM calls it."""
    from botocore import xform_name
    from botocore.session import get_session

    found = set()
    for service in ("dynamodb", "gamelift"):
        names = {xform_name(name): name for name in get_session().get_service_model(service).operation_names}
        for path in source.rglob("*.rs"):
            text = path.read_text()
            if f"aws_sdk_{service}" not in text and f"{service}.rs" != path.name.replace("_", ""):
                continue
            called = re.findall(r"\.\s*([a-z_]+)\(\)", text)
            found |= {f"{service}:{names[name]}" for name in called if name in names}
            if service == "dynamodb":
                found |= {f"dynamodb:{PARTS[part]}" for part in re.findall(r"\b(\w+)::builder", text) if part in PARTS}
    return {call for call in found if "Transact" not in call} - LOCAL_ONLY


def granted(it: dict) -> set[str]:
    allowed = set()
    for name in ("ApiRole", "EventsRole", "WebSocketRole"):
        for _, document in template.documents(it["Resources"][name]["Properties"]["Policies"]):
            for statement in template.each(document["Statement"]):
                allowed |= set(template.each(statement["Action"]))
    return allowed


class Permissions(unittest.TestCase):
    def test_the_functions_may_do_what_the_backend_does(self):
        self.assertEqual(calls(ROOT / "backend" / "src") - granted(template.read()), set())

    def test_a_call_that_is_not_permitted_would_be_found(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "store.rs").write_text("use aws_sdk_dynamodb as d; client.batch_get_item(); Delete::builder(); client.describe_table();")
        (folder / "game_lift.rs").write_text("client\n    .search_game_sessions()\n    .send()")
        self.assertEqual(
            calls(folder), {"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "gamelift:SearchGameSessions"}
        )


# An access key, a private key, a session token, an account: none of them belongs into a repository.
SECRETS = re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|BEGIN [A-Z ]*PRIVATE KEY|FwoGZXIvYXdzE|(?<![0-9a-f-])\d{12}(?![0-9a-f-])")


class Files(unittest.TestCase):
    def test_there_are_no_secrets_and_no_accounts(self):
        for path in DEPLOY.rglob("*"):
            if path.is_file():
                with self.subTest(path.name):
                    self.assertIsNone(SECRETS.search(path.read_text()))
        for secret in ("AKIA" + "IOSFODNN7EXAMPLE", "-----BEGIN " + "PRIVATE KEY", "arn:aws:iam::" + "123456789012:root"):
            self.assertIsNotNone(SECRETS.search(secret))

    def test_shellcheck_finds_nothing(self):
        scripts = sorted(DEPLOY.rglob("*.sh"))
        self.assertEqual(len(scripts), 3)
        done = run(TOOLS / "shellcheck", *scripts)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_readme_names_files_and_parameters_that_exist(self):
        readme = (DEPLOY / "README.md").read_text()
        for path in re.findall(r"\]\((?!http)([^)#]+)\)", readme):
            self.assertTrue((DEPLOY / path).exists(), path)
        known = template.read()
        for name in re.findall(r"\b([A-Z][a-z]\w*)=", readme):
            self.assertIn(name, known["Parameters"])
        for name in re.findall(r"\boutput ([A-Z]\w+)", readme):
            self.assertIn(name, known["Outputs"])

    def test_the_costs_are_what_their_arithmetic_gives(self):
        page = (DEPLOY / "COSTS.md").read_text()
        (program,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(program, "COSTS.md", "exec"), {})
        self.assertGreater(len(printed.getvalue().splitlines()), 10)
        self.assertIn(f"```text\n{printed.getvalue()}```", page)


class InstallScript(unittest.TestCase):
    def install(self, server: Path):
        """What GameLift does: the build in a folder, and install.sh in it."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copy(DEPLOY / "server" / "install.sh", folder)
        shutil.copy(server, folder / "sample-server")
        (folder / "sample-server").chmod(0o600)
        (folder / "certs").mkdir()
        (folder / "certs" / "key.pem").write_text("")
        # Not on this machine.
        tools = folder / "tools"
        tools.mkdir()
        (tools / "sudo").write_text("#!/bin/sh\nexit 1\n")
        (tools / "sudo").chmod(0o755)
        path = f"{tools}:{os.environ['PATH']}"
        return folder, run(folder / "install.sh", env={**os.environ, "PATH": path}, cwd="/")

    def test_a_server_that_runs_is_installed_even_if_the_buffers_stay_small(self):
        folder, done = self.install(target() / "sample-server")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("could not set net.core.rmem_max", done.stderr)
        self.assertEqual(stat.S_IMODE((folder / "certs" / "key.pem").stat().st_mode), 0o600)

    def test_a_server_that_does_not_run_fails_the_build_and_says_why(self):
        broken = Path(self.enterContext(tempfile.TemporaryDirectory())) / "broken"
        broken.write_text("#!/bin/sh\necho 'version GLIBC_2.38 not found' >&2\nexit 127\n")
        _, done = self.install(broken)
        self.assertEqual(done.returncode, 1)
        self.assertIn("GLIBC_2.38", done.stderr)


class Anywhere:
    """anywhere.sh with a real server, in a fleet of a local GameLift."""

    def __init__(self, local: GameLift, *server, compute="my-machine"):
        self.log = WORK / f"anywhere-{os.getpid()}-{id(self)}.log"
        environment = {
            **local.environment(),
            "PATH": f"{WORK / 'venv' / 'bin'}:{os.environ['PATH']}",
            "FLEET_ID": local.line["fleetId"],
            "LOCATION": local.line["location"],
            "IP_ADDRESS": "127.0.0.1",
            "COMPUTE_NAME": compute,
            "RUST_LOG": "info",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [DEPLOY / "server" / "anywhere.sh", *server], env=environment, stdout=log, stderr=log
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.log.unlink()

    def stop(self) -> int:
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()

    def said(self) -> str:
        return self.log.read_text()

    def until_said(self, pattern: str, times: int = 1):
        deadline = time.monotonic() + PATIENCE
        while len(re.findall(pattern, self.said())) < times:
            if time.monotonic() > deadline:
                raise AssertionError(f"never {times} times {pattern!r} in: {self.said()}")
            time.sleep(0.1)


class AnywhereScript(unittest.TestCase):
    def game_session(self, local):
        """As soon as a process is ready, and not before."""
        client = local.boto3()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                made = client.create_game_session(
                    FleetId=local.line["fleetId"], Location=local.line["location"], MaximumPlayerSessionCount=2
                )
                return client, made["GameSession"]["GameSessionId"]
            except client.exceptions.FleetCapacityExceededException:
                self.assertLess(time.monotonic(), deadline, "no server came up")
                time.sleep(0.1)

    def test_one_game_after_another_is_hosted_until_it_is_stopped(self):
        with GameLift() as local, Anywhere(
            local, target() / "sample-server", "run", "--empty-seconds", "1", "--drain-seconds", "1"
        ) as anywhere:
            anywhere.until_said("registered my-machine")
            for _ in range(2):
                # The first game session nobody comes to; its server ends, and the next one is started.
                self.game_session(local)
            anywhere.until_said("the server ended with 0", times=2)
            self.assertEqual(anywhere.stop(), 0)
            computes = local.boto3().list_compute(FleetId=local.line["fleetId"])["ComputeList"]
            self.assertIn("my-machine", [compute["ComputeName"] for compute in computes])
            # Tokens are UUIDs. The log has session ids with UUIDs too, so look for the token itself.
            token = local.boto3().get_compute_auth_token(FleetId=local.line["fleetId"], ComputeName="my-machine")
            self.assertNotIn(token["AuthToken"], anywhere.said())

    def test_a_second_copy_on_the_machine_shares_its_compute(self):
        with GameLift() as local, Anywhere(local, "sleep", "60") as first:
            first.until_said("registered my-machine")
            with Anywhere(local, "env") as second:
                second.until_said("the server ended with 0")
                self.assertNotRegex(second.said(), "registered|cannot register")
                self.assertIn("GAMELIFT_SDK_HOST_ID=my-machine\n", second.said())
                self.assertIn(f"GAMELIFT_SDK_WEBSOCKET_URL={local.line['sdkEndpoint']}\n", second.said())
                self.assertNotIn("AWS_SECRET_ACCESS_KEY", second.said(), "the server has no use for it")

    def test_a_server_that_does_not_start_is_not_started_in_a_hurry(self):
        with GameLift() as local, Anywhere(local, "false") as anywhere:
            anywhere.until_said("again in 2 s")
            self.assertIn("the server ended with 1", anywhere.said())

    def test_a_stop_between_two_servers_starts_no_third(self):
        with GameLift() as local, Anywhere(local, "false") as anywhere:
            anywhere.until_said("again in 4 s")
            self.assertEqual(anywhere.stop(), 0)
            self.assertNotIn("again in 8 s", anywhere.said())

    def test_a_stop_reaches_the_server_and_waits_for_it(self):
        polite = ["bash", "-c", "trap 'echo last words; exit 0' TERM; echo up; for _ in {1..600}; do sleep 0.1; done"]
        with GameLift() as local, Anywhere(local, *polite) as anywhere:
            anywhere.until_said(r"\bup\b")
            self.assertEqual(anywhere.stop(), 0)
            self.assertIn("last words", anywhere.said())

    def test_without_a_fleet_it_says_what_is_missing(self):
        environment = {key: value for key, value in os.environ.items() if key != "FLEET_ID"}
        done = run(DEPLOY / "server" / "anywhere.sh", "true", env=environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("FLEET_ID", done.stderr)


# `aws` of the test's making: a queue in a folder, and a function that takes every event but those that say "bad".
AWS = r"""#!/usr/bin/env bash
set -euo pipefail
cd "$FAKE"
case "$1 $2" in
"sqs receive-message")
    for body in queue/*; do
        [ -e "$body" ] && [ ! -e "hidden/${body#queue/}" ] || continue
        touch "hidden/${body#queue/}"
        jq -n --arg handle "${body#queue/}" --rawfile body "$body" '{Messages: [{ReceiptHandle: $handle, Body: $body}]}'
        exit
    done ;;
"sqs delete-message") rm "queue/$6" ;;
"lambda invoke")
    cat "${8#file://}" >>invoked
    if grep -q bad "${8#file://}"; then echo Unhandled; else echo None; fi ;;
*) exit 2 ;;
esac
"""


class Replay(unittest.TestCase):
    # deploy/replay.sh needs it, and not everybody has it.
    @unittest.skipUnless(shutil.which("jq"), "jq is not installed")
    def test_what_the_function_takes_leaves_the_queue_and_the_rest_stays(self):
        fake = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for folder in ("queue", "hidden", "bin"):
            (fake / folder).mkdir()
        (fake / "bin" / "aws").write_text(AWS)
        (fake / "bin" / "aws").chmod(0o755)
        envelope = {
            "Type": "Notification", "MessageId": "m", "TopicArn": "arn:topic", "Message": "good", "Timestamp": "t",
            "SignatureVersion": "2", "Signature": "s", "SigningCertURL": "https://cert", "UnsubscribeURL": "https://un",
        }  # fmt: skip
        records = {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "failed before"}}]}
        (fake / "queue" / "1").write_text(json.dumps(envelope))
        (fake / "queue" / "2").write_text(json.dumps({"requestContext": {}, "requestPayload": records}))
        (fake / "queue" / "3").write_text(json.dumps({**envelope, "Message": "bad"}))
        environment = {**os.environ, "FAKE": str(fake), "PATH": f"{fake / 'bin'}:{os.environ['PATH']}"}
        done = run(DEPLOY / "replay.sh", "https://queue", "events", env=environment)
        self.assertEqual(done.stdout, "2 handled, 1 failed and left in the queue\n", done.stderr)
        self.assertEqual(done.returncode, 1)
        self.assertEqual([path.name for path in (fake / "queue").iterdir()], ["3"])
        decoder, text, events = json.JSONDecoder(), (fake / "invoked").read_text(), []
        while text := text.strip():
            event, end = decoder.raw_decode(text)
            events.append(event)
            text = text[end:]
        # Lambda's spelling of SNS's fields, and what failed exactly as it was.
        sns = events[0]["Records"][0]["Sns"]
        self.assertEqual((sns["SigningCertUrl"], sns["UnsubscribeUrl"], sns["Message"]), ("https://cert", "https://un", "good"))
        self.assertNotIn("SigningCertURL", sns)
        self.assertEqual(events[1], records)


if __name__ == "__main__":
    unittest.main()
