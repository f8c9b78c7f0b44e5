//! The game: an arena in which players move.
//!
//! The server is authoritative: a client says where it *wants* to go, and only [`Room::step`] moves anybody.
//! All arithmetic is on integers, and players are visited in the order of their numbers, so the same inputs give
//! the same bytes on every machine. That is what makes a replay, or a test with a golden hash, possible.
//!
//! Pure: no clock (a tick is a call), no socket (a snapshot is bytes).
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use game_proto::{Input, Message, Snapshot, Welcome};

/// Most players of a room: GameLift's own limit for `MaximumPlayerSessionCount`.
///
/// A snapshot of this many still fits one datagram (tests/room.rs proves it for the worst case).
pub const PLAYERS_MAX: usize = 200;

/// Simulation steps per second, and snapshots per second to each player.
pub const TICK_RATE_HZ: u32 = 60;

/// Size of the arena. Both stay below 2^14, so that a coordinate takes two bytes in a snapshot.
pub const ARENA_WIDTH: i32 = 16_000;
/// See [`ARENA_WIDTH`].
pub const ARENA_HEIGHT: i32 = 9_000;
const _: () = assert!(ARENA_WIDTH < 1 << 14 && ARENA_HEIGHT < 1 << 14, "coordinates must take two bytes");

/// How far full speed gets a player in one tick: across the arena in some five seconds.
pub const FULL_SPEED: i32 = 50;

/// The length of [`Input`]'s direction that means full speed.
pub const INPUT_LENGTH_MAX: i32 = 127;

/// For how many ticks an input holds when no newer one arrives: half a second.
///
/// Longer than any burst of lost datagrams that a player can still play through; short enough that somebody whose
/// connection broke does not walk on until it times out.
pub const INPUT_HOLD_TICKS: u32 = TICK_RATE_HZ / 2;

/// A player's number in a room: 1 to the number of seats, the lowest that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayerNumber(pub u32);

#[derive(Clone, Debug)]
struct Body {
    x: i32,
    y: i32,
    /// The newest input, in effect while `held` is above zero.
    input: Input,
    held: u32,
}

/// The players of one game session and where they are.
#[derive(Clone, Debug)]
pub struct Room {
    seats: u32,
    tick: u32,
    bodies: BTreeMap<PlayerNumber, Body>,
}

impl Room {
    /// An empty room for at most `seats` players, and never more than [`PLAYERS_MAX`].
    #[must_use]
    pub fn new(seats: usize) -> Self {
        Self { seats: seats.min(PLAYERS_MAX) as u32, tick: 0, bodies: BTreeMap::new() }
    }

    /// Puts a new player into the arena, or returns `None` when every seat is taken.
    pub fn join(&mut self) -> Option<PlayerNumber> {
        let number = (1..=self.seats).map(PlayerNumber).find(|number| !self.bodies.contains_key(number))?;
        // Everybody starts at a place of their own: on a grid of 20 columns.
        let (column, row) = ((number.0 as i32 - 1) % 20, (number.0 as i32 - 1) / 20);
        let (x, y) = ((2 * column + 1) * ARENA_WIDTH / 40, (2 * row + 1) * ARENA_HEIGHT / 20);
        self.bodies.insert(number, Body { x, y, input: Input::default(), held: 0 });
        Some(number)
    }

    /// Takes a player out. Whether there was one.
    pub fn leave(&mut self, number: PlayerNumber) -> bool {
        self.bodies.remove(&number).is_some()
    }

    /// Notes where a player wants to go. Whether it was news: late, repeated and foreign inputs change nothing.
    pub fn input(&mut self, number: PlayerNumber, input: Input) -> bool {
        match self.bodies.get_mut(&number) {
            Some(body) if input.sequence > body.input.sequence => {
                body.input = input;
                body.held = INPUT_HOLD_TICKS;
                true
            }
            _ => false,
        }
    }

    /// The player is back with a client that counts its inputs from 1 again.
    pub fn resume(&mut self, number: PlayerNumber) {
        if let Some(body) = self.bodies.get_mut(&number) {
            body.input = Input::default();
            body.held = 0;
        }
    }

    /// Moves everybody by one tick.
    pub fn step(&mut self) {
        self.tick = self.tick.wrapping_add(1); // After 828 days.
        for body in self.bodies.values_mut() {
            if body.held == 0 {
                continue;
            }
            body.held -= 1;
            let (dx, dy) = velocity(&body.input);
            body.x = (body.x + dx).clamp(0, ARENA_WIDTH);
            body.y = (body.y + dy).clamp(0, ARENA_HEIGHT);
        }
    }

    /// How many steps were taken.
    #[must_use]
    pub fn tick(&self) -> u32 {
        self.tick
    }

    /// Who is here, in order.
    pub fn players(&self) -> impl Iterator<Item = PlayerNumber> + '_ {
        self.bodies.keys().copied()
    }

    /// Where a player is.
    #[must_use]
    pub fn position(&self, number: PlayerNumber) -> Option<(i32, i32)> {
        self.bodies.get(&number).map(|body| (body.x, body.y))
    }

    /// What a new player is told about the room.
    #[must_use]
    pub fn welcome(&self, number: PlayerNumber) -> Welcome {
        Welcome {
            player_number: number.0,
            tick_rate_hz: TICK_RATE_HZ,
            arena_width: ARENA_WIDTH as u32,
            arena_height: ARENA_HEIGHT as u32,
            players_max: self.seats,
            ..Welcome::default()
        }
    }

    /// The part of this tick's snapshot that is the same for everybody, encoded once.
    #[must_use]
    pub fn everybody(&self) -> Bytes {
        let mut snapshot = Snapshot { tick: self.tick, ..Snapshot::default() };
        for (number, body) in &self.bodies {
            snapshot.player_number.push(number.0);
            snapshot.x.push(body.x as u32);
            snapshot.y.push(body.y as u32);
        }
        snapshot.encode_to_vec().into()
    }

    /// The snapshot for one player: `everybody` plus the newest input of theirs that it reflects.
    ///
    /// Protobuf messages that follow each other merge into one (protobuf.dev, "Encoding", last one wins), so the
    /// expensive part is copied and not encoded again: 200 players would otherwise mean 40,000 encodings per tick.
    #[must_use]
    pub fn snapshot(&self, number: PlayerNumber, everybody: &Bytes) -> Bytes {
        let last_input = self.bodies.get(&number).map_or(0, |body| body.input.sequence);
        let own = Snapshot { last_input, ..Snapshot::default() };
        let mut datagram = BytesMut::with_capacity(everybody.len() + own.encoded_len());
        datagram.extend_from_slice(everybody);
        own.encode_raw(&mut datagram);
        datagram.freeze()
    }
}

/// What an input moves in one tick. However long a direction a client sends, it is never faster than full speed.
fn velocity(input: &Input) -> (i32, i32) {
    let clamp = |axis: i32| axis.clamp(-INPUT_LENGTH_MAX, INPUT_LENGTH_MAX);
    let (x, y) = (clamp(input.move_x), clamp(input.move_y));
    // Both axes at 127 are longer than 127: scale by the true length then.
    let length = (x * x + y * y).isqrt().max(INPUT_LENGTH_MAX);
    (x * FULL_SPEED / length, y * FULL_SPEED / length)
}
