//! From a seat to the end of the game: finding the server, knowing that it is the one, playing, coming back after a drop.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use game_proto::RefusalReason;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::error::PlayError;
use super::matchmaking::Milestone;
use super::model::Connection;
use super::poll::Patience;
use crate::error::{JoinError, LeaveReason};
use crate::play::play_watched;
use crate::player::{JoinConfig, Player, PlayerEvent};
use crate::stats::Stats;
use crate::trust::Trust;

/// How often coming back is tried after a drop before it is given up. With the waits between them, about eight seconds
/// besides the attempts themselves: a game server that crashed does not come back.
pub const RETURN_ATTEMPTS_MAX: u32 = 5;
/// A connection that held this long was a good one. After a shorter one, coming back a second time waits, longer each time.
pub const HELD_MIN: Duration = Duration::from_secs(10);
/// How often a seat is presented to a server that is too busy to look at it.
pub const JOIN_ATTEMPTS_MAX: u32 = 4;
/// Addresses of one game server that are tried.
pub const ENDPOINTS_MAX: usize = 4;

/// How a player plays.
#[derive(Clone, Debug)]
pub struct GameOptions {
    /// How long to play.
    pub play_for: Duration,
    /// A PEM file with authorities to trust besides the system's, for servers that are verified by their DNS name.
    pub extra_roots: Option<PathBuf>,
}

/// How it was.
#[derive(Clone, Debug)]
pub struct Game {
    /// What was measured, over all connections.
    pub stats: Stats,
    /// How long was played.
    pub duration: Duration,
    /// How often the player was lost and came back.
    pub returns: u32,
    /// Whether the server announced that it goes away.
    pub warned: bool,
    /// Why it ended before its time, if it did.
    pub ended: Option<LeaveReason>,
}

impl Client {
    /// Takes the seat and plays until the time is over, `stop` is cancelled or the game ends. After a drop the player asks
    /// the backend where the game is, and goes back. A player who was stopped before they were in has played for no time.
    ///
    /// # Errors
    /// The server did not let the player in, or there was no way back after a drop.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the game without waiting for the server to know.
    pub async fn play(
        &self,
        connection: &Connection,
        options: &GameOptions,
        stop: &CancellationToken,
        on: impl FnMut(Milestone) + Send,
    ) -> Result<Game, PlayError> {
        self.play_watched(connection, options, stop, on, |_, _| {}).await
    }

    /// As [`play`](Self::play), telling `watch` everything the game server says. It must be quick.
    ///
    /// # Errors
    /// As [`play`](Self::play).
    ///
    /// # Cancel safety
    /// As [`play`](Self::play).
    pub async fn play_watched(
        &self,
        connection: &Connection,
        options: &GameOptions,
        stop: &CancellationToken,
        mut on: impl FnMut(Milestone) + Send,
        mut watch: impl FnMut(&Player, &PlayerEvent) + Send,
    ) -> Result<Game, PlayError> {
        let mut game =
            Game { stats: Stats::new(), duration: Duration::ZERO, returns: 0, warned: false, ended: None };
        let mut player = tokio::select! {
            () = stop.cancelled() => return Ok(game),
            joined = join(connection, options) => joined?,
        };
        let end = Instant::now() + options.play_for;
        let mut patience = Patience::new(fastrand::u64(..));
        loop {
            on(Milestone::Joined(player.welcome().player_number));
            let over = async {
                tokio::select! {
                    () = sleep_until(end) => {}
                    () = stop.cancelled() => {}
                }
            };
            let played = play_watched(player, over, &mut watch).await;
            game.stats.add(&played.stats);
            game.duration += played.duration;
            game.warned |= played.warned;
            game.returns += played.resumes;
            match played.ended {
                Some(lost) if lost.is_drop() => {
                    on(Milestone::Dropped(lost.clone()));
                    if played.duration >= HELD_MIN {
                        patience = Patience::new(fastrand::u64(..));
                    } else if game.returns > 0 {
                        let Some(wait) = patience.failed(None) else {
                            let reason = "it is lost again each time".to_owned();
                            return Err(PlayError::Lost { lost, attempts: game.returns, reason });
                        };
                        tokio::select! {
                            () = stop.cancelled() => return Ok(game),
                            () = sleep(wait) => {}
                        }
                    }
                    player = match self.go_back(lost, options, stop).await? {
                        Some(player) => player,
                        None => return Ok(game),
                    };
                    game.returns += 1;
                }
                ended => {
                    game.ended = ended;
                    return Ok(game);
                }
            }
        }
    }

    /// `None` when the player does not want to any more.
    async fn go_back(
        &self,
        lost: LeaveReason,
        options: &GameOptions,
        stop: &CancellationToken,
    ) -> Result<Option<Player>, PlayError> {
        let mut patience = Patience::new(fastrand::u64(..));
        let mut attempts = 0;
        loop {
            attempts += 1;
            let attempt = async {
                let connection = self.session().await?;
                join(&connection, options).await
            };
            let (reason, again, retry_after) = tokio::select! {
                () = stop.cancelled() => return Ok(None),
                attempt = attempt => match attempt {
                    Ok(player) => return Ok(Some(player)),
                    Err(error) => {
                        let (again, retry_after) = match &error {
                            PlayError::Call(failed) => (failed.error.is_retryable(), failed.error.retry_after()),
                            // The server may not have noticed yet that the player is gone.
                            PlayError::Join { .. } => (true, None),
                            _ => (false, None),
                        };
                        (error.to_string(), again, retry_after)
                    }
                },
            };
            let wait =
                if again && attempts < RETURN_ATTEMPTS_MAX { patience.failed(retry_after) } else { None };
            let Some(wait) = wait else { return Err(PlayError::Lost { lost, attempts, reason }) };
            tokio::select! {
                () = stop.cancelled() => return Ok(None),
                () = sleep(wait) => {}
            }
        }
    }
}

/// Takes the seat at the first address that works.
async fn join(connection: &Connection, options: &GameOptions) -> Result<Player, PlayError> {
    let doors = doors(connection, options)?;
    let mut patience = Patience::new(fastrand::u64(..));
    let mut attempts = 0;
    loop {
        attempts += 1;
        let error = match try_doors(&doors).await {
            Ok(player) => return Ok(player),
            Err(error) => error,
        };
        let busy = matches!(
            error,
            JoinError::Refused {
                reason: RefusalReason::TooManyUnvalidated | RefusalReason::ServiceUnavailable,
                ..
            }
        );
        let wait = if busy && attempts < JOIN_ATTEMPTS_MAX { patience.failed(None) } else { None };
        let Some(wait) = wait else { return Err(PlayError::Join { error }) };
        sleep(wait).await;
    }
}

async fn try_doors(doors: &[JoinConfig]) -> Result<Player, JoinError> {
    let (last, others) = doors.split_last().expect("there is at least one door");
    for door in others {
        match Player::join(door.clone()).await {
            // The seat was not shown to anybody there, so it is as good as new.
            Err(
                error @ (JoinError::Timeout { sent: false, .. }
                | JoinError::Connect(_)
                | JoinError::Address { .. }),
            ) => tracing::info!(%error, address = %door.address, "not there; the next address is tried"),
            joined => return joined,
        }
    }
    Player::join(last.clone()).await
}

/// How to join, for each address of the game server.
fn doors(connection: &Connection, options: &GameOptions) -> Result<Vec<JoinConfig>, PlayError> {
    let bad = |what: String| PlayError::BadConnection(what);
    let fingerprint = connection
        .certificate_sha256
        .as_deref()
        .map(|text| text.parse().map_err(|error| bad(format!("certificateSha256: {error}"))))
        .transpose()?;
    let mut doors = Vec::new();
    for endpoint in connection.endpoints.iter().take(ENDPOINTS_MAX) {
        let ip: IpAddr =
            endpoint.ip.parse().map_err(|_| bad(format!("{:?} is no IP address", endpoint.ip)))?;
        let trust = match (fingerprint, &endpoint.dns_name) {
            (Some(fingerprint), _) => Trust::Fingerprint(fingerprint),
            (None, Some(name)) => {
                Trust::DnsName { name: name.clone(), extra_roots: options.extra_roots.clone() }
            }
            (None, None) => {
                let what = "neither certificateSha256 nor dnsName, so the server cannot be verified: \
                            tell the backend its fleets' certificates";
                return Err(bad(what.to_owned()));
            }
        };
        let address = SocketAddr::new(ip, endpoint.port);
        doors.push(JoinConfig {
            game_session_id: Some(connection.game_session_id.clone()),
            ..JoinConfig::new(address, trust, connection.player_session_id.clone())
        });
    }
    if doors.is_empty() { Err(bad("no endpoints".to_owned())) } else { Ok(doors) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::model::Endpoint;

    fn connection(certificate: Option<&str>, dns_name: Option<&str>) -> Connection {
        Connection {
            endpoints: vec![Endpoint {
                ip: "10.0.0.1".to_owned(),
                dns_name: dns_name.map(str::to_owned),
                port: 7777,
            }],
            player_session_id: "psess-ada".to_owned(),
            game_session_id: "gsess".to_owned(),
            certificate_sha256: certificate.map(str::to_owned),
            reserve_expires_at: None,
        }
    }

    fn options() -> GameOptions {
        GameOptions { play_for: Duration::ZERO, extra_roots: None }
    }

    #[test]
    fn server_is_verified_by_its_certificate_or_else_by_its_name() {
        let hash = "ab".repeat(32);
        let trust =
            |certificate, name| doors(&connection(certificate, name), &options()).unwrap().remove(0).trust;
        assert!(matches!(trust(Some(&hash), Some("game.example")), Trust::Fingerprint(_)));
        assert!(matches!(trust(None, Some("game.example")), Trust::DnsName { .. }));
    }

    #[test]
    fn connection_info_that_cannot_be_used_says_what_is_wrong_and_not_the_seat() {
        let mut nowhere = connection(None, Some("game.example"));
        nowhere.endpoints.clear();
        let mut odd = connection(None, Some("game.example"));
        "localhost".clone_into(&mut odd.endpoints[0].ip);
        let cases = [
            (connection(None, None), "neither certificateSha256 nor dnsName"),
            (connection(Some("abc"), None), "certificateSha256"),
            (nowhere, "no endpoints"),
            (odd, "\"localhost\" is no IP address"),
        ];
        for (connection, words) in cases {
            let error = doors(&connection, &options()).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("psess"), "{error}");
        }
    }
}
