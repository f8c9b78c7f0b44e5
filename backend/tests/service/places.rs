//! Locations and profiles.

use backend::game_lift::GameLiftError;
use backend::problem::Code;
use futures_util::future::join_all;

use crate::bench::{Bench, caller, code};

#[tokio::test]
async fn locations_are_asked_for_once_a_minute_however_many_ask() {
    let bench = Bench::new().await;
    let all = join_all((0..10).map(|_| bench.backend.locations())).await;
    for locations in all {
        let locations = locations.unwrap();
        let names: Vec<&str> = locations.iter().map(|location| location.location.as_str()).collect();
        assert_eq!(names, ["eu-west-1", "custom-home"]);
    }
    assert_eq!(bench.game_lift.calls("locations"), 1);
    bench.advance(60_000);
    bench.backend.locations().await.unwrap();
    assert_eq!(bench.game_lift.calls("locations"), 2);
}

#[tokio::test]
async fn old_locations_are_better_than_none() {
    let bench = Bench::new().await;
    let away = || GameLiftError::Unavailable("no connection".to_owned());
    bench.game_lift.fail("locations", away());
    assert_eq!(code(bench.backend.locations().await), Code::MatchmakerUnavailable);
    bench.advance(1_000);
    bench.backend.locations().await.unwrap();
    bench.advance(60_000);
    bench.game_lift.fail("locations", away());
    assert_eq!(bench.backend.locations().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_gamelift_that_does_not_answer_is_waited_for_once_and_not_by_everybody_in_turn() {
    let bench = Bench::new().await;
    let away = || GameLiftError::Unavailable("no connection".to_owned());
    for known in [false, true] {
        for _ in 0..10 {
            bench.game_lift.fail("locations", away());
        }
        let before = bench.game_lift.calls("locations");
        let all = join_all((0..10).map(|_| bench.backend.locations())).await;
        assert!(all.iter().all(|locations| locations.is_ok() == known), "{all:?}");
        assert_eq!(bench.game_lift.calls("locations"), before + 1);
        bench.game_lift.state().failures.clear();
        bench.advance(1_000);
        assert_eq!(bench.backend.locations().await.unwrap().len(), 2);
        bench.advance(60_000);
    }
}

#[tokio::test]
async fn a_profile_has_a_public_id_that_is_not_the_identity() {
    let bench = Bench::new().await;
    let ada = bench.backend.profile(&caller("us-west-2:ada")).await.unwrap();
    let bob = bench.backend.profile(&caller("us-west-2:bob")).await.unwrap();
    assert_eq!((ada.skill, ada.public_id.len()), (10.0, 32));
    assert!(ada.public_id != bob.public_id && !ada.public_id.contains("ada"));
}
