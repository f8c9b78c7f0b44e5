//! Answers to server processes that go wrong on purpose: refused, late, garbled, or none.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// Longest delay: a server SDK has given up long before.
const DELAY_SECONDS_MAX: f64 = 60.0 * 60.0;
/// Most actions that rules can be about: there are twelve.
const RULES_MAX: usize = 32;
/// What a refusal says, if nobody says which: "Internal Service Error".
const REFUSED_WITH: u16 = 500;
/// Instead of an action: all that have no rule of their own.
const ANY: &str = "*";

/// How often answers to one action go wrong, each as a share of all answers from 0 to 1. The shares exclude one another,
/// so their sum is at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct SdkFaultRates {
    /// The request has no effect, and is refused with [`SdkFaultRates::status`].
    pub refuse: f64,
    /// The status of refusals: 400 to 599.
    pub status: u16,
    /// The request has its effect, and is answered [`SdkFaultRates::delay_seconds`] late.
    pub delay: f64,
    /// How late, in the service's time: at most an hour.
    pub delay_seconds: f64,
    /// The request has its effect, and half of the answer arrives: no JSON any more.
    pub garble: f64,
    /// The request has its effect, and no answer arrives.
    pub lose: f64,
}

impl Default for SdkFaultRates {
    fn default() -> Self {
        Self { refuse: 0.0, status: REFUSED_WITH, delay: 0.0, delay_seconds: 5.0, garble: 0.0, lose: 0.0 }
    }
}

/// What is wrong with fault rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdkFaultsError {
    /// A share is none, or together they are more than everything.
    #[error("{action}: refuse, delay, garble and lose must be numbers from 0 to 1, and together at most 1")]
    Shares {
        /// About which action.
        action: String,
    },
    /// No status of a refusal.
    #[error("{action}: status is {status}, but must be 400 to 599")]
    Status {
        /// About which action.
        action: String,
        /// The status.
        status: u16,
    },
    /// No delay.
    #[error("{action}: delaySeconds must be 0 to {DELAY_SECONDS_MAX}")]
    Delay {
        /// About which action.
        action: String,
    },
    /// There are more rules than actions.
    #[error("there are {0} rules, but at most {RULES_MAX} are taken")]
    TooMany(usize),
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SdkFault {
    Refuse(u16),
    Delay(Duration),
    Garble,
    Lose,
}

impl SdkFault {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse(_) => "refused",
            Self::Delay(_) => "delayed",
            Self::Garble => "garbled",
            Self::Lose => "lost",
        }
    }
}

/// Rules by action, and a sequence that decides whom they hit.
#[derive(Debug, Clone)]
pub(crate) struct SdkFaults {
    rules: BTreeMap<String, SdkFaultRates>,
    seed: u64,
    draws: fastrand::Rng,
    counts: BTreeMap<&'static str, u64>,
}

impl SdkFaults {
    pub(crate) fn new(seed: u64) -> Self {
        let draws = fastrand::Rng::with_seed(seed);
        Self { rules: BTreeMap::new(), seed, draws, counts: BTreeMap::new() }
    }

    /// Takes other rules and starts over with the seed. Counts go on.
    pub(crate) fn set(
        &mut self,
        rules: BTreeMap<String, SdkFaultRates>,
        seed: Option<u64>,
    ) -> Result<(), SdkFaultsError> {
        if rules.len() > RULES_MAX {
            return Err(SdkFaultsError::TooMany(rules.len()));
        }
        for (action, rates) in &rules {
            let action = || action.clone();
            let shares = [rates.refuse, rates.delay, rates.garble, rates.lose];
            let share = |share: &f64| (0.0..=1.0).contains(share);
            if !shares.iter().all(share) || shares.iter().sum::<f64>() > 1.0 + f64::EPSILON {
                return Err(SdkFaultsError::Shares { action: action() });
            }
            if !(400..600).contains(&rates.status) {
                return Err(SdkFaultsError::Status { action: action(), status: rates.status });
            }
            if !(0.0..=DELAY_SECONDS_MAX).contains(&rates.delay_seconds) {
                return Err(SdkFaultsError::Delay { action: action() });
            }
        }
        self.rules = rules;
        self.seed = seed.unwrap_or(self.seed);
        self.draws = fastrand::Rng::with_seed(self.seed);
        Ok(())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn view(&self) -> SdkFaultsView {
        SdkFaultsView { rules: self.rules.clone(), seed: self.seed, counts: self.counts.clone() }
    }

    /// Decides about the next answer to an action.
    pub(crate) fn plan(&mut self, action: &str) -> Option<SdkFault> {
        let rates = *self.rules.get(action).or_else(|| self.rules.get(ANY))?;
        let mut draw = self.draws.f64();
        let faults = [
            (rates.refuse, SdkFault::Refuse(rates.status)),
            (rates.delay, SdkFault::Delay(Duration::from_secs_f64(rates.delay_seconds))),
            (rates.garble, SdkFault::Garble),
            (rates.lose, SdkFault::Lose),
        ];
        for (share, fault) in faults {
            if draw < share {
                *self.counts.entry(fault.as_str()).or_default() += 1;
                return Some(fault);
            }
            draw -= share;
        }
        None
    }
}

/// Rules, seed and counts, as the admin side shows them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SdkFaultsView {
    rules: BTreeMap<String, SdkFaultRates>,
    seed: u64,
    counts: BTreeMap<&'static str, u64>,
}

/// Half of a text: what is left of an answer that was garbled.
pub(crate) fn garbled(text: &str) -> String {
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    text[..half].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> BTreeMap<String, SdkFaultRates> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_same_seed_hits_the_same_answers_about_as_often_as_asked() {
        let some = rules(r#"{"AcceptPlayerSession": {"refuse": 0.2, "lose": 0.3}}"#);
        let mut faults = SdkFaults::new(1);
        faults.set(some.clone(), Some(7)).unwrap();
        let plans: Vec<_> = (0..1000).map(|_| faults.plan("AcceptPlayerSession")).collect();
        faults.set(some, None).unwrap();
        assert!(plans.iter().all(|plan| faults.plan("AcceptPlayerSession") == *plan));
        let count = |fault| plans.iter().filter(|plan| **plan == fault).count();
        assert!(count(Some(SdkFault::Refuse(500))).abs_diff(200) < 50, "{plans:?}");
        assert!(count(Some(SdkFault::Lose)).abs_diff(300) < 50);
        assert_eq!(faults.plan("ActivateGameSession"), None);
    }

    #[test]
    fn an_action_of_its_own_comes_before_all_the_others() {
        let mut faults = SdkFaults::new(1);
        faults.set(rules(r#"{"*": {"lose": 1}, "HeartbeatServerProcess": {}}"#), None).unwrap();
        assert_eq!(faults.plan("HeartbeatServerProcess"), None);
        assert_eq!(faults.plan("ActivateGameSession"), Some(SdkFault::Lose));
    }

    #[test]
    fn rates_that_cannot_be_are_refused_by_name_and_change_nothing() {
        let mut faults = SdkFaults::new(1);
        for text in [
            r#"{"A": {"refuse": 0.6, "lose": 0.6}}"#,
            r#"{"A": {"refuse": -1}}"#,
            r#"{"A": {"refuse": 1, "status": 200}}"#,
            r#"{"A": {"delay": 1, "delaySeconds": 3601}}"#,
        ] {
            let error = faults.set(rules(text), None).unwrap_err();
            assert!(error.to_string().starts_with("A: "), "{error}");
        }
        assert!(faults.is_idle());
    }

    #[test]
    fn half_of_an_answer_is_no_json_and_still_text() {
        assert_eq!(garbled("{\"aä\":1}"), "{\"a");
        assert_eq!(garbled(""), "");
    }
}
