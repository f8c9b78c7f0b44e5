//! UpdateGameSession and what goes with it.

use gamelift_local::{
    ApiError,
    ErrorKind::{InvalidGameSessionStatus, InvalidRequest, NotFound},
    model::*,
};
use serde_json::{Value, json};

use crate::bench::{Bench, input, kind};

impl Bench {
    fn try_change(&mut self, arn: &str, more: Value) -> Result<GameSession, ApiError> {
        let mut body = json!({ "GameSessionId": arn });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.engine.update_game_session(self.now, input(body)).map(|output| output.game_session)
    }
}

#[test]
fn the_process_hears_of_every_change_and_properties_are_merged() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    let properties = json!([{ "Key": "map", "Value": "dust" }, { "Key": "mode", "Value": "dm" }]);
    let arn = bench.try_create(json!({ "GameProperties": properties })).unwrap().game_session_id;
    bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": arn }));
    bench.pushes();
    let more = json!({
        "Name": "renamed", "MaximumPlayerSessionCount": 7, "PlayerSessionCreationPolicy": "DENY_ALL",
        "GameProperties": [{ "Key": "map", "Value": "aztec" }, { "Key": "round", "Value": "2" }],
    });
    let changed = bench.try_change(&arn, more).unwrap();
    assert_eq!(changed, bench.session(&arn));
    let pushes = bench.pushes();
    assert_eq!((pushes.len(), pushes[0].0), (1, connection));
    let push = &pushes[0].1;
    assert_eq!(push["Action"], "UpdateGameSession");
    assert_eq!(push["GameSession"]["Name"], "renamed");
    assert_eq!(push["GameSession"]["MaximumPlayerSessionCount"], 7);
    let merged = json!({ "map": "aztec", "mode": "dm", "round": "2" });
    assert_eq!(push["GameSession"]["GameProperties"], merged);
    assert_eq!(kind(bench.try_join(&arn, "ada")), Some(InvalidGameSessionStatus), "nobody may join any more");
    bench.try_change(&arn, json!({ "PlayerSessionCreationPolicy": "ACCEPT_ALL" })).unwrap();
    bench.join(&arn, "ada");
}

#[test]
fn an_update_that_changes_nothing_is_not_pushed() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    bench.try_change(&arn, json!({})).unwrap();
    bench.try_change(&arn, json!({ "MaximumPlayerSessionCount": 2 })).unwrap();
    assert_eq!(bench.push_actions(), [""; 0]);
}

#[test]
fn slots_that_are_taken_cannot_be_taken_away() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    bench.join(&arn, "ada");
    bench.join(&arn, "bob");
    let error = bench.try_change(&arn, json!({ "MaximumPlayerSessionCount": 1 })).unwrap_err();
    assert_eq!(error.kind, InvalidRequest);
    assert!(error.message.contains("2 player slots"), "{error}");
    bench.try_change(&arn, json!({ "MaximumPlayerSessionCount": 3 })).unwrap();
    bench.join(&arn, "eve");
}

#[test]
fn there_are_sixteen_properties_at_most_whether_at_once_or_over_time() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    let properties = |range: std::ops::Range<u32>| {
        range.map(|n| json!({ "Key": n.to_string(), "Value": "" })).collect::<Vec<_>>()
    };
    bench.try_change(&arn, json!({ "GameProperties": properties(0..10) })).unwrap();
    let more = bench.try_change(&arn, json!({ "GameProperties": properties(10..17) }));
    assert_eq!(kind(more), Some(InvalidRequest));
    assert_eq!(bench.session(&arn).game_properties.len(), 10, "all or nothing");
    bench.try_change(&arn, json!({ "GameProperties": properties(5..16) })).unwrap();
    assert_eq!(bench.session(&arn).game_properties.len(), 16);
}

#[test]
fn a_game_session_that_is_ending_or_over_cannot_be_changed() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    bench.terminate(&arn).unwrap();
    assert_eq!(kind(bench.try_change(&arn, json!({ "Name": "n" }))), Some(InvalidGameSessionStatus));
    bench.ok(connection, "TerminateServerProcess", json!({}));
    assert_eq!(kind(bench.try_change(&arn, json!({ "Name": "n" }))), Some(InvalidGameSessionStatus));
    assert_eq!(kind(bench.try_change("arn:none", json!({ "Name": "n" }))), Some(NotFound));
}

#[test]
fn details_show_the_protection_that_the_fleet_gave_and_an_update_changed() {
    let mut bench = Bench::with_fleet(json!({ "NewGameSessionProtectionPolicy": "FullProtection" }));
    let (_, arn) = bench.hosting("p");
    let details = |bench: &mut Bench| {
        let body = json!({ "FleetId": bench.fleet, "StatusFilter": "ACTIVE" });
        let output = bench.engine.describe_game_session_details(bench.now, input(body)).unwrap();
        output.game_session_details
    };
    let before = details(&mut bench);
    assert_eq!((before.len(), before[0].protection_policy), (1, ProtectionPolicy::FullProtection));
    assert_eq!(before[0].game_session, bench.session(&arn));
    bench.try_change(&arn, json!({ "ProtectionPolicy": "NoProtection" })).unwrap();
    assert_eq!(details(&mut bench)[0].protection_policy, ProtectionPolicy::NoProtection);
}

#[test]
fn there_are_no_logs_of_anywhere_fleets() {
    let mut bench = Bench::new();
    let (_, arn) = bench.hosting("p");
    let get = |bench: &mut Bench, arn: &str| {
        bench.engine.get_game_session_log_url(bench.now, input(json!({ "GameSessionId": arn }))).map(drop)
    };
    assert_eq!(kind(get(&mut bench, &arn)), Some(InvalidRequest));
    assert_eq!(kind(get(&mut bench, "arn:none")), Some(NotFound));
}
