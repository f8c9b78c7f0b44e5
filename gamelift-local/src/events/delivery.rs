//! One endpoint: every event in order, each repeated until the endpoint has taken it or will not take it.

use std::{future::pending, sync::Arc};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{
    Events,
    client::{Failure, Post},
    line::Line,
    outlets::{Outlets, Target},
    retry,
};
use crate::{Timestamp, engine::Event};

/// Most events that wait for one endpoint, so that one that is away cannot fill the memory. What comes then is a dead
/// letter at once.
const WAITING_MAX: usize = 10_000;

/// Where an endpoint is in its life. The end of the channel that tells it is the end of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// The endpoint has been greeted and has to answer in its own way.
    Pending,
    /// It gets events.
    Confirmed,
    /// It has had enough, but may come back.
    Unsubscribed,
}

/// What an endpoint is sent.
pub(crate) trait Form: Send + Sync {
    /// Whether the event is for this endpoint.
    fn wants(&self, event: &Event) -> bool;
    /// Carries an event.
    fn event(&self, event: &Event) -> Result<Post, NotMade>;
    /// Comes first, if there is one.
    fn hello(&self, now: Timestamp) -> Option<Result<Post, NotMade>>;
    /// Comes after the last event, if there is one.
    fn goodbye(&self, now: Timestamp) -> Option<Result<Post, NotMade>>;
}

/// Why there is nothing to post. Trying again would not help.
#[derive(Debug, thiserror::Error)]
#[error("the message cannot be made: {0}")]
pub(crate) struct NotMade(pub(crate) String);

/// An event that waits for its turn, behind all faults.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) event: Arc<Event>,
    /// Whether it was a dead letter, and stays one if nobody wants it.
    pub(crate) redriven: bool,
}

pub(crate) struct Delivery {
    pub(super) outlets: Outlets,
    pub(super) target: Arc<Target>,
    pub(super) form: Arc<dyn Form>,
    pub(super) events: Events,
    pub(super) phase: watch::Receiver<Phase>,
    /// Dropped at the end, which is how others learn of it.
    pub(super) over: watch::Sender<()>,
}

enum Sent {
    Taken,
    NotTaken { reason: String, attempts: u32 },
}

impl Delivery {
    /// Delivers until the endpoint is removed or the service ends.
    pub(super) async fn run(self) {
        let Self { outlets, target, form, events, phase, over } = self;
        let (queue, queued) = mpsc::channel(WAITING_MAX);
        outlets.opened(&target, &queue);
        let mut feed = Feed {
            outlets: outlets.clone(),
            target: target.clone(),
            form: form.clone(),
            phase: phase.clone(),
            line: Line::default(),
        };
        let drain =
            Drain { stop: outlets.stop(), outlets: outlets.clone(), target: target.clone(), form, phase };
        tokio::select! {
            () = async { feed.run(events, queue).await; pending::<()>().await } => {}
            () = drain.run(queued) => {}
        }
        feed.line.release();
        let late = std::iter::from_fn(|| feed.line.pop(Timestamp::default())).count();
        not_wanted(&target, late);
        outlets.closed(&target);
        drop(over);
    }
}

/// Takes events as they happen, so that an endpoint that is away does not make others wait or miss any, and lets faults
/// loose on them. What goes wrong with which event, and where late ones come out again, depends on the seed and on the
/// events' times, never on how fast the endpoint or this machine is.
struct Feed {
    outlets: Outlets,
    target: Arc<Target>,
    form: Arc<dyn Form>,
    phase: watch::Receiver<Phase>,
    line: Line,
}

impl Feed {
    async fn run(&mut self, mut events: Events, queue: mpsc::Sender<Queued>) {
        loop {
            let due = self.line.poll_timeout();
            let handle = self.outlets.handle().clone();
            tokio::select! {
                // Whatever happened before the alarm is here before the alarm: the driver publishes first.
                biased;
                event = events.next() => match event {
                    Some(Ok(event)) => self.take(event, &queue),
                    Some(Err(missed)) => {
                        self.outlets.count(&self.target, |counts| counts.missed += missed.count);
                        tracing::error!(target = &*self.target.id, %missed, "an endpoint will not get some events");
                    }
                    None => break,
                },
                // An error means that the service has ended, and then the events end, too.
                Ok(now) = handle.wait_until(due.unwrap_or_default()), if due.is_some() => self.pass_on(now, &queue),
            }
        }
        self.line.release();
        self.pass_on(Timestamp::default(), &queue);
    }

    fn take(&mut self, event: Arc<Event>, queue: &mpsc::Sender<Queued>) {
        if *self.phase.borrow() != Phase::Confirmed || !self.form.wants(&event) {
            return;
        }
        let plan = self.outlets.plan(&self.target, &event);
        let now = event.time;
        self.line.push(event, plan);
        self.pass_on(now, queue);
    }

    /// Queues what is due for the endpoint.
    fn pass_on(&mut self, now: Timestamp, queue: &mpsc::Sender<Queued>) {
        let wanted = *self.phase.borrow() == Phase::Confirmed;
        let mut unwanted = 0;
        while let Some(event) = self.line.pop(now) {
            if !wanted {
                unwanted += 1;
                continue;
            }
            let at = now.max(event.time);
            if let Err(full) = queue.try_send(Queued { event, redriven: false }) {
                let reason = format!("{WAITING_MAX} events wait for the endpoint already");
                self.outlets.give_up(&self.target, full.into_inner().event, reason, 0, at);
            }
        }
        not_wanted(&self.target, unwanted);
    }
}

/// Tells of events that were late on purpose or behind others when the endpoint went away.
fn not_wanted(target: &Target, count: usize) {
    if count > 0 {
        let (target, url) = (&*target.id, &target.url);
        tracing::warn!(target, url, count, "events that waited for an endpoint are not wanted any more");
    }
}

/// Sends what waits.
struct Drain {
    outlets: Outlets,
    target: Arc<Target>,
    form: Arc<dyn Form>,
    phase: watch::Receiver<Phase>,
    stop: watch::Receiver<bool>,
}

impl Drain {
    async fn run(mut self, mut queued: mpsc::Receiver<Queued>) {
        self.until_the_end(&mut queued).await;
        // What is sent to a closed queue is given back: a dead letter stays one.
        queued.close();
        self.discard(&mut queued);
    }

    async fn until_the_end(&mut self, queued: &mut mpsc::Receiver<Queued>) {
        let now = self.outlets.now_or(Timestamp::default()).await;
        if let Some(hello) = self.form.hello(now)
            && !self.tell(hello).await
            // Whoever confirms and then says that something went wrong has confirmed all the same.
            && *self.phase.borrow() != Phase::Confirmed
        {
            return;
        }
        while self.confirmed().await {
            if !self.until_unsubscribed(queued).await {
                return;
            }
            self.discard(queued);
            let now = self.outlets.now_or(Timestamp::default()).await;
            if let Some(goodbye) = self.form.goodbye(now) {
                self.tell(goodbye).await;
            }
        }
    }

    /// Delivers until the endpoint is not to get events for now. Returns false if it never will again.
    async fn until_unsubscribed(&mut self, queued: &mut mpsc::Receiver<Queued>) -> bool {
        loop {
            let next = tokio::select! {
                biased;
                changed = self.phase.wait_for(|phase| *phase != Phase::Confirmed) => return changed.is_ok(),
                next = queued.recv() => next,
            };
            match next {
                Some(Queued { event, .. }) => self.deliver(event).await,
                None => return false,
            }
        }
    }

    /// The endpoint does not want what waits any more. Dead letters go back to where they were.
    fn discard(&self, queued: &mut mpsc::Receiver<Queued>) {
        let mut count = 0;
        while let Ok(Queued { event, redriven }) = queued.try_recv() {
            if redriven {
                let (at, reason) = (event.time, "the endpoint has been removed or unsubscribed".to_owned());
                self.outlets.give_up(&self.target, event, reason, 0, at);
            } else {
                count += 1;
            }
        }
        not_wanted(&self.target, count);
    }

    /// Waits for the endpoint's word. Returns whether it is to get events.
    async fn confirmed(&mut self) -> bool {
        tokio::select! {
            // A subscription that is confirmed gets what happened before the stop.
            biased;
            confirmed = self.phase.wait_for(|phase| *phase == Phase::Confirmed) => confirmed.is_ok(),
            // An error means that the service is gone, which is as good a reason.
            _ = self.stop.wait_for(|stop| *stop) => false,
        }
    }

    async fn deliver(&mut self, event: Arc<Event>) {
        match self.send(self.form.event(&event)).await {
            Sent::Taken => self.outlets.count(&self.target, |counts| counts.delivered += 1),
            Sent::NotTaken { reason, attempts } => {
                let at = self.outlets.now_or(event.time).await;
                self.outlets.give_up(&self.target, event, reason, attempts, at);
            }
        }
    }

    /// Sends something that is no event. Returns whether it was taken.
    async fn tell(&mut self, post: Result<Post, NotMade>) -> bool {
        match self.send(post).await {
            Sent::Taken => true,
            Sent::NotTaken { reason, attempts } => {
                let (target, url) = (&*self.target.id, &self.target.url);
                tracing::error!(target, url, attempts, reason, "a message is given up");
                false
            }
        }
    }

    /// Posts until it is taken, or there is no hope.
    async fn send(&mut self, post: Result<Post, NotMade>) -> Sent {
        let post = match post {
            Ok(post) => post,
            Err(error) => return Sent::NotTaken { reason: error.to_string(), attempts: 0 },
        };
        let phase = *self.phase.borrow();
        let mut attempts = 0;
        loop {
            let sent = self.outlets.client().post(&self.target.endpoint, &post).await;
            attempts += 1;
            let reason = match sent {
                Ok(()) => return Sent::Taken,
                Err(Failure::Permanent(status)) => {
                    self.outlets.count(&self.target, |counts| counts.failed_attempts += 1);
                    return Sent::NotTaken { reason: format!("the endpoint refused it: {status}"), attempts };
                }
                Err(Failure::Temporary(reason)) => reason,
            };
            self.outlets.count(&self.target, |counts| counts.failed_attempts += 1);
            let Some(wait) = retry::wait_before(attempts) else { return Sent::NotTaken { reason, attempts } };
            let (target, url) = (&*self.target.id, &self.target.url);
            tracing::warn!(target, url, post.id, attempts, reason, "an endpoint did not take a message");
            tokio::select! {
                biased;
                _ = self.phase.wait_for(|now| *now != phase) => {
                    return Sent::NotTaken { reason: format!("confirmed, unsubscribed or removed meanwhile; before that: {reason}"), attempts };
                }
                _ = self.stop.wait_for(|stop| *stop) => {
                    return Sent::NotTaken { reason: format!("the service stops; before that: {reason}"), attempts };
                }
                () = sleep(wait) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
