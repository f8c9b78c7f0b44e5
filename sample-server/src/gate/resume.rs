//! The secret that brings a player back to a seat.

use std::fmt;

use subtle::ConstantTimeEq;

/// Length of a token in bytes. 128 random bits cannot be guessed, however many connections try.
pub const RESUME_TOKEN_LEN: usize = 16;

/// Brings one player back to one seat, once. Made by the shell, because a value has no randomness of its own.
#[derive(Clone, Copy)]
pub struct ResumeToken([u8; RESUME_TOKEN_LEN]);

impl ResumeToken {
    /// A token of these bytes, which must be random.
    #[must_use]
    pub const fn new(random: [u8; RESUME_TOKEN_LEN]) -> Self {
        Self(random)
    }

    /// What goes into Welcome.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// Whether somebody presented this token. Takes the same time wherever the first difference is, so that nobody can
    /// feel their way to it byte by byte.
    #[must_use]
    pub fn is(&self, presented: &[u8]) -> bool {
        self.0.ct_eq(presented).into()
    }
}

impl PartialEq for ResumeToken {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for ResumeToken {}

/// Without the secret.
impl fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_itself_alone_and_does_not_print() {
        let token = ResumeToken::new([7; RESUME_TOKEN_LEN]);
        assert!(token.is(&[7; RESUME_TOKEN_LEN]));
        for other in [&[7; 15][..], &[7; 17], &[], &[0; 16]] {
            assert!(!token.is(other));
        }
        assert_eq!(format!("{token:?}"), "ResumeToken(..)");
    }
}
