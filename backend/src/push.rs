//! Telling players that their ticket has changed.
