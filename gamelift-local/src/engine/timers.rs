//! Everything that will happen by itself, in order.

use std::collections::BTreeMap;

use crate::Timestamp;

/// A timer that can be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey(Timestamp, u64);

#[derive(Debug)]
pub(crate) struct Timers<T> {
    queue: BTreeMap<TimerKey, T>,
    set: u64,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { queue: BTreeMap::new(), set: 0 }
    }
}

impl<T> Timers<T> {
    pub(crate) fn set(&mut self, at: Timestamp, timer: T) -> TimerKey {
        self.set += 1;
        let key = TimerKey(at, self.set);
        self.queue.insert(key, timer);
        key
    }

    /// Cancels a timer; one that has gone off already is no error.
    pub(crate) fn cancel(&mut self, key: Option<TimerKey>) {
        if let Some(key) = key {
            self.queue.remove(&key);
        }
    }

    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.queue.first_key_value().map(|(key, _)| key.0)
    }

    /// Takes the earliest timer that is due; of equal ones, that which was set first.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<T> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
