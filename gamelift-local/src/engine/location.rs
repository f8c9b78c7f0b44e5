//! Custom locations.

use std::{net::SocketAddr, ops::Bound};

use super::{Engine, ids::resource_id, page::Page, tag::check_tags};
use crate::{ApiError, ErrorKind, Timestamp, model::*};

/// AWS quota "Custom locations per Region" (adjustable).
const LOCATIONS_MAX: usize = 20;
/// Most locations per page of ListLocations (AWS API reference).
const LOCATIONS_PAGE_MAX: usize = 200;

#[derive(Debug)]
pub(super) struct CustomLocation {
    arn: String,
    ping_beacon: Option<PingBeacon>,
}

impl Engine {
    /// Creates a custom location, where Anywhere fleets can have computes.
    ///
    /// # Errors
    /// InvalidRequest for a bad name, Conflict for one that exists, TaggingFailed for bad tags, LimitExceeded beyond 20.
    pub fn create_location(
        &mut self,
        _now: Timestamp,
        input: CreateLocationInput,
    ) -> Result<CreateLocationOutput, ApiError> {
        check::check(&input)?;
        let name = rule::required("locationName", &input.location_name)?;
        let tags = check_tags(input.tags.as_deref())?;
        if self.locations.contains_key(name) {
            return Err(ApiError::new(ErrorKind::Conflict, format!("Location {name} already exists")));
        }
        if self.locations.len() >= LOCATIONS_MAX {
            return Err(ApiError::new(
                ErrorKind::LimitExceeded,
                format!("There are {LOCATIONS_MAX} custom locations already, which is the limit"),
            ));
        }
        let arn = self.settings.arn("location", name);
        self.locations.insert(name.to_owned(), CustomLocation { arn: arn.clone(), ping_beacon: None });
        self.set_tags("location", name, tags);
        let location = LocationModel { location_name: name.to_owned(), location_arn: arn, ping_beacon: None };
        Ok(CreateLocationOutput { location })
    }

    /// Says where a location's latency beacon is, for ListLocations. Without effect on an unknown location.
    pub fn set_ping_beacon(&mut self, location: &str, beacon: SocketAddr) {
        if let Some(location) = self.locations.get_mut(location) {
            let udp_endpoint = UdpEndpoint { domain: beacon.ip().to_string(), port: beacon.port() };
            location.ping_beacon = Some(PingBeacon { udp_endpoint });
        }
    }

    /// Deletes a custom location that no fleet uses.
    ///
    /// # Errors
    /// NotFound; InvalidRequest while a fleet has the location.
    pub fn delete_location(
        &mut self,
        _now: Timestamp,
        input: DeleteLocationInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let name = resource_id("location", rule::required("locationName", &input.location_name)?);
        if !self.locations.contains_key(name) {
            return Err(ApiError::not_found(format!("Location {name} not found")));
        }
        if let Some(fleet) = self.fleets.values().find(|fleet| fleet.locations.contains_key(name)) {
            return Err(ApiError::invalid(format!("Location {name} is in use by fleet {}", fleet.id)));
        }
        self.locations.remove(name);
        self.forget_tags("location", name);
        Ok(Empty {})
    }

    /// Lists locations. AWS Regions have no meaning here: only custom ones are listed.
    ///
    /// # Errors
    /// InvalidRequest for a bad filter, limit or token.
    pub fn list_locations(
        &mut self,
        _now: Timestamp,
        input: ListLocationsInput,
    ) -> Result<ListLocationsOutput, ApiError> {
        check::check(&input)?;
        let filters = input.filters.unwrap_or_default();
        let page = Page::new("ListLocations", input.limit, &input.next_token, LOCATIONS_PAGE_MAX)?;
        let custom = filters.is_empty() || filters.iter().any(|filter| filter == "CUSTOM");
        let start = page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let all = self.locations.range::<str, _>((start, Bound::Unbounded)).filter(|_| custom);
        let (page, next_token) = page.take(all, |(name, _)| (*name).clone());
        let locations = page
            .into_iter()
            .map(|(name, location)| LocationModel {
                location_name: name.clone(),
                location_arn: location.arn.clone(),
                ping_beacon: location.ping_beacon.clone(),
            })
            .collect();
        Ok(ListLocationsOutput { locations, next_token })
    }
}
