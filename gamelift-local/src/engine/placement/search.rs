//! The search itself: what is asked for, one pass over the sites, and standing in line.

use super::{PlacementKey, PlacementRequest, Site, State, candidates::Destination};
use crate::{
    ApiError, Timestamp,
    engine::{
        Engine, Timer,
        game_session::{NewGameSession, check_game_properties, slots},
        process::ProcessKey,
    },
    model::*,
};

/// AWS API reference, LocationOrderOverrideList.
const OVERRIDE_LOCATIONS_MAX: usize = 10;
/// Locations outside the list are out of the question.
pub(super) const NO_FALLBACK: &str = "NONE";
/// Locations outside the list follow behind it. A pass takes no time here, so they follow at once.
const FALLBACK: &str = "DEFAULT_AFTER_SINGLE_PASS";

/// Checks every member of a StartGameSessionPlacement request that can be checked without the queue.
pub(super) fn check(input: StartGameSessionPlacementInput) -> Result<PlacementRequest, ApiError> {
    let id = rule::ID_STRING.required("placementId", &input.placement_id)?.to_owned();
    let queue = rule::QUEUE_NAME_OR_ARN.required("gameSessionQueueName", &input.game_session_queue_name)?;
    let queue = queue.to_owned();
    let slots = slots(input.maximum_player_session_count)?;
    rule::NON_ZERO_AND_MAX.optional("gameSessionName", &input.game_session_name)?;
    rule::GAME_SESSION_DATA.optional("gameSessionData", &input.game_session_data)?;
    let game_properties = input.game_properties.unwrap_or_default();
    check_game_properties(&game_properties)?;
    let latencies = input.player_latencies.unwrap_or_default();
    latencies.iter().try_for_each(check_latency)?;
    let players = input.desired_player_sessions.unwrap_or_default();
    let players = players.into_iter().map(player).collect::<Result<Vec<_>, _>>()?;
    if players.len() > slots as usize {
        return Err(ApiError::invalid(format!(
            "DesiredPlayerSessions has {} players, MaximumPlayerSessionCount is {slots}",
            players.len()
        )));
    }
    if let Some(order) = &input.priority_configuration_override {
        check_override(order)?;
        if !latencies.is_empty() {
            return Err(ApiError::invalid(
                "PlayerLatencies and PriorityConfigurationOverride exclude each other; leave one out",
            ));
        }
    }
    Ok(PlacementRequest {
        id,
        queue,
        slots,
        name: input.game_session_name,
        game_properties,
        game_session_data: input.game_session_data,
        matchmaker_data: None,
        players,
        latencies,
        priority_override: input.priority_configuration_override,
    })
}

fn check_latency(latency: &PlayerLatency) -> Result<(), ApiError> {
    rule::PLAYER_ID.required("playerLatencies.playerId", &latency.player_id)?;
    rule::NON_ZERO_AND_MAX.required("playerLatencies.regionIdentifier", &latency.region_identifier)?;
    let field = "playerLatencies.latencyInMilliseconds";
    let milliseconds = *rule::required(field, &latency.latency_in_milliseconds)?;
    if !(milliseconds.is_finite() && milliseconds >= 0.0) {
        return Err(ApiError::invalid(format!(
            "Value {milliseconds} at '{field}' is not a number of milliseconds; it must be 0 or more"
        )));
    }
    Ok(())
}

fn player(player: DesiredPlayerSession) -> Result<(String, Option<String>), ApiError> {
    let id = rule::PLAYER_ID.required("desiredPlayerSessions.playerId", &player.player_id)?.to_owned();
    rule::PLAYER_DATA.optional("desiredPlayerSessions.playerData", &player.player_data)?;
    Ok((id, player.player_data))
}

fn check_override(order: &PriorityConfigurationOverride) -> Result<(), ApiError> {
    const FIELD: &str = "priorityConfigurationOverride.locationOrder";
    let locations = rule::required(FIELD, &order.location_order)?;
    rule::size(FIELD, locations, 1..=OVERRIDE_LOCATIONS_MAX)?;
    for (index, location) in locations.iter().enumerate() {
        rule::LOCATION.check(FIELD, location)?;
        if locations.iter().take(index).any(|before| before == location) {
            return Err(ApiError::invalid(format!("LocationOrder has {location} twice")));
        }
    }
    let names = [FALLBACK, NO_FALLBACK];
    let strategy = order.placement_fallback_strategy.as_deref().unwrap_or(FALLBACK);
    let known = |name: &str| names.contains(&name).then_some(());
    rule::one_of("priorityConfigurationOverride.placementFallbackStrategy", strategy, &names, known)
}

impl Engine {
    /// Looks for a free process: at once, or standing in line.
    pub(in crate::engine) fn try_again(&mut self, now: Timestamp, key: PlacementKey) {
        self.leave_lines(key);
        let Some(placement) = self.placements.all.get(&key) else { return };
        if !matches!(placement.state, State::Waiting { .. }) {
            return;
        }
        let Some(queue) = self.queues.get(&placement.model.game_session_queue_name) else { return };
        let waited = now.since(placement.model.start_time);
        let fleets = self.fleets_of(queue);
        let sites = queue.rules.candidates(&self.destinations(&fleets), &placement.demand, waited);
        if let Some(process) = sites.iter().find_map(|site| self.free_process(site)) {
            self.start_game_session(now, key, process);
            return;
        }
        let next_change = queue.rules.next_change(&placement.demand, waited);
        let next_change = next_change.map(|after| placement.model.start_time + after);
        let next_try = next_change.map(|at| self.timers.set(at, Timer::PlacementRetry(key)));
        for site in &sites {
            if let Some(location) = self.fleet_location_mut(&site.fleet, &site.location) {
                location.line.insert(key);
            }
        }
        if let Some(placement) = self.placements.all.get_mut(&key) {
            placement.state = State::Waiting { sites, next_try };
        }
    }

    /// Gives processes that have become free to placements, those first that have waited longest.
    pub(in crate::engine) fn serve_lines(&mut self, now: Timestamp) {
        while let Some(site) = self.placements.freed.pop_first() {
            while self.free_process(&site).is_some()
                && let Some(next) = self.first_in_line(&site)
            {
                self.try_again(now, next);
                if self.first_in_line(&site) == Some(next) {
                    // It is allowed here and a process is free, so it should have been placed.
                    tracing::error!(
                        location = site.location,
                        "a placement did not take the process it waited for"
                    );
                    break;
                }
            }
        }
    }

    /// The activation timeout has passed: the next process may do better.
    pub(in crate::engine) fn placement_returns(&mut self, now: Timestamp, key: PlacementKey) {
        if let Some(placement) = self.placements.all.get_mut(&key) {
            placement.state = State::Waiting { sites: Vec::new(), next_try: None };
            self.try_again(now, key);
        }
    }

    /// Takes a placement out of every line.
    pub(super) fn leave_lines(&mut self, key: PlacementKey) {
        let Some(placement) = self.placements.all.get_mut(&key) else { return };
        let State::Waiting { sites, next_try } = &mut placement.state else { return };
        let sites = std::mem::take(sites);
        self.timers.cancel(next_try.take());
        for site in sites {
            if let Some(location) = self.fleet_location_mut(&site.fleet, &site.location) {
                location.line.remove(&key);
            }
        }
    }

    fn start_game_session(&mut self, now: Timestamp, key: PlacementKey, process: ProcessKey) {
        let Some(placement) = self.placements.all.get(&key) else { return };
        let model = &placement.model;
        let new = NewGameSession {
            id: model.placement_id.clone(),
            slots: model.maximum_player_session_count,
            name: model.game_session_name.clone(),
            creator_id: None,
            game_properties: model.game_properties.clone(),
            game_session_data: model.game_session_data.clone(),
            matchmaker_data: model.matchmaker_data.clone(),
        };
        let (session, model) = match self.host_game_session(now, process, new, Some(key)) {
            Ok(hosted) => hosted,
            Err(error) => {
                tracing::warn!(%error, "a placement failed");
                self.placement_failed(now, key);
                return;
            }
        };
        let region = self.settings.region.clone();
        if let Some(placement) = self.placements.all.get_mut(&key) {
            placement.state = State::Activating(session);
            let shown = &mut placement.model;
            shown.game_session_id = Some(model.game_session_id.clone());
            shown.game_session_arn = Some(model.game_session_id);
            shown.game_session_region = Some(region);
            shown.ip_address = model.ip_address;
            shown.dns_name = model.dns_name;
            shown.port = Some(model.port);
            shown.player_gateway_status = Some("DISABLED");
        }
    }

    fn destinations<'a>(&'a self, fleets: &'a [String]) -> Vec<Destination<'a>> {
        let known = fleets.iter().filter_map(|id| self.fleets.get(id));
        known
            .map(|fleet| Destination {
                fleet: &fleet.id,
                cost: fleet.cost(),
                locations: fleet.open_locations(),
            })
            .collect()
    }

    fn free_process(&self, site: &Site) -> Option<ProcessKey> {
        self.fleets.get(&site.fleet)?.locations.get(&site.location)?.idle.first().copied()
    }

    fn first_in_line(&self, site: &Site) -> Option<PlacementKey> {
        self.fleets.get(&site.fleet)?.locations.get(&site.location)?.line.first().copied()
    }
}
