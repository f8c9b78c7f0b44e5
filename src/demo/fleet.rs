//! An Anywhere fleet over two locations with a compute in each, made with the AWS SDK as a team would, once.

use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::types::{ComputeType, LocationConfiguration};

use super::{DemoError, Narrator, missing};

/// The fleet's locations.
pub(super) const LOCATIONS: [&str; 2] = [EUROPE, AMERICA];
pub(super) const EUROPE: &str = "custom-europe";
pub(super) const AMERICA: &str = "custom-america";

pub(super) struct Fleet {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) computes: Vec<Compute>,
}

/// A host that server processes run on. Both are this machine.
pub(super) struct Compute {
    pub(super) name: String,
    pub(super) location: &'static str,
    pub(super) auth_token: String,
}

/// Locations, fleet, computes, tokens.
pub(super) async fn make(aws: &Client, narrator: &Narrator) -> Result<Fleet, DemoError> {
    for location in LOCATIONS {
        let created = aws.create_location().location_name(location).send().await;
        created.map_err(|error| DemoError::new("CreateLocation", error))?;
    }
    let locations = LOCATIONS.map(|name| LocationConfiguration::builder().location(name).build());
    let fleet = aws
        .create_fleet()
        .name("arena")
        .compute_type(ComputeType::Anywhere)
        .set_locations(Some(locations.to_vec()))
        .send()
        .await
        .map_err(|error| DemoError::new("CreateFleet", error))?;
    let attributes = fleet.fleet_attributes.ok_or_else(|| missing("CreateFleet", "FleetAttributes"))?;
    let id = attributes.fleet_id.ok_or_else(|| missing("CreateFleet", "FleetId"))?;
    let arn = attributes.fleet_arn.ok_or_else(|| missing("CreateFleet", "FleetArn"))?;
    narrator.fact("fleet", &id);
    let mut computes = Vec::new();
    for location in LOCATIONS {
        computes.push(register_compute(aws, &id, location).await?);
        narrator.fact("location", format!("{location}, with a compute"));
    }
    Ok(Fleet { id, arn, computes })
}

async fn register_compute(
    aws: &Client,
    fleet_id: &str,
    location: &'static str,
) -> Result<Compute, DemoError> {
    let name = location.replace("custom", "host");
    aws.register_compute()
        .fleet_id(fleet_id)
        .compute_name(&name)
        .location(location)
        .ip_address("127.0.0.1")
        .send()
        .await
        .map_err(|error| DemoError::new("RegisterCompute", error))?;
    let token = aws.get_compute_auth_token().fleet_id(fleet_id).compute_name(&name).send().await;
    let token = token.map_err(|error| DemoError::new("GetComputeAuthToken", error))?;
    let auth_token = token.auth_token.ok_or_else(|| missing("GetComputeAuthToken", "AuthToken"))?;
    Ok(Compute { name, location, auth_token })
}
