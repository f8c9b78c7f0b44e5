//! Tags.

use std::collections::BTreeMap;

use super::{Engine, ids::resource_id};
use crate::{ApiError, ErrorKind, Timestamp, model::*};

/// Most tags of one resource (AWS General Reference, "Tagging AWS resources"). The API's lists may be longer.
const TAGS_PER_RESOURCE_MAX: usize = 50;
/// Only AWS itself makes tags with such keys (AWS General Reference).
const RESERVED_PREFIX: &str = "aws:";

type TagsOfOne = BTreeMap<String, String>;

/// By the resource part of the ARN. Only resources that have tags.
pub(super) type Tags = BTreeMap<String, TagsOfOne>;

impl Engine {
    /// Gives a resource tags.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or a resource that cannot have tags; NotFound for an unknown one; TaggingFailed
    /// for a key that is given twice or belongs to AWS, and for more than 50 tags.
    pub fn tag_resource(&mut self, _now: Timestamp, input: TagResourceInput) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let resource = self.taggable(&input.resource_arn)?;
        let new = check_tags(input.tags.as_deref())?;
        let mut tags = self.tags.get(&resource).cloned().unwrap_or_default();
        tags.extend(new);
        check_count(tags.len())?;
        if !tags.is_empty() {
            self.tags.insert(resource, tags);
        }
        Ok(Empty {})
    }

    /// Takes tags from a resource. Keys that it does not have are ignored.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or a resource that cannot have tags; NotFound for an unknown one.
    pub fn untag_resource(&mut self, _now: Timestamp, input: UntagResourceInput) -> Result<Empty, ApiError> {
        check::check(&input)?;
        let resource = self.taggable(&input.resource_arn)?;
        if let Some(tags) = self.tags.get_mut(&resource) {
            tags.retain(|key, _| !input.tag_keys.iter().flatten().any(|gone| gone == key));
            if tags.is_empty() {
                self.tags.remove(&resource);
            }
        }
        Ok(Empty {})
    }

    /// Lists a resource's tags.
    ///
    /// # Errors
    /// InvalidRequest for a bad field or a resource that cannot have tags; NotFound for an unknown one.
    pub fn list_tags_for_resource(
        &mut self,
        _now: Timestamp,
        input: ListTagsForResourceInput,
    ) -> Result<ListTagsForResourceOutput, ApiError> {
        check::check(&input)?;
        let resource = self.taggable(&input.resource_arn)?;
        let tags = self.tags.get(&resource).into_iter().flatten();
        let tags = tags.map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) });
        Ok(ListTagsForResourceOutput { tags: tags.collect() })
    }

    /// The tags of a new resource.
    pub(super) fn set_tags(&mut self, kind: &str, name: &str, tags: TagsOfOne) {
        if !tags.is_empty() {
            self.tags.insert(format!("{kind}/{name}"), tags);
        }
    }

    /// The resource is gone.
    pub(super) fn forget_tags(&mut self, kind: &str, name: &str) {
        self.tags.remove(&format!("{kind}/{name}"));
    }

    /// The resource part of the ARN of something that exists and can have tags.
    fn taggable(&self, arn: &Option<String>) -> Result<String, ApiError> {
        let arn = rule::required("resourceARN", arn)?;
        let resource = arn.strip_prefix("arn:").and_then(|arn| arn.rsplit_once(':'));
        let parts = resource.and_then(|(_, resource)| Some((resource, resource.split_once('/')?.0)));
        let Some((resource, kind)) = parts else {
            return Err(ApiError::invalid(format!("{arn} is not an ARN of a GameLift resource")));
        };
        let name = resource_id(kind, arn);
        let exists = match kind {
            "alias" => self.aliases.contains_key(name),
            "fleet" => self.fleets.contains_key(name),
            "gamesessionqueue" => self.queues.contains_key(name),
            "location" => self.locations.contains_key(name),
            "matchmakingconfiguration" => self.matchmaking.has_configuration(name),
            "matchmakingruleset" => self.matchmaking.has_rule_set(name),
            _ => {
                return Err(ApiError::invalid(format!(
                    "{arn} cannot have tags here; an alias, fleet, gamesessionqueue, location, matchmakingconfiguration or matchmakingruleset can"
                )));
            }
        };
        if exists {
            Ok(resource.to_owned())
        } else {
            Err(ApiError::not_found(format!("Resource {arn} not found")))
        }
    }
}

/// Checks what the model of the API does not: that each key is given once and belongs to the caller.
///
/// # Errors
/// TaggingFailed.
pub(super) fn check_tags(given: Option<&[Tag]>) -> Result<TagsOfOne, ApiError> {
    let mut tags = TagsOfOne::new();
    for tag in given.unwrap_or_default() {
        let (Some(key), Some(value)) = (&tag.key, &tag.value) else { continue };
        if key.to_ascii_lowercase().starts_with(RESERVED_PREFIX) {
            return failed(format!("Tag key {key} begins with {RESERVED_PREFIX}, which is reserved for AWS"));
        }
        if tags.insert(key.clone(), value.clone()).is_some() {
            return failed(format!("Tag key {key} is given twice"));
        }
    }
    check_count(tags.len())?;
    Ok(tags)
}

fn check_count(count: usize) -> Result<(), ApiError> {
    if count > TAGS_PER_RESOURCE_MAX {
        return failed(format!("{count} tags exceed the limit of {TAGS_PER_RESOURCE_MAX} per resource"));
    }
    Ok(())
}

fn failed<T>(message: String) -> Result<T, ApiError> {
    Err(ApiError::new(ErrorKind::TaggingFailed, message))
}
