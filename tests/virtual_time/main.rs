//! SDK and local GameLift together, without a socket and on virtual time (and once, for the guide, with a program of its own).
#![cfg(test)]

mod acceptance;
mod backfill;
mod game_server;
mod guide;
mod in_process;
mod placement;
mod server_life;
mod tickets;
mod world;
