//! The one task that owns the engine. Commands come in over a bounded channel, effects go out to connections and to
//! readers of events.

mod alarms;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use gamelift_wire::connect::ConnectQuery;
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::yield_now,
    time::{Instant, sleep_until},
};

use self::alarms::Alarms;
use crate::{
    Timestamp,
    clock::RunningClock,
    engine::{ConnectionId, Effect, Engine, Event, Refused},
    events::{EVENTS_KEPT, Events},
};

/// Commands waiting for the engine. Senders wait when it is full, which slows sockets down instead of filling memory.
const COMMANDS_MAX: usize = 1024;
/// Frames waiting for one connection. A peer that reads so slowly is disconnected; it will connect again.
pub(crate) const OUTBOX_MAX: usize = 1024;
/// Events published before others get a turn: one jump of the clock may publish thousands, and readers of the broadcast
/// must not fall behind for that. Tokio lets a reader take 128 in one turn.
const EVENTS_PER_TURN: usize = 64;
/// How long to sleep when no timer is set: as good as for ever.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// What the service sends on a server-SDK connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromService {
    /// A text frame.
    Text(String),
    /// The service closes the connection: with a close code, or abruptly. Nothing follows.
    Closed(Option<u16>),
}

type Job = Box<dyn FnOnce(&mut Engine, Timestamp) + Send>;

enum Command {
    Run(Job),
    Connect {
        query: Box<ConnectQuery>,
        endpoint: Option<Arc<str>>,
        outbox: mpsc::Sender<FromService>,
        reply: oneshot::Sender<Result<ConnectionId, Refused>>,
    },
    Text {
        connection: ConnectionId,
        text: String,
    },
    Disconnected {
        connection: ConnectionId,
    },
    Advance {
        by: Duration,
        reply: oneshot::Sender<()>,
    },
    WakeAt {
        at: Timestamp,
        reply: oneshot::Sender<Timestamp>,
    },
    Stop,
}

/// The service has been shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this local GameLift has been shut down")]
pub(crate) struct Stopped;

/// Sends commands to the engine. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    commands: mpsc::Sender<Command>,
    /// Weak, so that readers see the end of the service.
    events: broadcast::WeakSender<Arc<Event>>,
}

impl Handle {
    /// Runs something on the engine and gives its result.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Engine, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (reply, result) = oneshot::channel();
        let job: Job = Box::new(move |engine, now| {
            // Whoever asked may have gone; what they asked for has happened all the same.
            let _ = reply.send(job(engine, now));
        });
        self.send(Command::Run(job)).await?;
        result.await.map_err(|_| Stopped)
    }

    /// Opens a server-SDK connection that came through `endpoint`; what the service sends on it goes to `outbox`.
    pub(crate) async fn connect(
        &self,
        query: ConnectQuery,
        endpoint: Option<Arc<str>>,
        outbox: mpsc::Sender<FromService>,
    ) -> Result<ConnectionId, Refused> {
        let stopped = |_| Refused { status: 503, message: Stopped.to_string() };
        let (reply, result) = oneshot::channel();
        self.send(Command::Connect { query: Box::new(query), endpoint, outbox, reply })
            .await
            .map_err(stopped)?;
        result.await.map_err(|_| stopped(Stopped))?
    }

    pub(crate) async fn text(&self, connection: ConnectionId, text: String) -> Result<(), Stopped> {
        self.send(Command::Text { connection, text }).await
    }

    pub(crate) async fn disconnected(&self, connection: ConnectionId) {
        // After a shutdown nobody keeps books any more.
        let _ = self.send(Command::Disconnected { connection }).await;
    }

    pub(crate) async fn advance(&self, by: Duration) -> Result<(), Stopped> {
        let (reply, done) = oneshot::channel();
        self.send(Command::Advance { by, reply }).await?;
        done.await.map_err(|_| Stopped)
    }

    /// Waits until it is `at` by the service's clock. Gives the time it is then.
    pub(crate) async fn wait_until(&self, at: Timestamp) -> Result<Timestamp, Stopped> {
        let (reply, woken) = oneshot::channel();
        self.send(Command::WakeAt { at, reply }).await?;
        woken.await.map_err(|_| Stopped)
    }

    /// Ends the driver behind everything that was sent before.
    pub(crate) async fn stop(&self) {
        // It may have ended already.
        let _ = self.send(Command::Stop).await;
    }

    /// Every event from now on. `None` after a shutdown.
    pub(crate) fn events(&self) -> Option<Events> {
        self.events.upgrade().map(|events| Events::new(events.subscribe()))
    }

    async fn send(&self, command: Command) -> Result<(), Stopped> {
        self.commands.send(command).await.map_err(|_| Stopped)
    }
}

/// Owns the engine. Nothing happens unless [`Driver::run`] is polled.
pub(crate) struct Driver {
    engine: Engine,
    clock: RunningClock,
    commands: mpsc::Receiver<Command>,
    outboxes: BTreeMap<ConnectionId, mpsc::Sender<FromService>>,
    events: broadcast::Sender<Arc<Event>>,
    /// Who must not miss an event: the service waits for it.
    record: Option<mpsc::Sender<Arc<Event>>>,
    /// Events published in this turn.
    published: usize,
    alarms: Alarms,
}

impl Driver {
    pub(crate) fn new(engine: Engine, clock: RunningClock) -> (Handle, Self) {
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let handle = Handle { commands: sender, events: events.downgrade() };
        let driver = Self {
            engine,
            clock,
            commands,
            outboxes: BTreeMap::new(),
            events,
            record: None,
            published: 0,
            alarms: Alarms::default(),
        };
        (handle, driver)
    }

    /// Every event, for a reader that must not miss any. When it is [`EVENTS_KEPT`] behind, the service waits for it.
    pub(crate) fn record(&mut self) -> mpsc::Receiver<Arc<Event>> {
        let (record, events) = mpsc::channel(EVENTS_KEPT);
        self.record = Some(record);
        events
    }

    /// Runs until it is told to stop, or until every handle is gone.
    ///
    /// Everything that is due is carried out before anybody is told what time it is: whoever waits for a time finds
    /// the events before it published.
    pub(crate) async fn run(mut self) {
        let sleep = sleep_until(Instant::now() + IDLE);
        tokio::pin!(sleep);
        loop {
            let wake = self.engine.poll_timeout().into_iter().chain(self.alarms.next_at()).min();
            let wake = wake.and_then(|at| self.clock.instant(at));
            let wake = wake.unwrap_or_else(|| Instant::now() + IDLE);
            if wake < sleep.deadline() || sleep.is_elapsed() {
                sleep.as_mut().reset(wake);
            }
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Stop) | None => return,
                    Some(command) => self.apply(command).await,
                },
                () = &mut sleep => {
                    let now = self.clock.now();
                    self.engine.tick(now);
                    self.carry_out().await;
                    self.alarms.ring(now);
                }
            }
        }
    }

    async fn apply(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Run(job) => job(&mut self.engine, now),
            Command::Text { connection, text } => self.engine.sdk_text(now, connection, &text),
            Command::Connect { query, endpoint, outbox, reply } => {
                let result = self.engine.sdk_connected(now, *query);
                if let Ok(connection) = &result {
                    self.outboxes.insert(*connection, outbox);
                    if let Some(endpoint) = endpoint {
                        self.engine.sdk_came_through(*connection, &endpoint);
                    }
                }
                if let Err(Ok(connection)) = reply.send(result) {
                    // The peer went away during the handshake.
                    self.outboxes.remove(&connection);
                    self.engine.sdk_disconnected(now, connection);
                }
            }
            Command::Disconnected { connection } => {
                self.outboxes.remove(&connection);
                self.engine.sdk_disconnected(now, connection);
            }
            Command::Advance { by, reply } => {
                self.advance(now, by).await;
                // As above: it has happened all the same.
                let _ = reply.send(());
            }
            Command::WakeAt { at, reply } => {
                self.alarms.set(at, reply);
                self.alarms.ring(now);
            }
            Command::Stop => {}
        }
        self.carry_out().await;
    }

    /// Moves the clock, stopping at every timer on the way, so that each goes off at its own time.
    async fn advance(&mut self, now: Timestamp, by: Duration) {
        let target = now + by;
        while let Some(at) = self.engine.poll_timeout().filter(|at| *at <= target) {
            self.clock.advance(at.since(self.clock.now()));
            self.engine.tick(at);
            self.carry_out().await;
        }
        self.clock.advance(target.since(self.clock.now()));
        self.engine.tick(target);
        self.carry_out().await;
        self.alarms.ring(self.clock.now());
    }

    async fn carry_out(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Send { connection, text, push } => self.send(connection, text, push),
                Effect::Publish(event) => self.publish(event).await,
                Effect::Close { connection, code } => {
                    if let Some(outbox) = self.outboxes.remove(&connection) {
                        // A full outbox is closed by the drop: abruptly.
                        let _ = outbox.try_send(FromService::Closed(code));
                    }
                }
            }
        }
    }

    async fn publish(&mut self, event: Event) {
        tracing::debug!(event = event.id, "published");
        let event = Arc::new(event);
        if let Some(record) = &self.record
            && record.send(event.clone()).await.is_err()
        {
            tracing::error!("nobody records events any more");
            self.record = None;
        }
        // An error means that nobody reads.
        let _ = self.events.send(event);
        self.published += 1;
        if self.published >= EVENTS_PER_TURN {
            self.published = 0;
            yield_now().await;
        }
    }

    fn send(&mut self, connection: ConnectionId, text: String, push: bool) {
        let result = match self.outboxes.get(&connection) {
            Some(outbox) => outbox.try_send(FromService::Text(text)).map_err(|error| error.into_inner()),
            None => Err(FromService::Text(text)),
        };
        if let Err(FromService::Text(text)) = result {
            tracing::warn!(?connection, "the connection is gone or {OUTBOX_MAX} frames behind: given up");
            self.outboxes.remove(&connection);
            let now = self.clock.now();
            self.engine.sdk_undelivered(now, connection, text, push);
        }
    }
}
