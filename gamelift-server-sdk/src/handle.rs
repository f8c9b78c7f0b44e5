//! The way from a handle to the driver: one command, one deadline, one answer.

use std::time::Duration;

use gamelift_wire::requests::Request;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout_at};

use crate::error::{CallError, CloseReason};
use crate::rules;
use crate::uplink::{Answer, CALLS_IN_FLIGHT_MAX};

/// Commands waiting for the driver: as many as may be in flight. Those who find it full wait in the caller, each with a timer
/// of its own. Room that is not used costs nothing.
pub(crate) const COMMANDS_MAX: usize = CALLS_IN_FLIGHT_MAX;

/// From a handle to the driver. Boxed in the channel, which has room for 32 of them as long as it lives.
pub(crate) struct Command {
    /// Boxed once more: it moves on by itself, to wait for its answer.
    pub(crate) request: Box<Request>,
    pub(crate) deadline: std::time::Instant,
    pub(crate) reply: oneshot::Sender<Result<Answer, CallError>>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command").field("action", &self.request.action()).finish_non_exhaustive()
    }
}

/// What every handle knows.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) call_timeout: Duration,
    pub(crate) closed: watch::Receiver<Option<CloseReason>>,
}

impl Shared {
    pub(crate) async fn closed(&self) -> CloseReason {
        let mut closed = self.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(CloseReason::DriverStopped),
            Err(_) => CloseReason::DriverStopped,
        }
    }
}

/// One call: one deadline, through every queue.
pub(crate) async fn call(
    commands: &mpsc::Sender<Box<Command>>,
    shared: &Shared,
    request: Request,
) -> Result<Answer, CallError> {
    rules::check(&request).map_err(CallError::Invalid)?;
    let deadline = Instant::now() + shared.call_timeout;
    let permit = match timeout_at(deadline, commands.reserve()).await {
        Ok(Ok(permit)) => permit,
        Ok(Err(_)) => return Err(CallError::Closed(shared.closed().await)),
        Err(_) => return Err(CallError::NotSent),
    };
    let (reply, answer) = oneshot::channel();
    permit.send(Box::new(Command { request: Box::new(request), deadline: deadline.into_std(), reply }));
    match answer.await {
        Ok(result) => result,
        Err(_) => Err(CallError::Closed(shared.closed().await)),
    }
}

/// The uplink pairs each request with its own kind of answer; this cannot be reached.
pub(crate) fn unexpected(answer: &Answer) -> CallError {
    debug_assert!(false, "an answer of another kind: {answer:?}");
    CallError::OutcomeUnknown
}
