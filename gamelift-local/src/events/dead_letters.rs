//! Events that were given up, until somebody sends them again.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::{collections::VecDeque, sync::Arc};

use crate::{Timestamp, engine::Event};

/// Most dead letters. Then the oldest are gone for good, which is counted and logged.
pub(crate) const DEAD_LETTERS_MAX: usize = 1000;

/// One event that one target did not take.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// Counts from 1.
    pub(crate) id: u64,
    /// Number of the target.
    pub(crate) target: u64,
    /// The target's ARN or id.
    pub(crate) target_id: Arc<str>,
    pub(crate) event: Arc<Event>,
    pub(crate) reason: String,
    pub(crate) attempts: u32,
    /// When it was given up.
    pub(crate) at: Timestamp,
}

/// Dead letters, oldest first.
#[derive(Debug, Default)]
pub(crate) struct DeadLetters {
    list: VecDeque<DeadLetter>,
    /// So many have there been.
    pub(crate) came: u64,
    /// So many had to make room.
    pub(crate) evicted: u64,
}

impl DeadLetters {
    /// Keeps a dead letter under a new id. Returns the one that had to make room.
    pub(crate) fn push(&mut self, letter: DeadLetter) -> Option<DeadLetter> {
        self.came += 1;
        self.list.push_back(DeadLetter { id: self.came, ..letter });
        let evicted = (self.list.len() > DEAD_LETTERS_MAX).then(|| self.list.pop_front())?;
        self.evicted += 1;
        evicted
    }

    /// Takes out those that `redrive` has taken over. Returns how many.
    pub(crate) fn redrive(&mut self, mut redrive: impl FnMut(&DeadLetter) -> bool) -> usize {
        let before = self.list.len();
        self.list.retain(|letter| !redrive(letter));
        before - self.list.len()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &DeadLetter> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> DeadLetter {
        let event =
            Event { id: "e".to_owned(), time: Timestamp::default(), topic_arn: None, json: "{}".to_owned() };
        DeadLetter {
            id: 0,
            target: 1,
            target_id: "t".into(),
            event: Arc::new(event),
            reason: "answered 410".to_owned(),
            attempts: 1,
            at: Timestamp::default(),
        }
    }

    #[test]
    fn the_oldest_makes_room_and_is_counted() {
        let mut letters = DeadLetters::default();
        for _ in 0..DEAD_LETTERS_MAX {
            assert!(letters.push(letter()).is_none());
        }
        assert_eq!(letters.push(letter()).map(|letter| letter.id), Some(1));
        assert_eq!((letters.iter().len(), letters.evicted), (DEAD_LETTERS_MAX, 1));
    }

    #[test]
    fn what_cannot_be_sent_again_stays() {
        let mut letters = DeadLetters::default();
        (0..3).for_each(|_| drop(letters.push(letter())));
        assert_eq!(letters.redrive(|letter| letter.id != 2), 2);
        assert_eq!(letters.iter().map(|letter| letter.id).collect::<Vec<_>>(), [2]);
    }
}
