//! Tasks that wait for a time of the service's clock, whoever moves it.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::Timestamp;

/// When there are so many, those that nobody waits for any more are forgotten.
const ALARMS_SWEEP: usize = 1024;

/// Alarms by their time. Whoever drops its receiver does not wait any more.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    set: BTreeMap<(Timestamp, u64), oneshot::Sender<Timestamp>>,
    made: u64,
}

impl Alarms {
    pub(super) fn set(&mut self, at: Timestamp, reply: oneshot::Sender<Timestamp>) {
        if self.set.len() >= ALARMS_SWEEP {
            self.set.retain(|_, reply| !reply.is_closed());
        }
        self.made += 1;
        self.set.insert((at, self.made), reply);
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.set.first_key_value().map(|((at, _), _)| *at)
    }

    /// Wakes those whose time has come.
    pub(super) fn ring(&mut self, now: Timestamp) {
        while self.next_at().is_some_and(|at| at <= now) {
            if let Some((_, reply)) = self.set.pop_first() {
                // An error means that nobody waits any more.
                let _ = reply.send(now);
            }
        }
    }
}
