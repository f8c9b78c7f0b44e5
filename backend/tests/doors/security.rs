//! What attackers try.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::join_all;
use serde_json::json;

use crate::house::{Answer, House};

fn gateway_refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    assert_eq!(answer.header("x-amzn-errortype"), error);
    assert!(answer.json()["message"].is_string());
}

#[tokio::test]
async fn another_players_ticket_looks_like_no_ticket() {
    let house = House::new().await;
    let (ada, bob) = (house.player().await, house.player().await);
    let id = house.start(&ada, "key-of-ada").await.json()["ticketId"].as_str().unwrap().to_owned();
    let accept = Some(json!({"accept": true}).to_string());
    for (method, end, body) in [("GET", "", None), ("DELETE", "", None), ("POST", "/acceptance", accept)] {
        let mut bodies = Vec::new();
        for ticket in [id.as_str(), "00000000-0000-4000-8000-000000000000"] {
            let path = format!("/v1/matchmaking/tickets/{ticket}{end}");
            let answer = house.send(bob.request(method, &path, body.clone(), &[])).await;
            assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
            bodies.push(answer.json()["error"].clone());
            house.bench.advance(1_000);
        }
        assert_eq!(bodies[0], bodies[1], "{method}: the two look the same");
    }
    assert_eq!(house.bench.game_lift.calls("stop_matchmaking"), 0);
    assert_eq!(house.bench.game_lift.calls("accept_match"), 0);
}

#[tokio::test]
async fn identity_team_and_skill_in_a_body_are_refused() {
    let house = House::new().await;
    for body in [
        json!({"playerId": "bob"}),
        json!({"team": "red"}),
        json!({"skill": 9000}),
        json!({"attributes": {"skill": 9000}}),
        json!({"attributes": {"unlisted": 1}}),
    ] {
        let ada = house.player().await;
        let answer =
            house.post(&ada, "/v1/matchmaking/tickets", &body, &[("idempotency-key", "12345678")]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {answer:?}");
    }
    assert_eq!(house.bench.game_lift.calls("start_matchmaking"), 0);
}

#[tokio::test]
async fn a_replayed_signed_request_has_no_second_effect() {
    let house = House::new().await;
    let ada = house.player().await;
    let request = || {
        let body = Some(json!({}).to_string());
        ada.request("POST", "/v1/matchmaking/tickets", body, &[("idempotency-key", "the-same-key")])
    };
    let first = house.send(request()).await;
    let second = house.send(request()).await;
    assert_eq!((first.status, second.status), (StatusCode::ACCEPTED, StatusCode::OK));
    assert_eq!(first.json()["ticketId"], second.json()["ticketId"]);
    let other = house.start(&ada, "another-key").await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::CONFLICT, "TICKET_ACTIVE"));
    assert_eq!(other.json()["error"]["details"]["ticketId"], first.json()["ticketId"]);
    assert_eq!(house.bench.game_lift.calls("start_matchmaking"), 1);
}

#[tokio::test]
async fn thirty_two_parallel_starts_with_one_key_make_one_ticket() {
    let house = House::new().await;
    let ada = house.player().await;
    let answers = join_all((0..32).map(|_| house.start(&ada, "the-same-key"))).await;
    let started: Vec<&Answer> = answers.iter().filter(|answer| answer.status.is_success()).collect();
    // The limit lets three of them through.
    assert_eq!(started.len(), 3);
    let limited = answers.iter().filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.count(), 29);
    for answer in &started {
        assert_eq!(answer.json()["ticketId"], started[0].json()["ticketId"]);
    }
    assert_eq!(house.bench.game_lift.calls("start_matchmaking"), 1);
}

#[tokio::test]
async fn signatures_of_another_time_or_identity_are_refused() {
    let house = House::new().await;
    let (ada, bob) = (house.player().await, house.player().await);
    let me = |player: &crate::house::Player| player.request("GET", "/v1/players/me", None, &[]);
    for seconds in [-301, 301] {
        let answer = house.send(me(&ada.with_clock_off_by(seconds))).await;
        gateway_refused(&answer, "InvalidSignatureException");
    }
    let mut foreign = me(&ada);
    let token = bob.credentials.session_token().unwrap().parse().unwrap();
    foreign.headers_mut().insert("x-amz-security-token", token);
    gateway_refused(&house.send(foreign).await, "UnrecognizedClientException");
    let plain = Request::get("/v1/players/me").body(Body::empty()).unwrap();
    let answer = house.send(plain).await;
    gateway_refused(&answer, "MissingAuthenticationTokenException");
    assert_eq!(answer.json(), json!({"message": "Missing Authentication Token"}));
    assert_eq!(house.send(me(&ada)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn altered_bodies_queries_and_paths_are_refused() {
    let house = House::new().await;
    let ada = house.player().await;
    let body = |text: &str| Some(text.to_owned());
    let key = [("idempotency-key", "12345678")];
    let (parts, _) = ada.request("POST", "/v1/matchmaking/tickets", body("{}"), &key).into_parts();
    let altered = Request::from_parts(parts, Body::from(r#"{"party":["stolen"]}"#));
    gateway_refused(&house.send(altered).await, "InvalidSignatureException");
    let mut altered = ada.request("POST", "/v1/matchmaking/tickets", body("{}"), &key);
    altered.headers_mut().insert("idempotency-key", "another-key".parse().unwrap());
    gateway_refused(&house.send(altered).await, "InvalidSignatureException");
    for uri in ["/v1/players/me?x=1", "/v1/locations", "/v1/x/../players/me", "/v1//players/me"] {
        let mut altered = ada.request("GET", "/v1/players/me", None, &[]);
        *altered.uri_mut() = uri.parse().unwrap();
        gateway_refused(&house.send(altered).await, "InvalidSignatureException");
    }
    let mut hostless = ada.request("GET", "/v1/players/me", None, &[]);
    hostless.headers_mut().remove("host");
    gateway_refused(&house.send(hostless).await, "InvalidSignatureException");
    let unsigned = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    let unsigned = ada.request("GET", "/v1/players/me", None, &unsigned);
    gateway_refused(&house.send(unsigned).await, "InvalidSignatureException");
}

#[tokio::test]
async fn credentials_are_refused_after_an_hour_and_renewed_for_the_same_identity() {
    let house = House::new().await;
    let ada = house.player().await;
    house.bench.advance(3_600_000);
    let answer = house.get(&ada, "/v1/players/me").await;
    gateway_refused(&answer, "ExpiredTokenException");
    let renewed = house.cognito("GetCredentialsForIdentity", json!({"IdentityId": ada.id})).await;
    assert_eq!(renewed.status, StatusCode::OK);
    assert_eq!(renewed.json()["IdentityId"], ada.id.as_str());
}

#[tokio::test]
async fn a_presigned_url_is_refused_once_it_has_expired_and_when_it_would_last_too_long() {
    let house = House::new().await;
    let ada = house.player().await;
    let open =
        |path: String| Request::get(path).header("host", "127.0.0.1:9090").body(Body::empty()).unwrap();
    let path = ada.presigned("/v1/players/me", "127.0.0.1:9090", Duration::from_secs(60));
    assert_eq!(house.send(open(path.clone())).await.status, StatusCode::OK);
    house.bench.advance(61_000);
    gateway_refused(&house.send(open(path)).await, "InvalidSignatureException");
    let long = ada.presigned("/v1/players/me", "127.0.0.1:9090", Duration::from_secs(301));
    gateway_refused(&house.send(open(long)).await, "InvalidSignatureException");
}

#[tokio::test]
async fn players_who_call_too_often_are_told_how_long_to_wait() {
    let house = House::new().await;
    let (ada, bob) = (house.player().await, house.player().await);
    for _ in 0..5 {
        assert_eq!(house.get(&ada, "/v1/players/me").await.status, StatusCode::OK);
    }
    let limited = house.get(&ada, "/v1/players/me").await;
    assert_eq!((limited.status, limited.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
    assert_eq!(limited.header("retry-after"), "1");
    assert_eq!(house.get(&bob, "/v1/players/me").await.status, StatusCode::OK);
    house.bench.advance(1_000);
    assert_eq!(house.get(&ada, "/v1/players/me").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_cannot_make_identities_without_end() {
    let house = House::new().await;
    let pool = json!({"IdentityPoolId": crate::house::POOL});
    for _ in 0..100 {
        assert_eq!(house.cognito("GetId", pool.clone()).await.status, StatusCode::OK);
    }
    let limited = house.cognito("GetId", pool).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        (&limited.json()["__type"], limited.header("retry-after")),
        (&json!("TooManyRequestsException"), "1")
    );
}

#[tokio::test]
async fn latencies_are_bounded_in_number_and_size_and_to_places_that_exist() {
    let house = House::new().await;
    let many: std::collections::BTreeMap<String, u32> = (0..51).map(|n| (format!("custom-{n}"), 1)).collect();
    for (latencies, status) in [
        (json!({"eu-west-1": 0}), 400),
        (json!({"eu-west-1": 10_001}), 400),
        (json!(many), 400),
        (json!({"mars-north-1": 9}), 422),
    ] {
        let ada = house.player().await;
        let body = json!({"latencies": latencies});
        let answer =
            house.post(&ada, "/v1/matchmaking/tickets", &body, &[("idempotency-key", "12345678")]).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }
}
