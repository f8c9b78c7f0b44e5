//! The use cases: what a caller can do, whichever door they came through.

mod request;
mod settings;

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;

pub use self::request::{
    Beacon, HandleError, Handled, IdempotencyKey, Invite, KEY_CHARACTERS, Location, PrivateRequest, Profile,
    StartRequest, Started,
};
pub use self::settings::Settings;
use crate::caller::{Caller, PlayerId};
use crate::game_lift::GameLift;
use crate::problem::{Code, Problem};
use crate::store::Store;
use crate::ticket::{Connection, Ticket};

/// What time it is.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The backend behind every door. Clones are one and the same.
#[derive(Clone)]
pub struct Backend {
    _inner: Arc<Inner>,
}

struct Inner {
    _settings: Settings,
    _store: Store,
    _game_lift: Arc<dyn GameLift>,
    _clock: Clock,
    _nothing: watch::Sender<Option<Ticket>>,
}

fn missing() -> Problem {
    Problem::new(Code::Internal, "not available yet")
}

impl Backend {
    /// Over a table and GameLift.
    pub fn new(settings: Settings, store: Store, game_lift: Arc<dyn GameLift>, clock: Clock) -> Self {
        let (nothing, _) = watch::channel(None);
        Self {
            _inner: Arc::new(Inner {
                _settings: settings,
                _store: store,
                _game_lift: game_lift,
                _clock: clock,
                _nothing: nothing,
            }),
        }
    }

    /// Asks for a match.
    ///
    /// # Errors
    ///
    /// [`Code::BadRequest`], [`Code::TicketActive`], [`Code::LatencyLocationUnknown`], [`Code::RateLimited`],
    /// [`Code::Configuration`], [`Code::MatchmakerUnavailable`], [`Code::StoreUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have started a ticket; the same key finds it.
    pub async fn start(
        &self,
        _caller: &Caller,
        _key: &IdempotencyKey,
        _request: StartRequest,
    ) -> Result<Started, Problem> {
        Err(missing())
    }

    /// The caller's ticket of that id, asking GameLift if there has been no news for long.
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`], [`Code::StoreUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ticket(&self, _caller: &Caller, _ticket_id: &str) -> Result<Ticket, Problem> {
        Err(missing())
    }

    /// The caller's latest ticket.
    ///
    /// # Errors
    ///
    /// As [`Self::ticket`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn current(&self, _caller: &Caller) -> Result<Ticket, Problem> {
        Err(missing())
    }

    /// Gives up. A ticket that has ended stays as it is.
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`]; [`Code::TicketPlaced`] with the ticket in its details if there is a seat already;
    /// [`Code::MatchmakerUnavailable`], [`Code::StoreUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have cancelled; calling again finds out.
    pub async fn cancel(&self, _caller: &Caller, _ticket_id: &str) -> Result<Ticket, Problem> {
        Err(missing())
    }

    /// Accepts or rejects a proposed match.
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`], [`Code::NotInAcceptance`], [`Code::MatchmakerUnavailable`], [`Code::StoreUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have answered; answering the same again does no harm.
    pub async fn answer(&self, _caller: &Caller, _ticket_id: &str, _accept: bool) -> Result<Ticket, Problem> {
        Err(missing())
    }

    /// The way back to the game session that the caller has a seat in.
    ///
    /// # Errors
    ///
    /// [`Code::NoSession`], [`Code::MatchmakerUnavailable`], [`Code::StoreUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have reserved a seat, which lapses.
    pub async fn session(&self, _caller: &Caller) -> Result<Connection, Problem> {
        Err(missing())
    }

    /// Asks for a game session of one's own. It is told of as a ticket.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    ///
    /// # Cancel safety
    ///
    /// As [`Self::start`].
    pub async fn start_private(
        &self,
        _caller: &Caller,
        _key: &IdempotencyKey,
        _request: PrivateRequest,
    ) -> Result<Started, Problem> {
        Err(missing())
    }

    /// Makes a token by which whoever gets it may start a match with the caller in their party.
    ///
    /// # Errors
    ///
    /// [`Code::StoreUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may leave a token that nobody knows; it expires.
    pub async fn invite(&self, _caller: &Caller) -> Result<Invite, Problem> {
        Err(missing())
    }

    /// Where games may be hosted.
    ///
    /// # Errors
    ///
    /// [`Code::MatchmakerUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn locations(&self) -> Result<Vec<Location>, Problem> {
        Err(missing())
    }

    /// What the backend knows of the caller.
    ///
    /// # Errors
    ///
    /// [`Code::StoreUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn profile(&self, _caller: &Caller) -> Result<Profile, Problem> {
        Err(missing())
    }

    /// Takes an event: the JSON of EventBridge's shape that GameLift publishes, which is the `Message` in SNS's envelope. The
    /// same event twice, or an old one after a new one, changes nothing.
    ///
    /// # Errors
    ///
    /// [`HandleError`]: have it delivered again.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have told some players of a ticket and not others: have it delivered again.
    pub async fn handle(&self, _event: &str) -> Result<Handled, HandleError> {
        Ok(Handled::default())
    }

    /// News of a player's ticket, for doors that are held open. It starts with none: read the ticket first.
    pub fn watch(&self, _player: &PlayerId) -> watch::Receiver<Option<Ticket>> {
        self._inner._nothing.subscribe()
    }

    /// Whether the table can be reached.
    ///
    /// # Errors
    ///
    /// [`Code::StoreUnavailable`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ready(&self) -> Result<(), Problem> {
        Err(missing())
    }
}
