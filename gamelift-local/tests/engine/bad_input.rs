//! Requests that are wrong, one line each: which error, and what it says.

use gamelift_local::{
    ApiError,
    ErrorKind::{self, InvalidRequest, NotFound},
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, LOCATION, input},
    matchmaking::duel,
};

fn with_rules(rules: Value, expansions: Value) -> String {
    let mut body = duel(1);
    body["rules"] = rules;
    body["expansions"] = expansions;
    body.to_string()
}

#[test]
fn rule_sets() {
    let compound = |name: &str, of: &str| json!({ "name": name, "type": "compound", "statement": of });
    for (body, text) in [
        (with_rules(json!([{ "name": "x", "type": "telepathy" }]), json!([])), "telepathy"),
        (
            with_rules(json!([compound("a", "and(b, b)"), compound("b", "or(a, a)")]), json!([])),
            "\"b\" is defined later",
        ),
        (
            with_rules(
                json!([]),
                json!([{
                    "target": "rules[Missing].maxDistance", "steps": [{ "waitTimeSeconds": 5, "value": 1 }],
                }]),
            ),
            "Missing",
        ),
        (format!("{}{}", duel(1), " ".repeat(65_536)), "65535"),
        (" ".repeat(65_536), "65535"),
    ] {
        let mut bench = Bench::new();
        let created = bench.try_rule_set("r", &body).unwrap_err();
        let validated = bench
            .engine
            .validate_matchmaking_rule_set(bench.now, input(json!({ "RuleSetBody": body })))
            .unwrap_err();
        for error in [created, validated] {
            assert_eq!(error.kind, InvalidRequest);
            assert!(error.message.contains(text), "{text}: {error}");
            assert!(error.message.len() < 2_000, "{error}");
        }
    }
}

/// What, in which situation, the request, and what it is answered with.
type Case = (&'static str, fn() -> Bench, Request, ErrorKind, &'static str);
type Request = fn(&mut Bench) -> Result<(), ApiError>;

/// A bench with a matchmaker `m` that asks for acceptance, and ada and bob in it for a second.
fn asked() -> Bench {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({ "AcceptanceRequired": true }));
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    bench
}

fn placing() -> Bench {
    let mut bench = asked();
    bench.answer("ada", "ada", "ACCEPT").unwrap();
    bench.answer("bob", "bob", "ACCEPT").unwrap();
    bench
}

fn start(bench: &mut Bench, more: Value) -> Result<(), ApiError> {
    bench.try_match("t", more).map(drop)
}

fn backfill(bench: &mut Bench, arn: &str) -> Result<(), ApiError> {
    let body = json!({
        "ConfigurationName": "m", "GameSessionArn": arn, "Players": [{ "PlayerId": "p", "Team": "red" }],
    });
    bench.engine.start_match_backfill(bench.now, input(body)).map(drop)
}

#[test]
fn matchmaking_and_game_sessions() {
    let cases: [Case; 15] = [
        (
            "an attribute of the wrong type",
            asked,
            |bench| {
                let text = json!({ "skill": { "S": "high" } });
                start(bench, json!({ "Players": [{ "PlayerId": "eve", "PlayerAttributes": text }] }))
            },
            InvalidRequest,
            "declared number",
        ),
        (
            "eleven players on a ticket",
            asked,
            |bench| {
                let players: Vec<_> = (0..11).map(|n| json!({ "PlayerId": format!("p{n}") })).collect();
                start(bench, json!({ "Players": players }))
            },
            InvalidRequest,
            "'11 elements' at 'players'",
        ),
        (
            "a latency of 0",
            asked,
            |bench| {
                start(bench, json!({ "Players": [{ "PlayerId": "eve", "LatencyInMs": { LOCATION: 0 } }] }))
            },
            InvalidRequest,
            "Value '0' at 'players.latencyInMs'",
        ),
        (
            "a location that the fleet does not have",
            asked,
            |bench| bench.try_create(json!({ "Location": "custom-elsewhere" })).map(drop),
            InvalidRequest,
            "custom-elsewhere is not a location of fleet",
        ),
        (
            "a location that does not exist",
            asked,
            |bench| {
                let locations = json!([{ "Location": "custom-elsewhere" }]);
                let body = json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": locations });
                bench.engine.create_fleet(bench.now, input(body)).map(drop)
            },
            InvalidRequest,
            "custom-elsewhere does not exist",
        ),
        (
            "an unknown configuration",
            asked,
            |bench| start(bench, json!({ "ConfigurationName": "none" })),
            NotFound,
            "configuration none not found",
        ),
        (
            "a stop while PLACING",
            placing,
            |bench| bench.try_stop_ticket("ada").map(drop),
            InvalidRequest,
            "Matchmaking ticket is in PLACING status and cannot be canceled.",
        ),
        (
            "an answer to a match that everybody has accepted",
            placing,
            |bench| bench.answer("ada", "ada", "ACCEPT").map(drop),
            InvalidRequest,
            "ticket ada",
        ),
        (
            "a rejection after that",
            placing,
            |bench| bench.answer("ada", "ada", "REJECT").map(drop),
            InvalidRequest,
            "ticket ada",
        ),
        (
            "an answer by a stranger",
            asked,
            |bench| bench.answer("ada", "eve", "ACCEPT").map(drop),
            InvalidRequest,
            "not on the ticket",
        ),
        (
            "an answer by somebody else in the match",
            asked,
            |bench| bench.answer("ada", "bob", "ACCEPT").map(drop),
            InvalidRequest,
            "not on the ticket",
        ),
        (
            "an answer to an unknown ticket",
            asked,
            |bench| bench.answer("none", "ada", "ACCEPT").map(drop),
            NotFound,
            "ticket none not found",
        ),
        (
            "backfill for an unknown game session",
            asked,
            |bench| backfill(bench, "arn:aws:gamelift:us-west-2::gamesession/fleet-1/x/y"),
            NotFound,
            "fleet-1/x/y not found",
        ),
        (
            "backfill for a game session that matchmaking did not make",
            asked,
            |bench| {
                let (_, arn) = bench.hosting("p");
                backfill(bench, &arn)
            },
            InvalidRequest,
            "matchmaking has made",
        ),
        (
            "two queues for one configuration",
            asked,
            |bench| {
                let queue = "arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/q";
                bench.try_configure("n", json!({ "GameSessionQueueArns": [queue, queue] })).map(drop)
            },
            InvalidRequest,
            "has 2 elements; FlexMatchMode WITH_QUEUE needs exactly one",
        ),
    ];
    for (what, bench, request, kind, text) in cases {
        let mut bench = bench();
        let before = bench.statuses(&["ada", "bob"]);
        let error = request(&mut bench).expect_err(what);
        assert_eq!(error.kind, kind, "{what}: {error}");
        assert!(error.message.contains(text), "{what}: {error}");
        assert_eq!(bench.statuses(&["ada", "bob"]), before, "{what}: nothing else has changed");
    }
}
