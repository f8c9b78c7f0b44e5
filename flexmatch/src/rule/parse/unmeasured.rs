//! Rules without measurements: latency, batchDistance, the sort rules and compound.

use super::Reader;
use crate::player::AttributeType;
use crate::rule::statement;
use crate::rule::{
    BatchDistance, Compound, Latency, LatencyReference, MapKey, Sort, SortDirection, SortKind,
};
use crate::rule_set::fields;

impl Reader<'_, '_> {
    pub(super) fn latency(&mut self) -> Option<Latency> {
        let max_latency = self.limit("maxLatency");
        let max_distance = self.limit("maxDistance");
        let distance_reference = self.choice(
            "distanceReference",
            &[("min", LatencyReference::Min), ("avg", LatencyReference::Average)],
        );
        let party_aggregation = self.party_aggregation();
        if max_latency.is_none() && max_distance.is_none() {
            let message = "a latency rule needs `maxLatency` or `maxDistance`".to_owned();
            self.report.error(
                self.fields.opening(),
                "missing-key",
                message,
                Some("add \"maxLatency\"".to_owned()),
            );
            return None;
        }
        if max_distance.is_none() && self.fields.get("distanceReference").is_some() {
            let message = "`distanceReference` does nothing without `maxDistance`".to_owned();
            self.report.warn(self.fields.key_span("distanceReference"), "unused-key", message, None);
        }
        Some(Latency {
            max_latency: max_latency.flatten(),
            max_distance: max_distance.flatten(),
            distance_reference: distance_reference?,
            party_aggregation: party_aggregation?,
        })
    }

    pub(super) fn batch_distance(&mut self) -> Option<BatchDistance> {
        let attribute = self.attribute("batchAttribute", "a batchDistance rule");
        let max_distance = self.limit("maxDistance");
        let party_aggregation = self.party_aggregation();
        let attribute = attribute?;
        match self.earlier.names.attributes[attribute].attribute_type {
            AttributeType::Number if max_distance.is_none() => {
                self.fields.require("maxDistance", "a batchDistance rule on a number attribute", self.report);
                return None;
            }
            AttributeType::String if max_distance.is_some() => {
                let message = "`maxDistance` does nothing here: strings must be equal".to_owned();
                self.report.warn(self.fields.key_span("maxDistance"), "unused-key", message, None);
                return Some(BatchDistance {
                    attribute,
                    max_distance: None,
                    party_aggregation: party_aggregation?,
                });
            }
            AttributeType::Number | AttributeType::String => {}
            other => {
                let message =
                    format!("a batchDistance rule takes a number or a string attribute, not a {other}");
                self.report.error(self.fields.key_span("batchAttribute"), "attribute-type", message, None);
                return None;
            }
        }
        let max_distance = max_distance.flatten();
        Some(BatchDistance { attribute, max_distance, party_aggregation: party_aggregation? })
    }

    pub(super) fn sort(&mut self, kind: SortKind) -> Option<Sort> {
        const DIRECTIONS: [(&str, SortDirection); 2] =
            [("ascending", SortDirection::Ascending), ("descending", SortDirection::Descending)];
        const KEYS: [(&str, Option<MapKey>); 2] =
            [("minValue", Some(MapKey::MinValue)), ("maxValue", Some(MapKey::MaxValue))];
        let attribute = self.attribute("sortAttribute", "a sort rule");
        let direction = self.fields.require("sortDirection", "a sort rule", self.report);
        let direction =
            direction.and_then(|node| fields::choice(node, "`sortDirection`", &DIRECTIONS, self.report));
        let map_key = self.choice("mapKey", &KEYS);
        let party_aggregation = self.party_aggregation();
        let (attribute, map_key) = (attribute?, map_key?);
        match self.earlier.names.attributes[attribute].attribute_type {
            AttributeType::Number if map_key.is_some() => {
                let message = "`mapKey` does nothing: the attribute is no map".to_owned();
                self.report.warn(self.fields.key_span("mapKey"), "unused-key", message, None);
            }
            AttributeType::Number => {}
            AttributeType::StringNumberMap if map_key.is_none() => {
                self.fields.require("mapKey", "a sort rule on a map attribute", self.report);
                return None;
            }
            AttributeType::StringNumberMap => {}
            other => {
                let message =
                    format!("a sort rule takes a number or a string_number_map attribute, not a {other}");
                self.report.error(self.fields.key_span("sortAttribute"), "attribute-type", message, None);
                return None;
            }
        }
        Some(Sort { kind, direction: direction?, attribute, map_key, party_aggregation: party_aggregation? })
    }

    pub(super) fn compound(&mut self, index: usize) -> Option<Compound> {
        let node = self.fields.require("statement", "a compound rule", self.report)?;
        let text = fields::string(node, "`statement`", self.report)?;
        let (statement, found) = statement::parse(text, index, self.earlier);
        self.located(node, found);
        Some(Compound { statement: statement? })
    }
}
