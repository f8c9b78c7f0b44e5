//! Why a connection was closed: QUIC application close codes, the same on both sides.

use crate::RefusalReason;

/// The player left, or the game is over: nothing went wrong.
pub const DONE: u32 = 0;

/// The server has gone away, after saying so ([`ServerClosing`](crate::ServerClosing)).
pub const SERVER_CLOSED: u32 = 1;

/// The peer sent something that is not this protocol.
pub const PROTOCOL_VIOLATION: u32 = 2;

/// The peer does not read what it is sent, so that events queue up for it.
pub const TOO_SLOW: u32 = 3;

/// The player is back on another connection, by its resume token. Do not come back: that would put out the newer one.
pub const RESUMED_ELSEWHERE: u32 = 4;

/// Refusals are this plus their [`RefusalReason`].
pub const REFUSED: u32 = 0x100;

/// The close code of a refusal.
#[must_use]
pub const fn refused(reason: RefusalReason) -> u32 {
    REFUSED + reason as u32
}

/// The refusal behind a close code, if it is one.
///
/// A reason that this version does not know is [`RefusalReason::Unspecified`].
#[must_use]
pub fn refusal(code: u64) -> Option<RefusalReason> {
    let reason = code.checked_sub(u64::from(REFUSED)).filter(|reason| *reason < u64::from(REFUSED))?;
    Some(i32::try_from(reason).ok().and_then(|reason| reason.try_into().ok()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_codes_translate_both_ways_and_others_are_not_refusals() {
        assert_eq!(refused(RefusalReason::RoomFull), 0x105);
        assert_eq!(refusal(0x105), Some(RefusalReason::RoomFull));
        assert_eq!(refusal(0x1ff), Some(RefusalReason::Unspecified), "from a newer server");
        for other in [DONE, SERVER_CLOSED, PROTOCOL_VIOLATION, TOO_SLOW, RESUMED_ELSEWHERE, 2 * REFUSED] {
            assert_eq!(refusal(other.into()), None);
        }
    }
}
