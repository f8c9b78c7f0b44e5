//! Starting.

use std::collections::{BTreeMap, BTreeSet};

use backend::game_lift::Attribute;
use backend::problem::Code;
use backend::service::{IdempotencyKey, StartRequest};
use backend::ticket::Status;
use futures_util::future::join_all;
use serde_json::json;

use crate::bench::{Bench, NOW, caller, code, key};

#[tokio::test]
async fn a_start_is_a_ticket_of_ours_with_the_servers_own_skill() {
    let bench = Bench::new().await;
    let request = StartRequest {
        latencies: BTreeMap::from([("eu-west-1".to_owned(), 30)]),
        attributes: BTreeMap::from([("mode".to_owned(), json!("duel"))]),
        ..StartRequest::default()
    };
    let started = bench.backend.start(&caller("ada"), &key("one-key-1"), request).await.unwrap();
    assert_eq!(
        (started.replayed, started.ticket.status, started.ticket.created_at),
        (false, Status::Requested, NOW)
    );
    assert!(started.ticket.poll_after_ms.is_some());
    let state = bench.game_lift.state();
    let sent = &state.matches[0];
    assert_eq!(
        (sent.ticket_id.as_str(), sent.configuration.as_str()),
        (started.ticket.ticket_id.as_str(), "default")
    );
    let seeker = &sent.players[0];
    assert_eq!((seeker.player.as_str(), seeker.latencies["eu-west-1"]), ("ada", 30));
    assert_eq!(seeker.attributes["skill"], Attribute::Number(10.0));
    assert_eq!(seeker.attributes["mode"], Attribute::Text("duel".to_owned()));
}

#[tokio::test]
async fn a_client_cannot_say_how_good_its_player_is() {
    let bench = Bench::new().await;
    let attributes = BTreeMap::from([("skill".to_owned(), json!(9_000))]);
    let request = StartRequest { attributes, ..StartRequest::default() };
    assert_eq!(code(bench.backend.start(&caller("ada"), &key("one-key-1"), request).await), Code::BadRequest);
    for body in [r#"{"playerId": "bob"}"#, r#"{"skill": 1}"#, r#"{"team": "red"}"#] {
        assert!(serde_json::from_str::<StartRequest>(body).is_err(), "{body}");
    }
    assert_eq!(bench.game_lift.calls("start_matchmaking"), 0);
}

#[tokio::test]
async fn the_same_key_is_the_same_ticket_even_after_its_end() {
    let bench = Bench::new().await;
    let first = bench.start("ada", "one-key-1").await.unwrap().ticket;
    for _ in 0..3 {
        let again = bench.start("ada", "one-key-1").await.unwrap();
        assert_eq!((again.replayed, again.ticket.ticket_id), (true, first.ticket_id.clone()));
    }
    bench.event(3, "MatchmakingTimedOut", &first.ticket_id, &["ada"]).await;
    let again = bench.start("ada", "one-key-1").await.unwrap();
    assert_eq!((again.replayed, again.ticket.status), (true, Status::TimedOut));
    assert_eq!(bench.game_lift.calls("start_matchmaking"), 1);
    assert!(!bench.start("ada", "two-key-2").await.unwrap().replayed);
}

#[tokio::test]
async fn thirty_two_starts_at_once_with_one_key_start_once() {
    let bench = Bench::new().await;
    let all = join_all((0..32).map(|_| bench.start("ada", "one-key-1"))).await;
    let tickets: BTreeSet<String> =
        all.iter().map(|started| started.as_ref().unwrap().ticket.ticket_id.clone()).collect();
    assert_eq!(tickets.len(), 1);
    assert_eq!(all.iter().filter(|started| !started.as_ref().unwrap().replayed).count(), 1);
    assert_eq!(bench.game_lift.calls("start_matchmaking"), 1);
}

#[tokio::test]
async fn a_second_device_learns_which_ticket_is_open_and_both_may_watch_it() {
    let bench = Bench::new().await;
    let ticket = bench.ticket("ada").await;
    let problem = bench.start("ada", "other-device").await.unwrap_err();
    assert_eq!(
        (problem.code, problem.details),
        (Code::TicketActive, Some(json!({"ticketId": ticket.ticket_id})))
    );
    assert_eq!(
        bench.backend.ticket(&caller("ada"), &ticket.ticket_id).await.unwrap().ticket_id,
        ticket.ticket_id
    );
}

#[tokio::test]
async fn another_players_ticket_is_as_unknown_as_one_that_does_not_exist() {
    let bench = Bench::new().await;
    let ticket = bench.ticket("ada").await;
    bench.ticket("bob").await;
    let backend = &bench.backend;
    for player in ["bob", "cyd"] {
        let caller = caller(player);
        for (theirs, none) in [
            (backend.ticket(&caller, &ticket.ticket_id).await, backend.ticket(&caller, "none").await),
            (backend.cancel(&caller, &ticket.ticket_id).await, backend.cancel(&caller, "none").await),
            (
                backend.answer(&caller, &ticket.ticket_id, true).await,
                backend.answer(&caller, "none", true).await,
            ),
        ] {
            assert_eq!(theirs.as_ref().unwrap_err().code, Code::NotFound);
            assert_eq!(theirs, none);
        }
    }
    assert_eq!(bench.game_lift.calls("stop_matchmaking") + bench.game_lift.calls("accept_match"), 0);
}

#[tokio::test]
async fn too_many_starts_are_told_when_to_come_again_and_are_not_sent() {
    let bench = Bench::new().await;
    for start in 0..3 {
        let ticket = bench.start("ada", &format!("key-number-{start}")).await.unwrap().ticket;
        bench.event(start, "MatchmakingTimedOut", &ticket.ticket_id, &["ada"]).await;
    }
    let problem = bench.start("ada", "key-number-4").await.unwrap_err();
    assert_eq!((problem.code, problem.retry_after), (Code::RateLimited, Some(2)));
    assert!(bench.start("bob", "key-of-bob").await.is_ok(), "others may");
    bench.advance(2_000);
    assert!(bench.start("ada", "key-number-4").await.is_ok());
    assert_eq!(bench.game_lift.calls("start_matchmaking"), 5);
}

#[tokio::test]
async fn a_latency_to_a_place_that_there_is_not_is_refused_with_its_name() {
    let bench = Bench::new().await;
    let latencies = BTreeMap::from([("mars-1".to_owned(), 30)]);
    let request = StartRequest { latencies, ..StartRequest::default() };
    let problem = bench.backend.start(&caller("ada"), &key("one-key-1"), request).await.unwrap_err();
    assert_eq!(problem.code, Code::LatencyLocationUnknown);
    assert_eq!(problem.details, Some(json!({"location": "mars-1"})));
}

#[test]
fn an_idempotency_key_is_8_to_64_printable_characters() {
    for good in ["12345678", &"x".repeat(64), "a-key_of~mine!"] {
        assert!(good.parse::<IdempotencyKey>().is_ok(), "{good}");
    }
    for bad in ["1234567", &"x".repeat(65), "with space", "with\nline", "umläut-key"] {
        assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad}");
    }
}
