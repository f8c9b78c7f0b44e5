"""Calls of the AWS API in the order in which they work, each with what must come of it. For clients of any language."""

from dataclasses import dataclass, field
from string import Template

FUTURE = 4_102_444_800  # the year 2100, in seconds


@dataclass
class Call:
    operation: str
    parameters: dict
    """Texts may name variables: $fleet."""
    error: str | None = None
    text: str = ""
    """Part of the error message."""
    results: dict = field(default_factory=dict)
    """Values by path, such as Alias.RoutingStrategy.Type or Events.0.EventCode."""
    keeps: dict = field(default_factory=dict)
    """Variables by path."""


def ok(operation, parameters, results=None, **keeps):
    return Call(operation, parameters, results=results or {}, keeps=keeps)


def refused(operation, parameters, error, text=""):
    return Call(operation, parameters, error=f"{error}Exception", text=text)


def fill(value, variables: dict):
    """Puts variables into texts."""
    match value:
        case str():
            return Template(value).substitute(variables)
        case list():
            return [fill(element, variables) for element in value]
        case dict():
            return {key: fill(element, variables) for key, element in value.items()}
    return value


def at(result, path: str):
    """What is at a path; nothing, if nothing is."""
    for step in path.split("."):
        if isinstance(result, list):
            result = result[int(step)] if int(step) < len(result) else None
        else:
            result = (result or {}).get(step)
    return result


LOCATIONS = [
    refused("CreateLocation", {"LocationName": "custom-my_desk"}, "InvalidRequest", "at 'locationName'"),
    refused("CreateLocation", {"LocationName": "custom-" + "x" * 58}, "InvalidRequest", "less than or equal to 64"),
    refused("CreateLocation", {"LocationName": "$location"}, "Conflict", "$location already exists"),
    refused(
        "CreateLocation", {"LocationName": "custom-tagged", "Tags": [{"Key": "aws:x", "Value": ""}]}, "TaggingFailed",
    ),
    ok("CreateLocation", {"LocationName": "custom-second", "Tags": [{"Key": "team", "Value": "red"}]},
       {"Location.LocationName": "custom-second"}, second="Location.LocationArn"),
    ok("ListTagsForResource", {"ResourceARN": "$second"}, {"Tags": [{"Key": "team", "Value": "red"}]}),
    ok("ListLocations", {"Filters": ["AWS"]}, {"Locations": []}),
    ok("ListLocations", {"Filters": ["CUSTOM"], "Limit": 1}, {"Locations.1": None}, token="NextToken"),
    ok("ListLocations", {"Filters": ["CUSTOM"], "Limit": 1, "NextToken": "$token"}, {"Locations.1": None}),
    refused("ListLocations", {"Limit": 201}, "InvalidRequest", "less than or equal to 200"),
    refused("ListLocations", {"Filters": ["MARS"]}, "InvalidRequest", "enum value set: [AWS, CUSTOM]"),
    refused("ListLocations", {"NextToken": "nonsense"}, "InvalidRequest", "ListLocations"),
    refused("DeleteLocation", {"LocationName": "custom-nowhere"}, "NotFound", "custom-nowhere"),
    refused("DeleteLocation", {"LocationName": "$location"}, "InvalidRequest", "in use"),
]

FLEETS = [
    refused("CreateFleet", {"Name": "f"}, "InvalidRequest", "ANYWHERE"),
    refused("CreateFleet", {"Name": "f", "ComputeType": "ANYWHERE"}, "InvalidRequest", "Locations"),
    refused(
        "CreateFleet",
        {"Name": "f", "ComputeType": "ANYWHERE", "Locations": [{"Location": "custom-nowhere"}]},
        "InvalidRequest", "custom-nowhere does not exist",
    ),
    refused(
        "CreateFleet",
        {"Name": "f", "ComputeType": "ANYWHERE", "Locations": [{"Location": "$location"}],
         "AnywhereConfiguration": {"Cost": "cheap"}},
        "InvalidRequest", "at 'anywhereConfiguration.cost'",
    ),
    ok("DescribeFleetAttributes", {"FleetIds": ["$fleet"]},
       {"FleetAttributes.0.Status": "ACTIVE", "FleetAttributes.0.ComputeType": "ANYWHERE"}),
    ok("DescribeFleetAttributes", {"FleetIds": ["fleet-none"]}, {"FleetAttributes": []}),
    ok("UpdateFleetAttributes", {"FleetId": "$fleet", "Description": "desk"}, {"FleetId": "$fleet"}),
    ok("DescribeFleetAttributes", {"FleetIds": ["$fleet_arn"]}, {"FleetAttributes.0.Description": "desk"}),
    refused("UpdateFleetAttributes", {"FleetId": "fleet-none"}, "NotFound", "fleet-none"),
    refused(
        "UpdateFleetAttributes", {"FleetId": "$fleet", "NewGameSessionProtectionPolicy": "Some"}, "InvalidRequest",
        "[NoProtection, FullProtection]",
    ),
    ok("ListFleets", {"Limit": 1}, {"FleetIds.1": None}, token="NextToken"),
    ok("ListFleets", {"NextToken": "$token"}, {"NextToken": None}),
    refused("ListCompute", {"FleetId": "$fleet", "NextToken": "$token"}, "InvalidRequest", "ListCompute"),
    ok("CreateFleetLocations", {"FleetId": "$fleet", "Locations": [{"Location": "custom-second"}]},
       {"LocationStates.0.Status": "NEW"}),
    refused("CreateFleetLocations", {"FleetId": "$fleet", "Locations": [{"Location": "custom-second"}]}, "Conflict"),
    ok("DescribeFleetLocationAttributes", {"FleetId": "$fleet", "Locations": ["custom-second", "custom-nowhere"]},
       {"LocationAttributes.0.LocationState.Status": "ACTIVE", "LocationAttributes.1": None}),
    ok("DeleteFleetLocations", {"FleetId": "$fleet", "Locations": ["custom-second"]},
       {"LocationStates.0.Status": "DELETING"}),
    refused("DeleteFleetLocations", {"FleetId": "$fleet", "Locations": ["custom-nowhere"]}, "InvalidRequest"),
    ok("DescribeFleetEvents", {"FleetId": "$fleet", "Limit": 1}, {"Events.0.ResourceId": "$fleet", "Events.1": None}),
    ok("DescribeFleetEvents", {"FleetId": "$fleet", "StartTime": FUTURE}, {"Events": []}),
    refused("DescribeFleetEvents", {"FleetId": "fleet-none"}, "NotFound"),
    refused("DescribeFleetCapacity", {"FleetIds": ["$fleet"]}, "InvalidRequest", "ANYWHERE"),
    ok("DescribeFleetCapacity", {}, {"FleetCapacity": []}),
    refused("DescribeFleetUtilization", {"FleetIds": ["$fleet"]}, "InvalidRequest", "DescribeFleetLocationUtilization"),
    ok("DescribeFleetLocationUtilization", {"FleetId": "$fleet", "Location": "$location"},
       {"FleetUtilization.ActiveServerProcessCount": 1, "FleetUtilization.ActiveGameSessionCount": 1}),
    refused("UpdateFleetCapacity", {"FleetId": "$fleet", "DesiredInstances": 1}, "InvalidRequest", "ANYWHERE"),
    refused("DescribeFleetPortSettings", {"FleetId": "$fleet"}, "InvalidRequest", "ANYWHERE"),
    ok("DescribeRuntimeConfiguration", {"FleetId": "$fleet"},
       {"RuntimeConfiguration.GameSessionActivationTimeoutSeconds": 300,
        "RuntimeConfiguration.MaxConcurrentGameSessionActivations": 2_147_483_647}),
    ok("UpdateRuntimeConfiguration",
       {"FleetId": "$fleet", "RuntimeConfiguration": {"GameSessionActivationTimeoutSeconds": 60}},
       {"RuntimeConfiguration.GameSessionActivationTimeoutSeconds": 60}),
    refused(
        "UpdateRuntimeConfiguration",
        {"FleetId": "$fleet", "RuntimeConfiguration": {"GameSessionActivationTimeoutSeconds": 601}},
        "InvalidRequest", "less than or equal to 600",
    ),
]

COMPUTES = [
    refused(
        "RegisterCompute",
        {"FleetId": "$fleet", "ComputeName": "$compute", "IpAddress": "10.1.2.3", "Location": "$location"}, "Conflict",
    ),
    refused(
        "RegisterCompute",
        {"FleetId": "fleet-none", "ComputeName": "c", "IpAddress": "10.1.2.3", "Location": "$location"},
        "InvalidRequest", "fleet-none",
    ),
    refused(
        "RegisterCompute",
        {"FleetId": "$fleet", "ComputeName": "c", "IpAddress": "ten one", "Location": "$location"},
        "InvalidRequest", "at 'ipAddress'",
    ),
    ok("DescribeCompute", {"FleetId": "$fleet", "ComputeName": "$compute"}, {"Compute.ComputeStatus": "Active"}),
    ok("ListCompute", {"FleetId": "$fleet"}, {"ComputeList.0.ComputeName": "$compute", "ComputeList.1": None}),
    refused("DescribeCompute", {"FleetId": "$fleet", "ComputeName": "nobody"}, "NotFound", "nobody"),
    refused("GetComputeAuthToken", {"FleetId": "$fleet", "ComputeName": "nobody"}, "NotFound"),
    refused("GetComputeAccess", {"FleetId": "$fleet", "ComputeName": "$compute"}, "InvalidRequest", "ANYWHERE"),
]

GAME_SESSIONS = [
    refused(
        "CreateGameSession", {"FleetId": "$fleet", "Location": "$location", "MaximumPlayerSessionCount": 2},
        "FleetCapacityExceeded", "Unable to reserve a process on fleet $fleet",
    ),
    refused("CreateGameSession", {"FleetId": "$fleet", "MaximumPlayerSessionCount": 2}, "InvalidRequest", "Location"),
    refused(
        "CreateGameSession", {"FleetId": "$fleet", "AliasId": "alias-1", "MaximumPlayerSessionCount": 2},
        "InvalidRequest", "exactly one",
    ),
    refused(
        "CreateGameSession",
        {"FleetId": "$fleet", "Location": "$location", "MaximumPlayerSessionCount": 2,
         "GameProperties": [{"Key": str(n), "Value": ""} for n in range(17)]},
        "InvalidRequest", "at 'gameProperties'",
    ),
    ok("DescribeGameSessionDetails", {"GameSessionId": "$session"},
       {"GameSessionDetails.0.ProtectionPolicy": "NoProtection", "GameSessionDetails.0.GameSession.Status": "ACTIVE"}),
    refused("DescribeGameSessions", {"GameSessionId": "$session-none"}, "NotFound"),
    refused("DescribeGameSessions", {"FleetId": "$fleet", "StatusFilter": "DONE"}, "InvalidRequest", "DONE"),
    ok("SearchGameSessions",
       {"FleetId": "$fleet",
        "FilterExpression": "gameSessionName = 'Debug\\'s Session' AND hasAvailablePlayerSessions=true"},
       {"GameSessions.0.GameSessionId": "$session"}),
    ok("SearchGameSessions", {"FleetId": "$fleet", "FilterExpression": "playerSessionCount>5"}, {"GameSessions": []}),
    ok("SearchGameSessions", {"FleetId": "$fleet", "SortExpression": "creationTimeMillis DESC"},
       {"GameSessions.0.GameSessionId": "$session"}),
    refused(
        "SearchGameSessions", {"FleetId": "$fleet", "FilterExpression": "maximumSessions=>4"}, "InvalidRequest",
        "FilterExpression, character 17: expected a number, found >",
    ),
    refused(
        "SearchGameSessions", {"FleetId": "$fleet", "SortExpression": "colour ASC"}, "InvalidRequest",
        "SortExpression, character 1",
    ),
    ok("UpdateGameSession",
       {"GameSessionId": "$session", "ProtectionPolicy": "FullProtection",
        "GameProperties": [{"Key": "map", "Value": "dust"}]},
       {"GameSession.GameProperties": [{"Key": "map", "Value": "dust"}]}),
    ok("DescribeGameSessionDetails", {"FleetId": "$fleet"}, {"GameSessionDetails.0.ProtectionPolicy": "FullProtection"}),
    refused(
        "UpdateGameSession", {"GameSessionId": "$session", "PlayerSessionCreationPolicy": "SOME"}, "InvalidRequest",
    ),
    refused("GetGameSessionLogUrl", {"GameSessionId": "$session"}, "InvalidRequest", "no logs"),
    refused(
        "TerminateGameSession", {"GameSessionId": "$session", "TerminationMode": "FORCE_TERMINATE"}, "InvalidRequest",
        "FORCE_TERMINATE",
    ),
    ok("CreatePlayerSessions", {"GameSessionId": "$session", "PlayerIds": ["bob"], "PlayerDataMap": {"bob": "red"}},
       {"PlayerSessions.0.Status": "RESERVED", "PlayerSessions.0.PlayerData": "red"},
       player="PlayerSessions.0.PlayerSessionId"),
    refused("CreatePlayerSession", {"GameSessionId": "$session", "PlayerId": "eve"}, "GameSessionFull"),
    refused(
        "UpdateGameSession", {"GameSessionId": "$session", "MaximumPlayerSessionCount": 1}, "InvalidRequest", "taken",
    ),
    ok("DescribePlayerSessions", {"PlayerSessionId": "$player"}, {"PlayerSessions.0.PlayerId": "bob"}),
    ok("DescribePlayerSessions", {"GameSessionId": "$session", "PlayerSessionStatusFilter": "COMPLETED"},
       {"PlayerSessions": []}),
    refused("DescribePlayerSessions", {}, "InvalidRequest", "exactly one"),
]

ALIASES = [
    ok("CreateAlias", {"Name": "arena", "RoutingStrategy": {"Type": "SIMPLE", "FleetId": "$fleet"}},
       {"Alias.RoutingStrategy.FleetId": "$fleet"}, alias="Alias.AliasId", alias_arn="Alias.AliasArn"),
    ok("DescribeAlias", {"AliasId": "$alias_arn"}, {"Alias.Name": "arena"}),
    ok("ResolveAlias", {"AliasId": "$alias"}, {"FleetId": "$fleet", "FleetArn": "$fleet_arn"}),
    ok("DescribeGameSessions", {"AliasId": "$alias"}, {"GameSessions.0.GameSessionId": "$session"}),
    ok("ListAliases", {"RoutingStrategyType": "SIMPLE", "Name": "arena"}, {"Aliases.0.AliasId": "$alias"}),
    ok("UpdateAlias", {"AliasId": "$alias", "RoutingStrategy": {"Type": "TERMINAL", "Message": "Get version 2"}},
       {"Alias.RoutingStrategy.Type": "TERMINAL", "Alias.RoutingStrategy.FleetId": None}),
    refused("ResolveAlias", {"AliasId": "$alias"}, "TerminalRoutingStrategy", "Get version 2"),
    refused(
        "CreateGameSession", {"AliasId": "$alias", "Location": "$location", "MaximumPlayerSessionCount": 2},
        "TerminalRoutingStrategy", "Get version 2",
    ),
    refused("CreateAlias", {"Name": "a", "RoutingStrategy": {"Type": "SIMPLE"}}, "InvalidRequest", "FleetId"),
    refused("DescribeAlias", {"AliasId": "alias-none"}, "NotFound", "Alias (alias-none) not found"),
]

TAGS = [
    ok("TagResource", {"ResourceARN": "$alias_arn", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]}),
    ok("UntagResource", {"ResourceARN": "$alias_arn", "TagKeys": ["b", "c"]}),
    ok("ListTagsForResource", {"ResourceARN": "$alias_arn"}, {"Tags": [{"Key": "a", "Value": "1"}]}),
    refused("TagResource", {"ResourceARN": "$alias_arn", "Tags": [{"Key": "aws:a", "Value": "1"}]}, "TaggingFailed"),
    refused("ListTagsForResource", {"ResourceARN": "$alias_arn-none"}, "NotFound"),
    refused("TagResource", {"ResourceARN": "$session", "Tags": []}, "InvalidRequest", "cannot have tags"),
]

QUEUES = [
    ok("CreateGameSessionQueue",
       {"Name": "by-alias", "Destinations": [{"DestinationArn": "$alias_arn"}], "TimeoutInSeconds": 10,
        "Tags": [{"Key": "a", "Value": "1"}]},
       {"GameSessionQueue.Destinations.0.DestinationArn": "$alias_arn"}, queue="GameSessionQueue.GameSessionQueueArn"),
    refused("CreateGameSessionQueue", {"Name": "by-alias"}, "InvalidRequest", "already exists"),
    refused("CreateGameSessionQueue", {"Name": "q", "TimeoutInSeconds": 601}, "InvalidRequest", "timeoutInSeconds"),
    refused(
        "CreateGameSessionQueue", {"Name": "q", "Destinations": [{"DestinationArn": "$fleet_arn-none"}]}, "NotFound",
    ),
    ok("StartGameSessionPlacement",
       {"PlacementId": "one", "GameSessionQueueName": "$queue", "MaximumPlayerSessionCount": 2},
       {"GameSessionPlacement.Status": "PENDING"}),
    refused(
        "StartGameSessionPlacement",
        {"PlacementId": "one", "GameSessionQueueName": "by-alias", "MaximumPlayerSessionCount": 2}, "InvalidRequest",
    ),
    ok("StopGameSessionPlacement", {"PlacementId": "one"}, {"GameSessionPlacement.Status": "CANCELLED"}),
    refused("StopGameSessionPlacement", {"PlacementId": "one"}, "InvalidRequest"),
    refused("DescribeGameSessionPlacement", {"PlacementId": "two"}, "NotFound"),
    ok("DescribeGameSessionQueues", {"Names": ["by-alias", "none"]},
       {"GameSessionQueues.0.TimeoutInSeconds": 10, "GameSessionQueues.1": None}),
    ok("UpdateGameSessionQueue", {"Name": "by-alias", "Destinations": []}, {"GameSessionQueue.Destinations": []}),
    ok("DeleteGameSessionQueue", {"Name": "by-alias"}),
    refused("DeleteGameSessionQueue", {"Name": "by-alias"}, "NotFound"),
    refused("StartMatchmaking", {"ConfigurationName": "none", "Players": [{"PlayerId": "p"}]}, "NotFound"),
    refused("ValidateMatchmakingRuleSet", {"RuleSetBody": "{}"}, "InvalidRequest"),
    ok("DeleteAlias", {"AliasId": "$alias"}),
    refused("ResolveAlias", {"AliasId": "$alias"}, "NotFound"),
]

ALL = [*LOCATIONS, *FLEETS, *COMPUTES, *GAME_SESSIONS, *ALIASES, *TAGS, *QUEUES]
