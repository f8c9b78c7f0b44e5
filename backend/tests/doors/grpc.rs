//! gRPC, over loopback, on the port of everything else.

use std::time::Duration;

use game_proto::matchmaking::{
    AcceptRequest, CancelRequest, GetRequest, MatchmakingClient, StartRequest, Status, WatchRequest,
};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::time::timeout;
use tonic::{Code, Request};

use crate::house::{House, Player};

const PATIENCE: Duration = Duration::from_secs(10);

type Grpc = MatchmakingClient<Client<HttpConnector, tonic::body::Body>>;

async fn connect(house: &House) -> Grpc {
    let address = house.serve().await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    MatchmakingClient::with_origin(client, format!("http://{address}").parse().unwrap())
}

async fn token(house: &House, player: &Player) -> String {
    let answer = house.send(player.request("POST", "/v1/auth/token", None, &[])).await.json();
    answer["token"].as_str().unwrap().to_owned()
}

fn with<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn start() -> StartRequest {
    let latencies = [("eu-west-1".to_owned(), 32)].into();
    StartRequest { idempotency_key: "12345678".to_owned(), latencies, ..StartRequest::default() }
}

#[tokio::test]
async fn a_ticket_is_started_watched_and_cancelled_by_grpc() {
    let house = House::new().await;
    let mut grpc = connect(&house).await;
    let ada = house.player().await;
    let token = token(&house, &ada).await;
    let started = grpc.start(with(&token, start())).await.unwrap().into_inner();
    assert_eq!(grpc.start(with(&token, start())).await.unwrap().into_inner().ticket_id, started.ticket_id);
    let mut news = grpc.watch(with(&token, WatchRequest {})).await.unwrap().into_inner();
    let first = timeout(PATIENCE, news.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(first.ticket_id, started.ticket_id);
    house.bench.event(9, "MatchmakingSucceeded", &started.ticket_id, &[&ada.id]).await;
    let mut told = first;
    while told.status() != Status::Succeeded {
        told = timeout(PATIENCE, news.message()).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(told.team.as_deref(), Some("red"));
    assert_eq!(told.connection.unwrap().player_session_id, format!("psess-{}", ada.id));
    let ticket_id = started.ticket_id;
    let placed = grpc.cancel(with(&token, CancelRequest { ticket_id })).await.unwrap_err();
    assert_eq!(placed.code(), Code::FailedPrecondition);
    assert_eq!(placed.metadata().get("problem-code").unwrap(), "TICKET_PLACED");
    house.stop.send_replace(true);
    let end = timeout(PATIENCE, news.message()).await.unwrap().unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
}

#[tokio::test]
async fn grpc_lets_nobody_in_without_a_token_of_their_own() {
    let house = House::new().await;
    let mut grpc = connect(&house).await;
    let (ada, bob) = (house.player().await, house.player().await);
    let id = house.start(&ada, "key-of-ada").await.json()["ticketId"].as_str().unwrap().to_owned();
    let get = || GetRequest { ticket_id: id.clone() };
    assert_eq!(grpc.get(get()).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(grpc.get(with("nonsense", get())).await.unwrap_err().code(), Code::Unauthenticated);
    let session = ada.credentials.session_token().unwrap();
    assert_eq!(grpc.get(with(session, get())).await.unwrap_err().code(), Code::Unauthenticated);
    let theirs = token(&house, &bob).await;
    assert_eq!(grpc.get(with(&theirs, get())).await.unwrap_err().code(), Code::NotFound);
    let accept = AcceptRequest { ticket_id: id.clone(), accept: false };
    assert_eq!(grpc.accept(with(&theirs, accept)).await.unwrap_err().code(), Code::NotFound);
    let own = token(&house, &ada).await;
    assert_eq!(grpc.get(with(&own, get())).await.unwrap().into_inner().ticket_id, id);
    house.bench.advance(15 * 60_000);
    assert_eq!(grpc.get(with(&own, get())).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn grpc_is_limited_as_http_is() {
    let house = House::new().await;
    let mut grpc = connect(&house).await;
    let ada = house.player().await;
    let token = token(&house, &ada).await;
    let mut last = None;
    for _ in 0..5 {
        last = grpc.get(with(&token, GetRequest::default())).await.err();
    }
    let limited = last.unwrap();
    assert_eq!(limited.code(), Code::ResourceExhausted, "the token was the first of five calls");
    assert_eq!(limited.metadata().get("retry-after").unwrap(), "1");
    let bomb = StartRequest { party: vec!["x".repeat(17 * 1024)], ..start() };
    assert_eq!(grpc.start(with(&token, bomb)).await.unwrap_err().code(), Code::OutOfRange);
    let wrong = StartRequest { attributes: [("mode".to_owned(), "{".to_owned())].into(), ..start() };
    let wrong = grpc.start(with(&token, wrong)).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
    assert!(wrong.message().contains("the attribute mode must be JSON"), "{wrong}");
    assert_eq!(json!(house.bench.game_lift.calls("start_matchmaking")), 0);
}

#[tokio::test]
async fn one_stream_too_many_takes_the_place_of_the_players_oldest() {
    let house = House::new().await;
    let mut grpc = connect(&house).await;
    let ada = house.player().await;
    house.start(&ada, "key-of-ada").await;
    let token = token(&house, &ada).await;
    let mut streams = Vec::new();
    for _ in 0..9 {
        house.bench.advance(1_000);
        let mut stream = grpc.watch(with(&token, WatchRequest {})).await.unwrap().into_inner();
        assert!(timeout(PATIENCE, stream.message()).await.unwrap().unwrap().is_some());
        streams.push(stream);
    }
    let replaced = timeout(PATIENCE, streams[0].message()).await.unwrap().unwrap_err();
    assert_eq!(replaced.code(), Code::ResourceExhausted);
    house.stop.send_replace(true);
    for stream in &mut streams[1..] {
        let end = timeout(PATIENCE, stream.message()).await.unwrap().unwrap_err();
        assert_eq!(end.code(), Code::Unavailable, "the others were still open");
    }
}
