//! Matchmaking tickets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    model::{answer, checked, request, structure, wire_enum},
};

request! {
    /// Input of StartMatchmaking.
    StartMatchmakingInput {
        /// The caller's own id, up to 128 letters, digits, hyphens and dots; a UUID when absent.
        ticket_id: String => optional MATCHMAKING_ID,
        /// Name or ARN of a configuration. Required.
        configuration_name: String => required MATCHMAKING_CONFIGURATION_NAME,
        /// 1 to 10 players, who stay together. Required.
        players: Vec<Player> => required List(1..=10, Nested),
    }
}

request! {
    /// Input of StartMatchBackfill.
    StartMatchBackfillInput {
        /// The caller's own id, up to 128 letters, digits, hyphens and dots; a UUID when absent.
        ticket_id: String => optional MATCHMAKING_ID,
        /// Name or ARN of a configuration. Required.
        configuration_name: String => required MATCHMAKING_CONFIGURATION_NAME,
        /// The game session to fill. Required, except for `STANDALONE`.
        game_session_arn: String => optional ARN,
        /// Everybody in the game session, each with its team: 1 to 199 players. Required.
        players: Vec<Player> => required List(1..=199, Nested),
    }
}

request! {
    /// Input of DescribeMatchmaking.
    DescribeMatchmakingInput {
        /// Up to 10 ids. Required.
        ticket_ids: Vec<String> => required List(1..=10, &MATCHMAKING_ID),
    }
}

request! {
    /// Input of StopMatchmaking.
    StopMatchmakingInput {
        /// The ticket's id. Required.
        ticket_id: String => required MATCHMAKING_ID,
    }
}

request! {
    /// Input of AcceptMatch.
    AcceptMatchInput {
        /// The ticket's id. Required.
        ticket_id: String => required MATCHMAKING_ID,
        /// Those of its players who answer. Required.
        player_ids: Vec<String> => required List(1..=10, &PLAYER_ID),
        /// `ACCEPT` or `REJECT`. Required.
        acceptance_type: String => required OneOf(&["ACCEPT", "REJECT"]),
    }
}

answer! {
    /// Output of StartMatchmaking and StartMatchBackfill.
    MatchmakingTicketOutput {
        /// The ticket.
        matchmaking_ticket: MatchmakingTicket,
    }
}

answer! {
    /// Output of DescribeMatchmaking.
    DescribeMatchmakingOutput {
        /// Those that are known.
        ticket_list: Vec<MatchmakingTicket>,
    }
}

wire_enum! {
    /// Where a ticket is in its life.
    MatchmakingTicketStatus {
        /// Accepted, and not yet looked at.
        Queued = "QUEUED",
        /// Waiting for a match.
        Searching = "SEARCHING",
        /// In a match that its players are asked about.
        RequiresAcceptance = "REQUIRES_ACCEPTANCE",
        /// In a match that is getting a game session.
        Placing = "PLACING",
        /// In a game session.
        Completed = "COMPLETED",
        /// The match got no game session.
        Failed = "FAILED",
        /// Stopped, or a player did not accept.
        Cancelled = "CANCELLED",
        /// The configuration's request timeout passed.
        TimedOut = "TIMED_OUT",
    }
}

answer! {
    /// A request for a match, and what has become of it.
    MatchmakingTicket {
        /// Its id.
        ticket_id: String,
        /// The configuration's name.
        configuration_name: String,
        /// The configuration's ARN.
        configuration_arn: String,
        /// Its status.
        status: MatchmakingTicketStatus,
        /// When it was asked for.
        start_time: Timestamp,
        /// Its players, with the attributes that the rule set knows, defaults included.
        players: Vec<Player>,
        ; optional:
        /// A word about its status.
        status_reason: String,
        /// A sentence about its status.
        status_message: String,
        /// When it ended.
        end_time: Timestamp,
        /// Where to connect, once it is COMPLETED.
        game_session_connection_info: GameSessionConnectionInfo,
        /// How long tickets of the configuration have waited so far, on average, in seconds.
        estimated_wait_time: u64,
    }
}

answer! {
    /// Where the players of a match connect.
    GameSessionConnectionInfo {
        /// The game session's ARN.
        game_session_arn: String,
        /// The IP address.
        ip_address: String,
        /// The port.
        port: u16,
        /// The slots reserved for the ticket's players.
        matched_player_sessions: Vec<MatchedPlayerSession>,
        /// `DISABLED`: Anywhere fleets have no player gateway.
        player_gateway_status: String,
        ; optional:
        /// The DNS name.
        dns_name: String,
    }
}

answer! {
    /// A slot that a match reserved.
    MatchedPlayerSession {
        /// The game's own id of the player.
        player_id: String,
        /// The player's proof.
        player_session_id: String,
    }
}

structure! {
    /// A player who wants a match, or has one.
    Player {
        /// The game's own id of the player. Required.
        player_id: String => required PLAYER_ID,
        /// What rules look at, 10 at most.
        player_attributes: BTreeMap<String, AttributeValue> => optional Map(&NON_ZERO_AND_MAX, Nested),
        /// The team: in requests for players of a running game session, in answers once the match is COMPLETED.
        team: String => optional NON_ZERO_AND_MAX,
        /// Milliseconds by location, at least 1.
        latency_in_ms: BTreeMap<String, i64> => optional Map(&NON_EMPTY, POSITIVE_INTEGER),
    }
}

/// The value of a player attribute: exactly one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttributeValue {
    /// A text of 1 to 100 characters.
    #[serde(rename = "S", skip_serializing_if = "Option::is_none")]
    pub s: Option<String>,
    /// A number.
    #[serde(rename = "N", skip_serializing_if = "Option::is_none")]
    pub n: Option<f64>,
    /// Texts of 1 to 100 characters.
    #[serde(rename = "SL", skip_serializing_if = "Option::is_none")]
    pub sl: Option<Vec<String>>,
    /// Numbers under names of 1 to 100 characters.
    #[serde(rename = "SDM", skip_serializing_if = "Option::is_none")]
    pub sdm: Option<BTreeMap<String, f64>>,
}

checked!(AttributeValue {
    s => optional PLAYER_ATTRIBUTE,
    n => optional Any,
    sl => optional List(0..=usize::MAX, &PLAYER_ATTRIBUTE),
    sdm => optional Map(&PLAYER_ATTRIBUTE, Any),
});
