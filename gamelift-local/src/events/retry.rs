//! When a delivery that failed is tried again.
//!
//! SNS developer guide, "Message delivery retries": retries at once, then a few with a short wait, then with growing
//! waits, then with long ones. The numbers are those of the guide's sample policy for HTTP endpoints. Without a policy,
//! SNS gives up after three retries, 20 seconds apart: less than it takes to rebuild and restart an endpoint here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::time::Duration;

/// Retries in all, `numRetries`.
pub(crate) const RETRIES_MAX: u32 = 50;
/// `numNoDelayRetries`.
const IMMEDIATE: u32 = 3;
/// `numMinDelayRetries`, the pre-backoff phase.
const PRE_BACKOFF: u32 = 2;
/// `numMaxDelayRetries`, the post-backoff phase. What is left between is the backoff phase.
const POST_BACKOFF: u32 = 35;
/// `minDelayTarget`.
const DELAY_MIN: Duration = Duration::from_secs(1);
/// `maxDelayTarget`.
const DELAY_MAX: Duration = Duration::from_secs(60);
/// SNS's hard limit on the time that all retries may take.
#[cfg(test)]
const TOTAL_MAX: Duration = Duration::from_secs(3600);

/// How long to wait before retry number `retry`, which counts from 1; `None` when there is no such retry any more.
pub(crate) fn wait_before(retry: u32) -> Option<Duration> {
    if retry == 0 || retry > RETRIES_MAX {
        return None;
    }
    let backoff = retry.saturating_sub(IMMEDIATE + PRE_BACKOFF);
    Some(match retry {
        _ if retry <= IMMEDIATE => Duration::ZERO,
        _ if backoff == 0 => DELAY_MIN,
        _ if retry > RETRIES_MAX - POST_BACKOFF => DELAY_MAX,
        _ => (DELAY_MIN * 2_u32.saturating_pow(backoff - 1)).min(DELAY_MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_four_phases_and_fifty_retries() {
        let waits: Vec<_> = (1..=20).map(|retry| wait_before(retry).unwrap().as_secs()).collect();
        let expected = [0, 0, 0, 1, 1, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60, 60];
        assert_eq!(waits, expected);
        assert_eq!(wait_before(50), Some(DELAY_MAX));
        assert_eq!((wait_before(51), wait_before(0)), (None, None));
    }

    #[test]
    fn all_retries_together_take_no_longer_than_sns_allows() {
        let total: Duration = (1..=RETRIES_MAX).filter_map(wait_before).sum();
        assert!(total < TOTAL_MAX, "{total:?}");
    }
}
