//! How fast the search is: `cargo bench -p flexmatch --bench pass`, or one part of it with `-- passes`, `-- arrivals` or
//! `-- large` behind.
//!
//! Beside each row stands the same work done by full evaluation of every rule on every waiting ticket
//! (`Engine::Reference`), where that ends in bearable time. Populations are seeded: every run does the same work, and the
//! best of several runs counts, as everything else is noise of the machine.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use flexmatch::{
    AttributeValue, Matchmaker, Output, PlayerRequest, RuleSet, Settings, TicketRequest, TicketStatus,
    Timestamp,
    matchmaker::{Engine, FlexMatchMode},
};

/// The longest that the reference engine may be expected to need for a row; its time grows with the square of the pool.
const REFERENCE_MAX: Duration = Duration::from_secs(10);

/// Times a measurement is repeated.
const REPEATS: usize = 5;

const TIGHT: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [
        {"name": "skill", "type": "number", "default": 1000},
        {"name": "mode", "type": "string_list", "default": ["ranked"]}],
    "teams": [{"name": "red", "minPlayers": 5, "maxPlayers": 5}, {"name": "blue", "minPlayers": 5, "maxPlayers": 5}],
    "rules": [
        {"name": "Close", "type": "distance", "maxDistance": 100,
         "measurements": ["max(flatten(teams[*].players.attributes[skill]))"],
         "referenceValue": "min(flatten(teams[*].players.attributes[skill]))"},
        {"name": "Fair", "type": "distance", "maxDistance": 50,
         "measurements": ["avg(teams[*].players.attributes[skill])"],
         "referenceValue": "avg(flatten(teams[*].players.attributes[skill]))"},
        {"name": "Mode", "type": "collection", "operation": "intersection", "minCount": 1,
         "measurements": ["flatten(teams[*].players.attributes[mode])"]},
        {"name": "Fast", "type": "latency", "maxLatency": 80}],
    "expansions": [
        {"target": "rules[Close].maxDistance", "steps": [{"waitTimeSeconds": 5, "value": 200}, {"waitTimeSeconds": 15, "value": 400}]},
        {"target": "rules[Fast].maxLatency", "steps": [{"waitTimeSeconds": 10, "value": 150}]}]
}"#;

const LARGE: &str = r#"{
    "ruleLanguageVersion": "1.0",
    "playerAttributes": [{"name": "skill", "type": "number", "default": 10}],
    "algorithm": {"strategy": "balanced", "balancedAttribute": "skill", "batchingPreference": "largestPopulation"},
    "teams": [{"name": "team", "minPlayers": 80, "maxPlayers": 100, "quantity": 2}],
    "rules": [
        {"name": "Skill", "type": "batchDistance", "batchAttribute": "skill", "maxDistance": 1000},
        {"name": "Fast", "type": "latency", "maxLatency": 200}]
}"#;

/// SplitMix64, for populations.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A ticket of one player, or one in five times of two; skills around 1000, three modes, four locations.
fn ticket(random: &mut Random, number: usize, party: bool) -> TicketRequest {
    let count = if party && random.below(5) == 0 { 2 } else { 1 };
    let skill = (0..4).map(|_| random.below(500)).sum::<u64>() as f64;
    let modes: Vec<String> = match random.below(4) {
        0 => vec!["ranked".into()],
        1 => vec!["casual".into()],
        2 => vec!["ranked".into(), "casual".into()],
        _ => vec!["ranked".into(), "casual".into(), "fun".into()],
    };
    let home = random.below(4);
    let latencies: BTreeMap<String, u32> = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"]
        .into_iter()
        .enumerate()
        .map(|(at, name)| (name.to_owned(), (20 + (at as u64).abs_diff(home) * 55 + random.below(30)) as u32))
        .collect();
    let players = (0..count).map(|member| PlayerRequest {
        player_id: format!("player-{number}-{member}"),
        player_attributes: BTreeMap::from([
            ("skill".into(), AttributeValue::Number(skill + member as f64)),
            ("mode".into(), AttributeValue::StringList(modes.clone())),
        ]),
        latency_in_ms: latencies.clone(),
        team: None,
    });
    TicketRequest { ticket_id: Some(format!("ticket-{number}")), players: players.collect() }
}

fn matchmaker(rules: &str, engine: Engine) -> Matchmaker {
    let rules = Arc::new(RuleSet::parse(rules).expect("the rule set is valid").rule_set);
    let settings = Settings { flex_match_mode: FlexMatchMode::Standalone, engine, ..Settings::default() };
    Matchmaker::new(rules, settings).expect("the settings are valid")
}

fn drain(matchmaker: &mut Matchmaker) -> usize {
    let mut outputs = 0;
    while let Some(output) = matchmaker.poll_output() {
        outputs += usize::from(matches!(output, Output::Event(_) | Output::Place(_)));
    }
    outputs
}

fn fill(matchmaker: &mut Matchmaker, count: usize, party: bool) {
    let mut random = Random(7);
    for number in 0..count {
        matchmaker
            .submit(Timestamp::from_millis(0), ticket(&mut random, number, party))
            .expect("the request is valid");
    }
}

fn matched(matchmaker: &Matchmaker) -> usize {
    matchmaker.tickets().filter(|ticket| ticket.status() == TicketStatus::Completed).count()
}

/// Does the work several times, and gives the shortest time with what it found.
fn best<T>(repeats: usize, mut work: impl FnMut() -> (Duration, T)) -> (Duration, T) {
    (0..repeats).map(|_| work()).min_by_key(|(time, _)| *time).expect("at least once")
}

/// The same by the reference engine, unless that would take too long.
struct Reference {
    /// How long a row of so many tickets took.
    last: Option<(usize, Duration)>,
}

impl Reference {
    fn column<T: PartialEq + std::fmt::Debug>(
        &mut self,
        count: usize,
        found: &T,
        work: impl FnOnce() -> (Duration, T),
    ) -> String {
        let growth = |before: usize| (count as f64 / before as f64).powi(2).max(1.0);
        let expected = self.last.map_or(Duration::ZERO, |(before, time)| time.mul_f64(growth(before)));
        if expected > REFERENCE_MAX {
            return format!("skipped (~{:.0} s)", expected.as_secs_f64());
        }
        let (time, same) = work();
        assert_eq!(same, *found, "both engines find the same");
        self.last = Some((count, time));
        format!("{:.1} ms", millis(time))
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Microseconds per n log2 n: the same in every row if the time grows that way.
fn growth(time: Duration, count: usize) -> f64 {
    let n = count as f64;
    time.as_secs_f64() * 1e6 / (n * n.log2())
}

fn heading(title: &str, columns: &str) {
    println!("\n{title}\n{columns}");
}

/// One pass over `count` waiting tickets, with everything that comes of it: tickets taken in, events, results.
fn one_pass(rules: &str, count: usize, party: bool, engine: Engine) -> (Duration, Matchmaker) {
    let mut matchmaker = matchmaker(rules, engine);
    fill(&mut matchmaker, count, party);
    let start = Instant::now();
    matchmaker.tick(Timestamp::from_millis(0));
    drain(&mut matchmaker);
    (start.elapsed(), matchmaker)
}

fn passes() {
    heading(
        "one pass over waiting tickets: 5v5, distance + fairness + collection + latency, parties of two",
        "  tickets   time (ms)   us per n log n   tickets/s   matched   no-change tick (ns)   reference",
    );
    let mut reference = Reference { last: None };
    for count in [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000] {
        let repeats = if count > 10_000 { 3 } else { REPEATS };
        let (time, mut after) = best(repeats, || one_pass(TIGHT, count, true, Engine::Compiled));
        let found = matched(&after);
        let start = Instant::now();
        for _ in 0..1_000 {
            after.tick(Timestamp::from_millis(0));
        }
        let idle = start.elapsed() / 1_000;
        let beside = reference.column(count, &found, || {
            let (time, after) = one_pass(TIGHT, count, true, Engine::Reference);
            (time, matched(&after))
        });
        let (time, per, rate) = (millis(time), growth(time, count), count as f64 / time.as_secs_f64());
        let idle = idle.as_nanos();
        println!(
            "  {count:>7}   {time:>9.1}   {per:>14.4}   {rate:>9.0}   {found:>7}   {idle:>19}   {beside}"
        );
    }
}

/// Tickets arrive every second for a while. Gives the time for all of them, and how many still wait.
fn steady(per_second: usize, seconds: u64, engine: Engine) -> (Duration, usize) {
    let mut matchmaker = matchmaker(TIGHT, engine);
    let mut random = Random(11);
    let requests: Vec<_> =
        (0..per_second * seconds as usize).map(|number| ticket(&mut random, number, true)).collect();
    let mut requests = requests.into_iter();
    let start = Instant::now();
    for second in 0..seconds {
        let now = Timestamp::from_millis(second * 1_000);
        for request in requests.by_ref().take(per_second) {
            matchmaker.submit(now, request).expect("the request is valid");
        }
        matchmaker.tick(now);
        drain(&mut matchmaker);
    }
    let time = start.elapsed();
    let waiting = matchmaker.tickets().filter(|ticket| ticket.status() == TicketStatus::Searching).count();
    (time, waiting)
}

fn arrivals() {
    heading(
        "steady arrivals: the same rules with expansions, every event made",
        "  arrivals/s   seconds   tickets   time (ms)   tickets/s   waiting at the end   reference",
    );
    for (per_second, seconds) in [(50, 400), (200, 100), (1_000, 60), (5_000, 20)] {
        let count = per_second * seconds as usize;
        let (time, waiting) = best(3, || steady(per_second, seconds, Engine::Compiled));
        // A pool of the arrivals of ten seconds, searched every second.
        let mut reference = Reference { last: None };
        let beside = reference.column(count, &waiting, || steady(per_second, seconds, Engine::Reference));
        let (time, rate) = (millis(time), count as f64 / time.as_secs_f64());
        println!(
            "  {per_second:>10}   {seconds:>7}   {count:>7}   {time:>9.1}   {rate:>9.0}   {waiting:>18}   {beside}"
        );
    }
}

fn large() {
    heading(
        "matches of 200 players, balanced",
        "  players   time (ms)   us per n log n   matches   matches/s   reference",
    );
    let mut reference = Reference { last: None };
    for count in [2_000, 10_000, 40_000] {
        let (time, after) = best(3, || one_pass(LARGE, count, false, Engine::Compiled));
        let matches = matched(&after) / 200;
        let beside = reference.column(count, &matches, || {
            let (time, after) = one_pass(LARGE, count, false, Engine::Reference);
            (time, matched(&after) / 200)
        });
        let (time, per, rate) = (millis(time), growth(time, count), matches as f64 / time.as_secs_f64());
        println!("  {count:>7}   {time:>9.1}   {per:>14.4}   {matches:>7}   {rate:>9.0}   {beside}");
    }
}

fn main() {
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let all: [(&str, fn()); 3] = [("passes", passes), ("arrivals", arrivals), ("large", large)];
    for (name, part) in all {
        if parts.is_empty() || parts.iter().any(|wanted| wanted == name) {
            part();
        }
    }
}
