//! Frames: what the captures of the official SDKs show, and nonsense.

use gamelift_local::engine::Effect;
use serde_json::{Value, json};

use crate::bench::{Bench, COMPUTE};

#[test]
fn create_game_session_has_the_shape_that_all_official_sdks_read() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    let properties = json!([{ "Key": "map", "Value": "de_dust" }, { "Key": "mode", "Value": "dm" }]);
    let more = json!({ "Name": "my session", "GameSessionData": "data-1", "GameProperties": properties });
    let arn = bench.try_create(more).unwrap().game_session_id;
    let expected = json!({
        "Action": "CreateGameSession", "GameSessionId": arn, "GameSessionName": "my session",
        "GameSessionData": "data-1", "MaximumPlayerSessionCount": 2, "Port": 7777, "IpAddress": "10.0.0.1",
        "DnsName": "box.example", "GameProperties": { "map": "de_dust", "mode": "dm" },
    });
    assert_eq!(bench.pushes(), [(connection, expected)]);
}

/// Frames of Go SDK 5.6.0 (`Port` first, `LogPaths` null), C++ SDK 5.4.0 (what is empty left out) and the C# SDK
/// (nulls everywhere).
#[test]
fn every_dialect_becomes_ready() {
    for (process, frame) in [
        (
            "go",
            r#"{"Action":"ActivateServerProcess","RequestId":"r","SdkVersion":"5.6.0","SdkLanguage":"Go","SdkToolName":"MyTool","SdkToolVersion":"9.9","Port":9000,"LogPaths":null}"#,
        ),
        (
            "cpp",
            r#"{"Action":"ActivateServerProcess","RequestId":"r","SdkVersion":"5.4.0","SdkLanguage":"Cpp","Port":9000}"#,
        ),
        (
            "csharp",
            r#"{"SdkVersion":"5.5.1","SdkLanguage":"CSharp","SdkToolName":null,"SdkToolVersion":null,"Port":9000,"LogPaths":[],"Action":"ActivateServerProcess","RequestId":"r"}"#,
        ),
    ] {
        let mut bench = Bench::new();
        let connection = bench.connect(process);
        bench.engine.sdk_text(bench.now, connection, frame);
        let reply = r#"{"Action":"ActivateServerProcess","RequestId":"r","StatusCode":200}"#;
        let expected = Effect::Send { connection, text: reply.to_owned(), push: false };
        assert_eq!(bench.engine.poll_effect(), Some(expected));
    }
}

#[test]
fn a_request_sent_again_gets_the_same_answer_and_no_second_effect() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let id = bench.join(&arn, "ada");
    let body = json!({ "GameSessionId": arn, "PlayerSessionId": id });
    let first = bench.ask_as(connection, "r", "AcceptPlayerSession", body.clone());
    bench.disconnect(connection);
    let connection = bench.connect("p");
    bench.wait_s(115);
    let again = bench.ask_as(connection, "r", "AcceptPlayerSession", body.clone());
    assert_eq!(first, again);
    assert_eq!(first["StatusCode"], 200);
    bench.wait_s(90);
    bench.heartbeat(connection, true);
    let late = bench.ask_as(connection, "r", "AcceptPlayerSession", body);
    assert_eq!(late["StatusCode"], 400, "answers are forgotten after three minutes");
}

#[test]
fn unhealthy_reports_sent_again_count_once() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    for _ in 0..5 {
        bench.ask_as(connection, "r", "HeartbeatServerProcess", json!({ "HealthStatus": false }));
    }
    assert_eq!(bench.push_actions(), Vec::<String>::new());
}

#[test]
fn player_sessions_carry_whole_milliseconds() {
    let mut bench = Bench::new();
    let (connection, arn) = bench.hosting("p");
    let id = bench.join(&arn, "ada");
    let reply = bench.ok(connection, "DescribePlayerSessions", json!({ "PlayerSessionId": id }));
    assert_eq!(
        reply["PlayerSessions"],
        json!([{
            "PlayerId": "ada", "PlayerSessionId": id, "GameSessionId": arn, "FleetId": bench.fleet,
            "IpAddress": "10.0.0.1", "Port": 7777, "CreationTime": bench.now.as_millis(),
            "DnsName": "box.example", "Status": "RESERVED",
        }])
    );
}

#[test]
fn the_certificate_is_the_computes() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    let reply = bench.ok(connection, "GetComputeCertificate", json!({}));
    assert_eq!((&reply["CertificatePath"], &reply["ComputeName"]), (&json!("/etc/box.pem"), &json!(COMPUTE)));
}

#[test]
fn credentials_on_an_anywhere_fleet_are_a_success_without_an_access_key() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    let reply =
        bench.ok(connection, "GetFleetRoleCredentials", json!({ "RoleArn": "arn:aws:iam::1:role/r" }));
    assert_eq!(reply.get("AccessKeyId").and_then(Value::as_str).unwrap_or_default(), "");
}

#[test]
fn unknown_actions_and_mistyped_fields_are_answered_if_somebody_waits() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    for frame in [
        r#"{"Action":"Dance","RequestId":"r"}"#,
        r#"{"RequestId":"r"}"#,
        r#"{"Action":"HeartbeatServerProcess","RequestId":"r","HealthStatus":"yes"}"#,
        r#"{"Action":"CreateGameSession","RequestId":"r"}"#,
    ] {
        bench.engine.sdk_text(bench.now, connection, frame);
        let Some(Effect::Send { text, push: false, .. }) = bench.engine.poll_effect() else {
            panic!("no answer to {frame}")
        };
        let reply: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&reply["StatusCode"], &reply["RequestId"]), (&json!(400), &json!("r")), "{frame}");
        assert_eq!(bench.engine.poll_effect(), None);
    }
}

#[test]
fn nonsense_is_counted_and_never_answered() {
    let mut bench = Bench::new();
    let connection = bench.ready("p");
    let frames = [
        "5",
        "[]",
        "null",
        "",
        "{",
        r#"{"Action":"HeartbeatServerProcess"}"#,
        r#"{"message":"Internal server error"}"#,
    ];
    for frame in frames {
        bench.engine.sdk_text(bench.now, connection, frame);
        assert_eq!(bench.engine.poll_effect(), None, "{frame}");
    }
    assert_eq!(bench.engine.snapshot(bench.now).counters.frames_ignored, frames.len() as u64);
}
