//! Game sessions.

use serde::{Deserialize, Serialize};

use super::{answer, request, wire_enum};
use crate::Timestamp;

request! {
    /// Input of CreateGameSession.
    CreateGameSessionInput {
        /// Id or ARN of the fleet. This or the alias is required, not both.
        fleet_id: String,
        /// Id or ARN of an alias.
        alias_id: String,
        /// Player slots: 0 to 200. Required.
        maximum_player_session_count: i64,
        /// A label.
        name: String,
        /// Key-value pairs, 16 at most.
        game_properties: Vec<GameProperty>,
        /// Who asked for it.
        creator_id: String,
        /// The old name of `idempotency_token`.
        game_session_id: String,
        /// Becomes the last part of the game session's id; a repeated request returns the same game session.
        idempotency_token: String,
        /// Anything, up to 262,144 characters, passed to the server process.
        game_session_data: String,
        /// One of the fleet's locations. Required for Anywhere fleets.
        location: String,
    }
}

/// A custom property of a game session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GameProperty {
    /// Up to 32 characters.
    pub key: String,
    /// Up to 96 characters.
    pub value: String,
}

answer! {
    /// Output of operations that answer with one game session.
    GameSessionOutput {
        /// The game session.
        game_session: GameSession,
    }
}

wire_enum! {
    /// Where a game session is in its life.
    GameSessionStatus {
        /// The process was told and has not answered yet.
        Activating = "ACTIVATING",
        /// Players may join.
        Active = "ACTIVE",
        /// The process was asked to end.
        Terminating = "TERMINATING",
        /// Over. Kept for 30 days.
        Terminated = "TERMINATED",
        /// Failed inside the service. Never reached here; a legal filter all the same.
        Error = "ERROR",
    }
}

wire_enum! {
    /// Why a game session ended, where GameLift says so.
    GameSessionStatusReason {
        /// TerminateGameSession asked the process, and the process ended.
        TriggeredOnProcessTerminate = "TRIGGERED_ON_PROCESS_TERMINATE",
    }
}

wire_enum! {
    /// Whether new players may get a slot.
    PlayerSessionCreationPolicy {
        /// Yes.
        AcceptAll = "ACCEPT_ALL",
        /// No.
        DenyAll = "DENY_ALL",
    }
}

answer! {
    /// A game session.
    GameSession {
        /// Its ARN.
        game_session_id: String,
        /// Its fleet.
        fleet_id: String,
        /// Its fleet's ARN.
        fleet_arn: String,
        /// When it was created.
        creation_time: Timestamp,
        /// Slots taken: reserved and active player sessions.
        current_player_session_count: u32,
        /// All slots.
        maximum_player_session_count: u32,
        /// Its status.
        status: GameSessionStatus,
        /// Key-value pairs.
        game_properties: Vec<GameProperty>,
        /// The port players connect to.
        port: u16,
        /// Whether new players may get a slot.
        player_session_creation_policy: PlayerSessionCreationPolicy,
        /// Where it runs.
        location: String,
        /// The compute it runs on.
        compute_name: String,
        ; optional:
        /// Its label.
        name: String,
        /// When it ended.
        termination_time: Timestamp,
        /// Why it ended.
        status_reason: GameSessionStatusReason,
        /// The IP address players connect to.
        ip_address: String,
        /// The DNS name players connect to.
        dns_name: String,
        /// Who asked for it.
        creator_id: String,
        /// What the server process was given.
        game_session_data: String,
        /// Who was matched, as JSON in a string, if matchmaking made the game session.
        matchmaker_data: String,
    }
}

request! {
    /// Input of DescribeGameSessions.
    DescribeGameSessionsInput {
        /// Id or ARN of a fleet.
        fleet_id: String,
        /// ARN of one game session.
        game_session_id: String,
        /// Id or ARN of an alias.
        alias_id: String,
        /// Only in this location of the fleet.
        location: String,
        /// Only with this status.
        status_filter: String,
        /// Most game sessions per page.
        limit: i64,
        /// Where the previous page ended.
        next_token: String,
    }
}

answer! {
    /// Output of DescribeGameSessions.
    DescribeGameSessionsOutput {
        /// One page.
        game_sessions: Vec<GameSession>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

request! {
    /// Input of TerminateGameSession.
    TerminateGameSessionInput {
        /// ARN of the game session. Required.
        game_session_id: String,
        /// `TRIGGER_ON_PROCESS_TERMINATE`; `FORCE_TERMINATE` needs a managed fleet or the Agent. Required.
        termination_mode: String,
    }
}
