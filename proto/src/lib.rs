//! The sample game's messages, in the order in which they are met.
//!
//! 1. The client connects by QUIC, with [`ALPN`], and verifies the server's certificate,
//!    by its [`Fingerprint`] or by DNS name.
//! 2. It opens the one bidirectional stream and sends [`Hello`] with its player session id in a [`frame`].
//! 3. The server asks GameLift and answers, in [`ServerMessage`]s on the same stream: [`Welcome`], or [`Refused`]
//!    and a [`close`] code.
//! 4. From then on the client sends [`Input`]s and the server [`Snapshot`]s, one per datagram. What must not be
//!    lost ([`PlayerJoined`], [`PlayerLeft`], [`ServerClosing`]) follows Welcome on the stream.
//! 5. A client leaves by closing the connection with [`close::DONE`]. One whose connection was lost comes back on a new
//!    one, with the token of the newest Welcome in its Hello.
//!
//! The backend's gRPC, `matchmaking`, is behind a feature of that name.
//!
//! The types are generated from `game/v1/*.proto` and `matchmaking/v1/*.proto` and checked in, so that building needs no protoc; a test
//! compares them with their source.

use std::fmt;

pub mod close;
mod fingerprint;
pub mod frame;
#[cfg(feature = "matchmaking")]
pub mod matchmaking;

#[allow(missing_docs, reason = "generated; oneofs have no comments of their own")]
mod generated {
    include!("generated/game.v1.rs");
}

pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use generated::{
    Hello, Input, PlayerJoined, PlayerLeft, RefusalReason, Refused, ServerClosing, ServerMessage, Snapshot,
    Welcome, server_message,
};
pub use prost::{DecodeError, Message};

/// What client and server must agree on before any message: another game on the port is not spoken to.
pub const ALPN: &[u8] = b"game/1";

/// The version of the messages. A server refuses others: both sides of this game are released together.
pub const PROTOCOL_VERSION: u32 = 1;

/// Longest datagram either side sends, in bytes.
///
/// Path MTU discovery is off (a player's connection is short and its probes cost more than they bring), so packets
/// are QUIC's minimum of 1,200 bytes; 1,150 leaves room for its headers.
pub const DATAGRAM_LEN_MAX: usize = 1150;

/// Without the player session id: whoever knows it may play in its owner's place.
impl fmt::Debug for Hello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello").field("protocol_version", &self.protocol_version).finish_non_exhaustive()
    }
}

/// Without the resume token: whoever knows it takes the player's seat.
impl fmt::Debug for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Welcome")
            .field("player_number", &self.player_number)
            .field("players_max", &self.players_max)
            .field("resume_seconds", &self.resume_seconds)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_does_not_print_the_player_session_id() {
        let hello =
            Hello { protocol_version: 1, player_session_id: "psess-secret".to_owned(), ..Hello::default() };
        assert_eq!(format!("{hello:?}"), "Hello { protocol_version: 1, .. }");
    }
}
