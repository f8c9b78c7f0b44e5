//! Calls per second of the SDK beside a bare tokio-tungstenite client, against the same canned service, in the same run.
//!
//! `cargo bench -p gamelift-server-sdk --bench calls`
//!
//! The bare client is the floor: one writer that drains its queue before it flushes, one reader, a map of what is pending,
//! the same JSON; no reconnect, no deadline, no validation. The service runs on a thread of its own, on CPU 0; both clients on
//! CPU 1 (Linux). Rounds alternate, so that a noisy neighbour hits both. Trust the ratios.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use gamelift_server_sdk::wire::envelope::{ClientFrame, ServiceFrame, success_text};
use gamelift_server_sdk::wire::ids::{GameSessionId, RequestId};
use gamelift_server_sdk::wire::pushes::{CreateGameSession, Push};
use gamelift_server_sdk::wire::requests::{DescribePlayerSessions, Empty, PlayerSessionsPage, Request};
use gamelift_server_sdk::{Config, Event, GameSession, PlayerSessionQuery, Ready};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

const IN_FLIGHT: [usize; 3] = [1, 64, 1_024];
const ROUNDS: usize = 10;
const ROUND: Duration = Duration::from_millis(300);
/// Frames that wait for a writer.
const QUEUE: usize = 2_048;

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let (ready, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        pin(0);
        runtime().block_on(serve(&ready));
    });
    let address = address.recv().expect("the service starts");
    pin(1);
    runtime().block_on(measure(&format!("ws://{address}")));
}

/// Keeps this thread on one CPU: a wake-up costs three times as much when the other side is elsewhere, and a scheduler that
/// changes its mind makes two runs incomparable.
fn pin(cpu: usize) {
    #[cfg(target_os = "linux")]
    {
        let mut set = rustix::thread::CpuSet::new();
        set.set(cpu);
        // A machine with one CPU has no second; then both share it.
        let _ = rustix::thread::sched_setaffinity(None, &set);
    }
    let _ = cpu;
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs only file descriptors")
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
async fn measure(url: &str) {
    let sdk = Arc::new(sdk_session(url).await);
    let bare = Arc::new(Bare::connect(url).await);
    println!(
        "{:>9}  {:>12} {:>10}  {:>12} {:>10}  {:>7} {:>5}",
        "in flight", "bare calls/s", "p50 us", "SDK calls/s", "p50 us", "calls/s", "p50"
    );
    for in_flight in IN_FLIGHT {
        let (mut bare_runs, mut sdk_runs) = (Vec::new(), Vec::new());
        for round in 0..2 * ROUNDS {
            // Bare, SDK, SDK, bare: whoever comes second is not always the same.
            if round % 4 == 0 || round % 4 == 3 {
                let client = bare.clone();
                let call = move || {
                    let client = client.clone();
                    async move { client.describe().await }
                };
                bare_runs.push(load(in_flight, call).await);
            } else {
                let client = sdk.clone();
                let call = move || {
                    let client = client.clone();
                    async move {
                        let everybody = PlayerSessionQuery::of_this_game_session();
                        client.describe_player_sessions(everybody).await.expect("answered");
                    }
                };
                sdk_runs.push(load(in_flight, call).await);
            }
        }
        let ratio = median(bare_runs.iter().zip(&sdk_runs).map(|(bare, sdk)| sdk.0 / bare.0));
        let slower = median(bare_runs.iter().zip(&sdk_runs).map(|(bare, sdk)| sdk.1 / bare.1));
        let column = |runs: &[(f64, f64)]| {
            (median(runs.iter().map(|run| run.0)), median(runs.iter().map(|run| run.1)))
        };
        let ((bare_rate, bare_p50), (sdk_rate, sdk_p50)) = (column(&bare_runs), column(&sdk_runs));
        println!(
            "{in_flight:>9}  {bare_rate:>12.0} {bare_p50:>10.1}  {sdk_rate:>12.0} {sdk_p50:>10.1}  {ratio:>6.2}x {slower:>4.2}x"
        );
    }
}

/// Keeps this many calls in flight for one round: calls per second, and the median call in microseconds.
async fn load<F, C>(in_flight: usize, call: F) -> (f64, f64)
where
    F: Fn() -> C + Clone + Send + 'static,
    C: Future<Output = ()> + Send,
{
    let begun = Instant::now();
    let callers: Vec<_> = (0..in_flight)
        .map(|_| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut took = Vec::new();
                while begun.elapsed() < ROUND {
                    let sent = Instant::now();
                    call().await;
                    took.push(sent.elapsed().as_secs_f64() * 1e6);
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await.expect("callers do not panic"));
    }
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    (rate, median(took.into_iter()))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn sdk_session(url: &str) -> GameSession {
    let config = Config::new(url, "fleet-1", "host-1", "proc-1", "token").expect("valid");
    let connected = config.connect().await.expect("the service listens");
    let (process, mut events) = connected.ready(Ready::on_port(7777)).await.expect("the service says yes");
    let session = loop {
        match events.next().await.expect("the uplink is open") {
            Event::StartGameSession(start) => break start.activate().await.expect("the service says yes"),
            Event::HealthCheck(check) => check.healthy(),
            _ => {}
        }
    };
    tokio::spawn(async move {
        let _process = process;
        while let Some(event) = events.next().await {
            if let Event::HealthCheck(check) = event {
                check.healthy();
            }
        }
    });
    session
}

/// What the SDK is measured against.
struct Bare {
    queue: mpsc::Sender<String>,
    pending: Arc<Mutex<HashMap<RequestId, oneshot::Sender<PlayerSessionsPage>>>>,
}

impl Bare {
    async fn connect(url: &str) -> Self {
        let address = url.trim_start_matches("ws://");
        let stream = TcpStream::connect(address).await.expect("the service listens");
        stream.set_nodelay(true).expect("a TCP option");
        let config = WebSocketConfig::default().read_buffer_size(4_096);
        let upgraded = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
        let (mut sink, mut frames) = upgraded.expect("the service upgrades").0.split();
        let (queue, mut waiting) = mpsc::channel::<String>(QUEUE);
        let pending: Arc<Mutex<HashMap<RequestId, oneshot::Sender<PlayerSessionsPage>>>> = Arc::default();
        tokio::spawn(async move {
            while let Some(text) = waiting.recv().await {
                sink.feed(Message::text(text)).await.expect("the service reads");
                while let Ok(text) = waiting.try_recv() {
                    sink.feed(Message::text(text)).await.expect("the service reads");
                }
                sink.flush().await.expect("the service reads");
            }
        });
        let answers = pending.clone();
        tokio::spawn(async move {
            while let Some(Ok(message)) = frames.next().await {
                let Message::Text(text) = message else { continue };
                let frame = ServiceFrame::parse(&text).expect("the service sends JSON");
                let id = frame.request_id.clone().expect("a response");
                let waiting = answers.lock().expect("no panics").remove(&id);
                if let Some(waiting) = waiting {
                    let _ = waiting.send(frame.body().expect("a page"));
                }
            }
        });
        Self { queue, pending }
    }

    async fn describe(&self) {
        let id = RequestId::new_unchecked(
            uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string(),
        );
        let request = Request::DescribePlayerSessions(DescribePlayerSessions {
            game_session_id: Some("arn:g".to_owned()),
            ..DescribePlayerSessions::default()
        });
        let (answer, answered) = oneshot::channel();
        self.pending.lock().expect("no panics").insert(id.clone(), answer);
        self.queue.send(request.to_text(&id)).await.expect("the writer lives");
        answered.await.expect("answered");
    }
}

/// Answers every request at once, many in one write; creates a game session behind the first heartbeat.
async fn serve(ready: &std::sync::mpsc::Sender<std::net::SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    ready.send(listener.local_addr().expect("bound")).expect("the benchmark waits");
    loop {
        let (stream, _) = listener.accept().await.expect("loopback");
        stream.set_nodelay(true).expect("a TCP option");
        tokio::spawn(async move {
            let config = WebSocketConfig::default().read_buffer_size(4_096);
            let upgraded = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await;
            let (mut sink, frames) = upgraded.expect("a WebSocket client").split();
            let mut frames = frames.ready_chunks(256);
            while let Some(chunk) = frames.next().await {
                for message in chunk {
                    let Ok(Message::Text(text)) = message else { continue };
                    let frame = ClientFrame::parse(&text).expect("a request");
                    let answer = success_text(&frame.request.action(), &frame.request_id, &Empty {});
                    if sink.feed(Message::text(answer)).await.is_err() {
                        return;
                    }
                    if let Request::HeartbeatServerProcess(_) = frame.request {
                        let game_session_id = GameSessionId::new_unchecked("arn:g");
                        let push = Push::CreateGameSession(CreateGameSession {
                            game_session_id,
                            ..Default::default()
                        });
                        let _ = sink.feed(Message::text(push.to_text())).await;
                    }
                }
                if sink.flush().await.is_err() {
                    return;
                }
            }
        });
    }
}
