//! What a request may ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Location, Settings};
use crate::game_lift::Attribute;
use crate::problem::{Code, Problem};

/// Latencies in a request. AWS has fewer than 50 locations.
pub const LATENCIES_MAX: usize = 50;
/// Milliseconds that a latency may be. GameLift refuses 0, and ten seconds are not playable.
pub const LATENCY_MS_MAX: u32 = 10_000;
/// Players of a ticket besides the one who starts it: StartMatchmaking takes ten (API reference).
pub const PARTY_MAX: usize = 9;
/// Characters of an invite token. Ours have 32; a key of DynamoDB's may have 2,048 bytes, and more would be its error.
const INVITE_MAX: usize = 64;
/// Characters of a text attribute, and of each in a list (API reference, AttributeValue).
const TEXT_MAX: usize = 100;
/// Values of a list or a map (API reference, AttributeValue).
const VALUES_MAX: usize = 10;

fn bad(message: String) -> Problem {
    Problem::new(Code::BadRequest, message)
}

pub(super) fn configuration(settings: &Settings, asked: Option<String>) -> Result<String, Problem> {
    let Some(asked) = asked else {
        return Ok(settings.configuration.clone());
    };
    if asked == settings.configuration || settings.configurations.contains(&asked) {
        return Ok(asked);
    }
    Err(bad(format!("configuration: there is no {asked:?}; leave it out for {:?}", settings.configuration)))
}

pub(super) fn latencies(latencies: &BTreeMap<String, u32>) -> Result<(), Problem> {
    if latencies.len() > LATENCIES_MAX {
        return Err(bad(format!("latencies: at most {LATENCIES_MAX} locations, not {}", latencies.len())));
    }
    match latencies.iter().find(|(_, latency)| !(1..=LATENCY_MS_MAX).contains(*latency)) {
        None => Ok(()),
        Some((location, latency)) => {
            Err(bad(format!("latencies.{location:?}: 1 to {LATENCY_MS_MAX} milliseconds, not {latency}")))
        }
    }
}

/// Placement may fail for a location that there is no fleet in, so what is not known is refused.
pub(super) fn known(latencies: &BTreeMap<String, u32>, locations: &[Location]) -> Result<(), Problem> {
    let known: BTreeSet<&str> = locations.iter().map(|location| location.location.as_str()).collect();
    match latencies.keys().find(|location| !known.contains(location.as_str())) {
        None => Ok(()),
        Some(location) => {
            let message = format!("latencies.{location:?}: there is no such location; see /v1/locations");
            Err(Problem::new(Code::LatencyLocationUnknown, message)
                .with_details(json!({"location": location})))
        }
    }
}

pub(super) fn party(tokens: &[String]) -> Result<(), Problem> {
    if tokens.len() > PARTY_MAX {
        return Err(bad(format!("party: at most {PARTY_MAX} invites, not {}", tokens.len())));
    }
    if let Some(index) = tokens.iter().position(|token| token.is_empty() || token.len() > INVITE_MAX) {
        return Err(bad(format!("party[{index}]: an invite has 1 to {INVITE_MAX} characters")));
    }
    match (1..tokens.len()).find(|index| tokens[..*index].contains(&tokens[*index])) {
        None => Ok(()),
        Some(index) => Err(bad(format!("party[{index}]: the same invite twice"))),
    }
}

pub(super) fn seats(settings: &Settings, asked: Option<u16>, players: usize) -> Result<u16, Problem> {
    let most = settings.private_players;
    let seats = asked.unwrap_or(most);
    if seats == 0 || seats > most || usize::from(seats) < players {
        return Err(bad(format!("maxPlayers: {players} (the party) to {most} players, not {seats}")));
    }
    Ok(seats)
}

pub(super) fn attributes(
    settings: &Settings,
    asked: BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Attribute>, Problem> {
    let attribute = |(name, value): (String, Value)| {
        if !settings.attributes.contains(&name) {
            let allowed: Vec<&str> = settings.attributes.iter().map(String::as_str).collect();
            let allowed = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
            return Err(bad(format!(
                "attributes.{name:?}: clients may not send it; they may send {allowed}"
            )));
        }
        let rule = || {
            bad(format!(
                "attributes.{name:?}: a number, a string of 1 to {TEXT_MAX} characters, a list of 1 to {VALUES_MAX} such \
                 strings, or an object of 1 to {VALUES_MAX} numbers"
            ))
        };
        let value = read(value).ok_or_else(rule)?;
        Ok((name, value))
    };
    asked.into_iter().map(attribute).collect()
}

fn read(value: Value) -> Option<Attribute> {
    let text = |text: String| (1..=TEXT_MAX).contains(&text.chars().count()).then_some(text);
    match value {
        Value::Number(number) => number.as_f64().map(Attribute::Number),
        Value::String(value) => text(value).map(Attribute::Text),
        Value::Array(list) if (1..=VALUES_MAX).contains(&list.len()) => {
            let texts = list
                .into_iter()
                .map(|value| if let Value::String(value) = value { text(value) } else { None });
            texts.collect::<Option<_>>().map(Attribute::List)
        }
        Value::Object(map) if (1..=VALUES_MAX).contains(&map.len()) => {
            let numbers = map.into_iter().map(|(name, value)| Some((text(name)?, value.as_f64()?)));
            numbers.collect::<Option<_>>().map(Attribute::Map)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let attributes = ["mode", "ranks"].map(str::to_owned).into();
        Settings { attributes, private_players: 4, ..Settings::default() }
    }

    fn message<T: std::fmt::Debug>(result: Result<T, Problem>) -> String {
        result.unwrap_err().message
    }

    #[test]
    fn an_attribute_that_clients_may_not_send_is_refused_by_name() {
        let asked = |name: &str| attributes(&settings(), BTreeMap::from([(name.to_owned(), json!(1))]));
        assert!(asked("mode").is_ok());
        let message = message(asked("skill"));
        assert!(message.contains("\"skill\"") && message.contains("mode, ranks"), "{message}");
    }

    #[test]
    fn an_attribute_is_of_one_of_four_kinds_and_no_larger_than_gamelift_takes() {
        let long = "x".repeat(101);
        let many: Vec<String> = (0..11).map(|index| index.to_string()).collect();
        let good = [json!(1.5), json!("a"), json!(["a", "b"]), json!({"a": 1})];
        let bad = [
            json!(null),
            json!(true),
            json!(""),
            json!(long),
            json!([]),
            json!(many),
            json!([1]),
            json!({"a": "b"}),
        ];
        for value in good {
            assert!(read(value.clone()).is_some(), "{value}");
        }
        for value in bad {
            assert!(read(value.clone()).is_none(), "{value}");
        }
    }

    #[test]
    fn latencies_have_a_number_a_range_and_a_location_that_there_is() {
        let one = |latency: u32| latencies(&BTreeMap::from([("eu-west-1".to_owned(), latency)]));
        assert!(one(1).is_ok() && one(10_000).is_ok());
        assert!(message(one(0)).contains("not 0") && message(one(10_001)).contains("not 10001"));
        let many = (0..51).map(|index| (index.to_string(), 1)).collect();
        assert!(message(latencies(&many)).contains("not 51"));
        let locations = [Location { location: "eu-west-1".to_owned(), beacon: None }];
        let elsewhere = known(&BTreeMap::from([("mars-1".to_owned(), 1)]), &locations).unwrap_err();
        assert_eq!(elsewhere.code, Code::LatencyLocationUnknown);
        assert_eq!(elsewhere.details, Some(json!({"location": "mars-1"})));
    }

    #[test]
    fn a_party_has_at_most_ten_players_and_no_invite_twice() {
        let tokens = |count: usize| (0..count).map(|index| index.to_string()).collect::<Vec<_>>();
        assert!(party(&tokens(9)).is_ok());
        assert!(message(party(&tokens(10))).contains("not 10"));
        for (token, good) in [("", false), (&"x".repeat(64), true), (&"x".repeat(65), false)] {
            assert_eq!(party(&["a".to_owned(), token.to_owned()]).is_ok(), good, "{token}");
        }
        let twice = ["a", "b", "a"].map(str::to_owned);
        assert!(message(party(&twice)).contains("party[2]"));
    }

    #[test]
    fn a_private_session_has_a_seat_for_all_who_come() {
        assert_eq!(seats(&settings(), None, 3).unwrap(), 4);
        assert_eq!(seats(&settings(), Some(3), 3).unwrap(), 3);
        for (asked, players) in [(Some(5), 1), (Some(0), 1), (Some(2), 3), (None, 5)] {
            assert!(message(seats(&settings(), asked, players)).contains("maxPlayers"));
        }
    }

    #[test]
    fn only_configurations_of_the_settings_can_be_asked_for() {
        assert_eq!(configuration(&settings(), None).unwrap(), "default");
        assert!(message(configuration(&settings(), Some("other".to_owned()))).contains("\"other\""));
    }
}
