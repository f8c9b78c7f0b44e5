//! What callers ask for and get, besides tickets.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::problem::{Code, Problem};
use crate::ticket::Ticket;

/// Characters of an idempotency key.
pub const KEY_CHARACTERS: std::ops::RangeInclusive<usize> = 8..=64;

/// What makes a repeated start the same start: chosen by the client, new for each start that it means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// As the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let valid = KEY_CHARACTERS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if valid {
            return Ok(Self(text.to_owned()));
        }
        let message = format!(
            "Idempotency-Key must be {} to {} printable ASCII characters without spaces; it has {}",
            KEY_CHARACTERS.start(),
            KEY_CHARACTERS.end(),
            text.len()
        );
        Err(Problem::new(Code::BadRequest, message))
    }
}

/// A request for a match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StartRequest {
    /// The matchmaking configuration, if not the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// Milliseconds from the player to each location: 1 to 10,000. Also of those members of the party who have not said theirs.
    pub latencies: BTreeMap<String, u32>,
    /// Player attributes, of those that the backend lets clients send: a number, a string, a list of strings, or an object of
    /// numbers. Also of those members of the party who have not said theirs.
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// Invite tokens of the other members of the caller's party.
    pub party: Vec<String>,
}

/// A request for a game session of one's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PrivateRequest {
    /// Where to play, if not where the latencies are best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Milliseconds from the player to each location: 1 to 10,000.
    pub latencies: BTreeMap<String, u32>,
    /// Seats, if fewer than usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_players: Option<u16>,
    /// Invite tokens of the other members of the caller's party.
    pub party: Vec<String>,
}

/// The answer to a start.
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// The ticket.
    pub ticket: Ticket,
    /// Whether an earlier request with the same key has started it.
    pub replayed: bool,
}

/// What a party member says of themselves. Of what they do not, the leader's request says it for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InviteRequest {
    /// Milliseconds from the player to each location: 1 to 10,000.
    pub latencies: BTreeMap<String, u32>,
    /// Player attributes, of those that the backend lets clients send: a number, a string, a list of strings, or an object of
    /// numbers.
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// What a party member hands to the leader: the consent to be started with them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// A secret that can be used once.
    pub token: String,
    /// Until when, in milliseconds since 1970.
    pub expires_at: u64,
}

impl fmt::Debug for Invite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Invite").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Where games may be hosted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Its name: a Region, a Local Zone or a `custom-` location.
    pub location: String,
    /// What to measure the latency with, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beacon: Option<Beacon>,
}

/// A UDP echo of a location's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Beacon {
    /// Its host.
    pub domain: String,
    /// Its UDP port.
    pub port: u16,
}

/// A player as the backend knows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// What others may know them by: it leads nowhere.
    pub public_id: String,
    /// The server's own estimate. Clients cannot set it.
    pub skill: f64,
    /// When they first came, in milliseconds since 1970.
    pub created_at: u64,
}

/// What an event has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handled {
    /// Tickets of players that it has changed.
    pub changed: u32,
    /// Tickets of players that knew as much or more, or that are none of ours.
    pub stale: u32,
    /// Tickets that are not players' own, such as those of automatic backfill.
    pub skipped: u32,
    /// Whether it is of a type that says nothing to players.
    pub ignored: bool,
}

/// An event that has not been dealt with. It must be delivered again: what has been done already is not done twice.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// It is no event. Delivered again it still is none, until it ends where an operator finds it.
    #[error("this is no GameLift event: {0}")]
    Malformed(String),
    /// The table could not take it.
    #[error("the event is not stored, or not for every player: {0}")]
    Store(#[source] crate::store::StoreError),
}
