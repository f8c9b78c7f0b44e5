//! `latency`: which locations serve all players well.

use super::{Judgement, Numbers, PartyAggregation};
use crate::compat::{PartialMatches, PartyReading};
use crate::expr::Scope;
use crate::player::Player;

/// A latency rule. A match needs a location that is acceptable to all of its players.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// Highest acceptable latency in milliseconds.
    pub max_latency: Option<f64>,
    /// Highest acceptable distance from the match's reference latency in milliseconds.
    pub max_distance: Option<f64>,
    /// What `max_distance` is measured from.
    pub distance_reference: LatencyReference,
    /// How the players of one ticket become one number.
    pub party_aggregation: PartyAggregation,
}

/// `distanceReference`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LatencyReference {
    /// The lowest latency in the match.
    #[default]
    Min,
    /// The average latency in the match.
    Average,
}

/// What a rule says of one location.
struct Location<'a> {
    name: &'a str,
    worst_ms: f64,
    worst_distance: Option<f64>,
    /// By how much the limits are missed; at most 0 if they are kept.
    excess: f64,
    acceptable: bool,
    /// Whether more players cannot make it acceptable again.
    lost: bool,
}

impl Latency {
    pub(crate) fn judge<'a>(&self, scope: &Scope<'a, '_>) -> Judgement<'a> {
        let mut best: Option<Location<'a>> = None;
        let mut hope = false;
        let Some(first) = scope.players().next() else { return Judgement::vacuous(scope.compat) };
        for (at, (name, _)) in first.latency_ms().iter().enumerate() {
            let Some(location) = self.location(at, name, scope) else { continue };
            hope |= !location.lost;
            let better = best.as_ref().is_none_or(|best| {
                location.acceptable & !best.acceptable
                    || location.acceptable == best.acceptable && location.excess < best.excess
            });
            if better {
                best = Some(location);
            }
        }
        let pass = best.as_ref().is_some_and(|best| best.acceptable);
        let numbers = Numbers::Latency {
            location: best.as_ref().map(|best| best.name),
            worst_ms: best.as_ref().map_or(0.0, |best| best.worst_ms),
            max_latency: self.max_latency,
            worst_distance: best.as_ref().and_then(|best| best.worst_distance),
            max_distance: self.max_distance,
        };
        Judgement { pass, settled: !pass && !hope, numbers }
    }

    /// The locations that this rule accepts for all of these players, in alphabetical order.
    pub(crate) fn acceptable<'a>(&self, scope: &Scope<'a, '_>) -> Vec<&'a str> {
        let Some(first) = scope.players().next() else { return Vec::new() };
        let names = first.latency_ms().iter().map(|(name, _)| name.as_str()).enumerate();
        let accepted = |at, name| self.location(at, name, scope).is_some_and(|location| location.acceptable);
        names.filter(|(at, name)| accepted(*at, name)).map(|(_, name)| name).collect()
    }

    /// `None` if some player did not report it. `at` is its place in the first player's list.
    fn location<'a>(&self, at: usize, name: &'a str, scope: &Scope<'a, '_>) -> Option<Location<'a>> {
        let collapsed = scope.compat.party == PartyReading::Collapsed;
        let (mut count, mut sum, mut lowest, mut highest) = (0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        for player in scope.players() {
            let own = player.latency_near(at, name)?;
            let latency = if collapsed { self.party_latency(player, name, scope)? } else { f64::from(own) };
            count += 1.0;
            sum += latency;
            lowest = lowest.min(latency);
            highest = highest.max(latency);
        }
        let boundary = scope.compat.boundary;
        let mut location = Location {
            name,
            worst_ms: highest,
            worst_distance: None,
            excess: highest - self.max_latency.unwrap_or(0.0),
            acceptable: true,
            lost: false,
        };
        if let Some(max_latency) = self.max_latency
            && !boundary.at_most(highest, max_latency)
        {
            location.acceptable = false;
            location.lost = true;
        }
        if let Some(max_distance) = self.max_distance {
            let reference = match self.distance_reference {
                LatencyReference::Min => lowest,
                LatencyReference::Average => sum / count,
            };
            let distance = (highest - reference).max(reference - lowest);
            location.worst_distance = Some(distance);
            location.excess = location.excess.max(distance - max_distance);
            if !boundary.at_most(distance, max_distance) {
                location.acceptable = false;
                // The distance from the lowest only grows; an average moves, and AWS does not wait for averages.
                location.lost |= self.distance_reference == LatencyReference::Min
                    || scope.compat.partial_matches == PartialMatches::AwsGreedy;
            }
        }
        Some(location)
    }

    fn party_latency(&self, player: &Player, location: &str, scope: &Scope<'_, '_>) -> Option<f64> {
        let party = scope.players().filter(|other| other.party() == player.party());
        self.party_aggregation.of(party.filter_map(|member| member.latency_to(location)).map(f64::from))
    }
}
