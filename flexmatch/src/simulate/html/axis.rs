//! Scales with round numbers.

/// Steps an axis should have at most.
const STEPS: f64 = 5.0;

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
        let (low, high) =
            values.fold((0.0, 0.0), |(low, high), value| (f64::min(low, value), f64::max(high, value)));
        let range = if high > low { high - low } else { 1.0 };
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
        let high = if high > low { high } else { low + range };
        Self { low: (low / step).floor() * step, high: (high / step - 1e-9).ceil() * step, step }
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
            (scaled - scaled.round()).abs() < 1e-6
        });
        let (low, step, decimals) = (self.low, self.step, decimals.unwrap_or(6) as usize);
        (0..=count).map(move |index| {
            let value = low + f64::from(index) * step;
            // Not "-0".
            (value, format!("{:.decimals$}", if value.abs() < step / 2.0 { 0.0 } else { value }))
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
    }

    proptest! {
        #[test]
        fn every_value_is_on_the_axis_and_the_ticks_are_few(values in proptest::collection::vec(-1e9_f64..1e9, 0..9)) {
            let axis = Axis::over(values.iter().copied(), false);
            prop_assert!(values.iter().all(|value| axis.low <= *value + 1e-3 && *value <= axis.high + 1e-3));
            prop_assert!((2..=8).contains(&axis.ticks().count()));
        }
    }
}
