//! Tags.

use super::{answer, request, structure};

structure! {
    /// A label of a resource.
    Tag {
        /// Its name, 1 to 128 characters. Required.
        key: String => required TAG_KEY,
        /// Its value, up to 256 characters. Required.
        value: String => required TAG_VALUE,
    }
}

request! {
    /// Input of TagResource.
    TagResourceInput {
        /// The resource's ARN. Required.
        #[serde(rename = "ResourceARN")]
        resource_arn: String => required RESOURCE_ARN,
        /// Labels that are added, or replace those with the same key. Required.
        tags: Vec<Tag> => required TAGS,
    }
}

request! {
    /// Input of UntagResource.
    UntagResourceInput {
        /// The resource's ARN. Required.
        #[serde(rename = "ResourceARN")]
        resource_arn: String => required RESOURCE_ARN,
        /// Keys of the labels that go; those it does not have are ignored. Required.
        tag_keys: Vec<String> => required List(0..=200, &TAG_KEY),
    }
}

request! {
    /// Input of ListTagsForResource.
    ListTagsForResourceInput {
        /// The resource's ARN. Required.
        #[serde(rename = "ResourceARN")]
        resource_arn: String => required RESOURCE_ARN,
    }
}

answer! {
    /// Output of ListTagsForResource.
    ListTagsForResourceOutput {
        /// The resource's labels, by key.
        tags: Vec<Tag>,
    }
}
