//! Aliases: where they lead, and who follows them.

use gamelift_local::{
    ApiError,
    ErrorKind::{InvalidRequest, LimitExceeded, NotFound, TerminalRoutingStrategy},
    model::*,
};
use serde_json::{Value, json};

use crate::bench::{Bench, LOCATION, input, kind};

impl Bench {
    fn try_alias(&mut self, strategy: Value) -> Result<Alias, ApiError> {
        let body = json!({ "Name": "arena", "RoutingStrategy": strategy });
        self.engine.create_alias(self.now, input(body)).map(|output| output.alias)
    }

    fn alias(&mut self, fleet: &str) -> Alias {
        self.try_alias(json!({ "Type": "SIMPLE", "FleetId": fleet })).unwrap()
    }

    fn redirect(&mut self, alias: &str, strategy: Value) -> Result<Alias, ApiError> {
        let body = json!({ "AliasId": alias, "RoutingStrategy": strategy });
        self.engine.update_alias(self.now, input(body)).map(|output| output.alias)
    }

    fn resolve(&mut self, alias: &str) -> Result<String, ApiError> {
        self.engine.resolve_alias(self.now, input(json!({ "AliasId": alias }))).map(|output| output.fleet_id)
    }
}

#[test]
fn an_alias_leads_to_its_fleet_by_id_and_by_arn() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let alias = bench.alias(&fleet);
    assert_eq!(alias.alias_arn, format!("arn:aws:gamelift:us-west-2::alias/{}", alias.alias_id));
    assert_eq!(bench.resolve(&alias.alias_id).unwrap(), fleet);
    assert_eq!(bench.resolve(&alias.alias_arn).unwrap(), fleet);
    let described = bench.engine.describe_alias(bench.now, input(json!({ "AliasId": alias.alias_arn })));
    assert_eq!(described.unwrap().alias, alias);
    assert_eq!(kind(bench.resolve("alias-none")), Some(NotFound));
}

#[test]
fn a_strategy_has_what_its_type_needs_and_loses_the_rest() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    for (strategy, text) in [
        (json!({}), "needs a Type"),
        (json!({ "Type": "SIMPLE" }), "needs a FleetId"),
        (json!({ "Type": "SIMPLE", "FleetId": "fleet-none" }), "fleet-none not found"),
        (json!({ "Type": "TERMINAL" }), "needs a Message"),
        (json!({ "Type": "TERMINAL", "FleetId": fleet, "Message": "" }), "needs a Message"),
    ] {
        let error = bench.try_alias(strategy).unwrap_err();
        assert_eq!(error.kind, InvalidRequest);
        assert!(error.message.contains(text), "{error}");
    }
    // Observed on AWS in July 2026: the fleet is dropped.
    let both = json!({ "Type": "TERMINAL", "FleetId": fleet, "Message": "Closed" });
    assert_eq!(bench.try_alias(both).unwrap().routing_strategy.fleet_id, None);
}

#[test]
fn game_sessions_are_created_described_and_searched_through_an_alias() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let alias = bench.alias(&fleet).alias_id;
    let connection = bench.ready("p");
    let session = bench.try_create(json!({ "FleetId": null, "AliasId": alias })).unwrap();
    assert_eq!(session.fleet_id, fleet);
    bench.ok(connection, "ActivateGameSession", json!({ "GameSessionId": session.game_session_id }));
    let body = json!({ "AliasId": alias });
    let described = bench.engine.describe_game_sessions(bench.now, input(body.clone())).unwrap();
    let searched = bench.engine.search_game_sessions(bench.now, input(body)).unwrap();
    assert_eq!((described.game_sessions.len(), searched.game_sessions.len()), (1, 1));
}

#[test]
fn a_terminal_alias_says_its_message_to_whoever_uses_it() {
    let mut bench = Bench::new();
    let alias = bench.try_alias(json!({ "Type": "TERMINAL", "Message": "Get version 2" })).unwrap().alias_id;
    let create = bench.try_create(json!({ "FleetId": null, "AliasId": alias })).map(drop);
    let resolve = bench.resolve(&alias).map(drop);
    let describe =
        bench.engine.describe_game_sessions(bench.now, input(json!({ "AliasId": alias }))).map(drop);
    let search = bench.engine.search_game_sessions(bench.now, input(json!({ "AliasId": alias }))).map(drop);
    for answer in [create, resolve, describe, search] {
        let error = answer.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (TerminalRoutingStrategy, "Get version 2"));
    }
}

#[test]
fn a_queue_follows_an_alias_to_wherever_it_leads_and_placements_that_wait_follow_too() {
    let mut bench = Bench::new();
    let alias = bench.try_alias(json!({ "Type": "TERMINAL", "Message": "Not yet" })).unwrap();
    let more = json!({ "Destinations": [{ "DestinationArn": alias.alias_arn }] });
    bench.try_queue("q", &[], more).unwrap();
    bench.ready("p");
    bench.place("one");
    assert_eq!(bench.placed_in("one"), None, "the alias leads nowhere");
    let fleet = bench.fleet.clone();
    bench.redirect(&alias.alias_id, json!({ "Type": "SIMPLE", "FleetId": fleet })).unwrap();
    assert_eq!(bench.placed_in("one").as_deref(), Some(LOCATION));
    let other = bench.add_fleet(None, &["custom-there"]);
    bench.ready_at(&other, "custom-there", "q");
    bench.redirect(&alias.alias_id, json!({ "Type": "SIMPLE", "FleetId": other })).unwrap();
    bench.place("two");
    assert_eq!(bench.placed_in("two").as_deref(), Some("custom-there"));
    bench.engine.delete_alias(bench.now, input(json!({ "AliasId": alias.alias_id }))).unwrap();
    bench.ready_at(&other, "custom-there", "r");
    bench.place("three");
    assert_eq!(bench.placed_in("three"), None, "the alias is gone");
}

#[test]
fn a_location_that_an_alias_brings_serves_placements_that_wait() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let alias = bench.alias(&fleet);
    bench.try_queue("q", &[], json!({ "Destinations": [{ "DestinationArn": alias.alias_arn }] })).unwrap();
    bench.place("one");
    bench.engine.create_location(bench.now, input(json!({ "LocationName": "custom-new" }))).unwrap();
    let body = json!({ "FleetId": fleet, "Locations": [{ "Location": "custom-new" }] });
    bench.engine.create_fleet_locations(bench.now, input(body)).unwrap();
    let body = json!({
        "FleetId": fleet, "ComputeName": "custom-new", "IpAddress": "10.0.0.3", "Location": "custom-new",
    });
    bench.engine.register_compute(bench.now, input(body)).unwrap();
    bench.ready_at(&fleet, "custom-new", "n");
    assert_eq!(bench.placed_in("one").as_deref(), Some("custom-new"));
}

#[test]
fn aliases_are_listed_by_name_and_kind_in_pages_and_there_are_a_hundred_at_most() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    bench.try_alias(json!({ "Type": "TERMINAL", "Message": "Closed" })).unwrap();
    for _ in 1..100 {
        bench.alias(&fleet);
    }
    let full = bench.try_alias(json!({ "Type": "SIMPLE", "FleetId": fleet }));
    assert_eq!(kind(full), Some(LimitExceeded));
    let mut list = |body: Value| {
        let output = bench.engine.list_aliases(bench.now, input(body)).unwrap();
        (output.aliases.len(), output.next_token)
    };
    assert_eq!(list(json!({ "RoutingStrategyType": "TERMINAL" })), (1, None));
    assert_eq!(list(json!({ "Name": "nobody" })), (0, None));
    let (first, token) = list(json!({ "RoutingStrategyType": "SIMPLE", "Limit": 60 }));
    let (second, end) =
        list(json!({ "RoutingStrategyType": "SIMPLE", "Limit": 60, "NextToken": token.unwrap() }));
    assert_eq!((first, second, end), (60, 39, None));
}

#[test]
fn an_update_changes_what_it_names_and_the_time() {
    let mut bench = Bench::new();
    let fleet = bench.fleet.clone();
    let before = bench.alias(&fleet);
    bench.wait_s(5);
    let body = json!({ "AliasId": before.alias_id, "Name": "moved", "Description": "d" });
    let after = bench.engine.update_alias(bench.now, input(body)).unwrap().alias;
    assert_eq!((after.name.as_str(), after.description.as_deref()), ("moved", Some("d")));
    assert_eq!(after.routing_strategy, before.routing_strategy);
    assert_eq!((after.creation_time, after.last_updated_time), (before.creation_time, bench.now));
}
