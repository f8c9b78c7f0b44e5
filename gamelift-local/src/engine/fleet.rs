//! Anywhere fleets.

mod create;
mod creators;
mod delete;
mod events;
mod runtime;
mod utilization;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use self::{creators::Creators, events::FleetEvents};
use super::{
    Engine,
    compute::Compute,
    game_session::GameSessionKey,
    ids::resource_id,
    page::{PAGE_SIZE_MAX, Page},
    placement::PlacementKey,
    process::ProcessKey,
    timers::TimerKey,
};
use crate::{ApiError, Timestamp, model::*};

/// AWS quota "Locations per fleet" (adjustable).
pub(super) const FLEET_LOCATIONS_MAX: usize = 10;

#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) attributes: FleetAttributes,
    /// Complete, defaults included.
    runtime: RuntimeConfiguration,
    pub(super) locations: BTreeMap<String, FleetLocation>,
    pub(super) computes: BTreeMap<String, Compute>,
    /// Its game sessions, by status: most queries ask for the few that are not over.
    pub(super) game_sessions: BTreeMap<GameSessionStatus, BTreeSet<GameSessionKey>>,
    /// Which game session an idempotency token made.
    pub(super) idempotency: BTreeMap<String, GameSessionKey>,
    events: FleetEvents,
    pub(super) creators: Creators,
}

#[derive(Debug, Default)]
pub(super) struct FleetLocation {
    /// Processes that can be given a game session now.
    pub(super) idle: BTreeSet<ProcessKey>,
    /// Placements that wait for one, and may use it.
    pub(super) line: BTreeSet<PlacementKey>,
    /// When it is over, if it is to go.
    pub(super) deleting: Option<TimerKey>,
}

impl FleetLocation {
    pub(super) fn status(&self) -> FleetStatus {
        if self.deleting.is_some() { FleetStatus::Deleting } else { FleetStatus::Active }
    }
}

impl Fleet {
    /// Whether a location takes new processes.
    pub(super) fn is_open(&self, location: &str) -> bool {
        self.locations.get(location).is_some_and(|location| location.deleting.is_none())
    }

    /// Locations that are not about to go.
    pub(super) fn open_locations(&self) -> Vec<&str> {
        let open = self.locations.iter().filter(|(_, location)| location.deleting.is_none());
        open.map(|(name, _)| name.as_str()).collect()
    }

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
    /// Describes the fleets with the given ids, or all.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, limit or token. Unknown fleets are left out.
    pub fn describe_fleet_attributes(
        &mut self,
        _now: Timestamp,
        input: DescribeFleetAttributesInput,
    ) -> Result<DescribeFleetAttributesOutput, ApiError> {
        check::check(&input)?;
        if let Some(ids) = input.fleet_ids {
            let known = ids.iter().filter_map(|id| self.fleet(id).ok());
            let fleet_attributes = known.map(|fleet| fleet.attributes.clone()).collect();
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
        check::check(&input)?;
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
