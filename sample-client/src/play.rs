//! A bot: plays by walking in a circle.

use std::pin::{Pin, pin};
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
    /// How often the connection was lost and the player came back to the seat.
    pub resumes: u32,
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
pub async fn play_until(player: Player, over: impl Future<Output = ()>) -> Played {
    play_watched(player, over, |_, _| {}).await
}

/// As [`play_until`], telling `watch` everything the server says. It must be quick: the player waits for it.
///
/// A player whose connection is lost comes back to the seat if the server still keeps it.
///
/// # Cancel safety
/// As [`play`].
pub async fn play_watched(
    mut player: Player,
    over: impl Future<Output = ()>,
    mut watch: impl FnMut(&Player, &PlayerEvent),
) -> Played {
    let start = Instant::now();
    let mut over = pin!(over);
    let (mut warned, mut resumes) = (false, 0);
    loop {
        let ended = walk(&mut player, over.as_mut(), |player, event| {
            if let PlayerEvent::ServerClosing(notice) = event {
                tracing::info!(seconds = notice.as_secs(), "the server is closing");
                warned = true;
            }
            watch(player, event);
        })
        .await;
        let Some(lost) = ended.clone().filter(LeaveReason::is_drop) else {
            let duration = start.elapsed();
            return Played { stats: player.leave().await, duration, ended, resumes, warned };
        };
        tracing::info!(%lost, "coming back to the seat");
        let stats = player.stats().clone();
        let gone = |stats| Played { stats, duration: start.elapsed(), ended, resumes, warned };
        player = tokio::select! {
            () = &mut over => return gone(stats),
            resumed = player.resume() => match resumed {
                Ok(player) => player,
                Err((error, stats)) => {
                    tracing::info!(%error, "no way back to the seat");
                    return gone(stats);
                }
            },
        };
        resumes += 1;
    }
}

/// Walks until `over` or until the connection is.
async fn walk(
    player: &mut Player,
    mut over: Pin<&mut impl Future<Output = ()>>,
    mut on: impl FnMut(&Player, &PlayerEvent),
) -> Option<LeaveReason> {
    let mut inputs = interval(Duration::from_secs(1) / INPUT_RATE_HZ);
    inputs.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // Everybody starts in another direction.
    let mut step = player.welcome().player_number.wrapping_mul(INPUTS_PER_DIRECTION);
    loop {
        tokio::select! {
            () = &mut over => return None,
            _ = inputs.tick() => {
                let (x, y) = CIRCLE[(step / INPUTS_PER_DIRECTION) as usize % CIRCLE.len()];
                step = step.wrapping_add(1);
                if let Err(reason) = player.send_input(x, y) {
                    return Some(reason);
                }
            }
            event = player.next() => match event {
                Ok(event) => on(player, &event),
                Err(reason) => return Some(reason),
            },
        }
    }
}
