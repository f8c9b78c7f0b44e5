//! `batchDistance`: how far the players of a batch may be apart.

use super::{Judgement, Numbers, Operation, PartyAggregation};
use crate::compat::PartyReading;
use crate::expr::Scope;
use crate::player::{AttributeValue, Player};

/// A batchDistance rule.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchDistance {
    /// The attribute, as an index into [`RuleSet::attributes`](crate::RuleSet::attributes).
    pub attribute: usize,
    /// Largest difference between any two values of a number attribute. `None` for a string attribute, whose values
    /// must all be equal.
    pub max_distance: Option<f64>,
    /// How the players of one ticket become one number.
    pub party_aggregation: PartyAggregation,
}

impl BatchDistance {
    pub(crate) fn judge<'a>(&self, scope: &Scope<'a, '_>) -> Judgement<'a> {
        match self.max_distance {
            Some(max_distance) => self.numbers(max_distance, scope),
            None => self.texts(scope),
        }
        .unwrap_or_else(|| Judgement::vacuous(scope.compat))
    }

    /// The spread only grows with more players, so that too much of it stays too much.
    fn numbers<'a>(&self, max_distance: f64, scope: &Scope<'a, '_>) -> Option<Judgement<'a>> {
        let collapsed = scope.compat.party == PartyReading::Collapsed;
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for player in scope.players() {
            let number =
                if collapsed { self.party_number(player, scope) } else { player.number(self.attribute) };
            let Some(number) = number else { continue };
            min = min.min(number);
            max = max.max(number);
        }
        let pass = scope.compat.boundary.at_most(max - min, max_distance);
        let numbers = Numbers::Spread { min, max, max_distance };
        (min <= max).then_some(Judgement { pass, settled: !pass, numbers })
    }

    fn party_number(&self, player: &Player, scope: &Scope<'_, '_>) -> Option<f64> {
        let party = scope.players().filter(|other| other.party() == player.party());
        self.party_aggregation.of(party.filter_map(|member| member.number(self.attribute)))
    }

    fn texts<'a>(&self, scope: &Scope<'a, '_>) -> Option<Judgement<'a>> {
        let mut texts = scope.players().filter_map(|player| match player.attribute(self.attribute)? {
            AttributeValue::String(text) => Some(text.as_str()),
            _ => None,
        });
        let reference = texts.next()?;
        let other = texts.find(|text| *text != reference);
        let numbers =
            Numbers::Text { measured: other.unwrap_or(reference), operation: Operation::Equal, reference };
        Some(Judgement { pass: other.is_none(), settled: other.is_some(), numbers })
    }
}
