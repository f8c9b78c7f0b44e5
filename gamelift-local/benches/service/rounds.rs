//! Rounds that alternate, and what is made of them.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Odd, so that there is a median.
pub(crate) const ROUNDS: usize = 9;

/// How much of a core a thread has had.
#[derive(Clone)]
pub(crate) struct Cpu(Option<PathBuf>);

impl Cpu {
    /// The thread that calls this. Only Linux tells.
    pub(crate) fn of_this_thread() -> Self {
        Self(fs::read_link("/proc/thread-self").ok().map(|thread| PathBuf::from("/proc").join(thread)))
    }

    /// Time on a core so far, in microseconds.
    pub(crate) fn us(&self) -> Option<f64> {
        let text = fs::read_to_string(self.0.as_ref()?.join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok().map(|ns: f64| ns / 1_000.0)
    }
}

/// One round of one side.
#[derive(Clone, Copy)]
pub(crate) struct Round {
    /// Half of the operations took no longer.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// The service's time on a core, per operation.
    pub(crate) cpu_us: Option<f64>,
}

/// Does an operation again and again, and gives what each took.
pub(crate) fn round(cpu: &Cpu, operations: usize, mut operation: impl FnMut(usize) -> Duration) -> Round {
    let before = cpu.us();
    let mut took: Vec<f64> = (0..operations).map(|number| operation(number).as_secs_f64() * 1e6).collect();
    let used = before.zip(cpu.us()).map(|(before, after)| (after - before) / operations as f64);
    took.sort_by(f64::total_cmp);
    Round { p50_us: took[took.len() / 2], p99_us: took[took.len() * 99 / 100], cpu_us: used }
}

pub(crate) fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One line: the floor, the subject, and the medians of the ratios of each pair of rounds.
#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
pub(crate) fn print(what: &str, floor: &[Round], subject: &[Round]) {
    let middle = |rounds: &[Round], of: fn(&Round) -> f64| median(rounds.iter().map(of));
    let ratio =
        |of: fn(&Round) -> f64| median(floor.iter().zip(subject).map(|(floor, it)| of(it) / of(floor)));
    let p50: fn(&Round) -> f64 = |round| round.p50_us;
    let p99: fn(&Round) -> f64 = |round| round.p99_us;
    // Not everywhere is a thread's time known; then the ratio is none.
    let cpu: fn(&Round) -> f64 = |round| round.cpu_us.unwrap_or(f64::NAN);
    println!(
        "{what:<36} {:>9.1} {:>9.1} {:>6.2}  {:>9.1} {:>9.1} {:>6.2}  {:>9.1} {:>9.1}",
        middle(floor, p50),
        middle(subject, p50),
        ratio(p50),
        middle(floor, cpu),
        middle(subject, cpu),
        ratio(cpu),
        middle(floor, p99),
        middle(subject, p99),
    );
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
pub(crate) fn print_head() {
    println!(
        "{:<36} {:>9} {:>9} {:>6}  {:>9} {:>9} {:>6}  {:>9} {:>9}",
        "microseconds",
        "floor p50",
        "ours p50",
        "ratio",
        "floor CPU",
        "ours CPU",
        "ratio",
        "floor p99",
        "ours p99"
    );
}
