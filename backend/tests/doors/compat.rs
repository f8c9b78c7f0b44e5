use axum::http::StatusCode;
use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn the_clients_of_the_sample_find_what_they_know() {
    let house = House::new().await;
    let ada = house.player().await;
    let asked = house.get(&ada, "/requestmatchmaking?latencies=eu-west-1_35").await;
    assert_eq!(asked.status, StatusCode::OK, "{asked:?}");
    let id = asked.json()["TicketId"].as_str().unwrap().to_owned();
    assert_eq!(house.bench.game_lift.state().matches[0].players[0].latencies["eu-west-1"], 35);
    let again = house.get(&ada, "/requestmatchmaking?latencies=eu-west-1_35").await;
    assert_eq!(again.json()["TicketId"], id.as_str(), "they start again without cancelling");

    let path = format!("/requestmatchstatus?ticketId={id}");
    let waiting = json!({"IpAddress": "", "Port": 0, "PlayerSessionId": "NotPlacedYet", "DnsName": ""});
    assert_eq!(house.get(&ada, &path).await.json(), waiting);
    house.bench.event(9, "MatchmakingSucceeded", &id, &[&ada.id]).await;
    let seat = house.get(&ada, &path).await.json();
    assert_eq!((&seat["IpAddress"], &seat["Port"]), (&json!("10.0.0.1"), &json!(7777)));
    assert_eq!(seat["PlayerSessionId"], format!("psess-{}", ada.id));
    let bob = house.player().await;
    assert_eq!(house.get(&bob, &path).await.json(), waiting, "somebody else's ticket");
    let wrong = house.get(&bob, "/requestmatchmaking?latencies=eu-west-1_far").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"));
}

#[tokio::test]
async fn the_clients_of_the_plugins_find_what_they_know() {
    let house = House::new().await;
    let ada = house.player().await;
    let ask = || house.send(ada.request("POST", "/get_game_connection", None, &[]));
    assert_eq!(ask().await.status, StatusCode::NOT_FOUND);
    let body = json!({"regionToLatencyMapping": {"eu-west-1": 35}});
    assert_eq!(house.post(&ada, "/start_game", &body, &[]).await.status, StatusCode::ACCEPTED);
    assert_eq!(house.post(&ada, "/start_game", &body, &[]).await.status, StatusCode::CONFLICT);
    assert_eq!(ask().await.status, StatusCode::NO_CONTENT);
    let id = house.bench.game_lift.state().matches[0].ticket_id.clone();
    house.bench.event(9, "MatchmakingSucceeded", &id, &[&ada.id]).await;
    let seat = ask().await;
    assert_eq!((seat.status, seat.header("content-type")), (StatusCode::OK, "text/plain"));
    assert_eq!(seat.json()["Port"], "7777");
    assert_eq!(seat.json()["PlayerSessionId"], format!("psess-{}", ada.id));
}

#[tokio::test]
async fn what_a_client_of_the_plugins_has_wrong_is_not_the_servers_fault() {
    let house = House::new().await;
    let ada = house.player().await;
    for (body, status) in [
        ("[]", StatusCode::BAD_REQUEST),
        (r#"{"regionToLatencyMapping":{"eu-west-1":0}}"#, StatusCode::BAD_REQUEST),
        (r#"{"regionToLatencyMapping":{"mars-1":9}}"#, StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = house.send(ada.request("POST", "/start_game", Some(body.to_owned()), &[])).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    let bob = house.player().await;
    assert_eq!(house.post(&bob, "/start_game", &json!({}), &[]).await.status, StatusCode::ACCEPTED);
    let id = house.bench.game_lift.state().matches[0].ticket_id.clone();
    house.bench.event(9, "MatchmakingTimedOut", &id, &[&bob.id]).await;
    let ended = house.send(bob.request("POST", "/get_game_connection", None, &[])).await;
    assert_eq!((ended.status, ended.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
}

#[tokio::test]
async fn the_clients_of_the_plugins_may_show_a_token_in_auth() {
    let house = House::new().await;
    let ada = house.player().await;
    let token = house.send(ada.request("POST", "/v1/auth/token", None, &[])).await.json();
    let token = token["token"].as_str().unwrap();
    let with = |path: &str, token: &str| {
        let request = axum::http::Request::post(path).header("auth", token);
        house.send(request.body(axum::body::Body::empty()).unwrap())
    };
    assert_eq!(with("/start_game", token).await.status, StatusCode::ACCEPTED);
    assert_eq!(with("/start_game", &token.replace(&token[..4], "AAAA")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(with("/v1/sessions", token).await.status, StatusCode::FORBIDDEN, "nowhere else");
}
