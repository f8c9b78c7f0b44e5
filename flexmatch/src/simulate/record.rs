//! Recorded events and requests, read back.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::{
    ticket::{PlayerRequest, TicketRequest},
    timestamp::Timestamp,
};

/// What EventBridge calls the events of a matchmaker.
const DETAIL_TYPE: &str = "GameLift Matchmaking Event";

/// Recorded events of one matchmaking configuration.
///
/// Read from JSON values one after the other, one per line or not, or from a list of them: events as EventBridge
/// delivers them, or the SNS notifications around them. Other events are counted and passed over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// By start time.
    pub(super) tickets: Vec<RecordedTicket>,
    pub(super) matches: BTreeMap<String, RecordedMatch>,
    pub(super) timed_out: BTreeSet<String>,
    pub(super) cancelled: BTreeMap<String, Timestamp>,
    /// Searching events of tickets that were in the recording already.
    pub(super) repeated: u64,
    /// Tickets that fill game sessions: the replay has none to fill.
    pub(super) backfills: BTreeSet<String>,
    /// Events of other kinds.
    pub(super) others: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct RecordedTicket {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) players: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct RecordedMatch {
    /// In alphabetical order.
    pub(super) tickets: Vec<String>,
    /// When it was proposed; if the recording does not say, when it had its game session.
    pub(super) at: Timestamp,
}

/// Why a recording cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordingError {
    /// A line is not what it should be.
    #[error("line {line}: {message}")]
    Line {
        /// Counted from 1; of a value over several lines, the first.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Events of several matchmaking configurations are mixed.
    #[error("has events of several matchmaking configurations: {}; choose one", .0.join(", "))]
    Configurations(Vec<String>),
    /// Nothing can be replayed.
    #[error("has no MatchmakingSearching event{} (events of other kinds: {others})",
        .configuration.as_ref().map(|name| format!(" of the configuration {name:?}")).unwrap_or_default())]
    NoTickets {
        /// The configuration asked for.
        configuration: Option<String>,
        /// Events passed over.
        others: u64,
    },
}

#[derive(Deserialize)]
struct Envelope {
    time: String,
    #[serde(default)]
    resources: Vec<String>,
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(rename = "type")]
    kind: String,
    tickets: Vec<EventTicket>,
    match_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventTicket {
    ticket_id: String,
    start_time: String,
    players: Vec<EventPlayer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventPlayer {
    player_id: String,
    team: Option<String>,
}

impl Recording {
    /// Reads events; only those of the matchmaking configuration with this name, if one is given.
    ///
    /// # Errors
    /// On the first line that is no event, if several configurations are mixed, or if no ticket is left.
    pub fn parse(text: &str, configuration: Option<&str>) -> Result<Self, RecordingError> {
        let mut recording = Self::default();
        let mut proposed = BTreeMap::new();
        let mut configurations = BTreeSet::new();
        each(text, |value| {
            let Some(event) = unwrapped(value)? else {
                recording.others += 1;
                return Ok(());
            };
            let event: Envelope = serde_json::from_value(event).map_err(|error| error.to_string())?;
            let name = event.resources.first().map_or("", |arn| arn.rsplit('/').next().unwrap_or(arn));
            if configuration.is_some_and(|wanted| wanted != name) {
                recording.others += 1;
                return Ok(());
            }
            configurations.insert(name.to_owned());
            recording.add(event, &mut proposed)
        })?;
        if configurations.len() > 1 {
            return Err(RecordingError::Configurations(configurations.into_iter().collect()));
        }
        if recording.tickets.is_empty() {
            let configuration = configuration.map(str::to_owned);
            return Err(RecordingError::NoTickets { configuration, others: recording.others });
        }
        for (id, found) in &mut recording.matches {
            found.at = proposed.get(id).copied().unwrap_or(found.at);
        }
        recording.tickets.sort_by_key(|ticket| ticket.at);
        recording.forget_repeats();
        Ok(recording)
    }

    fn add(&mut self, event: Envelope, proposed: &mut BTreeMap<String, Timestamp>) -> Result<(), String> {
        let at = moment("time", &event.time)?;
        let Detail { kind, tickets, match_id } = event.detail;
        let ids = || tickets.iter().map(|ticket| ticket.ticket_id.clone());
        match kind.as_str() {
            "MatchmakingSearching" => {
                for ticket in tickets {
                    self.searching(ticket)?;
                }
            }
            "PotentialMatchCreated" => {
                proposed.extend(match_id.map(|id| (id, at)));
            }
            "MatchmakingSucceeded" => {
                let id = match_id.ok_or("MatchmakingSucceeded without matchId")?;
                let mut tickets: Vec<String> = ids().collect();
                tickets.sort_unstable();
                // EventBridge may deliver an event twice.
                self.matches.entry(id).or_insert(RecordedMatch { tickets, at });
            }
            "MatchmakingTimedOut" => self.timed_out.extend(ids()),
            "MatchmakingCancelled" => self.cancelled.extend(ids().map(|id| (id, at))),
            _ => self.others += 1,
        }
        Ok(())
    }

    fn searching(&mut self, ticket: EventTicket) -> Result<(), String> {
        let at = moment("startTime", &ticket.start_time)?;
        if ticket.players.is_empty() {
            return Err(format!("ticket {:?} has no players", ticket.ticket_id));
        }
        // Only players of backfill tickets have a team before there is a match.
        if ticket.players.iter().all(|player| player.team.is_some()) {
            self.backfills.insert(ticket.ticket_id);
            return Ok(());
        }
        let players = ticket.players.into_iter().map(|player| player.player_id).collect();
        self.tickets.push(RecordedTicket { id: ticket.ticket_id, at, players });
        Ok(())
    }

    /// Only the first searching event of each ticket counts: later ones say that it returned to the pool.
    fn forget_repeats(&mut self) {
        let mut seen = BTreeSet::new();
        let before = self.tickets.len();
        self.tickets.retain(|ticket| seen.insert(ticket.id.clone()));
        self.repeated = (before - self.tickets.len()) as u64;
    }
}

/// Recorded StartMatchmaking requests: what events do not tell of players.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Players(BTreeMap<String, Vec<PlayerRequest>>);

impl Players {
    /// Reads requests in the API's JSON, one per line or in a list. Each needs its `TicketId`.
    ///
    /// # Errors
    /// On the first line that is no request, or whose ticket was there before.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let mut players = Self::default();
        each(text, |value| {
            let request: TicketRequest = serde_json::from_value(value).map_err(|error| error.to_string())?;
            let id = request.ticket_id.ok_or("the request has no TicketId")?;
            match players.0.insert(id.clone(), request.players) {
                Some(_) => Err(format!("ticket {id:?} was there before")),
                None => Ok(()),
            }
        })?;
        Ok(players)
    }

    /// What is known of a player of a ticket.
    pub(super) fn find(&self, ticket: &str, player: &str) -> Option<&PlayerRequest> {
        self.0.get(ticket)?.iter().find(|request| request.player_id == player)
    }

    /// Tickets that the recording does not have.
    pub(super) fn strangers(&self, recording: &Recording) -> u64 {
        let known: BTreeSet<&str> = recording.tickets.iter().map(|ticket| ticket.id.as_str()).collect();
        self.0.keys().filter(|id| !known.contains(id.as_str())).count() as u64
    }
}

/// The event in an envelope of EventBridge or SNS; `None` if it is about something else.
fn unwrapped(value: Value) -> Result<Option<Value>, String> {
    let Value::Object(members) = &value else { return Err("is no JSON object".to_owned()) };
    if let Some(message) = members.get("Message") {
        // Besides notifications, SNS sends confirmations, whose message is a sentence.
        if members.get("Type").is_some_and(|kind| kind != "Notification") {
            return Ok(None);
        }
        let text = message.as_str().ok_or("Message is no text")?;
        let inner = serde_json::from_str(text).map_err(|error| format!("Message is no JSON: {error}"))?;
        return unwrapped(inner);
    }
    match members.get("detail-type") {
        Some(kind) if kind == DETAIL_TYPE => Ok(Some(value)),
        Some(_) => Ok(None),
        None => Err("is no event: it has neither detail-type nor Message".to_owned()),
    }
}

fn moment(name: &str, text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("{name}: {error}"))
}

/// Calls `take` with each value of the text, and with each member of a list.
fn each(text: &str, mut take: impl FnMut(Value) -> Result<(), String>) -> Result<(), RecordingError> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let (mut line, mut counted) = (1, 0);
    loop {
        let rest = text.get(stream.byte_offset()..).unwrap_or_default();
        let start = stream.byte_offset() + rest.len() - rest.trim_start().len();
        line += text.get(counted..start).unwrap_or_default().matches('\n').count();
        counted = start;
        let Some(value) = stream.next() else { return Ok(()) };
        let wrong = |message| RecordingError::Line { line, message };
        match value {
            // The error's own line may be far behind the value that lacks its end.
            Err(error) => return Err(wrong(format!("is no JSON: {error}"))),
            Ok(Value::Array(items)) => {
                for (index, item) in items.into_iter().enumerate() {
                    take(item).map_err(|message| wrong(format!("item {}: {message}", index + 1)))?;
                }
            }
            Ok(value) => take(value).map_err(wrong)?,
        }
    }
}
