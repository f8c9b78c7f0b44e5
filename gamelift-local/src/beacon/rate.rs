//! How often somebody may send.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::{collections::BTreeMap, time::Duration};

/// Rates are per second, and so is how much a bucket holds.
const SECOND: Duration = Duration::from_secs(1);
/// Most buckets. Whoever is quiet for a second needs none, so this many can send at the same time.
pub(super) const BUCKETS_MAX: usize = 4096;

/// A token bucket that holds the tokens of one second, full at first. Time is an argument.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// What it held, as the time that fills it up so far.
    held: Duration,
    at: Duration,
}

impl Bucket {
    const fn full(now: Duration) -> Self {
        Self { held: SECOND, at: now }
    }

    fn held(&self, now: Duration) -> Duration {
        SECOND.min(self.held + now.saturating_sub(self.at))
    }

    fn take(&mut self, now: Duration, per_second: u32) -> bool {
        let (held, cost) = (self.held(now), SECOND / per_second);
        let has_one = held >= cost;
        *self = Self { held: if has_one { held - cost } else { held }, at: now };
        has_one
    }
}

/// A bucket for each sender.
#[derive(Debug)]
pub(super) struct Limiter<K> {
    per_second: u32,
    buckets: BTreeMap<K, Bucket>,
    swept: Duration,
}

impl<K: Ord> Limiter<K> {
    pub(super) const fn new(per_second: u32) -> Self {
        Self { per_second, buckets: BTreeMap::new(), swept: Duration::ZERO }
    }

    /// Whether this sender may send now. Also refused while too many others do.
    pub(super) fn take(&mut self, now: Duration, sender: K) -> bool {
        if self.buckets.len() >= BUCKETS_MAX && !self.buckets.contains_key(&sender) {
            self.sweep(now);
            if self.buckets.len() >= BUCKETS_MAX {
                return false;
            }
        }
        let bucket = self.buckets.entry(sender).or_insert(Bucket::full(now));
        bucket.take(now, self.per_second)
    }

    /// Forgets full buckets, which are as good as new ones; once a second at most, because it looks at all of them.
    fn sweep(&mut self, now: Duration) {
        if now.saturating_sub(self.swept) >= SECOND {
            self.swept = now;
            self.buckets.retain(|_, bucket| bucket.held(now) < SECOND);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn three_a_second_are_three_at_once_and_then_one_every_third_of_a_second() {
        let mut limiter = Limiter::new(3);
        let taken: Vec<bool> = [0, 0, 0, 0, 333, 334, 335, 668, 1000, 1001]
            .into_iter()
            .map(|at| limiter.take(ms(at), 'a'))
            .collect();
        assert_eq!(taken, [true, true, true, false, false, true, false, true, true, false]);
    }

    #[test]
    fn a_long_silence_saves_no_more_than_a_second() {
        let mut limiter = Limiter::new(3);
        assert!((0..3).all(|_| limiter.take(ms(0), 'a')));
        assert_eq!((0..10).filter(|_| limiter.take(ms(60_000), 'a')).count(), 3);
    }

    #[test]
    fn senders_do_not_share_a_bucket() {
        let mut limiter = Limiter::new(1);
        assert!(limiter.take(ms(0), 'a') && limiter.take(ms(0), 'b'));
        assert!(!limiter.take(ms(0), 'a'));
    }

    #[test]
    fn a_thousand_a_second_are_exactly_a_thousand() {
        let mut limiter = Limiter::new(1000);
        assert_eq!((0..5000).filter(|_| limiter.take(ms(0), 'a')).count(), 1000);
        assert_eq!((1..=2000).filter(|at| limiter.take(ms(*at), 'a')).count(), 2000);
    }

    #[test]
    fn a_crowd_is_refused_beyond_the_bound_until_somebody_is_quiet() {
        let mut limiter = Limiter::new(3);
        assert!((0..BUCKETS_MAX).all(|sender| limiter.take(ms(0), sender)));
        assert!(!limiter.take(ms(10), BUCKETS_MAX), "nobody new");
        assert!(limiter.take(ms(10), 0), "those who are there go on");
        assert!(limiter.take(ms(1010), BUCKETS_MAX));
        assert_eq!(limiter.buckets.len(), 1, "the buckets that are full again are gone");
    }
}
