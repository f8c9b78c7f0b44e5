//! Game sessions and player sessions as the server-SDK protocol carries them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::ids::{GameSessionId, PlayerSessionId};
use crate::lenient::mistyped_as_default;
use crate::open_enum::open_enum;

/// A moment, in milliseconds since the Unix epoch: the one unit of time in this protocol.
///
/// The official SDKs hand out three different units for it (Go seconds, C++ milliseconds, C# a date).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EpochMillis(pub i64);

impl EpochMillis {
    /// The moment as the standard library's type. Moments before 1970 read as 1970.
    pub fn to_system_time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

open_enum! {
    /// Where a game session stands (AWS API reference, `GameSession.Status`).
    GameSessionStatus {
        /// A process has it and is getting ready; no players yet.
        Activating = "ACTIVATING",
        /// Players may join.
        Active = "ACTIVE",
        /// Asked to end.
        Terminating = "TERMINATING",
        /// Over.
        Terminated = "TERMINATED",
        /// The service failed.
        Error = "ERROR",
        /// The SDKs' zero value.
        NotSet = "NOT_SET",
    }
}

open_enum! {
    /// Where a player session stands (AWS API reference, `PlayerSession.Status`).
    PlayerSessionStatus {
        /// The slot is held, for 60 s, until the player connects.
        Reserved = "RESERVED",
        /// The game server accepted the player.
        Active = "ACTIVE",
        /// The player left, or the game session ended.
        Completed = "COMPLETED",
        /// Nobody came within 60 s.
        TimedOut = "TIMEDOUT",
        /// The SDKs' zero value.
        NotSet = "NOT_SET",
    }
}

open_enum! {
    /// Whether a game session takes new players.
    PlayerSessionCreationPolicy {
        /// It does, while there are free slots.
        AcceptAll = "ACCEPT_ALL",
        /// It does not.
        DenyAll = "DENY_ALL",
        /// C++'s zero value, which that SDK does send.
        NotSet = "NOT_SET",
    }
}

open_enum! {
    /// Why the service pushed an update of a game session.
    UpdateReason {
        /// A backfill found players: the matchmaker data is new.
        MatchmakingDataUpdated = "MATCHMAKING_DATA_UPDATED",
        /// A backfill failed.
        BackfillFailed = "BACKFILL_FAILED",
        /// A backfill found nobody in time.
        BackfillTimedOut = "BACKFILL_TIMED_OUT",
        /// A backfill was cancelled.
        BackfillCancelled = "BACKFILL_CANCELLED",
        /// No reason given.
        Unknown = "UNKNOWN",
    }
}

/// A game session as pushes describe it. What the service leaves out is `None` or empty.
///
/// The key of the name is `Name` here, but `GameSessionName` in [`CreateGameSession`](crate::pushes::CreateGameSession).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct GameSession {
    /// Its id, an ARN.
    #[serde(deserialize_with = "mistyped_as_default")]
    pub game_session_id: GameSessionId,
    /// A label for people.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The fleet that runs it. Not part of `CreateGameSession`: a process knows its own.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub fleet_id: Option<String>,
    /// How many players it may hold at once, at most 200.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub maximum_player_session_count: Option<u32>,
    /// Where it stands.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub status: Option<GameSessionStatus>,
    /// Why it stands there.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// The address players connect to.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The port players connect to: the one this process announced.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The host name players connect to, where the fleet has certificates.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// What the creator of the session wants the server to know, up to 262,144 characters.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub game_session_data: Option<String>,
    /// The match as JSON in a string, if FlexMatch made the session: see [`crate::matchmaker_data`].
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub matchmaker_data: Option<String>,
    /// The creator's key-value pairs. An object here, a list of pairs in the AWS API.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub game_properties: BTreeMap<String, String>,
    /// The fleet location.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// A player session as `DescribePlayerSessions` lists it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct PlayerSession {
    /// The player, by the game's own id.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub player_id: Option<String>,
    /// The session's id.
    #[serde(deserialize_with = "mistyped_as_default")]
    pub player_session_id: PlayerSessionId,
    /// The game session it belongs to.
    #[serde(deserialize_with = "mistyped_as_default")]
    pub game_session_id: GameSessionId,
    /// The fleet.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub fleet_id: Option<String>,
    /// What the creator of the session wants the server to know about the player, up to 2,048 characters.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub player_data: Option<String>,
    /// The address of the game session.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The port of the game session.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// When it was created.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<EpochMillis>,
    /// When it ended; `None` while it lasts.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub termination_time: Option<EpochMillis>,
    /// The host name of the game session.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// Where it stands.
    #[serde(deserialize_with = "mistyped_as_default", skip_serializing_if = "Option::is_none")]
    pub status: Option<PlayerSessionStatus>,
}
