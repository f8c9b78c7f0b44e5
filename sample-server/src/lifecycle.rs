//! GameLift's side of the game: the only file that talks to the server SDK.
//!
//! ```text
//!   GameLift                     here                                game loop
//!   StartGameSession  ------->   activate ------------------------>  GameSessionStarted
//!   HealthCheck       ------->   ask the loop, answer if it does     HealthCheck
//!                     <-------   AcceptPlayerSession  <------------  Accept
//!                     <-------   RemovePlayerSession  <------------  Remove
//!   Terminate         ------->   ---------------------------------->  Drain
//!                     <-------   DENY_ALL, ACCEPT_ALL <------------  the policy (newest wins)
//!                     <-------   DescribePlayerSessions <----------  a seat to look up
//!                     <-------   TerminateServerProcess  <---------  (the loop ends)
//! ```
//!
//! One server process hosts one game session and then ends; GameLift starts a fresh one in its place. That is the
//! model of GameLift (AWS developer guide, "Add Amazon GameLift Servers to your game server"), and it means that no
//! state survives from one group of players to the next.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use gamelift_server_sdk::{
    CallError, Event, Events, GameSession, PlayerSessionCreationPolicy, PlayerSessionId, PlayerSessionQuery,
    PlayerSessionStatus, RefusalKind, ServerProcess, StartGameSession, Terminate,
};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::config::{Observation, Observer};
use crate::directory::{Find, Found};
use crate::gate::{AcceptAnswer, Standing};
use crate::room::PLAYERS_MAX;
use crate::service::{Notice, Request, Seam};

/// What is kept of the time that GameLift leaves a process it terminates: for telling it that every player and then
/// the process is gone. Of a short deadline at most half is kept.
pub const TERMINATE_MARGIN: Duration = Duration::from_secs(15);

/// How often a call that certainly had no effect is made at most. Each attempt may already take the SDK's 20 s.
pub const CALL_ATTEMPTS_MAX: u32 = 3;

/// How long to wait between two attempts: the service lets one call per second and player through, after three.
pub const CALL_RETRY_DELAY: Duration = Duration::from_secs(1);

/// How long the calls that are in flight when the game is over may take.
pub const LAST_CALLS_TIMEOUT: Duration = Duration::from_secs(5);

/// Why GameLift and the game no longer go together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LifecycleError {
    /// The game session could not be activated. The process must end, so that GameLift starts another.
    #[error("the game session could not be activated")]
    Activate(#[source] CallError),
    /// The SDK's connection is over for good: players cannot be validated any more.
    #[error("the connection to GameLift is closed")]
    Closed,
}

/// Carries messages between GameLift and the game until the game loop is over. Returns the id of the game session
/// that was hosted, if any.
///
/// `events` is only borrowed, because whoever drops it takes the process off the service: [`end`] comes first.
/// When `shutdown` resolves, or GameLift terminates the process, the game is told to drain, and ends when it has.
///
/// # Errors
/// [`LifecycleError`], after the game has ended because of it.
///
/// # Cancel safety
/// Not safe: calls in flight may or may not take effect.
pub async fn serve(
    events: &mut Events,
    seam: Seam,
    drain_notice: Duration,
    observer: Observer,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<String>, LifecycleError> {
    let Seam { mut requests, notices, mut policy, mut finds } = seam;
    let mut shutdown = pin!(shutdown);
    let mut shutting_down = false;
    let mut stage = Stage::Idle;
    let mut activation: JoinSet<Result<GameSession, CallError>> = JoinSet::new();
    let mut calls: JoinSet<Option<Notice>> = JoinSet::new();
    // One at a time, or a late DENY_ALL could overtake the ACCEPT_ALL that followed it.
    let mut policies: JoinSet<()> = JoinSet::new();
    let mut told = policy.borrow().clone();
    let mut failure = None;

    loop {
        // What to tell the game. A full queue means that the loop hangs; then there is nothing to do but wait, and
        // GameLift learns of it because its health checks are not answered.
        let notice = tokio::select! {
            request = requests.recv() => match request {
                Some(request) => {
                    start_call(&mut calls, stage.session(), request);
                    continue;
                }
                None => break,
            },
            Some(find) = finds.recv() => {
                start_find(&mut calls, stage.session(), find);
                continue;
            }
            Ok(()) = policy.changed(), if policies.is_empty() => {
                start_policy(&mut policies, stage.session(), &mut policy, &mut told);
                continue;
            }
            Some(_) = policies.join_next() => continue, // Perhaps it has changed again.
            Some(done) = calls.join_next() => match done {
                Ok(Some(notice)) => notice,
                Ok(None) => continue,
                // Its player is refused by the gate when the answer is overdue.
                Err(error) => {
                    tracing::error!(%error, "a call to GameLift was lost");
                    continue;
                }
            },
            Some(activated) = activation.join_next() => match activated {
                Ok(Ok(session)) => {
                    let seats = seats(&session);
                    let game_session_id = session.id().to_string();
                    tracing::info!(game_session_id, seats, "the game session is active");
                    let notice = Notice::GameSessionStarted { game_session_id: game_session_id.clone(), seats };
                    observer(Observation::GameSessionStarted { game_session_id, seats });
                    stage = Stage::Active(session);
                    notice
                }
                Ok(Err(error)) => {
                    failure = Some(LifecycleError::Activate(error));
                    Notice::Drain(Duration::ZERO)
                }
                Err(error) => {
                    tracing::error!(%error, "activating the game session was abandoned");
                    failure = Some(LifecycleError::Closed);
                    Notice::Drain(Duration::ZERO)
                }
            },
            () = &mut shutdown, if !shutting_down => {
                shutting_down = true;
                tracing::info!(seconds = drain_notice.as_secs(), "asked to stop: draining");
                Notice::Drain(drain_notice)
            }
            event = events.next(), if failure.is_none() => match event {
                Some(Event::StartGameSession(start)) => {
                    if matches!(stage, Stage::Idle) && !shutting_down {
                        stage = Stage::Activating;
                        activation.spawn(activate(start));
                    } else {
                        // Cannot happen with a service that follows its own rules; it gives up on the session itself.
                        tracing::error!("this process cannot host another game session: not activated");
                    }
                    continue;
                }
                Some(Event::UpdateGameSession(update)) => {
                    // Players found by backfill come to the gate like all others.
                    tracing::info!(reason = ?update.update_reason, "the game session was updated");
                    continue;
                }
                Some(Event::HealthCheck(check)) => {
                    let (alive, answer) = oneshot::channel();
                    calls.spawn(async move {
                        // Dropped unanswered if the loop is gone, which reports unhealthy, as it should.
                        if answer.await.is_ok() {
                            check.healthy();
                        }
                        None
                    });
                    Notice::HealthCheck(alive)
                }
                Some(Event::Terminate(terminate)) => {
                    shutting_down = true;
                    let notice = notice_before(&terminate, SystemTime::now(), drain_notice);
                    tracing::info!(seconds = notice.as_secs(), "GameLift terminates this process: draining");
                    Notice::Drain(notice)
                }
                Some(_) => continue,
                None => {
                    failure = Some(LifecycleError::Closed);
                    Notice::Drain(drain_notice)
                }
            },
        };
        if notices.send(notice).await.is_err() {
            break; // The loop is over.
        }
    }
    // What the game asked for last, or did not wait for any longer. What does not get through is lost with little harm:
    // ending the process ends its player sessions, too.
    let landed = timeout(LAST_CALLS_TIMEOUT, async {
        while calls.join_next().await.is_some() {}
        while policies.join_next().await.is_some() {}
        start_policy(&mut policies, stage.session(), &mut policy, &mut told);
        while policies.join_next().await.is_some() {}
    })
    .await;
    if landed.is_err() {
        tracing::warn!(calls = calls.len() + policies.len(), "GameLift did not answer in time");
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(stage.session().map(|session| session.id().to_string())),
    }
}

/// Tells GameLift that this process is over.
///
/// # Errors
/// [`CallError`] when it could not be told; it will find out by the missing heartbeats.
///
/// # Cancel safety
/// Not safe: GameLift may or may not have been told.
pub async fn end(process: ServerProcess) -> Result<(), CallError> {
    let mut attempt = 1;
    loop {
        match process.clone().end().await {
            Err(error) if attempt < CALL_ATTEMPTS_MAX && had_no_effect(&error) => {
                attempt += 1;
                sleep(CALL_RETRY_DELAY).await;
            }
            outcome => return outcome,
        }
    }
}

enum Stage {
    Idle,
    Activating,
    Active(GameSession),
}

impl Stage {
    fn session(&self) -> Option<&GameSession> {
        match self {
            Self::Active(session) => Some(session),
            Self::Idle | Self::Activating => None,
        }
    }
}

fn seats(session: &GameSession) -> usize {
    // Not telling the number is not a promise of none. The room has its own limit.
    let asked = session.details().maximum_player_session_count.map_or(PLAYERS_MAX, |count| count as usize);
    asked.min(PLAYERS_MAX)
}

/// How long players may go on so that the process is gone by its deadline.
fn notice_before(terminate: &Terminate, now: SystemTime, without_deadline: Duration) -> Duration {
    match terminate.deadline {
        None => without_deadline,
        Some(deadline) => {
            let left = deadline.duration_since(now).unwrap_or_default(); // In the past: none.
            left - TERMINATE_MARGIN.min(left / 2)
        }
    }
}

async fn activate(mut start: StartGameSession) -> Result<GameSession, CallError> {
    // A larger game loads its map here, and only then says that players may come.
    let mut attempt = 1;
    loop {
        match start.activate().await {
            Ok(session) => return Ok(session),
            Err(error) if attempt < CALL_ATTEMPTS_MAX && had_no_effect(&error.source) => {
                attempt += 1;
                start = error.into_start();
                sleep(CALL_RETRY_DELAY).await;
            }
            Err(error) => return Err(error.source),
        }
    }
}

fn start_call(calls: &mut JoinSet<Option<Notice>>, session: Option<&GameSession>, request: Request) {
    // The game asks nothing before it heard that the game session is active.
    let Some(session) = session.cloned() else { return };
    calls.spawn(async move {
        match request {
            Request::Accept(id) => {
                let answer = accept(&session, &id).await;
                Some(Notice::Accepted(id, answer))
            }
            Request::Describe(id) => {
                let standing = describe(&session, &id).await;
                Some(Notice::Described(id, standing))
            }
            Request::Remove(id) => {
                let known = remove(&session, &id).await;
                Some(Notice::Removed(id, known))
            }
        }
    });
}

/// Tells GameLift the newest policy, unless that is what it was told last.
fn start_policy(
    policies: &mut JoinSet<()>,
    session: Option<&GameSession>,
    newest: &mut watch::Receiver<PlayerSessionCreationPolicy>,
    told: &mut PlayerSessionCreationPolicy,
) {
    let policy = newest.borrow_and_update().clone();
    let Some(session) = session.cloned().filter(|_| policy != *told) else { return };
    told.clone_from(&policy);
    policies.spawn(async move {
        for attempt in 1..=CALL_ATTEMPTS_MAX {
            match session.set_creation_policy(policy.clone()).await {
                Ok(()) | Err(CallError::Unreadable(_)) => return,
                // Players whom GameLift sends meanwhile are refused at the gate, or do not come. Setting it twice does
                // no harm, so an unknown outcome is tried again, too.
                Err(error) => {
                    tracing::warn!(
                        reason = reason(&error),
                        attempt,
                        "GameLift was not told whether seats are free"
                    );
                    if matches!(&error, CallError::Refused(refusal) if is_final(refusal.kind())) {
                        return;
                    }
                }
            }
            sleep(CALL_RETRY_DELAY).await;
        }
    });
}

fn start_find(calls: &mut JoinSet<Option<Notice>>, session: Option<&GameSession>, find: Find) {
    let Some(session) = session.cloned() else { return };
    calls.spawn(async move {
        let query = PlayerSessionQuery::player_session(find.id.clone());
        let found = match session.describe_player_sessions(query).await {
            Ok(page) => {
                let here = page.player_sessions.iter().find(|it| it.player_session_id == find.id);
                here.map_or(Found::Nowhere, |it| Found::In(it.game_session_id.to_string()))
            }
            Err(CallError::Refused(refusal)) if is_final(refusal.kind()) => Found::Nowhere,
            Err(error) => {
                tracing::warn!(reason = reason(&error), "it is not known in which game session a seat is");
                return None; // The player is told to try again.
            }
        };
        let _ = find.answer.send(found); // The player has gone.
        None
    });
}

async fn accept(session: &GameSession, id: &PlayerSessionId) -> AcceptAnswer {
    match session.accept(id).await {
        // Unreadable: it said yes, in words that are not understood.
        Ok(()) | Err(CallError::Unreadable(_)) => AcceptAnswer::Yes,
        Err(error) if had_no_effect(&error) => AcceptAnswer::NotNow,
        // A service that failed (5xx) may have failed after it wrote the player down.
        Err(CallError::Refused(refusal)) if refusal.kind() != RefusalKind::InternalService => {
            tracing::info!(reason = refusal.kind().name(), "GameLift does not accept a player session");
            AcceptAnswer::No
        }
        Err(error) => {
            let reason = reason(&error);
            tracing::warn!(reason, "it is not known whether GameLift accepted a player session");
            AcceptAnswer::Unknown
        }
    }
}

async fn describe(session: &GameSession, id: &PlayerSessionId) -> Standing {
    match session.describe_player_sessions(PlayerSessionQuery::player_session(id.clone())).await {
        Ok(page) => {
            let here = page.player_sessions.iter().find(|it| it.player_session_id == *id);
            match here.filter(|it| it.game_session_id == *session.id()).and_then(|it| it.status.as_ref()) {
                Some(PlayerSessionStatus::Active) => Standing::Active,
                Some(PlayerSessionStatus::Reserved) => Standing::Reserved,
                _ => Standing::Ended,
            }
        }
        Err(error) => {
            tracing::warn!(reason = reason(&error), "a player session cannot be looked up");
            Standing::Unknown
        }
    }
}

/// Whether GameLift knows that the player is gone.
async fn remove(session: &GameSession, id: &PlayerSessionId) -> bool {
    for attempt in 1..=CALL_ATTEMPTS_MAX {
        match session.remove(id).await {
            // A refusal says that there is nothing to remove, or no longer.
            Ok(()) | Err(CallError::Unreadable(_)) => return true,
            Err(CallError::Refused(refusal)) if is_final(refusal.kind()) => return true,
            // Removing twice does no harm, so an unknown outcome is tried again, too.
            Err(error) => {
                tracing::warn!(reason = reason(&error), attempt, "GameLift was not told that a player left");
            }
        }
        sleep(CALL_RETRY_DELAY).await;
    }
    false
}

/// Whether a refusal would be the same the next time.
fn is_final(kind: RefusalKind) -> bool {
    !matches!(kind, RefusalKind::TooManyRequests | RefusalKind::InternalService)
}

/// An error for the log. The service's own words are left out: they repeat the player session id.
fn reason(error: &CallError) -> &'static str {
    match error {
        CallError::NotSent => "not sent",
        CallError::OutcomeUnknown => "outcome unknown",
        CallError::Refused(refusal) => refusal.kind().name(),
        CallError::Unreadable(_) => "answer not understood",
        CallError::Closed(_) => "closed",
        _ => "failed",
    }
}

fn had_no_effect(error: &CallError) -> bool {
    match error {
        CallError::NotSent => true,
        CallError::Refused(refusal) => refusal.kind() == RefusalKind::TooManyRequests,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice_s(deadline_in_s: Option<i64>) -> u64 {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let mut terminate = Terminate::from(gamelift_server_sdk::wire::pushes::TerminateProcess::default());
        terminate.deadline =
            deadline_in_s.map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs((1000 + s) as u64));
        notice_before(&terminate, now, Duration::from_secs(30)).as_secs()
    }

    #[test]
    fn players_may_go_on_until_the_deadline_minus_what_saying_goodbye_takes() {
        assert_eq!(notice_s(Some(300)), 285);
        assert_eq!(notice_s(Some(10)), 5, "half of a short deadline");
        assert_eq!(notice_s(Some(-10)), 0, "a deadline that has passed");
        assert_eq!(notice_s(None), 30);
    }
}
