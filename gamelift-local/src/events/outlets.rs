//! Everything that goes out over HTTP: who gets events, what was delivered, and what was given up.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::Uri;
use rustls::RootCertStore;
use serde::Serialize;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    EndpointError, FaultRates,
    client::{HttpClient, check, without_query},
    dead_letters::{DeadLetter, DeadLetters},
    delivery::{Delivery, Form, Phase, Queued},
    faults::{FaultCounts, Faults, Plan},
};
use crate::{Timestamp, driver::Handle, engine::Event};

/// Most endpoints at a time, of each kind, so that a loop cannot fill the memory.
pub(crate) const ENDPOINTS_MAX: usize = 100;

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Target {
    /// Counts from 1.
    pub(crate) number: u64,
    /// Its ARN or id.
    pub(crate) id: Arc<str>,
    pub(crate) endpoint: Uri,
    /// For logs and people.
    pub(crate) url: String,
    /// Closed once nothing is delivered to it any more.
    over: watch::Receiver<()>,
}

impl Target {
    /// Whether deliveries have ended for good.
    pub(crate) fn is_over(&self) -> bool {
        self.over.has_changed().is_err()
    }

    /// Waits until deliveries have ended for good.
    pub(crate) async fn over(&self) {
        let mut over = self.over.clone();
        while over.changed().await.is_ok() {}
    }
}

/// What happened to deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryCounts {
    /// Events that an endpoint has taken.
    pub(crate) delivered: u64,
    /// Attempts that came to nothing.
    pub(crate) failed_attempts: u64,
    /// Events that an endpoint was not given in the end. They became dead letters.
    pub(crate) given_up: u64,
    /// Events that were gone before they could be queued for an endpoint.
    pub(crate) missed: u64,
}

/// For `/state`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventCounts {
    #[serde(flatten)]
    deliveries: DeliveryCounts,
    dead_letters: usize,
    /// Dead letters that are gone because there were too many.
    dead_letters_lost: u64,
    faults: FaultCounts,
}

/// Shared by all deliveries of one service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outlets {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Handle,
    client: HttpClient,
    books: Mutex<Books>,
    new: mpsc::Sender<Delivery>,
    stop: watch::Receiver<bool>,
}

struct Books {
    faults: Faults,
    dead_letters: DeadLetters,
    counts: DeliveryCounts,
    of_target: BTreeMap<u64, DeliveryCounts>,
    /// Where dead letters go back to. Weak, so that a queue ends with the service.
    queues: BTreeMap<u64, mpsc::WeakSender<Queued>>,
    targets: u64,
}

impl Outlets {
    /// The outlets, and the task that delivers.
    pub(crate) fn new(
        handle: Handle,
        roots: Option<RootCertStore>,
        faults: Faults,
        stop: watch::Receiver<bool>,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (new, mut deliveries) = mpsc::channel::<Delivery>(ENDPOINTS_MAX);
        let books = Books {
            faults,
            dead_letters: DeadLetters::default(),
            counts: DeliveryCounts::default(),
            of_target: BTreeMap::new(),
            queues: BTreeMap::new(),
            targets: 0,
        };
        let inner = Inner {
            handle,
            client: HttpClient::new(roots),
            books: Mutex::new(books),
            new,
            stop: stop.clone(),
        };
        let run = async move {
            let mut running = JoinSet::new();
            let mut stop = stop;
            loop {
                tokio::select! {
                    Some(delivery) = deliveries.recv() => { running.spawn(delivery.run()); }
                    Some(_) = running.join_next() => {}
                    // An error means that the service is gone, which is as good a reason.
                    _ = stop.wait_for(|stop| *stop) => break,
                }
            }
            while running.join_next().await.is_some() {}
        };
        (Self { inner: Arc::new(inner) }, run)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.inner.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that a URL can be posted to.
    pub(crate) fn check(&self, endpoint: &str) -> Result<Uri, EndpointError> {
        let uri = check(endpoint)?;
        self.inner.client.prepare(&uri)?;
        Ok(uri)
    }

    /// Starts deliveries to an endpoint, from the next event on. Without an id it gets one.
    pub(crate) async fn open(
        &self,
        id: Option<&str>,
        endpoint: Uri,
        form: Arc<dyn Form>,
        phase: watch::Receiver<Phase>,
    ) -> Result<Arc<Target>, EndpointError> {
        let events = self.inner.handle.events().ok_or(EndpointError::Stopped)?;
        let number = {
            let mut books = self.books();
            books.targets += 1;
            books.targets
        };
        let url = without_query(&endpoint);
        let id = id.map_or_else(|| format!("target-{number}").into(), Arc::from);
        let (ends, over) = watch::channel(());
        let target = Arc::new(Target { number, id, endpoint, url, over });
        let delivery =
            Delivery { outlets: self.clone(), target: target.clone(), form, events, phase, over: ends };
        self.inner.new.send(delivery).await.map_err(|_| EndpointError::Stopped)?;
        Ok(target)
    }

    pub(super) fn client(&self) -> &HttpClient {
        &self.inner.client
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.inner.handle
    }

    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.inner.stop.clone()
    }

    /// The service's time; `otherwise` when the service has ended.
    pub(crate) async fn now_or(&self, otherwise: Timestamp) -> Timestamp {
        self.inner.handle.run(|_, now| now).await.unwrap_or(otherwise)
    }

    /// A target's queue is there.
    pub(super) fn opened(&self, target: &Target, queue: &mpsc::Sender<Queued>) {
        let mut books = self.books();
        books.queues.insert(target.number, queue.downgrade());
        books.of_target.insert(target.number, DeliveryCounts::default());
    }

    /// A target is gone. Its dead letters stay to be read.
    pub(super) fn closed(&self, target: &Target) {
        let mut books = self.books();
        books.queues.remove(&target.number);
        books.of_target.remove(&target.number);
        books.faults.forget(target.number);
    }

    /// What is to become of the next delivery to a target.
    pub(super) fn plan(&self, target: &Target, event: &Event) -> Plan {
        let plan = self.books().faults.plan(target.number);
        if plan.copies == 0 {
            tracing::warn!(event = event.id, target = &*target.id, "dropped on purpose (event faults)");
        }
        plan
    }

    pub(super) fn count(&self, target: &Target, count: impl Fn(&mut DeliveryCounts)) {
        let mut books = self.books();
        count(&mut books.counts);
        if let Some(counts) = books.of_target.get_mut(&target.number) {
            count(counts);
        }
    }

    /// A target did not take an event: it is kept among the dead letters.
    pub(super) fn give_up(
        &self,
        target: &Target,
        event: Arc<Event>,
        reason: String,
        attempts: u32,
        at: Timestamp,
    ) {
        let url = &target.url;
        tracing::error!(
            event = event.id,
            target = &*target.id,
            url,
            attempts,
            reason,
            "an event is given up"
        );
        self.count(target, |counts| counts.given_up += 1);
        let (number, target_id) = (target.number, target.id.clone());
        let letter = DeadLetter { id: 0, target: number, target_id, event, reason, attempts, at };
        if let Some(lost) = self.books().dead_letters.push(letter) {
            let (event, target) = (&lost.event.id, &*lost.target_id);
            tracing::error!(event, target, "too many dead letters: the oldest is gone");
        }
    }

    /// Queues dead letters again at the targets that they were for. Returns how many, and how many are left.
    pub(crate) fn redrive(&self, which: impl Fn(&DeadLetter) -> bool) -> (usize, usize) {
        let mut books = self.books();
        let Books { dead_letters, queues, .. } = &mut *books;
        let redriven = dead_letters.redrive(|letter| {
            let queue = queues.get(&letter.target).and_then(mpsc::WeakSender::upgrade);
            let queued = Queued { event: letter.event.clone(), redriven: true };
            // A full queue, or none: the letter stays.
            which(letter) && queue.is_some_and(|queue| queue.try_send(queued).is_ok())
        });
        (redriven, dead_letters.iter().len())
    }

    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.books().dead_letters.iter().cloned().collect()
    }

    pub(crate) fn counts_of(&self, target: u64) -> DeliveryCounts {
        self.books().of_target.get(&target).copied().unwrap_or_default()
    }

    pub(crate) fn counts(&self) -> EventCounts {
        let books = self.books();
        EventCounts {
            deliveries: books.counts,
            dead_letters: books.dead_letters.iter().len(),
            dead_letters_lost: books.dead_letters.evicted,
            faults: books.faults.counts(),
        }
    }

    pub(crate) fn faults(&self) -> (FaultRates, u64, FaultCounts) {
        let books = self.books();
        (books.faults.rates(), books.faults.seed(), books.faults.counts())
    }

    pub(crate) fn set_faults(&self, rates: FaultRates, seed: u64) {
        self.books().faults.set(rates, seed);
    }
}
