//! FlexMatch events: what a matchmaker tells the world.
//!
//! Names, order and number formats are those of the samples in the FlexMatch guide, "FlexMatch matchmaking events";
//! a consumer written against them reads ours.

mod envelope;

use serde::Serialize;

use crate::{
    ticket::{MatchId, PlayerId, TicketId},
    timestamp::Timestamp,
};

pub use envelope::Envelope;

/// The `detail` of a matchmaking event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum MatchmakingEvent {
    /// A ticket is being looked at: a new one, or one that came back after a failed proposal.
    Searching(Searching),
    /// A match was proposed, whether or not players must accept it.
    PotentialMatchCreated(PotentialMatchCreated),
    /// Players answered; everybody's answer so far.
    AcceptMatch(AcceptMatch),
    /// The acceptance of a proposed match is over.
    AcceptMatchCompleted(AcceptMatchCompleted),
    /// The match has its game session (`WITH_QUEUE`), or is final (`STANDALONE`).
    Succeeded(Succeeded),
    /// The request timed out.
    TimedOut(Ended),
    /// The request was cancelled.
    Cancelled(Ended),
    /// The match could not be placed.
    Failed(Failed),
}

impl MatchmakingEvent {
    /// The event's `type`.
    pub const fn event_type(&self) -> EventType {
        match self {
            Self::Searching(event) => event.event_type,
            Self::PotentialMatchCreated(event) => event.event_type,
            Self::AcceptMatch(event) => event.event_type,
            Self::AcceptMatchCompleted(event) => event.event_type,
            Self::Succeeded(event) => event.event_type,
            Self::TimedOut(event) | Self::Cancelled(event) => event.event_type,
            Self::Failed(event) => event.event_type,
        }
    }

    /// The tickets the event is about.
    pub fn tickets(&self) -> &[EventTicket] {
        match self {
            Self::Searching(event) => &event.tickets,
            Self::PotentialMatchCreated(event) => &event.tickets,
            Self::AcceptMatch(event) => &event.tickets,
            Self::AcceptMatchCompleted(event) => &event.tickets,
            Self::Succeeded(event) => &event.tickets,
            Self::TimedOut(event) | Self::Cancelled(event) => &event.tickets,
            Self::Failed(event) => &event.tickets,
        }
    }

    /// The match the event is about, if it is about one.
    pub const fn match_id(&self) -> Option<&MatchId> {
        match self {
            Self::Searching(_) => None,
            Self::PotentialMatchCreated(event) => Some(&event.match_id),
            Self::AcceptMatch(event) => Some(&event.match_id),
            Self::AcceptMatchCompleted(event) => Some(&event.match_id),
            Self::Succeeded(event) => Some(&event.match_id),
            Self::TimedOut(event) | Self::Cancelled(event) => event.match_id.as_ref(),
            Self::Failed(event) => Some(&event.match_id),
        }
    }
}

/// An event's `type` member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum EventType {
    /// See [`MatchmakingEvent::Searching`].
    MatchmakingSearching,
    /// See [`MatchmakingEvent::PotentialMatchCreated`].
    PotentialMatchCreated,
    /// See [`MatchmakingEvent::AcceptMatch`].
    AcceptMatch,
    /// See [`MatchmakingEvent::AcceptMatchCompleted`].
    AcceptMatchCompleted,
    /// See [`MatchmakingEvent::Succeeded`].
    MatchmakingSucceeded,
    /// See [`MatchmakingEvent::TimedOut`].
    MatchmakingTimedOut,
    /// See [`MatchmakingEvent::Cancelled`].
    MatchmakingCancelled,
    /// See [`MatchmakingEvent::Failed`].
    MatchmakingFailed,
}

/// `MatchmakingSearching`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct Searching {
    pub tickets: Vec<EventTicket>,
    /// `NOT_AVAILABLE`, or milliseconds: a string either way (AWS Toolkit's event schema).
    pub estimated_wait_millis: String,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub game_session_info: GameSessionInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_event_data: Option<String>,
}

/// `PotentialMatchCreated`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct PotentialMatchCreated {
    pub tickets: Vec<EventTicket>,
    /// Seconds that players have to accept; absent when acceptance is not required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acceptance_timeout: Option<u64>,
    pub rule_evaluation_metrics: Vec<RuleEvaluationMetrics>,
    pub acceptance_required: bool,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub game_session_info: GameSessionInfo,
    pub match_id: MatchId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_event_data: Option<String>,
}

/// `AcceptMatch`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct AcceptMatch {
    pub tickets: Vec<EventTicket>,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub game_session_info: GameSessionInfo,
    pub match_id: MatchId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_event_data: Option<String>,
}

/// `AcceptMatchCompleted`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct AcceptMatchCompleted {
    pub tickets: Vec<EventTicket>,
    pub acceptance: Acceptance,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub game_session_info: GameSessionInfo,
    pub match_id: MatchId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_event_data: Option<String>,
}

/// How the acceptance of a proposed match ended. Only `TimedOut` appears in AWS's samples; the others are inferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Acceptance {
    /// Everybody accepted.
    Accepted,
    /// Somebody rejected, or a ticket was cancelled meanwhile.
    Rejected,
    /// Somebody did not answer in time.
    TimedOut,
}

/// `MatchmakingSucceeded`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct Succeeded {
    pub tickets: Vec<EventTicket>,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub game_session_info: GameSessionInfo,
    pub match_id: MatchId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_event_data: Option<String>,
}

/// `MatchmakingTimedOut` and `MatchmakingCancelled`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct Ended {
    pub reason: String,
    pub tickets: Vec<EventTicket>,
    pub rule_evaluation_metrics: Vec<RuleEvaluationMetrics>,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub message: String,
    pub game_session_info: GameSessionInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_id: Option<MatchId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_event_data: Option<String>,
}

/// `MatchmakingFailed`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct Failed {
    pub tickets: Vec<EventTicket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_event_data: Option<String>,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub reason: String,
    pub message: String,
    pub game_session_info: GameSessionInfo,
    pub match_id: MatchId,
}

/// A ticket in an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct EventTicket {
    pub ticket_id: TicketId,
    pub start_time: Timestamp,
    pub players: Vec<EventPlayer>,
}

/// A player in an event. Members that say nothing yet are absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct EventPlayer {
    pub player_id: PlayerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player_session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The player's answer to the proposed match; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
}

/// The game session of an event: its players, and where it is once it exists.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct GameSessionInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub game_session_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// A number here, unlike in queue placement events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `ENABLED` or `DISABLED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub player_gateway_status: Option<String>,
    pub players: Vec<EventPlayer>,
}

/// How often a rule passed and failed while a ticket's candidate matches were evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members of AWS's samples")]
pub struct RuleEvaluationMetrics {
    pub rule_name: String,
    pub passed_count: u64,
    pub failed_count: u64,
}
