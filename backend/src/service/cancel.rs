//! Giving up, and answering a proposed match.

use super::Inner;
use crate::caller::PlayerId;
use crate::game_lift::GameLiftError;
use crate::problem::{Code, Problem};
use crate::store::{Kind, RECONCILE_AFTER_MS, Read, Row};
use crate::ticket::{Status, Ticket};

impl Inner {
    pub(super) async fn cancel(&self, player: &PlayerId, ticket_id: &str) -> Result<Ticket, Problem> {
        let row = self.find(player, Some(ticket_id), Read::Strong).await?;
        if row.status.is_final() || row.status == Status::Cancelling {
            return self.cancelled(&row);
        }
        let stopped = match row.kind {
            Kind::Match => self.game_lift.stop_matchmaking(ticket_id).await,
            Kind::Placement => self.game_lift.stop_placement(ticket_id).await,
        };
        match stopped {
            Ok(()) => {
                for member in row.players(player) {
                    let applied = self.store.cancelling(&member, ticket_id, self.now()).await?;
                    if let crate::store::Applied::Changed(row) = applied {
                        self.tell(&member, &row).await;
                    }
                }
                // Or it has ended meanwhile.
                let row = self.find(player, Some(ticket_id), Read::Strong).await?;
                self.cancelled(&row)
            }
            // It is too late to stop, and GameLift knows how far it is.
            Err(GameLiftError::Refused(_)) => {
                let report = self.ask(&row).await?;
                let row = self.settle(player, row, report).await?;
                if row.status.is_final() { self.cancelled(&row) } else { Err(self.placed(&row)) }
            }
            // Its start may be under way in another process.
            Err(GameLiftError::NotFound(text))
                if self.now().saturating_sub(row.created) < RECONCILE_AFTER_MS =>
            {
                Err(GameLiftError::Unavailable(text).into())
            }
            Err(GameLiftError::NotFound(_)) => {
                let row = self.settle(player, row, None).await?;
                self.cancelled(&row)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A ticket that is being cancelled or has ended. With a seat it cannot be cancelled: the seat is really reserved.
    fn cancelled(&self, row: &Row) -> Result<Ticket, Problem> {
        if row.status == Status::Succeeded { Err(self.placed(row)) } else { Ok(self.view(row)) }
    }

    fn placed(&self, row: &Row) -> Problem {
        let message = "the match is made, so the ticket cannot be cancelled; play, or do not come";
        let problem = Problem::new(Code::TicketPlaced, message);
        match serde_json::to_value(self.view(row)) {
            Ok(ticket) => problem.with_details(serde_json::json!({"ticket": ticket})),
            Err(error) => {
                tracing::error!(%error, "a ticket cannot be written as JSON");
                problem
            }
        }
    }

    pub(super) async fn answer(
        &self,
        player: &PlayerId,
        ticket_id: &str,
        accept: bool,
    ) -> Result<Ticket, Problem> {
        let row = self.find(player, Some(ticket_id), Read::Strong).await?;
        if row.kind == Kind::Placement || row.status != Status::RequiresAcceptance {
            return Err(not_in_acceptance(row.status));
        }
        match self.game_lift.accept_match(ticket_id, player, accept).await {
            Ok(()) => Ok(self.view(&row)),
            // The others have decided meanwhile, or the time is up.
            Err(GameLiftError::Refused(_) | GameLiftError::NotFound(_)) => {
                let report = self.ask(&row).await?;
                let row = self.settle(player, row, report).await?;
                Err(not_in_acceptance(row.status))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn not_in_acceptance(status: Status) -> Problem {
    let message = format!("the ticket is {status:?}: it is not waiting for an answer; read it again");
    Problem::new(Code::NotInAcceptance, message)
}
