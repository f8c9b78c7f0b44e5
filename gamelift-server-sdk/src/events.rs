//! What the service wants from the process, in the order in which it said so.

use std::time::{Duration, SystemTime};

use gamelift_wire::model::GameSession as GameSessionModel;
use gamelift_wire::pushes::{TerminateProcess, UpdateGameSession};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::CloseReason;
use crate::game_session::StartGameSession;
use crate::handle::{Command, Shared};

/// Something the service wants.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Host this game session: get ready for it, then [`activate`](StartGameSession::activate) it. `OnStartGameSession`.
    StartGameSession(StartGameSession),
    /// The game session changed, most often because backfill found players. `OnUpdateGameSession`.
    UpdateGameSession(Box<UpdateGameSession>),
    /// Is the process well? `OnHealthCheck`.
    HealthCheck(HealthCheck),
    /// End: let players finish, then [`end`](crate::ServerProcess::end) and exit. `OnProcessTerminate`.
    ///
    /// The SDK does nothing about it by itself; it never ends the program.
    Terminate(Terminate),
}

/// The service wants the process gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terminate {
    /// When the service will stop waiting, by the wall clock; 5 minutes ahead as a rule, 2 before a Spot interruption.
    /// `None` if it did not say.
    pub deadline: Option<SystemTime>,
}

impl From<TerminateProcess> for Terminate {
    fn from(push: TerminateProcess) -> Self {
        Self { deadline: push.termination_time.map(gamelift_wire::model::EpochMillis::to_system_time) }
    }
}

/// A question that wants an answer: is the process well?
///
/// It comes through the same stream as everything else, so that a game loop that hangs cannot claim to be well. No answer
/// in time (50 s unless configured) and dropping the question both mean *unhealthy*. A service ends a process after three
/// bad or missing reports in a row.
#[derive(Debug)]
#[must_use = "dropping a health check reports the process as unhealthy"]
pub struct HealthCheck {
    answer: oneshot::Sender<bool>,
}

impl HealthCheck {
    pub(crate) fn new(answer: oneshot::Sender<bool>) -> Self {
        Self { answer }
    }

    /// The process is well.
    pub fn healthy(self) {
        self.answer(true);
    }

    /// It is not.
    pub fn unhealthy(self) {
        self.answer(false);
    }

    /// Either, by a value.
    pub fn answer(self, healthy: bool) {
        // Too late, or the uplink is over: silence has been reported already.
        let _ = self.answer.send(healthy);
    }
}

/// The events of one server process. There is one owner; when it is dropped, the process is taken off the service.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::Receiver<Box<Event>>,
}

impl Events {
    pub(crate) fn new(receiver: mpsc::Receiver<Box<Event>>) -> Self {
        Self { receiver }
    }

    /// The next event; `None` once the connection to the service is over for good
    /// ([`ServerProcess::closed`](crate::ServerProcess::closed) says why).
    ///
    /// A dropped connection is no event: the SDK reconnects by itself. Read on while other work waits: after 1,024 unread
    /// events the SDK takes the process for hung and closes.
    ///
    /// # Cancel safety
    ///
    /// Safe: an event is either returned or still there.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await.map(|event| *event)
    }
}

/// What the driver needs to hand out a [`StartGameSession`]. It holds the handles' channel weakly: an event that lies
/// unread must not keep an abandoned process alive.
pub(crate) struct StartContext {
    pub(crate) commands: mpsc::WeakSender<Box<Command>>,
    pub(crate) call_timeout: Duration,
    pub(crate) closed: watch::Receiver<Option<CloseReason>>,
}

impl StartContext {
    pub(crate) fn start(&self, session: GameSessionModel) -> StartGameSession {
        StartGameSession::new(
            self.commands.clone(),
            Shared { call_timeout: self.call_timeout, closed: self.closed.clone() },
            session,
        )
    }
}
