//! What the backend says and is told, as JSON. Fields that this version does not know are ignored.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a ticket is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The backend knows of it; GameLift has not confirmed it.
    Requested,
    /// Waiting for others.
    Searching,
    /// A match was found; the players have to accept it.
    RequiresAcceptance,
    /// A match was made; a queue looks for a game server.
    Placing,
    /// Cancelled, but not confirmed.
    Cancelling,
    /// There is a seat: see [`Ticket::connection`].
    Succeeded,
    /// Nobody was found in time.
    TimedOut,
    /// Something went wrong.
    Failed,
    /// Cancelled by a player of the ticket, or because a player did not accept.
    Cancelled,
    /// A status that is newer than this client. It is waited out.
    #[serde(other)]
    Unknown,
}

impl Status {
    /// Whether this is the end.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::TimedOut | Self::Failed | Self::Cancelled)
    }

    /// As on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Searching => "SEARCHING",
            Self::RequiresAcceptance => "REQUIRES_ACCEPTANCE",
            Self::Placing => "PLACING",
            Self::Cancelling => "CANCELLING",
            Self::Succeeded => "SUCCEEDED",
            Self::TimedOut => "TIMED_OUT",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An address of the game server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Its IP address.
    pub ip: String,
    /// Its DNS name, if the fleet has certificates for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// Its UDP port.
    pub port: u16,
}

/// Where to play, and the player's own seat.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Where the game server is, best first.
    pub endpoints: Vec<Endpoint>,
    /// The seat: a secret between the player and the game server.
    pub player_session_id: String,
    /// The game session's ARN.
    pub game_session_id: String,
    /// The SHA-256 of the certificate that the server must show, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_sha256: Option<String>,
    /// When the seat is given away unless the player has come, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_expires_at: Option<u64>,
}

/// Without the player session id.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("endpoints", &self.endpoints)
            .field("game_session_id", &self.game_session_id)
            .finish_non_exhaustive()
    }
}

/// How far the players of a proposed match have come with their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Until when to answer, in milliseconds since 1970.
    pub deadline: u64,
    /// Players who have accepted.
    pub accepted: u32,
    /// Players of the match.
    pub total: u32,
}

/// A request for a match, and what has become of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// Its id.
    pub ticket_id: String,
    /// Where it is in its life.
    pub status: Status,
    /// Grows with every change.
    pub version: u64,
    /// How long GameLift thinks it will take, if it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_wait_ms: Option<u64>,
    /// Only while [`Status::RequiresAcceptance`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<Acceptance>,
    /// Why it ended without a seat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Only when [`Status::Succeeded`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// When to ask again, in milliseconds from now. Absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_after_ms: Option<u32>,
}

/// What a player asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StartRequest {
    /// The matchmaking configuration. The backend's default without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// Milliseconds to each location, 1 to 10,000. See [`latency`](super::latency).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub latencies: BTreeMap<String, u32>,
    /// Attributes of the player. The backend has a list of those it takes from clients.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// The tokens of the other members of the party: see [`Invite`]. Each has said there what is their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub party: Vec<String>,
}

/// What the member of a party says of themselves. What they do not say, the leader's [`StartRequest`] says for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteRequest {
    /// As in [`StartRequest::latencies`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub latencies: BTreeMap<String, u32>,
    /// As in [`StartRequest::attributes`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// A player's consent to being taken into somebody's ticket. Who has the token has the consent.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// For the leader's [`StartRequest::party`].
    pub token: String,
    /// When it is worth nothing, in milliseconds since 1970.
    pub expires_at: u64,
}

/// Without the token.
impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Where games can be played.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Location {
    /// Its name, as in [`StartRequest::latencies`].
    pub location: String,
    /// What to measure the latency with, if it has one.
    #[serde(default)]
    pub beacon: Option<Beacon>,
}

/// A UDP port of GameLift that answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Beacon {
    /// Its name or address.
    pub domain: String,
    /// Its port.
    pub port: u16,
}

/// What the backend keeps about a player.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// What other players may know this one by.
    pub public_id: String,
    /// How good the player is, as the backend has found out.
    pub skill: f64,
}

/// An answer that is none.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProblemBody {
    #[serde(default)]
    pub(crate) error: Option<Problem>,
    /// The gateway's own words. API Gateway spells it either way.
    #[serde(default, alias = "Message")]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) request_id: Option<String>,
}

/// The backend's own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) retryable: bool,
    #[serde(default)]
    pub(crate) details: Option<serde_json::Value>,
}
