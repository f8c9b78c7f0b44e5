//! Texts and locations by number, so that the index compares numbers.

use std::collections::BTreeMap;

/// Most locations the index tells apart; of further ones it knows nothing, and rules nobody out by them.
pub(super) const LOCATIONS_MAX: usize = 64;

/// Values that never equal any other: players of one ticket with different texts.
pub(super) const MIXED: u32 = u32::MAX;

/// Texts that nobody in the pool may have any more and that are still numbered, beyond as many as were in use when the
/// texts were last numbered: below this, numbering them anew costs more than it saves.
const TEXTS_SLACK: usize = 4_096;

/// Texts and locations by number. Players choose both, so what nobody has any more must go at last.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    texts: BTreeMap<String, u32>,
    /// How many texts were in use when they were last numbered.
    in_use: usize,
    /// At most one more than the index tells apart.
    locations: BTreeMap<String, usize>,
}

impl Names {
    pub(super) fn text(&mut self, text: &str) -> u32 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let next = u32::try_from(self.texts.len()).unwrap_or(MIXED - 1);
        self.texts.insert(text.to_owned(), next);
        next
    }

    /// The number of a location; [`LOCATIONS_MAX`] or more if it is one too many.
    pub(super) fn location(&mut self, name: &str) -> usize {
        if let Some(known) = self.locations.get(name) {
            return *known;
        }
        let next = self.locations.len();
        if next <= LOCATIONS_MAX {
            self.locations.insert(name.to_owned(), next);
        }
        next
    }

    /// Whether every location has a bit.
    pub(super) fn locations_fit(&self) -> bool {
        self.locations.len() <= LOCATIONS_MAX
    }

    /// Whether so many names may be out of use that they are worth numbering anew, by [`Names::forget`].
    pub(super) fn are_many(&self) -> bool {
        self.texts.len() > 2 * self.in_use + TEXTS_SLACK || !self.locations_fit()
    }

    /// Forgets all. Those in use are to be numbered again, and then [`Names::settle`] called.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// All names are in use.
    pub(super) fn settle(&mut self) {
        self.in_use = self.texts.len();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}
