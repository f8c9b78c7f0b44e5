//! Matchmaking tickets: who waits, since when, and how it ended.

mod id;

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

use crate::{
    player::{AttributeValue, Player, PlayerData},
    timestamp::Timestamp,
};

pub use id::{IdError, MatchId, PLAYER_ID_LENGTH_MAX, PlayerId, TICKET_ID_LENGTH_MAX, TeamName, TicketId};

/// Most players of one StartMatchmaking request (GameLift quotas, "Maximum number of players per ticket").
pub const TICKET_PLAYERS_MAX: usize = 10;

/// Most players of one StartMatchBackfill request: a full session has no seat to fill (API reference).
pub const BACKFILL_PLAYERS_MAX: usize = 199;

/// A StartMatchmaking request.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TicketRequest {
    /// The caller's id for the ticket; a UUID is made if there is none.
    #[serde(default)]
    pub ticket_id: Option<String>,
    /// One to [`TICKET_PLAYERS_MAX`] players, who stay together.
    pub players: Vec<PlayerRequest>,
}

/// A StartMatchBackfill request.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BackfillRequest {
    /// The caller's id for the ticket; a UUID is made if there is none.
    #[serde(default)]
    pub ticket_id: Option<String>,
    /// The game session to fill; absent in `STANDALONE` mode.
    #[serde(default)]
    pub game_session_arn: Option<String>,
    /// Everybody in the game session now, each with its team.
    pub players: Vec<PlayerRequest>,
}

/// A player in a request, in the API's JSON shape. A member that is none of the API's is an error: a misspelt latency
/// would else be a player without latencies.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PlayerRequest {
    /// The player's id.
    pub player_id: String,
    /// Attribute values by name.
    #[serde(default)]
    pub player_attributes: BTreeMap<String, AttributeValue>,
    /// Latency in milliseconds, by location.
    #[serde(default)]
    pub latency_in_ms: BTreeMap<String, u32>,
    /// The player's team in a running game session.
    #[serde(default)]
    pub team: Option<String>,
}

impl From<PlayerRequest> for PlayerData {
    fn from(request: PlayerRequest) -> Self {
        Self {
            id: request.player_id,
            attributes: request.player_attributes,
            latency_ms: request.latency_in_ms,
            team: request.team,
        }
    }
}

/// A ticket, from request to end.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    pub(crate) id: TicketId,
    pub(crate) start: Timestamp,
    pub(crate) players: Vec<TicketPlayer>,
    pub(crate) party: Arc<[Player]>,
    pub(crate) state: TicketState,
    pub(crate) backfill: Option<Backfill>,
}

/// What a backfill ticket fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// The game session; `None` in `STANDALONE` mode.
    pub game_session_arn: Option<Arc<str>>,
    /// Whether the matchmaker made the ticket itself (`BackfillMode` `AUTOMATIC`).
    pub automatic: bool,
}

/// A player of a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketPlayer {
    pub(crate) id: PlayerId,
    pub(crate) team: Option<TeamName>,
    pub(crate) accepted: Option<bool>,
    pub(crate) player_session_id: Option<Arc<str>>,
}

impl TicketPlayer {
    /// The player's id.
    pub const fn id(&self) -> &PlayerId {
        &self.id
    }

    /// The team: from the proposal on for new players, always for players of a backfill ticket.
    pub const fn team(&self) -> Option<&TeamName> {
        self.team.as_ref()
    }

    /// The player's answer to the proposed match, if it was asked and has answered.
    pub const fn accepted(&self) -> Option<bool> {
        self.accepted
    }

    /// The reservation in the game session, once there is one.
    pub fn player_session_id(&self) -> Option<&str> {
        self.player_session_id.as_deref()
    }
}

impl Ticket {
    /// The ticket's id.
    pub const fn id(&self) -> &TicketId {
        &self.id
    }

    /// When the request was accepted. It stays when the ticket returns to the pool.
    pub const fn start_time(&self) -> Timestamp {
        self.start
    }

    /// When the ticket ended, if it did.
    pub const fn end_time(&self) -> Option<Timestamp> {
        match self.state {
            TicketState::Completed { at, .. }
            | TicketState::Failed { at, .. }
            | TicketState::Cancelled { at, .. }
            | TicketState::TimedOut { at } => Some(at),
            _ => None,
        }
    }

    /// The players, in the request's order.
    pub fn players(&self) -> &[TicketPlayer] {
        &self.players
    }

    /// Attributes and latencies of the players as rules see them, in the order of [`Ticket::players`].
    pub fn party(&self) -> &[Player] {
        &self.party
    }

    /// Where the ticket stands, with what belongs to it.
    pub const fn state(&self) -> &TicketState {
        &self.state
    }

    /// The API's word for where the ticket stands.
    pub const fn status(&self) -> TicketStatus {
        self.state.status()
    }

    /// What the ticket fills, if it is a backfill ticket.
    pub const fn backfill(&self) -> Option<&Backfill> {
        self.backfill.as_ref()
    }

    /// `StatusReason`, if the status has one.
    pub const fn status_reason(&self) -> Option<&'static str> {
        match self.state {
            TicketState::Searching { returned: true } => Some("ReturnedToSearch"),
            TicketState::Cancelled { why: CancelReason::DuplicatePlayer, .. } => {
                Some("Cancelled due to duplicate player")
            }
            TicketState::Cancelled { .. } => Some("Cancelled"),
            TicketState::Failed { why, .. } => Some(why.reason()),
            TicketState::TimedOut { .. } => Some("TimedOut"),
            _ => None,
        }
    }

    /// `StatusMessage`, if the status has one. The texts are those of the events where AWS prints one.
    pub const fn status_message(&self) -> Option<&'static str> {
        match self.state {
            TicketState::Searching { returned: true } => {
                Some("The proposed match was not accepted by all players.")
            }
            TicketState::Cancelled { why, .. } => Some(why.message()),
            TicketState::Failed { why, .. } => Some(why.message()),
            TicketState::TimedOut { .. } => Some(TIMED_OUT_MESSAGE),
            _ => None,
        }
    }
}

/// FlexMatch guide, sample of `MatchmakingTimedOut`.
pub(crate) const TIMED_OUT_MESSAGE: &str = "Removed from matchmaking due to timing out.";

/// Where a ticket stands.
///
/// ```text
/// Queued -> Searching -> [RequiresAcceptance ->] Placing -> Completed
/// Searching -> TimedOut | Cancelled
/// RequiresAcceptance -> Searching | Cancelled | Failed
/// Placing -> Searching | TimedOut | Failed
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketState {
    /// Accepted by the API; not yet in the matchmaker's pool.
    Queued,
    /// In the pool.
    Searching {
        /// Whether it was in a proposed match that fell through.
        returned: bool,
    },
    /// In a proposed match whose players are being asked.
    RequiresAcceptance {
        /// The proposed match.
        match_id: MatchId,
    },
    /// In a match that is getting its game session.
    Placing {
        /// The match.
        match_id: MatchId,
    },
    /// In a game session (`STANDALONE`: in a final match).
    Completed {
        /// The match.
        match_id: MatchId,
        /// When it was completed.
        at: Timestamp,
        /// Where to connect; `None` in `STANDALONE` mode.
        game_session: Option<Arc<GameSession>>,
    },
    /// Ended by an error.
    Failed {
        /// When.
        at: Timestamp,
        /// What went wrong.
        why: FailReason,
    },
    /// Ended by somebody's wish.
    Cancelled {
        /// When.
        at: Timestamp,
        /// Whose wish.
        why: CancelReason,
    },
    /// Ended because the request's time was over.
    TimedOut {
        /// When.
        at: Timestamp,
    },
}

impl TicketState {
    /// The API's word for it.
    pub const fn status(&self) -> TicketStatus {
        match self {
            Self::Queued => TicketStatus::Queued,
            Self::Searching { .. } => TicketStatus::Searching,
            Self::RequiresAcceptance { .. } => TicketStatus::RequiresAcceptance,
            Self::Placing { .. } => TicketStatus::Placing,
            Self::Completed { .. } => TicketStatus::Completed,
            Self::Failed { .. } => TicketStatus::Failed,
            Self::Cancelled { .. } => TicketStatus::Cancelled,
            Self::TimedOut { .. } => TicketStatus::TimedOut,
        }
    }
}

/// `MatchmakingTicket.Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TicketStatus {
    /// `QUEUED`
    Queued,
    /// `SEARCHING`
    Searching,
    /// `REQUIRES_ACCEPTANCE`
    RequiresAcceptance,
    /// `PLACING`
    Placing,
    /// `COMPLETED`
    Completed,
    /// `FAILED`
    Failed,
    /// `CANCELLED`
    Cancelled,
    /// `TIMED_OUT`
    TimedOut,
}

impl TicketStatus {
    /// The API's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Searching => "SEARCHING",
            Self::RequiresAcceptance => "REQUIRES_ACCEPTANCE",
            Self::Placing => "PLACING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// Whether nothing more will happen to the ticket.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::TimedOut)
    }
}

/// Why a ticket was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// StopMatchmaking.
    Requested,
    /// A newer ticket has one of its players.
    DuplicatePlayer,
    /// A newer backfill ticket is for the same game session.
    Replaced,
    /// One of its players rejected the proposed match.
    Rejected,
    /// One of its players did not answer in time.
    NotAccepted,
}

impl CancelReason {
    /// The event's `message`. Only the first is in AWS's samples.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Requested => "Cancelled by request.",
            Self::DuplicatePlayer => "Cancelled due to duplicate player",
            Self::Replaced => "Cancelled by a newer backfill request for the game session.",
            Self::Rejected => "Cancelled because a player rejected the match.",
            Self::NotAccepted => "Cancelled because a player did not accept the match in time.",
        }
    }
}

/// Why a ticket failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailReason {
    /// The game session could not be placed.
    Placement,
    /// A player rejected the match, under [`Rejecters::Fail`](crate::compat::Rejecters::Fail).
    Rejected,
    /// A player did not answer in time, under [`Rejecters::Fail`](crate::compat::Rejecters::Fail).
    NotAccepted,
}

impl FailReason {
    /// The event's `reason`; the first is in AWS's sample.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Placement => "UNEXPECTED_ERROR",
            Self::Rejected => "Rejected",
            Self::NotAccepted => "NotAccepted",
        }
    }

    /// The event's `message`; the first is in AWS's sample.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Placement => "An unexpected error was encountered during match placing.",
            Self::Rejected => CancelReason::Rejected.message(),
            Self::NotAccepted => CancelReason::NotAccepted.message(),
        }
    }
}

/// Where a match was placed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GameSession {
    /// ARN of the game session.
    pub game_session_arn: String,
    /// Where players connect.
    pub ip_address: String,
    /// Its name, if it has one.
    pub dns_name: Option<String>,
    /// Where players connect.
    pub port: u16,
    /// `ENABLED` or `DISABLED`, if known.
    pub player_gateway_status: Option<String>,
    /// Reserved player sessions by player id.
    pub player_sessions: BTreeMap<String, String>,
}
