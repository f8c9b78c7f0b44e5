//! The way back into a game.

use super::{Inner, view};
use crate::caller::PlayerId;
use crate::game_lift::{GameLiftError, SeatStatus};
use crate::problem::{Code, Problem};
use crate::store::{Applied, Read, Row};
use crate::ticket::{Connection, RESERVATION_MS, Status};

fn no_session() -> Problem {
    Problem::new(Code::NoSession, "you have no seat in a game session that is still on; start a match")
}

impl Inner {
    pub(super) async fn session(&self, player: &PlayerId) -> Result<Connection, Problem> {
        let row = self.fresh(player, None).await.map_err(|problem| match problem.code {
            Code::NotFound => no_session(),
            _ => problem,
        })?;
        let Row { status: Status::Succeeded, connection: Some(connection), .. } = &row else {
            return Err(no_session());
        };
        let seat = self.game_lift.seat(&connection.player_session_id).await?.ok_or_else(no_session)?;
        let connection = match seat.status {
            SeatStatus::Reserved => Connection {
                reserve_expires_at: Some(seat.created_at.saturating_add(RESERVATION_MS)),
                ..connection.clone()
            },
            // The game server has not noticed yet that the player is gone, or another device of theirs plays.
            SeatStatus::Active => Connection { reserve_expires_at: None, ..connection.clone() },
            SeatStatus::Over => self.take_seat_again(player, &row, connection).await?,
        };
        Ok(view::certified(connection, &self.settings))
    }

    async fn take_seat_again(
        &self,
        player: &PlayerId,
        row: &Row,
        lapsed: &Connection,
    ) -> Result<Connection, Problem> {
        let seat = match self.game_lift.take_seat(&lapsed.game_session_id, player).await {
            Ok(seat) => seat,
            // The game is over or full.
            Err(GameLiftError::Refused(_) | GameLiftError::NotFound(_)) => return Err(no_session()),
            Err(error) => return Err(error.into()),
        };
        let connection = Connection {
            player_session_id: seat.player_session_id,
            reserve_expires_at: Some(self.now().saturating_add(RESERVATION_MS)),
            ..lapsed.clone()
        };
        let lapsed = &lapsed.player_session_id;
        match self.store.reseat(player, &row.ticket_id, lapsed, &connection, self.now()).await? {
            Applied::Changed(row) => {
                self.tell(player, &row).await;
                Ok(connection)
            }
            // Another device was faster. Its seat counts, and ours lapses.
            Applied::Stale => {
                let row = self.find(player, None, Read::Strong).await?;
                row.connection.ok_or_else(no_session)
            }
        }
    }
}
