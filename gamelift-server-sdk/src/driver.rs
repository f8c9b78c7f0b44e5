//! The loop: moves frames, time and commands between the world and the [`Uplink`]. Decides nothing.
//!
//! ```text
//!   application                     driver (one task)                    service
//!  +---------------+  Command       +---------------------------+
//!  | ServerProcess |--------------->|  Uplink                   |  Send   +--------------+
//!  | GameSession   |<---------------|   pure: link, calls,      |-------->| socket task  |==> socket
//!  +---------------+  oneshot each  |   timers, backoff         |         |              |
//!  +---------------+  Event         |                           |  Text   |              |
//!  | Events        |<---------------|  poll_output/poll_timeout |<--------|              |<== socket
//!  +---------------+                +---------------------------+         +--------------+
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::config::Config;
use crate::credentials;
use crate::endpoint::Endpoint;
use crate::error::{CallError, CloseReason, ConnectError, DialError};
use crate::events::{Event, HealthCheck, StartContext};
use crate::handle::{COMMANDS_MAX, Command};
use crate::transport::{Dial, Incoming, Outgoing, Socket};
use crate::uplink::{
    Answer, CALLS_IN_FLIGHT_MAX, CallId, CheckId, ConnId, Output, Settings, Uplink, UplinkEvent,
};

/// Events in the channel to the application.
const EVENTS_CHANNEL: usize = 32;

/// Events the application may leave unread, beyond the channel. A process gets a handful in its life, and a health check a
/// minute of which only the newest is kept: an application a thousand behind is not listening.
pub(crate) const EVENTS_UNREAD_MAX: usize = 1_024;

/// Frames waiting for a socket. Room for every call in flight, a heartbeat and a goodbye: if it is full nevertheless, the
/// socket has stalled.
const WRITER_QUEUE: usize = CALLS_IN_FLIGHT_MAX + 8;

/// Frames from all sockets waiting for the driver; beyond it TCP pushes back.
const READER_QUEUE: usize = 256;

/// How long the peer may take to answer a close frame.
const GOODBYE_PATIENCE: Duration = Duration::from_secs(2);

const _: () =
    assert!(WRITER_QUEUE > CALLS_IN_FLIGHT_MAX, "a smaller queue takes a healthy burst for a stall");

/// What a socket task reports.
enum Report {
    Text(String),
    Lost,
}

/// Something that happened.
enum Input {
    Report(ConnId, Report),
    Command(Box<Command>),
    HandlesDropped,
    EventsDropped,
    Dialed(ConnId, Result<Socket, DialError>),
    Health(bool),
    RoomForEvents,
    Timeout,
    Nothing,
}

/// The ends that the application holds.
pub(crate) struct Ends {
    pub(crate) commands: mpsc::Sender<Box<Command>>,
    pub(crate) events: mpsc::Receiver<Box<Event>>,
    pub(crate) closed: watch::Receiver<Option<CloseReason>>,
    pub(crate) connected: oneshot::Receiver<Result<(), ConnectError>>,
}

/// One uplink and the sockets, channels and timers around it.
pub(crate) struct Driver {
    uplink: Uplink,
    config: Arc<Config>,
    dialer: Arc<dyn Dial>,
    commands: mpsc::Receiver<Box<Command>>,
    /// Held back until the process is ready; see [`StartContext`].
    start_context: StartContext,
    /// Boxed, as an empty channel has room for 32 of them, and most are empty for ever.
    events: mpsc::Sender<Box<Event>>,
    unread: VecDeque<Event>,
    connected: Option<oneshot::Sender<Result<(), ConnectError>>>,
    closed: watch::Sender<Option<CloseReason>>,
    replies: BTreeMap<CallId, oneshot::Sender<Result<Answer, CallError>>>,
    health: Option<(CheckId, oneshot::Receiver<bool>)>,
    dials: JoinSet<(ConnId, Result<Socket, DialError>)>,
    dialing: BTreeMap<ConnId, AbortHandle>,
    sockets: JoinSet<()>,
    writers: BTreeMap<ConnId, (mpsc::Sender<Outgoing>, AbortHandle)>,
    report_sender: mpsc::Sender<(ConnId, Report)>,
    reports: mpsc::Receiver<(ConnId, Report)>,
}

/// tokio's clock, so that virtual time reaches the core.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Driver {
    pub(crate) fn new(config: Arc<Config>, dialer: Arc<dyn Dial>) -> (Self, Ends) {
        let (command_sender, commands) = mpsc::channel(COMMANDS_MAX);
        let (events, event_receiver) = mpsc::channel(EVENTS_CHANNEL);
        let (closed, closed_receiver) = watch::channel(None);
        let (connected, connected_receiver) = oneshot::channel();
        let (report_sender, reports) = mpsc::channel(READER_QUEUE);
        let settings = Settings {
            url: config.websocket_url.clone(),
            credentials: config.credentials.clone(),
            fleet_id: config.fleet_id.clone(),
            health: config.health,
            call_timeout: config.call_timeout,
            connect_patience: config.connect_timeout,
            seed: config.seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0),
        };
        let driver = Self {
            uplink: Uplink::new(now(), settings),
            start_context: StartContext {
                commands: command_sender.downgrade(),
                call_timeout: config.call_timeout,
                closed: closed_receiver.clone(),
            },
            config,
            dialer,
            commands,
            events,
            unread: VecDeque::new(),
            connected: Some(connected),
            closed,
            replies: BTreeMap::new(),
            health: None,
            dials: JoinSet::new(),
            dialing: BTreeMap::new(),
            sockets: JoinSet::new(),
            writers: BTreeMap::new(),
            report_sender,
            reports,
        };
        let ends = Ends {
            commands: command_sender,
            events: event_receiver,
            closed: closed_receiver,
            connected: connected_receiver,
        };
        (driver, ends)
    }

    /// Runs until the uplink is closed and its sockets have said goodbye.
    ///
    /// Boxed, as a future holds its arguments twice: as they came, and as they are used.
    pub(crate) async fn run(mut self: Box<Self>) {
        loop {
            while let Some(output) = self.uplink.poll_output() {
                self.perform(output);
            }
            if let Some(reason) = self.uplink.closed() {
                let reason = reason.clone();
                // Boxed: a future holds room for all it may await. Ten thousand idle processes would pay for a goodbye that
                // none of them says.
                return Box::pin(self.finish(reason)).await;
            }
            let input = self.next_input().await;
            self.handle(input);
        }
    }

    /// Waits until something happens.
    async fn next_input(&mut self) -> Input {
        let timeout = self.uplink.poll_timeout();
        let sleep = async {
            match timeout {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        // In this order, so that the same history is the same history again. Nothing starves: timers and dials are rare,
        // calls are bounded by those in flight, and what the service says comes last but is read in bulk.
        tokio::select! {
            biased;
            () = sleep => Input::Timeout,
            Some(dialed) = self.dials.join_next() => match dialed {
                Ok((conn, result)) => Input::Dialed(conn, result),
                // Called off.
                Err(_) => Input::Nothing,
            },
            Some(_) = self.sockets.join_next() => Input::Nothing,
            () = self.events.closed() => Input::EventsDropped,
            // Dropping the question unanswered is an answer, too.
            healthy = async { (&mut self.health.as_mut()?.1).await.ok() }, if self.health.is_some() => {
                Input::Health(healthy.unwrap_or(false))
            }
            // Only asks whether there is room; this is the only sender.
            Ok(_) = self.events.reserve(), if !self.unread.is_empty() => Input::RoomForEvents,
            command = self.commands.recv(), if self.uplink.takes_calls() => {
                command.map_or(Input::HandlesDropped, Input::Command)
            }
            Some((conn, report)) = self.reports.recv() => Input::Report(conn, report),
        }
    }

    fn handle(&mut self, input: Input) {
        match input {
            Input::Report(conn, report) => {
                self.report(conn, report);
                // Whatever else has arrived, up to a queue's worth: its effects go out in one flush.
                for _ in 1..READER_QUEUE {
                    let Ok((conn, report)) = self.reports.try_recv() else { break };
                    self.report(conn, report);
                }
            }
            Input::Command(command) => {
                self.command(*command);
                while self.uplink.takes_calls()
                    && let Ok(command) = self.commands.try_recv()
                {
                    self.command(*command);
                }
            }
            Input::HandlesDropped => self.uplink.close(CloseReason::HandlesDropped),
            Input::EventsDropped => self.uplink.close(CloseReason::EventsDropped),
            Input::Dialed(conn, result) => self.dialed(conn, result),
            Input::Health(healthy) => {
                if let Some((check, _)) = self.health.take() {
                    self.uplink.handle_health(now(), check, healthy);
                }
            }
            Input::RoomForEvents => self.deliver_events(),
            Input::Timeout => self.uplink.handle_timeout(now()),
            Input::Nothing => {}
        }
    }

    /// As many as the channel takes.
    fn deliver_events(&mut self) {
        while let Ok(permit) = self.events.try_reserve()
            && let Some(event) = self.unread.pop_front()
        {
            permit.send(Box::new(event));
        }
    }

    fn command(&mut self, command: Command) {
        let Command { request, deadline, reply } = command;
        // Nobody waits any more: not sent, and nobody to tell.
        if !reply.is_closed() {
            let call = self.uplink.call(now(), deadline, request);
            self.replies.insert(call, reply);
        }
    }

    fn report(&mut self, conn: ConnId, report: Report) {
        match report {
            Report::Text(text) => self.uplink.handle_text(now(), conn, &text),
            Report::Lost => {
                self.writers.remove(&conn);
                self.uplink.handle_lost(now(), conn);
            }
        }
    }

    fn dialed(&mut self, conn: ConnId, result: Result<Socket, DialError>) {
        // A dial that was called off while it succeeded: the socket is dropped here.
        if self.dialing.remove(&conn).is_none() {
            return;
        }
        match result {
            Ok(socket) => {
                let (writer, queue) = mpsc::channel(WRITER_QUEUE);
                let reports = self.report_sender.clone();
                let task = self.sockets.spawn(run_socket(conn, socket, queue, reports));
                self.writers.insert(conn, (writer, task));
                self.uplink.handle_dialed(now(), conn);
            }
            Err(error) => {
                tracing::debug!(%error, "dial failed");
                self.uplink.handle_dial_failed(now(), conn, error);
            }
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Dial(conn, endpoint) => self.dial(conn, *endpoint),
            Output::Send(conn, text) => self.send(conn, text),
            Output::Close(conn, code) => self.close(conn, code),
            Output::Connected(result) => {
                if let Some(connected) = self.connected.take() {
                    // Nobody waits if `connect` was dropped; then the handles are gone, too.
                    let _ = connected.send(result);
                }
            }
            Output::Reply(call, result) => {
                if let Some(reply) = self.replies.remove(&call) {
                    // Nobody waits if the call's future was dropped.
                    let _ = reply.send(result);
                }
            }
            Output::Event(event) => self.event(event),
        }
    }

    fn dial(&mut self, conn: ConnId, endpoint: Endpoint) {
        let (config, dialer) = (self.config.clone(), self.dialer.clone());
        let task = self
            .dials
            .spawn(async move { (conn, credentials::dial(&config, &endpoint, dialer.as_ref()).await) });
        self.dialing.insert(conn, task);
    }

    fn send(&mut self, conn: ConnId, text: String) {
        let sent =
            self.writers.get(&conn).is_some_and(|(writer, _)| writer.try_send(Outgoing::Text(text)).is_ok());
        if !sent {
            // Either its end is reported already, or a queue with room for every call is full: the peer has stopped
            // reading.
            self.close(conn, None);
            self.uplink.handle_lost(now(), conn);
        }
    }

    fn close(&mut self, conn: ConnId, code: Option<u16>) {
        if let Some(task) = self.dialing.remove(&conn) {
            task.abort();
        }
        if let Some((writer, task)) = self.writers.remove(&conn) {
            match code.map(|code| writer.try_send(Outgoing::Close(code))) {
                // The socket task says goodbye and ends by itself.
                Some(Ok(())) => {}
                Some(Err(_)) | None => task.abort(),
            }
        }
    }

    fn event(&mut self, event: UplinkEvent) {
        let event = match event {
            UplinkEvent::StartGameSession(session) => {
                Event::StartGameSession(self.start_context.start(*session))
            }
            UplinkEvent::UpdateGameSession(update) => Event::UpdateGameSession(update),
            UplinkEvent::Terminate(terminate) => Event::Terminate(terminate.into()),
            UplinkEvent::CheckHealth(check) => {
                let (answer, question) = oneshot::channel();
                self.health = Some((check, question));
                // A question nobody has read by the time of the next one is stale.
                self.unread.retain(|event| !matches!(event, Event::HealthCheck(_)));
                Event::HealthCheck(HealthCheck::new(answer))
            }
        };
        self.unread.push_back(event);
        self.deliver_events();
        if self.unread.len() > EVENTS_UNREAD_MAX {
            self.uplink.close(CloseReason::TooManyUnreadEvents { limit: EVENTS_UNREAD_MAX });
        }
    }

    /// Waits for the sockets to say goodbye, within bounds.
    async fn finish(mut self: Box<Self>, reason: CloseReason) {
        while let Some(output) = self.uplink.poll_output() {
            self.perform(output);
        }
        tracing::debug!(%reason, "uplink closed");
        // What was said before the end is still delivered, as far as the channel takes it: `Terminate` may be in it.
        self.deliver_events();
        self.closed.send_replace(Some(reason));
        let Self { mut sockets, mut reports, report_sender, commands, events, .. } = *self;
        drop((commands, events, report_sender));
        // Frames that still come are nobody's; without this a full queue would hold a socket open.
        let drain = async { while reports.recv().await.is_some() {} };
        let goodbye = async { while sockets.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE_PATIENCE, async {
            tokio::select! { () = drain => {}, () = goodbye => {} }
        })
        .await;
    }
}

/// One socket: reads and writes until either ends.
///
/// The two halves live in one task as two long-lived futures, so that no `send` is ever cancelled half-way: tungstenite
/// gives no guarantee for that.
async fn run_socket(
    conn: ConnId,
    socket: Socket,
    queue: mpsc::Receiver<Outgoing>,
    reports: mpsc::Sender<(ConnId, Report)>,
) {
    let Socket { sink, stream } = socket;
    let end = tokio::select! {
        end = read_all(conn, stream, &reports) => end,
        end = write_all(sink, queue) => end,
    };
    tracing::debug!(end, "socket ended");
    // The driver is gone if nobody listens.
    let _ = reports.send((conn, Report::Lost)).await;
}

async fn read_all(
    conn: ConnId,
    mut stream: std::pin::Pin<
        Box<dyn futures_util::Stream<Item = Result<Incoming, crate::transport::SocketError>> + Send>,
    >,
    reports: &mpsc::Sender<(ConnId, Report)>,
) -> &'static str {
    loop {
        match stream.next().await {
            Some(Ok(Incoming::Text(text))) => {
                if reports.send((conn, Report::Text(text))).await.is_err() {
                    return "driver gone";
                }
            }
            Some(Ok(Incoming::Close(code))) => {
                tracing::debug!(code, "the service closed the socket");
                return "closed by the service";
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "socket broke");
                return "broken while reading";
            }
            None => return "end of stream",
        }
    }
}

/// Drains the queue before it flushes: one system call for many frames is what makes many calls in flight cheap.
async fn write_all(
    mut sink: std::pin::Pin<
        Box<dyn futures_util::Sink<Outgoing, Error = crate::transport::SocketError> + Send>,
    >,
    mut queue: mpsc::Receiver<Outgoing>,
) -> &'static str {
    while let Some(mut frame) = queue.recv().await {
        loop {
            let last = matches!(frame, Outgoing::Close(_));
            if sink.feed(frame).await.is_err() {
                return "broken while writing";
            }
            if last {
                let _ = sink.flush().await;
                // The reader ends this task as soon as the peer has said goodbye, too.
                tokio::time::sleep(GOODBYE_PATIENCE).await;
                return "goodbye not answered";
            }
            match queue.try_recv() {
                Ok(next) => frame = next,
                Err(_) => break,
            }
        }
        if sink.flush().await.is_err() {
            return "broken while writing";
        }
    }
    "no longer needed"
}
