//! Backfill, on request and automatic.

use flexmatch::{
    BackfillRequest, PlayerRequest, Settings, TicketStatus,
    event::EventType,
    matchmaker::{AcceptError, AcceptanceType, BackfillMode, FlexMatchMode, SubmitError},
    ticket::PlayerId,
};

use crate::play::{Play, player};

/// Two teams of one to two players.
const PAIRS: &str = r#"{"ruleLanguageVersion": "1.0",
    "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 2}, {"name": "blue", "minPlayers": 1, "maxPlayers": 2}]}"#;

fn on(id: &str, team: &str) -> PlayerRequest {
    PlayerRequest { team: Some(team.into()), ..player(id, &[]) }
}

fn request(id: &str, session: &str, players: Vec<PlayerRequest>) -> BackfillRequest {
    BackfillRequest { ticket_id: Some(id.into()), game_session_arn: Some(session.into()), players }
}

fn backfill(play: &mut Play, id: &str, session: &str, players: Vec<PlayerRequest>) {
    let now = play.now();
    play.matchmaker.backfill(now, request(id, session, players)).unwrap();
    play.at(now.as_millis() / 1_000);
}

#[test]
fn new_players_take_the_open_seats_of_a_game_session() {
    let mut play = Play::new(PAIRS);
    backfill(&mut play, "fill", "arn:session", vec![on("x", "red"), on("y", "red"), on("z", "blue")]);
    assert!(play.at(3).matches.is_empty(), "a backfill ticket makes no match of itself");
    play.solo("new", &[]).at(5);
    let found = &play.matches[0];
    assert_eq!(found.backfill.as_deref(), Some("arn:session"));
    let new: Vec<_> = found.players.iter().filter(|player| !player.is_backfilled).collect();
    assert_eq!((new.len(), new[0].team.as_str()), (1, "blue"));
    assert!(found.matchmaker_data.contains(r#""playerId":"x""#));
    play.placed();
    assert_eq!(play.status("fill"), TicketStatus::Completed);
}

#[test]
fn a_match_has_at_most_one_backfill_ticket() {
    let mut play = Play::new(PAIRS);
    backfill(&mut play, "f1", "arn:1", vec![on("x", "red")]);
    backfill(&mut play, "f2", "arn:2", vec![on("y", "blue")]);
    assert!(play.at(3).matches.is_empty());
    play.solo("a", &[]).solo("b", &[]).at(6);
    for found in &play.matches {
        let fills = found.players.iter().filter(|player| player.is_backfilled).count();
        assert!(fills <= 1);
    }
}

#[test]
fn a_later_request_for_the_same_session_replaces_the_earlier_one() {
    let mut play = Play::new(PAIRS);
    backfill(&mut play, "f1", "arn:1", vec![on("x", "red")]);
    let refused = play.matchmaker.backfill(play.now(), request("f2", "arn:1", vec![on("x", "green")]));
    assert!(matches!(refused, Err(SubmitError::Player(_))), "{refused:?}");
    assert_eq!(play.status("f1"), TicketStatus::Searching, "a refused request replaces nothing");
    backfill(&mut play, "f2", "arn:1", vec![on("y", "red")]);
    assert_eq!((play.status("f1"), play.status("f2")), (TicketStatus::Cancelled, TicketStatus::Searching));
    assert_eq!(play.story("f1").last(), Some(&EventType::MatchmakingCancelled));
}

#[test]
fn a_rostered_player_who_queues_again_ends_the_backfill() {
    let mut play = Play::new(PAIRS);
    backfill(&mut play, "fill", "arn:1", vec![on("x", "red"), on("y", "blue")]);
    play.submit("again", vec![player("x", &[])]);
    assert_eq!(play.status("fill"), TicketStatus::Cancelled);
}

#[test]
fn only_new_players_are_asked_to_accept() {
    let mut play = Play::with(PAIRS, Settings { acceptance_required: true, ..Settings::default() });
    backfill(&mut play, "fill", "arn:1", vec![on("x", "red"), on("y", "red"), on("z", "blue")]);
    play.solo("new", &[]).at(1);
    assert_eq!(play.status("fill"), TicketStatus::RequiresAcceptance);
    let x = PlayerId::new("x").unwrap();
    let answer = play.matchmaker.accept(play.now(), "fill", &[x], AcceptanceType::Accept);
    assert_eq!(answer, Err(AcceptError::Backfill));
    play.accept("new", AcceptanceType::Reject);
    assert_eq!(play.status("fill"), TicketStatus::Searching, "it goes back to the pool");
}

#[test]
fn automatic_backfill_asks_under_the_announced_id_until_the_session_is_full() {
    let mut play =
        Play::with(PAIRS, Settings { backfill_mode: BackfillMode::Automatic, ..Settings::default() });
    play.solo("a", &[]).solo("b", &[]).at(1);
    let data = play.matches[0].matchmaker_data.clone();
    let announced = data.split(r#""autoBackfillTicketId":""#).nth(1).unwrap()[..36].to_owned();
    assert!(data.contains(r#""autoBackfillMode":"AUTOMATIC""#));
    play.placed().at(1);
    assert_eq!(play.status(&announced), TicketStatus::Searching);
    play.solo("c", &[]).at(2);
    play.placed().at(3);
    play.solo("d", &[]).at(4);
    assert!(
        play.matches[0].matchmaker_data.ends_with(r#""autoBackfillTicketId":null}"#),
        "the session is full"
    );
    play.placed().at(5);
    assert!(play.matchmaker.tickets().all(|ticket| ticket.status().is_final()));
}

#[test]
fn automatic_backfill_ends_with_its_session() {
    let mut play =
        Play::with(PAIRS, Settings { backfill_mode: BackfillMode::Automatic, ..Settings::default() });
    play.solo("a", &[]).solo("b", &[]).at(1);
    let arn = format!("arn:{}", play.matches[0].id);
    play.placed().at(1);
    play.matchmaker.game_session_ended(play.now(), &arn);
    assert!(play.matchmaker.tickets().all(|ticket| ticket.status().is_final()));
}

#[test]
fn high_priority_fills_sessions_before_it_starts_new_ones() {
    for (priority, fills) in [("high", true), ("normal", false), ("low", false)] {
        let rules = PAIRS.replace(
            r#""teams""#,
            &format!(r#""algorithm": {{"strategy": "exhaustiveSearch", "backfillPriority": "{priority}"}}, "teams""#),
        );
        let mut play = Play::new(&rules);
        let now = play.now();
        for id in ["a", "b", "c", "d"] {
            let players = vec![player(&format!("player-{id}"), &[])];
            let request = flexmatch::TicketRequest { ticket_id: Some(id.into()), players };
            play.matchmaker.submit(now, request).unwrap();
        }
        play.matchmaker
            .backfill(now, request("fill", "arn:1", vec![on("x", "red"), on("y", "red"), on("z", "blue")]))
            .unwrap();
        play.at(0);
        assert_eq!(play.matches[0].backfill.is_some(), fills, "{priority}");
    }
}

#[test]
fn whoever_waited_before_the_backfill_takes_the_open_seat_whichever_team_it_is_on() {
    for priority in ["normal", "high", "low"] {
        for seed in 0..20 {
            let rules = format!(
                r#"{{"ruleLanguageVersion": "1.0", "algorithm": {{"backfillPriority": "{priority}"}},
                "teams": [{{"name": "red", "minPlayers": 1, "maxPlayers": 1}}, {{"name": "blue", "minPlayers": 1, "maxPlayers": 1}}]}}"#
            );
            let mut play = Play::with(&rules, Settings { seed, ..Settings::default() });
            play.solo("a", &[]).at(1);
            play.matchmaker.backfill(play.now(), request("f", "arn:1", vec![on("x", "red")])).unwrap();
            assert_eq!(play.at(2).matched(), [["a", "f"]], "{priority}, seed {seed}");
        }
    }
}

#[test]
fn backfill_needs_a_session_and_teams() {
    let mut play = Play::new(PAIRS);
    let without = BackfillRequest { ticket_id: None, game_session_arn: None, players: vec![on("x", "red")] };
    assert_eq!(play.matchmaker.backfill(play.now(), without.clone()), Err(SubmitError::NoGameSession));
    let teamless = request("f", "arn:1", vec![player("x", &[])]);
    assert_eq!(play.matchmaker.backfill(play.now(), teamless), Err(SubmitError::NoTeam("x".into())));
    let mut alone =
        Play::with(PAIRS, Settings { flex_match_mode: FlexMatchMode::Standalone, ..Settings::default() });
    assert!(alone.matchmaker.backfill(alone.now(), without).is_ok());
}

#[test]
fn a_standalone_match_is_complete_at_once() {
    let mut play =
        Play::with(PAIRS, Settings { flex_match_mode: FlexMatchMode::Standalone, ..Settings::default() });
    play.solo("a", &[]).solo("b", &[]).at(1);
    assert_eq!(play.status("a"), TicketStatus::Completed);
    assert!(play.matches.is_empty());
    assert_eq!(play.story("a").last(), Some(&EventType::MatchmakingSucceeded));
}

#[test]
fn additional_player_count_leaves_seats_empty() {
    let rules =
        r#"{"ruleLanguageVersion": "1.0", "teams": [{"name": "all", "minPlayers": 4, "maxPlayers": 12}]}"#;
    let mut play = Play::with(rules, Settings { additional_player_count: 2, ..Settings::default() });
    let now = play.now();
    for index in 0..12 {
        let players = vec![player(&format!("p{index}"), &[])];
        play.matchmaker.submit(now, flexmatch::TicketRequest { ticket_id: None, players }).unwrap();
    }
    play.at(0);
    assert_eq!(play.matches[0].players.len(), 10);
}
