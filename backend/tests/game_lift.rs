//! What the port says of a GameLift that is not there.
#![cfg(test)]
#![cfg(feature = "local")]

use std::net::Ipv4Addr;
use std::time::Duration;

use backend::game_lift::{AwsGameLift, GameLift, GameLiftError};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(30);

async fn listener() -> (TcpListener, AwsGameLift) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let game_lift = AwsGameLift::local(&format!("http://{}", listener.local_addr().unwrap()));
    (listener, game_lift)
}

#[tokio::test]
async fn what_could_not_be_sent_was_not_done() {
    let (listener, game_lift) = listener().await;
    drop(listener);
    let error = tokio::time::timeout(PATIENCE, game_lift.stop_matchmaking("t-1")).await.unwrap().unwrap_err();
    assert!(matches!(error, GameLiftError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn what_was_sent_and_not_answered_may_have_been_done() {
    let (listener, game_lift) = listener().await;
    let server = tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.readable().await.unwrap();
        }
    });
    let error = tokio::time::timeout(PATIENCE, game_lift.stop_matchmaking("t-1")).await.unwrap().unwrap_err();
    assert!(matches!(error, GameLiftError::Unclear(_)), "{error}");
    server.abort();
}
