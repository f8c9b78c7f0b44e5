//! Parties: who may be started by whom.

use backend::problem::Code;
use backend::service::{PrivateRequest, StartRequest};
use backend::ticket::Status;
use serde_json::json;

use crate::bench::{Bench, caller, code, key};

async fn invites(bench: &Bench, members: &[&str]) -> Vec<String> {
    let mut tokens = Vec::new();
    for member in members {
        tokens.push(bench.backend.invite(&caller(member)).await.unwrap().token);
    }
    tokens
}

async fn party(bench: &Bench, members: &[&str]) -> StartRequest {
    StartRequest { party: invites(bench, members).await, ..StartRequest::default() }
}

#[tokio::test]
async fn a_party_is_one_ticket_that_each_member_sees_with_their_own_seat() {
    let bench = Bench::new().await;
    let request = party(&bench, &["bob", "cyd"]).await;
    let started = bench.backend.start(&caller("ada"), &key("party-key"), request).await.unwrap();
    let id = started.ticket.ticket_id;
    assert_eq!(bench.game_lift.state().matches[0].players.len(), 3);
    bench.event(5, "MatchmakingSucceeded", &id, &["ada", "bob", "cyd"]).await;
    for player in ["ada", "bob", "cyd"] {
        let ticket = bench.backend.ticket(&caller(player), &id).await.unwrap();
        assert_eq!(ticket.connection.unwrap().player_session_id, format!("psess-{player}"));
    }
}

#[tokio::test]
async fn nobody_is_in_a_party_without_their_consent() {
    let bench = Bench::new().await;
    let made_up = StartRequest { party: vec!["0123456789abcdef".to_owned()], ..StartRequest::default() };
    assert_eq!(code(bench.backend.start(&caller("ada"), &key("party-key"), made_up).await), Code::BadRequest);
    let used = party(&bench, &["bob"]).await;
    bench.backend.start(&caller("ada"), &key("party-key"), used.clone()).await.unwrap();
    // Another leader with an invite that was used up.
    assert_eq!(code(bench.backend.start(&caller("cyd"), &key("cyds-key"), used).await), Code::BadRequest);
    let late = party(&bench, &["dan"]).await;
    bench.advance(10 * 60 * 1000 + 1_000);
    assert_eq!(code(bench.backend.start(&caller("cyd"), &key("cyds-key"), late).await), Code::BadRequest);
    assert_eq!(bench.game_lift.calls("start_matchmaking"), 1);
}

#[tokio::test]
async fn a_party_that_is_started_again_with_its_key_is_the_same_though_its_invites_are_used_up() {
    let bench = Bench::new().await;
    let request = party(&bench, &["bob"]).await;
    let first = bench.backend.start(&caller("ada"), &key("party-key"), request.clone()).await.unwrap();
    let again = bench.backend.start(&caller("ada"), &key("party-key"), request).await.unwrap();
    assert_eq!((again.replayed, again.ticket.ticket_id), (true, first.ticket.ticket_id));
}

#[tokio::test]
async fn a_party_with_its_leader_in_it_or_one_player_twice_is_refused() {
    let bench = Bench::new().await;
    for members in [["ada", "bob"], ["bob", "bob"]] {
        let request = party(&bench, &members).await;
        assert_eq!(
            code(bench.backend.start(&caller("ada"), &key("party-key"), request).await),
            Code::BadRequest
        );
    }
}

#[tokio::test]
async fn a_busy_member_keeps_the_party_from_starting_and_is_told_by_place_not_by_name() {
    let bench = Bench::new().await;
    bench.ticket("cyd").await;
    let request = party(&bench, &["bob", "cyd"]).await;
    let problem = bench.backend.start(&caller("ada"), &key("party-key"), request).await.unwrap_err();
    assert_eq!((problem.code, problem.details), (Code::TicketActive, Some(json!({"party": 1}))));
    assert!(!problem.message.contains("cyd"));
    assert_eq!(code(bench.backend.current(&caller("bob")).await), Code::NotFound);
}

#[tokio::test]
async fn one_member_who_asks_learns_it_for_all() {
    let bench = Bench::new().await;
    let request = party(&bench, &["bob"]).await;
    let id = bench.backend.start(&caller("ada"), &key("party-key"), request).await.unwrap().ticket.ticket_id;
    let mut door = bench.backend.watch(&caller("ada").player);
    bench.game_lift.set(&id, crate::fake::report(Status::TimedOut));
    bench.advance(30_000);
    bench.current("bob").await;
    let told = door.borrow_and_update().as_ref().map(|ticket| ticket.status);
    assert_eq!(told, Some(Status::TimedOut));
    bench.current("ada").await;
    assert_eq!(bench.game_lift.calls("describe_matchmaking"), 1);
}

#[tokio::test]
async fn any_member_cancels_for_all() {
    let bench = Bench::new().await;
    let request = party(&bench, &["bob"]).await;
    let id = bench.backend.start(&caller("ada"), &key("party-key"), request).await.unwrap().ticket.ticket_id;
    bench.backend.cancel(&caller("bob"), &id).await.unwrap();
    assert_eq!(bench.current("ada").await.status, Status::Cancelling);
}

#[tokio::test]
async fn a_private_session_is_a_placement_told_of_as_a_ticket() {
    let bench = Bench::new().await;
    let party = invites(&bench, &["bob"]).await;
    let request =
        PrivateRequest { location: Some("eu-west-1".to_owned()), party, ..PrivateRequest::default() };
    let started = bench.backend.start_private(&caller("ada"), &key("private-1"), request).await.unwrap();
    let id = started.ticket.ticket_id;
    {
        let state = bench.game_lift.state();
        let sent = &state.placements[0];
        assert_eq!(
            (sent.queue.as_str(), sent.max_players, sent.location.as_deref()),
            ("queue", 4, Some("eu-west-1"))
        );
        assert_eq!(sent.players.len(), 2);
    }
    let fulfilled = json!({
        "placementId": id, "port": "7777", "ipAddress": "10.0.0.1", "gameSessionArn": "arn:aws:gamelift:x::gamesession/fleet-1/a/b",
        "placedPlayerSessions": [
            {"playerId": "ada", "playerSessionId": "psess-ada"}, {"playerId": "bob", "playerSessionId": "psess-bob"},
        ],
    });
    bench.event_with(5, "PlacementFulfilled", &id, &[], fulfilled).await;
    for player in ["ada", "bob"] {
        assert_eq!(
            bench.current(player).await.connection.unwrap().player_session_id,
            format!("psess-{player}")
        );
    }
}

#[tokio::test]
async fn a_placement_that_failed_is_told_to_all_its_players_though_the_event_names_none() {
    let bench = Bench::new().await;
    let party = invites(&bench, &["bob"]).await;
    let request = PrivateRequest { party, ..PrivateRequest::default() };
    let id = bench
        .backend
        .start_private(&caller("ada"), &key("private-1"), request)
        .await
        .unwrap()
        .ticket
        .ticket_id;
    bench.event_with(5, "PlacementTimedOut", &id, &[], json!({"placementId": id})).await;
    for player in ["ada", "bob"] {
        assert_eq!(bench.current(player).await.status, Status::TimedOut);
    }
}

#[tokio::test]
async fn a_placement_whose_event_is_lost_is_asked_about_and_can_be_stopped() {
    let bench = Bench::new().await;
    let request = PrivateRequest::default();
    let id = bench
        .backend
        .start_private(&caller("ada"), &key("private-1"), request)
        .await
        .unwrap()
        .ticket
        .ticket_id;
    assert_eq!(bench.backend.cancel(&caller("ada"), &id).await.unwrap().status, Status::Cancelling);
    bench.advance(30_000);
    assert_eq!(bench.current("ada").await.status, Status::Cancelled);
    assert_eq!(
        (bench.game_lift.calls("stop_placement"), bench.game_lift.calls("describe_placement")),
        (1, 1)
    );
}
