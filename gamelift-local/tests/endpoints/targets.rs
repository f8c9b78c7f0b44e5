//! Bare events, and those that are given up.

use gamelift_local::Config;
use serde_json::{Value, json};

use crate::endpoint::*;

fn to(endpoint: &Endpoint) -> Config {
    let event_targets = vec![format!("{}/bus", endpoint.url)];
    Config { event_targets, ..Config::on_free_ports() }
}

#[tokio::test]
async fn a_target_gets_bare_events_in_order_each_until_it_is_taken() {
    let mut endpoint = Endpoint::start().await;
    let local = with_queue(to(&endpoint)).await;
    endpoint.will_answer(&[500, 503]);
    cancelled(&local, "a").await;
    cancelled(&local, "b").await;
    let first = endpoint.next().await;
    assert_eq!((first.path.as_str(), first.header("content-type")), ("/bus", "application/json"));
    assert_eq!(first.body["source"], "aws.gamelift");
    assert_eq!(first.body["detail-type"], "GameLift Queue Placement Event");
    assert_eq!(endpoint.placements(3).await, ["a", "a", "b"]);
    let state = admin_until(&local, "/state", |state| state["events"]["delivered"] == 2).await;
    assert_eq!(state["events"]["failedAttempts"], 2);
    assert_eq!(state["counters"]["eventsPublished"], 2);
}

#[tokio::test]
async fn targets_come_and_go() {
    let (mut endpoint, mut other) = (Endpoint::start().await, Endpoint::start().await);
    let local = with_queue(Config::on_free_ports()).await;
    cancelled(&local, "before").await;
    let made = admin(&local, "POST", "/targets", json!({ "url": endpoint.url })).await;
    let id = made["targetId"].as_str().unwrap();
    cancelled(&local, "a").await;
    assert_eq!(endpoint.next().await.placement(), "a", "not what happened before");
    let list =
        admin_until(&local, "/targets", |list| list["targets"][0]["deliveries"]["delivered"] == 1).await;
    assert_eq!(list["targets"][0]["targetId"], id);
    let path = format!("/targets/{id}");
    admin(&local, "DELETE", &path, Value::Null).await;
    let (status, _) = http("DELETE", &format!("{}{path}", local.admin_endpoint()), "").await;
    assert_eq!(status, 404);
    let list = admin(&local, "GET", "/targets", Value::Null).await;
    assert_eq!(list, json!({ "targets": [] }));
    let again = admin(&local, "POST", "/targets", json!({ "url": other.url })).await;
    assert_ne!(again["targetId"], id, "ids are not used twice");
    cancelled(&local, "b").await;
    assert_eq!(other.next().await.placement(), "b");
    for body in ["", "{}", r#"{"url": "nowhere"}"#] {
        let (status, _) = http("POST", &format!("{}/targets", local.admin_endpoint()), body).await;
        assert_eq!(status, 400, "{body}");
    }
    tokio::time::timeout(LONG, local.shutdown()).await.unwrap();
    assert_eq!(endpoint.placements_so_far(), Vec::<String>::new(), "a removed target gets nothing");
    assert_eq!(other.placements_so_far(), Vec::<String>::new());
}

#[tokio::test]
async fn an_event_that_is_refused_is_a_dead_letter_until_it_is_sent_again() {
    let mut endpoint = Endpoint::start().await;
    let local = with_queue(to(&endpoint)).await;
    endpoint.will_answer(&[410]);
    cancelled(&local, "refused").await;
    cancelled(&local, "behind").await;
    let refused = endpoint.next().await;
    assert_eq!(endpoint.next().await.placement(), "behind", "a refusal holds nobody up");
    let there_is_one = |letters: &Value| letters["deadLetters"][0]["attempts"] == 1;
    let letters = admin_until(&local, "/dead-letters", there_is_one).await;
    let letter = &letters["deadLetters"][0];
    assert_eq!((&letter["eventId"], &letter["event"]), (&refused.body["id"], &refused.body));
    assert!(letter["reason"].as_str().unwrap().contains("410"), "{letter}");
    let state = admin(&local, "GET", "/state", Value::Null).await;
    assert_eq!((&state["events"]["givenUp"], &state["events"]["deadLetters"]), (&json!(1), &json!(1)));

    let none = admin(&local, "POST", "/dead-letters/redrive", json!({ "ids": [99] })).await;
    assert_eq!(none, json!({ "redriven": 0, "left": 1 }));
    let all = admin(&local, "POST", "/dead-letters/redrive", Value::Null).await;
    assert_eq!(all, json!({ "redriven": 1, "left": 0 }));
    assert_eq!(endpoint.next().await.body, refused.body);
}

#[tokio::test]
async fn a_dead_letter_of_a_target_that_is_gone_stays() {
    let mut endpoint = Endpoint::start().await;
    let local = with_queue(to(&endpoint)).await;
    endpoint.will_answer(&[404]);
    cancelled(&local, "a").await;
    endpoint.next().await;
    let there_is_one = |letters: &Value| letters["deadLetters"][0]["attempts"] == 1;
    let letters = admin_until(&local, "/dead-letters", there_is_one).await;
    let target = letters["deadLetters"][0]["target"].as_str().unwrap();
    admin(&local, "DELETE", &format!("/targets/{target}"), Value::Null).await;
    admin_until(&local, "/targets", |list| list == &json!({ "targets": [] })).await;
    let redriven = async || admin(&local, "POST", "/dead-letters/redrive", Value::Null).await;
    assert_eq!(redriven().await["left"], 1);
}
