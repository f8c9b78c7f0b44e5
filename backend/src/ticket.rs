//! A player's request for a match, and what has become of it.

use serde::{Deserialize, Serialize};

/// Where a ticket is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Written to the table; GameLift has not confirmed it.
    Requested,
    /// Waiting for others.
    Searching,
    /// A match was found; the players have to accept it.
    RequiresAcceptance,
    /// A match was made; a queue looks for a game server.
    Placing,
    /// The caller has cancelled; GameLift has not confirmed it.
    Cancelling,
    /// There is a seat: see [`Ticket::connection`].
    Succeeded,
    /// Nobody was found in time.
    TimedOut,
    /// Something went wrong.
    Failed,
    /// Cancelled by the caller, or because a player did not accept.
    Cancelled,
}

impl Status {
    /// How far along it is. Among news of the same time the higher rank is the newer; from [`RANK_ENDED`] on nothing moves but
    /// to success.
    pub fn rank(self) -> u8 {
        match self {
            Self::Requested => 0,
            Self::Searching => 10,
            Self::RequiresAcceptance => 20,
            Self::Placing => 30,
            Self::Cancelling => 40,
            Self::TimedOut | Self::Failed | Self::Cancelled => RANK_ENDED,
            Self::Succeeded => RANK_SUCCEEDED,
        }
    }

    /// Whether this is the end.
    pub fn is_final(self) -> bool {
        self.rank() >= RANK_ENDED
    }
}

/// The rank of an end without a seat.
pub const RANK_ENDED: u8 = 90;
/// The rank of a seat. It beats every other end: the seat is really reserved.
pub const RANK_SUCCEEDED: u8 = 100;

/// How long GameLift keeps a seat for a player who does not come (AWS API reference, CreatePlayerSession), in milliseconds.
pub const RESERVATION_MS: u64 = 60_000;

/// An address that a game server can be reached at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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

/// Where to play, and the caller's own seat.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Where the game server is, best first.
    pub endpoints: Vec<Endpoint>,
    /// The caller's seat: a secret between them and the game server.
    pub player_session_id: String,
    /// The game session's ARN.
    pub game_session_id: String,
    /// The SHA-256 of the fleet's certificate in hexadecimal, if the backend knows it: what the server must show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_sha256: Option<String>,
    /// When the seat is given away unless the player has come, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve_expires_at: Option<u64>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the player session id.
        formatter
            .debug_struct("Connection")
            .field("endpoints", &self.endpoints)
            .field("game_session_id", &self.game_session_id)
            .finish_non_exhaustive()
    }
}

/// How far the players of a proposed match have come with their answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    /// Until when to answer, in milliseconds since 1970.
    pub deadline: u64,
    /// Players who have accepted.
    pub accepted: u32,
    /// Players of the match.
    pub total: u32,
}

/// A ticket as its players see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// Its id, with GameLift as well.
    pub ticket_id: String,
    /// Where it is in its life.
    pub status: Status,
    /// Grows with every change. Whoever has seen 7 need not look at 6.
    pub version: u64,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
    /// When it is forgotten, in milliseconds since 1970.
    pub expires_at: u64,
    /// The caller's team, once there is a match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
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
