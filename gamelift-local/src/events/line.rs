//! What waits for one target, in the order in which it will go out.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::faults::Plan;
use crate::{Timestamp, engine::Event};

/// Most events that are late on purpose at a time. Then the one that is due first goes out early.
const HELD_MAX: usize = 1000;
/// How long an event that is to go behind the next one waits for it, in the service's time.
const REORDER_WAIT: Duration = Duration::from_secs(1);

/// Events of one target. Without faults, first in, first out.
#[derive(Debug, Default)]
pub(crate) struct Line {
    ready: VecDeque<Arc<Event>>,
    /// Late on purpose: by when they are due, then by when they came.
    held: BTreeMap<(Timestamp, u64), Arc<Event>>,
    /// To go behind the next one, or when it is due.
    overtaken: Option<(Timestamp, Vec<Arc<Event>>)>,
    came: u64,
}

impl Line {
    /// Takes an event with what is to become of it. Late ones that are due by then are before it, whether somebody has
    /// looked in between or not.
    pub(crate) fn push(&mut self, event: Arc<Event>, plan: Plan) {
        self.settle(event.time);
        let copies = usize::from(plan.copies);
        if let Some(delay) = plan.delay {
            for _ in 0..copies {
                self.came += 1;
                self.held.insert((event.time + delay, self.came), event.clone());
            }
            while self.held.len() > HELD_MAX {
                self.ready.extend(self.held.pop_first().map(|(_, event)| event));
            }
        } else if plan.reorder && self.overtaken.is_none() {
            self.overtaken = Some((event.time + REORDER_WAIT, vec![event; copies]));
        } else if copies > 0 {
            self.ready.extend(std::iter::repeat_n(event, copies));
            self.release_overtaken();
        }
    }

    /// The next event that may go out.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<Arc<Event>> {
        self.settle(now);
        self.ready.pop_front()
    }

    /// What is due may go out, in the order in which it became so.
    fn settle(&mut self, now: Timestamp) {
        if let Some(due) = self.overtaken.as_ref().map(|(due, _)| *due).filter(|due| *due <= now) {
            self.release_held(due);
            self.release_overtaken();
        }
        self.release_held(now);
    }

    fn release_held(&mut self, now: Timestamp) {
        while self.held.first_key_value().is_some_and(|((due, _), _)| *due <= now) {
            self.ready.extend(self.held.pop_first().map(|(_, event)| event));
        }
    }

    /// When [`Line::pop`] has something that it does not have now.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        let held = self.held.first_key_value().map(|((due, _), _)| *due);
        let overtaken = self.overtaken.as_ref().map(|(due, _)| *due);
        held.into_iter().chain(overtaken).min()
    }

    /// Nothing will come any more, and time is over: everything may go out.
    pub(crate) fn release(&mut self) {
        self.release_overtaken();
        self.ready.extend(std::mem::take(&mut self.held).into_values());
    }

    fn release_overtaken(&mut self) {
        self.ready.extend(self.overtaken.take().into_iter().flat_map(|(_, events)| events));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Plan = Plan { copies: 1, delay: None, reorder: false };

    fn at(second: u64) -> Timestamp {
        Timestamp::from_millis(1000 * second)
    }

    fn event(id: &str, second: u64) -> Arc<Event> {
        let (id, json) = (id.to_owned(), "{}".to_owned());
        Arc::new(Event { id, time: at(second), topic_arn: None, json })
    }

    fn all(line: &mut Line, second: u64) -> String {
        std::iter::from_fn(|| line.pop(at(second))).map(|event| event.id.clone()).collect()
    }

    #[test]
    fn without_faults_events_keep_their_order() {
        let mut line = Line::default();
        ["a", "b", "c"].into_iter().for_each(|id| line.push(event(id, 0), PLAIN));
        assert_eq!((all(&mut line, 0).as_str(), line.poll_timeout()), ("abc", None));
    }

    #[test]
    fn a_late_event_comes_at_its_time_and_not_before() {
        let mut line = Line::default();
        line.push(event("a", 0), Plan { delay: Some(Duration::from_secs(5)), ..PLAIN });
        line.push(event("b", 1), PLAIN);
        assert_eq!((all(&mut line, 4).as_str(), line.poll_timeout()), ("b", Some(at(5))));
        assert_eq!((all(&mut line, 5).as_str(), line.poll_timeout()), ("a", None));
    }

    #[test]
    fn a_reordered_event_comes_behind_the_next_one_or_a_second_later() {
        let mut line = Line::default();
        let behind = Plan { reorder: true, ..PLAIN };
        line.push(event("a", 0), behind);
        assert_eq!((all(&mut line, 0).as_str(), line.poll_timeout()), ("", Some(at(1))));
        line.push(event("b", 0), PLAIN);
        assert_eq!(all(&mut line, 0), "ba");
        line.push(event("c", 0), behind);
        assert_eq!(all(&mut line, 1), "c");
        line.push(event("d", 2), behind);
        line.push(event("e", 2), behind);
        assert_eq!(all(&mut line, 2), "ed", "two that should change places do so once");
    }

    #[test]
    fn duplicates_come_twice_and_drops_never() {
        let mut line = Line::default();
        line.push(event("a", 0), Plan { copies: 2, ..PLAIN });
        line.push(event("b", 0), Plan { copies: 0, ..PLAIN });
        line.push(event("c", 0), Plan { copies: 2, delay: Some(Duration::from_secs(1)), ..PLAIN });
        assert_eq!((all(&mut line, 0) + &all(&mut line, 1)).as_str(), "aacc");
    }

    #[test]
    fn the_order_does_not_depend_on_when_somebody_looks() {
        let late = |seconds| Plan { delay: Some(Duration::from_secs(seconds)), ..PLAIN };
        let fill = |look: &mut dyn FnMut(&mut Line, u64)| {
            let mut line = Line::default();
            line.push(event("a", 0), late(5));
            line.push(event("b", 0), late(3));
            line.push(event("c", 3), Plan { reorder: true, ..PLAIN });
            look(&mut line, 4);
            line.push(event("d", 6), PLAIN);
            look(&mut line, 6);
        };
        let (mut often, mut once) = (String::new(), String::new());
        fill(&mut |line, second| (0..=second).for_each(|second| often.push_str(&all(line, second))));
        fill(&mut |line, second| {
            if second == 6 {
                once.push_str(&all(line, second));
            }
        });
        assert_eq!((often.as_str(), once.as_str()), ("bcad", "bcad"));
    }

    #[test]
    fn nothing_is_left_behind_at_the_end() {
        let mut line = Line::default();
        line.push(event("a", 0), Plan { reorder: true, ..PLAIN });
        line.push(event("b", 0), Plan { delay: Some(Duration::from_secs(9)), ..PLAIN });
        line.release();
        assert_eq!(all(&mut line, 0), "ab");
    }

    #[test]
    fn too_many_late_events_go_out_early_instead_of_filling_the_memory() {
        let mut line = Line::default();
        let late = Plan { delay: Some(Duration::from_secs(60)), ..PLAIN };
        (0..HELD_MAX + 2).for_each(|_| line.push(event("x", 0), late));
        assert_eq!(all(&mut line, 0), "xx");
    }
}
