//! Matchmaking requests that break a rule, and the resources behind matchmaking.

use gamelift_local::{
    ApiError,
    ErrorKind::{InvalidRequest, LimitExceeded, NotFound},
    model::*,
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, input, kind},
    matchmaking::duel,
};

const QUEUE: &str = "arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/q";

fn with(mut body: Value, field: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(body.as_object_mut().unwrap().remove(field)),
        value => body[field] = value,
    }
    body
}

#[test]
fn a_rule_set_that_is_not_valid_is_refused_with_every_reason() {
    let mut bench = Bench::new();
    let validate = |bench: &mut Bench, body: &str| {
        bench.engine.validate_matchmaking_rule_set(bench.now, input(json!({ "RuleSetBody": body })))
    };
    assert!(validate(&mut bench, &duel(1).to_string()).unwrap().valid);
    let unknown_type = with(duel(1), "rules", json!([{ "name": "x", "type": "telepathy" }]));
    for body in [unknown_type.to_string(), "{".to_owned(), "{}".to_owned(), "x".repeat(65_536), String::new()]
    {
        let error = validate(&mut bench, &body).unwrap_err();
        assert_eq!(error.kind, InvalidRequest);
        assert_eq!(kind(bench.try_rule_set("r", &body)), Some(InvalidRequest));
    }
    let error = validate(&mut bench, &unknown_type.to_string()).unwrap_err();
    assert!(error.message.contains("telepathy") && error.message.contains("/rules/0"), "{error}");
    let many: Vec<_> = (0..30).map(|index| json!({ "name": format!("r{index}"), "type": "none" })).collect();
    let error = validate(&mut bench, &with(duel(1), "rules", json!(many)).to_string()).unwrap_err();
    assert!(error.message.contains("more"), "{error}");
    assert!(error.message.lines().count() < 15, "{error}");
}

#[test]
fn rule_sets_are_named_once_paged_and_kept_while_in_use() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    let error = bench.try_rule_set("r", &duel(1).to_string()).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (InvalidRequest, "Rule set r already exists"));
    for index in 0..11 {
        bench.try_rule_set(&format!("more.{index}"), &duel(1).to_string()).unwrap();
    }
    let describe =
        |bench: &mut Bench, body: Value| bench.engine.describe_matchmaking_rule_sets(bench.now, input(body));
    let first = describe(&mut bench, json!({})).unwrap();
    assert_eq!(first.rule_sets.len(), 10);
    let rest = describe(&mut bench, json!({ "NextToken": first.next_token })).unwrap();
    assert_eq!((rest.rule_sets.len(), rest.next_token), (2, None));
    let by_arn = json!({ "Names": [rest.rule_sets[1].rule_set_arn] });
    assert_eq!(describe(&mut bench, by_arn).unwrap().rule_sets[0].rule_set_body, duel(1).to_string());
    assert_eq!(kind(describe(&mut bench, json!({ "Names": ["none"] }))), Some(NotFound));
    assert_eq!(kind(describe(&mut bench, json!({ "Names": [] }))), Some(InvalidRequest));
    assert_eq!(kind(describe(&mut bench, json!({ "Limit": 11 }))), Some(InvalidRequest));
    let delete = |bench: &mut Bench, name: &str| {
        bench.engine.delete_matchmaking_rule_set(bench.now, input(json!({ "Name": name })))
    };
    let error = delete(&mut bench, "r").unwrap_err();
    assert!(error.kind == InvalidRequest && error.message.contains("in use"), "{error}");
    delete(&mut bench, "more.0").unwrap();
    assert_eq!(kind(delete(&mut bench, "more.0")), Some(NotFound));
}

#[test]
fn configurations_that_break_a_rule_are_refused() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    let other = QUEUE.replace("/q", "/none");
    for (field, value, expected, text) in [
        ("RuleSetName", json!("none"), NotFound, "rule set none"),
        ("RuleSetName", Value::Null, InvalidRequest, "ruleSetName"),
        ("RequestTimeoutSeconds", Value::Null, InvalidRequest, "requestTimeoutSeconds"),
        ("RequestTimeoutSeconds", json!(0), InvalidRequest, "greater than or equal to 1"),
        ("RequestTimeoutSeconds", json!(43_201), InvalidRequest, "43200"),
        ("AcceptanceRequired", Value::Null, InvalidRequest, "acceptanceRequired"),
        ("AcceptanceTimeoutSeconds", json!(601), InvalidRequest, "600"),
        ("AdditionalPlayerCount", json!(-1), InvalidRequest, "additionalPlayerCount"),
        ("CustomEventData", json!("x".repeat(257)), InvalidRequest, "256"),
        ("GameSessionData", json!("x".repeat(4097)), InvalidRequest, "4096"),
        ("GameSessionQueueArns", json!([]), InvalidRequest, "exactly one"),
        ("GameSessionQueueArns", json!([QUEUE, QUEUE]), InvalidRequest, "exactly one"),
        ("GameSessionQueueArns", json!([other]), NotFound, "none"),
        ("FlexMatchMode", json!("ALONE"), InvalidRequest, "STANDALONE, WITH_QUEUE"),
        ("FlexMatchMode", json!("STANDALONE"), InvalidRequest, "GameSessionQueueArns needs"),
        ("BackfillMode", json!("SOMETIMES"), InvalidRequest, "AUTOMATIC, MANUAL"),
        ("NotificationTarget", json!("not an arn!"), InvalidRequest, "notificationTarget"),
    ] {
        let body = json!({
            "Name": "n", "RuleSetName": "r", "RequestTimeoutSeconds": 60, "AcceptanceRequired": false,
            "GameSessionQueueArns": [QUEUE],
        });
        let body = input(with(body, field, value));
        let error = bench.engine.create_matchmaking_configuration(bench.now, body).unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert!(error.message.contains(text), "{error}");
    }
    assert_eq!(kind(bench.try_configure("m", json!({}))), Some(InvalidRequest), "the name is taken");
    assert_eq!(kind(bench.try_configure("under_score", json!({}))), Some(InvalidRequest));
    let alone = |more: Value| {
        let mut body = json!({ "FlexMatchMode": "STANDALONE", "GameSessionQueueArns": [] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for more in [
        json!({ "AdditionalPlayerCount": 1 }),
        json!({ "GameSessionData": "d" }),
        json!({ "GameProperties": [{ "Key": "k", "Value": "v" }] }),
        json!({ "BackfillMode": "AUTOMATIC" }),
    ] {
        let error = bench.try_configure("alone", alone(more)).unwrap_err();
        assert!(error.kind == InvalidRequest && error.message.contains("WITH_QUEUE"), "{error}");
    }
    bench.try_configure("alone", alone(json!({}))).unwrap();
}

#[test]
fn configurations_are_found_by_name_by_rule_set_or_all() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.try_rule_set("s", &duel(2).to_string()).unwrap();
    bench.try_configure("n", json!({ "RuleSetName": "s", "Description": "two on two" })).unwrap();
    let mut names = |body: Value| -> Result<Vec<String>, ApiError> {
        let output = bench.engine.describe_matchmaking_configurations(bench.now, input(body))?;
        Ok(output.configurations.into_iter().map(|configuration| configuration.name).collect())
    };
    assert_eq!(names(json!({})).unwrap(), ["m", "n"]);
    assert_eq!(names(json!({ "RuleSetName": "s" })).unwrap(), ["n"]);
    assert_eq!(names(json!({ "Names": ["m", "none"] })).unwrap(), ["m"]);
    assert_eq!(kind(names(json!({ "NextToken": "made-up" }))), Some(InvalidRequest));
    for index in 2..300 {
        bench.try_configure(&format!("c{index}"), json!({})).unwrap();
    }
    assert_eq!(kind(bench.try_configure("one-more", json!({}))), Some(LimitExceeded));
}

#[test]
fn tickets_that_break_a_rule_are_refused() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.wants_match("used");
    let eleven: Vec<_> = (0..11).map(|index| json!({ "PlayerId": format!("p{index}") })).collect();
    let player = |more: Value| {
        let mut player = json!({ "PlayerId": "ada" });
        player.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([player])
    };
    let attribute = |value: Value| player(json!({ "PlayerAttributes": { "skill": value } }));
    let names: serde_json::Map<_, _> =
        (0..11).map(|index| (format!("a{index}"), json!({ "N": 1 }))).collect();
    for (field, value, expected, text) in [
        ("ConfigurationName", json!("none"), NotFound, "configuration none"),
        ("ConfigurationName", json!("under_score"), InvalidRequest, "configurationName"),
        ("TicketId", json!("used"), InvalidRequest, "used before"),
        ("TicketId", json!("under_score"), InvalidRequest, "ticketId"),
        ("Players", Value::Null, InvalidRequest, "'players'"),
        ("Players", json!([]), InvalidRequest, "greater than or equal to 1"),
        ("Players", json!(eleven), InvalidRequest, "less than or equal to 10"),
        ("Players", json!([{}]), InvalidRequest, "playerId"),
        ("Players", json!([{ "PlayerId": "a" }, { "PlayerId": "a" }]), InvalidRequest, "twice"),
        ("Players", player(json!({ "LatencyInMs": { "here": 0 } })), InvalidRequest, "latencyInMs"),
        ("Players", player(json!({ "Team": "green" })), InvalidRequest, "no team"),
        ("Players", attribute(json!({ "S": "high" })), InvalidRequest, "declared number"),
        ("Players", attribute(json!({})), InvalidRequest, "exactly one"),
        ("Players", attribute(json!({ "S": "a", "N": 1 })), InvalidRequest, "exactly one"),
        ("Players", attribute(json!({ "S": "x".repeat(101) })), InvalidRequest, "100"),
        ("Players", player(json!({ "PlayerAttributes": names })), InvalidRequest, "11 attributes"),
    ] {
        let body = json!({ "TicketId": "t", "ConfigurationName": "m", "Players": [{ "PlayerId": "ada" }] });
        let body = input(with(body, field, value));
        let error = bench.engine.start_matchmaking(bench.now, body).unwrap_err();
        assert_eq!(error.kind, expected, "{error}");
        assert!(error.message.contains(text), "{error}");
    }
    let mut describe = |ids: Value| {
        let output = bench.engine.describe_matchmaking(bench.now, input(json!({ "TicketIds": ids })));
        output.map(|output: DescribeMatchmakingOutput| output.ticket_list.len())
    };
    assert_eq!(describe(json!(["t", "used"])), Ok(1), "what was refused leaves nothing behind");
    assert_eq!(kind(describe(json!([]))), Some(InvalidRequest));
    assert_eq!(kind(describe(json!(vec!["t"; 11]))), Some(InvalidRequest));
    let generated = bench.try_match("x", json!({ "TicketId": null })).unwrap();
    assert_eq!(generated.ticket_id.len(), 36, "a UUID");
}

#[test]
fn a_matchmaker_that_an_update_has_pushed_out_wakes_nobody() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    bench.wants_match("ada");
    bench.try_stop_ticket("ada").unwrap();
    assert!(bench.engine.poll_timeout().is_some(), "the first matchmaker has seen a ticket come and go");
    for seconds in 0..9 {
        let body = json!({ "Name": "m", "RequestTimeoutSeconds": 100 + seconds });
        bench.engine.update_matchmaking_configuration(bench.now, input(body)).unwrap();
    }
    assert_eq!(bench.engine.poll_timeout(), None);
}
