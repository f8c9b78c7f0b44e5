//! Aliases: names for fleets, which can be given to other fleets.

use std::{collections::BTreeMap, ops::Bound};

use super::{
    Engine,
    fleet::Fleet,
    ids::resource_id,
    page::{PAGE_SIZE_MAX, Page},
    placement::PlacementKey,
    tag::check_tags,
};
use crate::{ApiError, ErrorKind, Timestamp, model::*};

/// AWS quota "Aliases" (adjustable).
const ALIASES_MAX: usize = 100;

pub(super) type Aliases = BTreeMap<String, Alias>;

impl Engine {
    /// Creates an alias.
    ///
    /// # Errors
    /// InvalidRequest for a bad field, or an alias that leads to no existing fleet or has no message; TaggingFailed for
    /// bad tags; LimitExceeded beyond 100.
    pub fn create_alias(&mut self, now: Timestamp, input: CreateAliasInput) -> Result<AliasOutput, ApiError> {
        check::check(&input)?;
        let name = rule::required("name", &input.name)?.clone();
        let strategy = rule::required("routingStrategy", &input.routing_strategy)?;
        let routing_strategy = self.routing_strategy(strategy)?;
        let tags = check_tags(input.tags.as_deref())?;
        if self.aliases.len() >= ALIASES_MAX {
            let message = format!("There are {ALIASES_MAX} aliases already, which is the limit");
            return Err(ApiError::new(ErrorKind::LimitExceeded, message));
        }
        let alias_id = format!("alias-{}", self.ids.uuid());
        let alias = Alias {
            alias_arn: self.settings.alias_arn(&alias_id),
            alias_id: alias_id.clone(),
            name,
            routing_strategy,
            creation_time: now,
            last_updated_time: now,
            description: input.description,
        };
        self.set_tags("alias", &alias_id, tags);
        self.aliases.insert(alias_id, alias.clone());
        Ok(AliasOutput { alias })
    }

    /// Describes an alias.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, NotFound for an unknown one.
    pub fn describe_alias(&mut self, _now: Timestamp, input: AliasInput) -> Result<AliasOutput, ApiError> {
        check::check(&input)?;
        let alias = self.alias(rule::required("aliasId", &input.alias_id)?)?.clone();
        Ok(AliasOutput { alias })
    }

    /// Lists aliases.
    ///
    /// # Errors
    /// InvalidRequest for a bad filter, limit or token.
    pub fn list_aliases(
        &mut self,
        _now: Timestamp,
        input: ListAliasesInput,
    ) -> Result<ListAliasesOutput, ApiError> {
        check::check(&input)?;
        let page = Page::new("ListAliases", input.limit, &input.next_token, PAGE_SIZE_MAX)?;
        let start = page.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let all = self.aliases.range::<str, _>((start, Bound::Unbounded)).map(|(_, alias)| alias);
        let wanted = all.filter(|alias| {
            input.name.as_ref().is_none_or(|name| alias.name == *name)
                && input.routing_strategy_type.as_ref().is_none_or(|wanted| {
                    alias.routing_strategy.r#type.as_ref().is_some_and(|kind| kind == wanted)
                })
        });
        let (aliases, next_token) = page.take(wanted, |alias| alias.alias_id.clone());
        Ok(ListAliasesOutput { aliases: aliases.into_iter().cloned().collect(), next_token })
    }

    /// Tells which fleet an alias leads to.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, NotFound for an unknown alias or a fleet that is gone, TerminalRoutingStrategy with
    /// the alias's message if it leads nowhere.
    pub fn resolve_alias(&mut self, _now: Timestamp, input: AliasInput) -> Result<FleetOutput, ApiError> {
        check::check(&input)?;
        let fleet = self.fleet_behind(rule::required("aliasId", &input.alias_id)?)?;
        Ok(FleetOutput { fleet_id: fleet.id.clone(), fleet_arn: fleet.arn.clone() })
    }

    /// Changes an alias. Placements that wait in queues with it look for a place again.
    ///
    /// # Errors
    /// As for creating one, and NotFound for an unknown alias.
    pub fn update_alias(&mut self, now: Timestamp, input: UpdateAliasInput) -> Result<AliasOutput, ApiError> {
        check::check(&input)?;
        let id = self.alias(rule::required("aliasId", &input.alias_id)?)?.alias_id.clone();
        let strategy = input.routing_strategy.as_ref();
        let strategy = strategy.map(|strategy| self.routing_strategy(strategy)).transpose()?;
        let Some(alias) = self.aliases.get_mut(&id) else { return Err(not_found(&id)) };
        if let Some(name) = input.name {
            alias.name = name;
        }
        alias.description = input.description.or(alias.description.take());
        alias.routing_strategy = strategy.unwrap_or(std::mem::take(&mut alias.routing_strategy));
        alias.last_updated_time = now;
        let alias = alias.clone();
        self.alias_moved(now, &id);
        Ok(AliasOutput { alias })
    }

    /// Deletes an alias. Queues may go on naming it, without effect.
    ///
    /// # Errors
    /// InvalidRequest for a bad id, NotFound for an unknown one.
    pub fn delete_alias(&mut self, now: Timestamp, input: AliasInput) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let id = self.alias(rule::required("aliasId", &input.alias_id)?)?.alias_id.clone();
        self.aliases.remove(&id);
        self.forget_tags("alias", &id);
        self.alias_moved(now, &id);
        Ok(Empty {})
    }

    /// The alias with this id or ARN.
    pub(super) fn alias(&self, id_or_arn: &str) -> Result<&Alias, ApiError> {
        let id = resource_id("alias", id_or_arn);
        self.aliases.get(id).ok_or_else(|| not_found(id))
    }

    /// The fleet that an alias leads to.
    ///
    /// # Errors
    /// NotFound for an unknown alias or fleet, TerminalRoutingStrategy with the alias's message.
    pub(super) fn fleet_behind(&self, alias: &str) -> Result<&Fleet, ApiError> {
        let strategy = &self.alias(alias)?.routing_strategy;
        match &strategy.fleet_id {
            Some(fleet) => self.fleet(fleet),
            None => {
                let message = strategy.message.clone().unwrap_or_default();
                Err(ApiError::new(ErrorKind::TerminalRoutingStrategy, message))
            }
        }
    }

    /// Checks what belongs together in a strategy, and drops the rest, as AWS was observed to do.
    fn routing_strategy(&self, given: &RoutingStrategy) -> Result<RoutingStrategy, ApiError> {
        let kind = given.r#type.as_deref().and_then(RoutingStrategyType::parse);
        match (kind, &given.fleet_id, &given.message) {
            (None, _, _) => Err(ApiError::invalid("RoutingStrategy needs a Type: SIMPLE or TERMINAL")),
            (Some(RoutingStrategyType::Simple), Some(fleet), _) => {
                // AWS API reference: CreateAlias has no NotFound.
                let fleet = self.fleet_or_invalid(fleet)?;
                let (kind, fleet_id) = (given.r#type.clone(), Some(fleet.id.clone()));
                Ok(RoutingStrategy { r#type: kind, fleet_id, message: None })
            }
            (Some(RoutingStrategyType::Simple), None, _) => {
                Err(ApiError::invalid("A RoutingStrategy of Type SIMPLE needs a FleetId"))
            }
            (Some(RoutingStrategyType::Terminal), _, Some(message)) if !message.is_empty() => {
                let (kind, message) = (given.r#type.clone(), Some(message.clone()));
                Ok(RoutingStrategy { r#type: kind, fleet_id: None, message })
            }
            (Some(RoutingStrategyType::Terminal), _, _) => {
                Err(ApiError::invalid("A RoutingStrategy of Type TERMINAL needs a Message"))
            }
        }
    }

    /// An alias leads elsewhere.
    fn alias_moved(&mut self, now: Timestamp, id: &str) {
        let queues = self.queues.values().filter(|queue| queue.has_alias(id));
        let waiting: Vec<PlacementKey> = queues.flat_map(|queue| queue.pending.iter().copied()).collect();
        for placement in waiting {
            self.try_again(now, placement);
        }
    }
}

/// With the text that AWS was observed to use.
fn not_found(id: &str) -> ApiError {
    ApiError::not_found(format!("Alias ({id}) not found"))
}
