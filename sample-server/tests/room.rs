//! The room: deterministic, fair about speed, and its snapshots fit a datagram.
#![cfg(test)]

use game_proto::{DATAGRAM_LEN_MAX, Input, Message, Snapshot};
use proptest::prelude::*;
use sample_server::room::{
    ARENA_HEIGHT, ARENA_WIDTH, FULL_SPEED, INPUT_HOLD_TICKS, PLAYERS_MAX, PlayerNumber, Room,
};
use sha2::{Digest, Sha256};

fn input(sequence: u32, move_x: i32, move_y: i32) -> Input {
    Input { sequence, move_x, move_y }
}

fn room_of_one() -> (Room, PlayerNumber) {
    let mut room = Room::new(4);
    let player = room.join().unwrap();
    (room, player)
}

fn snapshot(room: &Room, player: PlayerNumber) -> Snapshot {
    Snapshot::decode(room.snapshot(player, &room.everybody())).unwrap()
}

/// How far the player moves in the next tick.
fn step(room: &mut Room, player: PlayerNumber) -> (i32, i32) {
    let before = room.position(player).unwrap();
    room.step();
    let after = room.position(player).unwrap();
    (after.0 - before.0, after.1 - before.1)
}

#[test]
fn same_inputs_give_the_same_bytes_on_every_machine() {
    let mut room = Room::new(PLAYERS_MAX);
    let players: Vec<_> = (0..20).map(|_| room.join().unwrap()).collect();
    let mut hash = Sha256::new();
    for tick in 1..=600_u32 {
        for (i, player) in players.iter().enumerate() {
            let turn = (tick as i32 * (i as i32 + 3)) % 255 - 127;
            room.input(*player, input(tick, turn, 127 - turn.abs()));
        }
        room.step();
        hash.update(room.snapshot(players[0], &room.everybody()));
    }
    // When the rules of the game change on purpose, so does this.
    assert_eq!(hex::encode(hash.finalize()), GOLDEN);
}

const GOLDEN: &str = "3d961821f40de33516978a45702c262f84f08cdaa91b22311e7633c33c23b66c";

#[test]
fn snapshot_of_the_fullest_room_fits_a_datagram() {
    let mut room = Room::new(PLAYERS_MAX);
    let players: Vec<_> = (0..PLAYERS_MAX).map(|_| room.join().unwrap()).collect();
    // The worst case of every field: high coordinates, a late tick, a late input. Ticks are counted one by one, so
    // the tick's last four bytes are added instead of waited for.
    for (sequence, player) in players.iter().enumerate() {
        room.input(*player, input(u32::MAX - sequence as u32, 127, 127));
    }
    for _ in 0..1000 {
        room.step();
    }
    let longest_tick = Snapshot { tick: u32::MAX, ..Snapshot::default() }.encoded_len();
    let this_tick = Snapshot { tick: room.tick(), ..Snapshot::default() }.encoded_len();
    let everybody = room.everybody();
    for player in players {
        let length = room.snapshot(player, &everybody).len() + longest_tick - this_tick;
        assert!(length <= DATAGRAM_LEN_MAX, "{length} bytes");
    }
}

#[test]
fn room_takes_as_many_as_it_has_seats_and_numbers_are_used_again() {
    let mut room = Room::new(2);
    let (first, second) = (room.join().unwrap(), room.join().unwrap());
    assert_eq!((first.0, second.0), (1, 2));
    assert_eq!(room.join(), None);
    assert!(room.leave(first));
    assert!(!room.leave(first), "only once");
    assert_eq!(room.join(), Some(first));
}

#[test]
fn room_never_takes_more_than_its_snapshots_can_show() {
    let mut room = Room::new(PLAYERS_MAX + 1);
    assert_eq!((0..=PLAYERS_MAX).filter_map(|_| room.join()).count(), PLAYERS_MAX);
}

#[test]
fn late_repeated_and_foreign_inputs_change_nothing() {
    let (mut room, player) = room_of_one();
    assert!(room.input(player, input(5, 127, 0)));
    assert!(!room.input(player, input(5, -127, 0)), "repeated");
    assert!(!room.input(player, input(4, -127, 0)), "late");
    assert!(!room.input(PlayerNumber(9), input(6, 127, 0)), "foreign");
    assert_eq!(step(&mut room, player), (FULL_SPEED, 0));
    assert_eq!(snapshot(&room, player).last_input, 5);
}

#[test]
fn input_holds_for_half_a_second_and_then_the_player_stops() {
    let (mut room, player) = room_of_one();
    room.input(player, input(1, 127, 0));
    for _ in 0..INPUT_HOLD_TICKS {
        assert_eq!(step(&mut room, player), (FULL_SPEED, 0));
    }
    assert_eq!(step(&mut room, player), (0, 0));
}

#[test]
fn snapshot_shows_everybody_and_the_receivers_own_newest_input() {
    let mut room = Room::new(3);
    let (first, second) = (room.join().unwrap(), room.join().unwrap());
    room.input(first, input(7, 0, 0));
    room.step();
    let (seen_by_first, seen_by_second) = (snapshot(&room, first), snapshot(&room, second));
    assert_eq!((seen_by_first.last_input, seen_by_second.last_input), (7, 0));
    assert_eq!(seen_by_first.player_number, [1, 2]);
    assert_eq!(seen_by_first.tick, 1);
    let (x, y) = room.position(second).unwrap();
    assert_eq!((seen_by_first.x[1], seen_by_first.y[1]), (x as u32, y as u32));
}

proptest! {
    #[test]
    fn no_input_is_faster_than_full_speed_or_leaves_the_arena(
        moves in prop::collection::vec((any::<i32>(), any::<i32>()), 1..100),
    ) {
        let (mut room, player) = room_of_one();
        for (sequence, (x, y)) in (1..).zip(moves) {
            room.input(player, input(sequence, x, y));
            let (dx, dy) = step(&mut room, player);
            // The length of a direction is rounded down, so a step may be one unit longer.
            prop_assert!(dx * dx + dy * dy <= (FULL_SPEED + 1) * (FULL_SPEED + 1), "({dx}, {dy})");
            let (x, y) = room.position(player).unwrap();
            prop_assert!((0..=ARENA_WIDTH).contains(&x) && (0..=ARENA_HEIGHT).contains(&y));
        }
    }
}
