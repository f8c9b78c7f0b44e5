//! The order of sites, criterion by criterion.

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn rules(priorities: &[PriorityType]) -> Rules {
    Rules {
        policies: Vec::new(),
        allowed_locations: None,
        priorities: complete(priorities),
        location_order: Vec::new(),
    }
}

fn fleet<'a>(fleet: &'a str, cost: u64, locations: &[&'a str]) -> Destination<'a> {
    Destination { fleet, cost, locations: locations.to_vec() }
}

/// Latencies of player 1, player 2 and so on.
fn demand(reports: &[(&str, &[f64])]) -> Demand {
    let reports: Vec<PlayerLatency> = reports
        .iter()
        .flat_map(|(location, values)| {
            values.iter().enumerate().map(|(player, latency)| PlayerLatency {
                player_id: Some(format!("player-{}", player + 1)),
                region_identifier: Some((*location).to_owned()),
                latency_in_milliseconds: Some(*latency),
            })
        })
        .collect();
    Demand { latencies: latencies(&reports), ..Demand::default() }
}

fn order(rules: &Rules, destinations: &[Destination<'_>], demand: &Demand, waited: Duration) -> Vec<String> {
    let sites = rules.candidates(destinations, demand, waited);
    sites.iter().map(|site| format!("{}/{}", site.fleet, site.location)).collect()
}

#[test]
fn the_developer_guides_example_of_latency_policies() {
    // A cap of 130 ms for one minute; players with 100 and 50, and with 120 and 150 ms.
    let rules = Rules { policies: vec![Policy { cap_ms: 130.0, duration: Some(MINUTE) }], ..rules(&[]) };
    let fleets = [fleet("f", 0, &["eu-west-1", "us-east-1", "us-west-2"])];
    let demand = demand(&[("us-east-1", &[100.0, 120.0]), ("us-west-2", &[50.0, 150.0])]);
    let at = |waited| order(&rules, &fleets, &demand, waited);
    // Player 2's 150 ms forbid us-west-2, although its average is the lower one; nobody reported on eu-west-1.
    assert_eq!(at(Duration::ZERO), ["f/us-east-1", "f/eu-west-1"]);
    assert_eq!(at(MINUTE - Duration::from_millis(1)), ["f/us-east-1", "f/eu-west-1"]);
    assert_eq!(at(MINUTE), ["f/us-west-2", "f/us-east-1", "f/eu-west-1"]);
    assert_eq!(rules.next_change(&demand, Duration::ZERO), Some(MINUTE));
    assert_eq!(rules.next_change(&demand, MINUTE), None);
}

#[test]
fn policies_follow_each_other_and_one_without_duration_stays() {
    let policy = |cap_ms, seconds: Option<u64>| Policy { cap_ms, duration: seconds.map(Duration::from_secs) };
    let rules = Rules {
        policies: vec![
            policy(50.0, Some(10)),
            policy(100.0, Some(20)),
            policy(200.0, None),
            policy(300.0, None),
        ],
        ..rules(&[])
    };
    let fleets = [fleet("f", 0, &["a", "b", "c", "d"])];
    let demand = demand(&[("a", &[50.0]), ("b", &[100.0]), ("c", &[200.0]), ("d", &[201.0])]);
    let count = |seconds| order(&rules, &fleets, &demand, Duration::from_secs(seconds)).len();
    assert_eq!(
        [0, 9, 10, 29, 30, 600].map(count),
        [1, 1, 2, 2, 3, 3],
        "a latency equal to the cap is allowed"
    );
    let next = |seconds| rules.next_change(&demand, Duration::from_secs(seconds));
    assert_eq!(
        [next(0), next(10), next(30)],
        [Some(10), Some(30), None].map(|at| at.map(Duration::from_secs))
    );
}

#[test]
fn policies_say_nothing_without_latencies() {
    let rules = Rules { policies: vec![Policy { cap_ms: 0.0, duration: None }], ..rules(&[]) };
    let fleets = [fleet("f", 0, &["a"])];
    assert_eq!(order(&rules, &fleets, &Demand::default(), Duration::ZERO), ["f/a"]);
    assert_eq!(rules.next_change(&Demand::default(), Duration::ZERO), None);
}

#[test]
fn the_usual_order_is_latency_cost_destination_location() {
    let fleets = [fleet("dear", 2, &["b", "a"]), fleet("cheap", 1, &["b", "a"]), fleet("last", 1, &["c"])];
    let usual = rules(&[]);
    assert_eq!(
        order(&usual, &fleets, &Demand::default(), Duration::ZERO),
        ["cheap/a", "cheap/b", "last/c", "dear/a", "dear/b"]
    );
    let fast = demand(&[("b", &[10.0])]);
    assert_eq!(
        order(&usual, &fleets, &fast, Duration::ZERO),
        ["cheap/b", "dear/b", "cheap/a", "last/c", "dear/a"]
    );
}

#[test]
fn criteria_that_are_not_named_follow_in_their_usual_order() {
    use PriorityType::{Cost, Destination, Latency, Location};
    assert_eq!(complete(&[]), [Latency, Cost, Destination, Location]);
    assert_eq!(complete(&[Location, Cost]), [Location, Cost, Latency, Destination]);
    assert_eq!(complete(&[Destination]), [Destination, Latency, Cost, Location]);
}

#[test]
fn location_first_tries_one_location_in_every_destination_before_the_next() {
    let fleets = [fleet("x", 0, &["a", "b", "c"]), fleet("y", 0, &["a", "b"])];
    let rules = Rules {
        location_order: vec!["b".to_owned()],
        ..rules(&[PriorityType::Location, PriorityType::Destination])
    };
    assert_eq!(
        order(&rules, &fleets, &Demand::default(), Duration::ZERO),
        ["x/b", "y/b", "x/a", "y/a", "x/c"]
    );
}

#[test]
fn a_placements_own_order_replaces_the_queues_and_the_filter_beats_both() {
    let fleets = [fleet("f", 0, &["a", "b", "c", "d"])];
    let rules = Rules {
        allowed_locations: Some(["a", "b", "c"].map(str::to_owned).to_vec()),
        location_order: vec!["b".to_owned()],
        ..rules(&[PriorityType::Location])
    };
    let own = Some(["d", "c"].map(str::to_owned).to_vec());
    let demand = |only_listed| Demand { location_order: own.clone(), only_listed, ..Demand::default() };
    assert_eq!(order(&rules, &fleets, &demand(false), Duration::ZERO), ["f/c", "f/b", "f/a"]);
    assert_eq!(order(&rules, &fleets, &demand(true), Duration::ZERO), ["f/c"]);
}
