//! Tickets of several players, all or none; and private sessions.

use backend::caller::PlayerId;
use backend::store::{Consent, Created, Kind, NewTicket, Own};
use serde_json::json;

use crate::bench::{Bench, HOUR, NOW, elsewhere, event, new};

async fn party(bench: &Bench, ticket: &str) -> NewTicket {
    let mut party = Vec::new();
    for member in ["bob", "cyd"] {
        let own = Own {
            latencies: [("eu-west-1".to_owned(), 32)].into(),
            attributes: [("mode".to_owned(), json!(1e300))].into(),
        };
        let token = format!("invite-{member}-{ticket}");
        let consent = Consent { token, member: PlayerId::new(member), own };
        bench.store.invite(&consent, NOW).await.unwrap();
        party.push(consent);
    }
    NewTicket { party, ..new("ada", ticket, "the-party-key") }
}

#[tokio::test]
async fn a_party_has_one_ticket_under_each_member_and_its_invites_are_used_up() {
    let bench = Bench::new().await;
    let ticket = party(&bench, "t-1").await;
    assert!(matches!(bench.store.create(&ticket, NOW).await.unwrap(), Created::New(_)));
    for player in ["ada", "bob", "cyd"] {
        let row = bench.row(player, NOW).await.unwrap();
        assert_eq!((row.ticket_id.as_str(), row.party.join(" ")), ("t-1", "ada bob cyd".to_owned()));
    }
    for consent in &ticket.party {
        assert_eq!(bench.store.invited(&consent.token, NOW).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_same_party_started_again_is_the_same_ticket() {
    let bench = Bench::new().await;
    let ticket = party(&bench, "11111111-1111-1111-1111-111111111111").await;
    let Created::New(row) = bench.store.create(&ticket, NOW).await.unwrap() else { panic!() };
    // With the same ticket id it is the same transaction: ClientRequestToken makes the second a success that does nothing.
    let same = bench.store.create(&ticket, NOW).await.unwrap();
    match elsewhere() {
        None => assert_eq!(same, Created::New(row.clone())),
        // moto 5.2.5 runs it again, and the conditions make it a replay: as good.
        Some(_) => assert!(matches!(same, Created::New(_) | Created::Replay(_)), "{same:?}"),
    }
    let again = NewTicket { ticket_id: "22222222-2222-2222-2222-222222222222".to_owned(), ..ticket };
    assert_eq!(bench.store.create(&again, NOW).await.unwrap(), Created::Replay(row));
}

#[tokio::test]
async fn nobody_is_started_if_one_of_the_party_is_busy() {
    let bench = Bench::new().await;
    bench.started("cyd", "of-her-own").await;
    let ticket = party(&bench, "t-1").await;
    assert_eq!(bench.store.create(&ticket, NOW).await.unwrap(), Created::MemberActive(1));
    assert_eq!((bench.row("ada", NOW).await, bench.row("bob", NOW).await), (None, None));
    let bob = &ticket.party[0];
    assert_eq!(
        bench.store.invited(&bob.token, NOW).await.unwrap().as_ref(),
        Some(bob),
        "the invite still holds"
    );
}

#[tokio::test]
async fn an_invite_that_is_used_up_expired_or_another_players_starts_nobody() {
    let bench = Bench::new().await;
    let mut ticket = party(&bench, "t-1").await;
    ticket.party[1].token = "never-made".to_owned();
    assert_eq!(bench.store.create(&ticket, NOW).await.unwrap(), Created::InviteGone(1));
    // Bob's consent is not Cyd's.
    ticket.party[1].token = "invite-bob-t-1".to_owned();
    ticket.party.remove(0);
    assert_eq!(bench.store.create(&ticket, NOW).await.unwrap(), Created::InviteGone(0));

    let ticket = party(&bench, "t-2").await;
    let late = NOW + 10 * 60 * 1000 + 1_000;
    assert_eq!(bench.store.create(&ticket, late).await.unwrap(), Created::InviteGone(0));
    assert_eq!(bench.store.invited(&ticket.party[0].token, late).await.unwrap(), None);
    assert_eq!(bench.row("ada", NOW).await, None);
}

#[tokio::test]
async fn a_members_key_does_not_replay_the_leaders_ticket() {
    let bench = Bench::new().await;
    let ticket = party(&bench, "t-1").await;
    bench.store.create(&ticket, NOW).await.unwrap();
    let bobs = bench.store.create(&new("bob", "t-2", "the-party-key"), NOW).await.unwrap();
    assert_eq!(bobs, Created::Active { ticket_id: "t-1".to_owned() });
}

#[tokio::test]
async fn each_member_gets_their_own_seat() {
    let bench = Bench::new().await;
    bench.store.create(&party(&bench, "t-1").await, NOW).await.unwrap();
    for player in ["ada", "bob", "cyd"] {
        bench.handle(&event("e", 5, "MatchmakingSucceeded", "t-1", player, json!({}))).await;
    }
    for player in ["ada", "bob", "cyd"] {
        let seat = bench.row(player, NOW).await.unwrap().connection.unwrap().player_session_id;
        assert_eq!(seat, format!("psess-{player}"));
    }
}

#[tokio::test]
async fn a_party_that_is_taken_back_has_its_invites_again() {
    let bench = Bench::new().await;
    let ticket = party(&bench, "t-1").await;
    bench.store.create(&ticket, NOW).await.unwrap();
    assert!(bench.store.undo(&ticket, NOW).await.unwrap());
    let bob = &ticket.party[0];
    let back = bench.store.invited(&bob.token, NOW).await.unwrap();
    assert_eq!(back.as_ref(), Some(bob), "with what was theirs");
    assert!(!format!("{back:?}").contains(&bob.token), "who has the token has the consent");
    let again = NewTicket { ticket_id: "t-2".to_owned(), ..ticket };
    assert!(matches!(bench.store.create(&again, NOW).await.unwrap(), Created::New(_)));
}

#[tokio::test]
async fn a_private_sessions_players_are_found_by_its_id() {
    let bench = Bench::new().await;
    let ticket = NewTicket { kind: Kind::Placement, expires: NOW + HOUR, ..party(&bench, "p-1").await };
    assert!(matches!(bench.store.create(&ticket, NOW).await.unwrap(), Created::New(_)));
    let players = bench.store.placement_players("p-1", NOW).await.unwrap();
    assert_eq!(players, ["ada", "bob", "cyd"].map(PlayerId::new));
    assert!(bench.store.placement_players("p-2", NOW).await.unwrap().is_empty());
    let later = NOW + HOUR + 1_000;
    assert!(bench.store.placement_players("p-1", later).await.unwrap().is_empty(), "forgotten");
}
