//! The backend's gRPC. Its comments are in `matchmaking/v1/matchmaking.proto`.

use std::fmt;

#[allow(missing_docs, clippy::all, unreachable_pub, reason = "generated")]
mod generated {
    include!("generated/matchmaking.v1.rs");
}

pub use generated::matchmaking_client::MatchmakingClient;
pub use generated::matchmaking_server::{Matchmaking, MatchmakingServer};
pub use generated::{
    AcceptRequest, Acceptance, CancelRequest, Connection, Endpoint, GetRequest, StartRequest, Status, Ticket,
    WatchRequest,
};

/// Without the player session id: whoever knows it may play in its owner's place.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}
