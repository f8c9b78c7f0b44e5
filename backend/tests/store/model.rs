//! What the conditions of the table come to, said again in Rust.

use backend::event::{News, Update};
use backend::store::Row;
use backend::ticket::{RANK_ENDED, RANK_SUCCEEDED, Status};

/// One player's ticket.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Model {
    order: String,
    news: Option<News>,
    deadline: Option<u64>,
}

impl Model {
    pub(crate) fn apply(&mut self, update: &Update) {
        let order = update.order.as_str();
        let rank = self.news.as_ref().map_or(0, |news| news.status.rank());
        let has_seat = self.news.as_ref().is_some_and(|news| news.connection.is_some());
        let is_news = match update.news.status.rank() {
            RANK_SUCCEEDED => rank < RANK_SUCCEEDED || !has_seat && update.news.connection.is_some(),
            RANK_ENDED => rank < RANK_ENDED || rank == RANK_ENDED && self.order.as_str() < order,
            _ => rank < RANK_ENDED && self.order.as_str() < order,
        };
        if is_news {
            order.clone_into(&mut self.order);
            self.news = Some(News { deadline: None, ..update.news.clone() });
        }
        let rank = self.news.as_ref().map_or(0, |news| news.status.rank());
        if rank < RANK_ENDED {
            self.deadline = self.deadline.max(update.news.deadline);
        }
    }

    /// What a player sees. After the end there is no deadline.
    pub(crate) fn seen(&self) -> (Status, Option<News>, Option<u64>) {
        let status = self.news.as_ref().map_or(Status::Requested, |news| news.status);
        (status, self.news.clone(), self.deadline.filter(|_| !status.is_final()))
    }
}

/// The same of a row.
pub(crate) fn seen(row: &Row) -> (Status, Option<News>, Option<u64>) {
    let news = (!row.order.is_empty()).then(|| News {
        status: row.status,
        team: row.team.clone(),
        accepted: row.agreed.zip(row.asked),
        deadline: None,
        estimated_wait_ms: row.wait,
        reason: row.reason.clone(),
        connection: row.connection.clone(),
    });
    (row.status, news, row.deadline.filter(|_| !row.status.is_final()))
}
