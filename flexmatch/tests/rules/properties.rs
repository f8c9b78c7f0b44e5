//! What holds for any input.

use flexmatch::rule_set::format;
use flexmatch::{Compat, MatchView, Player, RuleSet, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bench::{parsed, player, text};

/// Any JSON value, with the keys and words of rule sets more often than not.
fn json_value() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "name",
        "type",
        "teams",
        "rules",
        "steps",
        "value",
        "target",
        "1.0",
        "number",
        "distance",
        "compound",
        "collection",
        "contains",
        "red",
        "teams[red].minPlayers",
        "rules[r].maxLatency",
        "and(r,r)",
        "avg(teams[*].players.attributes[a])",
        "count(teams[red].players)",
        "é\n\"",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Into::into),
        (-3_i64..300).prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        word.prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..6).prop_map(|members| {
                Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

const KEYS: &[&str] = &[
    "name",
    "ruleLanguageVersion",
    "playerAttributes",
    "algorithm",
    "teams",
    "rules",
    "expansions",
    "type",
    "default",
    "minPlayers",
    "maxPlayers",
    "quantity",
    "measurements",
    "referenceValue",
    "operation",
    "maxDistance",
    "minCount",
    "maxLatency",
    "statement",
    "target",
    "steps",
    "waitTimeSeconds",
    "value",
    "sortByAttributes",
];

const FIXTURES: &[&str] = &[
    "rovers_against_miners",
    "compound",
    "amber_jade_all",
    "three_teams",
    "arena_votes",
    "chosen_rivals",
    "shun_list",
    "guilds",
    "rule_types",
    "deep_divers",
    "comments",
    "duplicate_keys",
];

fn read_every_way(text: &str) {
    let _ = RuleSet::parse(text).map_err(|findings| {
        for finding in findings {
            assert!(finding.line >= 1 && finding.column >= 1 && finding.length >= 1);
            let line = text.split('\n').nth(finding.line - 1).expect("the line is there");
            assert!(finding.column <= line.chars().count() + 1, "{finding}");
        }
    });
    if let Ok(formatted) = format(text) {
        assert_eq!(format(&formatted).as_deref(), Ok(formatted.as_str()), "once is enough");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_or_the_formatter_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_every_way(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_json_makes_them_panic(value in json_value()) {
        read_every_way(&value.to_string());
    }

    #[test]
    fn no_damage_to_a_rule_set_makes_them_panic(
        fixture in prop::sample::select(FIXTURES),
        cut in any::<prop::sample::Index>(),
        length in 0_usize..20,
        insert in prop::sample::select(vec!["", "\"", "{", "]", ",", "//", "/*", "é", "0", "(", "[*]", "\\u00"]),
    ) {
        let whole: Vec<char> = text(fixture).chars().collect();
        let at = cut.index(whole.len());
        let end = (at + length).min(whole.len());
        let damaged: String = whole[..at].iter().copied().chain(insert.chars()).chain(whole[end..].iter().copied()).collect();
        read_every_way(&damaged);
    }

    #[test]
    fn no_expression_or_statement_makes_the_parser_panic(measured in "[a-z]{0,6}[(\\[]{0,3}teams\\[.{0,9}\\]?.{0,30}", statement in "[a-z(), é]{0,30}") {
        let rules = json!({"ruleLanguageVersion": "1.0", "teams": [{"name": "red", "minPlayers": 1, "maxPlayers": 2}],
            "rules": [
                {"name": "a", "type": "comparison", "operation": "=", "measurements": [measured], "referenceValue": measured},
                {"name": "b", "type": "compound", "statement": statement},
            ]});
        read_every_way(&rules.to_string());
    }

    #[test]
    fn formatting_keeps_the_meaning(value in json_value()) {
        let text = value.to_string();
        let formatted = format(&text).expect("it is JSON");
        prop_assert_eq!(serde_json::from_str::<Value>(&formatted).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
    }

    #[test]
    fn comments_anywhere_survive_formatting_once_and_twice(
        fixture in prop::sample::select(FIXTURES),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..6),
    ) {
        let mut commented = text(fixture);
        let mut count = commented.matches("//").count();
        for (at, (place, line)) in places.into_iter().enumerate() {
            let spaces: Vec<usize> = commented.match_indices('\n').map(|(at, _)| at).collect();
            let comment = if line { format!(" // c{at}") } else { format!(" /* c{at} */ ") };
            commented.insert_str(spaces[place.index(spaces.len())], &comment);
            count += 1;
        }
        let formatted = format(&commented).expect("comments are fine");
        let kept = formatted.matches("//").count() + formatted.matches("/*").count();
        // One put at the end of a line comment becomes part of it, on either side.
        let before = commented.matches("//").count() + commented.matches("/*").count();
        prop_assert_eq!(kept, before);
        prop_assert_eq!(before, count);
        prop_assert_eq!(format(&formatted).unwrap(), formatted.clone());
        let (one, two) = (parsed(&commented).0, parsed(&formatted).0);
        prop_assert_eq!(format!("{one:?}"), format!("{two:?}"));
    }

    #[test]
    fn a_complete_match_is_never_undecided_and_what_fails_for_ever_fails_for_ever(
        fixture in prop::sample::select(FIXTURES),
        seats in prop::collection::vec((0_usize..12, 0_u64..6, -3_i32..40, 0_usize..8, 30_u32..200), 0..12),
        first in 0_usize..12,
    ) {
        let (rule_set, _) = parsed(&text(fixture));
        let effective = rule_set.effective(0);
        let teams = effective.teams().len();
        let players: Vec<(usize, Player)> = seats.iter().enumerate().map(|(at, &(team, party, number, pick, latency))| {
            (team % teams, any_player(&rule_set, at, party, number, pick, latency))
        }).collect();
        let seated = |count: usize| {
            let mut seats: Vec<Vec<&Player>> = vec![Vec::new(); teams];
            for (team, player) in &players[..count] {
                // A match never has more players than its teams hold.
                if seats[*team].len() < effective.teams()[*team].max_players as usize {
                    seats[*team].push(player);
                }
            }
            seats
        };
        let compat = Compat { partial_matches: flexmatch::compat::PartialMatches::Optimal, ..Compat::default() };
        let (some, all) = (seated(first.min(players.len())), seated(players.len()));
        let complete = effective.evaluate(&MatchView { teams: &all, complete: true }, &compat);
        let partial = effective.evaluate(&MatchView { teams: &some, complete: false }, &compat);
        for (partial, complete) in partial.iter().zip(&complete) {
            prop_assert_ne!(complete.verdict, Verdict::NotYet, "{}", complete.name);
            if partial.verdict == Verdict::Fail {
                prop_assert_eq!(complete.verdict, Verdict::Fail, "{}: {} then {}", complete.name, partial.numbers, complete.numbers);
            }
        }
        let again = effective.evaluate(&MatchView { teams: &all, complete: false }, &compat);
        for (open, complete) in again.iter().zip(&complete) {
            prop_assert_eq!(open.verdict == Verdict::Pass, complete.verdict == Verdict::Pass, "{}", open.name);
        }
    }
}

fn any_player(rule_set: &RuleSet, at: usize, party: u64, number: i32, pick: usize, latency: u32) -> Player {
    use flexmatch::AttributeType;
    const WORDS: [&str; 6] = ["a", "b", "surgeon", "League", "Siege", "p0"];
    let mut attributes = serde_json::Map::new();
    for (index, attribute) in rule_set.attributes().iter().enumerate() {
        let word = WORDS[(pick + index) % WORDS.len()];
        let value = match attribute.attribute_type {
            AttributeType::Number => json!(number),
            AttributeType::String => json!(word),
            AttributeType::StringList if pick == 0 => json!([]),
            AttributeType::StringList => json!([word, WORDS[pick % 3]]),
            AttributeType::StringNumberMap => json!({ word: number }),
        };
        attributes.insert(attribute.name.clone(), value);
    }
    player(
        rule_set,
        &format!("p{at}"),
        party,
        &attributes.into(),
        &[("us-east-1", latency), ("eu-west-1", 230 - latency)],
    )
}
