//! The game server beside bare quinn, in the same run.
//!
//! `cargo bench -p sample-server --bench quinn`; one part alone: `-- joins | fan-out | bots`; pinned: `taskset -c 0,1 cargo ...`
//!
//! Bare quinn is the floor: the same TLS and transport settings and the same packets, and nothing that makes it a game (no
//! Hello to check, no GameLift, no room). Each server has one thread, whose CPU time the kernel counts; the players are
//! quinn clients on another thread. Rounds alternate between the two, so that a noisy neighbour hits both. Trust the ratios.

mod players;
mod servers;

use std::time::Duration;

use players::{Players, Seen};
use servers::{Kind, Server};

const ROUNDS: usize = 7;

/// Joins per round: more than one full game session, so that the server needs several.
const JOINS: usize = 600;

/// How long each fan-out round plays.
const PLAY: Duration = Duration::from_secs(3);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` only wants to know that it builds.
    if arguments.iter().any(|it| it == "--test") {
        return;
    }
    let chosen: Vec<&String> = arguments.iter().filter(|it| !it.starts_with("--")).collect();
    let wanted = |part: &str| chosen.is_empty() || chosen.iter().any(|it| *it == part);
    if wanted("joins") {
        joins();
    }
    if wanted("fan-out") {
        for players in [64, 200] {
            fan_out(players);
        }
    }
    if wanted("bots") {
        for players in [250, 500, 1000] {
            bots(players);
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One round for each kind per turn; the medians, bare quinn first.
fn rotate(mut round: impl FnMut(Kind) -> f64) -> [f64; 2] {
    let mut all = [Vec::new(), Vec::new()];
    for turn in 0..ROUNDS {
        for place in 0..2 {
            let which = (turn + place) % 2;
            all[which].push(round([Kind::Bare, Kind::Game][which]));
        }
    }
    all.map(median)
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
fn joins() {
    let mut rates = [Vec::new(), Vec::new()];
    let [bare, game] = rotate(|kind| {
        let server = Server::start(kind, JOINS);
        let players = Players::start();
        let before = server.cpu();
        let took = players.join_and_leave(&server, JOINS);
        let cpu = server.cpu() - before;
        rates[kind as usize].push(JOINS as f64 / took.as_secs_f64());
        cpu.as_secs_f64() * 1e6 / JOINS as f64
    });
    let [bare_rate, game_rate] = rates.map(median);
    println!(
        "joins: server CPU per join   bare quinn {bare:.0} us   game server {game:.0} us   ratio {:.2}",
        game / bare
    );
    println!(
        "joins: joins/s, 16 at a time bare quinn {bare_rate:.0}      game server {game_rate:.0}      ratio {:.2}",
        game_rate / bare_rate
    );
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
fn fan_out(count: usize) {
    let mut lost = [0.0, 0.0];
    let [bare, game] = rotate(|kind| {
        let server = Server::start(kind, count);
        let players = Players::start();
        let (cpu, seen) = play(&server, &players, count);
        lost[kind as usize] += seen.loss_percent() / ROUNDS as f64;
        cpu.as_secs_f64() * 1e6 / seen.snapshots as f64
    });
    println!(
        "fan-out {count} x 60 Hz, with as many inputs: server CPU per snapshot   bare quinn {bare:.1} us   game server {game:.1} us   ratio {:.2}   (lost: {:.2} %, {:.2} %)",
        game / bare,
        lost[0],
        lost[1]
    );
}

/// How much CPU the server took while its players played, and what they saw.
fn play(server: &Server, players: &Players, count: usize) -> (Duration, Seen) {
    let playing = players.join(server, count);
    let before = server.cpu();
    let seen = players.play(playing, PLAY);
    (server.cpu() - before, seen)
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
fn bots(count: usize) {
    for kind in [Kind::Bare, Kind::Game] {
        let server = Server::start(kind, count);
        let players = Players::start();
        let playing = players.join(&server, count);
        let (before, players_before) = (server.cpu(), players.cpu());
        let seen = players.play(playing, PLAY);
        let cpu = server.cpu() - before;
        println!(
            "{count} bots at 60 Hz, {}: {:.1} snapshots/s each, {:.2} % lost, inputs {:.1}/s each; server thread {:.0} %, players' thread {:.0} % of a core",
            kind.name(),
            seen.snapshots as f64 / PLAY.as_secs_f64() / count as f64,
            seen.loss_percent(),
            seen.inputs as f64 / PLAY.as_secs_f64() / count as f64,
            100.0 * cpu.as_secs_f64() / PLAY.as_secs_f64(),
            100.0 * (players.cpu() - players_before).as_secs_f64() / PLAY.as_secs_f64(),
        );
    }
}
