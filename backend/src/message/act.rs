//! What a message asks for is done.

use super::Action;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::service::{Backend, IdempotencyKey};
use crate::ticket::Ticket;

/// Does it; the ticket as it is then, or none after a ping.
pub(crate) async fn act(
    backend: &Backend,
    caller: &Caller,
    action: Action,
) -> Result<Option<Ticket>, Problem> {
    let ticket = match action {
        Action::Start { idempotency_key, request } => {
            let key: IdempotencyKey = idempotency_key.parse()?;
            backend.start(caller, &key, request).await?.ticket
        }
        Action::Cancel { ticket_id } => backend.cancel(caller, &ticket_id).await?,
        Action::Accept { ticket_id, accept } => backend.answer(caller, &ticket_id, accept).await?,
        Action::Status { ticket_id: Some(id) } => backend.ticket(caller, &id).await?,
        Action::Status { ticket_id: None } => backend.current(caller).await?,
        Action::Ping {} => return Ok(None),
    };
    Ok(Some(ticket))
}
