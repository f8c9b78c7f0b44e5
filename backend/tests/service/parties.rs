//! Parties: who may be started by whom.

use backend::caller::PlayerId;
use backend::game_lift::Attribute;
use backend::problem::Code;
use backend::service::{InviteRequest, PrivateRequest, StartRequest};
use backend::ticket::Status;
use serde_json::json;

use crate::bench::{Bench, caller, code, key};

async fn invites(bench: &Bench, members: &[&str]) -> Vec<String> {
    let mut tokens = Vec::new();
    for member in members {
        tokens.push(bench.backend.invite(&caller(member), InviteRequest::default()).await.unwrap().token);
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

fn latencies(millis: u32) -> std::collections::BTreeMap<String, u32> {
    [("eu-west-1".to_owned(), millis)].into()
}

#[tokio::test]
async fn each_member_is_started_with_what_is_their_own_and_else_with_the_leaders() {
    let bench = Bench::new().await;
    bench.backend.set_skill(&PlayerId::new("bob"), 77.0).await.unwrap();
    let own =
        InviteRequest { latencies: latencies(99), attributes: [("mode".to_owned(), json!("bobs"))].into() };
    let bob = bench.backend.invite(&caller("bob"), own).await.unwrap().token;
    let far = InviteRequest { latencies: latencies(150), ..InviteRequest::default() };
    let cyd = bench.backend.invite(&caller("cyd"), far).await.unwrap().token;
    let dan = bench.backend.invite(&caller("dan"), InviteRequest::default()).await.unwrap().token;
    let request = StartRequest {
        latencies: latencies(20),
        attributes: [("mode".to_owned(), json!("adas"))].into(),
        party: vec![bob, cyd, dan],
        ..StartRequest::default()
    };
    bench.backend.start(&caller("ada"), &key("party-key"), request).await.unwrap();
    let state = bench.game_lift.state();
    let sent: Vec<_> = state.matches[0]
        .players
        .iter()
        .map(|seeker| {
            let Attribute::Text(mode) = &seeker.attributes["mode"] else { panic!("{seeker:?}") };
            let Attribute::Number(skill) = seeker.attributes["skill"] else { panic!("{seeker:?}") };
            (seeker.player.as_str(), seeker.latencies["eu-west-1"], mode.as_str(), skill)
        })
        .collect();
    let wanted = [
        ("ada", 20, "adas", 10.0),
        ("bob", 99, "bobs", 77.0),
        ("cyd", 150, "adas", 10.0),
        ("dan", 20, "adas", 10.0),
    ];
    assert_eq!(sent, wanted);
}

#[tokio::test]
async fn a_member_who_says_what_may_not_be_is_told_and_gets_no_token() {
    let bench = Bench::new().await;
    let nowhere = [("mars-1".to_owned(), 20)].into();
    let skill = [("skill".to_owned(), json!(9000))].into();
    for (latencies, attributes, wanted) in [
        (latencies(0), Default::default(), Code::BadRequest),
        (nowhere, Default::default(), Code::LatencyLocationUnknown),
        (latencies(20), skill, Code::BadRequest),
    ] {
        let request = InviteRequest { latencies, attributes };
        assert_eq!(code(bench.backend.invite(&caller("bob"), request).await), wanted);
    }
}

#[tokio::test]
async fn a_private_sessions_players_are_placed_by_latencies_of_their_own() {
    let bench = Bench::new().await;
    let own =
        InviteRequest { latencies: latencies(99), attributes: [("mode".to_owned(), json!("bobs"))].into() };
    let party = vec![bench.backend.invite(&caller("bob"), own).await.unwrap().token];
    let request = PrivateRequest { latencies: latencies(20), party, ..PrivateRequest::default() };
    bench.backend.start_private(&caller("ada"), &key("private-1"), request).await.unwrap();
    let state = bench.game_lift.state();
    let sent: Vec<u32> =
        state.placements[0].players.iter().map(|seeker| seeker.latencies["eu-west-1"]).collect();
    assert_eq!(sent, [20, 99]);
    assert!(state.placements[0].players.iter().all(|seeker| seeker.attributes.is_empty()));
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
