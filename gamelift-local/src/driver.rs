//! The one task that owns the engine. Commands come in over a bounded channel, effects go out to connections and to
//! readers of events.

mod alarms;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use gamelift_wire::{
    connect::ConnectQuery,
    envelope::{ClientFrame, error_text},
};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::yield_now,
    time::{Instant, sleep_until},
};

use self::alarms::Alarms;
use crate::{
    Timestamp,
    clock::RunningClock,
    doctor::{FINDINGS_MAX, Finding, Sign},
    engine::{ConnectionId, Effect, Engine, Event, ProcessName, Refused},
    events::{EVENTS_KEPT, Events},
    observer::{Observer, Way},
    sdk_faults::{SdkFault, SdkFaults, garbled},
};

/// Commands waiting for the engine. Senders wait when it is full, which slows sockets down instead of filling memory.
const COMMANDS_MAX: usize = 1024;
/// Frames waiting for one connection. A peer that reads so slowly is disconnected; it will connect again.
pub(crate) const OUTBOX_MAX: usize = 1024;
/// Events published before others get a turn: one jump of the clock may publish thousands, and readers of the broadcast
/// must not fall behind for that. Tokio lets a reader take 128 in one turn.
const EVENTS_PER_TURN: usize = 64;
/// Most answers that are late on purpose at a time. More are in time.
const LATE_MAX: usize = 10_000;
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
    /// Something that only the one who runs the server can see.
    See {
        process: ProcessName,
        sign: Sign,
    },
    Watch(WatchJob),
    Faults(FaultsJob),
    Stop,
}

type WatchJob = Box<dyn FnOnce(Option<&Observer>) + Send>;
type FaultsJob = Box<dyn FnOnce(&mut SdkFaults) + Send>;

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
    log: broadcast::WeakSender<Arc<Event>>,
    findings: broadcast::WeakSender<Finding>,
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

    /// Every line of the log from now on. `None` after a shutdown.
    pub(crate) fn log(&self) -> Option<Events> {
        self.log.upgrade().map(|log| Events::new(log.subscribe()))
    }

    /// Everything that the doctor finds from now on. `None` after a shutdown.
    pub(crate) fn findings(&self) -> Option<broadcast::Receiver<Finding>> {
        self.findings.upgrade().map(|findings| findings.subscribe())
    }

    /// Tells the doctor what the service cannot see.
    pub(crate) async fn see(&self, process: ProcessName, sign: Sign) -> Result<(), Stopped> {
        self.send(Command::See { process, sign }).await
    }

    /// Looks at the watcher, if there is one.
    pub(crate) async fn watch<T: Send + 'static>(
        &self,
        job: impl FnOnce(Option<&Observer>) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (reply, result) = oneshot::channel();
        // Whoever asked may have gone.
        self.send(Command::Watch(Box::new(move |observer| drop(reply.send(job(observer)))))).await?;
        result.await.map_err(|_| Stopped)
    }

    /// Looks at the faults of answers to server processes, or changes them.
    pub(crate) async fn sdk_faults<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut SdkFaults) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (reply, result) = oneshot::channel();
        self.send(Command::Faults(Box::new(move |faults| drop(reply.send(job(faults)))))).await?;
        result.await.map_err(|_| Stopped)
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
    observer: Option<Observer>,
    log: broadcast::Sender<Arc<Event>>,
    log_record: Option<mpsc::Sender<Arc<Event>>>,
    findings: broadcast::Sender<Finding>,
    faults: SdkFaults,
    /// What is to become of the answer that is made next.
    fault: Option<(ConnectionId, SdkFault)>,
    /// Answers that are late on purpose.
    late: BTreeMap<(Timestamp, u64), (ConnectionId, String)>,
    late_count: u64,
}

impl Driver {
    pub(crate) fn new(engine: Engine, clock: RunningClock) -> (Handle, Self) {
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let (log, _) = broadcast::channel(EVENTS_KEPT);
        let (findings, _) = broadcast::channel(FINDINGS_MAX);
        let handle = Handle {
            commands: sender,
            events: events.downgrade(),
            log: log.downgrade(),
            findings: findings.downgrade(),
        };
        let driver = Self {
            engine,
            clock,
            commands,
            outboxes: BTreeMap::new(),
            events,
            record: None,
            published: 0,
            alarms: Alarms::default(),
            observer: None,
            log,
            log_record: None,
            findings,
            faults: SdkFaults::new(0),
            fault: None,
            late: BTreeMap::new(),
            late_count: 0,
        };
        (handle, driver)
    }

    /// From now on there is a log and a doctor.
    pub(crate) fn observe(&mut self) {
        self.engine.observe();
        self.observer.get_or_insert_default();
    }

    /// Which answers to server processes are hit by faults comes from this.
    pub(crate) fn seed_faults(&mut self, seed: u64) {
        self.faults = SdkFaults::new(seed);
    }

    /// Every line of the log, for a reader that must not miss any, as for [`Driver::record`].
    pub(crate) fn record_log(&mut self) -> mpsc::Receiver<Arc<Event>> {
        let (record, lines) = mpsc::channel(EVENTS_KEPT);
        self.log_record = Some(record);
        lines
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
            let wake = self.poll_timeout().into_iter().chain(self.alarms.next_at()).min();
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
                    self.tick(now).await;
                    self.alarms.ring(now);
                }
            }
        }
    }

    async fn apply(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Run(job) => job(&mut self.engine, now),
            Command::Text { connection, text } => self.text(now, connection, &text),
            Command::Connect { query, endpoint, outbox, reply } => {
                let name = self.observer.as_ref().map(|_| ProcessName {
                    fleet_id: query.fleet_id.clone(),
                    compute_name: query.compute_id.clone(),
                    process_id: query.process_id.clone(),
                });
                let result = self.engine.sdk_connected(now, *query);
                self.connected(now, name, &result);
                if let Ok(connection) = &result {
                    self.outboxes.insert(*connection, outbox);
                    if let Some(endpoint) = endpoint {
                        self.engine.sdk_came_through(*connection, &endpoint);
                    }
                }
                if let Err(Ok(connection)) = reply.send(result) {
                    // The peer went away during the handshake.
                    self.gone(now, connection);
                }
            }
            Command::Disconnected { connection } => self.gone(now, connection),
            Command::Advance { by, reply } => {
                self.advance(now, by).await;
                // As above: it has happened all the same.
                let _ = reply.send(());
            }
            Command::WakeAt { at, reply } => {
                self.alarms.set(at, reply);
                self.alarms.ring(now);
            }
            Command::See { process, sign } => self.see(now, &process, sign),
            Command::Watch(job) => job(self.observer.as_ref()),
            Command::Faults(job) => job(&mut self.faults),
            Command::Stop => {}
        }
        self.carry_out().await;
    }

    /// Moves the clock, stopping at every timer on the way, so that each goes off at its own time.
    async fn advance(&mut self, now: Timestamp, by: Duration) {
        let target = now + by;
        while let Some(at) = self.poll_timeout().filter(|at| *at <= target) {
            self.clock.advance(at.since(self.clock.now()));
            self.tick(at).await;
        }
        self.clock.advance(target.since(self.clock.now()));
        self.tick(target).await;
        self.alarms.ring(self.clock.now());
    }

    /// When something happens by itself.
    fn poll_timeout(&self) -> Option<Timestamp> {
        let late = self.late.first_key_value().map(|((at, _), _)| *at);
        let observer = self.observer.as_ref().and_then(Observer::poll_timeout);
        self.engine.poll_timeout().into_iter().chain(observer).chain(late).min()
    }

    async fn tick(&mut self, now: Timestamp) {
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= now) {
            let (connection, text) = entry.remove();
            self.send(connection, text, false);
        }
        self.engine.tick(now);
        if let Some(observer) = &mut self.observer {
            observer.tick(now);
        }
        self.carry_out().await;
    }

    /// A server process asks something, unless a fault keeps it from being heard.
    fn text(&mut self, now: Timestamp, connection: ConnectionId, text: &str) {
        if let Some(observer) = &mut self.observer {
            observer.frame(now, connection, Way::ToService, text);
        }
        if !self.faults.is_idle()
            && let Ok(ClientFrame { request_id, request }) = ClientFrame::parse(text)
        {
            let action = request.action();
            let fault = self.faults.plan(&action.to_string());
            if let (Some(fault), Some(observer)) = (fault, &mut self.observer) {
                observer.fault(now, connection, &action.to_string(), fault.as_str());
            }
            if let Some(SdkFault::Refuse(status)) = fault {
                let text = error_text(&action, &request_id, status, "refused on purpose (SDK faults)");
                return self.send(connection, text, false);
            }
            self.fault = fault.map(|fault| (connection, fault));
        }
        self.engine.sdk_text(now, connection, text);
    }

    fn connected(
        &mut self,
        now: Timestamp,
        name: Option<ProcessName>,
        result: &Result<ConnectionId, Refused>,
    ) {
        let (Some(observer), Some(name)) = (&mut self.observer, name) else { return };
        match result {
            // The engine knows how the process is called; a query may name its parts by their ARNs.
            Ok(connection) => {
                let name = self.engine.process_of(*connection).unwrap_or(name);
                observer.connected(now, *connection, name);
            }
            Err(Refused { status, message }) => observer.refused(now, &name, *status, message),
        }
    }

    fn gone(&mut self, now: Timestamp, connection: ConnectionId) {
        self.outboxes.remove(&connection);
        self.engine.sdk_disconnected(now, connection);
        if let Some(observer) = &mut self.observer {
            observer.disconnected(now, connection, "process");
        }
    }

    fn see(&mut self, now: Timestamp, process: &ProcessName, sign: Sign) {
        if let Sign::Held(held) = sign {
            // The doctor is told in any case: the process may not have connected yet.
            self.engine.held_by_debugger(now, process, held);
        }
        if let Some(observer) = &mut self.observer {
            observer.see(now, process, sign);
        }
    }

    async fn carry_out(&mut self) {
        self.note_changes().await;
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Send { connection, text, push } => self.answer(connection, text, push),
                Effect::Publish(event) => self.publish(event).await,
                Effect::Close { connection, code } => {
                    if let Some(observer) = &mut self.observer {
                        observer.disconnected(self.clock.now(), connection, "service");
                    }
                    if let Some(outbox) = self.outboxes.remove(&connection) {
                        // A full outbox is closed by the drop: abruptly.
                        let _ = outbox.try_send(FromService::Closed(code));
                    }
                }
            }
        }
        self.note_changes().await;
    }

    /// Tells the watcher what has changed, and others what it says.
    async fn note_changes(&mut self) {
        let now = self.clock.now();
        let Some(observer) = &mut self.observer else { return };
        while let Some(change) = self.engine.poll_change() {
            observer.change(now, change);
        }
        while let Some(finding) = observer.poll_finding() {
            // An error means that nobody listens.
            let _ = self.findings.send(finding);
        }
        while let Some(line) = observer.poll_line() {
            let line = Arc::new(line);
            if let Some(record) = &self.log_record
                && record.send(line.clone()).await.is_err()
            {
                tracing::error!("nobody records the log any more");
                self.log_record = None;
            }
            // As above.
            let _ = self.log.send(line);
        }
    }

    /// Sends an answer or a push, unless it is to go wrong.
    fn answer(&mut self, connection: ConnectionId, text: String, push: bool) {
        let fault = self.fault.take_if(|(asked, _)| *asked == connection && !push);
        match fault.map(|(_, fault)| fault) {
            Some(SdkFault::Lose) => {}
            Some(SdkFault::Garble) => self.send(connection, garbled(&text), false),
            Some(SdkFault::Delay(by)) if self.late.len() < LATE_MAX => {
                self.late_count += 1;
                self.late.insert((self.clock.now() + by, self.late_count), (connection, text));
            }
            _ => self.send(connection, text, push),
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
        if let Some(observer) = &mut self.observer {
            observer.frame(self.clock.now(), connection, Way::FromService, &text);
        }
        let result = match self.outboxes.get(&connection) {
            Some(outbox) => outbox.try_send(FromService::Text(text)).map_err(|error| error.into_inner()),
            None => Err(FromService::Text(text)),
        };
        if let Err(FromService::Text(text)) = result {
            tracing::warn!(?connection, "the connection is gone or {OUTBOX_MAX} frames behind: given up");
            self.outboxes.remove(&connection);
            let now = self.clock.now();
            if let Some(observer) = &mut self.observer {
                observer.disconnected(now, connection, "service");
            }
            self.engine.sdk_undelivered(now, connection, text, push);
        }
    }
}
