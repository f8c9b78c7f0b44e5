//! SDK and local GameLift together, without a socket and on virtual time.
#![cfg(test)]

mod acceptance;
mod backfill;
mod game_server;
mod in_process;
mod placement;
mod server_life;
mod tickets;
mod world;
