//! Configurations.

use std::{ops::Bound, sync::Arc};

use flexmatch::{
    Matchmaker, RuleSet, Settings,
    matchmaker::{ACCEPTANCE_TIMEOUT_SECONDS_MAX, REQUEST_TIMEOUT_SECONDS_MAX},
};

use super::{MatchmakerKey, Running};
use crate::{
    ApiError, ErrorKind, Timestamp,
    engine::{Engine, game_session::check_game_properties, ids::resource_id, page::Page, tag::check_tags},
    model::*,
};

/// AWS quota "Matchmaking configurations per Region".
const CONFIGURATIONS_MAX: usize = 300;
/// Most configurations per page of DescribeMatchmakingConfigurations (AWS API reference).
const CONFIGURATIONS_PAGE_MAX: usize = 10;
/// Most matchmakers of a configuration that updates have replaced and that still know tickets. Then the oldest goes,
/// with the tickets that have ended.
const REPLACED_MAX: usize = 8;
/// How long players may think about a match, if the configuration does not say. AWS documents no value.
const ACCEPTANCE_TIMEOUT_SECONDS: u64 = 60;

#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) model: MatchmakingConfiguration,
    /// As it was before an update to STANDALONE took its queue away.
    before_standalone: Option<MatchmakingConfiguration>,
    /// Takes new tickets.
    pub(super) current: MatchmakerKey,
    /// Replaced by updates, oldest first.
    pub(super) replaced: Vec<MatchmakerKey>,
}

impl Configuration {
    /// What matches are placed with: the latest settings that had a queue. AWS says that an update affects all matches
    /// that are created after it (API reference, UpdateMatchmakingConfiguration), and not what becomes of tickets that
    /// asked for a game session when it takes the queue away; here they get it.
    pub(super) fn with_queue(&self) -> &MatchmakingConfiguration {
        self.before_standalone.as_ref().unwrap_or(&self.model)
    }
}

impl Engine {
    /// Creates a configuration.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, a name that is taken, or a field that does not go with the mode; NotFound for an
    /// unknown rule set or queue; LimitExceeded beyond 300 configurations.
    pub fn create_matchmaking_configuration(
        &mut self,
        now: Timestamp,
        input: MatchmakingConfigurationInput,
    ) -> Result<MatchmakingConfigurationOutput, ApiError> {
        check::check(&input)?;
        let name = rule::MATCHMAKING_ID.required("name", &input.name)?.to_owned();
        rule::required("requestTimeoutSeconds", &input.request_timeout_seconds)?;
        rule::required("acceptanceRequired", &input.acceptance_required)?;
        rule::required("ruleSetName", &input.rule_set_name)?;
        let blank = MatchmakingConfiguration {
            configuration_arn: self.settings.arn("matchmakingconfiguration", &name),
            name: name.clone(),
            game_session_queue_arns: Vec::new(),
            request_timeout_seconds: 0,
            acceptance_required: false,
            rule_set_name: String::new(),
            rule_set_arn: String::new(),
            creation_time: now,
            game_properties: Vec::new(),
            backfill_mode: BackfillMode::Manual,
            flex_match_mode: FlexMatchMode::WithQueue,
            description: None,
            acceptance_timeout_seconds: None,
            notification_target: None,
            additional_player_count: None,
            custom_event_data: None,
            game_session_data: None,
        };
        let tags = check_tags(input.tags.as_deref())?;
        let (model, rules) = self.configured(blank, input)?;
        if self.matchmaking.configurations.contains_key(&name) {
            return Err(ApiError::invalid(format!("Matchmaking configuration {name} already exists")));
        }
        if self.matchmaking.configurations.len() >= CONFIGURATIONS_MAX {
            let message = format!(
                "There are {CONFIGURATIONS_MAX} matchmaking configurations already, which is the limit"
            );
            return Err(ApiError::new(ErrorKind::LimitExceeded, message));
        }
        let seed = self.ids.uuid().as_u64_pair().0;
        let current = self.matchmaking.start(name.clone(), matchmaker(&model, rules, seed)?);
        let configuration =
            Configuration { model: model.clone(), before_standalone: None, current, replaced: Vec::new() };
        self.set_tags("matchmakingconfiguration", &name, tags);
        self.matchmaking.configurations.insert(name, configuration);
        Ok(MatchmakingConfigurationOutput { configuration: model })
    }

    /// Changes a configuration. A change of how matches are made is for tickets that follow; a change of the queue or
    /// of what game sessions are given is for all matches that follow, except that an update to STANDALONE leaves the
    /// queue to tickets from before.
    ///
    /// # Errors
    /// As for creating one, and NotFound for an unknown configuration. InvalidRequest also when eight earlier updates
    /// have left tickets that have not ended.
    pub fn update_matchmaking_configuration(
        &mut self,
        _now: Timestamp,
        input: MatchmakingConfigurationInput,
    ) -> Result<MatchmakingConfigurationOutput, ApiError> {
        check::check(&input)?;
        let name = rule::MATCHMAKING_CONFIGURATION_NAME.required("name", &input.name)?;
        let configuration = self.configuration(name)?;
        let (before, current) = (configuration.model.clone(), configuration.current);
        let name = before.name.clone();
        let (model, rules) = self.configured(before, input)?;
        let seed = self.ids.uuid().as_u64_pair().0;
        let next = matchmaker(&model, rules, seed)?;
        let replaces = self.matchmaking.matchmakers.get(&current).is_none_or(|running| {
            let before = running.matchmaker.settings();
            let same_rules = std::ptr::eq(running.matchmaker.rules(), next.rules());
            !same_rules || Settings { seed: before.seed, ..next.settings().clone() } != *before
        });
        if replaces {
            self.make_room(&name)?;
            let next = self.matchmaking.start(name.clone(), next);
            if let Some(configuration) = self.matchmaking.configurations.get_mut(&name) {
                configuration.replaced.push(std::mem::replace(&mut configuration.current, next));
            }
        }
        if let Some(configuration) = self.matchmaking.configurations.get_mut(&name) {
            let before = std::mem::replace(&mut configuration.model, model.clone());
            configuration.before_standalone = match (before.flex_match_mode, model.flex_match_mode) {
                (_, FlexMatchMode::WithQueue) => None,
                (FlexMatchMode::WithQueue, FlexMatchMode::Standalone) => Some(before),
                (FlexMatchMode::Standalone, _) => configuration.before_standalone.take(),
            };
        }
        Ok(MatchmakingConfigurationOutput { configuration: model })
    }

    /// Describes the configurations with the given names or the given rule set, or all.
    ///
    /// # Errors
    /// InvalidRequest for a bad name, limit or token. Unknown configurations are left out.
    pub fn describe_matchmaking_configurations(
        &mut self,
        _now: Timestamp,
        input: DescribeMatchmakingConfigurationsInput,
    ) -> Result<DescribeMatchmakingConfigurationsOutput, ApiError> {
        check::check(&input)?;
        const OPERATION: &str = "DescribeMatchmakingConfigurations";
        let page = Page::new(OPERATION, input.limit, &input.next_token, CONFIGURATIONS_PAGE_MAX)?;
        let rule_set = rule::MATCHMAKING_RULE_SET_NAME.optional("ruleSetName", &input.rule_set_name)?;
        let rule_set = rule_set.map(|name| resource_id("matchmakingruleset", name));
        let wanted = |model: &&MatchmakingConfiguration| {
            rule_set.is_none_or(|rule_set| model.rule_set_name == rule_set)
        };
        if let Some(names) = input.names.filter(|names| !names.is_empty()) {
            rule::size("names", &names, 1..=CONFIGURATIONS_MAX)?;
            let mut configurations = Vec::new();
            for name in &names {
                rule::MATCHMAKING_CONFIGURATION_NAME.check("names", name)?;
                let found = self.configuration(name).ok().map(|configuration| &configuration.model);
                configurations.extend(found.filter(wanted).cloned());
            }
            return Ok(DescribeMatchmakingConfigurationsOutput { configurations, next_token: None });
        }
        let start = page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let all = self.matchmaking.configurations.range::<str, _>((start, Bound::Unbounded));
        let all = all.map(|(_, configuration)| &configuration.model).filter(wanted);
        let (configurations, next_token) = page.take(all, |model| model.name.clone());
        let configurations = configurations.into_iter().cloned().collect();
        Ok(DescribeMatchmakingConfigurationsOutput { configurations, next_token })
    }

    /// Deletes a configuration, with its tickets that have ended.
    ///
    /// # Errors
    /// InvalidRequest for a bad name or one whose tickets have not ended; NotFound for an unknown one.
    pub fn delete_matchmaking_configuration(
        &mut self,
        _now: Timestamp,
        input: DeleteMatchmakingConfigurationInput,
    ) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let name = rule::MATCHMAKING_CONFIGURATION_NAME.required("name", &input.name)?;
        let configuration = self.configuration(name)?;
        let name = configuration.model.name.clone();
        let keys: Vec<_> = configuration.replaced.iter().copied().chain([configuration.current]).collect();
        let running = keys.iter().filter_map(|key| self.matchmaking.matchmakers.get(key));
        if running.into_iter().any(Running::is_busy) {
            return Err(ApiError::invalid(format!(
                "Matchmaking configuration {name} has tickets that have not ended; stop them first"
            )));
        }
        self.matchmaking.configurations.remove(&name);
        self.forget_tags("matchmakingconfiguration", &name);
        for key in keys {
            self.forget_matchmaker(key);
        }
        Ok(Empty {})
    }

    /// The configuration with this name or ARN.
    pub(super) fn configuration(&self, name_or_arn: &str) -> Result<&Configuration, ApiError> {
        let name = resource_id("matchmakingconfiguration", name_or_arn);
        let found = self.matchmaking.configurations.get(name);
        found.ok_or_else(|| ApiError::not_found(format!("Matchmaking configuration {name} not found")))
    }

    /// Puts what the input says over `model`, and checks everything about it.
    fn configured(
        &self,
        mut model: MatchmakingConfiguration,
        input: MatchmakingConfigurationInput,
    ) -> Result<(MatchmakingConfiguration, Arc<RuleSet>), ApiError> {
        rule::NON_ZERO_AND_MAX.optional("description", &input.description)?;
        rule::SNS_ARN.optional("notificationTarget", &input.notification_target)?;
        rule::MATCHMAKING_CUSTOM_EVENT_DATA.optional("customEventData", &input.custom_event_data)?;
        rule::MATCHED_GAME_SESSION_DATA.optional("gameSessionData", &input.game_session_data)?;
        let seconds = |field, value, max: u64| {
            rule::range(field, value, 1..=i64::try_from(max).unwrap_or(i64::MAX))?;
            Ok::<_, ApiError>(value.and_then(|value| u64::try_from(value).ok()))
        };
        let timeout =
            seconds("requestTimeoutSeconds", input.request_timeout_seconds, REQUEST_TIMEOUT_SECONDS_MAX)?;
        let acceptance = seconds(
            "acceptanceTimeoutSeconds",
            input.acceptance_timeout_seconds,
            ACCEPTANCE_TIMEOUT_SECONDS_MAX,
        )?;
        rule::range("additionalPlayerCount", input.additional_player_count, 0..=i64::from(i32::MAX))?;
        let additional = input.additional_player_count.and_then(|count| u32::try_from(count).ok());
        if let Some(mode) = &input.backfill_mode {
            model.backfill_mode =
                rule::one_of("backfillMode", mode, BackfillMode::NAMES, BackfillMode::parse)?;
        }
        if let Some(mode) = &input.flex_match_mode {
            model.flex_match_mode =
                rule::one_of("flexMatchMode", mode, FlexMatchMode::NAMES, FlexMatchMode::parse)?;
        }
        if let Some(name) = rule::MATCHMAKING_RULE_SET_NAME.optional("ruleSetName", &input.rule_set_name)? {
            let rule_set = &self.rule_set(name)?.model;
            model.rule_set_name.clone_from(&rule_set.rule_set_name);
            model.rule_set_arn.clone_from(&rule_set.rule_set_arn);
        }
        if let Some(properties) = input.game_properties {
            check_game_properties(&properties)?;
            model.game_properties = properties;
        }
        if let Some(queues) = input.game_session_queue_arns {
            queues.iter().try_for_each(|arn| rule::ARN.check("gameSessionQueueArns", arn))?;
            model.game_session_queue_arns = queues;
        }
        model.request_timeout_seconds = timeout.unwrap_or(model.request_timeout_seconds);
        model.acceptance_required = input.acceptance_required.unwrap_or(model.acceptance_required);
        model.acceptance_timeout_seconds = acceptance.or(model.acceptance_timeout_seconds);
        model.additional_player_count = additional.or(model.additional_player_count);
        model.description = input.description.or(model.description);
        model.notification_target = input.notification_target.or(model.notification_target);
        model.custom_event_data = input.custom_event_data.or(model.custom_event_data);
        model.game_session_data = input.game_session_data.or(model.game_session_data);
        self.check_mode(&model)?;
        let rules = self.rule_set(&model.rule_set_name)?.rules.clone();
        Ok((model, rules))
    }

    /// What goes with which mode (AWS API reference, CreateMatchmakingConfiguration).
    fn check_mode(&self, model: &MatchmakingConfiguration) -> Result<(), ApiError> {
        match (model.flex_match_mode, model.game_session_queue_arns.as_slice()) {
            (FlexMatchMode::WithQueue, [queue]) => self.queue(queue).map(|_| ()),
            (FlexMatchMode::WithQueue, queues) => Err(ApiError::invalid(format!(
                "GameSessionQueueArns has {} elements; FlexMatchMode WITH_QUEUE needs exactly one",
                queues.len()
            ))),
            (FlexMatchMode::Standalone, queues) => {
                let needs_queue = [
                    ("GameSessionQueueArns", !queues.is_empty()),
                    ("GameProperties", !model.game_properties.is_empty()),
                    ("GameSessionData", model.game_session_data.is_some()),
                ];
                match needs_queue.into_iter().find(|(_, given)| *given) {
                    Some((field, _)) => Err(ApiError::invalid(format!(
                        "{field} needs FlexMatchMode WITH_QUEUE: a STANDALONE matchmaker has no game sessions"
                    ))),
                    None => Ok(()),
                }
            }
        }
    }

    /// Forgets the oldest replaced matchmaker of a configuration if there are too many.
    fn make_room(&mut self, name: &str) -> Result<(), ApiError> {
        let Some(configuration) = self.matchmaking.configurations.get_mut(name) else { return Ok(()) };
        if configuration.replaced.len() < REPLACED_MAX {
            return Ok(());
        }
        let matchmakers = &self.matchmaking.matchmakers;
        let is_idle = |key: &MatchmakerKey| matchmakers.get(key).is_none_or(|running| !running.is_busy());
        let Some(oldest) = configuration.replaced.iter().position(is_idle) else {
            return Err(ApiError::invalid(format!(
                "Tickets from before each of the last {REPLACED_MAX} updates of {name} have not ended; update it later"
            )));
        };
        let oldest = configuration.replaced.remove(oldest);
        self.forget_matchmaker(oldest);
        Ok(())
    }
}

fn matchmaker(
    model: &MatchmakingConfiguration,
    rules: Arc<RuleSet>,
    seed: u64,
) -> Result<Matchmaker, ApiError> {
    let settings = Settings {
        configuration_arn: model.configuration_arn.clone(),
        request_timeout_seconds: model.request_timeout_seconds,
        acceptance_required: model.acceptance_required,
        acceptance_timeout_seconds: model.acceptance_timeout_seconds.unwrap_or(ACCEPTANCE_TIMEOUT_SECONDS),
        additional_player_count: model.additional_player_count.unwrap_or_default(),
        backfill_mode: match model.backfill_mode {
            BackfillMode::Automatic => flexmatch::matchmaker::BackfillMode::Automatic,
            BackfillMode::Manual => flexmatch::matchmaker::BackfillMode::Manual,
        },
        flex_match_mode: match model.flex_match_mode {
            FlexMatchMode::Standalone => flexmatch::matchmaker::FlexMatchMode::Standalone,
            FlexMatchMode::WithQueue => flexmatch::matchmaker::FlexMatchMode::WithQueue,
        },
        custom_event_data: model.custom_event_data.clone().filter(|data| !data.is_empty()),
        seed,
        ..Settings::default()
    };
    Matchmaker::new(rules, settings).map_err(|error| ApiError::invalid(error.to_string()))
}
