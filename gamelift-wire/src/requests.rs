//! What a process asks, and what the service answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::attribute_value::AttributeValue;
use crate::ids::{GameSessionId, PlayerSessionId, RequestId};
use crate::lenient::{empty_as_none, mistyped_as_default, null_as_default};
use crate::model::{EpochMillis, PlayerSession, PlayerSessionCreationPolicy, PlayerSessionStatus};

/// A message from a process to the service. Each gets exactly one response.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Request {
    /// The process is ready to host a game session (`ProcessReady`).
    ActivateServerProcess(ActivateServerProcess),
    /// The process is alive, and healthy or not.
    HeartbeatServerProcess(HeartbeatServerProcess),
    /// The process is about to exit (`ProcessEnding`).
    TerminateServerProcess,
    /// Players may join the game session.
    ActivateGameSession(ActivateGameSession),
    /// Open or close the game session for new players.
    UpdatePlayerSessionCreationPolicy(UpdatePlayerSessionCreationPolicy),
    /// A player connected: is the reservation real?
    AcceptPlayerSession(PlayerSessionRequest),
    /// A player left.
    RemovePlayerSession(PlayerSessionRequest),
    /// Look players up.
    DescribePlayerSessions(DescribePlayerSessions),
    /// Find players for open slots.
    StartMatchBackfill(StartMatchBackfill),
    /// Stop looking.
    StopMatchBackfill(StopMatchBackfill),
    /// Where is this compute's TLS certificate?
    GetComputeCertificate,
    /// Credentials of the fleet's role, for calls to other AWS services.
    GetFleetRoleCredentials(GetFleetRoleCredentials),
}

impl Request {
    /// The word that names it on the wire.
    pub fn action(&self) -> Action {
        match self {
            Self::ActivateServerProcess(_) => Action::ActivateServerProcess,
            Self::HeartbeatServerProcess(_) => Action::HeartbeatServerProcess,
            Self::TerminateServerProcess => Action::TerminateServerProcess,
            Self::ActivateGameSession(_) => Action::ActivateGameSession,
            Self::UpdatePlayerSessionCreationPolicy(_) => Action::UpdatePlayerSessionCreationPolicy,
            Self::AcceptPlayerSession(_) => Action::AcceptPlayerSession,
            Self::RemovePlayerSession(_) => Action::RemovePlayerSession,
            Self::DescribePlayerSessions(_) => Action::DescribePlayerSessions,
            Self::StartMatchBackfill(_) => Action::StartMatchBackfill,
            Self::StopMatchBackfill(_) => Action::StopMatchBackfill,
            Self::GetComputeCertificate => Action::GetComputeCertificate,
            Self::GetFleetRoleCredentials(_) => Action::GetFleetRoleCredentials,
        }
    }

    /// The frame's text.
    pub fn to_text(&self, request_id: &RequestId) -> String {
        let action = self.action();
        match self {
            Self::ActivateServerProcess(body) => frame(&action, request_id, body),
            Self::HeartbeatServerProcess(body) => frame(&action, request_id, body),
            Self::ActivateGameSession(body) => frame(&action, request_id, body),
            Self::UpdatePlayerSessionCreationPolicy(body) => frame(&action, request_id, body),
            Self::AcceptPlayerSession(body) | Self::RemovePlayerSession(body) => {
                frame(&action, request_id, body)
            }
            Self::DescribePlayerSessions(body) => frame(&action, request_id, body),
            Self::StartMatchBackfill(body) => frame(&action, request_id, body),
            Self::StopMatchBackfill(body) => frame(&action, request_id, body),
            Self::GetFleetRoleCredentials(body) => frame(&action, request_id, body),
            Self::TerminateServerProcess | Self::GetComputeCertificate => {
                frame(&action, request_id, &Empty {})
            }
        }
    }
}

fn frame<B: Serialize>(action: &Action, request_id: &RequestId, body: &B) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Frame<'a, B> {
        action: &'a Action,
        request_id: &'a RequestId,
        #[serde(flatten)]
        body: &'a B,
    }
    serde_json::to_string(&Frame { action, request_id, body })
        .expect("string keys and plain values always serialise")
}

/// The body of a message that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// `ProcessReady`. The only message that announces port, language and log paths; sent once, not again after a reconnect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActivateServerProcess {
    /// The version of the protocol the SDK follows.
    #[serde(default, deserialize_with = "null_as_default")]
    pub sdk_version: String,
    /// The SDK's language: `Go`, `Cpp`, `CSharp`, `Rust`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub sdk_language: String,
    /// A plug-in on top of the SDK, such as `UnrealGameLiftPlugin`.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub sdk_tool_name: Option<String>,
    /// That plug-in's version.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub sdk_tool_version: Option<String>,
    /// Where players connect. Wide enough to carry a wrong value to whoever refuses it: C++ leaves out port 0.
    #[serde(default, deserialize_with = "null_as_default")]
    pub port: i64,
    /// Files the service keeps after the game session, on managed fleets. Go sends `null` for none, C++ leaves it out.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub log_paths: Vec<String>,
}

/// The process is alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HeartbeatServerProcess {
    /// Whether it is also well.
    #[serde(default, deserialize_with = "null_as_default")]
    pub health_status: bool,
}

/// Players may join.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActivateGameSession {
    /// The game session. C++ sends this message without it if no session was ever assigned.
    #[serde(default, deserialize_with = "null_as_default")]
    pub game_session_id: GameSessionId,
}

/// Open or close the game session for new players.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdatePlayerSessionCreationPolicy {
    /// The game session.
    #[serde(default, deserialize_with = "null_as_default")]
    pub game_session_id: GameSessionId,
    /// The new policy; the key really is `PlayerSessionPolicy`.
    #[serde(rename = "PlayerSessionPolicy")]
    pub policy: PlayerSessionCreationPolicy,
}

/// Accept or remove one player.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PlayerSessionRequest {
    /// The game session that this process hosts.
    #[serde(default, deserialize_with = "null_as_default")]
    pub game_session_id: GameSessionId,
    /// What the player presented.
    #[serde(default, deserialize_with = "null_as_default")]
    pub player_session_id: PlayerSessionId,
}

/// Look players up by exactly one of the three ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribePlayerSessions {
    /// Everybody of this game session.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub game_session_id: Option<String>,
    /// One player session.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Option::is_none")]
    pub player_session_id: Option<PlayerSessionId>,
    /// All sessions of one player.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub player_id: Option<String>,
    /// Only those in this status; has an effect only with a game session id.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Option::is_none")]
    pub player_session_status_filter: Option<PlayerSessionStatus>,
    /// Where the previous page ended.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// Most to return. Absent or 0 leaves it to the service; C#'s default is 50; Go sends negative numbers if asked to.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

/// The answer to [`DescribePlayerSessions`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PlayerSessionsPage {
    /// Where the next page starts; `None` on the last.
    #[serde(deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// This page.
    #[serde(deserialize_with = "null_as_default")]
    pub player_sessions: Vec<PlayerSession>,
}

/// Find players for open slots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartMatchBackfill {
    /// The game session.
    #[serde(default, deserialize_with = "null_as_default")]
    pub game_session_arn: GameSessionId,
    /// The matchmaker: `matchmakingConfigurationArn` of the session's matchmaker data.
    #[serde(default, deserialize_with = "null_as_default")]
    pub matchmaking_configuration_arn: String,
    /// The ticket's id; the service makes one if it is missing. Go sends `""`, C# `null`.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub ticket_id: Option<String>,
    /// Who is in the game now.
    #[serde(default, deserialize_with = "null_as_default")]
    pub players: Vec<BackfillPlayer>,
}

/// One player who is in the game while others are looked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BackfillPlayer {
    /// The player, by the game's own id.
    #[serde(default, deserialize_with = "null_as_default")]
    pub player_id: String,
    /// The team they are in.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Their attributes. Go sends `null` for none, C++ `{}`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub player_attributes: BTreeMap<String, AttributeValue>,
    /// Latency to each location, in milliseconds. C# spells it `LatencyInMS`.
    #[serde(default, alias = "LatencyInMS", deserialize_with = "null_as_default")]
    pub latency_in_ms: BTreeMap<String, i64>,
}

/// The answer to [`StartMatchBackfill`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BackfillStarted {
    /// The ticket's id: what [`StopMatchBackfill`] wants.
    #[serde(deserialize_with = "null_as_default")]
    pub ticket_id: String,
}

/// Stop looking for players.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StopMatchBackfill {
    /// The game session.
    #[serde(default, deserialize_with = "null_as_default")]
    pub game_session_arn: GameSessionId,
    /// The matchmaker.
    #[serde(default, deserialize_with = "null_as_default")]
    pub matchmaking_configuration_arn: String,
    /// The ticket.
    #[serde(default, deserialize_with = "null_as_default")]
    pub ticket_id: String,
}

/// The answer to [`Request::GetComputeCertificate`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ComputeCertificate {
    /// The file on this host.
    #[serde(deserialize_with = "null_as_default")]
    pub certificate_path: String,
    /// The compute.
    #[serde(deserialize_with = "null_as_default")]
    pub compute_name: String,
}

/// Ask for the credentials of an IAM role that the fleet may take on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetFleetRoleCredentials {
    /// The role.
    #[serde(default, deserialize_with = "null_as_default")]
    pub role_arn: String,
    /// A name for the session, 2 to 64 characters; the SDKs default to `<fleet>-<host>`, cut to 64.
    #[serde(default, deserialize_with = "empty_as_none", skip_serializing_if = "Option::is_none")]
    pub role_session_name: Option<String>,
}

/// The answer to [`GetFleetRoleCredentials`]. An empty access key means: this is an Anywhere fleet, it has no role.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FleetRoleCredentials {
    /// The role's user.
    #[serde(deserialize_with = "null_as_default")]
    pub assumed_role_user_arn: String,
    /// The role's id.
    #[serde(deserialize_with = "null_as_default")]
    pub assumed_role_id: String,
    /// First part of the credentials.
    #[serde(deserialize_with = "null_as_default")]
    pub access_key_id: String,
    /// Second part, secret.
    #[serde(deserialize_with = "null_as_default")]
    pub secret_access_key: String,
    /// Third part, secret.
    #[serde(deserialize_with = "null_as_default")]
    pub session_token: String,
    /// When they stop working.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub expiration: Option<EpochMillis>,
}

impl std::fmt::Debug for FleetRoleCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FleetRoleCredentials")
            .field("assumed_role_user_arn", &self.assumed_role_user_arn)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}
