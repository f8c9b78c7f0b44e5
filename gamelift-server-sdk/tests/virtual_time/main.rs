//! A process and a scripted service over sockets in memory, on virtual time: raw frames on the service's side, nothing of the
//! emulator's.
#![cfg(test)]

mod better_than_official;
mod calls;
mod credentials;
mod driver;
mod offline;
mod scenarios;
mod stage;
