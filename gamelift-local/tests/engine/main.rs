//! The engine on virtual time: every transition, one sentence each.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod aliases;
mod backfill;
mod bad_input;
mod bench;
mod computes;
mod duplicates;
mod events;
mod fleet_events;
mod fleets;
mod game_sessions;
mod interruptions;
mod match_outcomes;
mod matchmaking;
mod matchmaking_properties;
mod matchmaking_requests;
mod placements;
mod player_sessions;
mod processes;
mod properties;
mod queues;
mod resources;
mod samples;
mod search;
mod session_updates;
mod tags;
mod tickets_overview;
mod wire;
