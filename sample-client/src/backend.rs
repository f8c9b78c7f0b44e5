//! The whole way of a player who has nothing but the backend's address: identity, credentials, signed requests, a ticket,
//! a seat, the game, and back into it after a drop.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use sample_client::backend::{Client, ClientConfig, Entry, FollowOptions, GameOptions, PushBy, StartRequest, Wish, latency};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = "http://127.0.0.1:8080".to_owned();
//! let client = Client::new(ClientConfig { backend, ..ClientConfig::default() })?;
//! let latencies = latency::measure(&client.locations().await?).await;
//! let wish = Wish {
//!     entry: Entry::Start(StartRequest { latencies, ..StartRequest::default() }),
//!     follow: FollowOptions { accept: true, push: Some(PushBy::WebSocket), wait_max: Duration::from_secs(60) },
//! };
//! let stop = CancellationToken::new(); // Cancel it to take the request back, or to leave the game.
//! let seat = client.find_match(wish, &stop, |milestone| println!("{milestone:?}")).await?;
//! let options = GameOptions { play_for: Duration::from_secs(600), extra_roots: None };
//! client.play(&seat, &options, &stop, |_| {}).await?;
//! # Ok(())
//! # }
//! ```
//!
//! A game that draws its own pictures takes [`Client::find_match`] and [`Player::join`](crate::Player::join); one with
//! another loop takes [`follow::Follower`], which is a value, and sends what it says.
//!
//! | module | job |
//! |---|---|
//! | [`client`] | a signed request per method |
//! | [`matchmaking`], [`game`] | the loops: to a seat, and in the game |
//! | [`follow`], [`poll`], [`signature`] | pure: what to send when, and how it is signed |
//! | [`identity`], [`http`], [`push`] | Cognito, one HTTP request, the WebSocket and gRPC |
//! | [`latency`] | UDP beacons |
//! | [`swarm`], [`population`] | many players |
//! | [`model`], [`error`] | what is said, what goes wrong |

pub mod client;
pub mod error;
pub mod follow;
pub mod game;
pub mod http;
pub mod identity;
pub mod latency;
pub mod matchmaking;
pub mod model;
pub mod poll;
pub mod population;
pub mod push;
pub mod signature;
pub mod swarm;

pub use client::{Client, ClientConfig};
pub use error::{CallError, PlayError, Refusal, SetUpError, Step, StepError};
pub use follow::FollowOptions;
pub use game::{Game, GameOptions};
pub use matchmaking::{Entry, Milestone, WAIT_MAX_DEFAULT, Wish};
pub use model::{Connection, InviteRequest, StartRequest, Status, Ticket};
pub use push::PushBy;
