//! Whatever order events come in, and however often, the table ends alike: first on a model of its conditions, then on the
//! table itself.

use backend::caller::PlayerId;
use backend::store::Read;
use backend::ticket::Status;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bench::{Bench, HOUR, NOW, PATIENCE, event, new, updates};
use crate::model::{Model, seen};

/// Lives of a ticket: what GameLift says of it, in order. Several things happen in one second.
fn stories() -> Vec<Vec<Value>> {
    let proposal = || json!({"acceptanceRequired": true, "acceptanceTimeout": 60});
    let tell = |lines: &[(u64, &str, Value)]| {
        let line = |(index, (second, kind, more)): (usize, &(u64, &str, Value))| {
            event(&format!("id-{}", index * 7 % 5), *second, kind, "t-1", "ada", more.clone())
        };
        lines.iter().enumerate().map(line).collect::<Vec<_>>()
    };
    let none = || json!({});
    vec![
        tell(&[
            (1, "MatchmakingSearching", json!({"estimatedWaitMillis": "9000"})),
            (3, "PotentialMatchCreated", none()),
            (4, "MatchmakingSucceeded", none()),
        ]),
        tell(&[
            (1, "MatchmakingSearching", none()),
            (3, "PotentialMatchCreated", proposal()),
            (4, "AcceptMatch", none()),
            (4, "AcceptMatchCompleted", json!({"acceptance": "Rejected"})),
            (4, "MatchmakingSearching", none()),
            (9, "PotentialMatchCreated", proposal()),
            (9, "AcceptMatch", none()),
            (9, "AcceptMatchCompleted", json!({"acceptance": "Accepted"})),
            (9, "MatchmakingSucceeded", none()),
        ]),
        tell(&[
            (1, "MatchmakingSearching", none()),
            (3, "PotentialMatchCreated", proposal()),
            (63, "AcceptMatchCompleted", json!({"acceptance": "TimedOut"})),
            (63, "MatchmakingCancelled", json!({"reason": "Cancelled", "message": "Nobody answered."})),
        ]),
        tell(&[
            (1, "MatchmakingSearching", none()),
            (30, "PotentialMatchCreated", none()),
            (31, "MatchmakingFailed", json!({"message": "One."})),
            (31, "MatchmakingTimedOut", json!({"message": "Other."})),
        ]),
        // A cancel that lost the race against a seat.
        tell(&[
            (1, "MatchmakingSearching", none()),
            (5, "MatchmakingSucceeded", none()),
            (6, "MatchmakingCancelled", none()),
        ]),
        // Not over yet.
        tell(&[
            (1, "MatchmakingSearching", none()),
            (3, "PotentialMatchCreated", proposal()),
            (4, "AcceptMatch", none()),
        ]),
    ]
}

/// The events of a story in any order, each once or more often, and some of them again.
fn history(story: Vec<Value>) -> impl Strategy<Value = Vec<Value>> {
    let copies = proptest::collection::vec(1_usize..=3, story.len());
    copies.prop_flat_map(move |copies| {
        let all: Vec<Value> = story
            .iter()
            .zip(copies)
            .flat_map(|(event, times)| std::iter::repeat_n(event.clone(), times))
            .collect();
        Just(all).prop_shuffle()
    })
}

fn in_order(story: &[Value]) -> Model {
    let mut model = Model::default();
    story.iter().flat_map(updates).for_each(|update| model.apply(&update));
    model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ten_thousand_histories_end_alike_in_the_model(
        (story, history) in (0..stories().len()).prop_flat_map(|index| (Just(index), history(stories().swap_remove(index))))
    ) {
        let wanted = in_order(&stories()[story]);
        let mut model = Model::default();
        history.iter().flat_map(updates).for_each(|update| model.apply(&update));
        prop_assert_eq!(model.seen(), wanted.seen());
    }
}

#[test]
fn the_stories_end_as_their_players_should_see_them() {
    use Status::{Cancelled, RequiresAcceptance, Succeeded, TimedOut};
    let ends: Vec<Status> = stories().iter().map(|story| in_order(story).seen().0).collect();
    // Of two ends in one second the later id counts: any would do, but always the same.
    assert_eq!(ends[..3], [Succeeded, Succeeded, Cancelled]);
    assert!(matches!(ends[3], TimedOut | Status::Failed));
    assert_eq!(ends[4..], [Succeeded, RequiresAcceptance]);
}

/// Shuffles of each story on the table.
const SHUFFLES: usize = 20;

#[tokio::test]
async fn a_hundred_and_twenty_histories_end_alike_on_the_table() {
    let bench = Bench::new().await;
    let mut random = fastrand::Rng::with_seed(6);
    let run = async {
        for (index, story) in stories().into_iter().enumerate() {
            let wanted = in_order(&story).seen();
            for shuffle in 0..SHUFFLES {
                // A player each, so that the histories do not meet.
                let player = format!("ada-{index}-{shuffle}");
                bench.store.create(&new(&player, "t-1", "one-key"), NOW).await.unwrap();
                let mut history = story.clone();
                let again = random.usize(..=history.len());
                history.extend_from_within(..again);
                random.shuffle(&mut history);
                for mut update in history.iter().flat_map(updates) {
                    update.player = PlayerId::new(&player);
                    bench.store.apply(&update, NOW, NOW + HOUR).await.unwrap();
                }
                let row =
                    bench.store.ticket(&PlayerId::new(&player), Read::Strong, NOW).await.unwrap().unwrap();
                assert_eq!(seen(&row), wanted, "story {index}: {history:#?}");
            }
        }
    };
    tokio::time::timeout(PATIENCE, run).await.unwrap();
}

#[tokio::test]
async fn events_that_come_all_at_once_end_as_one_by_one() {
    let bench = Bench::new().await;
    let run = async {
        for (index, story) in stories().into_iter().enumerate() {
            let wanted = in_order(&story).seen();
            for round in 0..10 {
                let player = format!("ada-{index}-{round}");
                bench.store.create(&new(&player, "t-1", "one-key"), NOW).await.unwrap();
                let all = story.iter().chain(&story).flat_map(updates).map(|mut update| {
                    update.player = PlayerId::new(&player);
                    let store = bench.store.clone();
                    async move { store.apply(&update, NOW, NOW + HOUR).await.unwrap() }
                });
                futures_util::future::join_all(all).await;
                let row =
                    bench.store.ticket(&PlayerId::new(&player), Read::Strong, NOW).await.unwrap().unwrap();
                assert_eq!(seen(&row), wanted, "story {index}");
            }
        }
    };
    tokio::time::timeout(PATIENCE, run).await.unwrap();
}
