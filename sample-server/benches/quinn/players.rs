//! The players: quinn clients, the same for both servers, on a thread of their own.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use game_proto::{ALPN, Hello, Input, Message, PROTOCOL_VERSION, Snapshot, close, frame};
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream};
use sample_server::room::PLAYERS_MAX;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::servers::{Server, Thread};

/// Players that join at the same time.
const AT_ONCE: usize = 16;

/// Sockets: a thousand would measure the kernel's table of them.
const ENDPOINTS: usize = 8;

/// What all players saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) snapshots: u64,
    pub(crate) missed: u64,
    pub(crate) inputs: u64,
}

impl Seen {
    pub(crate) fn loss_percent(&self) -> f64 {
        100.0 * self.missed as f64 / (self.snapshots + self.missed).max(1) as f64
    }
}

pub(crate) struct Playing {
    connection: Connection,
    _streams: (SendStream, RecvStream),
}

type Job = Box<dyn FnOnce() -> std::pin::Pin<Box<dyn Future<Output = ()>>> + Send>;

/// A thread that does one job after the other.
pub(crate) struct Players {
    jobs: mpsc::Sender<Job>,
    thread: Thread,
}

impl Players {
    pub(crate) fn start() -> Self {
        let (jobs, mut to_do) = mpsc::channel::<Job>(1);
        let thread = Thread::start(move || async move {
            while let Some(job) = to_do.recv().await {
                job().await;
            }
        });
        Self { jobs, thread }
    }

    pub(crate) fn cpu(&self) -> Duration {
        self.thread.cpu()
    }

    fn run<T: Send + 'static, F: Future<Output = T> + 'static>(
        &self,
        job: impl FnOnce() -> F + Send + 'static,
    ) -> T {
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move || {
            Box::pin(async move {
                assert!(done.send(job().await).is_ok(), "it is waited for");
            })
        });
        self.jobs.blocking_send(job).expect("the thread runs");
        result.blocking_recv().expect("the job ends")
    }

    /// Everybody joins, and leaves as soon as they are in: playing would cost more than joining.
    pub(crate) fn join_and_leave(&self, server: &Server, count: usize) -> Duration {
        let dial = Dial::new(server);
        self.run(move || async move {
            let start = Instant::now();
            join(&dial, count, |it| it.connection.close(close::DONE.into(), b"left")).await;
            start.elapsed()
        })
    }

    pub(crate) fn join(&self, server: &Server, count: usize) -> Vec<Playing> {
        let dial = Dial::new(server);
        self.run(move || async move {
            let playing = join(&dial, count, |_| {}).await;
            // What came while the others were joining is not part of what is measured.
            for it in &playing {
                while tokio::select! {
                    biased;
                    waiting = it.connection.read_datagram() => waiting.is_ok(),
                    () = std::future::ready(()) => false,
                } {}
            }
            playing
        })
    }

    pub(crate) fn play(&self, playing: Vec<Playing>, duration: Duration) -> Seen {
        self.run(move || async move {
            let mut bots = JoinSet::new();
            for it in playing {
                bots.spawn(async move { tokio::time::timeout(2 * duration, bot(it, duration)).await });
            }
            let mut all = Seen::default();
            while let Some(seen) = bots.join_next().await {
                let seen = seen.expect("no bot panics").expect("no bot hangs");
                all.snapshots += seen.snapshots;
                all.missed += seen.missed;
                all.inputs += seen.inputs;
            }
            all
        })
    }
}

/// What a client needs to know of a server.
struct Dial {
    address: std::net::SocketAddr,
    config: ClientConfig,
}

impl Dial {
    fn new(server: &Server) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(server.certificate.clone()).expect("it was just made");
        let mut provider = rustls::crypto::ring::default_provider();
        provider.cipher_suites.sort_by_key(|it| it.suite() != rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
        let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("ring speaks TLS 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls).expect("it has AES-128-GCM");
        let mut transport = quinn::TransportConfig::default();
        transport.mtu_discovery_config(None);
        let mut config = ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::new(transport));
        Self { address: server.address, config }
    }
}

async fn join(dial: &Dial, count: usize, then: fn(&Playing)) -> Vec<Playing> {
    let endpoints: Vec<Endpoint> = (0..ENDPOINTS)
        .map(|_| Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("a port is free"))
        .collect();
    let mut joining = JoinSet::new();
    let mut playing = Vec::with_capacity(count);
    for number in 0..count {
        if joining.len() == AT_ONCE {
            playing.extend(joining.join_next().await.map(|it| it.expect("it gets in")));
        }
        let (endpoint, config, address) =
            (endpoints[number % ENDPOINTS].clone(), dial.config.clone(), dial.address);
        joining.spawn(async move {
            let connecting =
                endpoint.connect_with(config, address, "localhost").expect("the address is good");
            let connection = connecting.await.expect("it shakes hands");
            let (mut send, mut receive) = connection.open_bi().await.expect("it is open");
            let hello = Hello {
                protocol_version: PROTOCOL_VERSION,
                player_session_id: format!("psess-{number}"),
                game_session_id: format!("gsess-{}", number / PLAYERS_MAX),
                resume_token: Vec::new(),
            };
            send.write_all(&frame::encode(&hello).expect("it fits")).await.expect("it is open");
            receive.read_chunk(1024, true).await.expect("it is open").expect("an answer");
            let playing = Playing { connection, _streams: (send, receive) };
            then(&playing);
            playing
        });
    }
    while let Some(it) = joining.join_next().await {
        playing.push(it.expect("it gets in"));
    }
    playing
}

/// 60 inputs per second, and counts what comes.
async fn bot(playing: Playing, duration: Duration) -> Seen {
    let Playing { connection, _streams } = playing;
    let (mut seen, mut newest) = (Seen::default(), None);
    let end = tokio::time::Instant::now() + duration;
    let mut inputs = interval(Duration::from_secs(1) / 60);
    inputs.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(end) => break,
            _ = inputs.tick() => {
                seen.inputs += 1;
                let input = Input { sequence: seen.inputs as u32, move_x: 127, move_y: 0 };
                connection.send_datagram(input.encode_to_vec().into()).expect("it is open");
            }
            datagram = connection.read_datagram() => {
                let tick = Snapshot::decode(datagram.expect("it is open")).expect("a snapshot").tick;
                seen.snapshots += 1;
                if let Some(newest) = newest.filter(|newest| tick > *newest) {
                    seen.missed += u64::from(tick - newest - 1);
                }
                newest = newest.max(Some(tick));
            }
        }
    }
    connection.close(close::DONE.into(), b"left");
    seen
}
