//! Which locations get a latency beacon.

use std::net::{IpAddr, SocketAddr};

use super::StartError;
use crate::{
    Beacon, Config,
    beacon::{self, Service},
    setup,
};

/// Opens a beacon for the default location, if there is one, and for every declared location that wants one.
pub(super) async fn bind(
    address: IpAddr,
    config: &Config,
    default_location: Option<&str>,
    seed: u64,
) -> Result<Vec<(Beacon, Service)>, StartError> {
    let default_location = default_location
        .map(|name| setup::Location { name: name.to_owned(), beacon: setup::Beacon::default() });
    let declared = config.setup.iter().flat_map(|setup| &setup.locations);
    let locations = default_location.iter().chain(declared).filter(|location| !location.beacon.disabled);
    let mut beacons = Vec::new();
    for (index, location) in locations.enumerate() {
        let failed = |source| StartError::Bind {
            flag: "--beacons",
            address: SocketAddr::new(address, location.beacon.port),
            source,
        };
        // Each with jitter of its own.
        let seed = seed.wrapping_add(index as u64);
        let bound = beacon::bind(address, location.name.clone(), &location.beacon, seed).await;
        beacons.push(bound.map_err(failed)?);
    }
    Ok(beacons)
}
