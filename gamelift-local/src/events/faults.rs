//! Faults on purpose: deliveries that come twice, late, in another order, or never.
//!
//! They hit what goes to HTTP endpoints. The file and the stream of the admin side stay a true record to compare with.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// Longest delay: longer than any ticket or placement lives would be a drop.
const DELAY_SECONDS_MAX: f64 = 12.0 * 60.0 * 60.0;
/// How late a delayed event is, if nobody says.
const DELAY_SECONDS: f64 = 5.0;

/// How often deliveries go wrong, each as a share of all deliveries from 0 to 1.
///
/// As text: `duplicate=0.2,drop=0.05,delay=0.3:5s,reorder=0.1`, in any order; what is left out does not happen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FaultRates {
    /// The event comes twice.
    pub duplicate: f64,
    /// The event never comes.
    pub drop: f64,
    /// The event comes [`FaultRates::delay_seconds`] late.
    pub delay: f64,
    /// How late, in the service's time.
    pub delay_seconds: f64,
    /// The event comes behind the next one.
    pub reorder: f64,
}

impl Default for FaultRates {
    fn default() -> Self {
        Self { duplicate: 0.0, drop: 0.0, delay: 0.0, delay_seconds: DELAY_SECONDS, reorder: 0.0 }
    }
}

/// What is wrong with fault rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultRatesError {
    /// Not `NAME=SHARE`, or an unknown name.
    #[error(
        "{0:?} is none of duplicate=SHARE, drop=SHARE, reorder=SHARE and delay=SHARE:DURATION (as in delay=0.3:5s)"
    )]
    Unknown(String),
    /// A name comes twice.
    #[error("{0} is given twice")]
    Twice(&'static str),
    /// Not a share.
    #[error("{0} must be a number from 0 to 1")]
    Share(&'static str),
    /// Not a delay.
    #[error("the delay must be from 0 to 12 hours, such as 500ms, 5s or 2m")]
    Delay,
}

impl FaultRates {
    /// Checks that shares are shares.
    ///
    /// # Errors
    /// Names the member that is out of its range.
    pub fn check(&self) -> Result<(), FaultRatesError> {
        let shares = [
            ("duplicate", self.duplicate),
            ("drop", self.drop),
            ("delay", self.delay),
            ("reorder", self.reorder),
        ];
        if let Some((name, _)) = shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(FaultRatesError::Share(name));
        }
        if (0.0..=DELAY_SECONDS_MAX).contains(&self.delay_seconds) {
            Ok(())
        } else {
            Err(FaultRatesError::Delay)
        }
    }
}

impl FromStr for FaultRates {
    type Err = FaultRatesError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rates = Self::default();
        let mut seen = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let unknown = || FaultRatesError::Unknown(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(unknown)?;
            let (name, share) = match name {
                "duplicate" => ("duplicate", &mut rates.duplicate),
                "drop" => ("drop", &mut rates.drop),
                "delay" => ("delay", &mut rates.delay),
                "reorder" => ("reorder", &mut rates.reorder),
                _ => return Err(unknown()),
            };
            if seen.contains(&name) {
                return Err(FaultRatesError::Twice(name));
            }
            seen.push(name);
            let (number, delay) = match value.split_once(':') {
                Some((number, delay)) if name == "delay" => (number, Some(delay)),
                Some(_) => return Err(unknown()),
                None => (value, None),
            };
            *share = number.parse().map_err(|_| FaultRatesError::Share(name))?;
            if let Some(delay) = delay {
                rates.delay_seconds = seconds(delay).ok_or(FaultRatesError::Delay)?;
            }
        }
        rates.check()?;
        Ok(rates)
    }
}

fn seconds(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(digits.parse::<f64>().ok()? * unit)
}

/// How many deliveries were hit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FaultCounts {
    pub(crate) duplicated: u64,
    pub(crate) dropped: u64,
    pub(crate) delayed: u64,
    pub(crate) reordered: u64,
}

/// What becomes of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// 0 for a drop, 2 for a duplicate.
    pub(crate) copies: u8,
    pub(crate) delay: Option<Duration>,
    /// Behind the next event.
    pub(crate) reorder: bool,
}

/// The switch. Every target draws from a sequence of its own, so what hits one does not depend on how the deliveries of
/// others are interleaved with its own.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    rates: FaultRates,
    seed: u64,
    draws: BTreeMap<u64, fastrand::Rng>,
    counts: FaultCounts,
}

impl Faults {
    pub(crate) const fn new(rates: FaultRates, seed: u64) -> Self {
        let counts = FaultCounts { duplicated: 0, dropped: 0, delayed: 0, reordered: 0 };
        Self { rates, seed, draws: BTreeMap::new(), counts }
    }

    /// Starts over with other rates: the same seed then hits the same deliveries. Counts go on.
    pub(crate) fn set(&mut self, rates: FaultRates, seed: u64) {
        *self = Self { counts: self.counts, ..Self::new(rates, seed) };
    }

    pub(crate) const fn rates(&self) -> FaultRates {
        self.rates
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) const fn counts(&self) -> FaultCounts {
        self.counts
    }

    /// The target is gone.
    pub(crate) fn forget(&mut self, target: u64) {
        self.draws.remove(&target);
    }

    /// Decides about the next delivery to a target.
    pub(crate) fn plan(&mut self, target: u64) -> Plan {
        let seed = self.seed;
        let rng = self.draws.entry(target).or_insert_with(|| {
            // Neighbouring targets get distant seeds.
            fastrand::Rng::with_seed(seed ^ target.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        });
        // All four are drawn every time, so that changing one rate leaves what the others hit as it was.
        let mut hits = |rate: f64| rng.f64() < rate;
        let (dropped, duplicated) = (hits(self.rates.drop), hits(self.rates.duplicate));
        let (delayed, reordered) = (hits(self.rates.delay), hits(self.rates.reorder));
        if dropped {
            self.counts.dropped += 1;
            return Plan { copies: 0, delay: None, reorder: false };
        }
        // A late event has lost its place anyway.
        let reorder = reordered && !delayed;
        self.counts.duplicated += u64::from(duplicated);
        self.counts.delayed += u64::from(delayed);
        self.counts.reordered += u64::from(reorder);
        let delay = delayed.then(|| Duration::from_secs_f64(self.rates.delay_seconds));
        Plan { copies: 1 + u8::from(duplicated), delay, reorder }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_from_text() {
        let rates: FaultRates = "duplicate=0.2,drop=0.05,delay=0.3:5s,reorder=0.1".parse().unwrap();
        let expected =
            FaultRates { duplicate: 0.2, drop: 0.05, delay: 0.3, delay_seconds: 5.0, reorder: 0.1 };
        assert_eq!(rates, expected);
        let rates: FaultRates = "delay=1:500ms".parse().unwrap();
        assert_eq!((rates.delay, rates.delay_seconds), (1.0, 0.5));
        assert_eq!("".parse::<FaultRates>().unwrap(), FaultRates::default());
    }

    #[test]
    fn rates_that_cannot_be_are_refused_by_name() {
        use FaultRatesError::*;
        for (text, error) in [
            ("drop", Unknown("drop".to_owned())),
            ("lose=1", Unknown("lose=1".to_owned())),
            ("drop=0.5:5s", Unknown("drop=0.5:5s".to_owned())),
            ("drop=1.5", Share("drop")),
            ("duplicate=NaN", Share("duplicate")),
            ("reorder=often", Share("reorder")),
            ("delay=0.1:soon", Delay),
            ("delay=0.1:-1s", Delay),
            ("delay=0.1:13h", Delay),
            ("drop=0.1,drop=0.2", Twice("drop")),
        ] {
            assert_eq!(text.parse::<FaultRates>().unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn the_same_seed_hits_the_same_deliveries_whatever_happens_at_other_targets() {
        let rates = "duplicate=0.2,drop=0.1,delay=0.3:2s,reorder=0.2".parse().unwrap();
        let mut alone = Faults::new(rates, 7);
        let mut busy = Faults::new(rates, 7);
        let plans: Vec<_> = (0..1000).map(|_| alone.plan(1)).collect();
        for (n, plan) in plans.iter().enumerate() {
            for _ in 0..n % 3 {
                busy.plan(2);
            }
            assert_eq!(busy.plan(1), *plan);
        }
        busy.set(rates, 7);
        assert_eq!(busy.plan(1), plans[0], "a switch set again starts over");
        let mut other = Faults::new(rates, 8);
        assert_ne!((0..1000).map(|_| other.plan(1)).collect::<Vec<_>>(), plans);
    }

    #[test]
    fn counts_follow_the_rates() {
        let mut faults = Faults::new("duplicate=0.2,drop=0.1,delay=0.3,reorder=0.5".parse().unwrap(), 1);
        for _ in 0..10_000 {
            faults.plan(1);
        }
        let counts = faults.counts();
        let near = |count: u64, expected: u64| assert!(count.abs_diff(expected) < 200, "{counts:?}");
        near(counts.dropped, 1000);
        near(counts.duplicated, 1800);
        near(counts.delayed, 2700);
        near(counts.reordered, 3150);
        let mut none = Faults::new(FaultRates::default(), 1);
        let plain = Plan { copies: 1, delay: None, reorder: false };
        assert!((0..1000).all(|_| none.plan(1) == plain));
    }
}
