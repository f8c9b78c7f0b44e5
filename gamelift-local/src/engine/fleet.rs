//! Anywhere fleets.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    time::Duration,
};

use super::{
    Engine,
    compute::Compute,
    game_session::GameSessionKey,
    ids::resource_id,
    page::{PAGE_SIZE_MAX, Page},
    placement::PlacementKey,
    process::ProcessKey,
};
use crate::{ApiError, ErrorKind, Timestamp, model::*};

/// AWS quota "Anywhere fleets per Region" (adjustable).
const FLEETS_MAX: usize = 30;
/// AWS quota "Locations per fleet" (adjustable).
pub(super) const FLEET_LOCATIONS_MAX: usize = 10;
/// What DescribeRuntimeConfiguration shows when nothing special is set (AWS developer guide).
const ACTIVATION_TIMEOUT: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) id: String,
    pub(super) arn: String,
    attributes: FleetAttributes,
    pub(super) activation_timeout: Duration,
    pub(super) locations: BTreeMap<String, FleetLocation>,
    pub(super) computes: BTreeMap<String, Compute>,
    /// Its game sessions, by status: most queries ask for the few that are not over.
    pub(super) game_sessions: BTreeMap<GameSessionStatus, BTreeSet<GameSessionKey>>,
    /// Which game session an idempotency token made.
    pub(super) idempotency: BTreeMap<String, GameSessionKey>,
}

#[derive(Debug, Default)]
pub(super) struct FleetLocation {
    /// Processes that can be given a game session now.
    pub(super) idle: BTreeSet<ProcessKey>,
    /// Placements that wait for one, and may use it.
    pub(super) line: BTreeSet<PlacementKey>,
}

impl Fleet {
    /// What it costs, in hundred-thousandths: exact, unlike a floating-point number. Nothing, if nobody said.
    pub(super) fn cost(&self) -> u64 {
        let cost =
            self.attributes.anywhere_configuration.as_ref().and_then(|anywhere| anywhere.cost.as_deref());
        let (whole, fraction) = cost.map_or(("0", ""), |cost| cost.split_once('.').unwrap_or((cost, "")));
        // The pattern allows five digits on either side.
        format!("{whole}{fraction:0<5}").parse().unwrap_or(u64::MAX)
    }
}

impl Engine {
    /// Creates an Anywhere fleet. It is ACTIVE at once.
    ///
    /// # Errors
    /// InvalidRequest for anything but an Anywhere fleet with one to ten existing custom locations;
    /// LimitExceeded beyond 30 fleets.
    pub fn create_fleet(
        &mut self,
        now: Timestamp,
        input: CreateFleetInput,
    ) -> Result<CreateFleetOutput, ApiError> {
        self.make_fleet(now, None, input)
    }

    /// The same with a fixed id, for setups that scripts rely on. AWS has nothing like it.
    ///
    /// # Errors
    /// As without; InvalidRequest also for an id that is no fleet id or is taken.
    pub fn create_fleet_with_id(
        &mut self,
        now: Timestamp,
        id: &str,
        input: CreateFleetInput,
    ) -> Result<CreateFleetOutput, ApiError> {
        rule::FLEET_ID.check("fleetId", id)?;
        if self.fleets.contains_key(id) {
            return Err(ApiError::invalid(format!("Fleet {id} already exists")));
        }
        self.make_fleet(now, Some(id), input)
    }

    fn make_fleet(
        &mut self,
        now: Timestamp,
        id: Option<&str>,
        input: CreateFleetInput,
    ) -> Result<CreateFleetOutput, ApiError> {
        let name = rule::NON_ZERO_AND_MAX.required("name", &input.name)?;
        rule::NON_ZERO_AND_MAX.optional("description", &input.description)?;
        self.check_compute_type(&input)?;
        let Some(configurations) = &input.locations else {
            return Err(ApiError::invalid(
                "An ANYWHERE fleet needs Locations with at least one custom location",
            ));
        };
        let locations = self.check_fleet_locations(configurations)?;
        if let Some(anywhere) = &input.anywhere_configuration {
            rule::COST.required("anywhereConfiguration.cost", &anywhere.cost)?;
        }
        let metric_groups = input.metric_groups.unwrap_or_else(|| vec!["default".to_owned()]);
        rule::size("metricGroups", &metric_groups, 0..=1)?;
        metric_groups.iter().try_for_each(|group| rule::METRIC_GROUP.check("metricGroups", group))?;
        let protection =
            input.new_game_session_protection_policy.unwrap_or_else(|| "NoProtection".to_owned());
        let policies = ["NoProtection", "FullProtection"];
        let known = |name: &str| policies.contains(&name).then_some(());
        rule::one_of("newGameSessionProtectionPolicy", &protection, &policies, known)?;
        let activation_timeout = activation_timeout(input.runtime_configuration)?;
        if self.fleets.len() >= FLEETS_MAX {
            return Err(ApiError::new(
                ErrorKind::LimitExceeded,
                format!("There are {FLEETS_MAX} Anywhere fleets already, which is the limit"),
            ));
        }

        let id = id.map_or_else(|| format!("fleet-{}", self.ids.uuid()), str::to_owned);
        let arn = self.settings.arn("fleet", &id);
        let attributes = FleetAttributes {
            fleet_id: id.clone(),
            fleet_arn: arn.clone(),
            name: name.to_owned(),
            creation_time: now,
            status: FleetStatus::Active,
            new_game_session_protection_policy: protection,
            metric_groups,
            certificate_configuration: CertificateConfiguration { certificate_type: "DISABLED" },
            compute_type: "ANYWHERE",
            description: input.description.clone(),
            anywhere_configuration: input.anywhere_configuration.clone(),
        };
        let location_states = locations
            .iter()
            .map(|location| LocationState { location: location.clone(), status: FleetStatus::Active })
            .collect();
        let fleet = Fleet {
            id: id.clone(),
            arn,
            attributes: attributes.clone(),
            activation_timeout,
            locations: locations.into_iter().map(|location| (location, FleetLocation::default())).collect(),
            computes: BTreeMap::new(),
            game_sessions: BTreeMap::new(),
            idempotency: BTreeMap::new(),
        };
        self.fleets.insert(id, fleet);
        Ok(CreateFleetOutput { fleet_attributes: attributes, location_states })
    }

    fn check_compute_type(&self, input: &CreateFleetInput) -> Result<(), ApiError> {
        let compute_type = input.compute_type.as_deref().unwrap_or("EC2");
        let known = |name: &str| ["EC2", "ANYWHERE"].contains(&name).then_some(());
        rule::one_of("computeType", compute_type, &["EC2", "ANYWHERE"], known)?;
        if compute_type != "ANYWHERE" {
            return Err(ApiError::invalid(
                "Only fleets with ComputeType ANYWHERE run on a local GameLift; the request asks for EC2, which is also the default",
            ));
        }
        let unusable = [
            ("BuildId", input.build_id.is_some()),
            ("ScriptId", input.script_id.is_some()),
            ("EC2InstanceType", input.ec2_instance_type.is_some()),
        ];
        if let Some((field, _)) = unusable.iter().find(|(_, given)| *given) {
            return Err(ApiError::invalid(format!("{field} cannot be used with ComputeType ANYWHERE")));
        }
        if input.resource_creation_limit_policy.is_some() {
            return Err(ApiError::invalid(
                "This local GameLift does not enforce a ResourceCreationLimitPolicy; leave it out",
            ));
        }
        Ok(())
    }

    /// Custom locations that exist, each once.
    pub(super) fn check_fleet_locations(
        &self,
        configurations: &[LocationConfiguration],
    ) -> Result<Vec<String>, ApiError> {
        rule::size("locations", configurations, 1..=100)?;
        let mut locations = Vec::with_capacity(configurations.len());
        for configuration in configurations {
            let location = rule::LOCATION.required("locations.location", &configuration.location)?;
            if !location.starts_with("custom-") {
                return Err(ApiError::invalid(format!(
                    "Location {location} is not a custom location; an ANYWHERE fleet can only have custom locations"
                )));
            }
            if !self.locations.contains_key(location) {
                return Err(ApiError::invalid(format!(
                    "Location {location} does not exist; create it with CreateLocation"
                )));
            }
            if !locations.iter().any(|known| known == location) {
                locations.push(location.to_owned());
            }
        }
        if locations.len() > FLEET_LOCATIONS_MAX {
            return Err(ApiError::new(
                ErrorKind::LimitExceeded,
                format!("{} locations exceed the limit of {FLEET_LOCATIONS_MAX} per fleet", locations.len()),
            ));
        }
        Ok(locations)
    }

    /// Describes the fleets with the given ids, or all.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, limit or token. Unknown fleets are left out.
    pub fn describe_fleet_attributes(
        &mut self,
        _now: Timestamp,
        input: DescribeFleetAttributesInput,
    ) -> Result<DescribeFleetAttributesOutput, ApiError> {
        if let Some(ids) = input.fleet_ids.filter(|ids| !ids.is_empty()) {
            rule::size("fleetIds", &ids, 1..=PAGE_SIZE_MAX)?;
            let mut fleet_attributes = Vec::new();
            for id in &ids {
                rule::FLEET_ID_OR_ARN.check("fleetIds", id)?;
                fleet_attributes
                    .extend(self.fleets.get(resource_id("fleet", id)).map(|fleet| fleet.attributes.clone()));
            }
            return Ok(DescribeFleetAttributesOutput { fleet_attributes, next_token: None });
        }
        let page = Page::new("DescribeFleetAttributes", input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        let (fleets, next_token) = self.fleets_page(&page);
        let fleet_attributes = fleets.into_iter().map(|fleet| fleet.attributes.clone()).collect();
        Ok(DescribeFleetAttributesOutput { fleet_attributes, next_token })
    }

    /// Lists the ids of all fleets.
    ///
    /// # Errors
    /// InvalidRequest for a bad limit or token.
    pub fn list_fleets(
        &mut self,
        _now: Timestamp,
        input: ListFleetsInput,
    ) -> Result<ListFleetsOutput, ApiError> {
        let page = Page::new("ListFleets", input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        if input.build_id.is_some() || input.script_id.is_some() {
            // No Anywhere fleet has a build or a script.
            return Ok(ListFleetsOutput { fleet_ids: Vec::new(), next_token: None });
        }
        let (fleets, next_token) = self.fleets_page(&page);
        let fleet_ids = fleets.into_iter().map(|fleet| fleet.id.clone()).collect();
        Ok(ListFleetsOutput { fleet_ids, next_token })
    }

    fn fleets_page(&self, page: &Page) -> (Vec<&Fleet>, Option<String>) {
        let start = page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let all = self.fleets.range::<str, _>((start, Bound::Unbounded)).map(|(_, fleet)| fleet);
        page.take(all, |fleet| fleet.id.clone())
    }

    /// The fleet with this id or ARN.
    pub(super) fn fleet(&self, id_or_arn: &str) -> Result<&Fleet, ApiError> {
        let id = resource_id("fleet", id_or_arn);
        self.fleets.get(id).ok_or_else(|| ApiError::not_found(format!("Fleet {id} not found")))
    }

    /// The same, for operations whose error list has no NotFound (AWS API reference: RegisterCompute, ListCompute).
    pub(super) fn fleet_or_invalid(&self, id_or_arn: &str) -> Result<&Fleet, ApiError> {
        self.fleet(id_or_arn).map_err(|error| ApiError::invalid(error.message))
    }

    pub(super) fn fleet_location_mut(&mut self, fleet: &str, location: &str) -> Option<&mut FleetLocation> {
        self.fleets.get_mut(fleet)?.locations.get_mut(location)
    }
}

fn activation_timeout(configuration: Option<RuntimeConfiguration>) -> Result<Duration, ApiError> {
    let Some(configuration) = configuration else { return Ok(ACTIVATION_TIMEOUT) };
    if configuration.server_processes.is_some()
        || configuration.max_concurrent_game_session_activations.is_some()
    {
        return Err(ApiError::invalid(
            "In RuntimeConfiguration, a fleet without the GameLift Agent can only have GameSessionActivationTimeoutSeconds",
        ));
    }
    let seconds = configuration.game_session_activation_timeout_seconds;
    rule::range("runtimeConfiguration.gameSessionActivationTimeoutSeconds", seconds, 1..=600)?;
    Ok(seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map_or(ACTIVATION_TIMEOUT, Duration::from_secs))
}
