//! Scales with round numbers.

/// Steps an axis should have at most.
const STEPS: f64 = 5.0;

/// Largest range of an axis; what is beyond lies at its ends. Rules measure whatever players bring, and near the ends of
/// what a float can hold a difference is infinite.
const RANGE_MAX: f64 = 1e300;

/// Smallest range of an axis; what is smaller is shown as a point on one of length 1. Below, steps vanish.
const RANGE_MIN: f64 = 1e-300;

/// From here on numbers are written with an exponent: more digits do not fit beside an axis.
const LONG: f64 = 1e7;

/// An axis from 0, or from a round number below 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
}

impl Axis {
    /// An axis that shows all of the values; `whole` for things that are counted.
    pub(super) fn over(values: impl Iterator<Item = f64>, whole: bool) -> Self {
        let values = values.map(|value| value.clamp(-RANGE_MAX / 2.0, RANGE_MAX / 2.0));
        let (low, high) =
            values.fold((0.0, 0.0), |(low, high), value| (f64::min(low, value), f64::max(high, value)));
        let (high, range) = if high - low >= RANGE_MIN { (high, high - low) } else { (low + 1.0, 1.0) };
        let mut magnitude = 1.0;
        while magnitude * 10.0 <= range / STEPS {
            magnitude *= 10.0;
        }
        while magnitude > range / STEPS && !(whole && magnitude <= 1.0) {
            magnitude /= 10.0;
        }
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * magnitude)
            .find(|step| range / step <= STEPS + 1e-9)
            .unwrap_or(magnitude * 10.0);
        let low = (low / step).floor();
        let high = (high / step - 1e-9).ceil().max(low + 1.0);
        Self { low: low * step, high: high * step, step }
    }

    /// Where a value lies between 0 and 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The round numbers, as they are written.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let count = ((self.high - self.low) / self.step).round() as i32;
        let decimals = (0..6).find(|digits| {
            let scaled = self.step * 10_f64.powi(*digits);
            scaled.round() >= 1.0 && (scaled - scaled.round()).abs() < 1e-6
        });
        let (low, step, decimals) = (self.low, self.step, decimals.map(|digits| digits as usize));
        (0..=count).map(move |index| {
            let value = low + f64::from(index) * step;
            // Not "-0".
            let value = if value.abs() < step / 2.0 { 0.0 } else { value };
            let is_long = value.abs() >= LONG || value != 0.0 && decimals.is_none();
            let written = if is_long {
                format!("{value:.1e}").replace(".0e", "e")
            } else {
                format!("{value:.*}", decimals.unwrap_or(0))
            };
            (value, written)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(values: &[f64], whole: bool) -> Vec<String> {
        Axis::over(values.iter().copied(), whole).ticks().map(|(_, text)| text).collect()
    }

    #[test]
    fn an_axis_has_round_numbers() {
        assert_eq!(written(&[7.3], false), ["0", "2", "4", "6", "8"]);
        assert_eq!(written(&[0.3], false), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(written(&[1_000.0], false), ["0", "200", "400", "600", "800", "1000"]);
        assert_eq!(written(&[-3.0, 3.0], false), ["-4", "-2", "0", "2", "4"]);
        assert_eq!(written(&[2.0], true), ["0", "1", "2"]);
        assert_eq!(written(&[], true), ["0", "1"]);
        assert_eq!(written(&[1e9], true), ["0", "2e8", "4e8", "6e8", "8e8", "1e9"]);
        assert_eq!(written(&[1e-9], false), ["0", "2e-10", "4e-10", "6e-10", "8e-10", "1e-9"]);
    }

    proptest! {
        #[test]
        fn every_value_is_on_the_axis_and_the_ticks_are_few(values in proptest::collection::vec(-1e9_f64..1e9, 0..9)) {
            let axis = Axis::over(values.iter().copied(), false);
            prop_assert!(values.iter().all(|value| axis.low <= *value + 1e-3 && *value <= axis.high + 1e-3));
            prop_assert!((2..=8).contains(&axis.ticks().count()));
        }

        #[test]
        fn an_axis_has_few_short_ticks_whatever_the_values(
            values in proptest::collection::vec(prop_oneof![
                any::<f64>(),
                prop::sample::select(vec![f64::MAX, f64::MIN, 1e308, -1e308, f64::MIN_POSITIVE, 5e-324]),
            ], 0..9),
            whole in any::<bool>(),
        ) {
            let axis = Axis::over(values.iter().copied(), whole);
            let ticks: Vec<_> = axis.ticks().collect();
            prop_assert!((2..=8).contains(&ticks.len()), "{ticks:?}");
            prop_assert!(ticks.iter().all(|(value, text)| value.is_finite() && text.len() <= 9), "{ticks:?}");
            for value in values.into_iter().filter(|value| value.is_finite()) {
                prop_assert!((0.0..=1.0).contains(&axis.place(value)));
            }
        }
    }
}
