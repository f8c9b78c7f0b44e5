//! The use cases: what a caller can do, whichever door they came through.

mod cancel;
mod check;
mod events;
mod invite;
mod locations;
mod reconcile;
mod request;
mod session;
mod settings;
mod start;
mod trouble;
mod view;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tokio::sync::watch;

pub use self::check::{LATENCIES_MAX, LATENCY_MS_MAX, PARTY_MAX};
pub use self::request::{
    Beacon, HandleError, Handled, IdempotencyKey, Invite, InviteRequest, KEY_CHARACTERS, Location,
    PrivateRequest, Profile, StartRequest, Started,
};
pub use self::settings::{Settings, fleet_certificate};
use crate::caller::{Caller, PlayerId};
use crate::game_lift::GameLift;
use crate::problem::{Code, Problem};
use crate::push::{Push, Watchers};
use crate::store::{Row, Store};
use crate::ticket::{Connection, Ticket};

/// What time it is.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The backend behind every door. Clones are one and the same.
#[derive(Clone)]
pub struct Backend {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    store: Store,
    game_lift: Arc<dyn GameLift>,
    clock: Clock,
    watchers: Watchers,
    push: Option<Arc<dyn Push>>,
    locations: locations::Cache,
}

impl Backend {
    /// Over a table and GameLift. Players are told of news through [`Self::watch`] only.
    pub fn new(settings: Settings, store: Store, game_lift: Arc<dyn GameLift>, clock: Clock) -> Self {
        Self::with_push(settings, store, game_lift, clock, None)
    }

    /// The same, with another way to tell players of news besides [`Self::watch`].
    pub fn with_push(
        settings: Settings,
        store: Store,
        game_lift: Arc<dyn GameLift>,
        clock: Clock,
        push: Option<Arc<dyn Push>>,
    ) -> Self {
        let watchers = Watchers::default();
        let locations = locations::Cache::default();
        Self { inner: Arc::new(Inner { settings, store, game_lift, clock, watchers, push, locations }) }
    }

    /// Asks for a match. The skill of each player comes from their profile; latencies and attributes of a party's members from
    /// their invites, or else from the request.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`, `TICKET_ACTIVE`, `LATENCY_LOCATION_UNKNOWN`, `RATE_LIMITED`, `CONFIGURATION`, `MATCHMAKER_UNAVAILABLE`,
    /// `STORE_UNAVAILABLE`. After the latter two the same key starts again.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have started a ticket; the same key finds it.
    pub async fn start(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        request: StartRequest,
    ) -> Result<Started, Problem> {
        self.inner.start(caller, key, request).await
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
        caller: &Caller,
        key: &IdempotencyKey,
        request: PrivateRequest,
    ) -> Result<Started, Problem> {
        self.inner.start_private(caller, key, request).await
    }

    /// The caller's ticket of that id. If there has been no news for long, GameLift is asked.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ticket(&self, caller: &Caller, ticket_id: &str) -> Result<Ticket, Problem> {
        let row = self.inner.fresh(&caller.player, Some(ticket_id)).await?;
        Ok(self.inner.view(&row))
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
    pub async fn current(&self, caller: &Caller) -> Result<Ticket, Problem> {
        let row = self.inner.fresh(&caller.player, None).await?;
        Ok(self.inner.view(&row))
    }

    /// Gives up, for the whole party. A ticket that has ended without a seat stays as it is.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`; `TICKET_PLACED` with the ticket in its details if there is a seat already or one is being looked for;
    /// `MATCHMAKER_UNAVAILABLE`, `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have cancelled; calling again finds out.
    pub async fn cancel(&self, caller: &Caller, ticket_id: &str) -> Result<Ticket, Problem> {
        self.inner.cancel(&caller.player, ticket_id).await
    }

    /// Accepts or rejects a proposed match.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND`, `NOT_IN_ACCEPTANCE`, `MATCHMAKER_UNAVAILABLE`, `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have answered; answering the same again does no harm.
    pub async fn answer(&self, caller: &Caller, ticket_id: &str, accept: bool) -> Result<Ticket, Problem> {
        self.inner.answer(&caller.player, ticket_id, accept).await
    }

    /// The way back to the game session that the caller has a seat in. A seat that has lapsed is taken anew.
    ///
    /// # Errors
    ///
    /// `NO_SESSION`, `MATCHMAKER_UNAVAILABLE`, `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may have reserved a seat, which lapses.
    pub async fn session(&self, caller: &Caller) -> Result<Connection, Problem> {
        self.inner.session(&caller.player).await
    }

    /// Makes a token by which whoever gets it may start a match with the caller in their party, as the caller says here.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST`, `LATENCY_LOCATION_UNKNOWN`, `MATCHMAKER_UNAVAILABLE`, `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way it may leave a token that nobody knows; it expires.
    pub async fn invite(&self, caller: &Caller, request: InviteRequest) -> Result<Invite, Problem> {
        self.inner.invite(caller, request).await
    }

    /// Where games may be hosted.
    ///
    /// # Errors
    ///
    /// `MATCHMAKER_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn locations(&self) -> Result<Vec<Location>, Problem> {
        self.inner.locations().await.map(|locations| locations.to_vec())
    }

    /// What the backend knows of the caller.
    ///
    /// # Errors
    ///
    /// `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn profile(&self, caller: &Caller) -> Result<Profile, Problem> {
        let Inner { store, settings, .. } = &*self.inner;
        let profile = store.profile(&caller.player, settings.initial_skill, self.inner.now()).await?;
        Ok(Profile {
            public_id: public_id(&caller.player),
            skill: profile.skill,
            created_at: profile.created,
        })
    }

    /// Sets what the server thinks of a player, from their next ticket on: for whoever rates games after they are over. No
    /// client's request leads here.
    ///
    /// # Errors
    ///
    /// `BAD_REQUEST` for a skill that is no number; `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// It may have been set.
    pub async fn set_skill(&self, player: &PlayerId, skill: f64) -> Result<(), Problem> {
        if !skill.is_finite() {
            return Err(Problem::new(
                Code::BadRequest,
                format!("skill is {skill}; it must be a finite number"),
            ));
        }
        Ok(self.inner.store.set_skill(player, skill, self.inner.now()).await?)
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
    pub async fn handle(&self, event: &str) -> Result<Handled, HandleError> {
        self.inner.handle(event).await
    }

    /// News of a player's ticket from now on, for doors that are held open: watch first, then read the ticket. What the receiver
    /// holds until it has changed is old, or none. A closed receiver means that too many players are watched for: ask instead.
    pub fn watch(&self, player: &PlayerId) -> watch::Receiver<Option<Ticket>> {
        self.inner.watchers.watch(player)
    }

    /// Whether the table can be reached.
    ///
    /// # Errors
    ///
    /// `STORE_UNAVAILABLE`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub async fn ready(&self) -> Result<(), Problem> {
        Ok(self.inner.store.ping().await?)
    }
}

impl Inner {
    /// Milliseconds since 1970.
    fn now(&self) -> u64 {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Until when the way into a game is kept that begins now.
    fn keep_until(&self) -> u64 {
        self.now().saturating_add(millis(self.settings.session_length))
    }

    fn view(&self, row: &Row) -> Ticket {
        view::ticket(row, &self.settings, self.now())
    }

    async fn tell(&self, player: &PlayerId, row: &Row) {
        let ticket = self.view(row);
        self.watchers.tell(player, &ticket).await;
        if let Some(push) = &self.push {
            push.tell(player, &ticket).await;
        }
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Half of a SHA-256: tells players apart, and leads back to no identity, as those have 122 random bits themselves.
fn public_id(player: &PlayerId) -> String {
    let hash = Sha256::digest(format!("public player id\n{}", player.as_str()));
    hex::encode(&hash[..16])
}
