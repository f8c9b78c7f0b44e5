//! Backfill.
