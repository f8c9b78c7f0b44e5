//! A member's consent to a party, and what is their own in it.

use uuid::Uuid;

use super::{Inner, Invite, InviteRequest, check};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::store::{Consent, Own};

impl Inner {
    pub(super) async fn invite(&self, caller: &Caller, request: InviteRequest) -> Result<Invite, Problem> {
        let InviteRequest { latencies, attributes } = request;
        // Now, while the member is there to be told; the leader could not mend it.
        check::latencies(&latencies)?;
        check::attributes(&self.settings, attributes.clone())?;
        if !latencies.is_empty() {
            check::known(&latencies, &self.locations().await?)?;
        }
        // 122 bits of the system's randomness: nobody guesses it.
        let token = Uuid::new_v4().simple().to_string();
        let consent = Consent { token, member: caller.player.clone(), own: Own { latencies, attributes } };
        let expires_at = self.store.invite(&consent, self.now()).await?;
        Ok(Invite { token: consent.token, expires_at })
    }
}
