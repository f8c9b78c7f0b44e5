//! The last step of `balanced` matches: tickets change places so that the teams' sums of the balanced attribute come
//! closer. Team sizes stay. The guide speaks of "additional post-match checks" only.

use std::collections::BTreeMap;

/// Most swaps of one match. 200 players need a few dozen; the bound keeps rounding from swapping for ever.
const SWAPS_MAX: usize = 1_000;

/// A ticket that may change its team.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Movable {
    pub(super) team: usize,
    pub(super) players: u32,
    /// Sum of the attribute over its players.
    pub(super) sum: f64,
}

/// Swaps teams between tickets of equal size while that brings two teams' sums closer. `fixed` are the sums of those who
/// stay. Gives whether anything changed.
pub(super) fn balance(tickets: &mut [Movable], fixed: &[f64]) -> bool {
    let mut sums = fixed.to_vec();
    for ticket in tickets.iter() {
        sums[ticket.team] += ticket.sum;
    }
    let mut order: Vec<usize> = (0..sums.len()).collect();
    let mut changed = false;
    for _ in 0..SWAPS_MAX {
        order.sort_by(|a, b| sums[*a].total_cmp(&sums[*b]).then(a.cmp(b)));
        let pairs = order.iter().rev().flat_map(|high| order.iter().map(move |low| (*high, *low)));
        let swap = pairs
            .filter(|(high, low)| sums[*high] > sums[*low])
            .find_map(|(high, low)| best_swap(tickets, high, low, sums[high] - sums[low]));
        let Some((high, low)) = swap else { break };
        let moved = tickets[high].sum - tickets[low].sum;
        sums[tickets[high].team] -= moved;
        sums[tickets[low].team] += moved;
        let team = tickets[high].team;
        tickets[high].team = tickets[low].team;
        tickets[low].team = team;
        changed = true;
    }
    changed
}

/// The two tickets of equal size whose swap brings the sums of their teams, now `gap` apart, closest; none if no swap
/// brings them closer.
fn best_swap(tickets: &[Movable], high: usize, low: usize, gap: f64) -> Option<(usize, usize)> {
    let by_size = |team: usize| {
        let mut sizes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, ticket) in tickets.iter().enumerate().filter(|(_, ticket)| ticket.team == team) {
            sizes.entry(ticket.players).or_default().push(index);
        }
        for indices in sizes.values_mut() {
            indices.sort_by(|a, b| tickets[*a].sum.total_cmp(&tickets[*b].sum).then(a.cmp(b)));
        }
        sizes
    };
    let lows = by_size(low);
    // Moving `moved` leaves the teams `gap - 2 * moved` apart. A gain below the noise of the sums is none.
    let mut best: Option<(f64, usize, usize)> = None;
    let mut left = gap * (1.0 - 1e-9);
    for (size, ours) in by_size(high) {
        let Some(theirs) = lows.get(&size) else { continue };
        for one in ours {
            // The partner nearest to the ideal difference, on either side of it.
            let ideal = tickets[one].sum - gap / 2.0;
            let split = theirs.partition_point(|other| tickets[*other].sum < ideal);
            for other in theirs[split.saturating_sub(1)..].iter().take(2) {
                let remaining = (gap - 2.0 * (tickets[one].sum - tickets[*other].sum)).abs();
                if remaining < left {
                    left = remaining;
                    best = Some((remaining, one, *other));
                }
            }
        }
    }
    best.map(|(_, one, other)| (one, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solo(team: usize, sum: f64) -> Movable {
        Movable { team, players: 1, sum }
    }

    #[test]
    fn swaps_bring_the_sums_together_and_keep_the_sizes() {
        let mut tickets = vec![solo(0, 10.0), solo(0, 9.0), solo(1, 1.0), solo(1, 2.0)];
        assert!(balance(&mut tickets, &[0.0, 0.0]));
        let sum =
            |team| tickets.iter().filter(|ticket| ticket.team == team).map(|ticket| ticket.sum).sum::<f64>();
        assert_eq!((sum(0), sum(1)), (11.0, 11.0));
        assert_eq!(tickets.iter().filter(|ticket| ticket.team == 0).count(), 2);
    }

    #[test]
    fn a_party_swaps_only_with_a_party_of_its_size() {
        let mut tickets = vec![Movable { team: 0, players: 2, sum: 100.0 }, solo(1, 1.0), solo(1, 2.0)];
        assert!(!balance(&mut tickets, &[0.0, 0.0]));
    }
}
