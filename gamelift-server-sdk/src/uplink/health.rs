//! When to ask the application how it is, and when its silence is an answer.

use std::time::{Duration, Instant};

/// One question to the application. Never reused, so a late answer is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CheckId(u64);

/// How often, how evenly, how patiently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HealthTimes {
    /// Mean time between two heartbeats, start to start.
    pub(crate) interval: Duration,
    /// Spread: each interval is drawn from `interval` ± this.
    pub(crate) jitter: Duration,
    /// How long the application may think.
    pub(crate) patience: Duration,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Ask the application.
    Ask(CheckId),
    /// It did not answer in time: tell the service it is not well.
    Unhealthy,
}

/// Off until the process is ready; then one question at a time.
#[derive(Debug)]
pub(crate) struct Health {
    times: HealthTimes,
    next_ask: Option<Instant>,
    open: Option<(CheckId, Instant)>,
    last: u64,
}

impl Health {
    pub(crate) fn new(times: HealthTimes) -> Self {
        Self { times, next_ask: None, open: None, last: 0 }
    }

    /// The process is ready: ask at once.
    ///
    /// The official SDKs send the first heartbeat within milliseconds of being ready, and the service waits for it
    /// before it assigns a game session.
    pub(crate) fn ask_now(&mut self, now: Instant) {
        self.next_ask = Some(now);
    }

    /// A heartbeat was lost, or may have been: ask at once, unless a question is open whose answer will be one.
    pub(crate) fn ask_soon(&mut self, now: Instant) {
        if let (Some(next_ask), None) = (&mut self.next_ask, self.open) {
            *next_ask = now.min(*next_ask);
        }
    }

    /// The process is ending.
    pub(crate) fn stop(&mut self) {
        self.next_ask = None;
        self.open = None;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let give_up = self.open.map(|(_, give_up)| give_up);
        give_up.into_iter().chain(self.next_ask).min()
    }

    /// Call until it returns `None`.
    pub(crate) fn handle_timeout(&mut self, now: Instant, rng: &mut fastrand::Rng) -> Option<Due> {
        let next_ask = self.next_ask?;
        if let Some((_, give_up)) = self.open {
            // One question at a time: the next one being due ends the patience with this one.
            if give_up <= now || next_ask <= now {
                self.open = None;
                return Some(Due::Unhealthy);
            }
            return None;
        }
        if next_ask > now {
            return None;
        }
        self.last += 1;
        let check = CheckId(self.last);
        self.open = Some((check, now + self.times.patience));
        let spread = self.times.jitter.mul_f64(2.0 * rng.f64());
        self.next_ask = Some(now + (self.times.interval + spread).saturating_sub(self.times.jitter));
        Some(Due::Ask(check))
    }

    /// The application answered. `None` if the question is no longer open.
    pub(crate) fn answered(&mut self, check: CheckId, healthy: bool) -> Option<bool> {
        self.open.take_if(|(open, _)| *open == check).map(|_| healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::super::first_moment;
    use super::*;

    const TIMES: HealthTimes = HealthTimes {
        interval: Duration::from_secs(60),
        jitter: Duration::from_secs(10),
        patience: Duration::from_secs(50),
    };

    fn rng() -> fastrand::Rng {
        fastrand::Rng::with_seed(7)
    }

    #[test]
    fn nothing_is_asked_before_the_process_is_ready() {
        let mut health = Health::new(TIMES);
        assert_eq!(health.poll_timeout(), None);
        assert_eq!(health.handle_timeout(first_moment(), &mut rng()), None);
    }

    #[test]
    fn the_first_question_comes_at_once_and_the_next_after_50_to_70_seconds() {
        let (mut health, mut rng, mut now) = (Health::new(TIMES), rng(), first_moment());
        health.ask_now(now);
        for _ in 0..50 {
            let Some(Due::Ask(check)) = health.handle_timeout(now, &mut rng) else { panic!("nothing asked") };
            assert_eq!(health.answered(check, true), Some(true));
            let next = health.poll_timeout().unwrap();
            assert!((50..=70).contains(&(next - now).as_secs()), "{:?}", next - now);
            now = next;
        }
    }

    #[test]
    fn silence_is_unhealthy_and_a_late_answer_counts_for_nothing() {
        let (mut health, mut rng, now) = (Health::new(TIMES), rng(), first_moment());
        health.ask_now(now);
        let Some(Due::Ask(check)) = health.handle_timeout(now, &mut rng) else { panic!("nothing asked") };
        let later = now + TIMES.patience;
        assert_eq!(health.poll_timeout(), Some(later));
        assert_eq!(health.handle_timeout(later, &mut rng), Some(Due::Unhealthy));
        assert_eq!(health.answered(check, true), None);
    }

    #[test]
    fn asking_soon_does_not_cut_an_open_question_short_and_asks_nothing_before_ready() {
        let (mut health, mut rng, now) = (Health::new(TIMES), rng(), first_moment());
        health.ask_soon(now);
        assert_eq!(health.handle_timeout(now, &mut rng), None);
        health.ask_now(now);
        let Some(Due::Ask(check)) = health.handle_timeout(now, &mut rng) else { panic!("nothing asked") };
        let later = now + Duration::from_secs(1);
        health.ask_soon(later);
        assert_eq!(health.handle_timeout(later, &mut rng), None, "the application still thinks");
        assert_eq!(health.answered(check, true), Some(true));
        health.ask_soon(later);
        assert!(matches!(health.handle_timeout(later, &mut rng), Some(Due::Ask(_))));
    }

    #[test]
    fn patience_longer_than_the_interval_does_not_overlap_two_questions() {
        let times = HealthTimes { interval: Duration::from_secs(1), jitter: Duration::ZERO, ..TIMES };
        let (mut health, mut rng, now) = (Health::new(times), rng(), first_moment());
        health.ask_now(now);
        assert!(matches!(health.handle_timeout(now, &mut rng), Some(Due::Ask(_))));
        let later = now + Duration::from_secs(1);
        assert_eq!(health.handle_timeout(later, &mut rng), Some(Due::Unhealthy));
        assert!(matches!(health.handle_timeout(later, &mut rng), Some(Due::Ask(_))));
    }
}
