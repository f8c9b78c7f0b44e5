//! Tags.

use gamelift_local::{
    ApiError,
    ErrorKind::{InvalidRequest, NotFound, TaggingFailed},
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, LOCATION, input, kind},
    matchmaking::duel,
};

impl Bench {
    fn tag(&mut self, arn: &str, tags: Value) -> Result<(), ApiError> {
        let body = json!({ "ResourceARN": arn, "Tags": tags });
        self.engine.tag_resource(self.now, input(body)).map(drop)
    }

    fn tags(&mut self, arn: &str) -> Result<String, ApiError> {
        let output = self.engine.list_tags_for_resource(self.now, input(json!({ "ResourceARN": arn })))?;
        Ok(serde_json::to_string(&output.tags).unwrap())
    }
}

const ARN: &str = "arn:aws:gamelift:us-west-2:123456789012:";

#[test]
fn everything_that_can_be_created_with_tags_has_them_and_loses_them_with_its_life() {
    let mut bench = Bench::new();
    let tags = json!([{ "Key": "team", "Value": "red" }]);
    let now = bench.now;
    let engine = &mut bench.engine;
    engine.create_location(now, input(json!({ "LocationName": "custom-tagged", "Tags": tags }))).unwrap();
    let body = json!({
        "Name": "f", "ComputeType": "ANYWHERE", "Locations": [{ "Location": LOCATION }], "Tags": tags,
    });
    let fleet = engine.create_fleet(now, input(body)).unwrap().fleet_attributes.fleet_arn;
    let terminal = json!({ "Type": "TERMINAL", "Message": "m" });
    let body = json!({ "Name": "a", "RoutingStrategy": terminal, "Tags": tags });
    let alias = engine.create_alias(now, input(body)).unwrap().alias;
    let body = json!({ "Name": "q", "Tags": tags });
    engine.create_game_session_queue(now, input(body)).unwrap();
    let body = json!({ "Name": "r", "RuleSetBody": duel(1).to_string(), "Tags": tags });
    engine.create_matchmaking_rule_set(now, input(body)).unwrap();
    let body = json!({
        "Name": "m", "RuleSetName": "r", "RequestTimeoutSeconds": 60, "AcceptanceRequired": false,
        "FlexMatchMode": "STANDALONE", "Tags": tags,
    });
    engine.create_matchmaking_configuration(now, input(body)).unwrap();
    let arns = [
        fleet.clone(),
        alias.alias_arn,
        format!("{ARN}location/custom-tagged"),
        format!("{ARN}gamesessionqueue/q"),
        format!("{ARN}matchmakingconfiguration/m"),
        format!("{ARN}matchmakingruleset/r"),
    ];
    for arn in &arns {
        assert_eq!(bench.tags(arn).unwrap(), r#"[{"Key":"team","Value":"red"}]"#, "{arn}");
    }
    let engine = &mut bench.engine;
    engine.delete_fleet(now, input(json!({ "FleetId": fleet }))).unwrap();
    engine.delete_alias(now, input(json!({ "AliasId": alias.alias_id }))).unwrap();
    engine.delete_location(now, input(json!({ "LocationName": "custom-tagged" }))).unwrap();
    engine.delete_game_session_queue(now, input(json!({ "Name": "q" }))).unwrap();
    engine.delete_matchmaking_configuration(now, input(json!({ "Name": "m" }))).unwrap();
    engine.delete_matchmaking_rule_set(now, input(json!({ "Name": "r" }))).unwrap();
    bench.wait_s(3_601);
    for arn in &arns {
        assert_eq!(kind(bench.tags(arn)), Some(NotFound), "{arn}");
    }
    let body = json!({ "Name": "q" });
    bench.engine.create_game_session_queue(bench.now, input(body)).unwrap();
    assert_eq!(bench.tags(&format!("{ARN}gamesessionqueue/q")).unwrap(), "[]", "a new life, without tags");
}

#[test]
fn tags_are_added_replaced_and_removed_by_key() {
    let mut bench = Bench::new();
    let arn = Bench::arn(&bench.fleet);
    bench.tag(&arn, json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "" }])).unwrap();
    bench.tag(&arn, json!([{ "Key": "a", "Value": "2" }])).unwrap();
    assert_eq!(bench.tags(&arn).unwrap(), r#"[{"Key":"a","Value":"2"},{"Key":"b","Value":""}]"#);
    let body = json!({ "ResourceARN": arn, "TagKeys": ["b", "never there"] });
    bench.engine.untag_resource(bench.now, input(body)).unwrap();
    assert_eq!(bench.tags(&arn).unwrap(), r#"[{"Key":"a","Value":"2"}]"#);
}

#[test]
fn tags_that_break_a_rule_are_refused_and_nothing_is_made() {
    let mut bench = Bench::new();
    let arn = Bench::arn(&bench.fleet);
    let many: Vec<_> = (0..51).map(|n| json!({ "Key": n.to_string(), "Value": "" })).collect();
    for (tags, expected, text) in [
        (json!([{ "Key": "aws:mine", "Value": "1" }]), TaggingFailed, "reserved for AWS"),
        (json!([{ "Key": "a", "Value": "1" }, { "Key": "a", "Value": "2" }]), TaggingFailed, "given twice"),
        (json!(many), TaggingFailed, "limit of 50"),
        (json!([{ "Key": "", "Value": "1" }]), InvalidRequest, "tags.key"),
        (json!([{ "Key": "a" }]), InvalidRequest, "Value null at 'tags.value'"),
        (json!([{ "Key": "a", "Value": "v".repeat(257) }]), InvalidRequest, "tags.value"),
    ] {
        let error = bench.tag(&arn, tags.clone()).unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert!(error.message.contains(text), "{error}");
        let body = json!({ "LocationName": "custom-new", "Tags": tags });
        assert_eq!(kind(bench.engine.create_location(bench.now, input(body))), Some(expected));
    }
    assert_eq!(bench.tags(&arn).unwrap(), "[]");
    let body = json!({ "LocationName": "custom-new" });
    bench.engine.create_location(bench.now, input(body)).expect("none of the attempts made it");
    bench.tag(&arn, json!(many[..50])).unwrap();
    assert_eq!(kind(bench.tag(&arn, json!([{ "Key": "one more", "Value": "" }]))), Some(TaggingFailed));
}

#[test]
fn only_arns_of_resources_that_can_have_tags_are_accepted() {
    let mut bench = Bench::new();
    for (arn, expected) in [
        ("fleet-1", InvalidRequest),
        ("arn:aws:gamelift:us-west-2::gamesession/fleet-1/x/y", InvalidRequest),
        ("arn:aws:gamelift:us-west-2::build/build-1", InvalidRequest),
        ("arn:aws:gamelift:us-west-2:123456789012:fleet/fleet-none", NotFound),
        ("arn:aws:gamelift:us-west-2::alias/alias-none", NotFound),
    ] {
        assert_eq!(kind(bench.tags(arn)), Some(expected), "{arn}");
        assert_eq!(kind(bench.tag(arn, json!([]))), Some(expected), "{arn}");
    }
}
