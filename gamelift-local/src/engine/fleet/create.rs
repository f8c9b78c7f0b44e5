//! CreateFleet.

use std::collections::BTreeMap;

use super::{
    FLEET_LOCATIONS_MAX, Fleet, FleetLocation, creators::Creators, events::FleetEvents,
    runtime::with_defaults,
};
use crate::{
    ApiError, ErrorKind, Timestamp,
    engine::{Engine, tag::check_tags},
    model::*,
};

/// AWS quota "Anywhere fleets per Region" (adjustable).
const FLEETS_MAX: usize = 30;

impl Engine {
    /// Creates an Anywhere fleet. It is ACTIVE at once.
    ///
    /// # Errors
    /// InvalidRequest for anything but an Anywhere fleet with one to ten existing custom locations; TaggingFailed for
    /// bad tags; LimitExceeded beyond 30 fleets.
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
        check::check(&input)?;
        let name = rule::required("name", &input.name)?;
        check_compute_type(&input)?;
        let Some(configurations) = &input.locations else {
            return Err(ApiError::invalid(
                "An ANYWHERE fleet needs Locations with at least one custom location",
            ));
        };
        let locations = self.check_fleet_locations(configurations)?;
        let tags = check_tags(input.tags.as_deref())?;
        let live = self.fleets.values().filter(|fleet| fleet.attributes.status != FleetStatus::Terminated);
        if live.count() >= FLEETS_MAX {
            return Err(ApiError::new(
                ErrorKind::LimitExceeded,
                format!("There are {FLEETS_MAX} Anywhere fleets already, which is the limit"),
            ));
        }
        let protection = input.new_game_session_protection_policy.as_deref();
        let protection =
            protection.and_then(ProtectionPolicy::parse).unwrap_or(ProtectionPolicy::NoProtection);

        let id = id.map_or_else(|| format!("fleet-{}", self.ids.uuid()), str::to_owned);
        let arn = self.settings.arn("fleet", &id);
        let attributes = FleetAttributes {
            fleet_id: id.clone(),
            fleet_arn: arn.clone(),
            name: name.to_owned(),
            creation_time: now,
            status: FleetStatus::Active,
            new_game_session_protection_policy: protection,
            metric_groups: input.metric_groups.unwrap_or_else(|| vec!["default".to_owned()]),
            certificate_configuration: CertificateConfiguration { certificate_type: "DISABLED" },
            compute_type: "ANYWHERE",
            description: input.description,
            anywhere_configuration: input.anywhere_configuration,
            resource_creation_limit_policy: input.resource_creation_limit_policy,
            termination_time: None,
        };
        let location_states = locations
            .iter()
            .map(|location| LocationState { location: location.clone(), status: FleetStatus::Active })
            .collect();
        let fleet = Fleet {
            id: id.clone(),
            arn,
            attributes: attributes.clone(),
            runtime: with_defaults(input.runtime_configuration.unwrap_or_default()),
            locations: locations.iter().map(|name| (name.clone(), FleetLocation::default())).collect(),
            computes: BTreeMap::new(),
            game_sessions: BTreeMap::new(),
            idempotency: BTreeMap::new(),
            events: FleetEvents::default(),
            creators: Creators::default(),
        };
        self.fleets.insert(id.clone(), fleet);
        self.set_tags("fleet", &id, tags);
        self.record(now, &id, EventCode::FleetCreated, format!("Fleet {id} was created"));
        for location in &locations {
            self.record_location(now, &id, location);
        }
        self.record(now, &id, EventCode::FleetStateActive, format!("Fleet {id} changed state to ACTIVE"));
        Ok(CreateFleetOutput { fleet_attributes: attributes, location_states })
    }

    /// Custom locations that exist, each once.
    pub(in crate::engine) fn check_fleet_locations(
        &self,
        configurations: &[LocationConfiguration],
    ) -> Result<Vec<String>, ApiError> {
        let mut locations = Vec::with_capacity(configurations.len());
        for configuration in configurations {
            let location = rule::required("locations.location", &configuration.location)?;
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
}

fn check_compute_type(input: &CreateFleetInput) -> Result<(), ApiError> {
    if input.compute_type.as_deref() != Some("ANYWHERE") {
        return Err(ApiError::invalid(
            "Only fleets with ComputeType ANYWHERE run on a local GameLift; the request asks for EC2, which is also the default",
        ));
    }
    let is_disabled = |value: Option<&str>| value.is_none_or(|value| value == "DISABLED");
    let certificate = input.certificate_configuration.as_ref();
    let certificate = certificate.and_then(|certificate| certificate.certificate_type.as_deref());
    let unusable = [
        ("BuildId", input.build_id.is_some()),
        ("ScriptId", input.script_id.is_some()),
        ("ServerLaunchPath", input.server_launch_path.is_some()),
        ("ServerLaunchParameters", input.server_launch_parameters.is_some()),
        ("LogPaths", input.log_paths.is_some()),
        ("EC2InstanceType", input.ec2_instance_type.is_some()),
        ("EC2InboundPermissions", input.ec2_inbound_permissions.is_some()),
        ("PeerVpcAwsAccountId", input.peer_vpc_aws_account_id.is_some()),
        ("PeerVpcId", input.peer_vpc_id.is_some()),
        ("FleetType", input.fleet_type.is_some()),
        ("InstanceRoleArn", input.instance_role_arn.is_some()),
        ("InstanceRoleCredentialsProvider", input.instance_role_credentials_provider.is_some()),
        ("CertificateConfiguration GENERATED", !is_disabled(certificate)),
        ("PlayerGatewayMode", !is_disabled(input.player_gateway_mode.as_deref())),
        ("PlayerGatewayConfiguration", input.player_gateway_configuration.is_some()),
    ];
    match unusable.iter().find(|(_, given)| *given) {
        Some((field, _)) => {
            Err(ApiError::invalid(format!("{field} cannot be used with ComputeType ANYWHERE")))
        }
        None => Ok(()),
    }
}
