//! One ticket, followed from its start to a seat or another end. A value: time and news go in, effects come out.
//!
//! Invariants: at most one request is under way; there is exactly one [`Effect::Done`], and nothing after it; until then
//! there is always a request under way or a deadline; each proposed match is answered once; news that is older than what is
//! known changes nothing.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::error::CallError;
use super::model::{Connection, Status, Ticket};
use super::poll::{BACKOFF_MAX, Patience};
use super::push::PushBy;

#[cfg(test)]
mod tests;

/// How long a cancelled ticket may take to be over: GameLift confirms within a second or two, or the seat came first.
pub const CANCEL_PATIENCE: Duration = Duration::from_secs(15);

/// How a player wants a ticket followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowOptions {
    /// What to answer to a proposed match.
    pub accept: bool,
    /// How to listen for news besides asking, if at all. Asking goes on, but less often.
    pub push: Option<PushBy>,
    /// How long to wait for a seat before the ticket is cancelled.
    pub wait_max: Duration,
}

/// Something for the loop around to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send this, and tell [`Follower::handle_reply`] what came of it.
    Send(Request),
    /// Listen for news, and tell [`Follower::handle_push_opened`] or [`Follower::handle_push_lost`].
    OpenPush(PushBy),
    /// For the player: the ticket is here now.
    Changed(Status),
    /// It is over.
    Done(Outcome),
}

/// A request about the ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Ask for the ticket, unless it is still this version.
    Poll {
        /// The entity tag of the last answer.
        etag: Option<String>,
    },
    /// Accept or refuse the proposed match.
    Answer(bool),
    /// Cancel.
    Cancel,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The ticket.
    Ticket {
        /// As it is now.
        ticket: Box<Ticket>,
        /// Its entity tag.
        etag: Option<String>,
    },
    /// It is as it was.
    NotModified,
    /// None of these.
    Failed(CallError),
}

/// Why a ticket was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The player wanted it.
    Asked,
    /// [`FollowOptions::wait_max`] has passed.
    GaveUp,
}

/// The end of a ticket.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// There is a seat. It may come although the ticket was cancelled: then it was quicker.
    Seat(Box<Connection>),
    /// There is none.
    Ended {
        /// How it ended.
        status: Status,
        /// The backend's words.
        reason: Option<String>,
    },
    /// It was cancelled from here.
    Cancelled {
        /// What for.
        why: Why,
        /// Whether the backend has said that it is over. If not, it may still get a seat, which lapses by itself.
        confirmed: bool,
    },
    /// What becomes of it cannot be learned.
    Failed {
        /// Which request failed.
        request: Request,
        /// Why.
        error: CallError,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Push {
    Off,
    Opening,
    Open { since: Instant },
    Closed { reopen_at: Instant },
}

/// A line that held this long was a good one: what befalls it then is its first failure. As long as the longest wait before it
/// is opened again, so that one that comes and goes is not opened more often than that in the long run.
const PUSH_HELD_MIN: Duration = BACKOFF_MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cancelling {
    why: Why,
    give_up_at: Instant,
    /// The backend knows.
    told: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Follower {
    ticket: Ticket,
    etag: Option<String>,
    accept: bool,
    give_up_at: Instant,
    patience: Patience,
    push_by: Option<PushBy>,
    push: Push,
    push_patience: Patience,
    under_way: Option<Request>,
    poll_at: Instant,
    /// After a failure nothing is sent before.
    not_before: Instant,
    /// The proposed match that was answered, by its deadline.
    answered: Option<Option<u64>>,
    cancelling: Option<Cancelling>,
    effects: VecDeque<Effect>,
    over: bool,
}

impl Follower {
    /// Follows `ticket`, as the backend has just described it. `seed` is for the waits after failures.
    #[must_use]
    pub fn new(now: Instant, ticket: Ticket, options: FollowOptions, seed: u64) -> Self {
        let mut patience = Patience::new(seed);
        let poll_at = now + patience.answered(ticket.poll_after_ms, false);
        let mut follower = Self {
            etag: None,
            accept: options.accept,
            give_up_at: now + options.wait_max,
            push_patience: patience.clone(),
            patience,
            push_by: options.push,
            push: Push::Off,
            under_way: None,
            poll_at,
            not_before: now,
            answered: None,
            cancelling: None,
            effects: VecDeque::from([Effect::Changed(ticket.status)]),
            over: false,
            ticket,
        };
        if !follower.ticket.status.is_final() {
            follower.open_push();
        }
        follower.end_if_final();
        follower.decide(now);
        follower
    }

    /// The newest that is known.
    #[must_use]
    pub fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// What to do next, in order.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.over {
            return None;
        }
        let mut at = self.cancelling.map_or(self.give_up_at, |it| it.give_up_at);
        if self.under_way.is_none() {
            let pending = self.wants_cancel() || self.wants_answer();
            at = at.min(if pending { self.not_before } else { self.poll_at.max(self.not_before) });
        }
        if let Push::Closed { reopen_at } = self.push {
            at = at.min(reopen_at);
        }
        Some(at)
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.cancelling {
            Some(cancelling) if now >= cancelling.give_up_at => {
                self.end(Outcome::Cancelled { why: cancelling.why, confirmed: false });
            }
            None if now >= self.give_up_at => self.start_cancelling(now, Why::GaveUp),
            _ => {}
        }
        if let Push::Closed { reopen_at } = self.push
            && now >= reopen_at
            && !self.over
        {
            self.open_push();
        }
        self.decide(now);
    }

    /// The player does not want a match any more.
    pub fn cancel(&mut self, now: Instant) {
        if self.cancelling.is_none() {
            self.start_cancelling(now, Why::Asked);
        }
        self.decide(now);
    }

    /// What came of the request under way.
    pub fn handle_reply(&mut self, now: Instant, reply: Reply) {
        let Some(request) = self.under_way.take() else { return };
        match reply {
            Reply::Ticket { ticket, etag } => {
                self.note_done(&request);
                if self.take(*ticket) {
                    self.etag = etag;
                }
                self.schedule(now);
            }
            Reply::NotModified => self.schedule(now),
            Reply::Failed(error) => self.fail(now, request, error),
        }
        self.decide(now);
    }

    /// News that nobody asked for.
    pub fn handle_pushed(&mut self, now: Instant, ticket: Ticket) {
        let known = self.ticket.version;
        if self.take(ticket) && self.ticket.version > known {
            // News counts, not that somebody accepted the connection and repeated what was known.
            self.push_patience.answered(None, true);
            self.etag = None;
            self.schedule(now);
        }
        self.decide(now);
    }

    /// Listening has begun. The next question is asked as planned, the ones after it seldom: so a connection that comes and
    /// goes does not put it off for ever.
    pub fn handle_push_opened(&mut self, now: Instant) {
        if self.push == Push::Opening {
            self.push = Push::Open { since: now };
        }
    }

    /// Listening has ended, or could not begin: then `error` says whether and when it may be tried again.
    pub fn handle_push_lost(&mut self, now: Instant, error: Option<&CallError>) {
        if let Push::Open { since } = self.push
            && now >= since + PUSH_HELD_MIN
        {
            self.push_patience.answered(None, true);
        }
        let wait = match error {
            Some(error) if !error.is_retryable() => None,
            error => self.push_patience.failed(error.and_then(CallError::retry_after)),
        };
        self.push = wait.map_or(Push::Off, |wait| Push::Closed { reopen_at: now + wait });
        // Asking takes over. That nothing is pushed is no answer, so failures to ask still count.
        let asking = now + self.patience.poll_after(self.ticket.poll_after_ms, false);
        self.poll_at = self.poll_at.min(asking);
    }

    fn open_push(&mut self) {
        if let Some(by) = self.push_by {
            self.push = Push::Opening;
            self.effects.push_back(Effect::OpenPush(by));
        }
    }

    fn start_cancelling(&mut self, now: Instant, why: Why) {
        self.cancelling = Some(Cancelling { why, give_up_at: now + CANCEL_PATIENCE, told: false });
    }

    fn wants_cancel(&self) -> bool {
        self.cancelling.is_some_and(|it| !it.told)
    }

    fn wants_answer(&self) -> bool {
        self.ticket.status == Status::RequiresAcceptance
            && self.cancelling.is_none()
            && self.answered != Some(self.proposal())
    }

    /// What tells one proposed match from the next.
    fn proposal(&self) -> Option<u64> {
        self.ticket.acceptance.map(|it| it.deadline)
    }

    fn decide(&mut self, now: Instant) {
        if self.over || self.under_way.is_some() || now < self.not_before {
            return;
        }
        let request = if self.wants_cancel() {
            Request::Cancel
        } else if self.wants_answer() {
            Request::Answer(self.accept)
        } else if now >= self.poll_at {
            Request::Poll { etag: self.etag.clone() }
        } else {
            return;
        };
        self.under_way = Some(request.clone());
        self.effects.push_back(Effect::Send(request));
    }

    fn schedule(&mut self, now: Instant) {
        self.poll_at =
            now + self.patience.answered(self.ticket.poll_after_ms, matches!(self.push, Push::Open { .. }));
    }

    /// The backend has taken note of it.
    fn note_done(&mut self, request: &Request) {
        match request {
            Request::Poll { .. } => {}
            Request::Answer(_) => self.answered = Some(self.proposal()),
            Request::Cancel => {
                if let Some(cancelling) = &mut self.cancelling {
                    cancelling.told = true;
                }
            }
        }
    }

    fn fail(&mut self, now: Instant, request: Request, error: CallError) {
        // Both mean that things have moved on: ask how they are.
        let moved_on = match &request {
            Request::Answer(_) => Some("NOT_IN_ACCEPTANCE"),
            Request::Cancel => Some("TICKET_PLACED"),
            Request::Poll { .. } => None,
        };
        if moved_on.is_some() && error.code() == moved_on {
            self.note_done(&request);
            self.etag = None;
            self.poll_at = now;
            return;
        }
        let wait = if error.is_retryable() { self.patience.failed(error.retry_after()) } else { None };
        match wait {
            Some(wait) => {
                self.not_before = now + wait;
                self.poll_at = self.poll_at.max(self.not_before);
            }
            None => self.end(Outcome::Failed { request, error }),
        }
    }

    /// Whether it is news, or at least nothing old, of this ticket.
    fn take(&mut self, ticket: Ticket) -> bool {
        if self.over || ticket.ticket_id != self.ticket.ticket_id || ticket.version < self.ticket.version {
            return false;
        }
        let changed = ticket.status != self.ticket.status;
        self.ticket = ticket;
        if changed {
            self.effects.push_back(Effect::Changed(self.ticket.status));
            if self.ticket.status != Status::RequiresAcceptance {
                self.answered = None;
            }
        }
        self.end_if_final();
        true
    }

    fn end_if_final(&mut self) {
        let (status, reason) = (self.ticket.status, self.ticket.reason.clone());
        if !status.is_final() {
            return;
        }
        let outcome = match (status, self.ticket.connection.clone(), self.cancelling) {
            (Status::Succeeded, Some(connection), _) => Outcome::Seat(Box::new(connection)),
            (Status::Cancelled, _, Some(cancelling)) => {
                Outcome::Cancelled { why: cancelling.why, confirmed: true }
            }
            _ => Outcome::Ended { status, reason },
        };
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        if !self.over {
            self.over = true;
            self.under_way = None;
            self.effects.push_back(Effect::Done(outcome));
        }
    }
}
