//! What the admin side shows of matchmaking, and events made to order.

use std::time::Duration;

use gamelift_local::{Clock, Config, Local};
use serde_json::{Value, json};

use crate::endpoint::*;

#[tokio::test]
async fn tickets_are_shown_as_json_and_as_a_table() {
    let local = Local::start(Config { clock: Clock::Manual, ..Config::on_free_ports() }).await.unwrap();
    let nobody = http("GET", &format!("{}/tickets?format=text", local.admin_endpoint()), "").await;
    assert_eq!(nobody, (200, "no tickets\n".to_owned()));
    for (player, skill) in [("ada", 10), ("bob", 300)] {
        let players = json!([{ "PlayerId": player, "PlayerAttributes": { "skill": { "N": skill } } }]);
        let ticket = json!({ "TicketId": player, "ConfigurationName": "default", "Players": players });
        local.call("StartMatchmaking", ticket).await.unwrap();
    }
    local.advance(Duration::from_secs(2)).await;
    let list = admin(&local, "GET", "/tickets", Value::Null).await;
    assert_eq!(list["counts"], json!({ "SEARCHING": 2 }));
    assert_eq!(list["tickets"][0]["explanation"]["apart"][0]["rule"], "FairSkill");
    let (status, table) = http("GET", &format!("{}/tickets?format=text", local.admin_endpoint()), "").await;
    assert_eq!(status, 200);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!((lines[0], lines[1]), ("2 SEARCHING", ""));
    assert!(lines[2].starts_with("TICKET  CONFIGURATION  STATUS     AGE  PLAYERS  WHY"), "{table}");
    assert!(lines[3].starts_with("ada     default        SEARCHING  2s   ada      FairSkill: "), "{table}");
    assert!(lines[3].contains("290") && lines[3].ends_with("apart from bob for good"), "{table}");

    let (status, text) =
        http("GET", &format!("{}/tickets/ada?format=text", local.admin_endpoint()), "").await;
    assert_eq!(status, 200);
    assert!(text.starts_with("ada (default): SEARCHING, 2 s, ada\n"), "{text}");
    assert!(text.contains("apart from bob: FairSkill"), "{text}");
    for (path, status) in [("/tickets/none", 404), ("/tickets?format=xml", 400)] {
        assert_eq!(http("GET", &format!("{}{path}", local.admin_endpoint()), "").await.0, status, "{path}");
    }
    let state = admin(&local, "GET", "/state", Value::Null).await;
    assert_eq!((&state["tickets"], &state["placements"]), (&json!({ "SEARCHING": 2 }), &json!({})));
}

#[tokio::test]
async fn a_sample_reaches_every_endpoint_as_a_real_event_would() {
    let mut endpoint = Endpoint::start().await;
    let config = Config { event_targets: vec![endpoint.url.clone()], ..Config::on_free_ports() };
    let local = Local::start(config).await.unwrap();
    let types = admin(&local, "GET", "/events/types", Value::Null).await;
    for kind in types["types"].as_array().unwrap() {
        let made = admin(&local, "POST", "/events/sample", json!({ "type": kind })).await;
        let received = endpoint.next().await;
        assert_eq!((&received.body["id"], &received.body["detail"]["type"]), (&made["eventId"], kind));
    }
    let url = format!("{}/events/sample", local.admin_endpoint());
    for body in ["", r#"{"type": "None"}"#, r#"{"type": "AcceptMatch", "kind": 1}"#] {
        assert_eq!(http("POST", &url, body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn every_path_in_the_index_is_there_and_closed_to_strangers() {
    let local = Local::start(Config::on_free_ports()).await.unwrap();
    let index = admin(&local, "GET", "/", Value::Null).await;
    let paths: Vec<_> = index.as_object().unwrap().keys().filter(|path| *path != "what").collect();
    assert!(paths.len() >= 20, "{paths:?}");
    for line in paths {
        let (method, path) = line.split_once(' ').unwrap();
        let path = path.replace("{arn}", "x").replace("{id}", "x");
        let url = format!("{}{path}", local.admin_endpoint());
        let here = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let (status, body) =
            asked_as(method, &url, &format!("Host: {here}\r\nOrigin: http://evil.example")).await;
        assert_eq!(status, 403, "{line}: {body}");
        let (status, _) = asked_as(method, &url, "Host: evil.example").await;
        assert_eq!(status, 403, "{line}");
        // A stream does not end.
        if path != "/events" {
            let (status, body) = http(method, &url, "").await;
            assert!(!body.contains("no such path") && status != 405, "{line}: {status} {body}");
        }
    }
}
