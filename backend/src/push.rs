//! Telling players that their ticket has changed.
//!
//! Whoever is told may not hear it: a ticket's version says what is newer, and reading the ticket is always right. So a push
//! that fails fails nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::caller::PlayerId;
use crate::ticket::Ticket;

/// Players who may be watched for in one process. A watch takes less than 2 KB, the ticket that it holds included, and its door
/// far more, so the doors give out first; this is for the case that one does not close.
pub const WATCHED_PLAYERS_MAX: usize = 100_000;

/// A way to reach players.
pub trait Push: Send + Sync {
    /// Tells a player of their ticket as it is now, if they can be reached. It logs what goes wrong.
    fn tell<'a>(&'a self, player: &'a PlayerId, ticket: &'a Ticket) -> BoxFuture<'a, ()>;
}

/// Players whose doors are in this process. Clones are one and the same.
#[derive(Clone, Debug)]
pub struct Watchers {
    players: Arc<Mutex<BTreeMap<PlayerId, watch::Sender<Option<Ticket>>>>>,
    most: usize,
}

impl Default for Watchers {
    fn default() -> Self {
        Self::with_capacity(WATCHED_PLAYERS_MAX)
    }
}

impl Watchers {
    /// For so many players.
    pub fn with_capacity(most: usize) -> Self {
        Self { players: Arc::default(), most }
    }

    /// News of a player's ticket from now on; several doors may watch for one player, and to those who come later the receiver
    /// shows what was told before them until it has changed. If too many players are watched for, the receiver is closed from
    /// the start: its door must ask instead.
    pub fn watch(&self, player: &PlayerId) -> watch::Receiver<Option<Ticket>> {
        let mut players = self.players.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = players.get(player) {
            return sender.subscribe();
        }
        if players.len() >= self.most {
            players.retain(|_, sender| !sender.is_closed());
        }
        let (sender, receiver) = watch::channel(None);
        if players.len() < self.most {
            players.insert(player.clone(), sender);
        } else {
            tracing::warn!(most = self.most, "too many players are watched for: one is sent away to ask");
        }
        receiver
    }

    /// Tells whoever watches; an older version than was told is dropped.
    fn send(&self, player: &PlayerId, ticket: &Ticket) {
        let mut players = self.players.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = players.get(player) else {
            return;
        };
        if sender.is_closed() {
            players.remove(player);
            return;
        }
        sender.send_if_modified(|told| {
            // Another ticket is always news: its versions begin again.
            let is_news = told.as_ref().is_none_or(|told| {
                told.ticket_id != ticket.ticket_id && told.created_at <= ticket.created_at
                    || told.ticket_id == ticket.ticket_id && told.version < ticket.version
            });
            if is_news {
                *told = Some(ticket.clone());
            }
            is_news
        });
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.players.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Push for Watchers {
    fn tell<'a>(&'a self, player: &'a PlayerId, ticket: &'a Ticket) -> BoxFuture<'a, ()> {
        self.send(player, ticket);
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::Status;

    fn ticket(id: &str, version: u64) -> Ticket {
        Ticket {
            ticket_id: id.to_owned(),
            status: Status::Searching,
            version,
            created_at: 0,
            expires_at: 0,
            team: None,
            estimated_wait_ms: None,
            acceptance: None,
            reason: None,
            connection: None,
            poll_after_ms: None,
        }
    }

    fn told(receiver: &mut watch::Receiver<Option<Ticket>>) -> Option<(String, u64)> {
        receiver.borrow_and_update().as_ref().map(|ticket| (ticket.ticket_id.clone(), ticket.version))
    }

    #[test]
    fn every_door_of_a_player_is_told_and_no_other() {
        let watchers = Watchers::default();
        let (ada, bob) = (PlayerId::new("ada"), PlayerId::new("bob"));
        let mut doors = [watchers.watch(&ada), watchers.watch(&ada), watchers.watch(&bob)];
        watchers.send(&ada, &ticket("t-1", 2));
        let news = doors.each_mut().map(told);
        assert_eq!(news, [Some(("t-1".to_owned(), 2)), Some(("t-1".to_owned(), 2)), None]);
    }

    #[test]
    fn what_comes_late_is_not_told() {
        let watchers = Watchers::default();
        let ada = PlayerId::new("ada");
        let mut door = watchers.watch(&ada);
        for version in [3, 2, 3] {
            watchers.send(&ada, &ticket("t-1", version));
        }
        assert_eq!(told(&mut door), Some(("t-1".to_owned(), 3)));
        watchers.send(&ada, &ticket("t-2", 1));
        assert_eq!(told(&mut door), Some(("t-2".to_owned(), 1)));
    }

    #[test]
    fn a_player_whose_doors_are_closed_is_forgotten() {
        let watchers = Watchers::default();
        let ada = PlayerId::new("ada");
        drop(watchers.watch(&ada));
        watchers.send(&ada, &ticket("t-1", 1));
        assert_eq!(watchers.len(), 0);
    }

    #[test]
    fn there_is_a_bound_and_whoever_is_over_it_is_told_at_once() {
        let watchers = Watchers::with_capacity(2);
        let names = ["ada", "bob", "cyd"].map(PlayerId::new);
        let doors = names.each_ref().map(|player| watchers.watch(player));
        let closed = doors.each_ref().map(|door| door.has_changed().is_err());
        assert_eq!(closed, [false, false, true]);
        drop(doors);
        assert!(watchers.watch(&names[2]).has_changed().is_ok(), "closed doors make room");
    }
}
