//! Rules that measure: comparison, distance and collection.

use super::Reader;
use crate::compat::DistanceReferenceList;
use crate::expr::Leaf;
use crate::rule::{Collection, CollectionOperation, Comparison, Distance, Operation, PartyLists, Reference};
use crate::rule_set::fields;

impl Reader<'_, '_> {
    pub(super) fn comparison(&mut self) -> Option<Comparison> {
        let measurements = self.measurements();
        let operation = self.fields.require("operation", "a comparison rule", self.report);
        let operation =
            operation.and_then(|node| fields::choice(node, "`operation`", &Operation::ALL, self.report));
        let party_aggregation = self.party_aggregation();
        let node = self.fields.get("referenceValue");
        let Some((measurements, leaf)) = self.with_leaf(measurements) else {
            self.only_check(node);
            return None;
        };
        let reference = match node {
            Some(node) => Some(self.reference(node, leaf)?),
            None => None,
        };
        let operation = operation?;
        let among = matches!(operation, Operation::Equal | Operation::NotEqual);
        if reference.is_none() && !among {
            let message = format!("`{operation}` needs a `referenceValue`");
            let help = "only `=` and `!=` compare the measured values with each other".to_owned();
            self.report.error(self.fields.key_span("operation"), "missing-key", message, Some(help));
            return None;
        }
        if leaf == Leaf::Text && !among {
            let message = format!("`{operation}` on strings");
            let help = "AWS does not say how strings are ordered; here they are by their bytes".to_owned();
            self.report.note(self.fields.key_span("operation"), "string-order", message, Some(help));
        }
        Some(Comparison { measurements, operation, reference, party_aggregation: party_aggregation? })
    }

    pub(super) fn distance(&mut self) -> Option<Distance> {
        let measurements = self.measurements();
        let reference = self.fields.require("referenceValue", "a distance rule", self.report);
        let min_distance = self.limit("minDistance");
        let max_distance = self.limit("maxDistance");
        let party_aggregation = self.party_aggregation();
        if min_distance.is_none() && max_distance.is_none() {
            let message = "a distance rule needs `maxDistance` or `minDistance`".to_owned();
            self.report.error(
                self.fields.opening(),
                "missing-key",
                message,
                Some("add \"maxDistance\"".to_owned()),
            );
        }
        self.window("minDistance", min_distance.flatten(), "maxDistance", max_distance.flatten());
        let Some((measurements, leaf)) = self.with_leaf(measurements) else {
            self.only_check(reference);
            return None;
        };
        if leaf == Leaf::Text {
            let message = "a distance rule measures numbers, and this is text".to_owned();
            self.report.error(self.fields.key_span("measurements"), "expression-type", message, None);
            self.only_check(reference);
            return None;
        }
        let node = reference?;
        let reference = self.reference(node, Leaf::Number)?;
        if let Reference::Expression(expression) = &reference
            && expression.value_type.depth > 0
            && self.compat.distance_reference == DistanceReferenceList::Reject
        {
            let message = "`referenceValue` of a distance rule must be one number".to_owned();
            self.report.error(node.span, "expression-type", message, None);
            return None;
        }
        let (min_distance, max_distance) = (min_distance.flatten(), max_distance.flatten());
        let party_aggregation = party_aggregation?;
        Some(Distance { measurements, reference, min_distance, max_distance, party_aggregation })
    }

    pub(super) fn collection(&mut self) -> Option<Collection> {
        #[derive(Clone, Copy)]
        enum Kind {
            Intersection,
            Contains,
            Reference,
        }
        const KINDS: [(&str, Kind); 3] = [
            ("intersection", Kind::Intersection),
            ("contains", Kind::Contains),
            ("reference_intersection_count", Kind::Reference),
        ];
        let measurements = self.measurements();
        let kind = self.fields.require("operation", "a collection rule", self.report);
        let kind = kind.and_then(|node| fields::choice(node, "`operation`", &KINDS, self.report));
        let min_count = self.limit("minCount");
        let max_count = self.limit("maxCount");
        let party_aggregation = self.choice(
            "partyAggregation",
            &[("union", PartyLists::Union), ("intersection", PartyLists::Intersection)],
        );
        if min_count.is_none() && max_count.is_none() {
            let message = "a collection rule without `minCount` and `maxCount` always passes".to_owned();
            self.report.warn(self.fields.opening(), "dead-rule", message, None);
        }
        self.window("minCount", min_count.flatten(), "maxCount", max_count.flatten());
        let reference = self.fields.get("referenceValue");
        let Some((measurements, leaf)) = self.with_leaf(measurements) else {
            self.only_check(reference);
            return None;
        };
        if leaf != Leaf::Text {
            let message = "a collection rule measures lists of strings, and these are numbers".to_owned();
            self.report.error(self.fields.key_span("measurements"), "expression-type", message, None);
            self.only_check(reference);
            return None;
        }
        let operation = match (kind?, reference) {
            (Kind::Intersection, None) => CollectionOperation::Intersection,
            (Kind::Intersection, Some(node)) => {
                let message = "`intersection` has no `referenceValue`".to_owned();
                let help = "it is ignored; did you mean \"reference_intersection_count\"?".to_owned();
                self.report.warn(node.span, "unused-reference", message, Some(help));
                CollectionOperation::Intersection
            }
            (Kind::Contains, Some(node)) => CollectionOperation::Contains(self.contained(node)?),
            (Kind::Reference, Some(node)) => {
                CollectionOperation::ReferenceIntersectionCount(self.list_reference(node)?)
            }
            (Kind::Contains | Kind::Reference, None) => {
                self.fields.require("referenceValue", "this collection rule", self.report);
                return None;
            }
        };
        let (min_count, max_count) = (min_count.flatten(), max_count.flatten());
        let party_aggregation = party_aggregation?;
        Some(Collection { measurements, operation, min_count, max_count, party_aggregation })
    }
}
