//! What the backend needs of the GameLift API: the port, and through the AWS SDK what is behind it.

mod aws;

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

pub use self::aws::{ATTEMPT_TIMEOUT, AwsGameLift, CONNECT_TIMEOUT, OPERATION_TIMEOUT, timeouts};
use crate::caller::PlayerId;
use crate::service::Location;
use crate::ticket::{Endpoint, Status};

/// What GameLift did not do, sorted by what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GameLiftError {
    /// The request is wrong, or too late for the state that things are in. Nothing was done.
    #[error("GameLift refused: {0}")]
    Refused(String),
    /// There is no such thing: a configuration or queue if it was to be used, a ticket or session if it was asked for.
    #[error("GameLift has none: {0}")]
    NotFound(String),
    /// The backend may not, or not here. Nothing was done, and nothing will be until somebody mends it.
    #[error("GameLift does not let the backend: {0}")]
    Forbidden(String),
    /// Nothing was done; later it may be.
    #[error("GameLift asks for patience or cannot be reached: {0}")]
    Unavailable(String),
    /// It may have been done. Ask what is there before doing it again.
    #[error("it is not known whether GameLift did it: {0}")]
    Unclear(String),
}

/// A player attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A list of strings.
    List(Vec<String>),
    /// Numbers by name.
    Map(BTreeMap<String, f64>),
}

/// A player who looks for a match or a seat.
#[derive(Clone, Debug, PartialEq)]
pub struct Seeker {
    /// Who.
    pub player: PlayerId,
    /// What rules go by.
    pub attributes: BTreeMap<String, Attribute>,
    /// Milliseconds to locations.
    pub latencies: BTreeMap<String, u32>,
}

/// StartMatchmaking.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchRequest {
    /// Ours: GameLift would make one up, and nobody could find the ticket if the answer got lost.
    pub ticket_id: String,
    /// The matchmaking configuration.
    pub configuration: String,
    /// A player, or a party.
    pub players: Vec<Seeker>,
}

/// StartGameSessionPlacement.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacementRequest {
    /// Ours.
    pub ticket_id: String,
    /// The queue.
    pub queue: String,
    /// Seats.
    pub max_players: u16,
    /// The only place to look, in which case latencies do not count.
    pub location: Option<String>,
    /// Who gets a seat at once.
    pub players: Vec<Seeker>,
}

/// A ticket or a placement when asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Where it is.
    pub status: Status,
    /// How long it may take.
    pub estimated_wait_ms: Option<u64>,
    /// Why it ended without a seat.
    pub reason: Option<String>,
    /// Where to play.
    pub place: Option<Place>,
    /// Who is in which team.
    pub teams: BTreeMap<PlayerId, String>,
    /// Whose seat is which.
    pub seats: BTreeMap<PlayerId, String>,
}

/// A game session and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its ARN.
    pub game_session_id: String,
    /// Its address.
    pub endpoint: Endpoint,
}

/// Where a player session is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatStatus {
    /// Kept for the player.
    Reserved,
    /// The player is there, as far as the game server knows.
    Active,
    /// The player has left, or did not come in time.
    Over,
}

/// A player session.
#[derive(Clone, PartialEq, Eq)]
pub struct Seat {
    /// A secret between the player and the game server.
    pub player_session_id: String,
    /// Where it is in its life.
    pub status: SeatStatus,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Seat").field("status", &self.status).finish_non_exhaustive()
    }
}

type Answer<'a, T> = BoxFuture<'a, Result<T, GameLiftError>>;

/// What the backend needs of the GameLift API.
///
/// Dropping a future does not take back what it has sent.
pub trait GameLift: Send + Sync {
    /// StartMatchmaking.
    fn start_matchmaking(&self, request: MatchRequest) -> Answer<'_, ()>;

    /// DescribeMatchmaking for one ticket; none if there is no such ticket.
    fn describe_matchmaking<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, Option<Report>>;

    /// StopMatchmaking.
    fn stop_matchmaking<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, ()>;

    /// AcceptMatch for one player.
    fn accept_match<'a>(&'a self, ticket_id: &'a str, player: &'a PlayerId, accept: bool) -> Answer<'a, ()>;

    /// StartGameSessionPlacement.
    fn start_placement(&self, request: PlacementRequest) -> Answer<'_, ()>;

    /// DescribeGameSessionPlacement; none if there is no such placement.
    fn describe_placement<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, Option<Report>>;

    /// StopGameSessionPlacement.
    fn stop_placement<'a>(&'a self, ticket_id: &'a str) -> Answer<'a, ()>;

    /// DescribePlayerSessions for one; none if there is no such player session.
    fn seat<'a>(&'a self, player_session_id: &'a str) -> Answer<'a, Option<Seat>>;

    /// CreatePlayerSession. [`GameLiftError::Refused`] if the game session is full or over.
    fn take_seat<'a>(&'a self, game_session_id: &'a str, player: &'a PlayerId) -> Answer<'a, Seat>;

    /// ListLocations, all of them.
    fn locations(&self) -> Answer<'_, Vec<Location>>;
}
