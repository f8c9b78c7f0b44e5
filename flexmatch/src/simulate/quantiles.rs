//! Many numbers in a few.

use serde::Serialize;

/// Mean and quantiles of many numbers, by nearest rank: each quantile is one of the numbers.
///
/// All are 0 if there are none; see [`Quantiles::count`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "p90 is the number that 90 % of the others do not exceed")]
pub struct Quantiles {
    /// How many numbers there are.
    pub count: u64,
    pub mean: f64,
    pub min: f64,
    pub p10: f64,
    pub p25: f64,
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Quantiles {
    /// Of these numbers, in any order.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let Some((min, max)) = values.first().zip(values.last()) else { return Self::default() };
        Self {
            count: values.len() as u64,
            mean: values.iter().sum::<f64>() / values.len() as f64,
            min: *min,
            p10: at(&values, 10),
            p25: at(&values, 25),
            p50: at(&values, 50),
            p75: at(&values, 75),
            p90: at(&values, 90),
            p95: at(&values, 95),
            p99: at(&values, 99),
            max: *max,
        }
    }

    /// The statistics by name, as assertions write them.
    pub(super) const fn named(&self) -> [(&'static str, f64); 10] {
        [
            ("mean", self.mean),
            ("min", self.min),
            ("p10", self.p10),
            ("p25", self.p25),
            ("p50", self.p50),
            ("p75", self.p75),
            ("p90", self.p90),
            ("p95", self.p95),
            ("p99", self.p99),
            ("max", self.max),
        ]
    }
}

/// The smallest of the numbers that `percent` of them do not exceed; whole percents, so that no rounding decides.
pub(super) fn at(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_are_those_counted_by_hand() {
        // Ten numbers: the ninth is the 90th percentile, and anything above needs the tenth.
        let ten = Quantiles::of((1..=10).rev().map(f64::from).collect());
        assert_eq!((ten.min, ten.p10, ten.p25, ten.p50, ten.p75), (1.0, 1.0, 3.0, 5.0, 8.0));
        assert_eq!((ten.p90, ten.p95, ten.p99, ten.max), (9.0, 10.0, 10.0, 10.0));
        assert_eq!((ten.count, ten.mean), (10, 5.5));
        let one = Quantiles::of(vec![7.0]);
        assert_eq!((one.min, one.p10, one.p50, one.p99, one.max), (7.0, 7.0, 7.0, 7.0, 7.0));
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((1..=100).all(|percent| at(&hundred, percent) == percent as f64));
        assert_eq!(Quantiles::of(Vec::new()), Quantiles::default());
    }

    proptest! {
        #[test]
        fn enough_numbers_lie_at_or_below_a_quantile_and_not_one_fewer(
            values in proptest::collection::vec(-1_000_i32..1_000, 1..60),
            percent in 1_usize..=100,
        ) {
            let mut values: Vec<f64> = values.into_iter().map(f64::from).collect();
            values.sort_by(f64::total_cmp);
            let found = at(&values, percent);
            let up_to = values.iter().filter(|value| **value <= found).count();
            let below = values.iter().filter(|value| **value < found).count();
            prop_assert!(up_to * 100 >= percent * values.len());
            prop_assert!(below * 100 < percent * values.len());
        }
    }
}
