//! Events, byte for byte.

use serde_json::json;

use crate::bench::Bench;

/// The ids in it come from the bench's seed.
const FULFILLED: &str = concat!(
    r#"{"version":"0","id":"<id>","detail-type":"GameLift Queue Placement Event","source":"aws.gamelift","#,
    r#""account":"123456789012","time":"2023-11-14T22:13:23Z","region":"us-west-2","#,
    r#""resources":["arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/q"],"detail":{"#,
    r#""type":"PlacementFulfilled","placementId":"x","port":"7777","#,
    r#""gameSessionArn":"arn:aws:gamelift:us-west-2::gamesession/<fleet>/custom-here/x","#,
    r#""ipAddress":"10.0.0.1","dnsName":"box.example","#,
    r#""startTime":"2023-11-14T22:13:20.000Z","endTime":"2023-11-14T22:13:23.000Z","#,
    r#""gameSessionRegion":"us-west-2","gameSessionLocation":"custom-here","computeName":"box","#,
    r#""playerGatewayStatus":"DISABLED","#,
    r#""placedPlayerSessions":[{"playerId":"ada","playerSessionId":"<psess>"}],"customEventData":"mine"}}"#,
);

const TIMED_OUT: &str = concat!(
    r#"{"version":"0","id":"<id>","detail-type":"GameLift Queue Placement Event","source":"aws.gamelift","#,
    r#""account":"123456789012","time":"2023-11-14T22:13:30Z","region":"us-west-2","#,
    r#""resources":["arn:aws:gamelift:us-west-2:123456789012:gamesessionqueue/q"],"detail":{"#,
    r#""type":"PlacementTimedOut","placementId":"x","#,
    r#""startTime":"2023-11-14T22:13:20.000Z","endTime":"2023-11-14T22:13:30.000Z"}}"#,
);

#[test]
fn a_fulfilled_placement_says_where_to_connect_with_the_port_as_text() {
    let mut bench = Bench::new();
    let topic = "arn:aws:sns:us-west-2:123456789012:placements";
    let more = json!({ "CustomEventData": "mine", "NotificationTarget": topic });
    let fleet = bench.fleet.clone();
    bench.try_queue("q", &[&fleet], more).unwrap();
    let connection = bench.ready("p");
    bench.try_place("x", json!({ "DesiredPlayerSessions": [{ "PlayerId": "ada" }] })).unwrap();
    let arn = bench.placement("x").game_session_arn.unwrap();
    bench.wait_s(3);
    bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": arn }));
    let psess = bench.placement("x").placed_player_sessions[0].player_session_id.clone();
    let event = bench.events().remove(0);
    let expected = FULFILLED.replace("<id>", &event.id).replace("<fleet>", &fleet).replace("<psess>", &psess);
    assert_eq!(event.json, expected);
    assert_eq!(event.topic_arn.as_deref(), Some(topic));
    assert_eq!(event.id.len(), 36);
}

#[test]
fn a_placement_that_came_to_nothing_says_when() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    bench.try_queue("q", &[&fleet], json!({ "TimeoutInSeconds": 10 })).unwrap();
    bench.try_place("x", json!({ "DesiredPlayerSessions": [{ "PlayerId": "ada" }] })).unwrap();
    bench.wait_s(10);
    let event = bench.events().remove(0);
    assert_eq!(event.json, TIMED_OUT.replace("<id>", &event.id));
    assert_eq!(event.topic_arn, None);
}
