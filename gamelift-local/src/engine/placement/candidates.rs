//! Where a placement may go, the best place first (AWS developer guide, "Customize a game session queue").

use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

use crate::model::{PlayerLatency, PriorityType};

/// The usual order of criteria. One that a queue does not name follows those it names, in this order.
const PRIORITIES: [PriorityType; 4] =
    [PriorityType::Latency, PriorityType::Cost, PriorityType::Destination, PriorityType::Location];

/// A location of a fleet: where a game session can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Site {
    pub(in crate::engine) fleet: String,
    pub(in crate::engine) location: String,
}

/// What a queue says about the order of sites.
#[derive(Debug)]
pub(in crate::engine) struct Rules {
    /// The lowest cap first.
    pub(in crate::engine) policies: Vec<Policy>,
    pub(in crate::engine) allowed_locations: Option<Vec<String>>,
    pub(in crate::engine) priorities: Vec<PriorityType>,
    pub(in crate::engine) location_order: Vec<String>,
}

/// A cap on the latency of every single player.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Policy {
    pub(in crate::engine) cap_ms: f64,
    /// `None`: until the placement is over.
    pub(in crate::engine) duration: Option<Duration>,
}

/// A fleet among a queue's destinations.
#[derive(Debug)]
pub(super) struct Destination<'a> {
    pub(super) fleet: &'a str,
    /// In hundred-thousandths of whatever unit its owner thinks in.
    pub(super) cost: u64,
    pub(super) locations: Vec<&'a str>,
}

/// What one placement says about the order of sites.
#[derive(Debug, Default)]
pub(super) struct Demand {
    pub(super) latencies: BTreeMap<String, Latency>,
    /// Replaces the queue's order of locations.
    pub(super) location_order: Option<Vec<String>>,
    /// Whether locations outside `location_order` are out of the question.
    pub(super) only_listed: bool,
}

/// The players' latency to one location, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Latency {
    average: f64,
    worst: f64,
}

/// Sums up what players have reported, by location.
pub(super) fn latencies(reports: &[PlayerLatency]) -> BTreeMap<String, Latency> {
    let mut by_location: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for report in reports {
        if let (Some(location), Some(latency)) = (&report.region_identifier, report.latency_in_milliseconds) {
            by_location.entry(location).or_default().push(latency);
        }
    }
    let sum_up = |values: Vec<f64>| Latency {
        average: values.iter().sum::<f64>() / values.len() as f64,
        worst: values.into_iter().fold(0.0, f64::max),
    };
    by_location.into_iter().map(|(location, values)| (location.to_owned(), sum_up(values))).collect()
}

impl Rules {
    /// Every site that is allowed for a placement that has waited so long, the best first.
    pub(super) fn candidates(
        &self,
        destinations: &[Destination<'_>],
        demand: &Demand,
        waited: Duration,
    ) -> Vec<Site> {
        let cap = if demand.latencies.is_empty() { None } else { self.cap(waited) };
        let order = demand.location_order.as_ref();
        let allowed = |location: &str| {
            let listed = |list: &Vec<String>| list.iter().any(|known| known == location);
            let slow = |latency: &Latency| cap.is_some_and(|cap| latency.worst > cap);
            self.allowed_locations.as_ref().is_none_or(listed)
                && (!demand.only_listed || order.is_some_and(listed))
                && !demand.latencies.get(location).is_some_and(slow)
        };
        let mut sites: Vec<(usize, &Destination<'_>, &str)> = destinations
            .iter()
            .enumerate()
            .flat_map(|(index, destination)| {
                destination.locations.iter().map(move |location| (index, destination, *location))
            })
            .filter(|(_, _, location)| allowed(location))
            .collect();
        sites.sort_by(|a, b| {
            let by_priority = |priority: &PriorityType| match priority {
                PriorityType::Latency => by_latency(demand, a.2, b.2),
                PriorityType::Cost => a.1.cost.cmp(&b.1.cost),
                PriorityType::Destination => a.0.cmp(&b.0),
                PriorityType::Location => {
                    self.location_rank(demand, a.2).cmp(&self.location_rank(demand, b.2))
                }
            };
            self.priorities.iter().map(by_priority).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        sites
            .into_iter()
            .map(|(_, destination, location)| Site {
                fleet: destination.fleet.to_owned(),
                location: location.to_owned(),
            })
            .collect()
    }

    /// When the cap on latency will change, counted from the placement's start.
    pub(super) fn next_change(&self, demand: &Demand, waited: Duration) -> Option<Duration> {
        let applies = !demand.latencies.is_empty();
        self.ends().filter(|_| applies).map(|(end, _)| end).find(|end| end.is_none_or(|end| waited < end))?
    }

    /// The cap in force. After the last policy's time, there is none.
    fn cap(&self, waited: Duration) -> Option<f64> {
        self.ends().find(|(end, _)| end.is_none_or(|end| waited < end)).map(|(_, cap)| cap)
    }

    /// When each policy ends, counted from the placement's start, and its cap.
    fn ends(&self) -> impl Iterator<Item = (Option<Duration>, f64)> {
        self.policies.iter().scan(Some(Duration::ZERO), |start, policy| {
            let begin = (*start)?;
            let end = policy.duration.and_then(|duration| begin.checked_add(duration));
            *start = end;
            Some((end, policy.cap_ms))
        })
    }

    /// The queue's order of locations, unless the placement has its own; then all others, by name.
    fn location_rank<'a>(&self, demand: &Demand, location: &'a str) -> (usize, usize, &'a str) {
        let rank = |list: &[String]| list.iter().position(|listed| listed == location).unwrap_or(usize::MAX);
        let own = demand.location_order.as_deref().map_or(0, rank);
        (own, rank(&self.location_order), location)
    }
}

/// The lower average first; locations that nobody has reported on come last.
fn by_latency(demand: &Demand, a: &str, b: &str) -> Ordering {
    match (demand.latencies.get(a), demand.latencies.get(b)) {
        (Some(a), Some(b)) => a.average.total_cmp(&b.average),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// A complete list of criteria: those given, then the rest.
pub(in crate::engine) fn complete(given: &[PriorityType]) -> Vec<PriorityType> {
    let rest = PRIORITIES.into_iter().filter(|priority| !given.contains(priority));
    given.iter().copied().chain(rest).collect()
}

#[cfg(test)]
mod tests;
