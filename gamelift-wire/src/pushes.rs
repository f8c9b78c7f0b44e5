//! What the service says unasked. A push is never answered, never repeated, and never carries a `RequestId`: both
//! official SDKs take one with a `RequestId` and no `StatusCode` 200 for a failed response and drop it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::action::Action;
use crate::ids::{AuthToken, GameSessionId};
use crate::lenient::{empty_as_none, mistyped_as_default};
use crate::model::{EpochMillis, GameSession, UpdateReason};

/// A message from the service to a process that nobody asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Push {
    /// Host this game session (`OnStartGameSession`).
    CreateGameSession(CreateGameSession),
    /// A game session changed (`OnUpdateGameSession`).
    UpdateGameSession(UpdateGameSession),
    /// End, by this time (`OnProcessTerminate`).
    TerminateProcess(TerminateProcess),
    /// Move to this endpoint with this token.
    RefreshConnection(RefreshConnection),
}

impl Push {
    /// The word that names it on the wire.
    pub fn action(&self) -> Action {
        match self {
            Self::CreateGameSession(_) => Action::CreateGameSession,
            Self::UpdateGameSession(_) => Action::UpdateGameSession,
            Self::TerminateProcess(_) => Action::TerminateProcess,
            Self::RefreshConnection(_) => Action::RefreshConnection,
        }
    }

    /// The frame's text.
    pub fn to_text(&self) -> String {
        let action = self.action();
        match self {
            Self::CreateGameSession(body) => frame(&action, body),
            Self::UpdateGameSession(body) => frame(&action, body),
            Self::TerminateProcess(body) => frame(&action, body),
            Self::RefreshConnection(body) => frame(&action, body),
        }
    }
}

fn frame<B: Serialize>(action: &Action, body: &B) -> String {
    #[derive(Serialize)]
    struct Frame<'a, B> {
        #[serde(rename = "Action")]
        action: &'a Action,
        #[serde(flatten)]
        body: &'a B,
    }
    serde_json::to_string(&Frame { action, body }).expect("string keys and plain values always serialise")
}

/// Host this game session.
///
/// Both official SDKs lose it when it comes right behind the answer to `ActivateServerProcess`; a service should wait for
/// the first heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateGameSession {
    /// The game session's id, an ARN. A push without one is of no use: see [`Self::is_usable`].
    #[serde(deserialize_with = "mistyped_as_default")]
    pub game_session_id: GameSessionId,
    /// A label for people; `Name` everywhere else.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub game_session_name: Option<String>,
    /// What the creator wants the server to know.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub game_session_data: Option<String>,
    /// The match as JSON in a string.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub matchmaker_data: Option<String>,
    /// How many players it may hold at once.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub maximum_player_session_count: Option<u32>,
    /// The port players are told.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The address players are told.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The host name players are told.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// The creator's key-value pairs: an object of strings. Go drops the message if it is a list of pairs.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub game_properties: BTreeMap<String, String>,
}

impl CreateGameSession {
    /// Whether it names a game session.
    pub fn is_usable(&self) -> bool {
        !self.game_session_id.is_empty()
    }

    /// The same as a [`GameSession`]. The push names no fleet, so the process fills in its own, as the official SDKs do.
    pub fn into_game_session(self, fleet_id: &str) -> GameSession {
        GameSession {
            game_session_id: self.game_session_id,
            name: self.game_session_name,
            fleet_id: Some(fleet_id.to_owned()),
            maximum_player_session_count: self.maximum_player_session_count,
            ip_address: self.ip_address,
            port: self.port,
            dns_name: self.dns_name,
            game_session_data: self.game_session_data,
            matchmaker_data: self.matchmaker_data,
            game_properties: self.game_properties,
            ..GameSession::default()
        }
    }
}

/// A game session changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateGameSession {
    /// Why. `None` if the service does not say.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub update_reason: Option<UpdateReason>,
    /// The backfill ticket this is about.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub backfill_ticket_id: Option<String>,
    /// The game session as it is now. Empty if the service leaves it out; the official SDKs call back all the same.
    #[serde(deserialize_with = "mistyped_as_default")]
    pub game_session: GameSession,
}

/// End, by this time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TerminateProcess {
    /// When the service will stop waiting. Must be written as an integer: `1.0` makes Go drop the message and C++ read -1.
    #[serde(deserialize_with = "whole_millis", skip_serializing_if = "Option::is_none")]
    pub termination_time: Option<EpochMillis>,
}

/// Move to this endpoint with this token. Sent again, with a minute between, until the process has moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RefreshConnection {
    /// The new base URL.
    #[serde(deserialize_with = "mistyped_as_default")]
    pub refresh_connection_endpoint: String,
    /// The new token. Without one, the process connects without `Authorization`, as the official SDKs do.
    #[serde(deserialize_with = "token", skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<AuthToken>,
}

fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AuthToken>, D::Error> {
    Ok(empty_as_none(deserializer)?.map(AuthToken::new_unchecked))
}

/// An integer, or a float that happens to be whole; anything else reads as absent.
fn whole_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EpochMillis>, D::Error> {
    let value: Option<serde_json::Number> = mistyped_as_default(deserializer)?;
    let millis = value.and_then(|number| {
        let whole = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15);
        number.as_i64().or_else(|| whole().map(|float| float as i64))
    });
    Ok(millis.map(EpochMillis))
}
