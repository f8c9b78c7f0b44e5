use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use serde_json::json;

use crate::house::{House, trust};

#[tokio::test]
async fn a_player_with_nothing_but_an_address_gets_a_ticket_and_a_seat() {
    let house = House::new().await;
    let ada = house.player().await;
    let started = house.start(&ada, "first-key").await;
    assert_eq!(started.status, StatusCode::ACCEPTED, "{started:?}");
    let id = started.json()["ticketId"].as_str().unwrap().to_owned();
    let path = started.header("location").to_owned();
    assert_eq!(path, format!("/v1/matchmaking/tickets/{id}"));
    assert_eq!(started.header("cache-control"), "no-store");

    house.bench.event(9, "MatchmakingSucceeded", &id, &[&ada.id]).await;
    let seat = house.get(&ada, &path).await;
    assert_eq!(seat.status, StatusCode::OK);
    assert_eq!(seat.json()["status"], "SUCCEEDED");
    assert_eq!(seat.json()["connection"]["endpoints"][0]["port"], 7777);
    assert_eq!(seat.json()["connection"]["certificateSha256"], "abcd");
}

#[tokio::test]
async fn a_ticket_that_was_seen_is_not_sent_again() {
    let house = House::new().await;
    let ada = house.player().await;
    let started = house.start(&ada, "first-key").await;
    let tag = started.header("etag").to_owned();
    let path = "/v1/matchmaking/tickets/current";
    let again = house.send(ada.request("GET", path, None, &[("if-none-match", &tag)])).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(again.header("etag"), tag);
    let weak = format!("\"other\", W/{tag}");
    let again = house.send(ada.request("GET", path, None, &[("if-none-match", &weak)])).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);

    let id = started.json()["ticketId"].as_str().unwrap().to_owned();
    house.bench.event(5, "MatchmakingSearching", &id, &[&ada.id]).await;
    let news = house.send(ada.request("GET", path, None, &[("if-none-match", &tag)])).await;
    assert_eq!(news.status, StatusCode::OK);
    assert_ne!(news.header("etag"), tag);
}

#[tokio::test]
async fn cancelling_is_202_and_then_200_and_answering_needs_a_proposal() {
    let house = House::new().await;
    let ada = house.player().await;
    let started = house.start(&ada, "first-key").await;
    let path = started.header("location").to_owned();
    let answer = house.post(&ada, &format!("{path}/acceptance"), &json!({"accept": true}), &[]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "NOT_IN_ACCEPTANCE"));
    let cancelled = house.send(ada.request("DELETE", &path, None, &[])).await;
    assert_eq!(cancelled.status, StatusCode::ACCEPTED, "{cancelled:?}");
    let id = started.json()["ticketId"].as_str().unwrap().to_owned();
    house.bench.event(5, "MatchmakingCancelled", &id, &[&ada.id]).await;
    let again = house.send(ada.request("DELETE", &path, None, &[])).await;
    assert_eq!((again.status, again.json()["status"].as_str()), (StatusCode::OK, Some("CANCELLED")));
}

#[tokio::test]
async fn every_other_call_answers_as_described() {
    let house = House::new().await;
    let ada = house.player().await;
    let locations = house.get(&ada, "/v1/locations").await.json();
    assert_eq!(locations[0]["beacon"]["port"], 7770);
    let me = house.get(&ada, "/v1/players/me").await.json();
    assert_eq!(me["skill"], 10.0);
    assert!(!me.to_string().contains(&ada.id), "the identity is a secret");
    let invite = house.send(ada.request("POST", "/v1/party/invites", None, &[])).await;
    assert_eq!(invite.status, StatusCode::CREATED);
    assert!(invite.json()["token"].is_string());
    let none = house.get(&ada, "/v1/sessions/current").await;
    assert_eq!((none.status, none.code().as_str()), (StatusCode::NOT_FOUND, "NO_SESSION"));
    let private = json!({"maxPlayers": 2});
    let private = house.post(&ada, "/v1/sessions", &private, &[("idempotency-key", "private-1")]).await;
    assert_eq!(private.status, StatusCode::ACCEPTED, "{private:?}");
}

#[tokio::test]
async fn a_member_of_a_party_may_say_what_is_their_own() {
    let house = House::new().await;
    let ada = house.player().await;
    let own = json!({"latencies": {"eu-west-1": 99}});
    let said = house.post(&ada, "/v1/party/invites", &own, &[]).await;
    assert_eq!(said.status, StatusCode::CREATED, "{said:?}");
    let unknown = json!({"latencies": {"mars-1": 99}});
    let refused = house.post(&ada, "/v1/party/invites", &unknown, &[]).await;
    assert_eq!(refused.code(), "LATENCY_LOCATION_UNKNOWN");
    let refused = house.post(&ada, "/v1/party/invites", &json!({"skill": 1}), &[]).await;
    assert_eq!(refused.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn wrong_bodies_are_told_where_they_are_wrong() {
    let house = House::new().await;
    let path = "/v1/matchmaking/tickets";
    for (body, expected) in [
        (r#"{"team":"red"}"#, "unknown field `team`"),
        (r#"{"latencies":{"eu-west-1":"near"}}"#, "at line 1 column"),
        (r#"{"latencies":"#, "at line 1 column 13"),
        ("", "the body is empty"),
        ("[]", "it must be an object"),
        ("null", "invalid type"),
        (&"[".repeat(10_000), "invalid type"),
        (
            &format!("{{\"attributes\":{{\"mode\":{}1{}}}}}", "[".repeat(5_000), "]".repeat(5_000)),
            "recursion limit",
        ),
    ] {
        let ada = house.player().await;
        let request = ada.request("POST", path, Some(body.to_owned()), &[("idempotency-key", "12345678")]);
        let answer = house.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"));
        assert!(answer.text.contains(expected), "{expected}: {answer:?}");
    }
    let bob = house.player().await;
    let text = [("content-type", "text/plain"), ("idempotency-key", "12345678")];
    let answer = house.send(bob.request("POST", path, Some("{}".to_owned()), &text)).await;
    assert!(answer.text.contains("Content-Type must be application/json"), "{answer:?}");
    let answer = house.post(&bob, path, &json!({}), &[]).await;
    assert!(answer.text.contains("Idempotency-Key is missing"), "{answer:?}");
    let large = json!({"configuration": "x".repeat(16 * 1024)});
    let answer = house.post(&bob, path, &large, &[("idempotency-key", "12345678")]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE"));
    assert_eq!(house.bench.game_lift.calls("start_matchmaking"), 0);
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_json() {
    let house = House::new().await;
    let ada = house.player().await;
    let unknown = house.get(&ada, "/v2/anything").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
    let wrong = house.send(ada.request("PUT", "/v1/players/me", None, &[])).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"));
    assert!(wrong.header("allow").contains("GET"));
    for (method, path, status) in [
        (Method::GET, "/v1/auth/token", 403),
        (Method::POST, "/v1/websocket", 403),
        (Method::PUT, "/v1/players/me", 403),
        (Method::POST, "/healthz", 405),
        (Method::GET, "/events/sns", 405),
        (Method::GET, "/", 405),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = house.send(request).await;
        assert!(answer.status == status && answer.text.starts_with('{'), "{path}: {answer:?}");
        assert!(status != 405 || answer.headers.contains_key("allow"), "{path}: {answer:?}");
    }
    for path in ["/v1/auth/token", "/v1/websocket"] {
        let wrong = house.send(ada.request("PUT", path, None, &[])).await;
        assert_eq!(wrong.code(), "METHOD_NOT_ALLOWED", "{path}");
    }
}

#[tokio::test]
async fn health_and_the_description_need_no_signature() {
    let house = House::new().await;
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(house.send(get(path)).await.status, StatusCode::NO_CONTENT, "{path}");
    }
    let page = house.send(get("/openapi.json")).await.json();
    assert!(page["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "/v1/matchmaking/tickets",
        "/v1/matchmaking/tickets/current",
        "/v1/matchmaking/tickets/{ticketId}",
        "/v1/matchmaking/tickets/{ticketId}/acceptance",
        "/v1/sessions",
        "/v1/sessions/current",
        "/v1/party/invites",
        "/v1/locations",
        "/v1/players/me",
        "/requestmatchmaking",
        "/requestmatchstatus",
        "/start_game",
        "/get_game_connection",
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/",
        "/v1/auth/token",
        "/v1/websocket",
        "/events/sns",
    ] {
        assert!(page["paths"][path].is_object(), "{path} is not described");
    }
    for schema in [
        "Ticket",
        "Connection",
        "StartRequest",
        "PrivateRequest",
        "Invite",
        "InviteRequest",
        "Location",
        "Profile",
        "Code",
    ] {
        assert!(page["components"]["schemas"][schema].is_object(), "{schema} is not described");
    }
}

#[tokio::test]
async fn the_description_says_nothing_that_it_does_not_hold() {
    let house = House::new().await;
    let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
    let page = house.send(request).await.json();
    let text = page.to_string();
    let references: BTreeSet<&str> =
        text.split("\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(references.len() > 10, "{references:?}");
    for reference in references {
        assert!(page.pointer(reference).is_some(), "{reference} is not there");
    }
    for (path, methods) in page["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.contains_key("431"), "{method} {path}");
            let is_open = operation["security"] == json!([{}]);
            for status in ["400", "401", "403", "408", "413", "429", "503"] {
                assert!(is_open || answers.contains_key(status), "{method} {path}: {status}");
            }
            assert_eq!(methods.get("get").is_some(), methods.get("head").is_some(), "{path}");
        }
    }
}

#[tokio::test]
async fn web_pages_may_call_only_from_origins_that_are_named() {
    let preflight = |origin: &str| {
        let request = Request::options("/v1/players/me").header("origin", origin);
        request.header("access-control-request-method", "GET").body(Body::empty()).unwrap()
    };
    let open = House::with(&[HeaderValue::from_static("https://game.example")], trust()).await;
    let answer = open.send(preflight("https://game.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://game.example");
    for (house, origin) in [(&open, "https://evil.example"), (&House::new().await, "https://game.example")] {
        let answer = house.send(preflight(origin)).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{answer:?}");
    }
}
