//! Subscriptions, from the handshake to the farewell.

use std::time::{Duration, Instant};

use gamelift_local::{Config, EndpointError, Local, SignatureVersion};
use serde_json::{Value, json};

use crate::endpoint::*;

#[tokio::test]
async fn a_confirmed_endpoint_gets_every_event_in_order_until_it_unsubscribes() {
    let mut endpoint = Endpoint::start().await;
    let config = Config { sns_subscribers: vec![endpoint.url.clone()], ..Config::on_free_ports() };
    let local = with_queue(config).await;
    cancelled(&local, "before").await;
    let confirmation = endpoint.next().await;
    assert_eq!(confirmation.header("x-amz-sns-message-type"), "SubscriptionConfirmation");
    assert_eq!(confirmation.header("x-amz-sns-subscription-arn"), "");
    let link = &confirmation.body["SubscribeURL"];
    let answer = visit(link).await;
    assert!(answer.contains("<SubscriptionArn>arn:aws:sns:"), "{answer}");

    cancelled(&local, "first").await;
    let first = endpoint.next().await;
    assert_eq!(first.placement(), "first", "not what happened before the confirmation");
    assert_eq!(first.header("x-amz-sns-message-type"), "Notification");
    assert_eq!(first.header("x-amz-sns-message-id"), first.body["MessageId"]);
    assert!(first.header("x-amz-sns-subscription-arn").starts_with("arn:aws:sns:"));
    assert_eq!(first.header("content-type"), "text/plain; charset=UTF-8");
    assert_eq!(first.header("user-agent"), "Amazon Simple Notification Service Agent");
    assert_eq!(first.body["SignatureVersion"], "1");

    let pem = visit(&first.body["SigningCertURL"]).await;
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");

    endpoint.will_answer(&[503, 429]);
    cancelled(&local, "repeated").await;
    cancelled(&local, "behind").await;
    let tries = [endpoint.next().await, endpoint.next().await, endpoint.next().await];
    assert!(tries.iter().all(|one| one.placement() == "repeated"));
    assert!(tries.iter().all(|one| one.body["MessageId"] == tries[0].body["MessageId"]), "the same message");
    assert_eq!(endpoint.next().await.placement(), "behind");

    let answer = visit(&first.body["UnsubscribeURL"]).await;
    assert!(answer.starts_with("<UnsubscribeResponse "), "{answer}");
    cancelled(&local, "unheard").await;
    let farewell = endpoint.next().await;
    assert_eq!(farewell.body["Type"], "UnsubscribeConfirmation");
    visit(&farewell.body["SubscribeURL"]).await;
    cancelled(&local, "back").await;
    assert_eq!(endpoint.next().await.placement(), "back");
}

#[tokio::test]
async fn a_subscriber_of_a_topic_gets_only_what_its_queue_sends_there() {
    let (mut one, mut all) = (Endpoint::start().await, Endpoint::start().await);
    let local = with_queue(Config::on_free_ports()).await;
    let topic = "arn:aws:sns:us-west-2:123456789012:matches";
    let queue = json!({ "Name": "told", "NotificationTarget": topic });
    local.call("CreateGameSessionQueue", queue).await.unwrap();
    let subscription = json!({ "endpoint": one.url, "topic": topic, "signatureVersion": "2" });
    admin(&local, "POST", "/subscriptions", subscription).await;
    let confirmation = one.confirm("/").await;
    assert_eq!(confirmation.body["TopicArn"], topic);
    assert_eq!(confirmation.body["SignatureVersion"], "2");
    let raw = json!({ "endpoint": all.url, "rawMessageDelivery": true });
    admin(&local, "POST", "/subscriptions", raw).await;
    all.confirm("/").await;

    cancelled(&local, "elsewhere").await;
    cancelled_in(&local, "told", "there").await;
    let there = one.next().await;
    assert_eq!((there.placement().as_str(), &there.body["TopicArn"]), ("there", &Value::from(topic)));
    assert_eq!(all.placements(2).await, ["elsewhere", "there"]);
}

#[tokio::test]
async fn subscriptions_are_listed_and_deleted() {
    let mut endpoint = Endpoint::start().await;
    let local = with_queue(Config::on_free_ports()).await;
    let body = json!({ "endpoint": format!("{}/events?key=secret", endpoint.url) });
    let made = admin(&local, "POST", "/subscriptions", body).await;
    let arn = made["subscriptionArn"].as_str().unwrap();
    endpoint.confirm("/events").await;
    cancelled(&local, "a").await;
    assert_eq!(endpoint.next().await.placement(), "a");
    let delivered = |list: &Value| list["subscriptions"][0]["deliveries"]["delivered"] == 1;
    let list = admin_until(&local, "/subscriptions", delivered).await;
    let row = &list["subscriptions"][0];
    assert_eq!((&row["subscriptionArn"], &row["state"]), (&Value::from(arn), &Value::from("confirmed")));
    assert_eq!(row["endpoint"], format!("{}/events", endpoint.url), "without its secret");
    admin(&local, "DELETE", &format!("/subscriptions/{arn}"), Value::Null).await;
    assert_eq!(endpoint.next().await.body["Type"], "UnsubscribeConfirmation");
    let list = admin(&local, "GET", "/subscriptions", Value::Null).await;
    assert_eq!(list["subscriptions"][0]["state"], "unsubscribed");
    let (status, _) = http("DELETE", &format!("{}/subscriptions/arn:none", local.admin_endpoint()), "").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn events_up_to_a_shutdown_are_delivered() {
    let mut endpoint = Endpoint::start().await;
    let config = Config { sns_subscribers: vec![endpoint.url.clone()], ..Config::on_free_ports() };
    let local = with_queue(config).await;
    endpoint.confirm("/").await;
    for n in 0..20 {
        cancelled(&local, &n.to_string()).await;
    }
    tokio::time::timeout(LONG, local.shutdown()).await.unwrap();
    let expected: Vec<_> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(endpoint.placements(20).await, expected);
}

#[tokio::test]
async fn endpoints_and_links_that_cannot_be_are_refused() {
    let local = Local::start(Config::on_free_ports()).await.unwrap();
    let url = local.admin_endpoint();
    for body in [
        "",
        "{}",
        r#"{"endpoint": "ftp://127.0.0.1/"}"#,
        r#"{"endpoint": "here"}"#,
        r#"{"endpoint": "http://127.0.0.1/", "topic": "mine"}"#,
        r#"{"endpoint": "http://127.0.0.1/", "signatureVersion": "3"}"#,
        r#"{"endpoint": "http://127.0.0.1/", "raw": true}"#,
    ] {
        assert_eq!(http("POST", &format!("{url}/subscriptions"), body).await.0, 400, "{body}");
    }
    for (link, status, code) in [
        ("Action=ConfirmSubscription&TopicArn=arn&Token=guessed", 400, "InvalidParameter"),
        ("Action=ConfirmSubscription&Token=guessed", 400, "InvalidParameter"),
        ("Action=Unsubscribe", 400, "InvalidParameter"),
        ("Action=Unsubscribe&SubscriptionArn=arn:none", 404, "NotFound"),
        ("Action=Dance", 400, "InvalidAction"),
    ] {
        let (given, body) = http("GET", &format!("{url}/?{link}"), "").await;
        assert_eq!(given, status, "{link}");
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{link}: {body}");
    }
    let subscribers = vec!["http://127.0.0.1:1/".to_owned()];
    let error =
        Local::start(Config { sns_subscribers: subscribers, ..Config::in_memory() }).await.unwrap_err();
    assert!(error.to_string().contains("--sns-subscriber"), "{error}");
}

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:matches";

#[tokio::test]
async fn an_endpoint_that_confirms_and_then_answers_with_an_error_is_subscribed() {
    let mut endpoint = Endpoint::start().await;
    endpoint.confirms_at_once();
    endpoint.will_answer(&[500]);
    let config = Config { sns_subscribers: vec![endpoint.url.clone()], ..Config::on_free_ports() };
    let local = with_queue(config).await;
    assert_eq!(endpoint.next().await.body["Type"], "SubscriptionConfirmation");
    admin_until(&local, "/state", |state| state["events"]["failedAttempts"] == 1).await;
    cancelled(&local, "a").await;
    assert_eq!(endpoint.next().await.placement(), "a");
}

#[tokio::test]
async fn a_refused_subscription_is_over_at_once_and_cannot_be_confirmed_later() {
    let mut endpoint = Endpoint::start().await;
    endpoint.will_answer(&[403]);
    let local = Local::start(Config::on_free_ports()).await.unwrap();
    let asked = Instant::now();
    let error = local.subscribe(&endpoint.url, TOPIC, SignatureVersion::Sha1).await.unwrap_err();
    assert!(matches!(error, EndpointError::Unconfirmed), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(10), "a refusal needs no patience");
    let refused = endpoint.next().await;
    let (status, body) = http("GET", refused.body["SubscribeURL"].as_str().unwrap(), "").await;
    assert_eq!(status, 400, "{body}");
    let list = admin(&local, "GET", "/subscriptions", Value::Null).await;
    assert_eq!(list, json!({ "subscriptions": [] }));
}

#[tokio::test]
async fn links_work_when_the_admin_side_listens_on_every_address() {
    let mut endpoint = Endpoint::start().await;
    let admin = "0.0.0.0:0".parse().unwrap();
    let config = Config { sns_subscribers: vec![endpoint.url.clone()], admin, ..Config::on_free_ports() };
    let local = with_queue(config).await;
    assert!(local.admin_endpoint().starts_with("http://127.0.0.1:"), "{}", local.admin_endpoint());
    let confirmation = endpoint.confirm("/").await;
    visit(&confirmation.body["SigningCertURL"]).await;
}
