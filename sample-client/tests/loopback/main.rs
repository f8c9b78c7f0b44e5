//! The client over loopback, against servers that do what the test says.
#![cfg(test)]

mod backend;
mod backend_server;
mod game_server;
mod player;
mod push;
mod signature;
mod swarm;
