//! Who may tell us of events.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Redirect;
use axum::routing::get;
use backend::sns::certificate::Origin;
use backend::sns::endpoint::Trust;
use backend::sns::envelope::Envelope;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::net::TcpListener;
use url::Url;

use crate::bench::event;
use crate::house::{CERTIFICATE, House, TOPIC};

const KEY: &[u8] = include_bytes!("../../src/sns/signature/key.der");

/// Signs as SNS does.
fn signed(mut envelope: Value) -> Value {
    let text = serde_json::from_value::<Envelope>(envelope.clone()).unwrap().to_be_signed();
    let key = RsaKeyPair::from_pkcs8(KEY).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    envelope["Signature"] = BASE64_STANDARD.encode(signature).into();
    envelope
}

fn notification(message: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Message": message,
        "Timestamp": "2026-11-22T20:00:00.000Z", "SignatureVersion": "2", "Signature": "",
        "SigningCertURL": "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-1.pem",
    })
}

impl House {
    async fn sns(&self, envelope: &Value) -> StatusCode {
        let request = Request::post("/events/sns").header("content-type", "text/plain; charset=UTF-8");
        self.send(request.body(Body::from(envelope.to_string())).unwrap()).await.status
    }
}

/// Something that answers for SNS, and counts.
struct Server {
    origin: Url,
    hits: Arc<AtomicU32>,
}

impl Server {
    async fn new() -> Self {
        let hits = Arc::new(AtomicU32::new(0));
        let count = |hits: &Arc<AtomicU32>, text: &'static str| {
            let hits = hits.clone();
            get(async move || {
                hits.fetch_add(1, Ordering::SeqCst);
                text
            })
        };
        let router = Router::new()
            .route("/certificate.pem", count(&hits, CERTIFICATE))
            .route("/confirm", count(&hits, "ok"))
            .route("/moved.pem", get(async || Redirect::temporary("/certificate.pem")));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, hits }
    }

    fn trust(&self) -> Trust {
        Trust::Origin(Origin::Local(self.origin.origin()))
    }

    fn url(&self, path: &str) -> String {
        self.origin.join(path).unwrap().into()
    }

    fn hits(&self) -> u32 {
        self.hits.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn an_event_that_sns_has_signed_changes_the_ticket() {
    let house = House::new().await;
    let ada = house.player().await;
    let id = house.start(&ada, "key-of-ada").await.json()["ticketId"].as_str().unwrap().to_owned();
    let message = event(9, "MatchmakingSucceeded", &id, &[&ada.id], json!({}));
    let envelope = signed(notification(&message));
    for _ in 0..2 {
        assert_eq!(house.sns(&envelope).await, StatusCode::NO_CONTENT, "twice is as good as once");
    }
    let ticket = house.get(&ada, "/v1/matchmaking/tickets/current").await.json();
    assert_eq!(ticket["status"], "SUCCEEDED");
}

#[tokio::test]
async fn forged_downgraded_stale_and_foreign_messages_are_refused() {
    let house = House::new().await;
    let ada = house.player().await;
    let id = house.start(&ada, "key-of-ada").await.json()["ticketId"].as_str().unwrap().to_owned();
    let message = event(9, "MatchmakingSucceeded", &id, &[&ada.id], json!({}));
    let good = signed(notification(&message));
    let with = |name: &str, value: &str| {
        let mut envelope = good.clone();
        envelope[name] = value.into();
        envelope
    };
    let mut attacks = vec![
        ("bad signature", with("Signature", "AAAA")),
        ("altered message", with("Message", &message.replace("10.0.0.1", "6.6.6.6"))),
        ("v1 downgrade", with("SignatureVersion", "1")),
        ("altered time", with("Timestamp", "2026-11-22T20:00:01.000Z")),
    ];
    for (name, field, value) in [
        ("stale", "Timestamp", "2026-11-22T18:59:59.000Z"),
        ("foreign topic", "TopicArn", "arn:aws:sns:us-west-2:666666666666:evil"),
    ] {
        let mut envelope = notification(&message);
        envelope[field] = value.into();
        // With a signature that is good.
        attacks.push((name, signed(envelope)));
    }
    for (name, envelope) in attacks {
        assert_eq!(house.sns(&envelope).await, StatusCode::FORBIDDEN, "{name}");
    }
    let bomb = signed(notification(&"x".repeat(256 * 1024)));
    assert_eq!(house.sns(&bomb).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(house.sns(&json!({"Type": "Notification"})).await, StatusCode::BAD_REQUEST);
    assert_eq!(house.sns(&signed(notification("no event"))).await, StatusCode::BAD_REQUEST);
    let ticket = house.get(&ada, "/v1/matchmaking/tickets/current").await.json();
    assert_ne!(ticket["status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_certificate_is_fetched_once_and_from_its_origin_only() {
    let server = Server::new().await;
    let house = House::with(&[], server.trust()).await;
    let of = |url: &str| {
        let mut envelope = notification(&event(9, "MatchmakingSearching", "t", &["ada"], json!({})));
        envelope["SigningCertURL"] = url.into();
        signed(envelope)
    };
    for _ in 0..2 {
        assert_eq!(house.sns(&of(&server.url("/certificate.pem"))).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(server.hits(), 1);
    let elsewhere = Server::new().await;
    assert_eq!(house.sns(&of(&elsewhere.url("/certificate.pem"))).await, StatusCode::FORBIDDEN);
    assert_eq!(elsewhere.hits(), 0, "nobody else is asked");
    // A redirect is an answer that is no certificate; it may be one later.
    assert_eq!(house.sns(&of(&server.url("/moved.pem"))).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.hits(), 1, "no redirect is followed");
}

#[tokio::test]
async fn a_subscription_is_confirmed_for_our_topics_at_sns_only() {
    let server = Server::new().await;
    let house = House::with(&[], server.trust()).await;
    let confirmation = |topic: &str, url: &str| {
        let mut envelope = notification("You have chosen to subscribe");
        envelope["Type"] = "SubscriptionConfirmation".into();
        envelope["TopicArn"] = topic.into();
        envelope["Token"] = "token".into();
        envelope["SubscribeURL"] = url.into();
        envelope["SigningCertURL"] = server.url("/certificate.pem").into();
        signed(envelope)
    };
    let foreign = confirmation("arn:aws:sns:us-west-2:666666666666:evil", &server.url("/confirm"));
    assert_eq!(house.sns(&foreign).await, StatusCode::FORBIDDEN);
    assert_eq!(server.hits(), 0);
    let elsewhere = Server::new().await;
    assert_eq!(house.sns(&confirmation(TOPIC, &elsewhere.url("/confirm"))).await, StatusCode::FORBIDDEN);
    assert_eq!(elsewhere.hits(), 0);
    assert_eq!(house.sns(&confirmation(TOPIC, &server.url("/confirm"))).await, StatusCode::NO_CONTENT);
    assert_eq!(server.hits(), 2, "the certificate and the confirmation");
}
