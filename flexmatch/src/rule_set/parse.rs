//! A text to a checked rule set, or to everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{self, Fields};
use super::report::Report;
use super::{
    Algorithm, AttributeDefinition, BODY_CHARACTERS_MAX, BackfillPriority, BatchingPreference,
    ExpansionAgeSelection, MATCH_PLAYERS_MAX, Parsed, RuleSet, Strategy, Team, lint,
};
use crate::compat::{BaseTeamName, Compat};
use crate::expansion;
use crate::expr::Names;
use crate::finding::Finding;
use crate::json::{self, Document, Node, Span, Value};
use crate::player::{AttributeType, AttributeValue, without_repeats};
use crate::rule::{Earlier, RuleHead, RuleType, attribute};

/// The only language version there is.
const LANGUAGE_VERSION: &str = "1.0";

const KEYS: &[&str] =
    &["name", "ruleLanguageVersion", "playerAttributes", "algorithm", "teams", "rules", "expansions"];

/// Findings about the document as a whole point at its start.
const START: Span = Span { start: 0, end: 0 };

pub(super) fn parse(
    text: &str,
    compat: &Compat,
    overrides: &BTreeMap<String, serde_json::Value>,
) -> Result<Parsed, Vec<Finding>> {
    let mut report = Report::default();
    let characters = text.chars().count();
    if characters > BODY_CHARACTERS_MAX {
        let message =
            format!("the rule set has {characters} characters, at most {BODY_CHARACTERS_MAX} are allowed");
        report.error(START, "too-long", message, None);
        return Err(report.finish(text, None));
    }
    let Document { root, comments, errors } = json::parse(text);
    for error in errors {
        report.error(error.span, "json-syntax", error.message, error.help.map(str::to_owned));
    }
    if let Some(&comment) = comments.first() {
        let message = "comments are not JSON".to_owned();
        let help =
            "the service has accepted them, its API reference says it does not; other tools refuse them";
        report.warn(comment, "comment", message, Some(help.to_owned()));
    }
    let rule_set = root.as_ref().and_then(|root| {
        duplicate_keys(root, &mut report);
        read(root, compat, overrides, &mut report)
    });
    let failed = report.has_errors();
    let findings = report.finish(text, root.as_ref());
    match rule_set {
        Some(rule_set) if !failed => Ok(Parsed { rule_set, warnings: findings }),
        _ => Err(findings),
    }
}

fn duplicate_keys(node: &Node, report: &mut Report) {
    match &node.value {
        Value::Array(items) => items.iter().for_each(|item| duplicate_keys(item, report)),
        Value::Object(members) => {
            // From the end: the last one wins, so the earlier ones are those to point at.
            let mut seen = BTreeSet::new();
            for member in members.iter().rev() {
                if !seen.insert(member.key.as_str()) {
                    let message =
                        format!("{:?} appears again below, and the last one wins: this is lost", member.key);
                    report.warn(member.key_span, "duplicate-key", message, Some("remove one".to_owned()));
                }
                duplicate_keys(&member.value, report);
            }
        }
        _ => {}
    }
}

/// Reads everything it can, so that all errors are found; the result only counts if there are none.
fn read(
    root: &Node,
    compat: &Compat,
    overrides: &BTreeMap<String, serde_json::Value>,
    report: &mut Report,
) -> Option<RuleSet> {
    let fields = Fields::of(root, "a rule set", report)?;
    fields.check_keys(KEYS, "a rule set", report, compat);
    let name = fields.get("name").and_then(|node| fields::string(node, "`name`", report)).map(str::to_owned);
    language_version(fields, report);
    let attributes = attributes(fields, compat, report);
    let teams = teams(fields, compat, report);
    let names = Names {
        teams: &teams,
        attributes: &attributes,
        base_names: compat.base_team_name == BaseTeamName::AllInstances,
    };
    let algorithm = algorithm(fields, names, compat, report);
    let rule_nodes = section(fields, "rules", report);
    let heads = rule_heads(rule_nodes, compat, report);
    let earlier = Earlier { names, rules: &heads };
    let expansions = section(fields, "expansions", report);
    let overrides: Vec<_> =
        overrides.iter().map(|(target, value)| (target.as_str(), Node::from_serde(value))).collect();
    let sources = expansion::Sources { rules: rule_nodes, expansions, overrides: &overrides };
    let stages = expansion::build(sources, &earlier, compat, report);
    let small_balanced = compat.small_balanced;
    let whole =
        lint::Whole { fields, algorithm: &algorithm, earlier: &earlier, stages: &stages, small_balanced };
    lint::whole(&whole, report);
    if stages.is_empty() {
        return None;
    }
    Some(RuleSet { name, attributes, algorithm, stages, boundary: compat.boundary })
}

fn language_version(fields: Fields<'_>, report: &mut Report) {
    let Some(node) = fields.require("ruleLanguageVersion", "the rule set", report) else { return };
    if !matches!(&node.value, Value::String(version) if version == LANGUAGE_VERSION) {
        let message = "`ruleLanguageVersion` must be \"1.0\"".to_owned();
        report.error(node.span, "language-version", message, None);
    }
}

/// An optional list.
fn section<'a>(fields: Fields<'a>, key: &str, report: &mut Report) -> &'a [Node] {
    fields.get(key).and_then(|node| fields::list(node, &format!("`{key}`"), report)).unwrap_or(&[])
}

/// Reports a name that was there before.
fn unique<'a>(seen: &mut BTreeSet<&'a str>, name: &'a str, node: &Node, what: &str, report: &mut Report) {
    if !seen.insert(name) {
        report.error(node.span, "duplicate-name", format!("there is another {what} named {name:?}"), None);
    }
}

fn attributes(fields: Fields<'_>, compat: &Compat, report: &mut Report) -> Vec<AttributeDefinition> {
    const TYPES: [(&str, AttributeType); 4] = [
        ("string", AttributeType::String),
        ("number", AttributeType::Number),
        ("string_list", AttributeType::StringList),
        ("string_number_map", AttributeType::StringNumberMap),
    ];
    let mut attributes = Vec::new();
    let mut seen = BTreeSet::new();
    for node in section(fields, "playerAttributes", report) {
        let Some(fields) = Fields::of(node, "a player attribute", report) else { continue };
        fields.check_keys(&["name", "type", "default", "description"], "a player attribute", report, compat);
        let name = fields.require("name", "a player attribute", report);
        let name = name.and_then(|node| Some((node, fields::name(node, "`name`", report)?)));
        let attribute_type = fields.require("type", "a player attribute", report);
        let attribute_type = attribute_type.and_then(|node| fields::choice(node, "`type`", &TYPES, report));
        let Some((name_node, name)) = name else { continue };
        unique(&mut seen, name, name_node, "player attribute", report);
        // With a wrong type the attribute still exists, so that its uses are not errors too.
        let known = attribute_type.unwrap_or(AttributeType::Number);
        let default = match (fields.get("default"), attribute_type) {
            (Some(node), Some(known)) => default_value(node, known, report),
            _ => None,
        };
        attributes.push(AttributeDefinition { name: name.to_owned(), attribute_type: known, default });
    }
    attributes
}

fn default_value(node: &Node, attribute_type: AttributeType, report: &mut Report) -> Option<AttributeValue> {
    match (attribute_type, &node.value) {
        // "An empty string is the same as no default" (FlexMatch guide, property definitions).
        (_, Value::String(text)) if text.is_empty() => {
            let message = "an empty string is no default".to_owned();
            let help = "players who bring no value can never be matched".to_owned();
            report.warn(node.span, "empty-default", message, Some(help));
            None
        }
        (AttributeType::String, Value::String(text)) => Some(AttributeValue::String(text.clone())),
        (AttributeType::Number, _) => fields::number(node, "`default`", report).map(AttributeValue::Number),
        (AttributeType::StringList, Value::Array(items)) => {
            let texts: Vec<_> = items
                .iter()
                .filter_map(|item| fields::string(item, "a value of `default`", report))
                .collect();
            let texts = texts.into_iter().map(str::to_owned).collect();
            Some(AttributeValue::StringList(without_repeats(texts)))
        }
        (AttributeType::StringNumberMap, Value::Object(members)) => {
            let entry = |member: &json::Member| {
                let number = fields::number(&member.value, "a value of `default`", report)?;
                Some((member.key.clone(), number))
            };
            Some(AttributeValue::StringNumberMap(members.iter().filter_map(entry).collect()))
        }
        _ => {
            let wanted = match attribute_type {
                AttributeType::String => "a string, like its attribute",
                AttributeType::StringList => "a list of strings, like its attribute",
                _ => "an object of numbers, like its attribute",
            };
            fields::wrong_kind(node, "`default`", wanted, report);
            None
        }
    }
}

fn teams(fields: Fields<'_>, compat: &Compat, report: &mut Report) -> Vec<Team> {
    let mut teams: Vec<Team> = Vec::new();
    let Some(node) = fields.require("teams", "the rule set", report) else { return teams };
    let Some(nodes) = fields::list(node, "`teams`", report) else { return teams };
    if nodes.is_empty() {
        report.error(node.span, "no-teams", "a rule set needs at least one team".to_owned(), None);
    }
    let mut seen = BTreeSet::new();
    for node in nodes {
        let Some(fields) = Fields::of(node, "a team", report) else { continue };
        let known = ["name", "minPlayers", "maxPlayers", "quantity", "description"];
        fields.check_keys(&known, "a team", report, compat);
        let name = fields.require("name", "a team", report);
        let name = name.and_then(|node| Some((node, fields::name(node, "`name`", report)?)));
        let mut size = |key: &str, least| {
            let node = fields.require(key, "a team", report)?;
            fields::whole(node, &format!("`{key}`"), least, MATCH_PLAYERS_MAX, report)
                .map(|size| (node, size))
        };
        let (min, max) = (size("minPlayers", 0), size("maxPlayers", 1));
        let quantity = match fields.get("quantity") {
            Some(node) => fields::whole(node, "`quantity`", 1, MATCH_PLAYERS_MAX, report),
            None => Some(1),
        };
        if let (Some((node, min)), Some((_, max))) = (min, max)
            && min > max
        {
            let message = format!("`minPlayers` {min} is above `maxPlayers` {max}");
            report.error(node.span, "team-size", message, None);
        }
        let Some((name_node, base_name)) = name else { continue };
        unique(&mut seen, base_name, name_node, "team", report);
        if let Some(c) = base_name.chars().find(|c| matches!(c, '[' | ']' | ',' | '*')) {
            let message = format!("the name contains `{c}`: no property expression can select this team");
            report.warn(name_node.span, "unselectable-name", message, None);
        }
        // With a wrong number the team still exists, so that its uses are not errors too.
        let (min_players, max_players) = (min.map_or(0, |min| min.1), max.map_or(1, |max| max.1));
        let quantity = quantity.unwrap_or(1);
        for instance in 1..=quantity {
            let name = if quantity == 1 { base_name.to_owned() } else { format!("{base_name}_{instance}") };
            // Equal names in `teams` itself were reported above.
            if teams.iter().any(|team| team.name == name && team.base_name != base_name) {
                let message = format!("a quantity above 1 makes a second team named {name:?}");
                report.error(name_node.span, "duplicate-name", message, None);
            }
            teams.push(Team { name, base_name: base_name.to_owned(), min_players, max_players });
        }
        if teams.len() > MATCH_PLAYERS_MAX as usize {
            let message = format!("there are more than {MATCH_PLAYERS_MAX} teams");
            report.error(node.span, "too-many-players", message, None);
            break;
        }
    }
    teams
}

fn algorithm(fields: Fields<'_>, names: Names<'_>, compat: &Compat, report: &mut Report) -> Algorithm {
    const STRATEGIES: [(&str, Strategy); 2] =
        [("exhaustiveSearch", Strategy::ExhaustiveSearch), ("balanced", Strategy::Balanced)];
    const BATCHING: [(&str, BatchingPreference); 4] = [
        ("random", BatchingPreference::Random),
        ("sorted", BatchingPreference::Sorted),
        ("largestPopulation", BatchingPreference::LargestPopulation),
        ("fastestRegion", BatchingPreference::FastestRegion),
    ];
    const AGES: [(&str, ExpansionAgeSelection); 2] =
        [("newest", ExpansionAgeSelection::Newest), ("oldest", ExpansionAgeSelection::Oldest)];
    const PRIORITIES: [(&str, BackfillPriority); 3] = [
        ("normal", BackfillPriority::Normal),
        ("high", BackfillPriority::High),
        ("low", BackfillPriority::Low),
    ];
    let mut algorithm = Algorithm::default();
    let Some(fields) = fields.get("algorithm").and_then(|node| Fields::of(node, "`algorithm`", report))
    else {
        return algorithm;
    };
    let known = [
        "strategy",
        "batchingPreference",
        "sortByAttributes",
        "balancedAttribute",
        "expansionAgeSelection",
        "backfillPriority",
    ];
    fields.check_keys(&known, "`algorithm`", report, compat);
    let read = |key: &str| fields.get(key);
    if let Some(node) = read("strategy") {
        algorithm.strategy = fields::choice(node, "`strategy`", &STRATEGIES, report).unwrap_or_default();
    }
    let balanced = algorithm.strategy == Strategy::Balanced;
    algorithm.batching_preference =
        if balanced { BatchingPreference::LargestPopulation } else { BatchingPreference::Random };
    if let Some(node) = read("batchingPreference")
        && let Some(batching) = fields::choice(node, "`batchingPreference`", &BATCHING, report)
    {
        let for_balanced =
            matches!(batching, BatchingPreference::LargestPopulation | BatchingPreference::FastestRegion);
        if for_balanced != balanced {
            let (strategy, allowed) = if balanced {
                ("balanced", "largestPopulation or fastestRegion")
            } else {
                ("exhaustiveSearch", "random or sorted")
            };
            let message = format!("this `batchingPreference` does not go with the strategy {strategy}");
            report.error(node.span, "batching-strategy", message, Some(format!("use {allowed}")));
        }
        algorithm.batching_preference = batching;
    }
    if let Some(node) = read("expansionAgeSelection") {
        let age = fields::choice(node, "`expansionAgeSelection`", &AGES, report);
        algorithm.expansion_age_selection = age.unwrap_or_default();
    }
    if let Some(node) = read("backfillPriority") {
        let priority = fields::choice(node, "`backfillPriority`", &PRIORITIES, report);
        algorithm.backfill_priority = priority.unwrap_or_default();
        if balanced && algorithm.backfill_priority != BackfillPriority::Normal {
            let message = "`backfillPriority` is documented for exhaustiveSearch only".to_owned();
            report.warn(node.span, "unused-key", message, None);
        }
    }
    sorting(fields, &mut algorithm, names, report);
    balancing(fields, &mut algorithm, names, report);
    algorithm
}

fn sorting(fields: Fields<'_>, algorithm: &mut Algorithm, names: Names<'_>, report: &mut Report) {
    let sorted = algorithm.batching_preference == BatchingPreference::Sorted;
    let Some(list) = fields.get("sortByAttributes") else {
        if sorted {
            fields.require("sortByAttributes", "a sorted batch", report);
        }
        return;
    };
    let Some(nodes) = fields::list(list, "`sortByAttributes`", report) else { return };
    if !sorted {
        let message = "`sortByAttributes` does nothing without \"batchingPreference\": \"sorted\"".to_owned();
        report.warn(fields.key_span("sortByAttributes"), "unused-key", message, None);
    } else if nodes.is_empty() {
        let message = "`sortByAttributes` must name an attribute".to_owned();
        report.error(list.span, "missing-value", message, None);
    }
    for node in nodes {
        let Some(name) = fields::string(node, "an attribute name", report) else { continue };
        let Some(index) = attribute(node, name, names, report) else { continue };
        match names.attributes[index].attribute_type {
            AttributeType::Number | AttributeType::String => algorithm.sort_by_attributes.push(index),
            other => {
                let message = format!("{name:?} is a {other}, which has no order");
                let help = "sort by number or string attributes".to_owned();
                report.error(node.span, "attribute-type", message, Some(help));
            }
        }
    }
}

fn balancing(fields: Fields<'_>, algorithm: &mut Algorithm, names: Names<'_>, report: &mut Report) {
    let balanced = algorithm.strategy == Strategy::Balanced;
    let Some(node) = fields.get("balancedAttribute") else {
        if balanced {
            fields.require("balancedAttribute", "the strategy balanced", report);
        }
        return;
    };
    if !balanced {
        let message = "`balancedAttribute` does nothing without \"strategy\": \"balanced\"".to_owned();
        report.warn(fields.key_span("balancedAttribute"), "unused-key", message, None);
    }
    let Some(name) = fields::string(node, "`balancedAttribute`", report) else { return };
    let Some(index) = attribute(node, name, names, report) else { return };
    let found = names.attributes[index].attribute_type;
    if found != AttributeType::Number {
        let message = format!("{name:?} is a {found}, and only numbers can be balanced");
        report.error(node.span, "attribute-type", message, None);
    }
    algorithm.balanced_attribute = Some(index);
}

/// Names and types first: compound rules and expansions refer to rules by name.
fn rule_heads<'a>(nodes: &'a [Node], compat: &Compat, report: &mut Report) -> Vec<RuleHead<'a>> {
    let mut seen = BTreeSet::new();
    nodes
        .iter()
        .map(|node| {
            let Some(fields) = Fields::of(node, "a rule", report) else {
                return RuleHead { name: None, rule_type: None };
            };
            let name = fields.require("name", "a rule", report);
            let name = name.and_then(|node| Some((node, fields::name(node, "`name`", report)?)));
            if let Some((node, name)) = name {
                unique(&mut seen, name, node, "rule", report);
            }
            if let Some(description) = fields.get("description") {
                fields::string(description, "`description`", report);
            }
            let rule_type = fields.require("type", "a rule", report);
            let rule_type = rule_type.and_then(|node| fields::choice(node, "`type`", &RuleType::ALL, report));
            if let Some(rule_type) = rule_type {
                let mut known = vec!["name", "type", "description"];
                known.extend(rule_type.properties());
                let article = if rule_type == RuleType::AbsoluteSort { "an" } else { "a" };
                fields.check_keys(&known, &format!("{article} {} rule", rule_type.name()), report, compat);
            }
            RuleHead { name: name.map(|(_, name)| name), rule_type }
        })
        .collect()
}
