//! Game sessions.

use serde::{Deserialize, Serialize};

#[cfg(test)]
use super::check::Described;
use super::{
    ProtectionPolicy, answer,
    check::{Broken, Checked, Path, Rule},
    request, rule, wire_enum,
};
use crate::Timestamp;

const TERMINATION_MODES: &[&str] = &["TRIGGER_ON_PROCESS_TERMINATE", "FORCE_TERMINATE"];

request! {
    /// Input of CreateGameSession.
    CreateGameSessionInput {
        /// Id or ARN of the fleet. This or the alias is required, not both.
        fleet_id: String => optional FLEET_ID_OR_ARN,
        /// Id or ARN of an alias.
        alias_id: String => optional ALIAS_ID_OR_ARN,
        /// Player slots: 0 to 200. Required.
        maximum_player_session_count: i64 => required PLAYER_SESSION_COUNT,
        /// A label.
        name: String => optional NON_ZERO_AND_MAX,
        /// Key-value pairs, 16 at most.
        game_properties: Vec<GameProperty> => optional List(0..=16, Nested),
        /// Who asked for it.
        creator_id: String => optional NON_ZERO_AND_MAX,
        /// The old name of `idempotency_token`.
        game_session_id: String => optional ID_STRING,
        /// Becomes the last part of the game session's id; a repeated request returns the same game session.
        idempotency_token: String => optional ID_STRING,
        /// Anything, up to 262,144 characters, passed to the server process.
        game_session_data: String => optional GAME_SESSION_DATA,
        /// One of the fleet's locations. Required for Anywhere fleets.
        location: String => optional LOCATION,
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

impl Checked for GameProperty {
    fn check(&self, at: Option<&Path<'_>>, broken: &mut Broken) {
        let at = |member| Path { parent: at, member };
        Rule::check(&rule::GAME_PROPERTY_KEY, &at("key"), &self.key, broken);
        Rule::check(&rule::GAME_PROPERTY_VALUE, &at("value"), &self.value, broken);
    }

    #[cfg(test)]
    fn members() -> Vec<Described> {
        let key = Rule::describe(&rule::GAME_PROPERTY_KEY);
        let value = Rule::describe(&rule::GAME_PROPERTY_VALUE);
        vec![
            Described { name: "key", is_required: true, rule: key },
            Described { name: "value", is_required: true, rule: value },
        ]
    }
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
        /// Its compute was taken away, as Amazon EC2 does with Spot instances.
        Interrupted = "INTERRUPTED",
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
    /// Input of DescribeGameSessions and DescribeGameSessionDetails.
    DescribeGameSessionsInput {
        /// Id or ARN of a fleet.
        fleet_id: String => optional FLEET_ID_OR_ARN,
        /// ARN of one game session.
        game_session_id: String => optional ARN,
        /// Id or ARN of an alias.
        alias_id: String => optional ALIAS_ID_OR_ARN,
        /// Only in this location of the fleet.
        location: String => optional LOCATION,
        /// Only with this status.
        status_filter: String => optional NON_ZERO_AND_MAX,
        /// Most game sessions per page.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
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
        game_session_id: String => required ARN,
        /// `TRIGGER_ON_PROCESS_TERMINATE`; `FORCE_TERMINATE` needs a managed fleet or the Agent. Required.
        termination_mode: String => required OneOf(TERMINATION_MODES),
    }
}

answer! {
    /// Output of DescribeGameSessionDetails.
    DescribeGameSessionDetailsOutput {
        /// One page.
        game_session_details: Vec<GameSessionDetail>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}

answer! {
    /// A game session and what it is protected from.
    GameSessionDetail {
        /// The game session.
        game_session: GameSession,
        /// Whether it may be ended when its fleet gets smaller.
        protection_policy: ProtectionPolicy,
    }
}

request! {
    /// Input of SearchGameSessions.
    SearchGameSessionsInput {
        /// Id or ARN of a fleet. This or the alias is required, not both.
        fleet_id: String => optional FLEET_ID_OR_ARN,
        /// Id or ARN of an alias.
        alias_id: String => optional ALIAS_ID_OR_ARN,
        /// Only in this location of the fleet.
        location: String => optional LOCATION,
        /// Which game sessions, such as `maximumSessions>=4 AND hasAvailablePlayerSessions=true`.
        filter_expression: String => optional NON_ZERO_AND_MAX,
        /// In which order, such as `creationTimeMillis ASC`.
        sort_expression: String => optional NON_ZERO_AND_MAX,
        /// Most game sessions per page: never more than 20.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

request! {
    /// Input of UpdateGameSession. Absent members stay as they are.
    UpdateGameSessionInput {
        /// ARN of the game session. Required.
        game_session_id: String => required ARN,
        /// Player slots: 0 to 200.
        maximum_player_session_count: i64 => optional PLAYER_SESSION_COUNT,
        /// A label.
        name: String => optional NON_ZERO_AND_MAX,
        /// Whether new players may get a slot.
        player_session_creation_policy: String => optional OneOf(PlayerSessionCreationPolicy::NAMES),
        /// Whether it may be ended when its fleet gets smaller.
        protection_policy: String => optional OneOf(ProtectionPolicy::NAMES),
        /// Key-value pairs that are added, or replace those with the same key.
        game_properties: Vec<GameProperty> => optional List(0..=16, Nested),
    }
}

request! {
    /// Input of GetGameSessionLogUrl.
    GetGameSessionLogUrlInput {
        /// ARN of the game session. Required.
        game_session_id: String => required ARN,
    }
}
