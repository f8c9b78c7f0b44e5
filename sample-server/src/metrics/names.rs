//! The names of all metrics, and what they mean. The README's table says the same.
//!
//! Labels are words from enums: never an id, an address or anything else that a peer chooses.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Seats of active game sessions.
pub const SEATS: &str = "game_server_seats";
/// Seats that are taken: players, players who may come back, and joins in progress.
pub const SEATS_TAKEN: &str = "game_server_seats_taken";
/// Active game sessions.
pub const GAME_SESSIONS: &str = "game_server_game_sessions";
/// Players in the arena, connected or away.
pub const PLAYERS: &str = "game_server_players";
/// Players let in.
pub const JOINS: &str = "game_server_joins_total";
/// Players who came back to their seat.
pub const RESUMES: &str = "game_server_resumes_total";
/// Peers told why they may not join.
pub const REFUSALS: &str = "game_server_refusals_total";
/// Players who lost their seat.
pub const DEPARTURES: &str = "game_server_departures_total";
/// Connections that ended before anybody was let in or refused.
pub const LOST_BEFORE_JOIN: &str = "game_server_lost_before_join_total";
/// Attempts to connect.
pub const HANDSHAKES: &str = "game_server_handshakes_total";
/// Time one tick takes.
pub const TICK_SECONDS: &str = "game_server_tick_seconds";
/// Ticks left out.
pub const TICKS_SKIPPED: &str = "game_server_ticks_skipped_total";
/// Snapshots handed to QUIC.
pub const SNAPSHOTS: &str = "game_server_snapshots_total";
/// UDP payload received from players.
pub const RECEIVED_BYTES: &str = "game_server_received_bytes_total";
/// UDP payload sent to players.
pub const SENT_BYTES: &str = "game_server_sent_bytes_total";
/// Removals that failed.
pub const REMOVALS_FAILED: &str = "game_server_removals_failed_total";

/// Tells the recorder what each metric means.
pub(super) fn describe() {
    describe_gauge!(SEATS, "Seats of active game sessions.");
    describe_gauge!(SEATS_TAKEN, "Seats taken: players, players who may come back, joins in progress.");
    describe_gauge!(GAME_SESSIONS, "Active game sessions.");
    describe_gauge!(PLAYERS, "Players in the arena, connected or away.");
    describe_counter!(JOINS, "Players let in.");
    describe_counter!(RESUMES, "Players who came back to their seat after a lost connection.");
    describe_counter!(REFUSALS, "Peers told why they may not join, by cause.");
    describe_counter!(DEPARTURES, "Players who lost their seat, by cause.");
    describe_counter!(LOST_BEFORE_JOIN, "Connections that ended before an answer to Hello, by cause.");
    describe_counter!(HANDSHAKES, "Attempts to connect, by outcome.");
    describe_histogram!(TICK_SECONDS, Unit::Seconds, "Time to move everybody and hand out snapshots.");
    describe_counter!(TICKS_SKIPPED, "Ticks left out because the loop was late.");
    describe_counter!(SNAPSHOTS, "Snapshots handed to QUIC.");
    describe_counter!(RECEIVED_BYTES, Unit::Bytes, "UDP payload received from players.");
    describe_counter!(SENT_BYTES, Unit::Bytes, "UDP payload sent to players.");
    describe_counter!(REMOVALS_FAILED, "Players whom GameLift could not be told to remove.");
}
