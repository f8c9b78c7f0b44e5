//! What can only be said of a rule set as a whole.

use super::fields::Fields;
use super::report::Report;
use super::{Algorithm, ExpansionAgeSelection, MATCH_PLAYERS_MAX, SMALL_MATCH_PLAYERS_MAX, Strategy};
use crate::compat::SmallBalanced;
use crate::expansion::Effective;
use crate::json::{Node, Span, Value};
use crate::rule::{Earlier, RuleKind, RuleType};

pub(super) struct Whole<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) algorithm: &'a Algorithm,
    pub(super) earlier: &'a Earlier<'a>,
    pub(super) stages: &'a [Effective],
    pub(super) small_balanced: SmallBalanced,
}

pub(super) fn whole(whole: &Whole<'_>, report: &mut Report) {
    whole.match_size(report);
    whole.shrinking_teams(report);
    whole.latency_for_ever(report);
    whole.parties(report);
}

impl Whole<'_> {
    fn at(&self, key: &str) -> Span {
        self.fields.key_span(key)
    }

    fn rule_node(&self, index: usize) -> Option<&Node> {
        let Value::Array(nodes) = &self.fields.get("rules")?.value else { return None };
        nodes.get(index)
    }

    /// What large matches must have and may not.
    fn match_size(&self, report: &mut Report) {
        let largest = self.stages.iter().map(Effective::max_players).max().unwrap_or(0);
        let balanced = self.algorithm.strategy == Strategy::Balanced;
        if largest > MATCH_PLAYERS_MAX {
            let message = format!(
                "a match would have up to {largest} players, at most {MATCH_PLAYERS_MAX} are allowed"
            );
            report.error(self.at("teams"), "too-many-players", message, None);
        }
        if largest <= SMALL_MATCH_PLAYERS_MAX {
            if balanced {
                let message = format!(
                    "`balanced` is documented for matches of more than {SMALL_MATCH_PLAYERS_MAX} players, these have {largest}"
                );
                match self.small_balanced {
                    SmallBalanced::Accept => {
                        let help = "the guide's example 10 does this too".to_owned();
                        report.warn(self.at("algorithm"), "balanced-small", message, Some(help));
                    }
                    SmallBalanced::Reject => {
                        report.error(self.at("algorithm"), "balanced-small", message, None);
                    }
                }
            }
            return;
        }
        let large = format!("a match of more than {SMALL_MATCH_PLAYERS_MAX} players (here up to {largest})");
        if !balanced {
            let help =
                "add \"algorithm\": {\"strategy\": \"balanced\", \"balancedAttribute\": ..}".to_owned();
            report.error(self.at("teams"), "large-match", format!("{large} must be balanced"), Some(help));
        }
        for (index, head) in self.earlier.rules.iter().enumerate() {
            let Some(node) = self.rule_node(index) else { continue };
            let span = Span { start: node.span.start, end: node.span.start + 1 };
            match head.rule_type {
                None | Some(RuleType::BatchDistance) => {}
                Some(RuleType::Latency) => {
                    let distance = self.stages.iter().filter_map(|stage| stage.rule(index)).any(|rule| {
                        matches!(&rule.kind, RuleKind::Latency(latency) if latency.max_distance.is_some())
                    });
                    if distance {
                        let message = format!("{large} takes only `maxLatency` of a latency rule");
                        report.error(span, "large-match", message, None);
                    }
                }
                Some(rule_type) => {
                    let message = format!("{large} cannot have a {} rule", rule_type.name());
                    let help = "large matches take latency and batchDistance rules".to_owned();
                    report.error(span, "large-match", message, Some(help));
                }
            }
        }
    }

    /// AWS explained this one on re:Post: two waiting tickets become two matches of one.
    fn shrinking_teams(&self, report: &mut Report) {
        let shrinks = self.stages.windows(2).any(|pair| pair[1].min_players() < pair[0].min_players());
        if shrinks && self.algorithm.expansion_age_selection == ExpansionAgeSelection::Newest {
            let message = "`minPlayers` shrinks with the age of the newest ticket".to_owned();
            let help = "a newcomer sets the clock back, so that waiting players may be matched without each other; \
                        consider \"expansionAgeSelection\": \"oldest\"";
            report.warn(self.at("expansions"), "newest-shrinking", message, Some(help.to_owned()));
        }
    }

    fn latency_for_ever(&self, report: &mut Report) {
        let (Some(first), Some(last)) = (self.stages.first(), self.stages.last()) else { return };
        for (index, rule) in first.rules().enumerate() {
            let same = last.rule(index) == Some(rule);
            if matches!(rule.kind, RuleKind::Latency(_))
                && same
                && let Some(node) = self.rule_node(index)
            {
                let message = format!("the latency rule {:?} never relaxes", rule.name);
                let help = "players far from every location wait until they time out; consider an expansion";
                let span = Span { start: node.span.start, end: node.span.start + 1 };
                report.note(span, "latency-for-ever", message, Some(help.to_owned()));
            }
        }
    }

    /// The rule reference and an AWS engineer disagree on what rules see of a party.
    fn parties(&self, report: &mut Report) {
        let Some(stage) = self.stages.first() else { return };
        if stage.teams().iter().all(|team| team.max_players < 2) {
            return;
        }
        for (index, rule) in stage.rules().enumerate() {
            if rule.depends_on_party()
                && let Some(node) = self.rule_node(index)
            {
                let message =
                    format!("what {:?} measures of a ticket with several players is contested", rule.name);
                let help = "each player counts here; `Compat::party` has the other reading";
                let span = Span { start: node.span.start, end: node.span.start + 1 };
                report.note(span, "party-reading", message, Some(help.to_owned()));
            }
        }
    }
}
