//! What a ticket costs in calls of the table. deploy/COSTS.md reckons with these.

use std::collections::BTreeMap;

use backend::ticket::Status;
use serde_json::json;

use crate::bench::Bench;

fn calls(wanted: &[(&str, usize)]) -> BTreeMap<String, usize> {
    wanted.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
}

#[tokio::test]
async fn a_ticket_is_five_writes_from_the_start_to_the_seat() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    // The row and the profile, which counts the starts. Read: whether the key is a replay, and the profile.
    assert_eq!(bench.calls.take(), calls(&[("GetItem", 2), ("PutItem", 2)]));
    for (second, kind) in
        [(1, "MatchmakingSearching"), (3, "PotentialMatchCreated"), (4, "MatchmakingSucceeded")]
    {
        bench.event(second, kind, &id, &["ada"]).await;
        assert_eq!(bench.calls.take(), calls(&[("UpdateItem", 1)]), "{kind}");
    }
    assert_eq!(bench.current("ada").await.status, Status::Succeeded);
    assert_eq!(bench.calls.take(), calls(&[("GetItem", 1)]), "a poll");
}

#[tokio::test]
async fn a_proposal_is_two_writes_and_each_answer_to_it_is_one_for_each_player() {
    let bench = Bench::new().await;
    let id = bench.ticket("ada").await.ticket_id;
    bench.calls.take();
    let proposal = json!({"acceptanceRequired": true, "acceptanceTimeout": 60});
    bench.event_with(3, "PotentialMatchCreated", &id, &["ada"], proposal).await;
    assert_eq!(bench.calls.take(), calls(&[("UpdateItem", 2)]), "the deadline by itself");
    bench.event(4, "AcceptMatch", &id, &["ada"]).await;
    assert_eq!(bench.calls.take(), calls(&[("UpdateItem", 1)]));
}

#[tokio::test]
async fn waiting_is_a_write_every_thirty_seconds_however_often_players_ask() {
    let bench = Bench::new().await;
    bench.ticket("ada").await;
    bench.calls.take();
    for _ in 0..100 {
        bench.advance(1_000);
        bench.current("ada").await;
    }
    let counted = bench.calls.take();
    // Three turns to ask GameLift; the first answer is news, and is written as well.
    assert_eq!(counted["UpdateItem"], 4, "{counted:?}");
}
