//! The server-SDK protocol as a value: the logical link between one server process and the service.
//!
//! It reads no clock, opens no socket, spawns nothing. Time, frames and commands go in; frames and events come out:
//!
//! | in | out |
//! |---|---|
//! | [`handle_dialed`](Uplink::handle_dialed), [`handle_dial_failed`](Uplink::handle_dial_failed) | [`Output::Dial`], [`Output::Connected`] |
//! | [`handle_text`](Uplink::handle_text), [`handle_lost`](Uplink::handle_lost) | [`Output::Send`], [`Output::Close`] |
//! | [`call`](Uplink::call), [`handle_health`](Uplink::handle_health), [`close`](Uplink::close) | [`Output::Reply`], [`Output::Event`] |
//! | [`handle_timeout`](Uplink::handle_timeout), when [`poll_timeout`](Uplink::poll_timeout) says so | |
//!
//! After each input, drain [`poll_output`](Uplink::poll_output).
//!
//! # The link
//!
//! ```text
//!             dialed                    successor dialed
//!   Dialing ---------> Open <-----------------------------+
//!    ^   |              |  |  RefreshConnection            |
//!    |   | failed       |  +--> Open + successor (dialing or waiting to)
//!    |   v         lost |            |  the old socket is read for 5 s more
//!   Backoff <-----------+            +--> lost: the successor becomes the link
//! ```
//!
//! # Invariants
//!
//! 1. Every call gets exactly one reply.
//! 2. `Send` and `Close` name a socket that was dialled and not yet closed or lost.
//! 3. No request is sent at or after its deadline.
//! 4. While anything is owed, `poll_timeout` is `Some`.
//! 5. At most three sockets: the link, its successor, its predecessor.
//! 6. A closed uplink says nothing more.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod backoff;
mod calls;
mod health;
mod link;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use gamelift_wire::envelope::{RefusalKind, ServiceFrame};
use gamelift_wire::model::GameSession;
use gamelift_wire::pushes::{Push, TerminateProcess, UpdateGameSession};
use gamelift_wire::requests::{
    BackfillStarted, ComputeCertificate, FleetRoleCredentials, HeartbeatServerProcess, PlayerSessionsPage,
    Request,
};

use self::backoff::Backoff;
pub(crate) use self::calls::{CALLS_IN_FLIGHT_MAX, CallId};
use self::calls::{Call, Caller, Calls};
pub(crate) use self::health::{CheckId, HealthTimes};
use self::health::{Due, Health};
use self::link::{Attempt, Link, Successor};
use crate::endpoint::{Credentials, Endpoint};
use crate::error::{CallError, CloseReason, ConnectError, DialError};

/// How long the old socket is still read after a refresh: answers to calls sent before may be under way. The official
/// SDKs' figure.
pub(crate) const DRAIN: Duration = Duration::from_secs(5);

/// Calls in a row that were sent and never answered, with no frame of any kind in between, before the socket is taken for
/// dead. The Go SDK's figure.
pub(crate) const SILENT_CALLS_MAX: u32 = 2;

/// The close code for a socket that is no longer needed.
pub(crate) const CLOSE_NORMAL: u16 = 1000;

/// A socket. Numbers are never reused, so a late frame is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConnId(u64);

/// What the driver must do.
#[derive(Debug)]
pub(crate) enum Output {
    /// Open a socket; then `handle_dialed` or `handle_dial_failed`.
    Dial(ConnId, Box<Endpoint>),
    /// Send a text frame.
    Send(ConnId, String),
    /// Close a socket or stop dialling it; nothing more is expected of it. `None` if it is beyond a proper goodbye.
    Close(ConnId, Option<u16>),
    /// The first connection is made, or will not be.
    Connected(Result<(), ConnectError>),
    /// A call is over.
    Reply(CallId, Result<Answer, CallError>),
    /// Something for the application.
    Event(UplinkEvent),
}

/// Something for the application.
#[derive(Debug)]
pub(crate) enum UplinkEvent {
    StartGameSession(Box<GameSession>),
    UpdateGameSession(Box<UpdateGameSession>),
    Terminate(TerminateProcess),
    CheckHealth(CheckId),
}

/// What a successful call brings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Done,
    PlayerSessions(PlayerSessionsPage),
    BackfillStarted(BackfillStarted),
    Certificate(ComputeCertificate),
    /// Boxed: by far the largest answer, and the rarest.
    Credentials(Box<FleetRoleCredentials>),
}

/// What an uplink needs to know from the start.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) url: url::Url,
    pub(crate) credentials: Credentials,
    pub(crate) fleet_id: String,
    pub(crate) health: HealthTimes,
    pub(crate) call_timeout: Duration,
    /// How long the first connection may take, all attempts together.
    pub(crate) connect_patience: Duration,
    /// Two uplinks with the same seed and inputs behave the same.
    pub(crate) seed: u64,
}

#[derive(Debug)]
enum Stage {
    /// The first connection is being made.
    Connecting {
        give_up: Instant,
        attempts: u32,
        /// What the last attempt met that is over.
        last: Option<DialError>,
    },
    Connected,
    Ready,
    Closed(CloseReason),
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Uplink {
    settings: Settings,
    stage: Stage,
    link: Link,
    endpoint: Box<Endpoint>,
    /// The endpoint that worked before a refresh whose endpoint has not: tried in turn with it.
    fallback: Option<Box<Endpoint>>,
    successor: Option<Box<Successor>>,
    /// The socket before the last refresh, read until then.
    predecessor: Option<(ConnId, Instant)>,
    backoff: Backoff,
    calls: Calls,
    silent_calls: u32,
    /// When the service last said anything.
    heard: Instant,
    health: Health,
    missed_a_beat: bool,
    rng: fastrand::Rng,
    last_conn: u64,
    outputs: VecDeque<Output>,
}

impl Uplink {
    /// Starts dialling.
    pub(crate) fn new(now: Instant, settings: Settings) -> Self {
        let mut rng = fastrand::Rng::with_seed(settings.seed);
        let endpoint = Box::new(Endpoint {
            url: settings.url.clone(),
            credentials: settings.credentials.clone(),
            idempotency_token: uuid(&mut rng).to_string(),
        });
        let mut uplink = Self {
            stage: Stage::Connecting { give_up: now + settings.connect_patience, attempts: 0, last: None },
            link: Link::Closed,
            endpoint,
            fallback: None,
            successor: None,
            predecessor: None,
            backoff: Backoff::default(),
            calls: Calls::default(),
            silent_calls: 0,
            heard: now,
            health: Health::new(settings.health),
            missed_a_beat: false,
            rng,
            last_conn: 0,
            outputs: VecDeque::new(),
            settings,
        };
        uplink.dial(now);
        uplink
    }

    /// What to do next; `None` when it is time to wait.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle_timeout`], if nothing else happens before.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let link = match &self.link {
            Link::Dialing { give_up, .. } => Some(*give_up),
            Link::Backoff { until } => Some(*until),
            Link::Open { .. } | Link::Closed => None,
        };
        let connect = match self.stage {
            Stage::Connecting { give_up, .. } => Some(give_up),
            Stage::Connected | Stage::Ready | Stage::Closed(_) => None,
        };
        let successor = self.successor.as_ref().map(|successor| match successor.attempt {
            Attempt::Dialing { give_up, .. } => give_up,
            Attempt::Waiting { until } => until,
        });
        let predecessor = self.predecessor.map(|(_, until)| until);
        [link, connect, successor, predecessor, self.calls.next_deadline(), self.health.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Why it is over; `None` while it is not.
    pub(crate) fn closed(&self) -> Option<&CloseReason> {
        match &self.stage {
            Stage::Closed(reason) => Some(reason),
            Stage::Connecting { .. } | Stage::Connected | Stage::Ready => None,
        }
    }

    /// Whether another call may be made now.
    pub(crate) fn takes_calls(&self) -> bool {
        self.closed().is_none() && !self.calls.is_full()
    }

    /// Makes a call; its [`Output::Reply`] comes by the deadline. Heed [`Self::takes_calls`].
    pub(crate) fn call(
        &mut self,
        now: Instant,
        deadline: Instant,
        request: impl Into<Box<Request>>,
    ) -> CallId {
        self.start_call(now, deadline, Caller::Application, request.into())
    }

    /// The application answered a health check.
    pub(crate) fn handle_health(&mut self, now: Instant, check: CheckId, healthy: bool) {
        if let Some(healthy) = self.health.answered(check, healthy) {
            self.heartbeat(now, healthy);
        }
    }

    /// Says goodbye to every socket and fails every call.
    pub(crate) fn close(&mut self, reason: CloseReason) {
        if self.closed().is_some() {
            return;
        }
        if matches!(self.stage, Stage::Connecting { .. }) {
            self.outputs.push_back(Output::Connected(Err(ConnectError::Closed(reason.clone()))));
        }
        for (id, call) in self.calls.take_all() {
            self.reply(id, call.caller, Err(CallError::Closed(reason.clone())));
        }
        let link = match self.link {
            Link::Dialing { conn, .. } | Link::Open { conn } => Some(conn),
            Link::Backoff { .. } | Link::Closed => None,
        };
        let successor = self.successor.take().and_then(|successor| successor.attempt.conn());
        let predecessor = self.predecessor.take().map(|(conn, _)| conn);
        for conn in [link, successor, predecessor].into_iter().flatten() {
            self.outputs.push_back(Output::Close(conn, Some(CLOSE_NORMAL)));
        }
        self.link = Link::Closed;
        self.health.stop();
        self.stage = Stage::Closed(reason);
    }

    /// A dial succeeded.
    pub(crate) fn handle_dialed(&mut self, now: Instant, conn: ConnId) {
        if matches!(self.link, Link::Dialing { conn: dialing, .. } if dialing == conn) {
            self.opened(now, conn);
        } else if let Some(successor) =
            self.successor.take_if(|successor| successor.attempt.conn() == Some(conn))
        {
            // Make before break: writes move now, the old socket is read for a while longer.
            if let Link::Open { conn: old } = self.link {
                self.drop_predecessor();
                self.predecessor = Some((old, now + DRAIN));
            }
            self.endpoint = successor.endpoint;
            self.fallback = None;
            self.opened(now, conn);
        }
    }

    /// A dial failed.
    pub(crate) fn handle_dial_failed(&mut self, now: Instant, conn: ConnId, error: DialError) {
        if matches!(self.link, Link::Dialing { conn: dialing, .. } if dialing == conn) {
            self.link_failed(now, Some(error));
        } else {
            self.successor_failed(now, conn, Some(&error));
        }
    }

    /// A socket is gone, whoever closed it and with whatever code.
    ///
    /// Also after 1000 and 1001: both official SDKs can lose a healthy process for ever there, and API gateways close
    /// idle and old sockets with such codes.
    pub(crate) fn handle_lost(&mut self, now: Instant, conn: ConnId) {
        if self.predecessor.take_if(|(old, _)| *old == conn).is_some() {
            // A close on the old socket does not touch the new one.
            self.fail_calls_without_a_socket();
        } else if matches!(self.link, Link::Open { conn: open } if open == conn) {
            self.link_lost(now);
        } else {
            self.successor_failed(now, conn, None);
        }
    }

    /// A text frame came in.
    pub(crate) fn handle_text(&mut self, now: Instant, conn: ConnId, text: &str) {
        if !self.is_read(conn) {
            return;
        }
        self.silent_calls = 0;
        self.heard = now;
        if matches!(self.link, Link::Open { conn: open } if open == conn) {
            self.backoff.reset();
            self.fallback = None;
        }
        let frame = match ServiceFrame::parse(text) {
            Ok(frame) => frame,
            Err(error) => return tracing::debug!(%error, "frame ignored"),
        };
        match frame.request_id.as_ref().and_then(|id| self.calls.take_by_request(id)) {
            Some((id, call)) => self.handle_response(now, id, call, &frame),
            None => match frame.push() {
                Ok(push) => self.handle_push(now, push),
                Err(error) => tracing::debug!(%error, "frame ignored"),
            },
        }
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((id, call)) = self.calls.take_expired(now) {
            self.expire(now, id, &call);
        }
        if let Stage::Connecting { give_up, attempts, last } = &mut self.stage
            && *give_up <= now
        {
            let last = last.take().unwrap_or(DialError::TimedOut);
            let error = ConnectError::Unreachable { attempts: *attempts, last };
            return self.give_up_connecting(error);
        }
        match self.link {
            Link::Dialing { conn, give_up } if give_up <= now => {
                self.outputs.push_back(Output::Close(conn, None));
                self.link_failed(now, Some(DialError::TimedOut));
            }
            Link::Backoff { until } if until <= now => self.dial(now),
            _ => {}
        }
        match self.successor.as_ref().map(|successor| &successor.attempt) {
            Some(&Attempt::Dialing { conn, give_up }) if give_up <= now => {
                self.outputs.push_back(Output::Close(conn, None));
                self.successor_failed(now, conn, None);
            }
            Some(&Attempt::Waiting { until }) if until <= now => self.dial_successor(now),
            _ => {}
        }
        if self.predecessor.is_some_and(|(_, until)| until <= now) {
            self.drop_predecessor();
        }
        while let Some(due) = self.health.handle_timeout(now, &mut self.rng) {
            match due {
                Due::Ask(check) => self.event(UplinkEvent::CheckHealth(check)),
                Due::Unhealthy => self.heartbeat(now, false),
            }
        }
    }

    fn is_read(&self, conn: ConnId) -> bool {
        matches!(self.link, Link::Open { conn: open } if open == conn)
            || self.predecessor.is_some_and(|(old, _)| old == conn)
    }

    // --- calls ------------------------------------------------------------------------------------------------------

    fn start_call(
        &mut self,
        now: Instant,
        deadline: Instant,
        caller: Caller,
        request: Box<Request>,
    ) -> CallId {
        let id = self.calls.next_id();
        if let Some(reason) = self.closed() {
            let reason = reason.clone();
            self.reply(id, caller, Err(CallError::Closed(reason)));
            return id;
        }
        let request_id = calls::request_id(uuid(&mut self.rng), id);
        self.calls.insert(id, Call { caller, request, request_id, deadline, sent: false });
        self.send_calls(now);
        id
    }

    fn send_calls(&mut self, now: Instant) {
        if let Link::Open { conn } = self.link {
            while let Some(text) = self.calls.send_next(now) {
                self.outputs.push_back(Output::Send(conn, text));
            }
        }
    }

    /// A call fails at once when no socket is left on which its answer could still come.
    fn fail_calls_without_a_socket(&mut self) {
        if matches!(self.link, Link::Open { .. }) || self.predecessor.is_some() {
            return;
        }
        for (id, call) in self.calls.connection_lost() {
            self.reply(id, call.caller, Err(CallError::OutcomeUnknown));
        }
    }

    fn expire(&mut self, now: Instant, id: CallId, call: &Call) {
        let error = if call.sent { CallError::OutcomeUnknown } else { CallError::NotSent };
        self.reply(id, call.caller, Err(error));
        if !call.sent {
            return;
        }
        if self.heard + self.settings.call_timeout > call.deadline {
            // The service spoke after the call was made: slow, but alive.
            return;
        }
        self.silent_calls += 1;
        if self.silent_calls < SILENT_CALLS_MAX {
            // Is anybody there? The next heartbeat by the clock may be a minute away, and a service gives up after three.
            return self.health.ask_soon(now);
        }
        if let Link::Open { conn } = self.link {
            tracing::warn!(
                "no frame from the service while {SILENT_CALLS_MAX} calls timed out; connecting anew"
            );
            self.outputs.push_back(Output::Close(conn, None));
            self.link_lost(now);
        }
    }

    fn handle_response(&mut self, now: Instant, id: CallId, call: Call, frame: &ServiceFrame<'_>) {
        let result = match &frame.outcome {
            Err(refusal) => Err(CallError::Refused(refusal.clone())),
            Ok(()) => answer(&call.request, frame),
        };
        match (&*call.request, &result) {
            (Request::ActivateServerProcess(_), Ok(_)) => {
                self.stage = Stage::Ready;
                self.reply(id, call.caller, result);
                self.health.ask_now(now);
                // Within this very input: the service waits for the first heartbeat.
                self.handle_timeout(now);
            }
            (Request::TerminateServerProcess, Ok(_)) => {
                self.reply(id, call.caller, result);
                self.close(CloseReason::Ended);
            }
            _ => self.reply(id, call.caller, result),
        }
    }

    fn reply(&mut self, id: CallId, caller: Caller, result: Result<Answer, CallError>) {
        match (caller, &result) {
            (Caller::Application, _) => self.outputs.push_back(Output::Reply(id, result)),
            (Caller::Heartbeat, Ok(_)) => {}
            (Caller::Heartbeat, Err(error)) => {
                // Not the application's business, and not the end: liveness is the service's judgement.
                let refused = matches!(error, CallError::Refused(refusal) if refusal.kind() != RefusalKind::InternalService);
                self.missed_a_beat |= !refused;
                tracing::debug!(%error, "heartbeat failed");
            }
        }
    }

    // --- what the service says unasked ------------------------------------------------------------------------------

    fn handle_push(&mut self, now: Instant, push: Push) {
        match push {
            Push::CreateGameSession(create) if create.is_usable() => {
                let session = create.into_game_session(&self.settings.fleet_id);
                self.event(UplinkEvent::StartGameSession(Box::new(session)));
            }
            Push::CreateGameSession(_) => tracing::warn!("CreateGameSession without a GameSessionId ignored"),
            Push::UpdateGameSession(update) => self.event(UplinkEvent::UpdateGameSession(Box::new(update))),
            Push::TerminateProcess(terminate) => self.event(UplinkEvent::Terminate(terminate)),
            Push::RefreshConnection(refresh) => self.refresh(now, refresh),
            other => tracing::debug!(action = %other.action(), "push ignored"),
        }
    }

    fn event(&mut self, event: UplinkEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    fn heartbeat(&mut self, now: Instant, healthy: bool) {
        for (id, call) in self.calls.take_unsent_heartbeats() {
            self.reply(id, call.caller, Err(CallError::NotSent));
        }
        if self.calls.is_full() {
            // Only if every slot is a call that waits: then the next beat will tell.
            return tracing::debug!("heartbeat skipped: {CALLS_IN_FLIGHT_MAX} calls in flight");
        }
        let request = Request::HeartbeatServerProcess(HeartbeatServerProcess { health_status: healthy });
        self.start_call(now, now + self.settings.call_timeout, Caller::Heartbeat, Box::new(request));
    }
}

fn uuid(rng: &mut fastrand::Rng) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid()
}

fn answer(request: &Request, frame: &ServiceFrame<'_>) -> Result<Answer, CallError> {
    let read = match request {
        Request::DescribePlayerSessions(_) => frame.body().map(Answer::PlayerSessions),
        Request::StartMatchBackfill(_) => frame.body().map(Answer::BackfillStarted),
        Request::GetComputeCertificate => frame.body().map(Answer::Certificate),
        Request::GetFleetRoleCredentials(_) => frame.body().map(Box::new).map(Answer::Credentials),
        _ => Ok(Answer::Done),
    };
    read.map_err(CallError::Unreadable)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests need a first moment; all later ones are sums")]
fn first_moment() -> Instant {
    Instant::now()
}
