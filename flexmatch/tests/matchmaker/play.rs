//! A matchmaker with a clock that the test moves.

use std::{collections::BTreeMap, sync::Arc};

use flexmatch::{
    AttributeValue, Matchmaker, MatchmakingEvent, Output, PlayerRequest, RuleSet, Settings, TicketRequest,
    TicketStatus, Timestamp,
    event::EventType,
    matchmaker::{AcceptanceType, Match},
    ticket::{GameSession, PlayerId},
};

/// Most calls of `tick` that one step of virtual time may need; a matchmaker that asks for more spins.
const TICKS_MAX: usize = 10_000;

pub(crate) struct Play {
    pub(crate) matchmaker: Matchmaker,
    now: u64,
    pub(crate) events: Vec<MatchmakingEvent>,
    pub(crate) matches: Vec<Match>,
}

pub(crate) fn rules(text: &str) -> Arc<RuleSet> {
    match RuleSet::parse(text) {
        Ok(parsed) => Arc::new(parsed.rule_set),
        Err(findings) => panic!("{findings:?}"),
    }
}

impl Play {
    pub(crate) fn new(text: &str) -> Self {
        Self::with(text, Settings::default())
    }

    pub(crate) fn with(text: &str, settings: Settings) -> Self {
        let matchmaker = Matchmaker::new(rules(text), settings).unwrap();
        Self { matchmaker, now: 0, events: Vec::new(), matches: Vec::new() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// Moves the clock, waking the matchmaker whenever it asks.
    pub(crate) fn at(&mut self, seconds: u64) -> &mut Self {
        let end = seconds * 1_000;
        assert!(end >= self.now, "the clock only moves forward");
        for _ in 0..TICKS_MAX {
            let due = self.matchmaker.poll_timeout().map(Timestamp::as_millis);
            let Some(due) = due.filter(|due| *due <= end) else {
                self.now = end;
                return self;
            };
            self.now = self.now.max(due);
            let now = self.now();
            self.matchmaker.tick(now);
            self.drain();
        }
        panic!("the matchmaker asks to be woken again and again at {}", self.now);
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.matchmaker.poll_output() {
            match output {
                Output::Event(event) => self.events.push(event),
                Output::Place(found) => self.matches.push(found),
            }
        }
    }

    pub(crate) fn submit(&mut self, id: &str, players: Vec<PlayerRequest>) -> &mut Self {
        let now = self.now();
        self.matchmaker.submit(now, TicketRequest { ticket_id: Some(id.into()), players }).unwrap();
        self.drain();
        self.at(self.now / 1_000)
    }

    pub(crate) fn solo(&mut self, id: &str, attributes: &[(&str, AttributeValue)]) -> &mut Self {
        self.submit(id, vec![player(&format!("player-{id}"), attributes)])
    }

    pub(crate) fn accept(&mut self, ticket: &str, answer: AcceptanceType) -> &mut Self {
        let players: Vec<PlayerId> = self
            .matchmaker
            .ticket(ticket)
            .unwrap()
            .players()
            .iter()
            .map(|player| player.id().clone())
            .collect();
        let now = self.now();
        self.matchmaker.accept(now, ticket, &players, answer).unwrap();
        self.drain();
        self.at(self.now / 1_000)
    }

    /// Places the oldest match that waits for it.
    pub(crate) fn placed(&mut self) -> &mut Self {
        let found = self.matches.remove(0);
        let now = self.now();
        let arn = found.backfill.as_ref().map_or_else(|| format!("arn:{}", found.id), |arn| arn.to_string());
        let session = GameSession {
            game_session_arn: arn,
            ip_address: "192.0.2.1".into(),
            port: 7_777,
            player_sessions: found
                .players
                .iter()
                .map(|player| (player.player_id.to_string(), format!("psess-{}", player.player_id)))
                .collect(),
            ..GameSession::default()
        };
        self.matchmaker.placement_succeeded(now, found.id.as_str(), session).unwrap();
        self.drain();
        self
    }

    pub(crate) fn status(&self, id: &str) -> TicketStatus {
        self.matchmaker.ticket(id).unwrap().status()
    }

    /// Tickets of each match so far, sorted.
    pub(crate) fn matched(&self) -> Vec<Vec<String>> {
        let tickets = |found: &Match| {
            let mut ids: Vec<_> = found.players.iter().map(|player| player.ticket_id.to_string()).collect();
            ids.sort();
            ids.dedup();
            ids
        };
        self.matches.iter().map(tickets).collect()
    }

    /// Players per team of each match so far.
    pub(crate) fn sizes(&self) -> Vec<BTreeMap<String, usize>> {
        let count = |found: &Match| {
            let mut sizes = BTreeMap::new();
            for player in &found.players {
                *sizes.entry(player.team.to_string()).or_default() += 1;
            }
            sizes
        };
        self.matches.iter().map(count).collect()
    }

    /// The types of the events that name a ticket.
    pub(crate) fn story(&self, id: &str) -> Vec<EventType> {
        self.events
            .iter()
            .filter(|event| event.tickets().iter().any(|ticket| ticket.ticket_id.as_str() == id))
            .map(MatchmakingEvent::event_type)
            .collect()
    }
}

pub(crate) fn player(id: &str, attributes: &[(&str, AttributeValue)]) -> PlayerRequest {
    PlayerRequest {
        player_id: id.into(),
        player_attributes: attributes.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
        ..PlayerRequest::default()
    }
}

pub(crate) fn number(value: f64) -> AttributeValue {
    AttributeValue::Number(value)
}

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::String(value.into())
}

pub(crate) fn list(values: &[&str]) -> AttributeValue {
    AttributeValue::StringList(values.iter().map(|value| (*value).to_owned()).collect())
}

/// Two teams of one, no rules.
pub(crate) const DUEL: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 1}, {"name": "blue", "minPlayers": 1, "maxPlayers": 1}]
}"#;
