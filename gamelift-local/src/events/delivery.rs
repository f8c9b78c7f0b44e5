//! One endpoint: every event in order, each repeated until the endpoint has taken it or will not take it.

use std::{future::pending, sync::Arc};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{
    Events,
    client::{Failure, Post},
    faults::Plan,
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
    fn event(&self, event: &Event) -> Post;
    /// Comes first, if there is one.
    fn hello(&self, now: Timestamp) -> Option<Post>;
    /// Comes after the last event, if there is one.
    fn goodbye(&self, now: Timestamp) -> Option<Post>;
}

/// An event that waits.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) event: Arc<Event>,
    /// What is to go wrong with it. Decided when it happens, so that it does not depend on how fast an endpoint is.
    /// `None` for one that was given up before: it has been faulty enough.
    pub(crate) plan: Option<Plan>,
}

pub(crate) struct Delivery {
    pub(super) outlets: Outlets,
    pub(super) target: Arc<Target>,
    pub(super) form: Arc<dyn Form>,
    pub(super) events: Events,
    pub(super) phase: watch::Receiver<Phase>,
}

enum Next {
    Event(Arc<Event>),
    /// The endpoint is not to get events any more, for now.
    Unsubscribed,
    /// The endpoint or the service is gone.
    End,
}

enum Sent {
    Taken,
    NotTaken { reason: String, attempts: u32 },
}

impl Delivery {
    /// Delivers until the endpoint is removed or the service ends.
    pub(super) async fn run(self) {
        let Self { outlets, target, form, events, phase } = self;
        let (queue, queued) = mpsc::channel(WAITING_MAX);
        outlets.opened(&target, &queue);
        let feed = Feed {
            outlets: outlets.clone(),
            target: target.clone(),
            form: form.clone(),
            phase: phase.clone(),
            queue,
        };
        let drain =
            Drain { stop: outlets.stop(), outlets: outlets.clone(), target: target.clone(), form, phase };
        tokio::select! {
            () = async { feed.run(events).await; pending::<()>().await } => {}
            () = drain.run(queued) => {}
        }
        outlets.closed(&target);
    }
}

/// Takes events as they happen, so that an endpoint that is away does not make others wait or miss any.
struct Feed {
    outlets: Outlets,
    target: Arc<Target>,
    form: Arc<dyn Form>,
    phase: watch::Receiver<Phase>,
    queue: mpsc::Sender<Queued>,
}

impl Feed {
    async fn run(self, mut events: Events) {
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if *self.phase.borrow() != Phase::Confirmed || !self.form.wants(&event) {
                        continue;
                    }
                    let plan = self.outlets.plan(&self.target, &event);
                    if plan.copies == 0 {
                        continue;
                    }
                    let at = event.time;
                    if let Err(full) = self.queue.try_send(Queued { event, plan: Some(plan) }) {
                        let reason = format!("{WAITING_MAX} events wait for the endpoint already");
                        self.outlets.give_up(&self.target, full.into_inner().event, reason, 0, at);
                    }
                }
                Err(missed) => {
                    self.outlets.count(&self.target, |counts| counts.missed += missed.count);
                    tracing::error!(target = &*self.target.id, %missed, "an endpoint will not get some events");
                }
            }
        }
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
        self.discard(&mut queued, Line::default());
    }

    async fn until_the_end(&mut self, queued: &mut mpsc::Receiver<Queued>) {
        let now = self.outlets.now_or(Timestamp::default()).await;
        if let Some(hello) = self.form.hello(now)
            && !self.tell(&hello).await
        {
            return;
        }
        while self.confirmed().await {
            let mut line = Line::default();
            let mut now = Timestamp::default();
            loop {
                match self.next(&mut line, &mut now, queued).await {
                    Next::Event(event) => self.deliver(event).await,
                    Next::Unsubscribed => break,
                    Next::End => return self.discard(queued, line),
                }
            }
            self.discard(queued, line);
            let now = self.outlets.now_or(now).await;
            if let Some(goodbye) = self.form.goodbye(now) {
                self.tell(&goodbye).await;
            }
        }
    }

    /// The endpoint does not want what waits any more. Dead letters go back to where they were.
    fn discard(&self, queued: &mut mpsc::Receiver<Queued>, line: Line) {
        let mut count = line.len();
        while let Ok(Queued { event, plan }) = queued.try_recv() {
            if plan.is_none() {
                let (at, reason) = (event.time, "the endpoint has been removed or unsubscribed".to_owned());
                self.outlets.give_up(&self.target, event, reason, 0, at);
            } else {
                count += 1;
            }
        }
        if count > 0 {
            let (target, url) = (&*self.target.id, &self.target.url);
            tracing::warn!(target, url, count, "events that waited for an endpoint are not wanted any more");
        }
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

    /// Waits for the next event that is due. `now` is the service's time, as far as it is known.
    async fn next(
        &mut self,
        line: &mut Line,
        now: &mut Timestamp,
        queued: &mut mpsc::Receiver<Queued>,
    ) -> Next {
        const AS_IT_IS: Plan = Plan { copies: 1, delay: None, reorder: false };
        loop {
            if let Some(event) = line.pop(*now) {
                return Next::Event(event);
            }
            let due = line.poll_timeout();
            let handle = self.outlets.handle();
            tokio::select! {
                changed = self.phase.wait_for(|phase| *phase != Phase::Confirmed) => {
                    return if changed.is_ok() { Next::Unsubscribed } else { Next::End };
                }
                next = queued.recv() => match next {
                    Some(Queued { event, plan }) => {
                        *now = (*now).max(event.time);
                        line.push(event, plan.unwrap_or(AS_IT_IS));
                    }
                    None if due.is_some() => line.release(),
                    None => return Next::End,
                },
                // An error means that the service has ended, and then the queue ends, too.
                Ok(time) = handle.wait_until(due.unwrap_or_default()), if due.is_some() => {
                    *now = (*now).max(time);
                }
            }
        }
    }

    async fn deliver(&mut self, event: Arc<Event>) {
        match self.send(&self.form.event(&event)).await {
            Sent::Taken => self.outlets.count(&self.target, |counts| counts.delivered += 1),
            Sent::NotTaken { reason, attempts } => {
                let at = self.outlets.now_or(event.time).await;
                self.outlets.give_up(&self.target, event, reason, attempts, at);
            }
        }
    }

    /// Sends something that is no event. Returns whether it was taken.
    async fn tell(&mut self, post: &Post) -> bool {
        match self.send(post).await {
            Sent::Taken => true,
            Sent::NotTaken { reason, attempts } => {
                let (target, url) = (&*self.target.id, &self.target.url);
                tracing::error!(target, url, post.id, attempts, reason, "a message is given up");
                false
            }
        }
    }

    /// Posts until it is taken, or there is no hope.
    async fn send(&mut self, post: &Post) -> Sent {
        let phase = *self.phase.borrow();
        let mut attempts = 0;
        loop {
            let sent = self.outlets.client().post(&self.target.endpoint, post).await;
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
                    return Sent::NotTaken { reason: format!("unsubscribed; before that: {reason}"), attempts };
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
