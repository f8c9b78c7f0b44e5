//! The two servers, each on a thread of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use game_proto::{Input, Message};
use gamelift_server_sdk::PlayerSessionId;
use quinn::Endpoint;
use rustls::pki_types::CertificateDer;
use sample_server::gate::AcceptAnswer;
use sample_server::room::{PLAYERS_MAX, Room, TICK_RATE_HZ};
use sample_server::service::{Notice, Request, Seam};
use sample_server::{Front, Identity, Times, quic};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// No flood is measured here.
const JOINS_PER_SECOND: u32 = 1_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bare,
    Game,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare quinn",
            Self::Game => "game server",
        }
    }
}

/// A server on its own thread. Dropping it ends the thread.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: CertificateDer<'static>,
    thread: Thread,
}

/// A thread with a runtime, and its CPU time.
pub(crate) struct Thread {
    id: String,
    stop: Option<oneshot::Sender<()>>,
    handle: Option<std::thread::JoinHandle<()>>,
}

impl Thread {
    /// Runs `serve` until the value is dropped.
    pub(crate) fn start<F: Future<Output = ()>>(serve: impl FnOnce() -> F + Send + 'static) -> Self {
        let (ready, id) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let handle = std::thread::spawn(move || {
            let id = std::fs::read_link("/proc/thread-self").expect("benchmarks run on Linux");
            ready.send(id.to_string_lossy().into_owned()).expect("it is waited for");
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime needs only file descriptors");
            runtime.block_on(async {
                tokio::select! {
                    () = serve() => {}
                    _ = stopped => {}
                }
            });
        });
        Self { id: id.recv().expect("the thread starts"), stop: Some(stop), handle: Some(handle) }
    }

    /// CPU time so far: user and kernel, in nanoseconds by the scheduler.
    pub(crate) fn cpu(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", self.id)).expect("the thread runs");
        let nanos = text.split(' ').next().and_then(|it| it.parse().ok()).expect("a number comes first");
        Duration::from_nanos(nanos)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.handle.take().map(std::thread::JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))), "the thread panicked");
    }
}

impl Server {
    /// A server with enough seats.
    pub(crate) fn start(kind: Kind, seats: usize) -> Self {
        let identity = Identity::generate(&["localhost".to_owned()]).expect("localhost is a DNS name");
        let certificate = identity.certificate().clone();
        let (ready, address) = std::sync::mpsc::channel();
        let thread = Thread::start(move || async move {
            let endpoint = quic::bind((Ipv4Addr::LOCALHOST, 0).into(), identity).expect("a port is free");
            let address = endpoint.local_addr().expect("it is bound");
            match kind {
                Kind::Bare => {
                    ready.send(address).expect("it is waited for");
                    bare(endpoint).await;
                }
                Kind::Game => game(endpoint, seats, || ready.send(address).expect("it is waited for")).await,
            }
        });
        Self { address: address.recv().expect("the server starts"), certificate, thread }
    }

    pub(crate) fn cpu(&self) -> Duration {
        self.thread.cpu()
    }
}

/// Shakes hands, answers the first message, and sends everybody the same packet 60 times per second.
async fn bare(endpoint: Endpoint) {
    let (joined, mut joins) = mpsc::channel::<quinn::Connection>(64);
    let accept = async {
        let mut connections = JoinSet::new();
        while let Some(incoming) = endpoint.accept().await {
            while connections.try_join_next().is_some() {}
            let joined = joined.clone();
            connections.spawn(async move {
                let Ok(connection) = incoming.await else { return };
                let Ok((mut send, mut receive)) = connection.accept_bi().await else { return };
                let Ok(Some(_)) = receive.read_chunk(1024, true).await else { return };
                let answer = Bytes::from(vec![0; 32]);
                if send.write_chunk(answer).await.is_err() || joined.send(connection.clone()).await.is_err() {
                    return;
                }
                while let Ok(datagram) = connection.read_datagram().await {
                    let _ = Input::decode(datagram); // Both read what they get.
                }
            });
        }
    };
    let tick = async {
        let mut playing: Vec<quinn::Connection> = Vec::new();
        let mut ticks = interval(Duration::from_secs(1) / TICK_RATE_HZ);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut room = Room::new(PLAYERS_MAX);
        loop {
            tokio::select! {
                Some(connection) = joins.recv() => {
                    room.join();
                    playing.push(connection);
                }
                _ = ticks.tick(), if !playing.is_empty() => {
                    // As long as the game's, and the same for everybody.
                    room.step();
                    let packet = room.everybody();
                    playing.retain(|it| it.send_datagram(packet.clone()).is_ok());
                }
            }
        }
    };
    tokio::join!(accept, tick);
}

/// As many game sessions as the seats need; GameLift says yes to everybody.
async fn game(endpoint: Endpoint, seats: usize, ready: impl FnOnce()) {
    let front = Front::open(endpoint, JOINS_PER_SECOND);
    let mut gamelift = JoinSet::new();
    for number in 0..seats.div_ceil(PLAYERS_MAX) {
        let (seam, playing) = front.host(Times::default(), Arc::new(|_| {}));
        let started =
            Notice::GameSessionStarted { game_session_id: format!("gsess-{number}"), seats: PLAYERS_MAX };
        seam.notices.send(started).await.expect("the game runs");
        let (alive, answer) = oneshot::channel();
        seam.notices.send(Notice::HealthCheck(alive)).await.expect("the game runs");
        answer.await.expect("the game runs");
        gamelift.spawn(async move {
            let _playing = playing;
            say_yes(seam).await;
        });
    }
    ready();
    while gamelift.join_next().await.is_some() {}
}

async fn say_yes(mut seam: Seam) {
    let tell = async |notices: &mpsc::Sender<Notice>, notice| notices.send(notice).await.is_ok();
    while let Some(request) = seam.requests.recv().await {
        let notice = match request {
            Request::Accept(id) => Notice::Accepted(id, AcceptAnswer::Yes),
            Request::Remove(id) => Notice::Removed(id, true),
            Request::Describe(id) => unreachable(&id),
        };
        if !tell(&seam.notices, notice).await {
            return;
        }
    }
}

fn unreachable(_: &PlayerSessionId) -> ! {
    panic!("every accept was answered")
}
