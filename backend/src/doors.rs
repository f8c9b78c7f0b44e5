//! Doors that a player holds open: WebSockets and streams of this process.
//!
//! Each costs memory for as long as two hours, so a player has some and no more. One more takes the place of their oldest, as a
//! client that has lost its connection without a word must be able to come back.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::caller::PlayerId;

/// Doors of one kind that a player may hold open. Somebody has a computer, a telephone, and some that were lost without a word.
/// On AWS it is as many: `CONNECTIONS_MAX` of the table.
pub(crate) const DOORS_MAX: usize = 8;

/// By the order of opening.
type Open = BTreeMap<u64, oneshot::Sender<()>>;

/// The doors of one kind. Clones are one and the same.
#[derive(Clone, Default)]
pub(crate) struct Doors(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// Only players who have one.
    players: BTreeMap<PlayerId, Open>,
    opened: u64,
}

impl Doors {
    /// One more. If the player has too many, the oldest is told to close.
    pub(crate) fn open(&self, player: &PlayerId) -> Door {
        let (close, closed) = oneshot::channel();
        let mut kept = self.lock();
        kept.opened += 1;
        let number = kept.opened;
        let open = kept.players.entry(player.clone()).or_default();
        if open.len() >= DOORS_MAX {
            // Dropped: that is what it waits for.
            open.pop_first();
        }
        open.insert(number, close);
        drop(kept);
        Door { doors: self.clone(), player: player.clone(), number, closed }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing that holds the lock can panic half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn players(&self) -> usize {
        self.lock().players.len()
    }
}

/// An open door. Dropped, it is closed.
pub(crate) struct Door {
    doors: Doors,
    player: PlayerId,
    number: u64,
    closed: oneshot::Receiver<()>,
}

impl fmt::Debug for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Door").field("player", &self.player).finish_non_exhaustive()
    }
}

impl Door {
    /// Ends when a newer one has taken this one's place. Not to be asked again then.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub(crate) async fn replaced(&mut self) {
        // Nobody sends: the sender is dropped.
        let _ = (&mut self.closed).await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let mut kept = self.doors.lock();
        if let Some(open) = kept.players.get_mut(&self.player) {
            open.remove(&self.number);
            if open.is_empty() {
                kept.players.remove(&self.player);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn is_replaced(door: &mut Door) -> bool {
        door.replaced().now_or_never().is_some()
    }

    #[test]
    fn one_door_too_many_closes_the_players_oldest_and_nobody_elses() {
        let doors = Doors::default();
        let (ada, bob) = (PlayerId::new("ada"), PlayerId::new("bob"));
        let mut bobs = doors.open(&bob);
        let mut adas: Vec<Door> = (0..DOORS_MAX).map(|_| doors.open(&ada)).collect();
        assert!(!adas.iter_mut().any(is_replaced));
        let mut newest = doors.open(&ada);
        let replaced: Vec<usize> = (0..DOORS_MAX).filter(|index| is_replaced(&mut adas[*index])).collect();
        assert_eq!(replaced, [0]);
        assert!(!is_replaced(&mut newest) && !is_replaced(&mut bobs));
    }

    #[test]
    fn a_flood_leaves_a_bound_and_closed_doors_leave_nothing() {
        let doors = Doors::default();
        let ada = PlayerId::new("ada");
        let mut flood: Vec<Door> = (0..1_000).map(|_| doors.open(&ada)).collect();
        assert_eq!(flood.iter_mut().filter_map(|door| (!is_replaced(door)).then_some(())).count(), DOORS_MAX);
        drop(flood);
        assert_eq!(doors.players(), 0);
    }
}
