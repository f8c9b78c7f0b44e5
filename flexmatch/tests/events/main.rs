//! Events and MatchmakerData, byte for byte.
//!
//! The files beside this one have the members, order and number formats of the samples in the FlexMatch guide ("FlexMatch
//! matchmaking events") and of MatchmakerData captured from game sessions, with names of our own.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{collections::BTreeMap, sync::Arc};

use flexmatch::{
    AttributeValue, Matchmaker, MatchmakingEvent, Output, PlayerRequest, RuleSet, Settings, TicketRequest,
    Timestamp,
    event::EventType,
    matchmaker::{AcceptanceType, Match},
    ticket::{GameSession, PlayerId},
};

/// 2026-11-22T17:00:00.421Z
const START: u64 = 1_795_366_800_421;

const RULES: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [
        {"name": "userName", "type": "string", "default": "nobody"},
        {"name": "score", "type": "number", "default": 5},
        {"name": "gameMode", "type": "string_list", "default": []},
        {"name": "skills", "type": "string_number_map", "default": {"Body": 10}}],
    "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 1}, {"name": "blue", "minPlayers": 1, "maxPlayers": 1}],
    "rules": [
        {"name": "EvenSkill", "type": "distance", "maxDistance": 10, "measurements": ["avg(teams[*].players.attributes[score])"],
         "referenceValue": "avg(flatten(teams[*].players.attributes[score]))"},
        {"name": "ShortWire", "type": "latency", "maxLatency": 150}]
}"#;

struct Scene {
    matchmaker: Matchmaker,
    events: Vec<(Timestamp, MatchmakingEvent)>,
    matches: Vec<Match>,
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

impl Scene {
    fn new(settings: Settings) -> Self {
        let settings = Settings {
            configuration_arn: "arn:aws:gamelift:us-west-2:123456789012:matchmakingconfiguration/duels"
                .into(),
            seed: 1,
            pass_interval_ms: 0,
            acceptance_timeout_seconds: 600,
            request_timeout_seconds: 60,
            ..settings
        };
        let rules = Arc::new(RuleSet::parse(RULES).unwrap().rule_set);
        Self {
            matchmaker: Matchmaker::new(rules, settings).unwrap(),
            events: Vec::new(),
            matches: Vec::new(),
        }
    }

    fn submit(&mut self, millis: u64, ticket: &str, player: &str) {
        let mode = AttributeValue::StringList(vec!["coop".into()]);
        let player = PlayerRequest {
            player_id: player.into(),
            player_attributes: BTreeMap::from([("gameMode".into(), mode)]),
            latency_in_ms: BTreeMap::from([("us-west-2".into(), 20)]),
            team: None,
        };
        let request = TicketRequest { ticket_id: Some(ticket.into()), players: vec![player] };
        self.matchmaker.submit(at(millis), request).unwrap();
        self.tick(millis);
    }

    fn tick(&mut self, millis: u64) {
        self.matchmaker.tick(at(millis));
        self.listen(millis);
    }

    fn listen(&mut self, millis: u64) {
        while let Some(output) = self.matchmaker.poll_output() {
            match output {
                Output::Event(event) => self.events.push((at(millis), event)),
                Output::Place(found) => self.matches.push(found),
            }
        }
    }

    fn answer(&mut self, millis: u64, ticket: &str, player: &str, answer: AcceptanceType) {
        let player = PlayerId::new(player).unwrap();
        self.matchmaker.accept(at(millis), ticket, &[player], answer).unwrap();
        self.listen(millis);
    }

    /// The last event of a type, in its envelope.
    fn last(&mut self, wanted: EventType) -> String {
        let (time, event) =
            self.events.iter().rev().find(|(_, event)| event.event_type() == wanted).unwrap().clone();
        serde_json::to_string_pretty(&self.matchmaker.envelope(time, event)).unwrap()
    }
}

/// Ids are seeded, but fixtures should not change with the seed: they are numbered in the order of their appearance.
fn numbered(text: &str) -> String {
    let is_uuid = |part: &str| {
        part.len() == 36
            && part
                .char_indices()
                .all(|(at, c)| if [8, 13, 18, 23].contains(&at) { c == '-' } else { c.is_ascii_hexdigit() })
    };
    let mut known: Vec<String> = Vec::new();
    let mut number = |part: &str| {
        let index = known.iter().position(|other| other == part).unwrap_or_else(|| {
            known.push(part.to_owned());
            known.len() - 1
        });
        format!("uuid-{}", index + 1)
    };
    let parts = text.split('"').map(|part| if is_uuid(part) { number(part) } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("\"")
}

#[track_caller]
fn assert_is(found: &str, expected: &str) {
    assert_eq!(numbered(found), expected.trim_end());
}

fn asked() -> Scene {
    let mut scene = Scene::new(Settings { acceptance_required: true, ..Settings::default() });
    scene.submit(0, "ticket-1", "player-1");
    scene.submit(1_332, "ticket-2", "player-2");
    scene
}

#[test]
fn searching() {
    let mut scene = Scene::new(Settings::default());
    scene.submit(0, "ticket-1", "player-1");
    assert_is(&scene.last(EventType::MatchmakingSearching), include_str!("searching.json"));
}

#[test]
fn a_later_ticket_is_told_the_average_wait() {
    let mut scene = Scene::new(Settings::default());
    scene.submit(0, "ticket-1", "player-1");
    scene.submit(2_000, "ticket-2", "player-2");
    assert!(scene.last(EventType::MatchmakingSearching).contains(r#""estimatedWaitMillis": "1000""#));
}

#[test]
fn potential_match_created() {
    assert_is(&asked().last(EventType::PotentialMatchCreated), include_str!("potential_match_created.json"));
}

#[test]
fn accept_match() {
    let mut scene = asked();
    scene.answer(2_000, "ticket-2", "player-2", AcceptanceType::Reject);
    assert_is(&scene.last(EventType::AcceptMatch), include_str!("accept_match.json"));
}

#[test]
fn accept_match_completed() {
    let mut scene = asked();
    scene.tick(601_332);
    assert_is(&scene.last(EventType::AcceptMatchCompleted), include_str!("accept_match_completed.json"));
}

#[test]
fn succeeded_and_matchmaker_data() {
    let mut scene = Scene::new(Settings { custom_event_data: Some("foo".into()), ..Settings::default() });
    scene.submit(0, "ticket-1", "player-1");
    scene.submit(1_332, "ticket-2", "player-2");
    let found = scene.matches.remove(0);
    assert_is(&found.matchmaker_data, include_str!("matchmaker_data.json"));
    let session = GameSession {
        game_session_arn: "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gsess-1".into(),
        ip_address: "192.0.2.1".into(),
        dns_name: Some("one.example".into()),
        port: 10_777,
        player_gateway_status: Some("DISABLED".into()),
        player_sessions: BTreeMap::from([
            ("player-1".into(), "psess-1".into()),
            ("player-2".into(), "psess-2".into()),
        ]),
    };
    scene.matchmaker.placement_succeeded(at(2_000), found.id.as_str(), session).unwrap();
    scene.listen(2_000);
    assert_is(&scene.last(EventType::MatchmakingSucceeded), include_str!("succeeded.json"));
}

#[test]
fn timed_out() {
    let mut scene = Scene::new(Settings::default());
    scene.submit(0, "ticket-1", "player-1");
    scene.tick(60_000);
    assert_is(&scene.last(EventType::MatchmakingTimedOut), include_str!("timed_out.json"));
}

#[test]
fn cancelled() {
    let mut scene = Scene::new(Settings::default());
    scene.submit(0, "ticket-1", "player-1");
    scene.matchmaker.cancel(at(500), "ticket-1").unwrap();
    scene.listen(500);
    assert_is(&scene.last(EventType::MatchmakingCancelled), include_str!("cancelled.json"));
}

#[test]
fn failed() {
    let mut scene = Scene::new(Settings { custom_event_data: Some("foo".into()), ..Settings::default() });
    scene.submit(0, "ticket-1", "player-1");
    scene.submit(1_332, "ticket-2", "player-2");
    let id = scene.matches.remove(0).id;
    scene.matchmaker.placement_failed(at(2_000), id.as_str()).unwrap();
    scene.listen(2_000);
    assert_is(&scene.last(EventType::MatchmakingFailed), include_str!("failed.json"));
}
