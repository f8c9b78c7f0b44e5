//! What becomes of the tickets of a match that gets no game session (FlexMatch guide, "Matchmaking events"; AWS forum):
//! a placement that times out sends them back to the pool without an event, everything else fails them.

use gamelift_local::{engine::ConnectionId, model::MatchmakingTicketStatus::*, model::*};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, input},
    matchmaking::duel,
};

struct Case {
    what: &'static str,
    happens: fn(&mut Bench, ConnectionId, &str),
    statuses: [MatchmakingTicketStatus; 2],
    matchmaking_events: &'static [&'static str],
    process_hears: &'static [&'static str],
}

fn update_queue(bench: &mut Bench, seconds: u64) {
    let body = json!({ "Name": "q", "TimeoutInSeconds": seconds });
    bench.engine.update_game_session_queue(bench.now, input(body)).unwrap();
}

fn delete_queue(bench: &mut Bench) {
    bench.engine.delete_game_session_queue(bench.now, input(json!({ "Name": "q" }))).unwrap();
}

fn matchmaking_events(bench: &mut Bench) -> Vec<String> {
    bench.event_types().into_iter().filter(|name| !name.starts_with("Placement")).collect()
}

/// The reasons of all pushes about the game session since the last look.
fn reasons(bench: &mut Bench) -> Vec<String> {
    let pushes = bench.pushes();
    let reasons = pushes.iter().filter_map(|(_, push)| push["UpdateReason"].as_str().map(str::to_owned));
    reasons.collect()
}

#[test]
fn a_match_for_a_new_game_session() {
    const FAILED: [MatchmakingTicketStatus; 2] = [Failed, Failed];
    for case in [
        Case {
            what: "its placement times out",
            happens: |bench, _, _| bench.wait_s(10),
            // Found again at once, which is what back in the pool means for two who fit.
            statuses: [Placing, Placing],
            matchmaking_events: &["PotentialMatchCreated"],
            process_hears: &[],
        },
        Case {
            what: "the game session ends before it is ACTIVE",
            happens: |bench, process, _| {
                bench.ok(process, "TerminateServerProcess", json!({}));
            },
            statuses: FAILED,
            matchmaking_events: &["MatchmakingFailed"],
            process_hears: &[],
        },
        Case {
            what: "its queue is deleted",
            happens: |bench, _, _| delete_queue(bench),
            statuses: FAILED,
            matchmaking_events: &["MatchmakingFailed"],
            process_hears: &[],
        },
        Case {
            what: "the connection of its process breaks, which is no end",
            happens: |bench, process, _| bench.disconnect(process),
            statuses: [Placing, Placing],
            matchmaking_events: &[],
            process_hears: &[],
        },
    ] {
        let mut bench = Bench::new();
        bench.matchmaker(&duel(1), json!({}));
        update_queue(&mut bench, 10);
        let process = bench.ready("p");
        bench.wants_match("ada");
        bench.wants_match("bob");
        bench.wait_s(1);
        assert_eq!(bench.statuses(&["ada", "bob"]), [Placing, Placing]);
        bench.events();
        (case.happens)(&mut bench, process, "");
        assert_eq!(bench.statuses(&["ada", "bob"]), case.statuses, "{}", case.what);
        assert_eq!(matchmaking_events(&mut bench), case.matchmaking_events, "{}", case.what);
        if case.statuses == FAILED {
            let ticket = bench.ticket("ada");
            assert_eq!(ticket.status_reason.as_deref(), Some("UNEXPECTED_ERROR"));
            assert_eq!(
                ticket.status_message.as_deref(),
                Some("An unexpected error was encountered during match placing.")
            );
        }
    }
}

#[test]
fn a_match_that_goes_back_to_the_pool_again_and_again_times_out_with_its_requests() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({ "RequestTimeoutSeconds": 25 }));
    update_queue(&mut bench, 10);
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(24);
    assert_eq!(bench.statuses(&["ada", "bob"]), [Placing, Placing]);
    bench.events();
    bench.wait_s(1);
    assert_eq!(bench.statuses(&["ada", "bob"]), [TimedOut, TimedOut]);
    assert_eq!(matchmaking_events(&mut bench), ["MatchmakingTimedOut", "MatchmakingTimedOut"]);
    assert_eq!(bench.engine.snapshot(bench.now).pending_placement_count, 0);
}

/// A game session of ada and bob with room for two, and a backfill ticket `fill` for it.
fn filling(more: Value) -> (Bench, ConnectionId, String) {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(2), json!({}));
    let process = bench.ready("p");
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    let arn = bench.host_match(process)["GameSessionId"].as_str().unwrap().to_owned();
    let mut update = json!({ "Name": "m" });
    update.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bench.engine.update_matchmaking_configuration(bench.now, input(update)).unwrap();
    let body = json!({
        "TicketId": "fill", "ConfigurationName": "m", "GameSessionArn": arn,
        "Players": [{ "PlayerId": "ada", "Team": "red" }, { "PlayerId": "bob", "Team": "blue" }],
    });
    bench.engine.start_match_backfill(bench.now, input(body)).unwrap();
    bench.wait_s(1);
    bench.pushes();
    bench.events();
    (bench, process, arn)
}

#[test]
fn a_match_that_fills_a_game_session() {
    let deny = |bench: &mut Bench, process: ConnectionId, arn: &str| {
        let policy = json!({ "GameSessionId": arn, "PlayerSessionPolicy": "DENY_ALL" });
        bench.ok(process, "UpdatePlayerSessionCreationPolicy", policy);
    };
    for case in [
        Case {
            what: "the game session takes nobody",
            happens: deny,
            statuses: [Failed, Failed],
            matchmaking_events: &["MatchmakingSearching", "PotentialMatchCreated", "MatchmakingFailed"],
            process_hears: &["BACKFILL_FAILED"],
        },
        Case {
            what: "others have taken the open slots",
            happens: |bench, _, arn| {
                bench.join(arn, "walk-in-1");
                bench.join(arn, "walk-in-2");
            },
            statuses: [Failed, Failed],
            matchmaking_events: &["MatchmakingSearching", "PotentialMatchCreated", "MatchmakingFailed"],
            process_hears: &["BACKFILL_FAILED"],
        },
        Case {
            what: "the game session has been asked to end",
            happens: |bench, _, arn| {
                bench.terminate(arn).unwrap();
            },
            statuses: [Failed, Failed],
            matchmaking_events: &["MatchmakingSearching", "PotentialMatchCreated", "MatchmakingFailed"],
            process_hears: &["BACKFILL_FAILED"],
        },
        Case {
            what: "the game session is over",
            happens: |bench, process, _| {
                bench.ok(process, "TerminateServerProcess", json!({}));
            },
            // Nobody has matched them yet: the newcomer waits for somebody else.
            statuses: [Cancelled, Searching],
            matchmaking_events: &["MatchmakingCancelled", "MatchmakingSearching"],
            process_hears: &[],
        },
    ] {
        let (mut bench, process, arn) = filling(json!({}));
        (case.happens)(&mut bench, process, &arn);
        bench.wants_match("cleo");
        bench.wait_s(2);
        assert_eq!(bench.statuses(&["fill", "cleo"]), case.statuses, "{}", case.what);
        assert_eq!(matchmaking_events(&mut bench), case.matchmaking_events, "{}", case.what);
        assert_eq!(reasons(&mut bench), case.process_hears, "{}", case.what);
        if case.statuses[1] == Failed {
            bench.try_match("again", json!({ "Players": [{ "PlayerId": "cleo" }] })).expect("she is free");
        }
    }
}

#[test]
fn when_the_game_session_ends_while_its_newcomers_accept_they_search_on_and_keep_their_time() {
    let (mut bench, process, _) = filling(json!({ "AcceptanceRequired": true }));
    let asked = bench.now;
    bench.wants_match("cleo");
    bench.wait_s(2);
    assert_eq!(bench.statuses(&["fill", "cleo"]), [RequiresAcceptance, RequiresAcceptance]);
    bench.ok(process, "TerminateServerProcess", json!({}));
    assert_eq!(bench.statuses(&["fill", "cleo"]), [Cancelled, Searching]);
    assert_eq!(bench.ticket("cleo").start_time, asked);
    bench.wait_s(58);
    assert_eq!(bench.ticket("cleo").status, TimedOut);
}

#[test]
fn any_number_of_matches_may_fail_at_once() {
    const TICKETS: usize = 20_000;
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({}));
    for number in 0..TICKETS {
        bench.wants_match(&format!("player-{number}"));
    }
    delete_queue(&mut bench);
    bench.wait_s(1);
    assert_eq!(bench.engine.snapshot(bench.now).tickets, [("FAILED", TICKETS)].into());
}

#[test]
fn who_times_out_while_the_match_is_placed_gets_no_slot() {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(1), json!({ "RequestTimeoutSeconds": 25 }));
    bench.wants_match("ada");
    bench.wait_s(10);
    bench.wants_match("bob");
    bench.wait_s(20);
    assert_eq!(bench.statuses(&["ada", "bob"]), [TimedOut, Placing]);
    let process = bench.ready("p");
    let arn = bench.host_match(process)["GameSessionId"].as_str().unwrap().to_owned();
    assert_eq!(bench.statuses(&["ada", "bob"]), [TimedOut, Completed]);
    let body = json!({ "GameSessionId": arn });
    let slots = bench.engine.describe_player_sessions(bench.now, input(body)).unwrap().player_sessions;
    assert_eq!(slots.iter().map(|slot| slot.player_id.as_str()).collect::<Vec<_>>(), ["bob"]);
}

#[test]
fn an_update_to_standalone_leaves_the_queue_to_tickets_from_before() {
    let mut bench = Bench::new();
    let map = json!([{ "Key": "map", "Value": "desert" }]);
    bench.matchmaker(&duel(1), json!({ "AcceptanceRequired": true, "GameProperties": map }));
    let process = bench.ready("p");
    bench.wants_match("ada");
    bench.wants_match("bob");
    bench.wait_s(1);
    for update in [
        json!({
            "FlexMatchMode": "STANDALONE", "GameSessionQueueArns": [], "GameProperties": [],
            "AcceptanceRequired": false,
        }),
        json!({ "Description": "changes nothing" }),
    ] {
        let mut body = json!({ "Name": "m" });
        body.as_object_mut().unwrap().extend(update.as_object().unwrap().clone());
        bench.engine.update_matchmaking_configuration(bench.now, input(body)).unwrap();
    }
    bench.wants_match("cleo");
    bench.wants_match("dan");
    bench.answer("ada", "ada", "ACCEPT").unwrap();
    bench.answer("bob", "bob", "ACCEPT").unwrap();
    assert_eq!(bench.host_match(process)["GameProperties"], json!({ "map": "desert" }));
    bench.wait_s(1);
    assert_eq!(bench.statuses(&["ada", "bob", "cleo", "dan"]), [Completed; 4]);
    assert!(bench.ticket("ada").game_session_connection_info.is_some());
    assert!(bench.ticket("cleo").game_session_connection_info.is_none());
}
