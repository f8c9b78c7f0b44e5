//! The JSON of rules and expansions to the stages of a rule set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Effective;
use crate::compat::{Compat, CrossedTeamSizes};
use crate::finding::nearest;
use crate::json::{Node, Span, Value};
use crate::rule::{self, Earlier, Rule, RuleKind, RuleType};
use crate::rule_set::fields::{self, Fields};
use crate::rule_set::report::Report;
use crate::rule_set::{MATCH_PLAYERS_MAX, Team};

/// Longest wait of a step in seconds: a request cannot be older (AWS API reference, RequestTimeoutSeconds).
const WAIT_SECONDS_MAX: u32 = 43_200;

/// The values that steps set at some age, by the property.
type Replaced<'a> = BTreeMap<&'a str, &'a Node>;

/// An expansion: what it changes, and to what.
struct Expansion<'a> {
    targets: Vec<Target>,
    property: &'a str,
    /// In the order of their waits.
    steps: Vec<(u32, &'a Node)>,
}

/// A stage whose rules may be wrong.
struct Draft {
    rules: Vec<Option<Arc<Rule>>>,
    teams: Arc<[Team]>,
    wait: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// By index.
    Rule(usize),
    /// By the index of the first instance.
    Team(usize),
}

/// The JSON that stages are made of.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) rules: &'a [Node],
    pub(crate) expansions: &'a [Node],
    /// Values set by hand, as `RuleName.property`; they win at every age.
    pub(crate) overrides: &'a [(&'a str, Node)],
}

/// Every stage of the rule set, the first from age 0. Empty if some rule cannot be read.
pub(crate) fn build(
    sources: Sources<'_>,
    earlier: &Earlier<'_>,
    compat: &Compat,
    report: &mut Report,
) -> Vec<Effective> {
    let Sources { rules, expansions, overrides } = sources;
    let overrides: Vec<_> =
        overrides.iter().filter_map(|(text, node)| overridden(text, node, earlier, report)).collect();
    let base: Vec<Option<Arc<Rule>>> =
        (0..rules.len()).map(|index| read_rule(rules, index, None, earlier, compat, report)).collect();
    let mut seen = BTreeMap::new();
    let expansions: Vec<_> =
        expansions.iter().filter_map(|node| read(node, earlier, compat, &mut seen, report)).collect();
    let mut waits: BTreeSet<u32> =
        expansions.iter().flat_map(|expansion| expansion.steps.iter().map(|(wait, _)| *wait)).collect();
    waits.insert(0);

    let mut stages: Vec<Draft> = Vec::new();
    let mut last: BTreeMap<Target, Replaced<'_>> = BTreeMap::new();
    for wait in waits {
        let mut replaced = replaced_at(&expansions, wait);
        for (target, property, value) in &overrides {
            replaced.entry(*target).or_default().insert(property, value);
        }
        let (mut now, mut teams) = match stages.last() {
            Some(before) => (before.rules.clone(), Arc::clone(&before.teams)),
            None => (base.clone(), earlier.names.teams.into()),
        };
        let mut sizes_changed = false;
        for (target, values) in &replaced {
            let same = last.get(target).is_some_and(|last| {
                last.len() == values.len() && last.iter().zip(values).all(|(a, b)| std::ptr::eq(*a.1, *b.1))
            });
            match target {
                Target::Rule(index) if !same => {
                    now[*index] = read_rule(rules, *index, Some(values), earlier, compat, report);
                }
                Target::Team(_) => sizes_changed |= !same,
                Target::Rule(_) => {}
            }
        }
        if sizes_changed {
            teams = resized(earlier.names.teams, &replaced, compat, report);
        }
        stages.push(Draft { rules: now, teams, wait });
        last = replaced;
    }
    assemble(stages)
}

fn assemble(stages: Vec<Draft>) -> Vec<Effective> {
    let mut enforced: Arc<[bool]> = Arc::new([]);
    let mut built = Vec::with_capacity(stages.len());
    for Draft { rules, teams, wait } in stages {
        let Some(rules) = rules.into_iter().collect::<Option<Vec<_>>>() else { return Vec::new() };
        if built.is_empty() {
            // Compound rules cannot be expanded, so that this holds at every age.
            enforced = enforced_rules(&rules);
        }
        let has_compounds = rules.iter().any(|rule| matches!(rule.kind, RuleKind::Compound(_)));
        let enforced = Arc::clone(&enforced);
        built.push(Effective { from_seconds: u64::from(wait), teams, rules, enforced, has_compounds });
    }
    built
}

fn enforced_rules(rules: &[Arc<Rule>]) -> Arc<[bool]> {
    let mut enforced: Vec<bool> = rules.iter().map(|rule| !matches!(rule.kind, RuleKind::Sort(_))).collect();
    for rule in rules {
        if let RuleKind::Compound(compound) = &rule.kind {
            for member in compound.statement().members() {
                enforced[member] = false;
            }
        }
    }
    enforced.into()
}

fn read_rule(
    rules: &[Node],
    index: usize,
    replaced: Option<&Replaced<'_>>,
    earlier: &Earlier<'_>,
    compat: &Compat,
    report: &mut Report,
) -> Option<Arc<Rule>> {
    let node = &rules[index];
    // What is no object was reported when the names were read.
    let Value::Object(_) = &node.value else { return None };
    let fields = Fields::of(node, "a rule", report)?;
    let rule = match replaced {
        Some(values) => rule::parse(fields.replacing(values), index, earlier, compat, report),
        None => rule::parse(fields, index, earlier, compat, report),
    };
    rule.map(Arc::new)
}

fn overridden<'a>(
    text: &'a str,
    node: &'a Node,
    earlier: &Earlier<'_>,
    report: &mut Report,
) -> Option<(Target, &'a str, &'a Node)> {
    let Some((name, property)) = text.rsplit_once('.') else {
        let message = format!("the override {text:?} is not of the form RuleName.property");
        report.error(node.span, "override", message, None);
        return None;
    };
    Some((rule_target(node, name, property, earlier, report)?, property, node))
}

fn replaced_at<'a>(expansions: &[Expansion<'a>], wait: u32) -> BTreeMap<Target, Replaced<'a>> {
    let mut replaced: BTreeMap<Target, Replaced<'a>> = BTreeMap::new();
    for expansion in expansions {
        let Some((_, value)) = expansion.steps.iter().rev().find(|(from, _)| *from <= wait) else { continue };
        for target in &expansion.targets {
            replaced.entry(*target).or_default().insert(expansion.property, value);
        }
    }
    replaced
}

/// The teams with their sizes at some age.
fn resized(
    teams: &[Team],
    replaced: &BTreeMap<Target, Replaced<'_>>,
    compat: &Compat,
    report: &mut Report,
) -> Arc<[Team]> {
    let mut teams = teams.to_vec();
    for (target, values) in replaced {
        let Target::Team(first) = *target else { continue };
        let base_name = teams[first].base_name.clone();
        let mut size = |property: &str, least| {
            let node = values.get(property)?;
            let size = fields::whole(node, &format!("`{property}`"), least, MATCH_PLAYERS_MAX, report)?;
            Some((node.span, size))
        };
        let (min, max) = (size("minPlayers", 0), size("maxPlayers", 1));
        for team in teams.iter_mut().filter(|team| team.base_name == base_name) {
            team.min_players = min.map_or(team.min_players, |(_, min)| min);
            team.max_players = max.map_or(team.max_players, |(_, max)| max);
            if team.min_players <= team.max_players {
                continue;
            }
            let span = min.or(max).map_or(Span::default(), |(span, _)| span);
            let message = format!(
                "this leaves team {base_name:?} with `minPlayers` {} above `maxPlayers` {}",
                team.min_players, team.max_players
            );
            match compat.crossed_team_sizes {
                CrossedTeamSizes::Reject => report.error(span, "team-size", message, None),
                CrossedTeamSizes::ClampMin => {
                    let help = Some("`minPlayers` is lowered to fit".to_owned());
                    report.warn(span, "team-size", message, help);
                }
            }
            team.min_players = team.max_players;
        }
    }
    teams.into()
}

fn read<'a>(
    node: &'a Node,
    earlier: &Earlier<'_>,
    compat: &Compat,
    seen: &mut BTreeMap<(Target, &'a str), Span>,
    report: &mut Report,
) -> Option<Expansion<'a>> {
    let fields = Fields::of(node, "an expansion", report)?;
    fields.check_keys(&["target", "steps", "description"], "an expansion", report, compat);
    let target = fields.require("target", "an expansion", report);
    let steps = fields.require("steps", "an expansion", report);
    let steps = steps.and_then(|node| self::steps(node, compat, report));
    let target_node = target?;
    let text = fields::string(target_node, "`target`", report)?;
    let (targets, property) = targets(target_node, text, earlier, report)?;
    for target in &targets {
        if seen.insert((*target, property), target_node.span).is_some() {
            let message = format!("another expansion changes this {property:?} too");
            let help = Some("where both apply, this one wins".to_owned());
            report.warn(target_node.span, "duplicate-target", message, help);
        }
    }
    Some(Expansion { targets, property, steps: steps? })
}

fn steps<'a>(node: &'a Node, compat: &Compat, report: &mut Report) -> Option<Vec<(u32, &'a Node)>> {
    let nodes = fields::list(node, "`steps`", report)?;
    if nodes.is_empty() {
        report.error(node.span, "missing-value", "an expansion needs at least one step".to_owned(), None);
        return None;
    }
    let mut steps: Vec<(u32, &Node)> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Some(fields) = Fields::of(node, "a step", report) else { continue };
        fields.check_keys(&["waitTimeSeconds", "value"], "a step", report, compat);
        let wait = fields.require("waitTimeSeconds", "a step", report);
        let value = fields.require("value", "a step", report);
        let Some(wait_node) = wait else { continue };
        let Some(wait) = fields::whole(wait_node, "`waitTimeSeconds`", 0, WAIT_SECONDS_MAX, report) else {
            continue;
        };
        if let Some((before, _)) = steps.last()
            && wait <= *before
        {
            let message = format!("the wait of {wait} s does not come after the previous step's {before} s");
            let help = "waits count from the start of the request and must increase".to_owned();
            report.error(wait_node.span, "steps-order", message, Some(help));
            continue;
        }
        steps.extend(value.map(|value| (wait, value)));
    }
    Some(steps)
}

/// `rules[a, b].maxDistance` or `teams[red].minPlayers`.
fn targets<'a>(
    node: &Node,
    text: &'a str,
    earlier: &Earlier<'_>,
    report: &mut Report,
) -> Option<(Vec<Target>, &'a str)> {
    let parts = text.trim().split_once('[').and_then(|(component, rest)| {
        let (names, property) = rest.rsplit_once(']')?;
        Some((component.trim(), names, property.trim_start().strip_prefix('.')?.trim()))
    });
    let Some((component, names, property)) = parts else {
        let message = format!("{text:?} is no target");
        let help = "for example \"rules[MyRule].maxDistance\" or \"teams[red].minPlayers\"".to_owned();
        report.error(node.span, "expansion-target", message, Some(help));
        return None;
    };
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    let find: fn(&Node, &str, &str, &Earlier<'_>, &mut Report) -> Option<Target> = match component {
        "rules" => rule_target,
        "teams" => team_target,
        _ => {
            let help = nearest(component, ["rules", "teams"]).map_or_else(
                || "a target is in `rules` or `teams`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("expansions cannot change `{component}`");
            report.error(node.span, "expansion-target", message, Some(help));
            return None;
        }
    };
    let found: Vec<_> = names.iter().map(|name| find(node, name, property, earlier, report)).collect();
    Some((found.into_iter().collect::<Option<_>>()?, property))
}

fn rule_target(
    node: &Node,
    name: &str,
    property: &str,
    earlier: &Earlier<'_>,
    report: &mut Report,
) -> Option<Target> {
    let rules = earlier.rules;
    let Some(index) = rules.iter().position(|rule| rule.name == Some(name)) else {
        let near = nearest(name, rules.iter().filter_map(|rule| rule.name));
        let help = near.map(|near| format!("did you mean {near:?}?"));
        report.error(node.span, "unknown-rule", format!("there is no rule {name:?} to expand"), help);
        return None;
    };
    let rule_type = rules[index].rule_type?;
    if rule_type == RuleType::Compound {
        let message = format!("{name:?} is a compound rule, which expansions cannot change");
        let help = Some("expand its members instead".to_owned());
        report.error(node.span, "expansion-target", message, help);
        return None;
    }
    known_property(node, property, rule_type.properties(), &format!("a {} rule", rule_type.name()), report)?;
    Some(Target::Rule(index))
}

fn team_target(
    node: &Node,
    name: &str,
    property: &str,
    earlier: &Earlier<'_>,
    report: &mut Report,
) -> Option<Target> {
    let teams = earlier.names.teams;
    let Some(index) = teams.iter().position(|team| team.base_name == name) else {
        let instance = teams.iter().find(|team| team.name == name);
        let help = match instance {
            Some(team) => Some(format!("expand all of them by their name in `teams`: {:?}", team.base_name)),
            None => nearest(name, teams.iter().map(|team| team.base_name.as_str()))
                .map(|near| format!("did you mean {near:?}?")),
        };
        report.error(node.span, "unknown-team", format!("there is no team {name:?} to expand"), help);
        return None;
    };
    known_property(node, property, &["minPlayers", "maxPlayers"], "a team", report)?;
    Some(Target::Team(index))
}

fn known_property(
    node: &Node,
    property: &str,
    known: &[&str],
    what: &str,
    report: &mut Report,
) -> Option<()> {
    if known.contains(&property) {
        return Some(());
    }
    let help = nearest(property, known.iter().copied())
        .map_or_else(|| format!("{what} has {}", known.join(", ")), |near| format!("did you mean {near:?}?"));
    let message = format!("{what} has no property {property:?} that an expansion could change");
    report.error(node.span, "expansion-target", message, Some(help));
    None
}
