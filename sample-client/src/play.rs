//! A bot: plays by walking in a circle.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::error::LeaveReason;
use crate::player::{INPUT_RATE_HZ, Player, PlayerEvent};
use crate::stats::Stats;

/// Full speed in sixteen directions, in order: a circle.
const CIRCLE: [(i32, i32); 16] = [
    (127, 0),
    (117, 49),
    (90, 90),
    (49, 117),
    (0, 127),
    (-49, 117),
    (-90, 90),
    (-117, 49),
    (-127, 0),
    (-117, -49),
    (-90, -90),
    (-49, -117),
    (0, -127),
    (49, -117),
    (90, -90),
    (117, -49),
];

/// For how many inputs a bot keeps its direction: once around takes about two seconds.
const INPUTS_PER_DIRECTION: u32 = 8;

/// How a bot's game ended.
#[derive(Clone, Debug)]
pub struct Played {
    /// What was measured.
    pub stats: Stats,
    /// How long it played.
    pub duration: Duration,
    /// Why it stopped before its time, if it did. [`LeaveReason::ServerClosed`] is a normal end.
    pub ended: Option<LeaveReason>,
    /// Whether the server announced that it goes away.
    pub warned: bool,
}

/// Walks in a circle for `duration`, at [`INPUT_RATE_HZ`] inputs per second, then leaves.
///
/// # Cancel safety
/// Dropping the future leaves the game without waiting for the server to know.
pub async fn play(player: Player, duration: Duration) -> Played {
    play_until(player, sleep(duration)).await
}

/// As [`play`], until `over`.
///
/// # Cancel safety
/// As [`play`].
pub async fn play_until(mut player: Player, over: impl Future<Output = ()>) -> Played {
    let start = Instant::now();
    let mut over = pin!(over);
    let mut inputs = interval(Duration::from_secs(1) / INPUT_RATE_HZ);
    inputs.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // Everybody starts in another direction.
    let mut step = player.welcome().player_number.wrapping_mul(INPUTS_PER_DIRECTION);
    let mut warned = false;
    let ended = loop {
        tokio::select! {
            () = &mut over => break None,
            _ = inputs.tick() => {
                let (x, y) = CIRCLE[(step / INPUTS_PER_DIRECTION) as usize % CIRCLE.len()];
                step = step.wrapping_add(1);
                if let Err(reason) = player.send_input(x, y) {
                    break Some(reason);
                }
            }
            event = player.next() => match event {
                Ok(PlayerEvent::ServerClosing(notice)) => {
                    tracing::info!(seconds = notice.as_secs(), "the server is closing");
                    warned = true;
                }
                Ok(_) => {}
                Err(reason) => break Some(reason),
            },
        }
    };
    let duration = start.elapsed();
    Played { stats: player.leave().await, duration, ended, warned }
}
