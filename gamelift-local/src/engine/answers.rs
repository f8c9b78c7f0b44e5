//! Answers that were given, for requests that are sent again.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use gamelift_wire::{envelope::Action, ids::RequestId};

use crate::Timestamp;

/// C++ SDK 5.4.0 repeats an unanswered request for about 115 s.
const ANSWER_KEPT: Duration = Duration::from_secs(180);
/// Most answers remembered per process. With more in three minutes, the oldest are forgotten early.
const ANSWERS_KEPT_MAX: usize = 4096;

/// What was answered to which request, so that a request sent again has no second effect.
#[derive(Debug, Default)]
pub(super) struct Answers {
    texts: BTreeMap<RequestId, (Action, String)>,
    order: VecDeque<(Timestamp, RequestId)>,
}

impl Answers {
    pub(super) fn get(&self, action: &Action, id: &RequestId) -> Option<&str> {
        self.texts.get(id).filter(|(answered, _)| answered == action).map(|(_, text)| text.as_str())
    }

    pub(super) fn remember(&mut self, now: Timestamp, action: Action, id: RequestId, text: String) {
        while let Some((at, oldest)) = self.order.front() {
            if now.since(*at) < ANSWER_KEPT && self.order.len() < ANSWERS_KEPT_MAX {
                break;
            }
            self.texts.remove(oldest);
            self.order.pop_front();
        }
        // An id that was used for another action before keeps its place in the order.
        if self.texts.insert(id.clone(), (action, text)).is_none() {
            self.order.push_back((now, id));
        }
    }
}
