//! Ten thousand server processes in one OS process: what does each cost when it does nothing?
//!
//! `cargo bench -p gamelift-server-sdk --bench idle [-- COUNT]`; Linux. Needs `ulimit -n` of COUNT and a few.
//!
//! The service runs in a child process, so that its memory is not counted. Each server process is connected, ready, and has a
//! task that waits for events; resident memory before and after, divided by their number. Then as many bare tokio-tungstenite
//! connections with the same buffers, each with a reader and a writer task: the floor.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use gamelift_server_sdk::wire::envelope::{ClientFrame, success_text};
use gamelift_server_sdk::wire::requests::Empty;
use gamelift_server_sdk::{Config, Event, Ready};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

const COUNT: usize = 10_000;
/// Connects at once: a listener's queue holds no more.
const AT_ONCE: usize = 64;
/// What the SDK uses, too.
const READ_BUFFER: usize = 4_096;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` only wants to know that it builds.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    if arguments.iter().any(|argument| argument == "--serve") {
        return runtime().block_on(serve());
    }
    let count = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(COUNT);
    runtime().block_on(measure(count));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs only file descriptors")
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
async fn measure(count: usize) {
    let (mut service, url) = start_service();
    // Once, so that what is allocated once is not counted.
    let warm = sdk_process(&url, count).await;
    let before = resident();
    let begun = Instant::now();
    let processes = many(count, |number| sdk_process(&url, number)).await;
    let (sdk, took) = (resident() - before, begun.elapsed());
    println!(
        "{count} idle server processes: {:.1} kB each, connected and ready in {:.1} s",
        sdk / count as f64,
        took.as_secs_f64()
    );
    // The allocator keeps what it got, so the floor is measured with the processes still there.
    let before = resident();
    let bare = many(count.min(descriptors_left()), |_| bare_connection(&url)).await;
    println!(
        "{} bare connections: {:.1} kB each",
        bare.len(),
        (resident() - before) / bare.len().max(1) as f64
    );
    drop((warm, processes, bare));
    let _ = service.kill();
    let _ = service.wait();
}

/// The service as a child that says where it listens.
fn start_service() -> (std::process::Child, String) {
    let program = std::env::current_exe().expect("a program knows itself");
    let mut service = Command::new(program)
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started again");
    let mut line = String::new();
    let stdout = service.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("the service says where it listens");
    (service, format!("ws://{}", line.trim()))
}

async fn many<T: 'static, F>(count: usize, make: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T>,
{
    futures_util::stream::iter(0..count).map(make).buffer_unordered(AT_ONCE).collect().await
}

/// Connected, ready, and waited for.
async fn sdk_process(url: &str, number: usize) -> JoinSet<()> {
    let config = Config::builder()
        .websocket_url(url)
        .fleet_id("fleet-1")
        .host_id("host-1")
        .process_id(format!("proc-{number}"))
        .auth_token("token")
        .health_check(Duration::from_secs(3_600), Duration::ZERO, Duration::from_secs(3_600))
        .build()
        .expect("valid");
    let connected = config.connect().await.expect("the service listens");
    let (process, mut events) = connected.ready(Ready::on_port(7777)).await.expect("the service says yes");
    let mut task = JoinSet::new();
    task.spawn(async move {
        let _process = process;
        while let Some(event) = events.next().await {
            if let Event::HealthCheck(check) = event {
                check.healthy();
            }
        }
    });
    task
}

async fn bare_connection(url: &str) -> JoinSet<()> {
    let stream = TcpStream::connect(url.trim_start_matches("ws://")).await.expect("the service listens");
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let upgraded = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
    let (mut sink, mut frames) = upgraded.expect("the service upgrades").0.split();
    let (queue, mut waiting) = tokio::sync::mpsc::channel::<String>(1_024);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Some(text) = waiting.recv().await {
            sink.send(Message::text(text)).await.expect("the service reads");
        }
    });
    tasks.spawn(async move {
        let _queue = queue;
        while let Some(Ok(_)) = frames.next().await {}
    });
    tasks
}

/// Resident memory in kB.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * rustix::param::page_size() as f64 / 1_000.0
}

/// How many more sockets this program may open.
fn descriptors_left() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").expect("Linux").count();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    limit.saturating_sub(open + 16)
}

/// Answers every request at once; ends with its parent.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    println!("{}", listener.local_addr().expect("bound"));
    std::io::stdout().flush().expect("the parent reads");
    // The parent never writes: the end of its input is the parent's end.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        #[expect(clippy::exit, reason = "a child without a parent")]
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await.expect("loopback, and descriptors enough");
        tokio::spawn(async move {
            let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
            let Ok(mut socket) = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await
            else {
                return;
            };
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                let frame = ClientFrame::parse(&text).expect("a request");
                let answer = success_text(&frame.request.action(), &frame.request_id, &Empty {});
                if socket.send(Message::text(answer)).await.is_err() {
                    return;
                }
            }
        });
    }
}
