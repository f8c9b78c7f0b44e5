//! What the log says, and what it keeps to itself.

use super::*;

fn name() -> ProcessName {
    let [fleet_id, compute_name, process_id] = ["f", "c", "p"].map(str::to_owned);
    ProcessName { fleet_id, compute_name, process_id }
}

fn observer() -> Observer {
    let mut observer = Observer::default();
    observer.connected(Timestamp::default(), ConnectionId::for_tests(7), name());
    observer
}

fn logged(observer: &mut Observer, way: Way, text: &str) -> Value {
    while observer.poll_line().is_some() {}
    observer.frame(Timestamp::from_millis(5), ConnectionId::for_tests(7), way, text);
    serde_json::from_str(&observer.poll_line().unwrap().json).unwrap()
}

#[test]
fn a_frame_is_logged_with_time_process_connection_and_way() {
    let line = logged(&mut observer(), Way::ToService, r#"{"Action":"ActivateServerProcess","Port":7}"#);
    let expected = json!({
        "number": 2, "time": "1970-01-01T00:00:00.005Z", "kind": "frame",
        "process": { "fleetId": "f", "computeName": "c", "processId": "p" },
        "connection": 7, "way": "toService", "bytes": 43,
        "frame": { "Action": "ActivateServerProcess", "Port": 7 },
    });
    assert_eq!(line, expected);
}

#[test]
fn secrets_are_hidden_wherever_they_are() {
    let mut observer = observer();
    for text in [
        r#"{"Action":"RefreshConnection","AuthToken":"secret-1"}"#,
        r#"{"Action":"AcceptPlayerSession","PlayerSessionId":"secret-1"}"#,
        r#"{"PlayerSessions":[{"PlayerSessionId":"secret-1"},{"PlayerSessionId":"secret-1"}]}"#,
        r#"{"ErrorMessage":"PlayerSession (secret-1) not found"}"#,
        r#"{"ErrorMessage":"PlayerSession (a)secret-1) not found"}"#,
        r#"{"GameSessionData":"psess-secret-1, psess-secret-1"}"#,
        r#"{"SecretAccessKey":"secret-1","SessionToken":"secret-1","AccessKeyId":"secret-1"}"#,
        "secret-1, which is no JSON",
    ] {
        for way in [Way::ToService, Way::FromService] {
            let line = logged(&mut observer, way, text).to_string();
            assert!(!line.contains("secret-1"), "{line}");
        }
    }
    let empty = logged(&mut observer, Way::ToService, r#"{"PlayerSessionId":"","NextToken":null}"#);
    assert_eq!(empty["frame"], json!({ "PlayerSessionId": "", "NextToken": null }), "nothing is nothing");
}

#[test]
fn a_very_long_frame_is_logged_by_its_length() {
    let text = format!("{{\"GameSessionData\":\"{}\"}}", "x".repeat(FRAME_LOGGED_MAX));
    let line = logged(&mut observer(), Way::FromService, &text);
    assert_eq!((&line["frame"], &line["bytes"]), (&Value::Null, &json!(text.len())));
}

#[test]
fn only_so_many_lines_are_kept() {
    let mut observer = observer();
    for _ in 0..LINES_KEPT + 3 {
        logged(&mut observer, Way::ToService, "{}");
    }
    let lines = observer.lines();
    assert_eq!((lines.len(), lines[0].id.as_str()), (LINES_KEPT, "5"));
}
