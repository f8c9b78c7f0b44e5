//! Ticket-status requests per second of the whole local door beside a bare axum handler that answers with the same JSON, in the
//! same run.
//!
//! `cargo bench -p backend --bench status`
//!
//! Four servers take the same signed requests over kept connections on loopback: the bare handler; the API with its table and
//! without its gateway; the same behind the gateway, which verifies signatures and counts calls; and the table alone, without
//! HTTP in front. Rounds alternate, so that a noisy neighbour hits all. Trust the ratios.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use axum::extract::{Path, Request};
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use axum::{Json, Router};
use backend::api;
use backend::caller::{AuthKind, Caller, PlayerId};
use backend::game_lift::AwsGameLift;
use backend::gateway::identity::{Pool, ServerSecret};
use backend::gateway::{self, Gateway, sigv4};
use backend::limits::Rates;
use backend::local::router;
use backend::service::{Backend, Clock, Settings};
use backend::sns::certificate::Origin;
use backend::sns::endpoint::{Endpoint, Trust};
use backend::sns::signature::Signer;
use backend::sns::verify::Policy;
use backend::store::{Embedded, Kind, NewTicket, Read, Store};
use backend::ticket::Ticket;
use backend::websocket::Sockets;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Connections that ask at the same time.
const CLIENTS: [usize; 3] = [1, 16, 64];
const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(400);
/// Each may ask once a second, and five times at once: enough of them for what the machine can do in a run.
const PLAYERS: usize = 16_000;
/// Signatures that are verified one after the other, to tell what one takes.
const SIGNATURES: usize = 20_000;
const HOST: &str = "127.0.0.1:9090";
const REGION: &str = "us-west-2";

/// What a player sends over and over.
struct Player {
    id: PlayerId,
    path: String,
    headers: Vec<(String, String)>,
}

impl Player {
    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("GET {} HTTP/1.1\r\nhost: {HOST}\r\n", self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        // The server without a gateway believes it.
        text.push_str(&format!("x-player: {}\r\n\r\n", self.id.as_str()));
        text.into_bytes()
    }
}

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let (ready, servers) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.expect("a runtime needs only file descriptors").block_on(serve(&ready));
    });
    let servers: Servers = servers.recv().expect("the servers start");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime needs only file descriptors").block_on(measure(servers));
}

struct Servers {
    players: Vec<Player>,
    pool: Pool,
    store: Store,
    bare: SocketAddr,
    open: SocketAddr,
    whole: SocketAddr,
}

async fn serve(ready: &std::sync::mpsc::Sender<Servers>) {
    let embedded = Embedded::start(None).await.expect("a table in memory");
    let store = Store::new(embedded.client(), "backend");
    store.create_table_if_absent().await.expect("the table can be made");
    let pool = Pool::new(ServerSecret::new([1; 32]), REGION);
    let now = SystemTime::now();
    let millis = now.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_millis() as u64;
    let mut players = Vec::with_capacity(PLAYERS);
    for index in 0..PLAYERS {
        let player = player(&pool, index, now);
        let ticket_id = player.path.rsplit('/').next().expect("a path").to_owned();
        let new = NewTicket {
            ticket_id,
            token: "key-of-the-player".to_owned(),
            kind: Kind::Match,
            configuration: "default".to_owned(),
            player: player.id.clone(),
            party: Vec::new(),
            expires: millis + 3_600_000,
        };
        store.create(&new, millis).await.expect("the table answers");
        players.push(player);
    }
    // Nobody listens there, and nobody asks: no ticket is silent for long enough.
    let game_lift = Arc::new(AwsGameLift::local("http://127.0.0.1:9"));
    // The clock stands still, so that no ticket becomes old while others are measured; but a player's measure fills up in a
    // second, so it passes for the gateway.
    let clock: Clock = Arc::new(move || now);
    let backend = Backend::new(Settings::default(), store.clone(), game_lift, clock);
    let passing: Clock = Arc::new(SystemTime::now);
    let config = gateway::Config {
        secret: ServerSecret::new([1; 32]),
        region: REGION.to_owned(),
        rates: Rates::default(),
        trusted_proxies: 0,
    };
    let gateway = Gateway::new(config, passing.clone());
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let sockets = Sockets::new(backend.clone(), gateway.clone(), stopped);
    let local = url::Url::parse("http://127.0.0.1:9").expect("a URL").origin();
    let certificate = include_bytes!("../src/sns/signature/certificate.pem");
    let trust = Trust::Pinned(Signer::from_pem(certificate).expect("a certificate"), Origin::Local(local));
    let policy = Policy { topics: BTreeSet::new(), version_1: false };
    let events = Endpoint::new(backend.clone(), policy, trust, passing).expect("no roots are read");
    let whole = router(&backend, &gateway, sockets, events, &[]);
    let open = api::parts(&backend).protected.layer(from_fn(believe)).layer(from_fn(api::answer::finish));
    let who = Caller { player: players[0].id.clone(), kind: AuthKind::Iam, source_ip: None };
    let id = players[0].path.rsplit('/').next().expect("a path").to_owned();
    let ticket = backend.ticket(&who, &id).await.expect("it is there");
    let same = async move |Path(_): Path<String>| -> Json<Ticket> { Json(ticket.clone()) };
    let bare = Router::new().route("/v1/matchmaking/tickets/{id}", get(same));
    let servers = Servers {
        players,
        pool,
        store,
        bare: listen(bare).await,
        open: listen(open).await,
        whole: listen(whole).await,
    };
    assert!(ready.send(servers).is_ok(), "the clients wait for it");
    std::future::pending::<()>().await;
}

async fn listen(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it is bound");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// In the gateway's place: lets everybody be whom they say they are.
async fn believe(mut request: Request, next: Next) -> axum::response::Response {
    let player = request.headers().get("x-player").and_then(|player| player.to_str().ok()).map(PlayerId::new);
    if let Some(player) = player {
        request.extensions_mut().insert(Caller { player, kind: AuthKind::Iam, source_ip: None });
    }
    next.run(request).await
}

fn player(pool: &Pool, index: usize, now: SystemTime) -> Player {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&(index as u64).to_be_bytes());
    let id = pool.new_identity(random);
    let credentials = pool.credentials(&id, now, random).expect("an identity of this pool");
    let identity = Credentials::new(
        credentials.access_key,
        credentials.secret_key,
        Some(credentials.session_token),
        None,
        "bench",
    )
    .into();
    let path = format!("/v1/matchmaking/tickets/{}", uuid::Uuid::new_v4());
    let params = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("execute-api")
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .expect("complete")
        .into();
    let url = format!("http://{HOST}{path}");
    let request = SignableRequest::new("GET", &url, [("host", HOST)].into_iter(), SignableBody::Bytes(b""));
    let signed = sign(request.expect("a request"), &params).expect("credentials").into_parts().0;
    let headers = signed.into_parts().0;
    let headers =
        headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect();
    Player { id, path, headers }
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
async fn measure(servers: Servers) {
    let Servers { players, pool, store, bare, open, whole } = servers;
    println!("one signature, verified: {:.1} us", verify(&players, &pool));
    let requests: Arc<[Vec<u8>]> = players.iter().map(Player::bytes).collect();
    let players: Arc<[Player]> = players.into();
    let subjects =
        [("bare", Some(bare)), ("no gateway", Some(open)), ("whole", Some(whole)), ("table", None)];
    println!(
        "{:>7}  {:<10} {:>10} {:>9} {:>9}  {:>9}",
        "clients", "server", "requests/s", "p50 us", "us each", "to bare"
    );
    // Each round goes on with the players who have not asked for longest.
    let mut next = 0;
    for clients in CLIENTS {
        let mut runs = subjects.map(|_| Vec::new());
        for round in 0..ROUNDS {
            for turn in 0..subjects.len() {
                // Another one first each time.
                let subject = (round + turn) % subjects.len();
                let run = match subjects[subject].1 {
                    Some(address) => over_http(address, clients, &requests, next).await,
                    None => over_the_table(&store, clients, &players, next).await,
                };
                next += run.asked;
                runs[subject].push((run.rate, run.median));
            }
        }
        let bare_rates: Vec<f64> = runs[0].iter().map(|run| run.0).collect();
        for ((name, _), runs) in subjects.iter().zip(&runs) {
            let rate = median(runs.iter().map(|run| run.0).collect());
            let p50 = median(runs.iter().map(|run| run.1).collect());
            let ratio = median(runs.iter().zip(&bare_rates).map(|(run, bare)| run.0 / bare).collect());
            println!("{clients:>7}  {name:<10} {rate:>10.0} {p50:>9.0} {:>9.0}  {ratio:>9.2}", 1e6 / rate);
        }
    }
}

/// Microseconds for one signature, as the gateway verifies it.
fn verify(players: &[Player], pool: &Pool) -> f64 {
    let now = SystemTime::now();
    let headers = |player: &Player| {
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("host", HOST.parse().expect("a value"));
        for (name, value) in &player.headers {
            let name = axum::http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.insert(name, value.parse().expect("a value"));
        }
        headers
    };
    let sent: Vec<_> = players.iter().map(|player| (player, headers(player))).collect();
    let begun = Instant::now();
    for (player, headers) in sent.iter().cycle().take(SIGNATURES) {
        let request = sigv4::Request {
            method: "GET",
            path: &player.path,
            query: "",
            headers,
            authority: None,
            body: b"",
        };
        let owner = sigv4::verify(request, REGION, now, |key, token| pool.open(key, token, now));
        assert!(owner.is_ok_and(|owner| owner == player.id), "every signature is good");
    }
    begun.elapsed().as_secs_f64() * 1e6 / SIGNATURES as f64
}

struct Run {
    rate: f64,
    median: f64,
    asked: usize,
}

/// Keeps so many connections busy for one round.
async fn over_http(address: SocketAddr, clients: usize, requests: &Arc<[Vec<u8>]>, first: usize) -> Run {
    let mut sockets = Vec::new();
    for _ in 0..clients {
        let socket = TcpStream::connect(address).await.expect("it listens");
        socket.set_nodelay(true).expect("a socket");
        sockets.push(socket);
    }
    let begun = Instant::now();
    let tasks: Vec<_> = sockets
        .into_iter()
        .enumerate()
        .map(|(index, mut socket)| {
            let requests = Arc::clone(requests);
            tokio::spawn(async move {
                let (mut took, mut at) = (Vec::new(), first + index);
                while begun.elapsed() < ROUND {
                    let sent = Instant::now();
                    ask(&mut socket, &requests[at % requests.len()]).await;
                    took.push(sent.elapsed().as_secs_f64() * 1e6);
                    at += clients;
                }
                took
            })
        })
        .collect();
    finish(tasks, begun).await
}

/// The same questions without HTTP in front of the table.
async fn over_the_table(store: &Store, clients: usize, players: &Arc<[Player]>, first: usize) -> Run {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|index| {
            let (players, store) = (Arc::clone(players), store.clone());
            tokio::spawn(async move {
                let (mut took, mut at) = (Vec::new(), first + index);
                while begun.elapsed() < ROUND {
                    let sent = Instant::now();
                    let player = &players[at % players.len()].id;
                    let row = store.ticket(player, Read::Eventual, 0).await.expect("the table answers");
                    assert!(row.is_some(), "everybody has a ticket");
                    took.push(sent.elapsed().as_secs_f64() * 1e6);
                    at += clients;
                }
                took
            })
        })
        .collect();
    finish(tasks, begun).await
}

async fn finish(tasks: Vec<tokio::task::JoinHandle<Vec<f64>>>, begun: Instant) -> Run {
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.expect("clients do not panic"));
    }
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    Run { rate, asked: took.len(), median: median(took) }
}

/// One request and its whole answer, which must be a ticket.
async fn ask(socket: &mut TcpStream, request: &[u8]) {
    socket.write_all(request).await.expect("the server listens");
    let (mut buffer, mut length) = ([0; 4_096], 0);
    loop {
        let read = socket.read(&mut buffer[length..]).await.expect("the server answers");
        assert!(read > 0, "the server has hung up");
        length += read;
        let text = std::str::from_utf8(&buffer[..length]).expect("headers and JSON");
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let wanted: usize = wanted.and_then(|wanted| wanted.parse().ok()).expect("a length");
        if body.len() == wanted {
            assert!(head.starts_with("HTTP/1.1 200"), "{text}");
            return;
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
