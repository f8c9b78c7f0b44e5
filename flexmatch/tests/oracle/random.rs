//! Random rule sets of every rule type, and random tickets for them.

use std::collections::BTreeMap;

use flexmatch::{AttributeValue, PlayerRequest};
use serde_json::{Value, json};

/// SplitMix64: the same cases on every run and platform.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }
}

const SKILLS: &str = "flatten(teams[*].players.attributes[skill])";
const MODES: &str = "flatten(teams[*].players.attributes[modes])";
const MAPS: &str = "flatten(teams[*].players.attributes[map])";

/// What a random rule set may have.
#[derive(Clone, Copy)]
pub(crate) struct Taste {
    /// Only rules that more players can break and never mend.
    pub(crate) monotone: bool,
    pub(crate) expansions: bool,
}

pub(crate) fn rule_set(random: &mut Random, taste: Taste, teams: Option<Value>) -> Value {
    let teams = teams.unwrap_or_else(|| some_teams(random));
    let names: Vec<String> = (teams.as_array().into_iter().flatten())
        .flat_map(|team| match team.get("quantity") {
            Some(_) => vec![format!("{}_1", text(&team["name"])), format!("{}_2", text(&team["name"]))],
            None => vec![text(&team["name"])],
        })
        .collect();
    let (first, last) = (names[0].clone(), names[names.len() - 1].clone());
    let mut rules: Vec<Value> = Vec::new();
    let count = random.below(4);
    for at in 0..count {
        let mut rule = if taste.monotone { monotone(random) } else { any_rule(random, &first, &last) };
        rule["name"] = json!(format!("r{at}"));
        rules.push(rule);
    }
    let comparable =
        |rule: &Value| !matches!(&*text(&rule["type"]), "batchDistance" | "absoluteSort" | "distanceSort");
    let members: Vec<String> =
        rules.iter().filter(|rule| comparable(rule)).map(|rule| text(&rule["name"])).collect();
    if members.len() >= 2 && !taste.monotone && random.one_in(3) {
        let function = random.pick(&["and", "or", "xor"]);
        rules.push(json!({"name": "compound", "type": "compound",
            "statement": format!("{function}({}, not({}))", members[0], members[1])}));
    }
    let mut expansions: Vec<Value> = Vec::new();
    if taste.expansions {
        for rule in &rules {
            let property = ["maxDistance", "maxLatency", "minCount", "maxCount", "minDistance"]
                .into_iter()
                .find(|property| rule.get(*property).is_some());
            if let Some(property) = property
                && random.one_in(2)
            {
                let before = rule[property].as_u64().unwrap_or(0);
                // Looser with time more often than not.
                let loosens = if property.starts_with("max") != random.one_in(4) { 3 } else { 0 };
                let steps = [(2, before + loosens), (6, before + 2 * loosens)];
                expansions.push(steps_of(&format!("rules[{}].{property}", text(&rule["name"])), &steps));
            }
        }
        if random.one_in(2) {
            let team = &teams[random.below(teams.as_array().map_or(1, Vec::len) as u64) as usize];
            let property = random.pick(&["minPlayers", "maxPlayers"]);
            let (low, high) = if property == "minPlayers" { (0, 3) } else { (1, 4) };
            let steps = [(3, low + random.below(high - low)), (7, low + random.below(high - low))];
            expansions.push(steps_of(&format!("teams[{}].{property}", text(&team["name"])), &steps));
        }
    }
    json!({"ruleLanguageVersion": "1.0",
        "playerAttributes": [
            {"name": "skill", "type": "number", "default": 5},
            {"name": "map", "type": "string"},
            {"name": "modes", "type": "string_list", "default": ["a"]},
            {"name": "votes", "type": "string_number_map", "default": {"x": 1}}],
        "algorithm": {
            "strategy": "exhaustiveSearch",
            "expansionAgeSelection": random.pick(&["newest", "oldest"]),
            "backfillPriority": random.pick(&["normal", "high", "low"])},
        "teams": teams, "rules": rules, "expansions": expansions})
}

fn steps_of(target: &str, steps: &[(u64, u64)]) -> Value {
    let steps: Vec<_> =
        steps.iter().map(|(wait, value)| json!({"waitTimeSeconds": wait, "value": value})).collect();
    json!({"target": target, "steps": steps})
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn some_teams(random: &mut Random) -> Value {
    let count = 1 + random.below(3) as usize;
    let teams = ["red", "blue", "green"].into_iter().take(count).map(|name| {
        let min = random.below(3);
        let max = (min + random.below(3)).max(1);
        let mut team = json!({"name": name, "minPlayers": min, "maxPlayers": max});
        if count == 1 && random.one_in(2) {
            team["quantity"] = json!(2);
        }
        team
    });
    teams.collect()
}

fn monotone(random: &mut Random) -> Value {
    let near = random.below(5);
    let least = random.below(6);
    random.pick(&[
        json!({"type": "distance", "maxDistance": near, "measurements": [format!("max({SKILLS})")],
            "referenceValue": format!("min({SKILLS})")}),
        json!({"type": "comparison", "operation": "=", "measurements": [MAPS]}),
        json!({"type": "comparison", "operation": "=", "measurements": [SKILLS]}),
        json!({"type": "comparison", "operation": ">=", "measurements": [SKILLS], "referenceValue": least}),
        json!({"type": "collection", "operation": "intersection", "minCount": 1, "measurements": [MODES]}),
        json!({"type": "collection", "operation": "contains", "referenceValue": "b", "maxCount": 1,
            "measurements": [MODES]}),
        json!({"type": "latency", "maxLatency": 60}),
        json!({"type": "batchDistance", "batchAttribute": "skill", "maxDistance": near}),
        json!({"type": "batchDistance", "batchAttribute": "map"}),
        json!({"type": "distanceSort", "sortDirection": "ascending", "sortAttribute": "skill"}),
    ])
}

fn any_rule(random: &mut Random, first: &str, last: &str) -> Value {
    if random.one_in(2) {
        return monotone(random);
    }
    let near = random.below(5);
    let of = |team: &str, attribute: &str| format!("teams[{team}].players.attributes[{attribute}]");
    let direction = random.pick(&["ascending", "descending"]);
    random.pick(&[
        json!({"type": "comparison", "operation": "=", "measurements": [format!("count(teams[{first}].players)")],
            "referenceValue": format!("count(teams[{last}].players)")}),
        json!({"type": "comparison", "operation": "!=", "measurements": [MAPS]}),
        json!({"type": "comparison", "operation": "<=", "measurements": [of(first, "skill")], "referenceValue": near + 3}),
        json!({"type": "comparison", "operation": ">=", "measurements": [format!("avg({})", of(last, "skill"))],
            "referenceValue": format!("avg({})", of(first, "skill"))}),
        json!({"type": "distance", "maxDistance": near, "measurements": ["avg(teams[*].players.attributes[skill])"],
            "referenceValue": format!("avg({SKILLS})")}),
        json!({"type": "distance", "maxDistance": near, "measurements": [SKILLS], "referenceValue": format!("avg({SKILLS})")}),
        json!({"type": "distance", "minDistance": 1, "measurements": [format!("max({SKILLS})")],
            "referenceValue": format!("median({SKILLS})")}),
        json!({"type": "distance", "maxDistance": near, "measurements": [format!("stddev({SKILLS})")], "referenceValue": 1}),
        json!({"type": "distance", "maxDistance": near + 4, "measurements": [format!("sum({})", of(first, "skill"))],
            "referenceValue": format!("sum({})", of(last, "skill"))}),
        json!({"type": "collection", "operation": "contains", "referenceValue": "c", "minCount": 1, "measurements": [MODES]}),
        json!({"type": "collection", "operation": "intersection", "maxCount": 1, "measurements": [MODES]}),
        json!({"type": "collection", "operation": "reference_intersection_count", "minCount": 1, "measurements": [MODES],
            "referenceValue": format!("set_intersection({MODES})")}),
        json!({"type": "collection", "operation": "reference_intersection_count", "maxCount": 0, "measurements": [MODES],
            "referenceValue": "flatten(teams[*].players[playerId])"}),
        json!({"type": "latency", "maxLatency": 90, "maxDistance": 30, "distanceReference": "avg"}),
        json!({"type": "latency", "maxDistance": 40, "distanceReference": "min"}),
        json!({"type": "absoluteSort", "sortDirection": direction, "sortAttribute": "skill"}),
        json!({"type": "absoluteSort", "sortDirection": direction, "sortAttribute": "votes", "mapKey": "maxValue"}),
        json!({"type": "absoluteSort", "sortDirection": direction, "sortAttribute": "votes", "mapKey": "minValue"}),
        json!({"type": "distanceSort", "sortDirection": direction, "sortAttribute": "skill"}),
    ])
}

pub(crate) fn player(random: &mut Random, id: String) -> PlayerRequest {
    let mut attributes =
        BTreeMap::from([("skill".to_owned(), AttributeValue::Number(random.below(8) as f64))]);
    if !random.one_in(12) {
        let map = random.pick(&["m", "m", "n"]);
        attributes.insert("map".into(), AttributeValue::String(map.into()));
    }
    if !random.one_in(3) {
        let modes = random.pick(&[&["a", "b"][..], &["b", "c"], &["c", "p0"], &["a"], &[]]);
        let modes = modes.iter().map(|mode| (*mode).to_owned()).collect();
        attributes.insert("modes".into(), AttributeValue::StringList(modes));
    }
    if random.one_in(2) {
        let votes = [("x", random.below(4)), ("y", random.below(4))];
        let votes = votes.iter().filter(|(_, value)| *value > 0);
        let votes = votes.map(|(key, value)| ((*key).to_owned(), *value as f64)).collect();
        attributes.insert("votes".into(), AttributeValue::StringNumberMap(votes));
    }
    let mut latency_in_ms = BTreeMap::new();
    for location in ["east", "west", "south"] {
        if !random.one_in(4) {
            latency_in_ms.insert(location.to_owned(), 20 * (1 + random.below(5) as u32));
        }
    }
    PlayerRequest { player_id: id, player_attributes: attributes, latency_in_ms, team: None }
}
