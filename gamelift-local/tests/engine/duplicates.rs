//! A player in two tickets of different matchmakers: the newer one wins, and nobody is told (AWS forum, FlexMatch).

use gamelift_local::{
    ErrorKind::InvalidRequest,
    engine::ConnectionId,
    model::MatchmakingTicketStatus::{self, *},
};
use serde_json::{Value, json};

use crate::{
    bench::{Bench, input, kind},
    matchmaking::duel,
};

const DUPLICATE: &str = "Cancelled due to duplicate player";

/// Two matchmakers, `m` and `n`; `more` is for `m`.
fn two_matchmakers(more: Value) -> Bench {
    let mut bench = Bench::new();
    bench.matchmaker(&duel(2), more);
    bench.try_configure("n", json!({})).unwrap();
    bench
}

fn wants(bench: &mut Bench, ticket: &str, configuration: &str, players: &[&str]) {
    let players: Vec<_> = players.iter().map(|player| json!({ "PlayerId": player })).collect();
    bench.try_match(ticket, json!({ "ConfigurationName": configuration, "Players": players })).unwrap();
}

fn cancelled_as_duplicate(bench: &mut Bench, ticket: &str) {
    let ticket = bench.ticket(ticket);
    assert_eq!((ticket.status, ticket.status_reason.as_deref()), (Cancelled, Some(DUPLICATE)));
    assert_eq!(ticket.end_time, Some(bench.now));
}

#[test]
fn a_newer_ticket_with_another_configuration_cancels_the_older_one_in_silence() {
    let mut bench = two_matchmakers(json!({}));
    wants(&mut bench, "old", "m", &["ada", "bob"]);
    bench.wait_s(1);
    wants(&mut bench, "new", "n", &["bob", "ada"]);
    cancelled_as_duplicate(&mut bench, "old");
    bench.wait_s(1);
    assert_eq!(bench.ticket("new").status, Searching);
    assert_eq!(bench.event_types(), ["MatchmakingSearching", "MatchmakingSearching"]);
    wants(&mut bench, "back", "m", &["ada"]);
    cancelled_as_duplicate(&mut bench, "new");
}

#[test]
fn a_ticket_from_before_an_update_is_cancelled_too() {
    let mut bench = two_matchmakers(json!({}));
    wants(&mut bench, "old", "m", &["ada"]);
    let update = json!({ "Name": "m", "RequestTimeoutSeconds": 30 });
    bench.engine.update_matchmaking_configuration(bench.now, input(update)).unwrap();
    wants(&mut bench, "new", "m", &["ada"]);
    cancelled_as_duplicate(&mut bench, "old");
}

#[test]
fn a_match_under_acceptance_falls_through_and_the_others_search_on() {
    let mut bench = two_matchmakers(json!({ "AcceptanceRequired": true }));
    wants(&mut bench, "old", "m", &["ada"]);
    wants(&mut bench, "other", "m", &["bob"]);
    bench.wait_s(1);
    assert_eq!(bench.statuses(&["old", "other"]), [RequiresAcceptance, RequiresAcceptance]);
    wants(&mut bench, "new", "n", &["ada"]);
    cancelled_as_duplicate(&mut bench, "old");
    assert_eq!(bench.ticket("other").status, Searching);
}

#[test]
fn a_ticket_that_is_being_placed_stays_and_the_newer_one_is_refused() {
    let mut bench = two_matchmakers(json!({}));
    wants(&mut bench, "old", "m", &["ada"]);
    wants(&mut bench, "other", "m", &["bob"]);
    wants(&mut bench, "elsewhere", "n", &["cleo"]);
    bench.wait_s(1);
    let both = json!([{ "PlayerId": "cleo" }, { "PlayerId": "ada" }]);
    let error = bench.try_match("new", json!({ "ConfigurationName": "n", "Players": both })).unwrap_err();
    assert_eq!(error.kind, InvalidRequest);
    assert_eq!(error.message, "Matchmaking ticket is in PLACING status and cannot be canceled.");
    assert_eq!(bench.statuses(&["old", "elsewhere"]), [Placing, Searching], "nothing has changed");
}

#[test]
fn a_refused_ticket_cancels_nothing() {
    let mut bench = two_matchmakers(json!({}));
    wants(&mut bench, "old", "m", &["ada"]);
    let text = json!([{ "PlayerId": "ada", "PlayerAttributes": { "skill": { "S": "high" } } }]);
    let refused = bench.try_match("new", json!({ "ConfigurationName": "n", "Players": text }));
    assert_eq!(kind(refused), Some(InvalidRequest));
    assert_eq!(bench.ticket("old").status, Queued);
}

/// A game session of ada and bob, made by `m`, and a backfill ticket `fill` for it.
fn filling() -> (Bench, ConnectionId, String) {
    let mut bench = two_matchmakers(json!({}));
    let connection = bench.ready("p");
    wants(&mut bench, "a", "m", &["ada"]);
    wants(&mut bench, "b", "m", &["bob"]);
    bench.wait_s(1);
    let arn = bench.host_match(connection)["GameSessionId"].as_str().unwrap().to_owned();
    fill(&mut bench, "fill", "m", &arn, &["ada", "bob"]);
    bench.wait_s(1);
    bench.pushes();
    bench.events();
    (bench, connection, arn)
}

fn fill(bench: &mut Bench, ticket: &str, configuration: &str, arn: &str, players: &[&str]) {
    let players: Vec<_> = players.iter().map(|player| json!({ "PlayerId": player, "Team": "red" })).collect();
    let body = json!({
        "TicketId": ticket, "ConfigurationName": configuration, "GameSessionArn": arn, "Players": players,
    });
    bench.engine.start_match_backfill(bench.now, input(body)).unwrap();
}

fn told(bench: &mut Bench) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pushes = bench.pushes();
    pushes.iter().map(|(_, push)| (text(&push["UpdateReason"]), text(&push["BackfillTicketId"]))).collect()
}

#[test]
fn a_player_of_a_game_session_who_goes_elsewhere_ends_its_backfill_and_the_process_hears_it() {
    let (mut bench, ..) = filling();
    wants(&mut bench, "new", "n", &["bob"]);
    cancelled_as_duplicate(&mut bench, "fill");
    assert_eq!(told(&mut bench), [("BACKFILL_CANCELLED".to_owned(), "fill".to_owned())]);
    assert_eq!(bench.event_types(), [""; 0]);
}

#[test]
fn a_backfill_that_names_a_player_who_waits_elsewhere_cancels_that_ticket() {
    let (mut bench, _, arn) = filling();
    bench.try_stop_ticket("fill").unwrap();
    wants(&mut bench, "new", "n", &["ada"]);
    fill(&mut bench, "again", "m", &arn, &["ada", "bob"]);
    cancelled_as_duplicate(&mut bench, "new");
}

#[test]
fn one_backfill_replaces_the_other_whatever_their_configurations() {
    let (mut bench, _, arn) = filling();
    // Nobody is on both rosters.
    fill(&mut bench, "again", "n", &arn, &["dora"]);
    let statuses: [MatchmakingTicketStatus; 2] = [Cancelled, Queued];
    assert_eq!(bench.statuses(&["fill", "again"]), statuses);
    assert_eq!(told(&mut bench), [("BACKFILL_CANCELLED".to_owned(), "fill".to_owned())]);
}
