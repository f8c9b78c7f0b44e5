//! Reading a ticket, and asking GameLift when there has been no news for long: an event may be lost, or its topic be down.

use super::Inner;
use crate::caller::PlayerId;
use crate::event::News;
use crate::game_lift::{GameLiftError, Report};
use crate::problem::{Code, Problem};
use crate::store::{Applied, Kind, RECONCILE_AFTER_MS, Read, Row, StoreError};
use crate::ticket::{Connection, Status};

/// The reason of a ticket that GameLift has never heard of: the backend stopped between writing it and starting it.
pub(super) const LOST: &str = "LOST: GameLift does not know the ticket; start another one";

/// The same for a ticket that does not exist and for somebody else's.
fn not_found() -> Problem {
    Problem::new(Code::NotFound, "you have no such ticket")
}

impl Inner {
    /// The row of a player's ticket: of this id, or the latest.
    pub(super) async fn find(
        &self,
        player: &PlayerId,
        ticket_id: Option<&str>,
        read: Read,
    ) -> Result<Row, Problem> {
        let fits = |row: &Row| ticket_id.is_none_or(|id| row.ticket_id == id);
        let row = self.store.ticket(player, read, self.now()).await?.filter(fits);
        match row {
            Some(row) => Ok(row),
            // It may have been written a moment ago.
            None if read == Read::Eventual => {
                let row = self.store.ticket(player, Read::Strong, self.now()).await?;
                row.filter(fits).ok_or_else(not_found)
            }
            None => Err(not_found()),
        }
    }

    /// The same, after asking GameLift if it is time.
    pub(super) async fn fresh(&self, player: &PlayerId, ticket_id: Option<&str>) -> Result<Row, Problem> {
        let row = self.find(player, ticket_id, Read::Eventual).await?;
        let now = self.now();
        // Taking turns is a write, which costs as much if it is refused, so a turn that somebody has is looked at first.
        let latest = row.heard.max(row.inquired.unwrap_or_default());
        if row.status.is_final() || now.saturating_sub(latest) < RECONCILE_AFTER_MS {
            return Ok(row);
        }
        if !self.store.take_turn(player, &row.ticket_id, now).await? {
            return Ok(row);
        }
        match self.ask(&row).await {
            Ok(report) => self.settle(player, row, report).await,
            Err(error) => {
                // What is known is still the best answer; the next turn comes.
                tracing::warn!(%error, "GameLift cannot be asked about a ticket");
                Ok(row)
            }
        }
    }

    pub(super) async fn ask(&self, row: &Row) -> Result<Option<Report>, GameLiftError> {
        match row.kind {
            Kind::Match => self.game_lift.describe_matchmaking(&row.ticket_id).await,
            Kind::Placement => self.game_lift.describe_placement(&row.ticket_id).await,
        }
    }

    /// Writes what GameLift answered, to all players of the ticket; the player's own row as it is then.
    pub(super) async fn settle(
        &self,
        player: &PlayerId,
        row: Row,
        report: Option<Report>,
    ) -> Result<Row, Problem> {
        let says_nothing = report
            .as_ref()
            .is_some_and(|report| report.status == row.status || report.status == Status::Requested);
        if says_nothing {
            return Ok(row);
        }
        for member in row.players(player) {
            let news = match &report {
                Some(report) => news(report, &member),
                None => lost(&row),
            };
            self.report(&member, &row, &news).await?;
        }
        self.find(player, Some(&row.ticket_id), Read::Strong).await
    }

    pub(super) async fn report(&self, player: &PlayerId, seen: &Row, news: &News) -> Result<(), StoreError> {
        let applied = self.store.report(player, seen, news, self.now(), self.keep_until()).await?;
        if let Applied::Changed(row) = applied {
            self.tell(player, &row).await;
        }
        Ok(())
    }
}

fn lost(row: &Row) -> News {
    let status = if row.status == Status::Cancelling { Status::Cancelled } else { Status::Failed };
    News { reason: Some(LOST.to_owned()), ..News::of(status) }
}

fn news(report: &Report, player: &PlayerId) -> News {
    let seat = report.place.as_ref().zip(report.seats.get(player));
    let ended = report.status.is_final() && report.status != Status::Succeeded;
    News {
        team: report.teams.get(player).cloned(),
        estimated_wait_ms: report.estimated_wait_ms.filter(|_| report.status == Status::Searching),
        reason: ended.then(|| report.reason.clone().unwrap_or_else(|| "GameLift gave no reason".to_owned())),
        connection: seat.filter(|_| report.status == Status::Succeeded).map(|(place, player_session_id)| {
            Connection {
                endpoints: vec![place.endpoint.clone()],
                player_session_id: player_session_id.clone(),
                game_session_id: place.game_session_id.clone(),
                certificate_sha256: None,
                // GameLift does not say when the seat was reserved.
                reserve_expires_at: None,
            }
        }),
        ..News::of(report.status)
    }
}
