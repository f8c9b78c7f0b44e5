//! The router behind a REST and an HTTP API.

use axum::Router;
use axum::body::to_bytes;
use axum::response::Response;
use backend::caller::PlayerId;
use backend::lambda::api;
use backend::lambda::limits::Limits;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::bench::Bench;
use crate::recorded::{http_iam, http_jwt, request, rest_claims, rest_iam};

fn router(bench: &Bench) -> Router {
    api::router(&bench.backend, Limits::new(bench.store.clone(), bench.clock()))
}

async fn call(router: &Router, mut event: Value) -> Response {
    // A REST API's stage would be put before the path, but for a variable that only a process of its own can have.
    event["requestContext"]["stage"] = "$default".into();
    let request = lambda_http::request::from_str(&event.to_string()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn body(response: Response) -> Value {
    serde_json::from_slice(&to_bytes(response.into_body(), 65_536).await.unwrap()).unwrap()
}

#[tokio::test]
async fn each_front_door_says_who_calls() {
    let bench = Bench::new().await;
    let router = router(&bench);
    let doors = [
        (rest_iam(), "eu-west-1:aaaaaaaa-0000-0000-0000-000000000001"),
        (http_iam(), "eu-west-1:aaaaaaaa-0000-0000-0000-000000000002"),
        (http_jwt(), "subject-3"),
        (rest_claims(), "subject-4"),
    ];
    for (number, (event, player)) in doors.into_iter().enumerate() {
        let start = request(event, "POST", "/v1/matchmaking/tickets", Some("12345678"), Some("{}"));
        let response = call(&router, start).await;
        assert_eq!(response.status(), 202, "{player}");
        let asked = bench.game_lift.state().matches[number].clone();
        assert_eq!(asked.players[0].player, PlayerId::new(player));
    }
}

#[tokio::test]
async fn whoever_is_no_player_is_let_in_nowhere_but_to_what_is_public() {
    let bench = Bench::new().await;
    let router = router(&bench);
    // An operator's role signs, too, and has no Cognito identity.
    let mut operator = rest_iam();
    operator["requestContext"]["identity"]["cognitoIdentityId"] = Value::Null;
    let mut operator_2 = http_iam();
    operator_2["requestContext"]["authorizer"]["iam"]["cognitoIdentity"] = Value::Null;
    let mut nobody = http_iam();
    nobody["requestContext"].as_object_mut().unwrap().remove("authorizer");
    let mut empty = rest_iam();
    empty["requestContext"]["identity"]["cognitoIdentityId"] = "".into();
    // What a Lambda authorizer returns is its own business, and what a client writes is nobody's.
    let mut foreign = http_jwt();
    foreign["requestContext"]["authorizer"] =
        json!({"lambda": {"claims": {"sub": "mallory"}, "sub": "mallory"}});
    let mut forged = nobody.clone();
    forged["headers"]["x-player-id"] = "mallory".into();
    forged["headers"]["authorization"] = "Bearer a.b.c".into();
    forged["rawQueryString"] = "sub=mallory&cognitoIdentityId=mallory".into();
    for event in [operator, operator_2, nobody, empty, foreign, forged] {
        let refused = call(&router, event.clone()).await;
        assert_eq!(refused.status(), 401, "{event}");
        assert_eq!(body(refused).await["error"]["code"], "UNAUTHENTICATED");
        for path in ["/healthz", "/readyz", "/openapi.json"] {
            let public = call(&router, request(event.clone(), "GET", path, None, None)).await;
            assert!(public.status().is_success(), "{path}: {}", public.status());
        }
    }
}

#[tokio::test]
async fn a_ticket_is_started_read_and_cancelled() {
    let bench = Bench::new().await;
    let router = router(&bench);
    for event in [rest_iam(), http_iam()] {
        let start = request(event.clone(), "POST", "/v1/matchmaking/tickets", Some("abcdefgh"), Some("{}"));
        let started = call(&router, start.clone()).await;
        assert_eq!(started.status(), 202);
        let path = started.headers()["location"].to_str().unwrap().to_owned();
        let ticket = body(started).await;
        assert_eq!(ticket["status"], "REQUESTED");
        assert_eq!(body(call(&router, start).await).await["ticketId"], ticket["ticketId"], "the same key");

        let read = request(event.clone(), "GET", &path, None, None);
        let answer = call(&router, read.clone()).await;
        assert_eq!(answer.status(), 200);
        let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
        let mut again = read;
        again["headers"]["if-none-match"] = etag.clone().into();
        if again.get("multiValueHeaders").is_some() {
            again["multiValueHeaders"]["if-none-match"] = json!([etag]);
        }
        assert_eq!(call(&router, again).await.status(), 304);

        let cancelled = call(&router, request(event.clone(), "DELETE", &path, None, None)).await;
        assert_eq!(cancelled.status(), 202);
        let wrong = call(&router, request(event, "PUT", &path, None, None)).await;
        assert_eq!(wrong.status(), 405);
        assert!(body(wrong).await["requestId"].is_string());
    }
}

#[tokio::test]
async fn a_body_may_be_in_base64() {
    let bench = Bench::new().await;
    let router = router(&bench);
    // {"latencies":{"eu-west-1":30}}
    let text = "eyJsYXRlbmNpZXMiOnsiZXUtd2VzdC0xIjozMH19";
    let mut start = request(http_iam(), "POST", "/v1/matchmaking/tickets", Some("abcdefgh"), Some(text));
    start["isBase64Encoded"] = true.into();
    assert_eq!(call(&router, start).await.status(), 202);
    assert_eq!(bench.game_lift.state().matches[0].players[0].latencies["eu-west-1"], 30);
}

#[tokio::test]
async fn a_flood_of_calls_to_gamelift_is_bounded_over_all_instances() {
    let bench = Bench::new().await;
    let start = request(rest_iam(), "POST", "/v1/matchmaking/tickets", Some("abcdefgh"), Some("{}"));
    let started = call(&router(&bench), start).await;
    let path = started.headers()["location"].to_str().unwrap().to_owned();
    let cancel = request(rest_iam(), "DELETE", &path, None, None);
    let accept = request(rest_iam(), "POST", &format!("{path}/acceptance"), None, Some(r#"{"accept":true}"#));
    // Each instance counts for itself, and lets through what the table refuses.
    let answers = join_all((0..40).map(async |index| {
        let event = if index % 2 == 0 { cancel.clone() } else { accept.clone() };
        call(&router(&bench), event).await
    }))
    .await;
    let limited = answers.iter().filter(|answer| answer.status() == 429).collect::<Vec<_>>();
    assert_eq!(limited.len(), 35);
    assert!(limited.iter().all(|answer| answer.headers()["retry-after"] == "1"));
    assert!(bench.game_lift.calls("stop_matchmaking") <= 5);
    bench.advance(1_000);
    assert_ne!(call(&router(&bench), cancel.clone()).await.status(), 429);
    assert_eq!(call(&router(&bench), cancel).await.status(), 429);
    let mut bob = request(rest_iam(), "DELETE", &path, None, None);
    bob["requestContext"]["identity"]["cognitoIdentityId"] = "bob".into();
    assert_eq!(call(&router(&bench), bob).await.status(), 404, "players have measures of their own");
}

#[tokio::test]
async fn a_flood_of_looks_is_bounded_by_each_instance() {
    let bench = Bench::new().await;
    let router = router(&bench);
    let look = request(http_iam(), "GET", "/v1/matchmaking/tickets/current", None, None);
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(call(&router, look.clone()).await.status().as_u16());
    }
    assert_eq!(statuses, [404, 404, 404, 404, 404, 429, 429]);
    bench.advance(1_000);
    assert_eq!(call(&router, look).await.status(), 404);
}
