//! Player sessions.

use std::collections::BTreeMap;

use super::{answer, request, wire_enum};
use crate::Timestamp;

request! {
    /// Input of CreatePlayerSession.
    CreatePlayerSessionInput {
        /// ARN of the game session. Required.
        game_session_id: String => required ARN,
        /// The game's own id of the player, 1 to 1024 characters. Required.
        player_id: String => required PLAYER_ID,
        /// Anything, up to 2048 characters.
        player_data: String => optional PLAYER_DATA,
    }
}

answer! {
    /// Output of CreatePlayerSession.
    CreatePlayerSessionOutput {
        /// The reserved slot.
        player_session: PlayerSession,
    }
}

request! {
    /// Input of CreatePlayerSessions.
    CreatePlayerSessionsInput {
        /// ARN of the game session. Required.
        game_session_id: String => required ARN,
        /// 1 to 25 players. Required.
        player_ids: Vec<String> => required List(1..=25, &PLAYER_ID),
        /// Data by player id; ids that are not asked for are ignored.
        player_data_map: BTreeMap<String, String> => optional Map(&NON_ZERO_AND_MAX, &PLAYER_DATA),
    }
}

answer! {
    /// Output of CreatePlayerSessions.
    CreatePlayerSessionsOutput {
        /// The reserved slots, in the order asked for.
        player_sessions: Vec<PlayerSession>,
    }
}

wire_enum! {
    /// Where a player session is in its life.
    PlayerSessionStatus {
        /// A slot is held for 60 seconds.
        Reserved = "RESERVED",
        /// The server process has accepted the player.
        Active = "ACTIVE",
        /// The player has left, or the game session has ended.
        Completed = "COMPLETED",
        /// The player did not come in time.
        TimedOut = "TIMEDOUT",
    }
}

answer! {
    /// A player's slot in a game session.
    PlayerSession {
        /// `psess-` and a UUID: the player's proof.
        player_session_id: String,
        /// The game's own id of the player.
        player_id: String,
        /// ARN of the game session.
        game_session_id: String,
        /// Its fleet.
        fleet_id: String,
        /// Its fleet's ARN.
        fleet_arn: String,
        /// When the slot was reserved.
        creation_time: Timestamp,
        /// Its status.
        status: PlayerSessionStatus,
        /// The port to connect to.
        port: u16,
        ; optional:
        /// When it was completed or timed out.
        termination_time: Timestamp,
        /// The IP address to connect to.
        ip_address: String,
        /// The DNS name to connect to.
        dns_name: String,
        /// What CreatePlayerSession was given.
        player_data: String,
    }
}

request! {
    /// Input of DescribePlayerSessions.
    DescribePlayerSessionsInput {
        /// All of this game session. One of the three ids is required.
        game_session_id: String => optional ARN,
        /// All of this player.
        player_id: String => optional PLAYER_ID,
        /// This one.
        player_session_id: String => optional PLAYER_SESSION_ID,
        /// Only with this status; has an effect together with a game session id.
        player_session_status_filter: String => optional NON_ZERO_AND_MAX,
        /// Most player sessions per page.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_ZERO_AND_MAX,
    }
}

answer! {
    /// Output of DescribePlayerSessions.
    DescribePlayerSessionsOutput {
        /// One page.
        player_sessions: Vec<PlayerSession>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}
