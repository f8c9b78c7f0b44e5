//! What is there without anybody asking: a location, a fleet, a compute and its token, a queue and a matchmaker.

use super::{Defaults, default_matchmaking};
use crate::{ApiError, clock::RunningClock, engine::Engine, model::*};

pub(super) fn create(engine: &mut Engine, clock: &RunningClock) -> Result<Defaults, ApiError> {
    let now = clock.now();
    let (location, compute_name) = ("custom-laptop".to_owned(), "laptop".to_owned());
    engine.create_location(now, CreateLocationInput { location_name: Some(location.clone()), tags: None })?;
    let configuration = LocationConfiguration { location: Some(location.clone()) };
    let fleet = engine.create_fleet(
        now,
        CreateFleetInput {
            name: Some("local".to_owned()),
            compute_type: Some("ANYWHERE".to_owned()),
            locations: Some(vec![configuration]),
            ..CreateFleetInput::default()
        },
    )?;
    let fleet_id = fleet.fleet_attributes.fleet_id;
    engine.register_compute(
        now,
        RegisterComputeInput {
            fleet_id: Some(fleet_id.clone()),
            compute_name: Some(compute_name.clone()),
            ip_address: Some("127.0.0.1".to_owned()),
            location: Some(location.clone()),
            ..RegisterComputeInput::default()
        },
    )?;
    let input = ComputeInput { fleet_id: Some(fleet_id.clone()), compute_name: Some(compute_name.clone()) };
    let token = engine.get_compute_auth_token(now, input)?;
    let auth_token = token.auth_token.as_str().to_owned();
    default_matchmaking::create(engine, now, &token.fleet_arn)?;
    Ok(Defaults { fleet_id, fleet_arn: token.fleet_arn, location, compute_name, auth_token })
}
