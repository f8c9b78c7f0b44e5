//! Every rule of every member of every operation, broken on purpose; and `docs/api-coverage.md`, which lists them.

use std::{fmt::Write, path::Path};

use serde_json::{Map, Value, json};

use super::{Codec, operations};
use crate::{
    ErrorKind, Timestamp,
    engine::{Engine, Settings},
    model::check::{Described, Description},
};

/// All operations of the API (version 2015-10-01).
const ALL: &str = "
    AcceptMatch ClaimGameServer CreateAlias CreateBuild CreateContainerFleet CreateContainerGroupDefinition
    CreateFleet CreateFleetLocations CreateGameServerGroup CreateGameSession CreateGameSessionQueue CreateLocation
    CreateMatchmakingConfiguration CreateMatchmakingRuleSet CreatePlayerSession CreatePlayerSessions CreateScript
    CreateVpcPeeringAuthorization CreateVpcPeeringConnection DeleteAlias DeleteBuild DeleteContainerFleet
    DeleteContainerGroupDefinition DeleteFleet DeleteFleetLocations DeleteGameServerGroup DeleteGameSessionQueue
    DeleteLocation DeleteMatchmakingConfiguration DeleteMatchmakingRuleSet DeleteScalingPolicy DeleteScript
    DeleteVpcPeeringAuthorization DeleteVpcPeeringConnection DeregisterCompute DeregisterGameServer DescribeAlias
    DescribeBuild DescribeCompute DescribeContainerFleet DescribeContainerGroupDefinition
    DescribeContainerGroupPortMappings DescribeEC2InstanceLimits DescribeFleetAttributes DescribeFleetCapacity
    DescribeFleetDeployment DescribeFleetEvents DescribeFleetLocationAttributes DescribeFleetLocationCapacity
    DescribeFleetLocationUtilization DescribeFleetPortSettings DescribeFleetUtilization DescribeGameServer
    DescribeGameServerGroup DescribeGameServerInstances DescribeGameSessionDetails DescribeGameSessionPlacement
    DescribeGameSessionQueues DescribeGameSessions DescribeInstances DescribeMatchmaking
    DescribeMatchmakingConfigurations DescribeMatchmakingRuleSets DescribePlayerSessions
    DescribeRuntimeConfiguration DescribeScalingPolicies DescribeScript DescribeVpcPeeringAuthorizations
    DescribeVpcPeeringConnections GetComputeAccess GetComputeAuthToken GetGameSessionLogUrl GetInstanceAccess
    GetPlayerConnectionDetails ListAliases ListBuilds ListCompute ListContainerFleets
    ListContainerGroupDefinitionVersions ListContainerGroupDefinitions ListFleetDeployments ListFleets
    ListGameServerGroups ListGameServers ListLocations ListScripts ListTagsForResource PutScalingPolicy
    RegisterCompute RegisterGameServer RequestUploadCredentials ResolveAlias ResumeGameServerGroup
    SearchGameSessions StartFleetActions StartGameSessionPlacement StartMatchBackfill StartMatchmaking
    StopFleetActions StopGameSessionPlacement StopMatchmaking SuspendGameServerGroup TagResource
    TerminateGameSession UntagResource UpdateAlias UpdateBuild UpdateContainerFleet UpdateContainerGroupDefinition
    UpdateFleetAttributes UpdateFleetCapacity UpdateFleetPortSettings UpdateGameServer UpdateGameServerGroup
    UpdateGameSession UpdateGameSessionQueue UpdateMatchmakingConfiguration UpdateRuntimeConfiguration
    UpdateScript ValidateMatchmakingRuleSet
";

/// Set to write the file instead of comparing it.
const UPDATE: &str = "UPDATE_API_COVERAGE";

/// A member's name in requests.
fn wire(name: &str) -> String {
    match name {
        "ec2_instance_type" => "EC2InstanceType".to_owned(),
        "ec2_inbound_permissions" => "EC2InboundPermissions".to_owned(),
        "resource_arn" => "ResourceARN".to_owned(),
        "s" | "n" | "sl" | "sdm" => name.to_uppercase(),
        _ => {
            let words = name.trim_start_matches("r#").split('_');
            words.map(|word| word[..1].to_uppercase() + &word[1..]).collect()
        }
    }
}

/// A member's name in messages.
fn shown(name: &str) -> String {
    let wire: String = wire_of_message(name);
    wire[..1].to_lowercase() + &wire[1..]
}

fn wire_of_message(name: &str) -> String {
    name.trim_start_matches("r#").split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// A value of a member that can be read, whatever its rule.
fn readable(rule: &Description) -> Option<Value> {
    match rule.bad.first()? {
        Value::String(_) => Some(json!("1")),
        Value::Number(_) => Some(json!(1)),
        _ => None,
    }
}

/// Everything that breaks a member's rule: a value for the member, and where the message must say it is.
fn violations(member: &Described) -> Vec<(Value, String)> {
    let rule = &member.rule;
    let name = shown(member.name);
    let mut found: Vec<_> = rule.bad.iter().map(|bad| (bad.clone(), name.clone())).collect();
    let place = |inner: Value| if rule.is_list { json!([inner]) } else { inner };
    let siblings = || -> Map<String, Value> {
        let readable = |member: &Described| Some((wire(member.name), readable(&member.rule)?));
        rule.members.iter().filter(|member| member.is_required).filter_map(readable).collect()
    };
    for inner in &rule.members {
        for (bad, at) in violations(inner) {
            let mut structure = siblings();
            structure.insert(wire(inner.name), bad);
            found.push((place(Value::Object(structure)), format!("{name}.{at}")));
        }
    }
    if let Some(most) = rule.most {
        let element = if rule.members.is_empty() { json!("1") } else { Value::Object(siblings()) };
        found.push((vec![element; most + 1].into(), name));
    }
    found
}

fn refusal(operation: &operations::Operation, codec: Codec, body: &Value) -> crate::ApiError {
    let bytes = match codec {
        Codec::Json => serde_json::to_vec(body).unwrap(),
        Codec::Cbor => {
            let mut bytes = Vec::new();
            ciborium::into_writer(body, &mut bytes).unwrap();
            bytes
        }
    };
    let now = Timestamp::from_millis(1_700_000_000_000);
    let job = (operation.prepare)(codec, &bytes);
    let answer = job.and_then(|job| job(&mut Engine::new(Settings::default(), 1), now));
    answer.map(|_| ()).expect_err(operation.name)
}

#[test]
fn every_rule_of_every_member_is_enforced_in_both_protocols() {
    let mut broken = 0;
    for operation in operations::all() {
        let members = (operation.members)();
        for member in &members {
            for (bad, at) in violations(member) {
                for codec in [Codec::Json, Codec::Cbor] {
                    let body = json!({ wire(member.name): bad });
                    let error = refusal(operation, codec, &body);
                    let name = operation.name;
                    assert_eq!(error.kind, ErrorKind::InvalidRequest, "{name} {body}: {error}");
                    assert!(error.message.contains(&format!(" at '{at}' failed")), "{name} {body}: {error}");
                    broken += 1;
                }
            }
        }
        for member in members.iter().filter(|member| member.is_required) {
            let error = refusal(operation, Codec::Json, &json!({}));
            let at = format!("Value null at '{}' failed", shown(member.name));
            assert!(error.message.contains(&at), "{}: {error}", operation.name);
        }
    }
    assert!(broken > 1_000, "{broken} is suspiciously little");
}

#[test]
fn every_operation_is_one_of_the_api_and_stands_in_order() {
    let names: Vec<&str> = operations::all().iter().map(|operation| operation.name).collect();
    assert!(names.is_sorted());
    for name in names {
        assert!(ALL.split_whitespace().any(|known| known == name), "{name}");
    }
}

#[test]
fn the_documentation_of_the_api_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api-coverage.md");
    let expected = document();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/api-coverage.md is stale; write it anew with: {UPDATE}=1 cargo test -p gamelift-local --lib coverage"
    );
}

fn document() -> String {
    let operations = operations::all();
    let all: Vec<&str> = ALL.split_whitespace().collect();
    let mut text = format!(
        "# API coverage of gamelift-local

Written by a test from the table of operations and the rules of their members; do not edit. After a change:
`{UPDATE}=1 cargo test -p gamelift-local --lib coverage`.

{} of the {} operations of the Amazon GameLift API (version 2015-10-01), in AWS JSON 1.1 and Smithy RPC v2 CBOR. Every
rule below is broken on purpose by a test, in both protocols; the answer is an InvalidRequestException that names
member, value and rule. Besides the errors listed, every operation may answer with InternalServiceException,
SerializationException, ThrottlingException and RequestEntityTooLargeException. Required means required by the API;
what an Anywhere fleet needs on top of it is said in the messages.

",
        operations.len(),
        all.len()
    );
    for operation in operations {
        let errors: Vec<&str> = operation.errors.iter().map(|kind| kind.name()).collect();
        let _ = write!(text, "## {}\n\nErrors: {}.\n", operation.name, errors.join(", "));
        let members = (operation.members)();
        if !members.is_empty() {
            text += "\n| Member | Required | Rule |\n|---|---|---|\n";
            members.iter().for_each(|member| row(&mut text, "", member));
        }
        text += "\n";
    }
    text += "## Not there\n\nThese answer with UnknownOperationException.\n\n";
    for name in all.iter().filter(|name| operations.iter().all(|operation| operation.name != **name)) {
        let _ = writeln!(text, "- {name}");
    }
    text
}

fn row(text: &mut String, before: &str, member: &Described) {
    let name = format!("{before}{}", wire(member.name));
    let required = if member.is_required { "yes" } else { "" };
    let _ = writeln!(text, "| `{name}` | {required} | {} |", member.rule.text);
    let inside = if member.rule.is_list { format!("{name}[].") } else { format!("{name}.") };
    member.rule.members.iter().for_each(|inner| row(text, &inside, inner));
}
