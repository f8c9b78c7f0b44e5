//! A report as a table.

use std::fmt;

use super::report::{Input, Report, RuleReport, Segment, StepShare};

/// Widest name that stands in its column; a longer one pushes the numbers aside.
const NAME: usize = 32;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.input {
            Input::Population { arrivals_per_second, duration_seconds, seed } => {
                writeln!(
                    f,
                    "{arrivals_per_second} tickets per second for {duration_seconds} s, seed {seed}"
                )?;
            }
            Input::Replay(replay) => write!(f, "{replay}")?,
        }
        for (switch, value) in self.compat.changes() {
            writeln!(f, "read with {switch}: {value}")?;
        }
        writeln!(f)?;
        for figure in self.summary() {
            writeln!(f, "{:12} {:>10}", figure.name, figure.shown())?;
        }
        if let Some(why) = &self.first_refusal {
            writeln!(f, "{:12} {:>10}  the first: {why}", "refused", self.refused)?;
        }
        write!(f, "\n{:NAME$} {:>8} {:>9} {:>9}", "wait in seconds", "tickets", "matched", "timeouts")?;
        writeln!(f, " {:>7} {:>7} {:>7} {:>7}", "p50", "p90", "p99", "max")?;
        for segment in &self.segments {
            let Segment { kind, value, label, tickets, matched, timed_out, wait, .. } = segment;
            let share = |count: &u64| format!("{:.1}%", *count as f64 / (*tickets).max(1) as f64 * 100.0);
            let key = format!("[{}={value}]", kind.name());
            let name = if label == value || kind.name() == "party" { key } else { format!("{key} {label}") };
            write!(f, "{name:NAME$} {tickets:>8} {:>9} {:>9}", share(matched), share(timed_out))?;
            if wait.count > 0 {
                write!(f, " {:>7.1} {:>7.1} {:>7.1} {:>7.1}", wait.p50, wait.p90, wait.p99, wait.max)?;
            }
            writeln!(f)?;
        }
        if !self.rules.is_empty() {
            write!(f, "\n{:NAME$} {:>9} {:>9}", "measured by rule", "mean", "p50")?;
            writeln!(f, " {:>9} {:>9}", "p90", "max")?;
        }
        for RuleReport { rule, measures, spread } in &self.rules {
            write!(f, "{rule:NAME$}")?;
            if spread.count == 0 {
                writeln!(f, " {:>9}", "no data")?;
                continue;
            }
            write!(f, " {:>9.1} {:>9.1} {:>9.1} {:>9.1}", spread.mean, spread.p50, spread.p90, spread.max)?;
            writeln!(f, "  {measures}")?;
        }
        if self.matches > 0 {
            writeln!(f, "\n{:NAME$} {:>8} {:>9}", "expansion step", "matches", "share")?;
            for StepShare { step_seconds, matches, share } in &self.steps {
                let name = format!("{step_seconds} s");
                writeln!(f, "{name:NAME$} {matches:>8} {:>9}", format!("{:.1}%", share * 100.0))?;
            }
        }
        if self.timed_out == 0 {
            return Ok(());
        }
        writeln!(f, "\n{:NAME$} {:>8} {:>9}", "timed out because of", "tickets", "share")?;
        for cause in &self.timeouts.causes {
            let share = format!("{:.1}%", cause.share * 100.0);
            writeln!(f, "{:NAME$} {:>8.0} {share:>9}", cause.cause.to_string(), cause.tickets)?;
        }
        let (explained, all) = (self.timeouts.explained, self.timeouts.tickets);
        if explained < all {
            writeln!(f, "(estimated from {explained} of {all} timeouts)")?;
        }
        Ok(())
    }
}
