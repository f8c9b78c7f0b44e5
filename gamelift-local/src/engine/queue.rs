//! Game session queues: where placements may go, and in which order.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    time::Duration,
};

use super::{
    Engine,
    ids::resource_id,
    page::Page,
    placement::{PlacementKey, Policy, Rules, complete},
    tag::check_tags,
};
use crate::{ApiError, ErrorKind, Timestamp, model::*};

/// AWS quota "Queues per Region" (adjustable).
const QUEUES_MAX: usize = 100;
/// AWS quota "Destinations per queue" (adjustable).
const DESTINATIONS_MAX: usize = 10;
/// Most queues per page of DescribeGameSessionQueues (AWS API reference).
const QUEUES_PAGE_MAX: usize = 50;
/// Seconds a placement may take when nothing is said, and at most (AWS API reference, CreateGameSessionQueue).
const TIMEOUT_MAX: u32 = 600;

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) model: GameSessionQueue,
    pub(super) rules: Rules,
    /// What `model.destinations` names.
    targets: Vec<Target>,
    /// Its placements that are PENDING.
    pub(super) pending: BTreeSet<PlacementKey>,
}

/// One destination.
#[derive(Debug, Clone)]
enum Target {
    Fleet(String),
    /// Leads to whatever fleet it leads to when a placement looks for a place.
    Alias(String),
}

impl Queue {
    pub(super) fn has_alias(&self, id: &str) -> bool {
        self.targets.iter().any(|target| matches!(target, Target::Alias(alias) if alias == id))
    }
}

pub(super) type Queues = BTreeMap<String, Queue>;

impl Engine {
    /// Creates a queue.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, a name that is taken, or a destination that is no fleet; NotFound for an
    /// unknown fleet; LimitExceeded beyond 100 queues or 10 destinations.
    pub fn create_game_session_queue(
        &mut self,
        _now: Timestamp,
        input: CreateGameSessionQueueInput,
    ) -> Result<GameSessionQueueOutput, ApiError> {
        check::check(&input)?;
        let name = rule::required("name", &input.name)?;
        let tags = check_tags(input.tags.as_deref())?;
        if input.log_configuration.is_some() {
            return Err(no_logs("LogConfiguration"));
        }
        let model = GameSessionQueue {
            name: name.clone(),
            game_session_queue_arn: self.settings.arn("gamesessionqueue", name),
            timeout_in_seconds: timeout(input.timeout_in_seconds).unwrap_or(TIMEOUT_MAX),
            player_latency_policies: input.player_latency_policies.unwrap_or_default(),
            destinations: input.destinations.unwrap_or_default(),
            filter_configuration: input.filter_configuration,
            priority_configuration: input.priority_configuration,
            custom_event_data: input.custom_event_data,
            notification_target: input.notification_target,
        };
        if model.destinations.len() > DESTINATIONS_MAX {
            return Err(too_many_destinations(ErrorKind::LimitExceeded, &model));
        }
        let queue = self.queue_of(model, None)?;
        if self.queues.contains_key(name) {
            // AWS API reference: this operation has no Conflict.
            return Err(ApiError::invalid(format!("Game session queue {name} already exists")));
        }
        if self.queues.len() >= QUEUES_MAX {
            let message = format!("There are {QUEUES_MAX} game session queues already, which is the limit");
            return Err(ApiError::new(ErrorKind::LimitExceeded, message));
        }
        let output = GameSessionQueueOutput { game_session_queue: queue.model.clone() };
        self.queues.insert(name.clone(), queue);
        self.set_tags("gamesessionqueue", name, tags);
        Ok(output)
    }

    /// Changes a queue. Placements that wait are tried again under the new rules; their timeout stays.
    ///
    /// # Errors
    /// As for creating one, and NotFound for an unknown queue.
    pub fn update_game_session_queue(
        &mut self,
        now: Timestamp,
        input: UpdateGameSessionQueueInput,
    ) -> Result<GameSessionQueueOutput, ApiError> {
        check::check(&input)?;
        let name = rule::required("name", &input.name)?;
        let timeout = timeout(input.timeout_in_seconds);
        if input.add_log_delivery_destinations.is_some() || input.remove_log_delivery_destinations.is_some() {
            return Err(no_logs("AddLogDeliveryDestinations and RemoveLogDeliveryDestinations"));
        }
        let before = self.queue(name)?;
        let mut model = before.model.clone();
        // Destinations that are gone meanwhile are no reason to refuse a change of something else.
        let kept = input.destinations.is_none().then(|| before.targets.clone());
        model.timeout_in_seconds = timeout.unwrap_or(model.timeout_in_seconds);
        if let Some(policies) = input.player_latency_policies {
            model.player_latency_policies = policies;
        }
        if let Some(destinations) = input.destinations {
            model.destinations = destinations;
        }
        model.filter_configuration = input.filter_configuration.or(model.filter_configuration);
        model.priority_configuration = input.priority_configuration.or(model.priority_configuration);
        model.custom_event_data = input.custom_event_data.or(model.custom_event_data);
        model.notification_target = input.notification_target.or(model.notification_target);
        if model.destinations.len() > DESTINATIONS_MAX {
            // AWS API reference: this operation has no LimitExceeded.
            return Err(too_many_destinations(ErrorKind::InvalidRequest, &model));
        }
        let mut queue = self.queue_of(model, kept)?;
        let output = GameSessionQueueOutput { game_session_queue: queue.model.clone() };
        let name = queue.model.name.clone();
        queue.pending = self.queues.remove(&name).map(|before| before.pending).unwrap_or_default();
        let pending = queue.pending.clone();
        self.queues.insert(name, queue);
        for placement in pending {
            self.try_again(now, placement);
        }
        Ok(output)
    }

    /// Deletes a queue. Its pending placements fail.
    ///
    /// # Errors
    /// InvalidRequest for a bad name, NotFound for an unknown one.
    pub fn delete_game_session_queue(
        &mut self,
        now: Timestamp,
        input: DeleteGameSessionQueueInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let queue = self.queue(rule::required("name", &input.name)?)?;
        let (name, pending) = (queue.model.name.clone(), queue.pending.clone());
        for placement in pending {
            self.placement_failed(now, placement);
        }
        self.queues.remove(&name);
        self.forget_tags("gamesessionqueue", &name);
        // Game sessions that were ACTIVATING for it have ended, which may leave room for others.
        self.serve_lines(now);
        Ok(Empty {})
    }

    /// Describes the queues with the given names, or all.
    ///
    /// # Errors
    /// InvalidRequest for a bad name, limit or token. Unknown queues are left out.
    pub fn describe_game_session_queues(
        &mut self,
        _now: Timestamp,
        input: DescribeGameSessionQueuesInput,
    ) -> Result<DescribeGameSessionQueuesOutput, ApiError> {
        check::check(&input)?;
        let page = Page::new("DescribeGameSessionQueues", input.limit, &input.next_token, QUEUES_PAGE_MAX)?;
        if let Some(names) = input.names.filter(|names| !names.is_empty()) {
            let known = names.iter().filter_map(|name| self.queue(name).ok());
            let game_session_queues = known.map(|queue| queue.model.clone()).collect();
            return Ok(DescribeGameSessionQueuesOutput { game_session_queues, next_token: None });
        }
        let start = page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let all = self.queues.range::<str, _>((start, Bound::Unbounded)).map(|(_, queue)| &queue.model);
        let (queues, next_token) = page.take(all, |queue| queue.name.clone());
        let game_session_queues = queues.into_iter().cloned().collect();
        Ok(DescribeGameSessionQueuesOutput { game_session_queues, next_token })
    }

    /// The queue with this name or ARN.
    pub(super) fn queue(&self, name_or_arn: &str) -> Result<&Queue, ApiError> {
        let name = resource_id("gamesessionqueue", name_or_arn);
        let found = self.queues.get(name);
        found.ok_or_else(|| ApiError::not_found(format!("Game session queue {name} not found")))
    }

    /// Checks what a queue is made of, and reads its rules. Destinations are looked up unless they are `kept`.
    fn queue_of(&self, mut model: GameSessionQueue, kept: Option<Vec<Target>>) -> Result<Queue, ApiError> {
        let policies = policies(&mut model.player_latency_policies);
        // AWS API reference, UpdateGameSessionQueue: an empty structure removes the setting.
        model.filter_configuration.take_if(|filter| filter.allowed_locations.is_none());
        model.priority_configuration.take_if(|priority| *priority == PriorityConfiguration::default());
        let allowed_locations =
            model.filter_configuration.as_ref().and_then(|filter| filter.allowed_locations.clone());
        let (priorities, location_order) = priorities(model.priority_configuration.as_ref())?;
        let targets = match kept {
            Some(targets) => targets,
            None => model.destinations.iter().map(|it| self.destination(it)).collect::<Result<_, _>>()?,
        };
        let rules = Rules { policies, allowed_locations, priorities, location_order };
        Ok(Queue { model, rules, targets, pending: BTreeSet::new() })
    }

    /// The fleets of a queue's destinations, as the aliases among them lead now.
    pub(super) fn fleets_of(&self, queue: &Queue) -> Vec<String> {
        let lookup = |target: &Target| match target {
            Target::Fleet(id) => self.fleets.get(id),
            Target::Alias(id) => self.fleet_behind(id).ok(),
        };
        queue.targets.iter().filter_map(lookup).map(|fleet| fleet.id.clone()).collect()
    }

    /// Reads a destination.
    fn destination(&self, destination: &GameSessionQueueDestination) -> Result<Target, ApiError> {
        let arn = rule::required("destinations.destinationArn", &destination.destination_arn)?;
        let resource = arn.strip_prefix("arn:").and_then(|arn| arn.rsplit_once(':'));
        match resource.and_then(|(_, resource)| resource.split_once('/')) {
            Some(("fleet", id)) => self.fleet(id).map(|fleet| Target::Fleet(fleet.id.clone())),
            Some(("alias", id)) => self.alias(id).map(|alias| Target::Alias(alias.alias_id.clone())),
            _ => Err(ApiError::invalid(format!("Destination {arn} is not the ARN of a fleet or an alias"))),
        }
    }
}

fn timeout(seconds: Option<i64>) -> Option<u32> {
    seconds.and_then(|seconds| u32::try_from(seconds).ok())
}

/// Sorts policies as AWS returns them (AWS CLI reference, create-game-session-queue): the lowest cap first.
fn policies(given: &mut [PlayerLatencyPolicy]) -> Vec<Policy> {
    given.sort_by_key(|policy| policy.maximum_individual_player_latency_milliseconds);
    let policy = |policy: &PlayerLatencyPolicy| {
        let cap = policy.maximum_individual_player_latency_milliseconds.unwrap_or_default();
        let duration = policy.policy_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        Policy { cap_ms: cap as f64, duration: duration.map(Duration::from_secs) }
    };
    given.iter().map(policy).collect()
}

fn priorities(
    configuration: Option<&PriorityConfiguration>,
) -> Result<(Vec<PriorityType>, Vec<String>), ApiError> {
    const ORDER: &str = "priorityConfiguration.priorityOrder";
    let Some(configuration) = configuration else { return Ok((complete(&[]), Vec::new())) };
    let mut given = Vec::new();
    if let Some(names) = &configuration.priority_order {
        for name in names {
            let priority = rule::one_of(ORDER, name, PriorityType::NAMES, PriorityType::parse)?;
            if given.contains(&priority) {
                return Err(ApiError::invalid(format!("PriorityOrder has {name} twice")));
            }
            given.push(priority);
        }
    }
    if configuration.location_order.is_none() && given.contains(&PriorityType::Location) {
        return Err(ApiError::invalid("PriorityOrder has LOCATION, which needs a LocationOrder"));
    }
    Ok((complete(&given), configuration.location_order.clone().unwrap_or_default()))
}

fn too_many_destinations(kind: ErrorKind, model: &GameSessionQueue) -> ApiError {
    let count = model.destinations.len();
    ApiError::new(kind, format!("{count} destinations exceed the limit of {DESTINATIONS_MAX} per queue"))
}

fn no_logs(field: &str) -> ApiError {
    ApiError::invalid(format!("This local GameLift delivers no logs of queues; leave out {field}"))
}
