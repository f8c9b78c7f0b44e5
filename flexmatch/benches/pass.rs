//! How fast the search is: `cargo bench -p flexmatch`.
//!
//! Each line stands beside the same work done by full evaluation of every rule on every waiting ticket
//! (`Engine::Reference`), as far as that ends in bearable time. Populations are seeded: every run does the same work.
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

/// Most tickets that the reference engine is made to search at once.
const REFERENCE_MAX: usize = 2_000;

/// Times a measurement is repeated; the best counts, as everything else is noise of the machine.
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

fn fill(matchmaker: &mut Matchmaker, count: usize) {
    let mut random = Random(7);
    for number in 0..count {
        matchmaker
            .submit(Timestamp::from_millis(0), ticket(&mut random, number, true))
            .expect("the request is valid");
    }
}

fn matched(matchmaker: &Matchmaker) -> usize {
    matchmaker.tickets().filter(|ticket| ticket.status() == TicketStatus::Completed).count()
}

/// One pass over `count` waiting tickets, with everything that comes of it: tickets taken in, events, results.
fn one_pass(count: usize, engine: Engine) -> (Duration, usize, Matchmaker) {
    let mut matchmaker = matchmaker(TIGHT, engine);
    fill(&mut matchmaker, count);
    let start = Instant::now();
    matchmaker.tick(Timestamp::from_millis(0));
    drain(&mut matchmaker);
    (start.elapsed(), matched(&matchmaker), matchmaker)
}

fn passes() {
    println!(
        "one pass over waiting tickets, 5v5, distance + fairness + collection + latency, parties of two"
    );
    for count in [1_000, 2_000, 10_000, 100_000] {
        let repeats = if count > 10_000 { 2 } else { REPEATS };
        let (time, found, mut after) = (0..repeats)
            .map(|_| one_pass(count, Engine::Compiled))
            .min_by_key(|(time, ..)| *time)
            .expect("some");
        let reference = (count <= REFERENCE_MAX).then(|| one_pass(count, Engine::Reference));
        let start = Instant::now();
        for _ in 0..1_000 {
            after.tick(Timestamp::from_millis(0));
        }
        let idle = start.elapsed() / 1_000;
        let reference = reference.map_or("-".to_owned(), |(time, same, _)| {
            assert_eq!(same, found, "both engines find the same");
            format!("{time:.1?}")
        });
        println!(
            "  {count:>7} tickets: {time:>10.1?}   matched {found:>6}   no-change tick {idle:>8.1?}   reference {reference}"
        );
    }
}

/// Tickets arrive every second for a while; gives tickets per second of real time.
fn steady(per_second: usize, seconds: u64, engine: Engine) -> (f64, usize, usize) {
    let mut matchmaker = matchmaker(TIGHT, engine);
    let mut random = Random(11);
    let requests: Vec<_> =
        (0..per_second * seconds as usize).map(|number| ticket(&mut random, number, true)).collect();
    let total = requests.len();
    let mut requests = requests.into_iter();
    let start = Instant::now();
    let mut matches = 0;
    for second in 0..seconds {
        let now = Timestamp::from_millis(second * 1_000);
        for request in requests.by_ref().take(per_second) {
            matchmaker.submit(now, request).expect("the request is valid");
        }
        matchmaker.tick(now);
        matches += drain(&mut matchmaker);
    }
    let rate = total as f64 / start.elapsed().as_secs_f64();
    let waiting = matchmaker.tickets().filter(|ticket| ticket.status() == TicketStatus::Searching).count();
    (rate, waiting, matches)
}

fn arrivals() {
    println!("steady arrivals, same rules with expansions, every event made");
    for (per_second, seconds) in [(50, 200), (1_000, 60), (5_000, 20)] {
        let (rate, waiting, _) = steady(per_second, seconds, Engine::Compiled);
        let reference = (per_second <= 50).then(|| steady(per_second, 40, Engine::Reference).0);
        let reference = reference.map_or("-".to_owned(), |rate| format!("{rate:.0} tickets/s"));
        println!(
            "  {per_second:>5}/s: {rate:>9.0} tickets/s, {waiting} waiting at the end, reference {reference}"
        );
    }
}

fn large() {
    println!("matches of 200 players");
    let count = 200 * 200;
    let mut matchmaker = matchmaker(LARGE, Engine::Compiled);
    let mut random = Random(3);
    for number in 0..count {
        let request = ticket(&mut random, number, false);
        matchmaker.submit(Timestamp::from_millis(0), request).expect("the request is valid");
    }
    let start = Instant::now();
    matchmaker.tick(Timestamp::from_millis(0));
    let searched = start.elapsed();
    let matches = matched(&matchmaker) / 200;
    println!(
        "  {matches} matches in {searched:.1?}: {:.0} matches/s",
        matches as f64 / searched.as_secs_f64()
    );
}

fn main() {
    passes();
    arrivals();
    large();
}
