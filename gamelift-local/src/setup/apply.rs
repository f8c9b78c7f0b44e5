//! From a setup to resources, through the API's own operations.

mod matchmaking;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Beacon, Compute, Fleet, Queue, Setup, SetupError,
    error::{Place, nearest},
    read::read,
};
use crate::{ApiError, Defaults, Timestamp, engine::Engine, model::*};

/// Longest delay of an echo, and most jitter. A game with such latencies is no game; more is probably a wrong unit.
const BEACON_DELAY_MS_MAX: u32 = 5_000;
/// Where a compute without an address is.
const LOOPBACK: &str = "127.0.0.1";

/// Makes everything that a setup declares. Returns the first compute with its fleet, or else the first fleet with its
/// first location. `made` are the default resources, if there are any.
pub(crate) fn apply(
    engine: &mut Engine,
    now: Timestamp,
    setup: &Setup,
    made: Option<&Defaults>,
) -> Result<Option<Defaults>, SetupError> {
    let mut names = Names::default();
    if let Some(made) = made {
        names.locations.insert(made.location.clone());
        names.fleets.insert("local".to_owned(), made.fleet_arn.clone());
        names.rule_sets.insert("default".to_owned());
        names.queues.insert("default".to_owned());
    }
    let mut maker = Maker { engine, now, setup, names };
    maker.check_settings()?;
    maker.locations()?;
    let mut first: Option<Defaults> = None;
    for (index, fleet) in setup.fleets.iter().enumerate() {
        let made = maker.fleet(&format!("fleets[{index}]"), fleet)?;
        if first.as_ref().is_none_or(|first| first.compute_name.is_empty() && !made.compute_name.is_empty()) {
            first = Some(made);
        }
    }
    for (index, queue) in setup.queues.iter().enumerate() {
        maker.queue(&format!("queues[{index}]"), queue)?;
    }
    maker.matchmaking()?;
    Ok(first)
}

struct Maker<'a> {
    engine: &'a mut Engine,
    now: Timestamp,
    setup: &'a Setup,
    names: Names,
}

/// What can be referred to.
#[derive(Default)]
struct Names {
    locations: BTreeSet<String>,
    /// With their ARNs.
    fleets: BTreeMap<String, String>,
    queues: BTreeSet<String>,
    rule_sets: BTreeSet<String>,
}

impl Maker<'_> {
    /// What no operation checks.
    fn check_settings(&self) -> Result<(), SetupError> {
        let is_region = |region: &str| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            !region.is_empty() && region.bytes().all(plain)
        };
        let is_account = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        let setup = self.setup;
        let wrong = |member: &str, rule: String| {
            Err(SetupError::Invalid { place: self.place(member), message: rule })
        };
        if let Some(region) = setup.region.as_ref().filter(|region| !is_region(region)) {
            let rule = format!("{region:?} is no AWS Region: lower-case letters, digits and hyphens");
            return wrong("region", rule);
        }
        if let Some(id) = setup.account_id.as_ref().filter(|id| !is_account(id)) {
            return wrong("account_id", format!("{id:?} is no AWS account id, which has 12 digits"));
        }
        if setup.token_ttl_seconds == Some(0) {
            return wrong(
                "token_ttl_seconds",
                "0 is too short for a token's life; the least is 1".to_owned(),
            );
        }
        for (index, location) in setup.locations.iter().enumerate() {
            let Beacon { latency_ms, jitter_ms, .. } = location.beacon;
            for (member, value) in [("latency_ms", latency_ms), ("jitter_ms", jitter_ms)] {
                if value > BEACON_DELAY_MS_MAX {
                    let rule = format!("{value} is too much; the most is {BEACON_DELAY_MS_MAX}");
                    return wrong(&format!("locations[{index}].beacon.{member}"), rule);
                }
            }
        }
        Ok(())
    }

    fn locations(&mut self) -> Result<(), SetupError> {
        for (index, location) in self.setup.locations.iter().enumerate() {
            let input = CreateLocationInput { location_name: Some(location.name.clone()), tags: None };
            let made = self.engine.create_location(self.now, input);
            self.checked(format!("locations[{index}]"), made)?;
            self.names.locations.insert(location.name.clone());
        }
        Ok(())
    }

    fn fleet(&mut self, at: &str, fleet: &Fleet) -> Result<Defaults, SetupError> {
        if self.names.fleets.contains_key(&fleet.name) {
            let message =
                format!("there is a fleet {:?} already; queues could not tell them apart", fleet.name);
            return Err(SetupError::Invalid { place: self.place(format!("{at}.name")), message });
        }
        for (index, location) in fleet.locations.iter().enumerate() {
            let place = || format!("{at}.locations[{index}]");
            self.known("location", location, &self.names.locations, place)?;
        }
        let locations = fleet.locations.iter();
        let locations =
            locations.map(|name| LocationConfiguration { location: Some(name.clone()) }).collect();
        let input = CreateFleetInput {
            name: Some(fleet.name.clone()),
            description: fleet.description.clone(),
            compute_type: Some("ANYWHERE".to_owned()),
            locations: Some(locations),
            anywhere_configuration: fleet
                .cost
                .is_some()
                .then(|| AnywhereConfiguration { cost: fleet.cost.clone() }),
            runtime_configuration: fleet.game_session_activation_timeout_seconds.map(|seconds| {
                RuntimeConfiguration {
                    game_session_activation_timeout_seconds: Some(seconds),
                    ..RuntimeConfiguration::default()
                }
            }),
            ..CreateFleetInput::default()
        };
        let made = match &fleet.id {
            Some(id) => self.engine.create_fleet_with_id(self.now, id, input),
            None => self.engine.create_fleet(self.now, input),
        };
        let made = self.checked(at.to_owned(), made)?.fleet_attributes;
        self.names.fleets.insert(fleet.name.clone(), made.fleet_arn.clone());
        let mut first = None;
        for (index, compute) in fleet.computes.iter().enumerate() {
            let token = self.compute(&format!("{at}.computes[{index}]"), fleet, &made.fleet_id, compute)?;
            first.get_or_insert((compute, token));
        }
        let defaults = Defaults {
            fleet_id: made.fleet_id,
            fleet_arn: made.fleet_arn,
            location: fleet.locations.first().cloned().unwrap_or_default(),
            ..Defaults::default()
        };
        Ok(match first {
            None => defaults,
            Some((compute, auth_token)) => Defaults {
                location: compute.location.clone(),
                compute_name: compute.name.clone(),
                auth_token,
                ..defaults
            },
        })
    }

    /// Returns the compute's auth token.
    fn compute(
        &mut self,
        at: &str,
        fleet: &Fleet,
        fleet_id: &str,
        compute: &Compute,
    ) -> Result<String, SetupError> {
        let locations = fleet.locations.iter().cloned().collect();
        let kind = "location of this fleet";
        self.known(kind, &compute.location, &locations, || format!("{at}.location"))?;
        let ip_address = compute.ip_address.clone();
        let input = RegisterComputeInput {
            fleet_id: Some(fleet_id.to_owned()),
            compute_name: Some(compute.name.clone()),
            location: Some(compute.location.clone()),
            ip_address: ip_address.or_else(|| compute.dns_name.is_none().then(|| LOOPBACK.to_owned())),
            dns_name: compute.dns_name.clone(),
            certificate_path: compute.certificate_path.clone(),
        };
        let made = self.engine.register_compute(self.now, input);
        self.checked(at.to_owned(), made)?;
        let input =
            || ComputeInput { fleet_id: Some(fleet_id.to_owned()), compute_name: Some(compute.name.clone()) };
        if let Some(token) = &compute.auth_token {
            let fixed = self.engine.fix_compute_auth_token(self.now, input(), token);
            self.checked(format!("{at}.auth_token"), fixed)?;
        }
        let token = self.engine.get_compute_auth_token(self.now, input());
        Ok(self.checked(at.to_owned(), token)?.auth_token.as_str().to_owned())
    }

    fn queue(&mut self, at: &str, queue: &Queue) -> Result<(), SetupError> {
        let mut destinations = Vec::with_capacity(queue.destinations.len());
        for (index, name) in queue.destinations.iter().enumerate() {
            let Some(arn) = self.names.fleets.get(name) else {
                let candidates = self.names.fleets.keys();
                return Err(self.unknown("fleet", name, candidates, format!("{at}.destinations[{index}]")));
            };
            destinations.push(GameSessionQueueDestination { destination_arn: Some(arn.clone()) });
        }
        let filter = queue.filter_configuration.as_ref().map(|filter| filter.allowed_locations.as_slice());
        let priority = queue.priority_configuration.as_ref();
        let order = priority.and_then(|priority| priority.location_order.as_deref());
        for (member, locations) in [
            ("filter_configuration.allowed_locations", filter),
            ("priority_configuration.location_order", order),
        ] {
            for (index, location) in locations.into_iter().flatten().enumerate() {
                let place = || format!("{at}.{member}[{index}]");
                self.known("location", location, &self.names.locations, place)?;
            }
        }
        let policies = queue.player_latency_policies.iter().map(|policy| PlayerLatencyPolicy {
            maximum_individual_player_latency_milliseconds: Some(
                policy.maximum_individual_player_latency_milliseconds,
            ),
            policy_duration_seconds: policy.policy_duration_seconds,
        });
        let input = CreateGameSessionQueueInput {
            name: Some(queue.name.clone()),
            timeout_in_seconds: queue.timeout_in_seconds,
            player_latency_policies: Some(policies.collect()),
            destinations: Some(destinations),
            filter_configuration: filter
                .map(|locations| FilterConfiguration { allowed_locations: Some(locations.to_vec()) }),
            priority_configuration: priority.map(|priority| PriorityConfiguration {
                priority_order: priority.priority_order.clone(),
                location_order: priority.location_order.clone(),
            }),
            custom_event_data: queue.custom_event_data.clone(),
            notification_target: queue.notification_target.clone(),
            ..CreateGameSessionQueueInput::default()
        };
        let made = self.engine.create_game_session_queue(self.now, input);
        self.checked(at.to_owned(), made)?;
        self.names.queues.insert(queue.name.clone());
        Ok(())
    }

    fn place(&self, member: impl Into<String>) -> Place {
        Place::new(self.setup, member)
    }

    fn checked<T>(&self, member: String, result: Result<T, ApiError>) -> Result<T, SetupError> {
        result.map_err(|source| SetupError::Refused { place: self.place(member), source })
    }

    fn known(
        &self,
        kind: &'static str,
        name: &str,
        names: &BTreeSet<String>,
        member: impl FnOnce() -> String,
    ) -> Result<(), SetupError> {
        if names.contains(name) { Ok(()) } else { Err(self.unknown(kind, name, names, member())) }
    }

    fn unknown<'a>(
        &self,
        kind: &'static str,
        name: &str,
        names: impl IntoIterator<Item = &'a String>,
        member: String,
    ) -> SetupError {
        let nearest = nearest(name, names.into_iter().map(String::as_str));
        SetupError::Unknown { place: self.place(member), kind, name: name.to_owned(), nearest }
    }
}
