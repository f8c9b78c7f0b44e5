//! How many game sessions one creator may make (AWS API reference, ResourceCreationLimitPolicy).

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{ApiError, ErrorKind, Timestamp, model::ResourceCreationLimitPolicy};

/// Most creators that a fleet remembers. Then those who have made nothing for longest are forgotten early.
const CREATORS_MAX: usize = 10_000;
/// AWS quota "Policy period": no game session counts for longer.
const PERIOD_MAX: Duration = Duration::from_secs(60 * 60);

/// When creators made their latest game sessions, the oldest first.
#[derive(Debug, Default)]
pub(in crate::engine) struct Creators(BTreeMap<String, VecDeque<Timestamp>>);

impl Creators {
    /// Whether one more game session is within limits: the fleet's policy, or one per `interval`.
    ///
    /// # Errors
    /// InvalidRequest without a creator if there is a policy; LimitExceeded.
    pub(in crate::engine) fn check(
        &self,
        now: Timestamp,
        creator: Option<&str>,
        policy: Option<&ResourceCreationLimitPolicy>,
        interval: Duration,
    ) -> Result<(), ApiError> {
        let limits = policy.map(|policy| {
            let minutes = policy.policy_period_in_minutes.and_then(|minutes| u64::try_from(minutes).ok());
            (policy.new_game_sessions_per_creator, Duration::from_secs(minutes.unwrap_or(0) * 60))
        });
        let limits = match limits {
            // Zero, and a missing value, mean no limit: the quotas' documentation gives maxima only.
            Some((Some(most), period)) if most > 0 && !period.is_zero() => Some((most, period)),
            _ => None,
        };
        let Some(creator) = creator else {
            return match limits {
                Some(_) => Err(ApiError::invalid(
                    "CreatorId is required: the fleet has a ResourceCreationLimitPolicy",
                )),
                None => Ok(()),
            };
        };
        let (most, period) = limits.unwrap_or((1, interval));
        let made = self.0.get(creator).into_iter().flatten();
        let recent = made.filter(|at| now.since(**at) < period).count();
        if recent < usize::try_from(most).unwrap_or(usize::MAX) {
            return Ok(());
        }
        let message = match limits {
            Some(_) => format!(
                "The fleet's ResourceCreationLimitPolicy allows {most} game sessions per CreatorId in {} minutes",
                period.as_secs() / 60
            ),
            None => format!(
                "A CreatorId may create one game session in {} s on a fleet without ResourceCreationLimitPolicy",
                period.as_secs_f64()
            ),
        };
        Err(ApiError::new(ErrorKind::LimitExceeded, message))
    }

    /// A creator has made a game session.
    pub(in crate::engine) fn note(&mut self, now: Timestamp, creator: &str) {
        let made = self.0.entry(creator.to_owned()).or_default();
        made.retain(|at| now.since(*at) < PERIOD_MAX);
        made.push_back(now);
        if self.0.len() > CREATORS_MAX {
            let idle = self.0.iter().min_by_key(|(_, made)| made.back().copied());
            if let Some(idle) = idle.map(|(creator, _)| creator.clone()) {
                self.0.remove(&idle);
            }
        }
    }
}
