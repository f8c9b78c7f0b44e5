//! Aliases.

use super::{Tag, answer, request, structure, wire_enum};
use crate::Timestamp;

wire_enum! {
    /// Where an alias leads.
    RoutingStrategyType {
        /// To a fleet.
        Simple = "SIMPLE",
        /// Nowhere: whoever uses it is given a message.
        Terminal = "TERMINAL",
    }
}

structure! {
    /// Where an alias leads.
    RoutingStrategy {
        /// `SIMPLE` or `TERMINAL`.
        r#type: String => optional OneOf(RoutingStrategyType::NAMES),
        /// Id of the fleet, for `SIMPLE`.
        fleet_id: String => optional FLEET_ID,
        /// What whoever uses it is told, for `TERMINAL`.
        message: String => optional Any,
    }
}

request! {
    /// Input of CreateAlias.
    CreateAliasInput {
        /// A label, which need not be unique. Required.
        name: String => required ALIAS_NAME,
        /// What it is for.
        description: String => optional NON_ZERO_AND_MAX,
        /// Where it leads. Required.
        routing_strategy: RoutingStrategy => required Nested,
        /// Labels, 200 at most.
        tags: Vec<Tag> => optional TAGS,
    }
}

request! {
    /// Input of UpdateAlias. Absent members stay as they are.
    UpdateAliasInput {
        /// Id or ARN of the alias. Required.
        alias_id: String => required ALIAS_ID_OR_ARN,
        /// A label.
        name: String => optional ALIAS_NAME,
        /// What it is for.
        description: String => optional NON_ZERO_AND_MAX,
        /// Where it leads from now on.
        routing_strategy: RoutingStrategy => optional Nested,
    }
}

request! {
    /// Input of DescribeAlias, ResolveAlias and DeleteAlias.
    AliasInput {
        /// Id or ARN of the alias. Required.
        alias_id: String => required ALIAS_ID_OR_ARN,
    }
}

request! {
    /// Input of ListAliases.
    ListAliasesInput {
        /// Only those that lead to a fleet, or nowhere.
        routing_strategy_type: String => optional OneOf(RoutingStrategyType::NAMES),
        /// Only those with this label.
        name: String => optional NON_EMPTY,
        /// Most aliases per page.
        limit: i64 => optional POSITIVE_INTEGER,
        /// Where the previous page ended.
        next_token: String => optional NON_EMPTY,
    }
}

answer! {
    /// Output of operations that answer with one alias.
    AliasOutput {
        /// The alias.
        alias: Alias,
    }
}

answer! {
    /// A name for a fleet, which can be given to another one.
    Alias {
        /// Its id, `alias-` and a UUID.
        alias_id: String,
        /// Its label.
        name: String,
        /// Its ARN, without the account id.
        alias_arn: String,
        /// Where it leads.
        routing_strategy: RoutingStrategy,
        /// When it was created.
        creation_time: Timestamp,
        /// When it was changed.
        last_updated_time: Timestamp,
        ; optional:
        /// What it is for.
        description: String,
    }
}

answer! {
    /// Output of ListAliases.
    ListAliasesOutput {
        /// One page.
        aliases: Vec<Alias>,
        ; optional:
        /// Present when more pages exist.
        next_token: String,
    }
}
