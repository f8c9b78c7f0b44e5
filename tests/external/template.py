"""Reads deploy/template.yaml, and what can be wrong with it that cfn-lint and sam do not see.

Each check takes the template and gives what it found, as sentences; test_deploy.py also shows each of them a template with that fault.
"""

import re

import yaml

from programs import ROOT

PATH = ROOT / "deploy" / "template.yaml"


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, which become what they are short for."""


def _short_tag(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", _short_tag)


def read(text: str | None = None) -> dict:
    return yaml.load(PATH.read_text() if text is None else text, Loader)


def resources(template: dict, kind: str) -> dict:
    return {name: it for name, it in template["Resources"].items() if it["Type"] == kind}


def each(value):
    """A list as it is; one thing as a list of it; both sides of an `If`; without `NoValue`."""
    if isinstance(value, dict) and "Fn::If" in value:
        return [one for side in value["Fn::If"][1:] for one in each(side)]
    if value == {"Ref": "AWS::NoValue"}:
        return []
    return [one for item in value for one in each(item)] if isinstance(value, list) else [value]


def documents(value, path=()):
    """Every policy document in the template, with where it is."""
    if isinstance(value, dict):
        # A web ACL's rules have statements too, but no version.
        if "Statement" in value and "Version" in value:
            yield "/".join(path), value
        for key, inner in value.items():
            yield from documents(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from documents(inner, (*path, str(index)))


def statements(template):
    for where, document in documents(template["Resources"]):
        for statement in each(document["Statement"]):
            yield where, statement


def refers_to(value, name: str) -> bool:
    """Whether a Ref, GetAtt or Sub in there is of this resource."""
    return re.search(rf"(\bRef\b|GetAtt).{{1,6}}\b{name}\b|\$\{{{name}[.}}]", repr(value)) is not None


# --- Permissions ---


def wildcard_actions(template):
    for where, statement in statements(template):
        if "NotAction" in statement or "NotResource" in statement or "NotPrincipal" in statement:
            yield f"{where}: names what it does not mean"
        for action in each(statement.get("Action", [])):
            if "*" in action or "?" in action:
                yield f"{where}: {action} is a wildcard"
    for name, function in resources(template, "AWS::Serverless::Function").items():
        # A role made by SAM has AWS's policy with logs for `*`.
        if "Role" not in function["Properties"] or "Policies" in function["Properties"]:
            yield f"{name}: has no role of its own making"


def wide_resources(template):
    """`Resource: *` is for actions that know no other, within this Region or account, and for refusals."""
    for where, statement in statements(template):
        if statement["Effect"] == "Deny" or "*" not in each(statement.get("Resource", [])):
            continue
        # In a key's policy `*` is the key. The account's own statement keeps the key manageable.
        if where.endswith("KeyPolicy") and statement.get("Sid") == "Administration":
            continue
        equals = statement.get("Condition", {}).get("StringEquals", {})
        if not {"aws:RequestedRegion", "aws:SourceAccount"} & set(equals):
            yield f"{where}: {statement.get('Action')} on everything, anywhere"


def anybody(template):
    for where, statement in statements(template):
        principal = statement.get("Principal")
        if principal == "*" or (isinstance(principal, dict) and "*" in each(list(principal.values()))):
            yield f"{where}: anybody may"


def trust_of_players(template):
    for name, role in resources(template, "AWS::IAM::Role").items():
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
            if "Federated" not in statement["Principal"]:
                continue
            text = repr(statement.get("Condition", {}))
            for key in ("cognito-identity.amazonaws.com:aud", "cognito-identity.amazonaws.com:amr"):
                if key not in text:
                    yield f"{name}: can be assumed without {key}"


def topic_policies(template):
    """GameLift and CloudWatch publish for everybody: whose account and which resource must be said."""
    governed = set()
    for name, policy in resources(template, "AWS::SNS::TopicPolicy").items():
        governed |= {topic["Ref"] for topic in policy["Properties"]["Topics"]}
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            conditions = statement.get("Condition", {})
            if "aws:SourceAccount" not in conditions.get("StringEquals", {}):
                yield f"{name}: any account may publish"
            source = repr(conditions.get("ArnLike", {}).get("aws:SourceArn", ""))
            if "${AWS::AccountId}" not in source:
                yield f"{name}: any resource may publish"
    for name, topic in resources(template, "AWS::SNS::Topic").items():
        if name not in governed:
            yield f"{name}: has no policy"
        if topic["Properties"].get("SignatureVersion") != "2":
            yield f"{name}: signs with SHA-1"
        if "KmsMasterKeyId" not in topic["Properties"]:
            yield f"{name}: is not encrypted"


# --- Routes ---

# What players call, and what operators call.
PLAYER_ROUTES = {
    ("POST", "/v1/matchmaking/tickets"),
    ("GET", "/v1/matchmaking/tickets/current"),
    ("GET", "/v1/matchmaking/tickets/{ticketId}"),
    ("DELETE", "/v1/matchmaking/tickets/{ticketId}"),
    ("POST", "/v1/matchmaking/tickets/{ticketId}/acceptance"),
    ("POST", "/v1/party/invites"),
    ("POST", "/v1/sessions"),
    ("GET", "/v1/sessions/current"),
    ("GET", "/v1/locations"),
    ("GET", "/v1/players/me"),
}
OPERATOR_ROUTES = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/openapi.json")}
UNSIGNED_ROUTES = {("GET", "/healthz")}
METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "x-amazon-apigateway-any-method"}


def routes(template):
    for api in ("RestApi", "HttpApi"):
        properties = template["Resources"][api]["Properties"]
        if properties.get("Auth", {}).get("DefaultAuthorizer") != "AWS_IAM":
            yield f"{api}: requests need no signature"
        there = set()
        for path, methods in properties["DefinitionBody"]["paths"].items():
            for method, operation in methods.items():
                if method not in METHODS:
                    continue
                route = (method.upper(), path)
                there.add(route)
                if "security" in operation and route not in UNSIGNED_ROUTES:
                    yield f"{api}: {route} is not signed"
                if "x-amazon-apigateway-integration" not in operation:
                    yield f"{api}: {route} leads nowhere"
        for route in (PLAYER_ROUTES | OPERATOR_ROUTES) ^ there:
            yield f"{api}: {route} is " + ("not in the API" if route in there else "missing")
    rest = template["Resources"]["RestApi"]["Properties"]
    # SAM reference, ApiAuth: otherwise the function is invoked with the caller's credentials.
    if rest["Auth"].get("InvokeRole") != "NONE":
        yield "RestApi: players would need lambda:InvokeFunction"
    variables = template["Resources"]["ApiFunction"]["Properties"]["Environment"]["Variables"]
    if variables.get("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH") != "true":
        yield "ApiFunction: lambda_http puts the stage before the path, which no route has"
    if template["Resources"]["HttpApi"]["Properties"]["StageName"] != "$default":
        yield "HttpApi: the path begins with the stage, which no route has"


def player_calls(template):
    """Players' credentials open exactly the routes for players, in both flavours, and the socket's $connect."""
    statement = next(
        it
        for it in each(template["Resources"]["PlayerPolicy"]["Properties"]["PolicyDocument"]["Statement"])
        if it["Sid"] == "Api"
    )
    # A ticket id is anything; `current` is a ticket id to IAM.
    wanted = {(method, path.replace("{ticketId}", "*").replace("/current", "/*")) for method, path in PLAYER_ROUTES}
    wanted = {(method, "/v1/sessions/current" if path == "/v1/sessions/*" else path) for method, path in wanted}
    _, rest, http = statement["Resource"]["Fn::If"]
    for flavour, arns in (("RestApi}/${Stage}", rest), ("HttpApi}/$default", http)):
        allowed = set()
        for arn in arns:
            found = re.fullmatch(rf".*:\$\{{{re.escape(flavour)}/([A-Z]+)(/v1/.+)", arn["Fn::Sub"])
            if found is None:
                yield f"PlayerPolicy: {arn['Fn::Sub']} is not a call of {flavour}"
            else:
                allowed.add(found.groups())
        for call in allowed ^ wanted:
            yield f"PlayerPolicy, {flavour}: {call} is " + ("too much" if call in allowed else "missing")
    for statement in each(template["Resources"]["PlayerPolicy"]["Properties"]["PolicyDocument"]["Statement"]):
        if statement["Effect"] == "Allow" and each(statement["Action"]) != ["execute-api:Invoke"]:
            yield f"PlayerPolicy: players may {statement['Action']}"


def web_socket(template):
    routes_there = {it["Properties"]["RouteKey"]: it for it in resources(template, "AWS::ApiGatewayV2::Route").values()}
    for key in {"$connect", "$disconnect", "$default"} - set(routes_there):
        yield f"WebSocketApi: no route {key}"
    if routes_there.get("$connect", {}).get("Properties", {}).get("AuthorizationType") != "AWS_IAM":
        yield "WebSocketApi: anybody may connect"
    deployed = template["Resources"]["WebSocketDeployment"]["DependsOn"]
    for name in resources(template, "AWS::ApiGatewayV2::Route"):
        if name not in deployed:
            yield f"WebSocketDeployment: may be made before {name}"


# --- Functions, queues, table ---


def log_groups(template):
    groups = resources(template, "AWS::Logs::LogGroup")
    for name, group in groups.items():
        if "RetentionInDays" not in group["Properties"]:
            yield f"{name}: keeps logs for ever"
    for name, function in resources(template, "AWS::Serverless::Function").items():
        group = function["Properties"].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if group not in groups:
            yield f"{name}: has no log group of ours"


def functions(template):
    shared = template["Globals"]["Function"]
    if (shared["Runtime"], shared["Handler"]) != ("provided.al2023", "bootstrap"):
        yield "Globals: not a runtime for Rust"
    seen = {}
    for name, function in resources(template, "AWS::Serverless::Function").items():
        role = repr(function["Properties"].get("Role"))
        if role in seen:
            yield f"{name}: shares the role of {seen[role]}"
        seen[role] = name
    zips = {it["Properties"]["CodeUri"] for it in resources(template, "AWS::Serverless::Function").values()}
    # `cargo lambda build --output-format zip` puts them there; sam reads them relative to the template.
    wanted = {f"../target/lambda/lambda-{name}/bootstrap.zip" for name in ("api", "events", "websocket")}
    for path in zips ^ wanted:
        yield f"{path} is " + ("not built by the recipe" if path in zips else "not deployed")


def dead_letters(template):
    queues = resources(template, "AWS::SQS::Queue")
    alarms = resources(template, "AWS::CloudWatch::Alarm")
    for name in queues:
        if not any(refers_to(alarm["Properties"].get("Dimensions"), name) for alarm in alarms.values()):
            yield f"{name}: nobody is told of what is in it"
    for name, subscription in resources(template, "AWS::SNS::Subscription").items():
        if subscription["Properties"]["Protocol"] == "lambda" and "RedrivePolicy" not in subscription["Properties"]:
            yield f"{name}: what cannot be delivered is lost"
    events = template["Resources"]["EventsFunction"]["Properties"].get("EventInvokeConfig", {})
    if not any(refers_to(events.get("DestinationConfig", {}), name) for name in queues):
        yield "EventsFunction: what it fails on is lost"
    for name, alarm in alarms.items():
        if not refers_to(alarm["Properties"].get("AlarmActions"), "AlarmTopic"):
            yield f"{name}: tells nobody"


def table(template):
    (properties,) = [it["Properties"] for it in resources(template, "AWS::DynamoDB::Table").values()]
    if properties.get("TimeToLiveSpecification") != {"AttributeName": "exp", "Enabled": True}:
        yield "Table: old tickets stay"
    if properties.get("PointInTimeRecoverySpecification") != {"PointInTimeRecoveryEnabled": True}:
        yield "Table: cannot be put back"
    if properties.get("SSESpecification", {}).get("SSEEnabled") is not True:
        yield "Table: its key's use is not recorded"
    if [key["AttributeName"] for key in properties["KeySchema"]] != ["PK", "SK"]:
        yield "Table: not the keys of the backend"
    if "OnDemandThroughput" not in properties:
        yield "Table: no fuse for the bill"


# --- GameLift and the rest of the picture ---

PICTURE = {
    "AWS::Cognito::IdentityPool", "AWS::Cognito::IdentityPoolRoleAttachment",
    "AWS::Serverless::Api", "AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Api", "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation", "AWS::DynamoDB::Table",
    "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::KMS::Key",
    "AWS::GameLift::MatchmakingRuleSet", "AWS::GameLift::MatchmakingConfiguration", "AWS::GameLift::GameSessionQueue",
    "AWS::GameLift::Alias", "AWS::GameLift::Build", "AWS::GameLift::Location", "AWS::GameLift::ContainerFleet",
    "AWS::GameLift::ContainerGroupDefinition", "AWS::CloudWatch::Dashboard",
}  # fmt: skip
OUTPUTS = {"ApiUrl", "WebSocketUrl", "IdentityPoolId", "MatchTopicArn", "FleetId", "TableName"}


def picture(template):
    there = {it["Type"] for it in template["Resources"].values()}
    for kind in sorted(PICTURE - there):
        yield f"there is no {kind}"
    fleets = {it["Properties"].get("ComputeType") for it in resources(template, "AWS::GameLift::Fleet").values()}
    for kind in sorted({"EC2", "ANYWHERE"} - fleets):
        yield f"there is no fleet of {kind}"
    for output in sorted(OUTPUTS - set(template["Outputs"])):
        yield f"there is no output {output}"
    # From a ticket to a fleet, and back to the topic.
    arrows = [
        ("MatchmakingConfiguration", "RuleSetName", "RuleSet"),
        ("MatchmakingConfiguration", "GameSessionQueueArns", "Queue"),
        ("MatchmakingConfiguration", "NotificationTarget", "MatchTopic"),
        ("Queue", "NotificationTarget", "PlacementTopic"),
        ("Queue", "Destinations", "Alias"),
        ("Alias", "RoutingStrategy", "Ec2Fleet"),
        ("Alias", "RoutingStrategy", "ContainerFleet"),
        ("Alias", "RoutingStrategy", "AnywhereFleet"),
        ("MatchSubscription", "Endpoint", "EventsFunction"),
        ("PlacementSubscription", "Endpoint", "EventsFunction"),
    ]
    for source, field, target in arrows:
        if not refers_to(template["Resources"][source]["Properties"].get(field), target):
            yield f"{source}.{field} does not lead to {target}"


def parameters(template):
    for name, parameter in template["Parameters"].items():
        for key in ("Description", "Default"):
            if key not in parameter:
                yield f"{name}: no {key}"
        if not {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter):
            yield f"{name}: takes anything"
        default = str(parameter.get("Default", ""))
        if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], default):
            yield f"{name}: its default {default!r} is not allowed"


def reasons(text: str):
    """A comment above each resource, or in it."""
    lines = text.splitlines()
    first, last = lines.index("Resources:"), lines.index("Outputs:")
    starts = [index for index in range(first, last) if re.fullmatch(r"  \w+:", lines[index])]
    for start, end in zip(starts, [*starts[1:], last]):
        # What is right above the next one is about that one.
        while not lines[end - 1].strip() or lines[end - 1].startswith("  #"):
            end -= 1
        above = lines[start - 1].strip()
        if not above.startswith("# ") or above.startswith("# ---"):
            if not any("# " in line for line in lines[start:end]):
                yield f"{lines[start].strip()[:-1]}: nobody says why"
