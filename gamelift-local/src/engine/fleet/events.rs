//! What has happened to a fleet: DescribeFleetEvents.

use std::collections::VecDeque;

use crate::{
    ApiError, Timestamp,
    engine::{
        Engine,
        page::{PAGE_SIZE_MAX, Page},
    },
    model::*,
};

/// Most events that a fleet remembers; then the oldest go. AWS keeps them for a while, and documents no number.
const FLEET_EVENTS_MAX: usize = 1_000;

#[derive(Debug, Default)]
pub(in crate::engine) struct FleetEvents {
    /// The newest first, each with its number.
    kept: VecDeque<(u64, FleetEvent)>,
    recorded: u64,
}

impl Engine {
    /// Describes what has happened to a fleet, the newest first.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or a time that ends before it starts; NotFound for an unknown fleet.
    pub fn describe_fleet_events(
        &mut self,
        _now: Timestamp,
        input: DescribeFleetEventsInput,
    ) -> Result<DescribeFleetEventsOutput, ApiError> {
        check::check(&input)?;
        let page = Page::new("DescribeFleetEvents", input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        let before = page.after_number()?.unwrap_or(u64::MAX);
        if let (Some(start), Some(end)) = (input.start_time, input.end_time)
            && end < start
        {
            return Err(ApiError::invalid("EndTime is before StartTime"));
        }
        let fleet = self.fleet(rule::required("fleetId", &input.fleet_id)?)?;
        let wanted = fleet.events.kept.iter().filter(|(number, event)| {
            *number < before
                && input.start_time.is_none_or(|start| event.event_time >= start)
                && input.end_time.is_none_or(|end| event.event_time < end)
        });
        let (events, next_token) = page.take(wanted, |(number, _)| number.to_string());
        let events = events.into_iter().map(|(_, event)| event.clone()).collect();
        Ok(DescribeFleetEventsOutput { events, next_token })
    }

    /// Records what has happened to a fleet.
    pub(in crate::engine) fn record(
        &mut self,
        now: Timestamp,
        fleet: &str,
        event_code: EventCode,
        message: String,
    ) {
        let event_id = self.ids.uuid().to_string();
        let Some(fleet) = self.fleets.get_mut(fleet) else { return };
        let resource_id = fleet.id.clone();
        let event = FleetEvent { event_id, resource_id, event_code, message, event_time: now, count: 1 };
        fleet.events.recorded += 1;
        fleet.events.kept.push_front((fleet.events.recorded, event));
        fleet.events.kept.truncate(FLEET_EVENTS_MAX);
    }

    /// A fleet has a new location.
    pub(in crate::engine) fn record_location(&mut self, now: Timestamp, fleet: &str, location: &str) {
        let created = format!("Location {location} of fleet {fleet} was created");
        self.record(now, fleet, EventCode::LocationStateCreated, created);
        let active = format!("Location {location} of fleet {fleet} changed state to ACTIVE");
        self.record(now, fleet, EventCode::LocationStateActive, active);
    }

    /// Something has happened to a server process.
    pub(in crate::engine) fn record_process(
        &mut self,
        now: Timestamp,
        key: crate::engine::process::ProcessKey,
        event_code: EventCode,
        what: &str,
    ) {
        let Some(process) = self.processes.get(&key) else { return };
        let (fleet, id, compute) = (process.fleet.clone(), &process.id, &process.compute);
        let message = format!("Server process {id} on compute {compute} {what}");
        self.record(now, &fleet, event_code, message);
    }
}
