//! From a wish to a seat: the loop around [`Follower`], which decides; this waits and sends.

use std::future::pending;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::client::{Client, TicketNews, patiently};
use super::error::{CallError, PlayError, Step, StepError};
use super::follow::{Effect, FollowOptions, Follower, Outcome, Reply, Request, Why};
use super::model::{Connection, StartRequest, Status, Ticket};
use super::push::{Push, PushBy};

/// How long a player waits for a match unless told otherwise. Longer than any FlexMatch timeout in this repository.
pub const WAIT_MAX_DEFAULT: Duration = Duration::from_secs(300);
/// How long the member of a party waits for the leader's ticket. Tokens are good for ten minutes; people are less patient.
pub const INVITED_WAIT_MAX: Duration = Duration::from_secs(120);
/// How often a member asks whether there is one.
pub const INVITED_POLL: Duration = Duration::from_secs(1);

/// What a player wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How the player comes to a ticket.
    pub entry: Entry,
    /// How the ticket is followed.
    pub follow: FollowOptions,
}

/// How a player comes to a ticket.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Asks for a match, alone or for a party. A ticket that the player has already is followed instead.
    Start(StartRequest),
    /// Waits for the ticket of somebody who was given this player's [`Invite`](super::model::Invite).
    Invited {
        /// The ticket that the player had before, if any: unless it is still open, it is not the one that is waited for.
        earlier: Option<String>,
    },
}

/// Something that has happened on the way.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Milestone {
    /// There is a ticket.
    Ticket {
        /// Its id.
        ticket_id: String,
        /// Whether it was there before.
        resumed: bool,
    },
    /// The ticket is here now.
    Status(Status),
    /// News is pushed from now on.
    Pushing(PushBy),
    /// It is not any more; the ticket is asked for, and the push may be opened again.
    PushLost,
    /// The player is in the game, with this number.
    Joined(u32),
    /// The connection to the game is lost; the player goes back.
    Dropped(crate::error::LeaveReason),
}

impl Client {
    /// Gets the player a seat, or says why there is none. When `stop` is cancelled the request is taken back; a seat that
    /// was quicker than that is returned all the same.
    ///
    /// # Errors
    /// See [`PlayError`]: the step that failed, and what to do next.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the ticket alive: cancel `stop` instead.
    pub async fn find_match(
        &self,
        wish: Wish,
        stop: &CancellationToken,
        mut on: impl FnMut(Milestone) + Send,
    ) -> Result<Connection, PlayError> {
        let (ticket, resumed) = match wish.entry {
            Entry::Start(request) => self.start_or_resume(&request).await?,
            Entry::Invited { earlier } => (self.wait_for_leader(earlier.as_deref(), stop).await?, false),
        };
        on(Milestone::Ticket { ticket_id: ticket.ticket_id.clone(), resumed });
        let follower = Follower::new(now(), ticket, wish.follow, fastrand::u64(..));
        match self.follow(follower, stop, &mut on).await {
            Outcome::Seat(connection) => Ok(*connection),
            Outcome::Ended { status, reason } => Err(PlayError::NoMatch { status, reason }),
            Outcome::Cancelled { why: Why::Asked, confirmed } => Err(PlayError::Cancelled { confirmed }),
            Outcome::Cancelled { why: Why::GaveUp, confirmed } => {
                Err(PlayError::GaveUp { after: wish.follow.wait_max, confirmed })
            }
            Outcome::Failed { request, error } => {
                let step = match request {
                    Request::Poll { .. } => Step::Ticket,
                    Request::Answer(_) => Step::Acceptance,
                    Request::Cancel => Step::Cancel,
                };
                Err(StepError { step, error }.into())
            }
        }
    }

    /// Is not interrupted: a request that is given up half-way may have made a ticket that nobody follows.
    async fn start_or_resume(&self, request: &StartRequest) -> Result<(Ticket, bool), StepError> {
        let key = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        match patiently(|| self.start(&key, request)).await {
            Ok(started) => Ok((started.ticket, false)),
            Err(failed) if failed.error.code() == Some("TICKET_ACTIVE") => {
                Ok((patiently(|| self.current()).await?, true))
            }
            Err(failed) => Err(failed),
        }
    }

    async fn wait_for_leader(
        &self,
        earlier: Option<&str>,
        stop: &CancellationToken,
    ) -> Result<Ticket, PlayError> {
        let give_up_at = tokio::time::Instant::now() + INVITED_WAIT_MAX;
        loop {
            match patiently(|| self.current()).await {
                Ok(ticket) if !ticket.status.is_final() || earlier != Some(&ticket.ticket_id) => {
                    return Ok(ticket);
                }
                Ok(_) => {}
                Err(failed) if failed.error.code() == Some("NOT_FOUND") => {}
                Err(failed) => return Err(failed.into()),
            }
            tokio::select! {
                () = stop.cancelled() => return Err(PlayError::Cancelled { confirmed: true }),
                () = tokio::time::sleep(INVITED_POLL) => {}
            }
            if tokio::time::Instant::now() >= give_up_at {
                return Err(PlayError::NotInvited { after: INVITED_WAIT_MAX });
            }
        }
    }

    async fn follow(
        &self,
        mut follower: Follower,
        stop: &CancellationToken,
        on: &mut (impl FnMut(Milestone) + Send),
    ) -> Outcome {
        let mut request: Option<Waiting<Reply>> = None;
        let mut opening: Option<Waiting<(PushBy, Result<Push, StepError>)>> = None;
        let mut push: Option<Push> = None;
        let mut stopped = false;
        loop {
            while let Some(effect) = follower.poll_effect() {
                match effect {
                    Effect::Send(it) => {
                        request = Some(Box::pin(self.clone().ask(follower.ticket().ticket_id.clone(), it)));
                    }
                    Effect::OpenPush(by) => {
                        let client = self.clone();
                        opening = Some(Box::pin(async move { (by, client.push(by).await) }));
                    }
                    Effect::Changed(status) => on(Milestone::Status(status)),
                    Effect::Done(outcome) => return outcome,
                }
            }
            let due = follower.poll_timeout().map(tokio::time::Instant::from_std);
            tokio::select! {
                reply = ready(&mut request) => {
                    request = None;
                    follower.handle_reply(now(), reply);
                }
                (by, opened) = ready(&mut opening) => {
                    opening = None;
                    match opened {
                        Ok(opened) => {
                            push = Some(opened);
                            on(Milestone::Pushing(by));
                            follower.handle_push_opened(now());
                        }
                        Err(error) => {
                            tracing::warn!(%error, "no news is pushed; the ticket is asked for instead");
                            follower.handle_push_lost(now(), Some(&error.error));
                        }
                    }
                }
                news = next(&mut push) => match news {
                    Some(ticket) => follower.handle_pushed(now(), ticket),
                    None => {
                        push = None;
                        on(Milestone::PushLost);
                        follower.handle_push_lost(now(), None);
                    }
                },
                () = stop.cancelled(), if !stopped => {
                    stopped = true;
                    follower.cancel(now());
                }
                () = until(due) => follower.handle_timeout(now()),
            }
        }
    }

    async fn ask(self, ticket_id: String, request: Request) -> Reply {
        let whole = |ticket| TicketNews::Ticket { ticket: Box::new(ticket), etag: None };
        let answer = match request {
            Request::Poll { etag } => self.ticket(&ticket_id, etag.as_deref()).await,
            Request::Answer(accept) => self.answer(&ticket_id, accept).await.map(whole),
            Request::Cancel => self.cancel(&ticket_id).await.map(whole),
        };
        match answer {
            Ok(TicketNews::NotModified) => Reply::NotModified,
            Ok(TicketNews::Ticket { ticket, .. }) if ticket.ticket_id != ticket_id => {
                let what = "the answer is about another ticket".to_owned();
                Reply::Failed(CallError::Nonsense { host: "the backend".to_owned(), what })
            }
            Ok(TicketNews::Ticket { ticket, etag }) => Reply::Ticket { ticket, etag },
            Err(failed) => Reply::Failed(failed.error),
        }
    }
}

/// The one clock of this loop; it is tokio's, so that tests can turn it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A request under way.
type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

async fn ready<T>(future: &mut Option<Waiting<T>>) -> T {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

async fn next(push: &mut Option<Push>) -> Option<Ticket> {
    match push {
        Some(push) => push.next().await,
        None => pending().await,
    }
}

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
