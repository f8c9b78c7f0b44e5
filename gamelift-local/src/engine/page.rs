//! Pagination: opaque tokens that say where the next page starts.

use crate::{ApiError, model::rule};

/// Most elements of one page, whatever the caller asks for. AWS documents page sizes for few operations.
pub(super) const PAGE_SIZE_MAX: usize = 100;

/// Where a page starts and how long it may be.
#[derive(Debug)]
pub(super) struct Page {
    operation: &'static str,
    /// The key after which this page starts.
    pub(super) after: Option<String>,
    pub(super) size: usize,
}

impl Page {
    /// Reads `Limit` and `NextToken`.
    pub(super) fn new(
        operation: &'static str,
        limit: Option<i64>,
        next_token: &Option<String>,
        size_max: usize,
    ) -> Result<Self, ApiError> {
        rule::range("limit", limit, 1..=i64::MAX)?;
        let size = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(size_max).min(size_max);
        let after = match rule::NON_ZERO_AND_MAX.optional("nextToken", next_token)? {
            None => None,
            Some(token) => Some(decode(operation, token).ok_or_else(|| {
                ApiError::invalid(format!(
                    "NextToken is not one that {operation} of this service has returned"
                ))
            })?),
        };
        Ok(Self { operation, after, size })
    }

    /// The same, for lists whose keys are numbers.
    pub(super) fn after_number(&self) -> Result<Option<u64>, ApiError> {
        self.after.as_deref().map(str::parse).transpose().map_err(|_| {
            ApiError::invalid(format!(
                "NextToken is not one that {} of this service has returned",
                self.operation
            ))
        })
    }

    /// Takes one page from elements that start behind `after`, and says where the next one starts.
    pub(super) fn take<T>(
        &self,
        mut elements: impl Iterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let page: Vec<T> = elements.by_ref().take(self.size).collect();
        let more = elements.next().is_some();
        let token = page.last().filter(|_| more).map(|last| encode(self.operation, &key(last)));
        (page, token)
    }
}

// Real tokens are base64 of a JSON key; hexadecimal is as opaque and needs no library.
fn encode(operation: &str, key: &str) -> String {
    hex::encode(format!("{operation}\n{key}"))
}

fn decode(operation: &str, token: &str) -> Option<String> {
    let text = String::from_utf8(hex::decode(token).ok()?).ok()?;
    let (made_by, key) = text.split_once('\n')?;
    (made_by == operation).then(|| key.to_owned())
}
