//! SearchGameSessions: its expressions beside closures written by hand for the same question, over 10,000 game sessions.
//!
//! ```sh
//! cargo bench -p gamelift-local --bench search
//! ```
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::{
    cmp::Reverse,
    hint::black_box,
    time::{Duration, Instant},
};

use gamelift_local::{
    Timestamp,
    engine::{Engine, Filter, Settings, Sort},
    model::*,
};
use gamelift_wire::connect::ConnectQuery;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const SESSIONS: usize = 10_000;
/// Rounds per figure; the best one counts.
const ROUNDS: usize = 50;

fn input<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the input has the right shape")
}

fn text(engine: &mut Engine, now: Timestamp, connection: gamelift_local::engine::ConnectionId, frame: Value) {
    engine.sdk_text(now, connection, &frame.to_string());
    while engine.poll_effect().is_some() {}
}

/// A fleet with so many ACTIVE game sessions, each on a process of its own.
fn crowded() -> (Engine, String, Timestamp) {
    let mut now = Timestamp::from_millis(1_700_000_000_000);
    let mut engine = Engine::new(Settings::default(), 1);
    engine.create_location(now, input(json!({ "LocationName": "custom-here" }))).expect("a location");
    let fleet =
        json!({ "Name": "f", "ComputeType": "ANYWHERE", "Locations": [{ "Location": "custom-here" }] });
    let fleet = engine.create_fleet(now, input(fleet)).expect("a fleet").fleet_attributes.fleet_id;
    let compute =
        json!({ "FleetId": fleet, "ComputeName": "box", "IpAddress": "10.0.0.1", "Location": "custom-here" });
    engine.register_compute(now, input(compute)).expect("a compute");
    let named = json!({ "FleetId": fleet, "ComputeName": "box" });
    let token = engine.get_compute_auth_token(now, input(named)).expect("a token").auth_token;
    let maps = ["dust", "aztec", "italy", "nuke"];
    for n in 0..SESSIONS {
        let query = format!(
            "Authorization={}&ComputeId=box&FleetId={fleet}&IdempotencyToken={n}&pID=p{n}",
            token.as_str()
        );
        let query = ConnectQuery::parse(&query).expect("a query");
        let connection = engine.sdk_connected(now, query).expect("a connection");
        let ready = json!({ "Action": "ActivateServerProcess", "RequestId": "1", "Port": 7777 });
        text(&mut engine, now, connection, ready);
        let alive = json!({ "Action": "HeartbeatServerProcess", "RequestId": "2", "HealthStatus": true });
        text(&mut engine, now, connection, alive);
        let body = json!({
            "FleetId": fleet, "Location": "custom-here", "MaximumPlayerSessionCount": 2 + n % 7,
            "Name": format!("game {}", n * 7_919 % SESSIONS),
            "GameProperties": [
                { "Key": "mode", "Value": "dm" }, { "Key": "map", "Value": maps[n % maps.len()] },
            ],
        });
        let arn = engine.create_game_session(now, input(body)).expect("a game session").game_session;
        let activate = json!({ "Action": "ActivateGameSession", "RequestId": "3", "GameSessionId": arn.game_session_id });
        text(&mut engine, now, connection, activate);
        now = now + Duration::from_millis(1);
    }
    (engine, fleet, now)
}

fn all(engine: &mut Engine, fleet: &str, now: Timestamp) -> Vec<GameSession> {
    let (mut sessions, mut token) = (Vec::new(), None::<String>);
    loop {
        let body = json!({ "FleetId": fleet, "NextToken": token });
        let page = engine.describe_game_sessions(now, input(body)).expect("a page");
        sessions.extend(page.game_sessions);
        token = page.next_token;
        if token.is_none() {
            return sessions;
        }
    }
}

fn best(mut work: impl FnMut() -> usize) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(work());
        best = best.min(start.elapsed());
    }
    best
}

/// A question: its filter and sort expressions, and the same by hand.
type Question = (&'static str, &'static str, fn(&GameSession) -> bool, fn(&mut Vec<&GameSession>));

fn has_room(session: &GameSession) -> bool {
    session.current_player_session_count < session.maximum_player_session_count
        && session.player_session_creation_policy == PlayerSessionCreationPolicy::AcceptAll
}

fn map(session: &GameSession) -> Option<&str> {
    session.game_properties.iter().find(|pair| pair.key == "map").map(|pair| pair.value.as_str())
}

fn main() {
    let (mut engine, fleet, now) = crowded();
    let sessions = all(&mut engine, &fleet, now);
    assert_eq!(sessions.len(), SESSIONS);
    let questions: [Question; 3] = [
        ("hasAvailablePlayerSessions=true", "creationTimeMillis DESC", has_room, |found| {
            found.sort_by_key(|session| Reverse(session.creation_time))
        }),
        (
            "maximumSessions>=4 AND (gameSessionProperties.map='dust' OR gameSessionProperties.map='nuke')",
            "playerSessionCount ASC",
            |session| {
                session.maximum_player_session_count >= 4
                    && map(session).is_some_and(|map| map == "dust" || map == "nuke")
            },
            |found| found.sort_by_key(|session| session.current_player_session_count),
        ),
        (
            "NOT gameSessionProperties.map='dust'",
            "gameSessionName ASC",
            |session| map(session) != Some("dust"),
            |found| found.sort_by(|a, b| a.name.cmp(&b.name)),
        ),
    ];
    println!("| filter, sort | expressions | by hand | ratio | whole operation |");
    println!("|---|---|---|---|---|");
    for (filter_text, sort_text, wanted, in_order) in questions {
        let ours = best(|| {
            let filter = Filter::parse(filter_text).expect("a filter");
            let sort = Sort::parse(sort_text).expect("a sort");
            let mut found: Vec<&GameSession> =
                sessions.iter().filter(|session| filter.matches(session)).collect();
            sort.sort(&mut found, |session| session);
            found.len()
        });
        let by_hand = best(|| {
            let mut found: Vec<&GameSession> = sessions.iter().filter(|session| wanted(session)).collect();
            in_order(&mut found);
            found.len()
        });
        let body = json!({ "FleetId": fleet, "FilterExpression": filter_text, "SortExpression": sort_text });
        let whole = best(|| {
            let output = engine.search_game_sessions(now, input(body.clone()));
            output.expect("a page").game_sessions.len()
        });
        println!(
            "| `{filter_text}`, `{sort_text}` | {} us | {} us | {:.2} | {} us |",
            ours.as_micros(),
            by_hand.as_micros(),
            ours.as_secs_f64() / by_hand.as_secs_f64(),
            whole.as_micros()
        );
    }
}
