//! What the backend needs of the GameLift API.

/// What the backend needs of the GameLift API.
pub trait GameLift: Send + Sync {}
