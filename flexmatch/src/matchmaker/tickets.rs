//! The tickets of a matchmaker, by number inside and by id outside.

use std::collections::{BTreeMap, VecDeque};

use crate::ticket::{Ticket, TicketId};

/// Ended tickets that can still be looked up. How long the service keeps them is not documented; this bounds memory.
pub const ENDED_TICKETS_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Tickets {
    entries: Vec<Option<Ticket>>,
    free: Vec<u32>,
    keys: BTreeMap<TicketId, u32>,
    /// Ended tickets, in the order of their ends.
    ended: VecDeque<u32>,
}

impl Tickets {
    /// Stores a ticket whose id is not in use.
    pub(super) fn insert(&mut self, ticket: Ticket) -> u32 {
        let id = ticket.id.clone();
        let key = match self.free.pop() {
            Some(key) => {
                self.entries[key as usize] = Some(ticket);
                key
            }
            None => {
                self.entries.push(Some(ticket));
                u32::try_from(self.entries.len() - 1)
                    .expect("waiting and ended tickets are bounded far below 2^32")
            }
        };
        self.keys.insert(id, key);
        key
    }

    pub(super) fn key(&self, id: &str) -> Option<u32> {
        self.keys.get(id).copied()
    }

    pub(super) fn get(&self, key: u32) -> Option<&Ticket> {
        self.entries.get(key as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, key: u32) -> Option<&mut Ticket> {
        self.entries.get_mut(key as usize)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Ticket> {
        self.keys.values().filter_map(|key| self.get(*key))
    }

    /// Tickets that have not ended.
    pub(super) fn active(&self) -> usize {
        self.keys.len() - self.ended.len()
    }

    /// Counts an ended ticket, and forgets the one that ended longest ago if there are too many.
    pub(super) fn retire(&mut self, key: u32) {
        self.ended.push_back(key);
        if self.ended.len() > ENDED_TICKETS_MAX
            && let Some(oldest) = self.ended.pop_front()
            && let Some(ticket) = self.entries[oldest as usize].take()
        {
            self.keys.remove(&ticket.id);
            self.free.push(oldest);
        }
    }
}
